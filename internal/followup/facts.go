package followup

import (
	"cmp"
	"slices"
	"time"

	"github.com/ringback/ringback/events"
)

// What is kept of one number.
const (
	maxCalls = 20
	maxTexts = 8
	maxSpans = 20 // minutes, and hours, of older calls
)

// Facts are what is known of one outside number. The zero Facts say nothing.
type Facts struct {
	// Calls are the newest by start and id, newest first; behind them, the contact that
	// ended last, if it is none of them.
	Calls []Call `json:"calls,omitzero"`
	// Texts are the newest that we sent, newest first.
	Texts []Text `json:"texts,omitzero"`
	// Older is what remains of calls that are no longer kept.
	Older Older `json:"older,omitzero"`
	// TextIn is when the number's last text arrived.
	TextIn time.Time `json:"text_in,omitzero"`
	// Claimed is the latest claim or its end, Done and Snoozed the latest such acts.
	Claimed Act    `json:"claimed,omitzero"`
	Done    Act    `json:"done,omitzero"`
	Snoozed Act    `json:"snoozed,omitzero"`
	Person  Person `json:"person,omitzero"`
	// Baseline is a time up to which nobody waits: what was before is history.
	Baseline time.Time `json:"baseline,omitzero"`
}

// Older is what remains of older calls.
type Older struct {
	// First and Last are those of the unserved calls. Minutes are the first of each of
	// the newest minutes that have one, newest first, and Hours those of the hours.
	First   Miss   `json:"first,omitzero"`
	Last    Miss   `json:"last,omitzero"`
	Minutes []Miss `json:"minutes,omitzero"`
	Hours   []Miss `json:"hours,omitzero"`
	// Contact is the contact that ended last.
	Contact End `json:"contact,omitzero"`
}

// Miss is a call that nobody served.
type Miss struct {
	ID       string         `json:"id"`
	Start    time.Time      `json:"start"`
	Outcome  events.Outcome `json:"outcome"`
	Line     string         `json:"line,omitzero"`
	LineName string         `json:"line_name,omitzero"`
}

// End is when a contact ended.
type End struct {
	ID string    `json:"id"`
	At time.Time `json:"at"`
}

// Person is what the address book says of a number, and the list of our own numbers.
type Person struct {
	// At is when the address book last changed, as text that sorts like the time.
	At           string `json:"at"`
	Known        bool   `json:"known,omitzero"`
	Name         string `json:"name,omitzero"`
	Company      string `json:"company,omitzero"`
	Blocked      bool   `json:"blocked,omitzero"`
	DoNotDisturb bool   `json:"dnd,omitzero"`
	// Own is set if the number is one of our own.
	Own bool `json:"own,omitzero"`
}

// Act is what a person did about a caller by hand.
type Act struct {
	ID   string    `json:"id"`
	At   time.Time `json:"at"`
	Kind ActKind   `json:"kind"`
	By   string    `json:"by,omitzero"`
	Why  string    `json:"why,omitzero"`
	// Until is when a claim or a pause ends.
	Until time.Time `json:"until,omitzero"`
}

// ActKind is a kind of hand act.
type ActKind string

// The hand acts.
const (
	ActClaim   ActKind = "claim"
	ActUnclaim ActKind = "unclaim"
	ActDone    ActKind = "done"
	ActSnooze  ActKind = "snooze"
)

// Of returns the facts that one call says.
func (c Call) Of() Facts { return Facts{Calls: []Call{c}} }

// Of returns the facts that one text says.
func (t Text) Of() Facts {
	switch {
	case t.Sent != events.Outbound:
		return Facts{TextIn: t.At}
	case t.Effect == "" && t.Events == 0:
		return Facts{}
	}
	return Facts{Texts: []Text{t}}
}

// Of returns the facts that one act says. An act of another kind says nothing.
func (a Act) Of() Facts {
	switch a.Kind {
	case ActClaim, ActUnclaim:
		return Facts{Claimed: a}
	case ActDone:
		return Facts{Done: a}
	case ActSnooze:
		return Facts{Snoozed: a}
	}
	return Facts{}
}

// Merge puts together what is known of one number. See the package comment.
func Merge(all ...Facts) (m Facts) {
	var calls []*Call // the records are long
	var texts []*Text
	for _, f := range all {
		calls, texts = appendEach(calls, f.Calls), appendEach(texts, f.Texts)
		m.Older = m.Older.with(f.Older)
		m.TextIn = later(m.TextIn, f.TextIn)
		m.Claimed = latest(m.Claimed, f.Claimed)
		m.Done = latest(m.Done, f.Done)
		m.Snoozed = latest(m.Snoozed, f.Snoozed)
		m.Person = lastOf(m.Person, f.Person, comparePersons)
		m.Baseline = later(m.Baseline, f.Baseline)
	}
	m.keepCalls(calls)
	m.keepTexts(texts)
	return m
}

func appendEach[T any](to []*T, all []T) []*T {
	to = slices.Grow(to, len(all))
	for i := range all {
		to = append(to, &all[i])
	}
	return to
}

// keepCalls keeps the newest calls, and the contact that ended last.
func (f *Facts) keepCalls(calls []*Call) {
	calls = newest(calls, func(c *Call) (string, time.Time) { return c.ID, c.Start }, compareCalls)
	last := -1
	for i, c := range calls {
		if c.Effect == Contact && (last < 0 || compareEnds(c.ended(), calls[last].ended()) > 0) {
			last = i
		}
	}
	f.Calls = slices.Grow(f.Calls, min(len(calls), maxCalls+1))
	var misses []Miss
	for i, c := range calls {
		switch {
		case i < maxCalls || i == last:
			f.Calls = append(f.Calls, *c)
		case c.Effect == Opens:
			misses = append(misses, c.miss())
		case c.Effect == Contact:
			f.Older = f.Older.with(Older{Contact: c.ended()})
		}
	}
	if len(misses) > 0 {
		first, last := slices.MinFunc(misses, compareMisses), slices.MaxFunc(misses, compareMisses)
		f.Older = f.Older.with(Older{first, last, firstOfEach(time.Minute, misses), firstOfEach(time.Hour, misses), End{}})
	}
}

// keepTexts keeps the newest texts.
func (f *Facts) keepTexts(texts []*Text) {
	texts = newest(texts, func(t *Text) (string, time.Time) { return t.ID, t.At }, compareTexts)
	texts = texts[:min(len(texts), maxTexts)]
	f.Texts = slices.Grow(f.Texts, len(texts))
	for _, t := range texts {
		f.Texts = append(f.Texts, *t)
	}
}

// with joins what remains of older calls.
func (o Older) with(other Older) Older {
	o.First = firstOf(o.First, other.First)
	o.Last = lastOf(o.Last, other.Last, compareMisses)
	o.Contact = lastOf(o.Contact, other.Contact, compareEnds)
	switch {
	case len(o.Minutes) == 0:
		o.Minutes, o.Hours = other.Minutes, other.Hours
	case len(other.Minutes) > 0:
		o.Minutes = firstOfEach(time.Minute, slices.Concat(o.Minutes, other.Minutes))
		o.Hours = firstOfEach(time.Hour, slices.Concat(o.Hours, other.Hours))
	}
	return o
}

// firstOfEach returns the first miss of each of the newest spans of time that have one,
// newest first. It sorts the misses.
func firstOfEach(span time.Duration, misses []Miss) []Miss {
	slices.SortFunc(misses, func(a, b Miss) int { return compareMisses(b, a) })
	all := make([]Miss, 0, min(len(misses), maxSpans))
	var begin time.Time
	for _, m := range misses {
		switch at := m.Start.Truncate(span); {
		case len(all) > 0 && at.Equal(begin):
			all[len(all)-1] = firstOf(all[len(all)-1], m)
		case len(all) == maxSpans:
			return all
		default:
			all, begin = append(all, m), at
		}
	}
	return all
}

func (c Call) miss() Miss {
	return Miss{ID: c.ID, Start: c.Start, Outcome: c.Outcome, Line: c.Line, LineName: c.LineName}
}

func (c Call) ended() End { return End{c.ID, c.End} }

// newest returns the last record of each id, the newest first.
func newest[T any](all []*T, of func(*T) (id string, at time.Time), compare func(a, b T) int) []*T {
	slices.SortFunc(all, func(a, b *T) int {
		idA, _ := of(a)
		idB, _ := of(b)
		if c := cmp.Compare(idA, idB); c != 0 {
			return c
		}
		return compare(*b, *a) // guard 4: return 0
	})
	all = slices.CompactFunc(all, func(a, b *T) bool {
		idA, _ := of(a)
		idB, _ := of(b)
		return idA == idB
	})
	slices.SortFunc(all, func(a, b *T) int {
		idA, atA := of(a)
		idB, atB := of(b)
		return cmp.Or(atB.Compare(atA), cmp.Compare(idB, idA))
	})
	return all
}

// The functions that follow are total orders, so that of two records it is always the
// same one that counts.

func compareCalls(a, b Call) int {
	return cmp.Or(
		cmp.Compare(a.Events, b.Events), cmp.Compare(a.Effect, b.Effect), cmp.Compare(a.Outcome, b.Outcome),
		cmp.Compare(a.Direction, b.Direction), a.Start.Compare(b.Start), a.End.Compare(b.End),
		cmp.Compare(a.Line, b.Line), cmp.Compare(a.LineName, b.LineName), cmp.Compare(a.Agent, b.Agent),
		cmp.Compare(a.Callback, b.Callback), compareWho(a.Who, b.Who),
		cmp.Compare(a.Words, b.Words), cmp.Compare(a.Recording, b.Recording))
}

func compareWho(a, b Who) int {
	return cmp.Or(cmp.Compare(a.Phone, b.Phone), cmp.Compare(a.Text, b.Text), compareBools(a.Withheld, b.Withheld),
		cmp.Compare(a.Name, b.Name))
}

func compareTexts(a, b Text) int {
	return cmp.Or(cmp.Compare(a.Events, b.Events), cmp.Compare(a.Effect, b.Effect), cmp.Compare(a.Sent, b.Sent),
		a.At.Compare(b.At), cmp.Compare(a.Agent, b.Agent))
}

func compareMisses(a, b Miss) int {
	return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Outcome, b.Outcome),
		cmp.Compare(a.Line, b.Line), cmp.Compare(a.LineName, b.LineName))
}

func compareEnds(a, b End) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) }

func compareActs(a, b Act) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.By, b.By),
		cmp.Compare(a.Why, b.Why), a.Until.Compare(b.Until))
}

func comparePersons(a, b Person) int {
	return cmp.Or(cmp.Compare(a.At, b.At), compareBools(a.Known, b.Known), cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.Company, b.Company), compareBools(a.Blocked, b.Blocked), compareBools(a.DoNotDisturb, b.DoNotDisturb),
		compareBools(a.Own, b.Own))
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func lastOf[T any](a, b T, compare func(a, b T) int) T {
	if compare(a, b) < 0 {
		return b
	}
	return a
}

func latest(a, b Act) Act { return lastOf(a, b, compareActs) }

// firstOf returns the miss that began first; the zero Miss is none. Of one call, the
// better outcome counts.
func firstOf(a, b Miss) Miss {
	switch {
	case a.ID == "":
		return b
	case b.ID == "":
		return a
	case a.ID == b.ID && a.Start.Equal(b.Start):
		return lastOf(a, b, compareMisses)
	case compareMisses(b, a) < 0:
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
