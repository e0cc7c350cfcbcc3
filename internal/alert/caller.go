package alert

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/table"
)

const (
	// callerTime is how long an alert waits for what is known of the caller.
	callerTime = 1500 * time.Millisecond
	// missedSpan is the time in which a caller's missed calls are counted.
	missedSpan = 24 * time.Hour
	// contactPages is how many pages of contacts are read at most.
	contactPages = 5
)

// caller is what the table knows of a call's caller.
type caller struct {
	// Entry is the number's in the address book.
	addressbook.Entry

	// missed is how many of the caller's calls were missed in the 24 hours up to the
	// call, this one included; 0 if the caller is not known.
	missed int
	// own is set if the caller is one of us: see [followup.Policy.IsOwn].
	own bool
	// state is the caller's follow-up, with the call and its rings in it even if the
	// ledger has not come to them yet. Nil if there is none.
	state *followup.State
	// start is when the call began, as the follow-up has it.
	start time.Time

	name string       // of the partition
	page []table.Item // of it: contacts, follow-up and rings, or some of them
	more bool         // it has more, perhaps contacts

	err error // nothing else is known
}

// source names a call as follow-ups do.
func (c *call) source() string { return table.SourceOf(c.key) }

// readCaller reads a caller's contacts, follow-up and rings: mostly by one query of one page.
// If there is more, that page has the contacts, the follow-up and old rings, and a second
// query reads the recent rings on the call's line.
func (d *Dispatcher) readCaller(ctx context.Context, c *call) *caller {
	name := followup.Subject(c.Folded, c.source(), d.canonical)
	if name == "" {
		return &caller{}
	}
	f := c.Folded
	f.Line = cmp.Or(d.canonical(f.Line), f.Line) // as the ledger has it
	isOwn := d.Policy.IsOwn(name, f.Line, f.Outcome)
	// guard 2 alert (AnAlertWaits): ctx, cancel := context.WithTimeout(ctx, time.Hour)
	ctx, cancel := context.WithTimeout(ctx, callerTime)
	defer cancel()
	history, more, cut, err := d.readHistory(ctx, name)
	if err != nil {
		return &caller{own: isOwn, err: fmt.Errorf("read what is known of the caller: %w", err)}
	}
	k := &caller{own: isOwn, name: name, page: history, more: more, Entry: addressbook.Read(history)}
	of := d.ringOf(c)
	of.Start = cmp.Or(c.Start, c.at())
	items := history
	if k.more && of.Known() {
		recent, err := d.store.Query(ctx, of.Recent(missedSpan))
		if err != nil {
			return &caller{own: isOwn, err: fmt.Errorf("read the caller's recent rings: %w", err)}
		}
		items = append(items[:len(items):len(items)], recent.Items...)
	}
	rings := ringsIn(items)
	if of.Caller != "" {
		k.missed = missedUpTo(of, rings)
	}
	own := d.Policy.Call(c.source(), f)
	k.start = own.Start
	facts := []followup.Facts{own.Of()}
	for _, item := range history {
		if !table.IsFollowUp(table.KeyOf(item)) {
			continue
		}
		stored, err := followup.Decode(table.FactsOf(item))
		if err != nil {
			d.log.LogAttrs(ctx, slog.LevelWarn, "follow-up unreadable", slog.String("error", err.Error()))
			return k
		}
		facts = append(facts, stored)
		if p := stored.Person; cut && p.Known {
			k.Entry = addressbook.Entry{Known: true, Name: p.Name, Company: p.Company, Blocked: p.Blocked, DoNotDisturb: p.DoNotDisturb}
		}
	}
	all := withSeats(followup.Merge(facts...), rings)
	all.Person = k.Person()
	all.Person.Own = isOwn
	state := all.State(d.Policy)
	k.state = &state
	return k
}

// readHistory reads the first page of a caller's history, and the next ones as long as they
// have only contacts and follow-up: the number of a large firm is in many contacts. Of very
// many it reads some, and cut is set: the follow-up has the merged result.
func (d *Dispatcher) readHistory(ctx context.Context, name string) (items []table.Item, more, cut bool, err error) {
	query := table.CallerHistory(name)
	for pages := 1; ; pages++ {
		page, err := d.store.Query(ctx, query)
		if err != nil {
			return nil, false, false, err //nolint:wrapcheck // readCaller does
		}
		items = append(items, page.Items...)
		rings := slices.ContainsFunc(page.Items, func(item table.Item) bool {
			_, ok := table.ReadSeat(table.KeyOf(item))
			return ok
		})
		if rings || page.Next == "" {
			return items, cut || page.Next != "", cut, nil
		}
		if query.After = page.Next; pages == contactPages {
			query, cut = table.CallerState(name), true
		}
	}
}

// seated is a call by its seats.
type seated struct {
	table.Ring

	answered bool
}

// ringsIn returns the calls that have seats, by their sources. A call that turned out to
// have begun earlier has a seat in each of its rings.
func ringsIn(items []table.Item) map[string]seated {
	calls := make(map[string]seated, len(items))
	for _, item := range items {
		s, ok := table.ReadSeat(table.KeyOf(item))
		if !ok {
			continue
		}
		source := table.SourceOf(table.Other(item))
		r, seen := calls[source]
		if !seen || s.Start.Before(r.Start) {
			r.Ring = s.Ring
		}
		r.answered = r.answered || s.What == seatAnswered
		calls[source] = r
	}
	return calls
}

// said returns what a seat says to a follow-up that does not have the call yet: what it
// has is better.
func (s seated) said(source string) followup.Facts {
	c := followup.Call{ID: source, Outcome: events.Missed, Effect: followup.Opens, Start: s.Start, End: s.Start, Line: s.Line}
	if s.answered {
		c.Outcome, c.Effect = events.Answered, ""
	}
	return c.Of()
}

// withSeats returns facts with what seats say besides: of calls that the facts do not have, and
// not of those before the caller was served, who do not wait for that.
func withSeats(facts followup.Facts, calls map[string]seated) followup.Facts {
	all := []followup.Facts{facts}
	until := facts.ServedUntil().Truncate(time.Second)
	for source, r := range calls {
		if !r.Start.Before(until) && !slices.ContainsFunc(facts.Calls, func(c followup.Call) bool { return c.ID == source }) {
			all = append(all, r.said(source))
		}
	}
	if len(all) == 1 {
		return facts
	}
	return followup.Merge(all...)
}

// missedUpTo returns how many rings of a caller were missed in the last 24 hours, that of
// a call included.
func missedUpTo(of table.Ring, calls map[string]seated) int {
	own, start := of.Written(), of.Start.Truncate(time.Second)
	answered := make(map[table.Ring]bool)
	for _, r := range calls {
		if r.Ring != own && !r.Start.After(start) && r.Start.After(start.Add(-missedSpan)) {
			answered[r.Ring] = answered[r.Ring] || r.answered
		}
	}
	n := 1
	for _, yes := range answered {
		if !yes {
			n++
		}
	}
	return n
}

// items yields the items of a query of the caller's partition, from the page if that has
// all of it.
func (k *caller) items(ctx context.Context, store table.Store, q table.Query) iter.Seq2[table.Item, error] {
	if k == nil || k.more || k.err != nil || table.CallerPartition(k.name) != q.Partition {
		return table.All(ctx, store, q)
	}
	return func(yield func(table.Item, error) bool) {
		for _, item := range k.page {
			if sort := table.Text(item, table.SK); sort >= q.From && sort <= q.To && !yield(item, nil) {
				return
			}
		}
	}
}

// at returns when a call happened, as well as that is known.
func (c *call) at() time.Time {
	for _, p := range []*events.Part{c.Missed, c.Left} {
		if p != nil {
			return p.At
		}
	}
	return c.FirstArrival
}

// unneeded returns why an alert that a call owes is not needed: the caller was served
// since, or was told of shortly before. With it comes what served the caller, if
// anything did.
func (d *Dispatcher) unneeded(ctx context.Context, c *call, kind events.Kind, k *caller) (reason, *followup.Closing, error) {
	// guard 4 alert (OneOfUs): if false {
	if k.own {
		return ours, nil, nil
	}
	if k.err != nil || k.state == nil {
		return none, nil, nil
	}
	// guard 10 alert (WhoeverWasServed): if closing, ok := k.state.Served(k.start); ok && false {
	if closing, ok := k.state.Served(k.start); ok {
		return reason(closing.Reason), &closing, nil
	}
	if k.Blocked && !d.Rules.Blocked {
		return blocked, nil, nil
	}
	if kind != events.KindMissedCall || d.Rules.Pause <= 0 || !k.state.Open() {
		return none, nil, nil
	}
	others := k.state.Misses()
	own := followup.Miss{ID: c.source(), Start: k.start}
	for _, m := range others {
		// guard 4 alert (NoKill): if m.ID == own.ID {
		if m.ID == own.ID || m.Start.After(own.Start) || d.window(others, m) != d.window(others, own) {
			continue
		}
		if d.ring(c.Phone, m.Line, m.Start).Written() == d.ring(c.Phone, c.Line, own.Start).Written() {
			continue // the same ring
		}
		if m.Start.Equal(own.Start) && m.ID > own.ID {
			continue
		}
		other, err := d.load(ctx, table.SourceKey(m.ID))
		if err != nil {
			return none, nil, err
		}
		if d.alertsOf(other, k) {
			return paused, nil, nil
		}
	}
	return none, nil, nil
}

// window returns in which of the pauses a call began, counted from the first call that
// nobody served.
func (d *Dispatcher) window(all []followup.Miss, m followup.Miss) time.Duration {
	return m.Start.Sub(all[0].Start) / d.Rules.Pause
}

// alertsOf reports whether the rules are for an alert of a call of a caller.
func (d *Dispatcher) alertsOf(c *call, k *caller) bool {
	for _, kind := range kinds {
		if c.Owes(kind) && d.against(c, kind, k) == none {
			return true
		}
	}
	return false
}

// waits writes into an alert how long the caller has waited, and what was done about it.
func (d *Dispatcher) waits(a *Alert, c *call, k *caller) {
	if k.state == nil || !k.state.Open() {
		return
	}
	s := k.state
	a.Since = s.Since()
	all := s.Misses()
	_, a.More = s.Count()
	own := followup.Miss{ID: c.source(), Start: k.start}
	before := make(map[time.Duration]int)
	for _, m := range all {
		if m.Start.After(own.Start) {
			continue
		}
		a.Count++
		if d.Rules.Pause > 0 && d.window(all, m) < d.window(all, own) {
			before[d.window(all, m)]++
		}
	}
	if len(before) > 0 {
		last := time.Duration(-1)
		for window := range before {
			last = max(last, window)
		}
		a.Silenced = before[last] - 1
	}
	a.Attempts = len(s.Attempts())
	if claim, ok := s.Claim(d.Now()); ok {
		a.ClaimedBy, a.ClaimedUntil = claim.By, claim.Until
	}
}
