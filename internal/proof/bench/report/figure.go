package report

import (
	"fmt"
	"math"
	"time"

	"github.com/ringback/ringback/internal/proof/bench/measure"
)

// Figure names what was measured of a contender.
type Figure string

// The figures. A cold start is from the start of the process to its first
// answer, without the pause between init and the first delivery.
const (
	Init     Figure = "init"           // start of the process to its first poll
	First    Figure = "first delivery" // from there to its answer
	Cold     Figure = "cold start"     // both
	InitTLS  Figure = "init, TLS"      // the same with AWS behind TLS
	FirstTLS Figure = "first delivery, TLS"
	ColdTLS  Figure = "cold start, TLS"
	P50      Figure = "p50" // a warm delivery, to its answer
	P99      Figure = "p99"
	CPU      Figure = "CPU"      // processor time of a warm delivery
	RSS      Figure = "peak RSS" // largest resident set
	Opened   Figure = "new connections"
	Size     Figure = "size"            // of what is deployed, for this machine's processor
	Deployed Figure = "deployed binary" // the same for the template's
)

// units are the units of figures and how many digits tell something.
var units = map[Figure]struct{ unit, format string }{
	Init:     {"ms", "%.1f"},
	First:    {"ms", "%.2f"},
	Cold:     {"ms", "%.1f"},
	InitTLS:  {"ms", "%.1f"},
	FirstTLS: {"ms", "%.2f"},
	ColdTLS:  {"ms", "%.1f"},
	P50:      {"µs", "%.0f"},
	P99:      {"µs", "%.0f"},
	CPU:      {"µs", "%.0f"},
	RSS:      {"MB", "%.1f"},
	Opened:   {"in a run", "%.0f"},
	Size:     {"MB", "%.1f"},
	Deployed: {"MB", "%.1f"},
}

func (f Figure) title() string { return fmt.Sprintf("%s, %s", f, units[f].unit) }

func (f Figure) show(value float64) string { return number(units[f].format, value) }

func number(format string, value float64) string {
	if math.IsNaN(value) {
		return "–"
	}
	return fmt.Sprintf(format, value)
}

// Result is what was measured of one contender, run by run.
type Result struct {
	Name   string
	values map[Figure][]float64
	// rounds has the same, one element for each round.
	rounds []map[Figure][]float64
}

// NewResult returns the result of a contender of which only the size in bytes
// is known.
func NewResult(name string, size int64) *Result {
	return &Result{Name: name, values: map[Figure][]float64{Size: {megabytes(size)}}}
}

// BeginRound has what follows count as of the next round.
func (r *Result) BeginRound() { r.rounds = append(r.rounds, map[Figure][]float64{}) }

// AddCold adds a start.
func (r *Result) AddCold(c measure.Cold, secure bool) {
	initial, first, total := Init, First, Cold
	if secure {
		initial, first, total = InitTLS, FirstTLS, ColdTLS
	}
	r.add(initial, milliseconds(c.Init))
	r.add(first, milliseconds(c.First))
	r.add(total, milliseconds(c.Total()))
}

// AddWarm adds a run of many deliveries.
func (r *Result) AddWarm(w measure.Warm) {
	r.add(P50, microseconds(Percentile(w.Latencies, 50)))
	r.add(P99, microseconds(Percentile(w.Latencies, 99)))
	r.add(CPU, microseconds(w.CPU))
	r.add(RSS, megabytes(w.PeakRSS))
	r.add(Opened, float64(w.Connections))
}

// AddDeployed adds the size of the binary that is deployed, in bytes.
func (r *Result) AddDeployed(size int64) { r.add(Deployed, megabytes(size)) }

// Spread returns what the runs gave for a figure.
func (r *Result) Spread(f Figure) Spread { return SpreadOf(r.values[f]) }

// InRounds returns the ratios of a figure's medians in each round to those of
// another contender in the same one, where both were measured.
func (r *Result) InRounds(f Figure, to *Result) Spread {
	var ratios []float64
	for i := range min(len(r.rounds), len(to.rounds)) {
		ratio := SpreadOf(r.rounds[i][f]).Median / SpreadOf(to.rounds[i][f]).Median
		if !math.IsNaN(ratio) {
			ratios = append(ratios, ratio)
		}
	}
	return SpreadOf(ratios)
}

func (r *Result) add(f Figure, value float64) {
	r.values[f] = append(r.values[f], value)
	if n := len(r.rounds); n > 0 {
		r.rounds[n-1][f] = append(r.rounds[n-1][f], value)
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func megabytes(n int64) float64 { return float64(n) / 1e6 }
