package alert

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

// Several calls can be one ring: see [table.Ring]. Of these, one alerts, and if one
// is answered, none does. A call that owes an alert, or was answered, takes a seat in
// its ring, in the caller's partition. A seat never changes. Of the calls with a seat
// for a kind of alert, the first one that still owes it speaks for the others.
//
// Later events can show that a call began earlier, and so belongs to another ring, or
// that it owes nothing: its seat is void. Whether a seat is void is asked of the
// call's own events each time. The process that finds its call's seat void lets those
// who sit beside it decide anew.
//
// Everybody writes before reading, so that of two processes at least one sees the
// other. Whoever takes a seat writes it, and reads the ring and the calls in it.
// Whoever leaves has written the event that says so, and reads the ring. Whoever
// publishes reads the ring again afterwards, and whoever takes another call's alert
// back, that call. [Dispatcher.begin] and [Dispatcher.takeBack] see to it that not two
// processes publish, or take back, the same alert.

// seatAnswered is what a call that was answered has a seat for. Others have one for
// each kind of alert that they owe.
const seatAnswered = string(events.Answered)

// maxSides bounds in how many rings [Dispatcher.readSeats] looks: at so many callers, on so
// many lines each. No real call names as many, but forged events may.
const maxSides = 8

// seat is a taken seat. by is the key of one of the call's events.
type seat struct {
	table.Seat

	by table.Key
}

// ringOf returns the ring that a call is part of.
func (d *Dispatcher) ringOf(c *call) table.Ring { return d.ring(c.Phone, c.Line, c.Start) }

func (d *Dispatcher) ring(phone, line string, start time.Time) table.Ring {
	return table.Ring{Caller: d.canonical(phone), Line: cmp.Or(d.canonical(line), line), Start: start}
}

// takeSeat gives a call a seat in its ring, unless seats, those of its rings, have one,
// and returns the seats. It reads after it has written. A ring that is not known has no
// seats.
func (d *Dispatcher) takeSeat(ctx context.Context, c *call, what string, seats []seat) ([]seat, error) {
	of := d.ringOf(c)
	if !of.Known() {
		return seats, nil
	}
	for n := 1; ; n++ {
		for _, s := range chain(seats, of.Written(), what) {
			if s.of(c) {
				return seats, nil
			}
			n = max(n, s.N+1)
		}
		mine, err := d.store.Put(ctx, table.SeatItem(table.Seat{Ring: of, What: what, N: n}, c.key, d.Now()))
		if err != nil {
			return nil, fmt.Errorf("take a seat in the ring: %w", err)
		}
		// guard 4 alert (AtTheSameTime): if mine { return seats, nil }
		seats, err = d.readSeats(ctx, c, nil)
		if mine || err != nil {
			return seats, err
		}
	}
}

// of reports whether a seat is a call's.
func (s seat) of(c *call) bool { return table.CallOf(s.by) == table.CallOf(c.key) }

// chain returns the seats of a ring for one thing, in their order.
func chain(seats []seat, of table.Ring, what string) []seat {
	return slices.DeleteFunc(slices.Clone(seats), func(s seat) bool { return s.Ring != of || s.What != what })
}

// readSeats reads the seats of every ring that a call may have been part of while some
// of its events were not there yet: those of each caller and line that an event names,
// from the call's start to its last event, but of [maxSides] callers and lines at most. What
// was read of the caller is not read again; k may be nil.
func (d *Dispatcher) readSeats(ctx context.Context, c *call, k *caller) (seats []seat, err error) {
	if !c.mayHaveSeat() {
		return nil, nil
	}
	phones, lines := []string{c.Phone}, []string{c.Line}
	another := func(all *[]string, text string) {
		if len(*all) < maxSides && !slices.Contains(*all, text) {
			*all = append(*all, text)
		}
	}
	last := c.Start
	for _, p := range c.parts {
		another(&phones, p.Number())
		another(&lines, cmp.Or(events.NumberText(p.Line), p.Line))
		if p.Own && p.At.After(last) {
			last = p.At
		}
	}
	for _, phone := range phones {
		for _, line := range lines {
			of := d.ring(phone, line, c.Start)
			if !of.Known() {
				continue
			}
			for item, err := range k.items(ctx, d.store, of.Until(last)) {
				if err != nil {
					return nil, fmt.Errorf("read the ring: %w", err)
				}
				if s, ok := table.ReadSeat(table.KeyOf(item)); ok && s.Line == of.Written().Line {
					seats = append(seats, seat{s, table.Other(item)})
				}
			}
		}
	}
	return seats, nil
}

// besides returns those who sit beside a call in rings where its own seat is void, and
// who therefore have to decide anew.
func (d *Dispatcher) besides(c *call, seats []seat) (keys []table.Key) {
	own := d.ringOf(c).Written()
	for _, s := range seats {
		if !s.of(c) || s.Ring == own && c.keeps(s.What) {
			continue
		}
		for _, beside := range seats {
			if beside.Ring == s.Ring && beside.What != seatAnswered && !beside.of(c) {
				keys = append(keys, beside.by)
			}
		}
	}
	return keys
}

// mayHaveSeat reports whether a call owed an alert, or was answered, at a time at which
// some of its events were not there yet.
func (c *call) mayHaveSeat() bool {
	ended := func(p events.Part) bool { return p.Outcome != "" && p.Outcome != events.OutcomeUnknown }
	inbound := func(p events.Part) bool { return p.Direction != events.Outbound }
	return slices.ContainsFunc(c.parts, ended) && slices.ContainsFunc(c.parts, inbound)
}

// keeps reports whether a call's seat in its own ring counts.
func (c *call) keeps(what string) bool { return c.Served() || c.Owes(events.Kind(what)) }

// twinOf returns the call that speaks for c in its ring, and why; nil if c has to speak
// for itself.
func (d *Dispatcher) twinOf(ctx context.Context, c *call, kind events.Kind, seats []seat) (*call, reason, error) {
	own := d.ringOf(c).Written()
	for _, what := range []string{seatAnswered, string(kind)} {
		for _, s := range chain(seats, own, what) {
			if s.of(c) && what == string(kind) {
				break // who sits behind does not speak for those before
			}
			twin, err := d.loadTwin(ctx, c, s)
			switch {
			case err != nil:
				return nil, none, err
			case twin == nil:
			case twin.Served():
				return twin, answered, nil
			case what == string(kind) && twin.Owes(kind):
				return twin, sameRing, nil
			}
		}
	}
	return nil, none, nil
}

// loadTwin reads the call of a seat in the ring of c; nil if it is c itself, or belongs
// to another ring.
func (d *Dispatcher) loadTwin(ctx context.Context, c *call, s seat) (*call, error) {
	if s.of(c) {
		return nil, nil //nolint:nilnil // there may be none
	}
	twin, err := d.load(ctx, s.by)
	if err != nil || d.ringOf(twin).Written() != s.Ring {
		return nil, err
	}
	return twin, nil
}
