package report_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringback/ringback/internal/proof/bench/report"
)

func TestSpreadOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		values []float64
		want   report.Spread
	}{
		{"the middle of an odd number, in any order", []float64{9, 1, 5}, report.Spread{Median: 5, Min: 1, Max: 9}},
		{"between the two middle ones of an even number", []float64{4, 1, 100, 2}, report.Spread{Median: 3, Min: 1, Max: 100}},
		{"one value", []float64{7}, report.Spread{Median: 7, Min: 7, Max: 7}},
		{"none", nil, report.Spread{Median: math.NaN(), Min: math.NaN(), Max: math.NaN()}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := report.SpreadOf(test.values)
			if diff := cmp.Diff(test.want, got, cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSpreadLeavesTheRunsInTheirOrder(t *testing.T) {
	t.Parallel()
	values := []float64{3, 1, 2}
	report.SpreadOf(values)
	if diff := cmp.Diff([]float64{3, 1, 2}, values); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(100 - i)
	}
	for _, test := range []struct {
		name   string
		values []time.Duration
		p      float64
		want   time.Duration
	}{
		{"half are not above", hundred, 50, 50},
		{"the last but one of a hundred", hundred, 99, 99},
		{"the largest", hundred, 100, 100},
		{"the smallest", hundred, 0, 1},
		{"rounded up to a value that was measured", []time.Duration{1, 2, 3}, 50, 2},
		{"the slow ones of few", []time.Duration{1, 2, 300}, 99, 300},
		{"one value", []time.Duration{5}, 50, 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := report.Percentile(test.values, test.p); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}
