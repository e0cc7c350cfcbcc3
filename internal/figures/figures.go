package figures

import (
	"iter"
	"slices"
	"time"

	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/hours"
)

// Wait is a caller's wait, from the first call that nobody served.
type Wait struct {
	Since time.Time
	// Ended is when the conversation began, or the act was done, that ended it; zero while
	// the caller waits. Reason says what it was.
	Ended  time.Time
	Reason followup.Reason
	// Unreached is set of a caller who waits and was tried in vain so often that nobody is
	// reminded any more, and Expired of one who has waited for so long.
	Unreached, Expired bool
	// Hours are those of the line that was called first.
	Hours hours.Calendar
}

// Talked reports whether a conversation ended the wait, and nothing else.
func (w Wait) Talked() bool {
	switch w.Reason {
	case followup.Returned, followup.Rescued, followup.Queue:
		return true
	default:
		return false
	}
}

// Took returns how long an ended wait was, on the clock on the wall and in business hours.
func (w Wait) Took() (wall, business time.Duration) {
	return max(0, w.Ended.Sub(w.Since)), w.Hours.Between(w.Since, w.Ended)
}

// Within reports whether an ended wait took that much business time at most.
func (w Wait) Within(most time.Duration) bool {
	_, business := w.Took()
	return business <= most
}

// SameDay reports whether a wait ended on the day on which it began or, if the caller rang
// outside business hours, on the next that has any.
func (w Wait) SameDay() bool {
	return w.Ended.Before(w.Hours.EndOfDay(w.Hours.NextOpening(w.Since)))
}

// Last returns the latest wait of a caller: the one that goes on or, if none does, the one
// that ended last. ok is false if the caller never waited, as far as is known.
func Last(f followup.Facts, policy followup.Policy, lines hours.Lines, now time.Time) (w Wait, ok bool) {
	after := f.State(policy)
	if after.Open() {
		return Wait{
			Since: after.Since(), Unreached: after.Unreached(), Expired: after.Expired(now),
			Hours: lines.Of(after.Line(), after.LineName()),
		}, true
	}
	for {
		closing, ok := after.Closing()
		if !ok || closing.Reason == followup.History || closing.Reason == followup.IsOwn {
			return Wait{}, false
		}
		f = without(f, closing)
		before := f.State(policy)
		if before.Open() {
			return ended(before, after, lines)
		}
		if next, _ := before.Closing(); next == closing {
			return Wait{}, false // an older contact, which ended a wait of which no more is known
		}
		after = before
	}
}

// ended returns the wait that ended between two states of a caller, even if another one has
// begun since. A wait that only seemed to be one, because a call turned out to be answered, did
// not end.
func ended(before, after followup.State, lines hours.Lines) (w Wait, ok bool) {
	closing, ok := after.Closing()
	goesOn := after.Open() && before.EpisodeID() == after.EpisodeID()
	if !ok || !before.Open() || goesOn || !closing.At.IsZero() && closing.At.Before(before.Since()) {
		return Wait{}, false
	}
	return Wait{
		Since: before.Since(), Ended: closing.Start, Reason: closing.Reason,
		Hours: lines.Of(before.Line(), before.LineName()),
	}, true
}

// without returns the facts as if what ended an episode had not happened.
func without(f followup.Facts, closing followup.Closing) followup.Facts {
	f.Calls = slices.DeleteFunc(slices.Clone(f.Calls), func(c followup.Call) bool { return c.ID == closing.ID })
	f.Texts = slices.DeleteFunc(slices.Clone(f.Texts), func(t followup.Text) bool { return t.ID == closing.ID })
	if f.Done.ID == closing.ID {
		f.Done = followup.Act{}
	}
	if closing.Reason == followup.IsBlocked {
		f.Person.Blocked = false
	}
	return f
}

// Figures are what many waits come to.
type Figures struct {
	// Open are the callers who wait; Oldest is since when the first of them does. Of them,
	// Unreached were tried in vain. Expired are counted on their own.
	Open, Unreached, Expired int
	Oldest                   time.Time
	// Opened are all waits. Of those that ended, Returned were called back, Rescued rang
	// again, and the others ended otherwise: by a call back from the queue, by hand, by a
	// text that counts, or because the contact is blocked. Waits of our own numbers do not
	// count.
	Opened, Returned, Rescued, Otherwise int
	// Talked are those that a conversation ended, and Within15Minutes, WithinHour, in
	// business hours, and SameDay are how many of them were so fast.
	Talked, Within15Minutes, WithinHour, SameDay int
	// Wall and Business say how long those took.
	Wall, Business Spread
}

// Spread is how long waits took: half of them at most P50, and 95 of 100 at most P95.
type Spread struct{ P50, P95 time.Duration }

// Of returns the figures of waits.
func Of(waits iter.Seq[Wait]) (f Figures) {
	var wall, business []time.Duration
	for w := range waits {
		f.Opened++
		switch {
		case w.Expired:
			f.Expired++
		case w.Reason == "":
			f.Open++
			if f.Oldest.IsZero() || w.Since.Before(f.Oldest) {
				f.Oldest = w.Since
			}
			if w.Unreached {
				f.Unreached++
			}
		case w.Reason == followup.Returned:
			f.Returned++
		case w.Reason == followup.Rescued:
			f.Rescued++
		default:
			f.Otherwise++
		}
		if !w.Talked() {
			continue
		}
		f.Talked++
		onWall, inBusiness := w.Took()
		wall, business = append(wall, onWall), append(business, inBusiness)
		if w.Within(quarter) {
			f.Within15Minutes++
		}
		if w.Within(time.Hour) {
			f.WithinHour++
		}
		if w.SameDay() {
			f.SameDay++
		}
	}
	f.Wall, f.Business = spread(wall), spread(business)
	return f
}

const quarter = 15 * time.Minute

func spread(all []time.Duration) Spread {
	slices.Sort(all)
	return Spread{P50: Percentile(all, 50), P95: Percentile(all, 95)}
}

// Percentile returns the least of sorted durations that percent of them do not exceed; 0 of
// none.
func Percentile(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*percent+99)/100-1]
}
