package lookup

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/timing"
)

// Unserved is a page of the calls of some time that nobody served, and of those of which
// nobody knows whether somebody did.
type Unserved struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"` // not included
	// Calls are the newest first. Count and Hours are of the whole time.
	Calls []UnservedCall `json:"calls"`
	Count Counts         `json:"count"`
	Hours []Hour         `json:"hours"`
	Next  Cursor         `json:"next,omitzero"`
}

// Counts says how many calls ended how.
type Counts struct {
	Missed    int `json:"missed"`
	Abandoned int `json:"abandoned"`
	Voicemail int `json:"voicemail"`
	// Unknown are those of which nobody knows how they ended.
	Unknown int `json:"unknown"`
	// Answered are those whose alert was taken back because somebody answered after all.
	// The table has no list of the others.
	Answered int `json:"answered"`
}

// Unserved returns how many of the calls nobody served, as far as that is known.
func (c Counts) Unserved() int { return c.Missed + c.Abandoned + c.Voicemail }

func (c *Counts) add(call UnservedCall) {
	switch {
	case call.FollowUp.State == Answered:
		c.Answered++
	case call.Outcome == events.Missed:
		c.Missed++
	case call.Outcome == events.Abandoned:
		c.Abandoned++
	case call.Outcome == events.Voicemailed:
		c.Voicemail++
	default:
		c.Unknown++
	}
}

// Hour is an hour by the clock in the look-up's zone, whatever the zone of Start. Where a
// clock is put back, two have the same name.
type Hour struct {
	Start time.Time `json:"start"`
	Counts
}

// UnservedCall is a call that nobody served when it came.
type UnservedCall struct {
	Entry

	Caller Party `json:"caller"`
	// FollowUp says what became of it.
	FollowUp FollowUp `json:"follow_up"`

	// phone is the number as it is keyed.
	phone string
}

// maxDays is how many days can be looked up at once.
const maxDays = 31

// Day returns the unserved calls of a day in the look-up's zone, which at lies in: see
// [Lookup.Unserved].
func (l *Lookup) Day(ctx context.Context, at time.Time, p Page) (Unserved, error) {
	day := l.dayOf(at)
	return l.Unserved(ctx, day, l.dayOf(day.Add(36*time.Hour)), p)
}

// Unserved returns the calls from one time on up to another, newest first, and what became
// of them. The error wraps [ErrSpan] if the time is to come, or longer than 31 days.
//
// It reads the whole time to count it: five queries for each day in UTC that is touched,
// which are two for a day elsewhere. It makes one more for each caller on the page.
func (l *Lookup) Unserved(ctx context.Context, from, to time.Time, p Page) (u Unserved, err error) {
	if err := l.checkSpan(from, to); err != nil {
		return u, err
	}
	name := "unserved " + table.Time(from) + " " + table.Time(to)
	var after position
	if err := p.After.read(name, &after); err != nil {
		return u, err
	}
	u = Unserved{From: from.UTC(), To: to.UTC(), Hours: []Hour{}}
	all, err := l.readUnserved(ctx, from, to)
	if err != nil {
		return u, err
	}
	for _, call := range all {
		u.add(l.hour(call.At), call)
	}
	rest := all
	if after != (position{}) {
		first := slices.IndexFunc(all, func(c UnservedCall) bool { return after.compare(positionOf(c)) < 0 })
		if first < 0 {
			first = len(all)
		}
		rest = all[first:]
	}
	u.Calls = rest[:min(len(rest), p.limit())]
	if len(u.Calls) < len(rest) {
		u.Next = cursorOf(name, positionOf(u.Calls[len(u.Calls)-1]))
	}
	return u, l.follow(ctx, u.Calls)
}

// checkSpan returns an error that wraps [ErrSpan] if nobody can ask for that time.
func (l *Lookup) checkSpan(from, to time.Time) error {
	switch {
	case !from.Before(to):
		return fmt.Errorf("%w: the end is not behind the beginning", ErrSpan)
	case from.After(l.Now()):
		return fmt.Errorf("%w: that is still to come", ErrSpan)
	case to.Sub(from) > (maxDays+1)*24*time.Hour:
		return fmt.Errorf("%w: at most %d at once", ErrSpan, maxDays)
	}
	return nil
}

// hour returns when the hour of a time begins, by the clock in the look-up's zone.
func (l *Lookup) hour(at time.Time) time.Time {
	at = at.In(l.zone)
	return at.Add(-time.Duration(at.Minute())*time.Minute - time.Duration(at.Second())*time.Second - time.Duration(at.Nanosecond())).UTC()
}

func (u *Unserved) add(hour time.Time, call UnservedCall) {
	u.Count.add(call)
	i, found := slices.BinarySearchFunc(u.Hours, hour, func(h Hour, at time.Time) int { return h.Start.Compare(at) })
	if !found {
		u.Hours = slices.Insert(u.Hours, i, Hour{Start: hour})
	}
	u.Hours[i].add(call)
}

// position is that of a call in a list, newest first.
type position struct {
	At     string `json:"at"`
	Source string `json:"source"`
}

func positionOf(c UnservedCall) position { return position{table.Time(c.At), c.source} }

// compare orders positions, newest first.
func (p position) compare(other position) int {
	return cmp.Or(cmp.Compare(other.At, p.At), cmp.Compare(p.Source, other.Source))
}

// readUnserved returns all calls in a list of unserved ones, newest first.
func (l *Lookup) readUnserved(ctx context.Context, from, to time.Time) (all []UnservedCall, err error) {
	var queries []table.Query
	last := to.Add(-time.Millisecond)
	for day := from.UTC().Truncate(24 * time.Hour); !day.After(last); day = day.Add(24 * time.Hour) {
		for _, partition := range table.AlertPartitions(day) {
			queries = append(queries, table.Query{Index: table.GSI2, Partition: partition, From: table.Time(from), To: table.Time(last)})
		}
	}
	type list struct {
		calls []UnservedCall
		err   error
	}
	lists := make([]list, len(queries))
	timing.Indexes(len(queries), func(i int) {
		items, err := l.read(ctx, "look up unserved calls", queries[i])
		lists[i] = list{l.callsOf(items), err}
	})
	// The events of a call around midnight in UTC are in two lists.
	calls := make(map[string]int)
	for _, list := range lists {
		if list.err != nil {
			return nil, list.err
		}
		for _, call := range list.calls {
			i, ok := calls[call.source]
			if !ok {
				calls[call.source] = len(all)
				all = append(all, call)
				continue
			}
			all[i].join(call)
		}
	}
	all = slices.DeleteFunc(all, func(c UnservedCall) bool { return c.FollowUp.State == sameRing })
	slices.SortFunc(all, func(a, b UnservedCall) int { return positionOf(a).compare(positionOf(b)) })
	return all, nil
}

// sameRing is the state of a call that rang beside another, which is listed.
const sameRing State = "same_ring"

// callsOf puts together what a list has of each call, in the order in which they began.
func (l *Lookup) callsOf(items []table.Item) (all []UnservedCall) {
	index := make(map[string]int)
	var marks []table.Item
	for _, item := range items {
		if !table.IsEvent(table.KeyOf(item)) {
			marks = append(marks, item)
			continue
		}
		call := UnservedCall{Entry: l.entry(item), phone: table.Text(item, table.GSI1PK)}
		if i, ok := index[call.source]; ok {
			all[i].join(call)
			continue
		}
		index[call.source] = len(all)
		all = append(all, call)
	}
	for _, mark := range marks {
		call := l.marked(mark)
		if table.OfNoCall(call.Key) {
			for source := range index {
				if of := source[strings.Index(source, " ")+1:]; strings.Contains(call.Key.SK, strings.TrimPrefix(of, table.EventMark)) {
					call.source = source
				}
			}
		}
		if i, ok := index[call.source]; ok {
			all[i].join(call)
			continue
		}
		index[call.source] = len(all)
		all = append(all, call)
	}
	return all
}

// marked returns what a mark says of its call.
func (l *Lookup) marked(mark table.Item) UnservedCall {
	key := table.KeyOf(mark)
	call := UnservedCall{Entry: l.entry(mark)}
	call.Type, call.Events, call.Reason = "", 0, ""
	switch table.AlertKind(key) {
	case events.KindVoicemail:
		call.Outcome = events.Voicemailed
	default:
		call.Outcome = events.Missed
	}
	switch reason := State(table.Text(mark, table.Reason)); reason {
	case Answered, Outgoing, sameRing:
		call.FollowUp.State = reason
	default:
	}
	return call
}

// join puts together two parts of one call.
func (c *UnservedCall) join(other UnservedCall) {
	state := cmp.Or(c.FollowUp.State, other.FollowUp.State)
	if c.FollowUp.State == sameRing {
		state = cmp.Or(other.FollowUp.State, sameRing)
	}
	first, second := *c, other
	if c.Events == 0 || other.Events > 0 && other.At.Before(c.At) {
		first, second = other, *c
	}
	outcome := first.Outcome
	if second.Events > 0 {
		outcome = outcome.Best(second.Outcome)
	}
	first.Entry = first.with(second.Entry)
	first.Outcome, first.FollowUp.State = outcome, state
	first.phone = cmp.Or(first.phone, second.phone)
	*c = first
}

// follow adds who the callers are, and what became of the calls.
func (l *Lookup) follow(ctx context.Context, calls []UnservedCall) error {
	callers := make(map[string]*standing)
	for i := range calls {
		c := &calls[i]
		key := l.numbers.Canonical(strings.TrimPrefix(c.phone, table.PhonePartition("")))
		if key == "" && c.source != "" {
			key = subjectOf(c.source)
		}
		c.Caller.Key = key
		callers[key] = &standing{caller: key}
	}
	if err := l.loadAll(ctx, callers); err != nil {
		return err
	}
	for i := range calls {
		c := &calls[i]
		stored := callers[c.Caller.Key].stored
		c.Caller = l.party(c.Caller.Key).named(c.Name).person(stored.Person)
		if f, sure := l.became(stored, c.source, c.At); sure || c.FollowUp.State == NotKnown {
			c.FollowUp = f
		}
	}
	return nil
}

// standing is what the table has of a caller.
type standing struct {
	caller string
	stored ledger.Stored
	err    error
}

// loadAll reads the follow-ups of callers, with one query for each.
func (l *Lookup) loadAll(ctx context.Context, callers map[string]*standing) error {
	all := make([]*standing, 0, len(callers))
	for _, s := range callers {
		all = append(all, s)
	}
	timing.SideBySide(all, func(s *standing) { s.stored, s.err = l.load(ctx, s.caller) })
	for _, s := range all {
		if s.err != nil {
			return fmt.Errorf("look up what became of a call: %w", s.err)
		}
	}
	return nil
}
