package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/bench/contender"
	"github.com/ringback/ringback/internal/proof/bench/gobench"
	"github.com/ringback/ringback/internal/proof/bench/measure"
	"github.com/ringback/ringback/internal/proof/bench/report"
)

var nan = math.NaN()

func TestTables(t *testing.T) {
	t.Parallel()
	floor := result("floor", 100, 90, 1000)
	floor.AddCold(measure.Cold{Init: 2 * time.Millisecond, First: 500 * time.Microsecond}, false)
	floor.AddCold(measure.Cold{Init: 40 * time.Millisecond, First: time.Millisecond}, true)
	ours := result("ours", 250)
	results := []*report.Result{floor, ours}

	for _, test := range []struct {
		name string
		got  report.Table
		want string
	}{
		{
			"medians", report.Medians(results, report.CPU, report.Cold, report.ColdTLS),
			`
|  | CPU, µs | cold start, ms | cold start, TLS, ms |
|---|---:|---:|---:|
| floor | 100 | 2.5 | 41.0 |
| ours | 250 | – | – |
`,
		},
		{
			"ranges, where there are any", report.Ranges(results, report.CPU, report.P50, report.Size),
			`
|  | CPU, µs | p50, µs | size, MB |
|---|---:|---:|---:|
| floor | 100 (90–1000) | 200 (180–2000) | 8.0 |
| ours | 250 | 500 | 8.0 |
`,
		},
		{
			"ratios to all others", report.Ratios("ours", results, report.CPU, report.Cold),
			`
| ours ÷ | CPU | cold start |
|---|---:|---:|
| floor | 2.50 | – |
`,
		},
		{
			"verdicts", report.Verdicts(report.Look([]report.Limit{
				{Of: "ours", To: "floor", Figure: report.CPU, AtMost: 2.5},
				{Of: "ours", Figure: report.Size, AtMost: 5},
				{Of: "ours", To: "floor", Figure: report.Cold, AtMost: 5},
			}, results)),
			`
|  | got | in each round | at most |  |
|---|---:|---:|---:|---:|
| CPU, ours ÷ floor | 2.50 | 2.50 (2.50–2.50) | 2.50 | kept, within the noise |
| size of ours, MB | 8.00 | – | 5.00 | MISSED |
| cold start, ours ÷ floor | – | – | 5.00 | MISSED |
`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(strings.TrimPrefix(test.want, "\n"), test.got.Markdown()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDocumentHasWhatWasMeasured(t *testing.T) {
	t.Parallel()
	results := []*report.Result{result("floor", 100), result("ours", 250)}
	d := report.Document{
		Date:        time.Date(2026, time.March, 9, 1, 2, 3, 0, time.UTC),
		Took:        4 * time.Minute,
		Machine:     "two small processors",
		Contenders:  []contender.Contender{contender.Executable("bootstrap", map[string]string{"GOMAXPROCS": "1", "EMPTY": ""})},
		Ours:        "ours",
		Results:     results,
		SlowResults: []*report.Result{result("floor", 4711)},
		Latency:     2 * time.Millisecond,
		StandIn:     33 * time.Microsecond,
		Verdicts:    report.Look([]report.Limit{{Of: "ours", To: "floor", Figure: report.CPU, AtMost: 2}}, results),
		Benchmarks:  []gobench.Benchmark{{Package: "example.com/a/events", Name: "Decode/A", Values: map[string][]float64{"ns/op": {10, 30, 20}, "B/op": {5}, "allocs/op": {1}}}},
		Rounds:      15,
	}
	var document, terminal bytes.Buffer
	if err := errors.Join(d.Write(&document), d.Text(&terminal)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"9 March 2026 on two small processors", "4m0s",
		"| floor | – | – | 200 | 200 | 100 |", "| ours | – | – | 500 | 500 | 250 |",
		"| floor | – | – | 2.50 | 2.50 | 2.50 |",
		"| CPU, ours ÷ floor | 2.50 | 2.50 (2.50–2.50) | 2.00 | MISSED |",
		"Missed: CPU, ours ÷ floor.", "these limits are missed", "whose floor cost 5.1 ms", "In this run it cost – ms and 100 µs", "takes it 33 µs", "was not known when it began",
		"`GOMAXPROCS=1`", "15 rounds", "4711", "2ms",
		"| events.Decode/A | 20 (10–30) | 5 | 1 |",
	} {
		if !strings.Contains(document.String(), want) {
			t.Errorf("%q is not in the document", want)
		}
	}
	for _, wrong := range []string{"NaN", "EMPTY", "no value", "%!"} {
		if strings.Contains(document.String()+terminal.String(), wrong) {
			t.Errorf("%q is in the document, or in what is printed", wrong)
		}
	}
	for _, want := range []string{"4711", "MISSED", "events.Decode/A"} {
		if !strings.Contains(terminal.String(), want) {
			t.Errorf("%q is not printed", want)
		}
	}
}

func TestWhatIsMissedIsSaidOnlyIfItIs(t *testing.T) {
	t.Parallel()
	results := []*report.Result{result("floor", 100), result("ours", 150)}
	d := report.Document{Ours: "ours", Results: results, Verdicts: report.Look([]report.Limit{{Of: "ours", To: "floor", Figure: report.CPU, AtMost: 2}}, results)}
	var document bytes.Buffer
	if err := d.Write(&document); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{"Missed: ", "these limits are missed", "nearly all that", "what ringback gains"} {
		if strings.Contains(document.String(), wrong) {
			t.Errorf("%q is in the document", wrong)
		}
	}
}

// Build flags and settings are given what they gain, and the code no more than
// is left.
func TestWhatFlagsAndSettingsGainIsSaid(t *testing.T) {
	t.Parallel()
	all := func(name string, cpu time.Duration) *report.Result {
		r := result(name, cpu)
		cold := measure.Cold{Init: cpu * time.Millisecond}
		r.AddCold(cold, false)
		r.AddCold(cold, true)
		return r
	}
	for _, test := range []struct {
		ours, tuned time.Duration
		says        string
		nearly      bool
	}{
		{100, 110, "95 % of the cold start, 95 % of the cold start, TLS, 95 % of the CPU", true},
		{100, 100, "100 % of the cold start, 100 % of the cold start, TLS, 100 % of the CPU", true},
		{190, 205, "86 % of the cold start, 86 % of the cold start, TLS, 86 % of the CPU", true},
		{250, 270, "60 % of the cold start, 60 % of the cold start, TLS, 60 % of the CPU", true},
		{100, 200, "50 % of the cold start, 50 % of the cold start, TLS, 50 % of the CPU", false},
		{300, 200, "", false},
	} {
		d := report.Document{Ours: "ours", Results: []*report.Result{all("plain", 300), all("plain-tuned", test.tuned), all("ours", test.ours)}}
		if got := d.Tuned(); got != test.says || d.NearlyAll() != test.nearly {
			t.Errorf("ours %d, tuned %d of 300: %q, nearly all %v", test.ours, test.tuned, got, d.NearlyAll())
		}
		var document bytes.Buffer
		if err := d.Write(&document); err != nil {
			t.Fatal(err)
		}
		if says := strings.Contains(document.String(), "nearly all that ringback gains"); says != test.nearly {
			t.Errorf("ours %d, tuned %d of 300: the document says nearly all: %v", test.ours, test.tuned, says)
		}
	}
}

func TestPlotIsSVGWithABarForEachMedian(t *testing.T) {
	t.Parallel()
	var svg bytes.Buffer
	if err := report.WritePlot(&svg, "ours", []*report.Result{result("floor", 100), result("ours", 250), result("idle")}); err != nil {
		t.Fatal(err)
	}
	text := svg.String()
	decoder := xml.NewDecoder(&svg)
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	// Of six figures, three were measured of two, and the size of all three.
	for mark, want := range map[string]int{"#2F81F7": 4, "#9AA4AF": 5, ">250</text>": 1, ">500</text>": 1, ">8.0</text>": 3} {
		if got := strings.Count(text, mark); got != want {
			t.Errorf("%s: %d times, want %d", mark, got, want)
		}
	}
	if strings.Contains(text, "NaN") || strings.Contains(text, "#-") {
		t.Error("there is something in it that is no number or colour")
	}
}
