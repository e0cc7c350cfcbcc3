package storm

import "time"

// Shares returns how many of a hundred stories are which.
func Shares() map[string]int {
	shares := make(map[string]int, len(mix))
	for _, s := range mix {
		shares[s.name] = s.share
	}
	return shares
}

// Kinds returns the kinds of the strays.
func Kinds() []string {
	var all []string
	for _, kind := range kinds {
		all = append(all, kind.Kind)
	}
	return all
}

// NewPace returns the two sides of a pace: how long to wait, and that one was
// posted.
func NewPace(rate float64, burst int) (wait func(now time.Time) time.Duration, take func(now time.Time)) {
	p := newPace(rate, burst)
	return p.wait, p.take
}

// WithOtherToken is exported for tests.
func WithOtherToken(url string) string { return withOtherToken(url) }
