package lookup

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/timing"
)

// Calls is a page of the calls of some time, the newest first.
type Calls struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"` // not included
	Calls []DayCall `json:"calls"`
	Next  Cursor    `json:"next,omitzero"`
}

// DayCall is an incoming call in one of its day's lists.
type DayCall struct {
	Entry

	Caller Party `json:"caller"`
	// FollowUp says what became of it.
	FollowUp FollowUp `json:"follow_up"`

	// phone is the number as it is keyed.
	phone string
}

// maxDays is how many days can be looked up at once.
const maxDays = 31

// Day returns when the day begins and ends, in the look-up's zone, that a time lies in.
func (l *Lookup) Day(at time.Time) (from, to time.Time) {
	from = l.dayOf(at)
	return from, l.dayOf(from.Add(36 * time.Hour))
}

// Unserved returns the calls from one time on up to another that nobody served when they
// came, or of which nobody knows whether somebody did, the newest first, and what became of
// them. The error wraps [ErrSpan] if the time is to come, or longer than 31 days.
//
// It makes five queries, as long as the page, for each day in UTC that it comes to before the
// page is full: a day elsewhere touches two. It makes one more for each caller on the page,
// and further ones if a call has many events. A call whose events lie far apart may be on two
// pages.
func (l *Lookup) Unserved(ctx context.Context, from, to time.Time, p Page) (Calls, error) {
	return l.calls(ctx, "unserved", table.AlertPartitions, from, to, p)
}

// AllCalls returns the incoming calls from one time on up to another that have ended, whether
// somebody answered or not. It is as [Lookup.Unserved], with nine queries for each day.
func (l *Lookup) AllCalls(ctx context.Context, from, to time.Time, p Page) (Calls, error) {
	return l.calls(ctx, "calls", bothLists, from, to, p)
}

// bothLists are the lists of a day's calls.
func bothLists(day time.Time) []string {
	return append(table.AlertPartitions(day), table.AnsweredPartitions(day)...)
}

// checkSpan returns an error that wraps [ErrSpan] if nobody can ask for that time.
func (l *Lookup) checkSpan(from, to time.Time) error {
	switch {
	case from.After(l.Now()):
		return fmt.Errorf("%w: that is still to come", ErrSpan)
	case !from.Before(to):
		return fmt.Errorf("%w: the end is not behind the beginning", ErrSpan)
	case to.Sub(from) > (maxDays+1)*24*time.Hour:
		return fmt.Errorf("%w: at most %d at once", ErrSpan, maxDays)
	}
	return nil
}

// dayTrail is where a page of calls ends.
type dayTrail struct {
	Day    string   `json:"d,omitzero"` // of UTC
	Tracks []*track `json:"t,omitzero"`
	// Shown are calls of which events are still to be read.
	Shown []string `json:"s,omitzero"`
}

func (l *Lookup) calls(ctx context.Context, name string, lists func(day time.Time) []string, from, to time.Time, p Page) (c Calls, err error) {
	if err := l.checkSpan(from, to); err != nil {
		return c, err
	}
	name += " " + table.Time(from) + " " + table.Time(to)
	var trail dayTrail
	if err := p.After.read(name, &trail); err != nil {
		return c, err
	}
	first, last := utcDay(from), to.Add(-time.Millisecond)
	day := utcDay(last)
	if trail.Day != "" {
		if day, err = time.Parse(time.DateOnly, trail.Day); err != nil || day.After(utcDay(last)) {
			return c, ErrCursor
		}
	}
	w := &dayWalk{Lookup: l, limit: p.limit(), before: trail.Shown, index: make(map[string]int)}
	w.bounds = table.Query{Index: table.GSI2, From: table.Time(from), To: table.Time(last), NewestFirst: true, Limit: w.limit}
	for full := false; !full && !day.Before(first); day = day.Add(-24 * time.Hour) {
		if trail.Tracks == nil {
			for _, partition := range lists(day) {
				trail.Tracks = append(trail.Tracks, &track{Index: table.GSI2, Partition: partition})
			}
		}
		if full, err = w.walk(ctx, trail.Tracks); err != nil {
			return c, fmt.Errorf("look up calls: %w", cursorError(err, p.After))
		}
		if full {
			c.Next = cursorOf(name, dayTrail{day.Format(time.DateOnly), trail.Tracks, w.ahead(trail.Tracks)})
		}
		trail.Tracks = nil
	}
	c.From, c.To, c.Calls = from.UTC(), to.UTC(), inOrder(w.calls)
	return c, l.follow(ctx, c.Calls)
}

func utcDay(at time.Time) time.Time { return at.UTC().Truncate(24 * time.Hour) }

// inOrder returns calls the newest first, without those that another call speaks for.
func inOrder(calls []DayCall) []DayCall {
	calls = slices.DeleteFunc(calls, func(c DayCall) bool { return c.FollowUp.State == sameRing })
	slices.SortFunc(calls, func(a, b DayCall) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.source, b.source)) })
	return calls
}

// dayWalk gathers a page of calls.
type dayWalk struct {
	*Lookup

	limit  int
	bounds table.Query
	before []string // calls that an earlier page has shown

	calls  []DayCall
	index  map[string]int // of calls, by source
	hidden int            // of them, those that another one speaks for
}

// walk reads a day's tracks, the newest first, until the page is full.
func (w *dayWalk) walk(ctx context.Context, tracks []*track) (full bool, err error) {
	for {
		if err := w.fill(ctx, tracks); err != nil {
			return false, err
		}
		t := newestOf(tracks)
		if t == nil {
			return false, nil
		}
		item := t.items[t.read]
		if !w.add(item, len(w.calls)-w.hidden < w.limit) {
			return true, nil
		}
		t.read++
		t.After = table.PositionOf(t.Index, item).Cursor()
	}
}

// fill reads on where nothing is left in hand.
func (w *dayWalk) fill(ctx context.Context, tracks []*track) error {
	var empty []*track
	for _, t := range tracks {
		if t.Done || t.read < len(t.items) {
			continue
		}
		if t.Done = t.wasRead && t.next == ""; !t.Done {
			empty = append(empty, t)
		}
	}
	if len(empty) == 0 {
		return nil
	}
	timing.SideBySide(empty, func(t *track) {
		q := w.bounds
		q.Partition, q.After = t.Partition, t.After
		t.items, t.next, t.err = w.readPage(ctx, q, w.limit)
		t.read, t.wasRead = 0, true
		t.Done = t.err == nil && len(t.items) == 0 && t.next == ""
	})
	for _, t := range empty {
		if t.err != nil {
			return t.err
		}
	}
	return nil
}

// add adds what an item says of its call. It reports false if that is another call, and the
// page has no room for one.
func (w *dayWalk) add(item table.Item, room bool) bool {
	part := w.partOf(item, w.index)
	if slices.Contains(w.before, part.source) {
		return true
	}
	i, known := w.index[part.source]
	switch {
	case known:
		w.join(i, part)
	case room:
		w.index[part.source] = len(w.calls)
		w.calls = append(w.calls, part)
		w.count(part, 1)
	default:
		return false
	}
	return true
}

func (w *dayWalk) join(i int, part DayCall) {
	w.count(w.calls[i], -1)
	w.calls[i].join(part)
	w.count(w.calls[i], 1)
}

func (w *dayWalk) count(c DayCall, n int) {
	if c.FollowUp.State == sameRing {
		w.hidden += n
	}
}

// ahead adds what is in hand of the calls on the page, though others come before it, and
// returns those calls, and those of earlier pages of which something is in hand.
func (w *dayWalk) ahead(tracks []*track) (shown []string) {
	for _, t := range tracks {
		for _, item := range t.items[t.read:] {
			part := w.partOf(item, w.index)
			i, here := w.index[part.source]
			if !here && !slices.Contains(w.before, part.source) {
				continue
			}
			if !slices.Contains(shown, part.source) {
				if len(shown) == maxAhead {
					continue
				}
				shown = append(shown, part.source)
			}
			if here {
				w.join(i, part)
			}
		}
	}
	return shown
}

// readCalls returns all calls of some lists from one time on up to another, the newest first.
func (l *Lookup) readCalls(ctx context.Context, lists func(day time.Time) []string, from, to time.Time) (all []DayCall, err error) {
	var queries []table.Query
	last := to.Add(-time.Millisecond)
	for day := utcDay(from); !day.After(last); day = day.Add(24 * time.Hour) {
		for _, partition := range lists(day) {
			queries = append(queries, table.Query{Index: table.GSI2, Partition: partition, From: table.Time(from), To: table.Time(last)})
		}
	}
	type list struct {
		items []table.Item
		err   error
	}
	read := make([]list, len(queries))
	timing.Indexes(len(queries), func(i int) {
		read[i].items, read[i].err = l.read(ctx, "look up calls", queries[i])
	})
	index := make(map[string]int)
	for _, list := range read {
		if list.err != nil {
			return nil, list.err
		}
		for _, item := range list.items {
			part := l.partOf(item, index)
			if i, ok := index[part.source]; ok {
				all[i].join(part)
				continue
			}
			index[part.source] = len(all)
			all = append(all, part)
		}
	}
	return inOrder(all), nil
}

// partOf returns what an item of a list says of its call: an event, or a mark. index has the
// calls that are known, by source.
func (l *Lookup) partOf(item table.Item, index map[string]int) DayCall {
	if table.IsEvent(table.KeyOf(item)) {
		return DayCall{Entry: l.entry(item), phone: table.Text(item, table.GSI1PK)}
	}
	call := l.marked(item)
	if table.OfNoCall(call.Key) {
		for source := range index {
			if of := source[strings.Index(source, " ")+1:]; strings.Contains(call.Key.SK, strings.TrimPrefix(of, table.EventMark)) {
				call.source = source
			}
		}
	}
	return call
}

// sameRing is the state of a call that rang beside another, which is listed.
const sameRing State = "same_ring"

// marked returns what a mark says of its call.
func (l *Lookup) marked(mark table.Item) DayCall {
	key := table.KeyOf(mark)
	call := DayCall{Entry: l.entry(mark)}
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
func (c *DayCall) join(other DayCall) {
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
func (l *Lookup) follow(ctx context.Context, calls []DayCall) error {
	callers, err := l.callersOf(ctx, calls)
	if err != nil {
		return err
	}
	for i := range calls {
		c := &calls[i]
		stored := callers[c.Caller.Key].stored
		c.Caller = l.party(c.Caller.Key).sent(stored).named(c.Name).person(stored.Person)
		switch f, sure := l.became(stored, c.source, c.At); {
		case sure:
			c.FollowUp = f
		case c.Outcome == events.Answered:
			c.FollowUp = FollowUp{State: Answered, EndedBy: c.Agent}
		case c.FollowUp.State == NotKnown:
			c.FollowUp = f
		}
	}
	return nil
}

// callersOf reads what the table has of the calls' callers, by their keys, which it sets.
func (l *Lookup) callersOf(ctx context.Context, calls []DayCall) (map[string]*standing, error) {
	callers := make(map[string]*standing)
	for i := range calls {
		c := &calls[i]
		key := l.numbers.Canonical(strings.TrimPrefix(c.phone, table.PhonePartition("")))
		if key == "" && c.source != "" {
			key = followup.CallSubjectOf(c.source)
		}
		c.Caller.Key = key
		callers[key] = &standing{caller: key}
	}
	return callers, l.loadAll(ctx, callers)
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
