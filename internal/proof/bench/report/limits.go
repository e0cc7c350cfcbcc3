package report

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrLimit says that a limit is missed, or that it could not be looked at.
var ErrLimit = errors.New("limits missed")

// Limit bounds a figure of one contender, as a ratio to that of another, or
// absolutely where there is no other.
type Limit struct {
	Of, To string
	Figure Figure
	AtMost float64
}

// Verdict is a limit, looked at.
type Verdict struct {
	Limit
	// Got is the figure, or the ratio of the medians of all rounds.
	Got float64
	// Rounds are the ratios in each round; not known where there is no ratio.
	Rounds Spread
	Kept   bool
}

// noise is the part of a limit by which another run may be above or below.
const noise = 0.1

// Close reports whether another run could say something else.
func (v Verdict) Close() bool { return v.To != "" && math.Abs(v.Got/v.AtMost-1) < noise }

// Look compares the medians of results with limits. A limit whose contenders
// were not all measured is not kept.
func Look(limits []Limit, results []*Result) []Verdict {
	verdicts := make([]Verdict, len(limits))
	for i, l := range limits {
		v := Verdict{Limit: l, Got: median(results, l.Of, l.Figure), Rounds: SpreadOf(nil)}
		if l.To != "" {
			v.Got /= median(results, l.To, l.Figure)
			if of, to := find(results, l.Of), find(results, l.To); of != nil && to != nil {
				v.Rounds = of.InRounds(l.Figure, to)
			}
		}
		v.Kept = v.Got <= l.AtMost // A comparison with what is not known is false.
		verdicts[i] = v
	}
	return verdicts
}

// Missed returns an error that wraps [ErrLimit] if any limit is not kept.
func Missed(verdicts []Verdict) error {
	missed := 0
	for _, v := range verdicts {
		if !v.Kept {
			missed++
		}
	}
	if missed == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d of %d", ErrLimit, missed, len(verdicts))
}

func median(results []*Result, name string, f Figure) float64 {
	if r := find(results, name); r != nil {
		return r.Spread(f).Median
	}
	return math.NaN()
}

func find(results []*Result, name string) *Result {
	i := slices.IndexFunc(results, func(r *Result) bool { return r.Name == name })
	if i < 0 {
		return nil
	}
	return results[i]
}

func (l Limit) title() string {
	if l.To == "" {
		return fmt.Sprintf("%s of %s, %s", l.Figure, l.Of, units[l.Figure].unit)
	}
	return fmt.Sprintf("%s, %s ÷ %s", l.Figure, l.Of, l.To)
}
