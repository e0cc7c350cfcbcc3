// Package report presents a benchmark's results: on the terminal, as a document
// and as a plot, with a verdict on each limit.
package report

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"runtime"
	"strings"
	"text/tabwriter"
	"text/template"
	"time"

	"github.com/ringback/ringback/internal/proof/bench/contender"
)

// ours is the contender that the others are compared with.
const ours = contender.Ringback

//go:embed benchmarks.md.tmpl
var documentText string

var document = template.Must(template.New("benchmarks.md").
	Funcs(template.FuncMap{"figures": func(table string) []Figure { return figures[table] }}).Parse(documentText))

// figures are those of each table.
var figures = map[string][]Figure{
	"main":   {Cold, ColdTLS, P50, P99, CPU, RSS, Size},
	"cold":   {Cold, Init, First, ColdTLS, InitTLS, FirstTLS},
	"warm":   {P50, P99, CPU, RSS, Opened},
	"slow":   {Cold, ColdTLS, P50, P99, CPU, Opened},
	"ratios": {Cold, ColdTLS, P50, P99, CPU}, // of slow
}

// ErrLimit says that a limit is missed.
var ErrLimit = errors.New("limits missed")

// Document is what docs/benchmarks.md is written from.
type Document struct {
	Date    time.Time
	Took    time.Duration
	Machine string
	// LoadBefore and LoadAfter are the machine's load when the run began and
	// when it ended.
	LoadBefore, LoadAfter string
	Contenders            []contender.Contender
	Results               Results
	Verdicts              []Verdict
	// SlowResults are those with an AWS that takes Latency for each call.
	SlowResults Results
	Latency     time.Duration
	// Parts is what benchstat says of the Go benchmarks.
	Parts string
	// How the figures were taken.
	Rounds, SlowRounds, Starts, SlowStarts, Warmup, Events, Roots int
}

// Write writes the document.
func (d Document) Write(w io.Writer) error { return document.Execute(w, d) }

// Text writes the tables alone, for a terminal.
func (d Document) Text(w io.Writer) error { return document.ExecuteTemplate(w, "terminal", d) }

// table writes a table in Markdown, aligned for the terminal. The first column
// names the row; the others are figures.
func table(rows [][]string) string {
	var b strings.Builder
	tabs := tabwriter.NewWriter(&b, 0, 0, 0, ' ', tabwriter.AlignRight|tabwriter.Debug) // Debug draws the bars.
	for i, row := range rows {
		_, _ = fmt.Fprintf(tabs, "\t %s \t\n", strings.Join(row, " \t ")) // A string builder does not fail.
		if i == 0 {
			_, _ = fmt.Fprintf(tabs, "\t---%s\t\n", strings.Repeat("\t---:", len(row)-1))
		}
	}
	_ = tabs.Flush()
	return b.String()
}

func (all Results) table(figures []Figure, cell func(Figure, Spread) string) string {
	rows := [][]string{{""}}
	for _, f := range figures {
		rows[0] = append(rows[0], f.Name+", "+f.Unit)
	}
	for _, r := range all {
		row := []string{r.Name}
		for _, f := range figures {
			row = append(row, cell(f, r.Spread(f)))
		}
		rows = append(rows, row)
	}
	return table(rows)
}

// Medians returns the medians of figures.
func (all Results) Medians(figures []Figure) string {
	return all.table(figures, func(f Figure, s Spread) string { return number(s.Median, f.Digits) })
}

// Ranges returns the medians of figures with the least and the largest value.
func (all Results) Ranges(figures []Figure) string {
	return all.table(figures, func(f Figure, s Spread) string { return s.show(f.Digits) })
}

// Ratios returns our medians as ratios to those of the others.
func (all Results) Ratios(figures []Figure) string {
	rows := [][]string{{ours + " ÷"}}
	for _, f := range figures {
		rows[0] = append(rows[0], f.Name)
	}
	for _, r := range all {
		if r.Name == ours {
			continue
		}
		row := []string{r.Name}
		for _, f := range figures {
			row = append(row, number(all.median(ours, f)/r.Spread(f).Median, 2))
		}
		rows = append(rows, row)
	}
	return table(rows)
}

// Limits returns the limits and whether they are kept.
func (d Document) Limits() string {
	rows := [][]string{{"", "got", "in each round", "at most", ""}}
	for _, v := range d.Verdicts {
		state := "kept"
		if !v.Kept {
			state = "MISSED"
		}
		if v.Close() {
			state += ", within the noise"
		}
		rows = append(rows, []string{v.String(), number(v.Got, 2), v.Rounds.show(2), number(v.AtMost, 2), state})
	}
	return table(rows)
}

// Settings returns a contender's settings as text.
func (d Document) Settings(c contender.Contender) string {
	settings := c.Settings()
	if len(settings) == 0 {
		return "none"
	}
	return "`" + strings.Join(settings, "` `") + "`"
}

// Missed names the limits that are missed; "" if none is.
func (d Document) Missed() string {
	var missed []string
	for _, v := range d.Verdicts {
		if !v.Kept {
			missed = append(missed, v.String())
		}
	}
	return strings.Join(missed, "; ")
}

// Err returns an error that wraps [ErrLimit] if a limit is missed.
func (d Document) Err() error {
	if missed := d.Missed(); missed != "" {
		return fmt.Errorf("%w: %s", ErrLimit, missed)
	}
	return nil
}

// Floor returns what a cold start and a warm delivery of the floor cost.
func (d Document) Floor() string {
	floor := d.Results.find(contender.Floor)
	return number(floor.Spread(Cold).Median, 1) + " ms and " + number(floor.Spread(CPU).Median, 0) + " µs"
}

// Tuned returns which part of the gain over plain Go comes from build flags and
// settings, figure by figure; "" if that is not known.
func (d Document) Tuned() string {
	var parts []string
	for _, f := range []Figure{Cold, ColdTLS, CPU} {
		plain := d.Results.median(contender.Plain, f)
		gain := plain - d.Results.median(ours, f)
		if part := (plain - d.Results.median(contender.PlainTuned, f)) / gain; gain > 0 && !math.IsNaN(part) {
			parts = append(parts, fmt.Sprintf("%.0f %% of the %s", 100*part, f.Name))
		}
	}
	return strings.Join(parts, ", ")
}

// Machine describes the machine: processor, how many of them, system and Go.
func Machine() string {
	return fmt.Sprintf("%d × %s (%s), %s, %s", runtime.NumCPU(), inFile("/proc/cpuinfo", `model name\s*: (.*)`),
		runtime.GOARCH, inFile("/etc/os-release", `PRETTY_NAME="(.*)"`), runtime.Version())
}

// Load returns the machine's load over 1, 5 and 15 minutes. See proc_loadavg(5).
func Load() string { return inFile("/proc/loadavg", `(\S+ \S+ \S+)`) }

// inFile returns the first match of a pattern's group in a file.
func inFile(path, pattern string) string {
	text, err := os.ReadFile(path) //nolint:gosec // G304: one of the system's
	found := regexp.MustCompile(pattern).FindSubmatch(text)
	if err != nil || found == nil {
		return "unknown"
	}
	return string(found[1])
}
