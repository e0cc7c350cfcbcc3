package followup

import (
	"slices"
	"time"

	"github.com/ringback/ringback/events"
)

// Served returns what ended the wait of whoever called at a time: of all that ended no
// earlier, the first. ok is false if nothing did; that it is history is not known to
// have served anybody.
func (s State) Served(start time.Time) (first Closing, ok bool) {
	f := s.facts
	f.Baseline = time.Time{}
	return f.EndAfter(start)
}

// Misses returns the calls of the episode that nobody served, as far as each is known,
// one for each ring, first ones first.
func (s State) Misses() []Miss {
	if !s.Open() {
		return nil
	}
	all := slices.Concat(s.misses, s.older)
	slices.SortFunc(all, compareMisses)
	return slices.CompactFunc(all, func(a, b Miss) bool { return a.ID == b.ID })
}

// seemedContact reports whether a call is a contact, or could have been taken for one
// before all of its events were there.
func (c Call) seemedContact() bool {
	return c.Effect == Contact || c.Outcome == events.Answered || c.Callback != 0
}

// seemedServed reports whether whoever decided on the alert of a call before it was part
// of the facts could have taken another for a contact that served the caller.
func (s State) seemedServed(c Call) bool {
	return slices.ContainsFunc(s.facts.Calls, func(other Call) bool {
		return other.ID != c.ID && other.seemedContact() && !other.End.Before(c.Start)
	})
}

// Touched are the calls whose alerts are to be decided anew because of some news.
type Touched struct {
	// Calls are their ids.
	Calls []string
	// After and Until bound the starts of those calls. There may be others in between if
	// More is set.
	After, Until time.Time
	More         bool
}

// Touched returns which calls it matters to that news are part of the facts: those that
// a contact served, or something that could be taken for one; and of a call that nobody
// served, itself, if its alert may have been decided as it would not be now. It does not depend on what was known
// before, so it is the same if the news come again. later is set if a call matters to
// those behind it.
func (s State) Touched(news Facts, later bool) (t Touched) {
	var first time.Time // of what may have been a contact
	var ids, own []string
	end := func(at time.Time, id string) {
		if first.IsZero() || at.Before(first) {
			first = at
		}
		if at.After(t.Until) {
			t.Until = at
		}
		ids = append(ids, id)
	}
	var from time.Time // of what matters to those behind it
	for _, c := range news.Calls {
		switch {
		case c.Effect == Opens:
			if later || s.facts.Person.Blocked || !c.Start.After(s.bound.At) || s.seemedServed(c) {
				own = append(own, c.ID)
			}
		case c.seemedContact():
			end(c.End, c.ID)
		}
		if from.IsZero() || c.Start.Before(from) {
			from = c.Start
		}
	}
	if news.Done.ID != "" {
		end(news.Done.At, news.Done.ID)
	}
	blocked := s.facts.Person.Blocked && len(news.Calls)+len(news.Texts) == 0
	switch {
	case blocked:
		first = s.bound.At.Add(time.Nanosecond)
	case !first.IsZero():
	case later && !from.IsZero():
		first = from
	default:
		t.Calls = own
		return t
	}
	if later || blocked {
		t.Until = time.Unix(1<<40, 0)
	}

	// Whoever called before the contact that came before was served by that one.
	for _, c := range append(slices.Collect(s.facts.closings), Closing{At: s.facts.Baseline}) {
		if c.At.Before(first) && c.At.After(t.After) && !slices.Contains(ids, c.ID) {
			t.After = c.At
		}
	}
	known := slices.Concat([]Miss{s.facts.Older.First, s.facts.Older.Last}, s.facts.Older.Minutes, s.facts.Older.Hours)
	for _, c := range s.facts.Calls {
		if c.Effect == Opens {
			known = append(known, c.miss())
		}
	}
	for _, m := range known {
		if m.ID != "" && m.Start.After(t.After) && !m.Start.After(t.Until) {
			own = append(own, m.ID)
		}
	}
	slices.Sort(own)
	t.Calls = slices.Compact(own)
	t.More = s.facts.Older.Last.ID != "" && s.facts.Older.Last.Start.After(t.After) && !s.facts.Older.First.Start.After(t.Until)
	return t
}
