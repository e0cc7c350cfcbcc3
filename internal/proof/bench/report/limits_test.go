package report_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringback/ringback/internal/proof/bench/report"
)

// result returns that of a contender of 8 MB whose runs took so many µs of
// processor time for each delivery.
func result(name string, cpu ...time.Duration) *report.Result {
	r := report.NewResult(name)
	r.Add(report.Measured{report.Size: 8_000_000})
	for _, d := range cpu {
		r.BeginRound()
		µs := float64(d * time.Microsecond)
		r.Add(report.Measured{report.P50: 2 * µs, report.P99: 2 * µs, report.CPU: µs, report.RSS: 0, report.Opened: 0})
	}
	return r
}

func TestLimits(t *testing.T) {
	t.Parallel()
	results := report.Results{result("floor", 100, 90, 1000), result("ours", 230, 1, 500), result("idle")}
	for _, test := range []struct {
		name   string
		limit  report.Limit
		got    float64
		rounds []float64
		kept   bool
	}{
		{"the ratio of the medians is as large as it may be", report.Limit{Of: "ours", To: "floor", Figure: report.CPU, AtMost: 2.3}, 2.3, []float64{2.3, 1.0 / 90, 0.5}, true},
		{"it is larger", report.Limit{Of: "ours", To: "floor", Figure: report.CPU, AtMost: 2.2}, 2.3, []float64{2.3, 1.0 / 90, 0.5}, false},
		{"it is the other way round", report.Limit{Of: "floor", To: "ours", Figure: report.CPU, AtMost: 0.5}, 1 / 2.3, []float64{1 / 2.3, 90, 2}, true},
		{"no ratio, small enough", report.Limit{Of: "ours", Figure: report.Size, AtMost: 8}, 8, nil, true},
		{"no ratio, too large", report.Limit{Of: "ours", Figure: report.Size, AtMost: 7.9}, 8, nil, false},
		{"never measured", report.Limit{Of: "ours", Figure: report.ColdTLS, AtMost: 1e9}, nan, nil, false},
		{"the other was never measured", report.Limit{Of: "ours", To: "idle", Figure: report.CPU, AtMost: 1e9}, nan, nil, false},
		{"the other was not there", report.Limit{Of: "ours", To: "plain", Figure: report.CPU, AtMost: 1e9}, nan, nil, false},
		{"ours was not there", report.Limit{Of: "plain", To: "floor", Figure: report.CPU, AtMost: 1e9}, nan, nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := results.Look([]report.Limit{test.limit})
			want := []report.Verdict{{Limit: test.limit, Got: test.got, Rounds: report.SpreadOf(test.rounds), Kept: test.kept}}
			if diff := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if err := (report.Document{Verdicts: got}).Err(); errors.Is(err, report.ErrLimit) == test.kept {
				t.Errorf("missed: %v", err)
			}
		})
	}
}

func known(s report.Spread) bool { return !math.IsNaN(s.Median) }

func TestOneLimitOfManyIsEnough(t *testing.T) {
	t.Parallel()
	kept, missed, goal := report.Verdict{Kept: true}, report.Verdict{}, report.Verdict{Limit: report.Limit{Goal: true}}
	if err := (report.Document{Verdicts: []report.Verdict{kept, missed, kept}}).Err(); !errors.Is(err, report.ErrLimit) {
		t.Errorf("got %v", err)
	}
	if err := (report.Document{Verdicts: []report.Verdict{kept, goal, kept}}).Err(); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestARoundInWhichOneWasNotMeasuredHasNoRatio(t *testing.T) {
	t.Parallel()
	ours, floor := result("ours", 100, 300, 500), result("floor", 100, 100)
	if diff := cmp.Diff(report.Spread{Median: 2, Min: 1, Max: 3}, ours.InRounds(report.CPU, floor)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := ours.InRounds(report.Cold, floor); known(got) {
		t.Errorf("of what was never measured: %v", got)
	}
	if got := ours.InRounds(report.Size, floor); known(got) {
		t.Errorf("of what no round measured: %v", got)
	}
}

func TestWithinTheNoise(t *testing.T) {
	t.Parallel()
	for got, want := range map[float64]bool{1.79: false, 1.81: true, 2: true, 2.19: true, 2.21: false, nan: false} {
		v := report.Verdict{Limit: report.Limit{Of: "ours", To: "floor", AtMost: 2}, Got: got}
		if v.Close() != want {
			t.Errorf("%v of 2: %v, want %v", got, v.Close(), want)
		}
		if v.To = ""; v.Close() {
			t.Errorf("%v: a size is no ratio, and has no noise", got)
		}
	}
}
