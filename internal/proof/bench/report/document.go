// Package report presents the results of a benchmark: on the terminal, as a page
// and as a plot. It says which limits were kept.
package report

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"text/template"
	"time"

	"github.com/ringback/ringback/internal/proof/bench/contender"
)

// ours is the contender that is compared with the others.
const ours = contender.Ringback

//go:embed benchmarks.md.tmpl
var documentText string

var document = template.Must(template.New("benchmarks.md").
	Funcs(template.FuncMap{"figures": func(table string) []Figure { return figures[table] }}).Parse(documentText))

// figures are the columns of each table.
var figures = map[string][]Figure{
	"main":   {Cold, ColdTLS, P50, P99, CPU, RSS, Size},
	"cold":   {Cold, Init, First, ColdTLS, InitTLS, FirstTLS},
	"warm":   {P50, P99, CPU, RSS, Opened},
	"slow":   {Cold, ColdTLS, P50, P99, CPU, Opened},
	"ratios": {Cold, ColdTLS, P50, P99, CPU}, // of slow
}

// ErrLimit means that a limit was missed.
var ErrLimit = errors.New("limits missed")

// Document holds what docs/benchmarks.md says.
type Document struct {
	Date    time.Time
	Took    time.Duration
	Machine string
	// LoadBefore and LoadAfter are the machine's load at the beginning and the end.
	LoadBefore, LoadAfter string
	Contenders            []contender.Contender
	// Missing names those that could not be built here.
	Missing  []string
	Results  Results
	Verdicts []Verdict
	// SlowResults are those with a stand-in that waits Latency before each answer.
	SlowResults Results
	Latency     time.Duration
	// Parts is benchstat's summary of the Go benchmarks.
	Parts string
	// Roots is the number of root certificates. The others count rounds, cold
	// starts of a turn and deliveries.
	Rounds, SlowRounds, Starts, Warmup, Events, Roots int
}

// Write writes the document.
func (d Document) Write(w io.Writer) error { return document.Execute(w, d) }

// Text writes the tables alone, for a terminal.
func (d Document) Text(w io.Writer) error { return document.ExecuteTemplate(w, "terminal", d) }

// table returns a Markdown table, aligned for the terminal. The first column names
// the rows.
func table(rows [][]string) string {
	var b strings.Builder
	tabs := tabwriter.NewWriter(&b, 0, 0, 0, ' ', tabwriter.AlignRight|tabwriter.Debug) // Debug draws the bars.
	for i, row := range rows {
		_, _ = fmt.Fprintf(tabs, "\t %s \t\n", strings.Join(row, " \t ")) // A builder does not fail.
		if i == 0 {
			_, _ = fmt.Fprintf(tabs, "\t---%s\t\n", strings.Repeat("\t---:", len(row)-1))
		}
	}
	_ = tabs.Flush()
	return b.String()
}

// table returns a table with a row for each contender and a column for each figure.
func (all Results) table(corner string, figures []Figure, head func(Figure) string, cell func(Figure, Spread) string) string {
	rows := [][]string{{corner}}
	for _, f := range figures {
		rows[0] = append(rows[0], head(f))
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

// Medians returns a table of medians.
func (all Results) Medians(figures []Figure) string {
	return all.table("", figures, Figure.String, func(f Figure, s Spread) string { return number(s.Median, f.Digits) })
}

// Ranges returns a table of medians, each with the least and the largest value.
func (all Results) Ranges(figures []Figure) string {
	return all.table("", figures, Figure.String, func(f Figure, s Spread) string { return s.show(f.Digits) })
}

// Ratios returns a table of our medians divided by those of each other contender.
func (all Results) Ratios(figures []Figure) string {
	others := slices.DeleteFunc(slices.Clone(all), func(r *Result) bool { return r.Name == ours })
	return others.table(ours+" ÷", figures, func(f Figure) string { return f.Name },
		func(f Figure, s Spread) string { return number(all.median(ours, f)/s.Median, 2) })
}

// Limits returns a table of the limits and whether they were kept.
func (d Document) Limits() string {
	rows := [][]string{{"", "got", "in each round", "at most", ""}}
	for _, v := range d.Verdicts {
		state := "kept"
		switch {
		case v.Kept && v.Goal:
			state = "goal, reached"
		case v.Goal:
			state = "goal, not reached"
		case !v.Kept:
			state = "MISSED"
		}
		if v.Close() {
			state += ", within the noise"
		}
		rows = append(rows, []string{v.String(), number(v.Got, 2), v.Rounds.show(2), number(v.AtMost, 2), state})
	}
	return table(rows)
}

// Missed names the limits that were missed, or returns "".
func (d Document) Missed() string {
	var missed []string
	for _, v := range d.Verdicts {
		if !v.Kept && !v.Goal {
			missed = append(missed, v.String())
		}
	}
	return strings.Join(missed, "; ")
}

// Err returns an error that wraps [ErrLimit] if a limit was missed.
func (d Document) Err() error {
	if missed := d.Missed(); missed != "" {
		return fmt.Errorf("%w: %s", ErrLimit, missed)
	}
	return nil
}

// Machine describes the machine: its processors, its system and its version of Go.
func Machine() string {
	return fmt.Sprintf("%d × %s (%s), %s, %s", runtime.NumCPU(), inFile("/proc/cpuinfo", `model name\s*: (.*)`),
		runtime.GOARCH, inFile("/etc/os-release", `PRETTY_NAME="(.*)"`), runtime.Version())
}

// Load returns the machine's load over the last 1, 5 and 15 minutes. See
// proc_loadavg(5).
func Load() string { return inFile("/proc/loadavg", `(\S+ \S+ \S+)`) }

// inFile returns what the pattern's group matches first in a file.
func inFile(path, pattern string) string {
	text, err := os.ReadFile(path) //nolint:gosec // G304: one of the system's
	found := regexp.MustCompile(pattern).FindSubmatch(text)
	if err != nil || found == nil {
		return "unknown"
	}
	return string(found[1])
}
