package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/ringback/ringback/internal/proof/bench/contender"
)

// Missed returns which limits are missed, as text; "" if none is.
func (d Document) Missed() string {
	var missed []string
	for _, v := range d.Verdicts {
		if !v.Kept {
			missed = append(missed, v.title())
		}
	}
	return strings.Join(missed, "; ")
}

// Floor returns what the floor's cold start and its warm delivery cost.
func (d Document) Floor() string {
	return fmt.Sprintf("%s ms and %s µs", Cold.show(median(d.Results, contender.Floor, Cold)), CPU.show(median(d.Results, contender.Floor, CPU)))
}

// tuned are the figures that build flags and settings change.
var tuned = []Figure{Cold, ColdTLS, CPU}

// Tuned returns how much of what ours gains over plain Go is its build flags and
// settings, figure by figure, as text; "" where plain Go was not measured with
// them.
func (d Document) Tuned() string {
	var shares []string
	for _, f := range tuned {
		if share := d.tuned(f); !math.IsNaN(share) {
			shares = append(shares, fmt.Sprintf("%.0f %% of the %s", 100*share, f))
		}
	}
	return strings.Join(shares, ", ")
}

// NearlyAll reports whether that is nearly all, or what is left is no more than
// the noise.
func (d Document) NearlyAll() bool {
	const nearly = 0.8
	for _, f := range tuned {
		left := median(d.Results, d.Ours, f) / median(d.Results, contender.PlainTuned, f)
		// What is not known is neither.
		if share := d.tuned(f); math.IsNaN(share) || share < nearly && left < 1-noise {
			return false
		}
	}
	return true
}

// tuned is not known where ours gains nothing.
func (d Document) tuned(f Figure) float64 {
	plain := median(d.Results, contender.Plain, f)
	gained := plain - median(d.Results, d.Ours, f)
	if gained <= 0 {
		return math.NaN()
	}
	return (plain - median(d.Results, contender.PlainTuned, f)) / gained
}
