package alert

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/table"
)

const (
	// historyTime is how long an alert waits for the caller's history.
	historyTime = 500 * time.Millisecond
	// missedSpan is the time in which a caller's missed calls are counted.
	missedSpan = 24 * time.Hour
)

// history is what the table knows of a caller.
type history struct {
	// Entry is the number's in the address book.
	addressbook.Entry

	// missed is how many of the caller's calls were missed in the 24 hours up to a
	// call, this one included; 0 if the caller is not known.
	missed int

	err error // nothing else is known
}

// readHistory reads a caller's contacts and rings: one query of one page, which has
// some thousands of them. Of a caller with more it is the contacts and old rings; then a
// second query reads the recent ones on the call's line.
func (d *Dispatcher) readHistory(ctx context.Context, c *call) history {
	of := d.ringOf(c)
	if of.Caller == "" {
		return history{}
	}
	ctx, cancel := context.WithTimeout(ctx, historyTime)
	defer cancel()
	page, err := d.store.Query(ctx, table.CallerHistory(of.Caller))
	if err != nil {
		return history{err: fmt.Errorf("read the caller's history: %w", err)}
	}

	of.Start = cmp.Or(c.Start, c.at())
	items := page.Items
	if page.Next != "" {
		recent, err := d.store.Query(ctx, of.Recent(missedSpan))
		if err != nil {
			return history{err: fmt.Errorf("read the caller's recent rings: %w", err)}
		}
		items = append(items, recent.Items...)
	}

	// A call that turned out to have begun earlier has a seat in each of its rings.
	ringOf, answered := map[string]table.Ring{}, map[string]bool{}
	for _, item := range items {
		if s, ok := table.ReadSeat(table.KeyOf(item)); ok {
			name := table.CallOf(table.Other(item))
			if r, seen := ringOf[name]; !seen || s.Start.Before(r.Start) {
				ringOf[name] = s.Ring
			}
			answered[name] = answered[name] || s.What == seatAnswered
		}
	}
	missed := map[table.Ring]bool{}
	for _, r := range ringOf {
		missed[r] = true
	}
	for name, r := range ringOf {
		if answered[name] {
			delete(missed, r)
		}
	}
	own, start := of.Written(), cmp.Or(c.Start, c.at()).Truncate(time.Second)
	h := history{Entry: addressbook.Read(page.Items), missed: 1}
	for r := range missed {
		if r != own && !r.Start.After(start) && r.Start.After(start.Add(-missedSpan)) {
			h.missed++
		}
	}
	return h
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
