package report

import (
	"math"
	"slices"
	"time"
)

// Spread is what repeated measurements of one figure gave.
type Spread struct{ Median, Min, Max float64 }

// Known reports whether anything was measured.
func (s Spread) Known() bool { return !math.IsNaN(s.Median) }

// SpreadOf returns the spread of values, in no order. Without any, nothing is
// known.
func SpreadOf(values []float64) Spread {
	if len(values) == 0 {
		return Spread{math.NaN(), math.NaN(), math.NaN()}
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	median := sorted[middle]
	if len(sorted)%2 == 0 {
		median = (sorted[middle-1] + median) / 2
	}
	return Spread{median, sorted[0], sorted[len(sorted)-1]}
}

// Percentile returns the smallest of the values that p percent of them do not
// exceed; zero if there are none.
func Percentile(values []time.Duration, p float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}
