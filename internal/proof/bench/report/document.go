package report

import (
	_ "embed"
	"fmt"
	"io"
	"strings"
	"text/template"
	"time"

	"github.com/ringback/ringback/internal/proof/bench/contender"
	"github.com/ringback/ringback/internal/proof/bench/gobench"
)

//go:embed benchmarks.md.tmpl
var documentText string

var document = template.Must(template.New("benchmarks.md").Parse(documentText))

// Document is what docs/benchmarks.md is written from.
type Document struct {
	Date    time.Time
	Took    time.Duration
	Machine string
	// LoadBefore and LoadAfter are the machine's when the run began and ended.
	LoadBefore, LoadAfter LoadAverage
	// StandIn is what one write takes the table that all write to.
	StandIn    time.Duration
	Contenders []contender.Contender
	// Ours is the name of the contender that the others are compared with.
	Ours     string
	Results  []*Result
	Verdicts []Verdict
	// SlowResults are those with an AWS that takes Latency for each call.
	SlowResults []*Result
	Latency     time.Duration
	Benchmarks  []gobench.Benchmark
	// How the figures were taken.
	Rounds, SlowRounds, Starts, SlowStarts, Warmup, Events, Roots, Counts int
}

// The figures of each table.
var (
	mainFigures  = []Figure{Cold, ColdTLS, P50, P99, CPU, RSS, Size}
	startFigures = []Figure{Init, First, InitTLS, FirstTLS}
	slowFigures  = []Figure{Cold, ColdTLS, P50, P99, CPU, Opened}
	slowRatios   = []Figure{Cold, ColdTLS, P50, P99, CPU}
	warmFigures  = []Figure{P50, P99, CPU, RSS, Opened}
)

// Write writes the document.
func (d Document) Write(w io.Writer) error {
	if err := document.Execute(w, d); err != nil {
		return fmt.Errorf("write document: %w", err)
	}
	return nil
}

// Text writes the tables for a terminal.
func (d Document) Text(w io.Writer) error {
	tables := []Table{
		Ranges(d.Results, Cold, ColdTLS, P50, P99),
		Ranges(d.Results, CPU, RSS, Opened, Size),
		Ranges(d.Results, startFigures...),
		Ratios(d.Ours, d.Results, mainFigures...),
	}
	if len(d.SlowResults) > 0 {
		tables = append(tables, Ranges(d.SlowResults, slowFigures...), Ratios(d.Ours, d.SlowResults, slowRatios...))
	}
	if len(d.Benchmarks) > 0 {
		tables = append(tables, d.benchmarks())
	}
	for _, t := range append(tables, Verdicts(d.Verdicts)) {
		if err := t.Text(w); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return fmt.Errorf("write table: %w", err)
		}
	}
	return nil
}

// Medians returns the main table.
func (d Document) Medians() string { return Medians(d.Results, mainFigures...).Markdown() }

// Ratios returns how ours compares with the others.
func (d Document) Ratios() string { return Ratios(d.Ours, d.Results, mainFigures...).Markdown() }

// ColdRanges returns the spread of the cold starts.
func (d Document) ColdRanges() string {
	return Ranges(d.Results, Cold, Init, First, ColdTLS, InitTLS, FirstTLS).Markdown()
}

// WarmRanges returns the spread of the warm runs.
func (d Document) WarmRanges() string { return Ranges(d.Results, warmFigures...).Markdown() }

// Slow returns what was measured with an AWS that takes its time.
func (d Document) Slow() string { return Ranges(d.SlowResults, slowFigures...).Markdown() }

// SlowRatios returns how ours compares with the others then.
func (d Document) SlowRatios() string { return Ratios(d.Ours, d.SlowResults, slowRatios...).Markdown() }

// BenchTime returns how long each Go benchmark runs.
func (d Document) BenchTime() string { return gobench.Time }

// StandInTakes returns what a write takes the stand-in, in µs.
func (d Document) StandInTakes() string { return fmt.Sprint(d.StandIn.Microseconds()) }

// Limits returns the limits and whether they are kept.
func (d Document) Limits() string { return Verdicts(d.Verdicts).Markdown() }

// GoBenchmarks returns what "go test -bench" said.
func (d Document) GoBenchmarks() string { return d.benchmarks().Markdown() }

func (d Document) benchmarks() Table {
	t := Table{Head: []string{"", "ns/op", "B/op", "allocs/op"}}
	for _, b := range d.Benchmarks {
		pkg := b.Package[strings.LastIndexByte(b.Package, '/')+1:]
		row := []string{pkg + "." + b.Name}
		for _, unit := range t.Head[1:] {
			s := SpreadOf(b.Values[unit])
			cell := number("%.0f", s.Median)
			if unit == "ns/op" && s.Min != s.Max {
				cell += fmt.Sprintf(" (%.0f–%.0f)", s.Min, s.Max)
			}
			row = append(row, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// Settings returns a contender's settings as text.
func (d Document) Settings(c contender.Contender) string {
	settings := c.Settings()
	if len(settings) == 0 {
		return "none"
	}
	return "`" + strings.Join(settings, "` `") + "`"
}
