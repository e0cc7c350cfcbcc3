package report

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Figure is one thing that is measured.
type Figure struct {
	Name, Unit string
	Digits     int // shown after the decimal point
}

func (f Figure) String() string { return f.Name + ", " + f.Unit }

// The figures. A cold start lasts from the start of the process to its first
// answer, without the pause between init and the first delivery.
var (
	Init     = Figure{"init", "ms", 1}           // start of the process to its first poll
	First    = Figure{"first delivery", "ms", 2} // from there to its answer
	Cold     = Figure{"cold start", "ms", 1}     // both
	InitTLS  = Figure{"init, TLS", "ms", 1}      // the same with AWS behind TLS
	FirstTLS = Figure{"first delivery, TLS", "ms", 2}
	ColdTLS  = Figure{"cold start, TLS", "ms", 1}
	P50      = Figure{"p50", "µs", 0} // a warm delivery to its answer
	P99      = Figure{"p99", "µs", 0}
	CPU      = Figure{"CPU", "µs", 0}      // processor time of a warm delivery
	RSS      = Figure{"peak RSS", "MB", 1} // largest resident set
	Opened   = Figure{"new connections", "in a run", 0}
	Size     = Figure{"size", "MB", 1}            // of what is deployed, for this machine's processor
	Deployed = Figure{"deployed binary", "MB", 1} // the same for Lambda's
)

// scale is the number of ns or bytes in a unit.
var scale = map[string]float64{"ms": 1e6, "µs": 1e3, "MB": 1e6, "in a run": 1}

// number formats a number. NaN, which means unknown, becomes a dash.
func number(value float64, digits int) string {
	if math.IsNaN(value) {
		return "–"
	}
	return fmt.Sprintf("%.*f", digits, value)
}

// Spread is the range of repeated measurements, or NaN if there are none.
type Spread struct{ Median, Min, Max float64 }

// SpreadOf returns the spread of values in any order.
func SpreadOf(values []float64) Spread {
	if len(values) == 0 {
		return Spread{math.NaN(), math.NaN(), math.NaN()}
	}
	sorted := slices.Sorted(slices.Values(values))
	low, high := sorted[(len(sorted)-1)/2], sorted[len(sorted)/2]
	return Spread{(low + high) / 2, sorted[0], sorted[len(sorted)-1]}
}

func (s Spread) show(digits int) string {
	text := number(s.Median, digits)
	if s.Min < s.Max {
		text += fmt.Sprintf(" (%s–%s)", number(s.Min, digits), number(s.Max, digits))
	}
	return text
}

// Percentile returns the smallest value that is at least as large as p percent of
// the values.
func Percentile(values []time.Duration, p float64) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}

// Result holds the measurements of one contender.
type Result struct {
	Name string
	// rounds are the measurements of each round. Index 0 is what belongs to none.
	rounds []map[Figure][]float64
}

// NewResult returns an empty result.
func NewResult(name string) *Result { return &Result{name, []map[Figure][]float64{{}}} }

// BeginRound begins another round.
func (r *Result) BeginRound() { r.rounds = append(r.rounds, map[Figure][]float64{}) }

// Measured holds the measurements of one run, in ns, bytes or plain numbers.
type Measured map[Figure]float64

// Add adds measurements to the latest round.
func (r *Result) Add(m Measured) {
	round := r.rounds[len(r.rounds)-1]
	for f, value := range m {
		round[f] = append(round[f], value/scale[f.Unit])
	}
}

// Spread returns the spread of all measurements of a figure.
func (r *Result) Spread(f Figure) Spread {
	var all []float64
	for _, round := range r.rounds {
		all = append(all, round[f]...)
	}
	return SpreadOf(all)
}

// InRounds divides a figure's median by another contender's in each round in which
// both were measured. It returns the spread of these ratios.
func (r *Result) InRounds(f Figure, to *Result) Spread {
	var ratios []float64
	for i := 1; i < min(len(r.rounds), len(to.rounds)); i++ {
		ratio := SpreadOf(r.rounds[i][f]).Median / SpreadOf(to.rounds[i][f]).Median
		if !math.IsNaN(ratio) {
			ratios = append(ratios, ratio)
		}
	}
	return SpreadOf(ratios)
}

// Results are those of all contenders.
type Results []*Result

func (all Results) find(name string) *Result {
	i := slices.IndexFunc(all, func(r *Result) bool { return r.Name == name })
	if i < 0 {
		return NewResult(name)
	}
	return all[i]
}

func (all Results) median(name string, f Figure) float64 { return all.find(name).Spread(f).Median }

// Limit is the most that a contender's figure may be: as a ratio to another
// contender's, or by itself if To is empty.
type Limit struct {
	Of, To string
	Figure Figure
	AtMost float64
	// Goal means that nothing fails if it is not reached yet.
	Goal bool
}

// Verdict is a limit and what was measured.
type Verdict struct {
	Limit
	// Got is the figure, or the ratio of the medians of all rounds.
	Got float64
	// Rounds is the spread of the ratios in each round.
	Rounds Spread
	// Kept is false also if a contender was not measured.
	Kept bool
}

// noise is how far apart two runs may be, as a part of the limit.
const noise = 0.1

// Close reports whether another run could have a different outcome.
func (v Verdict) Close() bool { return v.To != "" && math.Abs(v.Got/v.AtMost-1) < noise }

// Look compares the results with limits.
func (all Results) Look(limits []Limit) []Verdict {
	verdicts := make([]Verdict, len(limits))
	for i, l := range limits {
		v := Verdict{Limit: l, Got: all.median(l.Of, l.Figure), Rounds: SpreadOf(nil)}
		if l.To != "" {
			v.Got /= all.median(l.To, l.Figure)
			v.Rounds = all.find(l.Of).InRounds(l.Figure, all.find(l.To))
		}
		v.Kept = v.Got <= l.AtMost // NaN is not.
		verdicts[i] = v
	}
	return verdicts
}

// String says what is limited.
func (l Limit) String() string {
	if l.To == "" {
		return fmt.Sprintf("%s of %s, %s", l.Figure.Name, l.Of, l.Figure.Unit)
	}
	return fmt.Sprintf("%s, %s ÷ %s", l.Figure.Name, l.Of, l.To)
}
