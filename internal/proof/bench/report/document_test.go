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
	"github.com/ringback/ringback/internal/proof/bench/report"
)

var nan = math.NaN()

// unaligned writes tables without the spaces that align them.
func unaligned(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if !strings.HasPrefix(line, "|") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for j := range cells {
			cells[j] = strings.TrimSpace(cells[j])
		}
		lines[i] = "| " + strings.Join(cells, " | ") + " |"
		if strings.HasPrefix(cells[0], "---") {
			lines[i] = "|" + strings.Join(cells, "|") + "|"
		}
	}
	return strings.Join(lines, "\n")
}

func TestTables(t *testing.T) {
	t.Parallel()
	floor := result("floor", 100, 90, 1000)
	floor.Add(report.Measured{report.Cold: 2.5e6})
	floor.Add(report.Measured{report.ColdTLS: 41e6})
	ours := result("ringback", 250)
	results := report.Results{floor, ours}

	for _, test := range []struct {
		name string
		got  string
		want string
	}{
		{
			"medians", results.Medians([]report.Figure{report.CPU, report.Cold, report.ColdTLS}),
			`
|  | CPU, µs | cold start, ms | cold start, TLS, ms |
|---|---:|---:|---:|
| floor | 100 | 2.5 | 41.0 |
| ringback | 250 | – | – |
`,
		},
		{
			"ranges, where there are any", results.Ranges([]report.Figure{report.CPU, report.P50, report.Size}),
			`
|  | CPU, µs | p50, µs | size, MB |
|---|---:|---:|---:|
| floor | 100 (90–1000) | 200 (180–2000) | 8.0 |
| ringback | 250 | 500 | 8.0 |
`,
		},
		{
			"ratios to all others", results.Ratios([]report.Figure{report.CPU, report.Cold}),
			`
| ringback ÷ | CPU | cold start |
|---|---:|---:|
| floor | 2.50 | – |
`,
		},
		{
			"verdicts", report.Document{Verdicts: results.Look([]report.Limit{
				{Of: "ringback", To: "floor", Figure: report.CPU, AtMost: 2.5},
				{Of: "ringback", Figure: report.Size, AtMost: 5},
				{Of: "ringback", To: "floor", Figure: report.Cold, AtMost: 5},
				{Of: "ringback", To: "floor", Figure: report.CPU, AtMost: 3, Goal: true},
				{Of: "ringback", To: "floor", Figure: report.CPU, AtMost: 2, Goal: true},
			})}.Limits(),
			`
|  | got | in each round | at most |  |
|---|---:|---:|---:|---:|
| CPU, ringback ÷ floor | 2.50 | 2.50 | 2.50 | kept, within the noise |
| size of ringback, MB | 8.00 | – | 5.00 | MISSED |
| cold start, ringback ÷ floor | – | – | 5.00 | MISSED |
| CPU, ringback ÷ floor | 2.50 | 2.50 | 3.00 | goal, reached |
| CPU, ringback ÷ floor | 2.50 | 2.50 | 2.00 | goal, not reached |
`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(strings.TrimPrefix(test.want, "\n"), unaligned(test.got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDocumentHasWhatWasMeasured(t *testing.T) {
	t.Parallel()
	results := report.Results{result("floor", 100), result("ringback", 250)}
	d := report.Document{
		Date:        time.Date(2026, time.March, 9, 1, 2, 3, 0, time.UTC),
		Took:        4 * time.Minute,
		Machine:     "two small processors",
		LoadBefore:  "0.10 0.20 0.30",
		Missing:     []string{"rust-tuned", "rust"},
		Contenders:  []contender.Contender{contender.Executable("bootstrap", map[string]string{"GOMAXPROCS": "1", "EMPTY": ""})},
		Results:     results,
		SlowResults: report.Results{result("floor", 4711)},
		Latency:     2 * time.Millisecond,
		Verdicts:    results.Look([]report.Limit{{Of: "ringback", To: "floor", Figure: report.CPU, AtMost: 2}}),
		Parts:       "Decode/A  20ns ± 1%\n",
		Rounds:      15,
		SlowRounds:  4,
	}
	var document, terminal bytes.Buffer
	if err := errors.Join(d.Write(&document), d.Text(&terminal)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"9 March 2026 on two small processors", "4m0s",
		"| floor | – | – | 200 | 200 | 100 |", "| ringback | – | – | 500 | 500 | 250 |",
		"| floor | – | – | 2.50 | 2.50 | 2.50 |",
		"| CPU, ringback ÷ floor | 2.50 | 2.50 | 2.00 | MISSED |",
		"Missed: CPU, ringback ÷ floor.", "these limits are missed", "whose floor took 5.1 ms", "was 0.10 0.20 0.30 at the beginning",
		"`GOMAXPROCS=1`", "15 rounds", "4711", "2ms", "Not in this run: rust-tuned, rust",
		"```text\nDecode/A  20ns ± 1%\n```",
	} {
		if !strings.Contains(unaligned(document.String()), want) {
			t.Errorf("%q is not in the document", want)
		}
	}
	for _, wrong := range []string{"NaN", "EMPTY", "no value", "%!"} {
		if strings.Contains(document.String()+terminal.String(), wrong) {
			t.Errorf("%q is in the document, or in what is printed", wrong)
		}
	}
	for _, want := range []string{"4711", "MISSED", "Decode/A"} {
		if !strings.Contains(terminal.String(), want) {
			t.Errorf("%q is not printed", want)
		}
	}
}

func TestWhatIsMissedIsSaidOnlyIfItIs(t *testing.T) {
	t.Parallel()
	results := report.Results{result("floor", 100), result("ringback", 150)}
	d := report.Document{Results: results, Verdicts: results.Look([]report.Limit{{Of: "ringback", To: "floor", Figure: report.CPU, AtMost: 2}})}
	var document bytes.Buffer
	if err := d.Write(&document); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{"Missed: ", "these limits are missed", "Not in this run"} {
		if strings.Contains(document.String(), wrong) {
			t.Errorf("%q is in the document", wrong)
		}
	}
}

func TestPlotIsSVGWithABarForEachMedian(t *testing.T) {
	t.Parallel()
	var svg bytes.Buffer
	if err := (report.Results{result("floor", 100), result("ringback", 250), result("idle")}).WritePlot(&svg); err != nil {
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
	for mark, want := range map[string]int{"fill:#2F81F7": 4, "fill:#9AA4AF": 5, ">250</text>": 1, ">500</text>": 1, ">8.0</text>": 3} {
		if got := strings.Count(text, mark); got != want {
			t.Errorf("%s: %d times, want %d", mark, got, want)
		}
	}
	if strings.Contains(text, "NaN") || strings.Contains(text, "#-") {
		t.Error("there is something in it that is no number or colour")
	}
}
