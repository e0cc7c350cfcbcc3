package scale

import (
	"math"
	"slices"
)

// hours is how the events of a day fall on its hours, in percent: assumed, the
// working day of an office in one time zone.
var hours = [24]float64{
	0.4, 0.3, 0.2, 0.2, 0.3, 0.6, 1.5, 3.5, 7.5, 9.6, 10.0, 9.3,
	7.2, 7.8, 9.2, 9.0, 8.0, 6.0, 3.6, 2.2, 1.5, 1.0, 0.7, 0.4,
}

const (
	secondsAnHour = 3600
	secondsADay   = 24 * secondsAnHour
	daysAMonth    = 30
)

// PeakFactor is how many times the mean of the day the rate of the busiest hour
// is.
func PeakFactor() float64 {
	sum := 0.0
	for _, percent := range hours {
		sum += percent
	}
	return slices.Max(hours[:]) / sum * float64(len(hours))
}

// What callers are assumed to be: this many events for each of them in a day,
// and few of them calling often. The caller of rank k, from 0, calls as
// (callerOffset+k)^-callerExponent; without the offset one number alone would
// make a tenth of all calls.
const (
	eventsPerCaller = 10
	callerExponent  = 1.1
	callerOffset    = 50
)

// moreThan returns the probability that more than n things happen in a second
// in which mean of them are expected, each on its own.
func moreThan(n int, mean float64) float64 {
	p := math.Exp(-mean)
	sum := p
	for k := 1; k <= n; k++ {
		p *= mean / float64(k)
		sum += p
	}
	return max(0, 1-sum)
}

// rateOnceAnHour returns the rate at which, once an hour, a second has more
// than n.
func rateOnceAnHour(n int) float64 {
	low, high := 0.0, float64(n)
	for range 60 {
		if mean := (low + high) / 2; moreThan(n, mean)*secondsAnHour < 1 {
			low = mean
		} else {
			high = mean
		}
	}
	return low
}
