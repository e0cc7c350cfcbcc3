package lookup

import (
	"context"
	"slices"
	"time"

	"github.com/ringback/ringback/events"
)

// Tally says how many incoming calls of some time ended how. A call counts in the hour of its
// first event in a list: of one that was answered at once, that may be when it ended.
type Tally struct {
	Count Counts `json:"count"`
	Hours []Hour `json:"hours"`
}

// Counts says how many calls ended how.
type Counts struct {
	// Answered are those that somebody answered, at once or after all.
	Answered  int `json:"answered"`
	Missed    int `json:"missed"`
	Abandoned int `json:"abandoned"`
	Voicemail int `json:"voicemail"`
	// Unknown are those of which nobody knows how they ended.
	Unknown int `json:"unknown"`
}

// Unserved returns how many of the calls nobody served, as far as that is known.
func (c Counts) Unserved() int { return c.Missed + c.Abandoned + c.Voicemail }

// All returns how many calls there are.
func (c Counts) All() int { return c.Unserved() + c.Answered + c.Unknown }

// Plus adds counts.
func (c Counts) Plus(o Counts) Counts {
	return Counts{c.Answered + o.Answered, c.Missed + o.Missed, c.Abandoned + o.Abandoned, c.Voicemail + o.Voicemail, c.Unknown + o.Unknown}
}

// countsOf counts a call.
func countsOf(call DayCall) (c Counts) {
	switch {
	case call.FollowUp.State == Outgoing:
	case call.FollowUp.State == Answered, call.Outcome == events.Answered:
		c.Answered = 1
	case call.Outcome == events.Missed:
		c.Missed = 1
	case call.Outcome == events.Abandoned:
		c.Abandoned = 1
	case call.Outcome == events.Voicemailed:
		c.Voicemail = 1
	default:
		c.Unknown = 1
	}
	return c
}

// Hour is an hour by the clock in the look-up's zone, whatever the zone of Start. Where a
// clock is put back, two have the same name.
type Hour struct {
	Start time.Time `json:"start"`
	Counts
}

// Tally counts the calls from one time on up to another. The errors are those of
// [Lookup.Unserved]. It reads the lists of all that time, with nine queries for each day in
// UTC that is touched and one more for each further megabyte.
func (l *Lookup) Tally(ctx context.Context, from, to time.Time) (t Tally, err error) {
	if err := l.checkSpan(from, to); err != nil {
		return t, err
	}
	calls, err := l.readCalls(ctx, bothLists, from, to)
	t.Hours = []Hour{}
	for _, call := range slices.Backward(calls) { // the oldest first
		counts, hour := countsOf(call), l.hour(call.At)
		if counts == (Counts{}) {
			continue
		}
		if n := len(t.Hours); n == 0 || !t.Hours[n-1].Start.Equal(hour) {
			t.Hours = append(t.Hours, Hour{Start: hour})
		}
		last := &t.Hours[len(t.Hours)-1]
		last.Counts, t.Count = last.Plus(counts), t.Count.Plus(counts)
	}
	return t, err
}

// hour returns when the hour of a time begins, by the clock in the look-up's zone.
func (l *Lookup) hour(at time.Time) time.Time {
	at = at.In(l.zone)
	return at.Add(-time.Duration(at.Minute())*time.Minute - time.Duration(at.Second())*time.Second - time.Duration(at.Nanosecond())).UTC()
}
