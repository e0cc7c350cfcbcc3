package play

// Shares returns how many of a hundred stories are which.
func Shares() map[string]int {
	shares := make(map[string]int, len(stories))
	for _, s := range stories {
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

// Schedules returns all schedules.
func Schedules() []Schedule { return []Schedule{Overview, SMS, Portal} }

// Tries returns how often a delivery is posted at the most.
func (s Schedule) Tries() int { return 1 + len(schedules[s].pauses) }

// WithOtherToken is exported for tests.
func WithOtherToken(url string) string { return withOtherToken(url) }
