package scale

import (
	"cmp"
	"math"
	"slices"
	"sort"
)

// Limit is a quota or a setting, and the load that uses it up. One without a name
// only has to be set.
type Limit struct {
	Name, Is, Then, Change string
	// Set is the quota or setting to raise, where it is a number: to the load,
	// and Reserve times that.
	Set     string
	Load    string // as in Step
	Quota   float64
	Reserve float64
	// Mean and Events are the day's mean rate and the rate of its busiest hour
	// at which all of it is used, in events per second.
	Mean, Events float64 `yaml:"-"`
}

// Limits returns what is reached when, the first one first.
func (m *Model) Limits() []Limit {
	limits := slices.DeleteFunc(slices.Clone(m.limits), func(l Limit) bool { return l.Name == "" })
	for i := range limits {
		l := &limits[i]
		const fine = 1e9 // as a rate, steps of the search
		l.Mean = float64(sort.Search(math.MaxInt, func(rate int) bool { return m.At(float64(rate) / fine)[l.Load] >= l.Quota })) / fine
		l.Events = l.Mean * PeakFactor()
	}
	slices.SortStableFunc(limits, func(a, b Limit) int { return cmp.Compare(a.Events, b.Events) })
	return limits
}

// Needs returns what to set: the limits that are numbers, and more.
func (m *Model) Needs() []Limit {
	all := append(m.Limits(), slices.DeleteFunc(slices.Clone(m.limits), func(l Limit) bool { return l.Name != "" })...)
	return slices.DeleteFunc(all, func(l Limit) bool { return l.Set == "" })
}

// Need returns what a limit must be for a step: half as much again as is used,
// unless it has another reserve.
func (l Limit) Need(s Step) float64 { return s[l.Load] * cmp.Or(l.Reserve, 1.5) }

// moreThan returns the probability that more than n things happen in a second
// in which mean of them are expected.
func moreThan(n int, mean float64) float64 {
	p := math.Exp(-mean)
	sum := p
	for k := 1; k <= n; k++ {
		p *= mean / float64(k)
		sum += p
	}
	return max(0, 1-sum)
}
