package alert

import (
	"context"
	"fmt"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

// Several calls can be one ring: see [table.Ring]. Of these, one alerts, and if one
// is answered, none does. The items of the ring in the caller's partition see to
// that. Each is written once: which call alerts of a missed call, which one of a
// voicemail, and which one was answered.
//
// Whoever publishes writes the lease, reads the ring, publishes, marks, and reads the
// ring again. Whoever was answered writes that, reads the ring, and then the marks of
// the call that has the lease. Each writes before it reads, so at least one of them
// sees the other, and takes the alert back. [Dispatcher.takeBack] sees to it that not
// both do.

// ringAnswered names the item of the call that was answered. A lease is named by the
// kind of alert.
const ringAnswered = string(events.Answered)

// ring is what the calls of a ring have done, by the names of its items: the key of
// an event of the call that did it. It is nil if the ring is not known.
type ring map[string]table.Key

// ringOf returns the ring that a call is part of.
func (d *Dispatcher) ringOf(c *call) table.Ring {
	return table.Ring{Caller: d.canonical(c.Phone), Line: c.Line, Start: c.Start}
}

// claim writes that the call does something for its ring, unless one has done it, and
// returns what was done. It reads after it has written. held is set if the call had
// claimed it before.
func (d *Dispatcher) claim(ctx context.Context, c *call, what string) (done ring, held bool, err error) {
	of := d.ringOf(c)
	if !of.Known() {
		return nil, false, nil // a ring that is not known has done nothing
	}
	done, err = d.readRing(ctx, of)
	if _, taken := done[what]; err != nil || taken {
		return done, done.has(what, c), err
	}
	if _, err := d.store.Put(ctx, table.RingItem(of, what, c.key, d.Now())); err != nil {
		return nil, false, fmt.Errorf("claim the ring: %w", err)
	}
	// guard 4 alert (AtTheSameTime): return done, false, nil
	done, err = d.readRing(ctx, of)
	return done, false, err
}

// has reports whether it was the call that did something for its ring.
func (r ring) has(what string, c *call) bool {
	key, ok := r[what]
	return ok && table.CallOf(key) == table.CallOf(c.key)
}

func (d *Dispatcher) readRing(ctx context.Context, of table.Ring) (ring, error) {
	done := make(ring)
	for item, err := range table.All(ctx, d.store, of.Items()) {
		if err != nil {
			return nil, fmt.Errorf("read the ring: %w", err)
		}
		if _, what, ok := table.ReadRing(table.KeyOf(item)); ok {
			done[what] = table.Other(item)
		}
	}
	return done, nil
}

// loadTwin reads the call that did something for the ring of c; nil if none did, or c
// itself. A call that turns out to have begun earlier belongs to another ring, and what
// it did for this one is void.
func (d *Dispatcher) loadTwin(ctx context.Context, c *call, done ring, what string) (*call, error) {
	key, ok := done[what]
	if !ok || table.CallOf(key) == table.CallOf(c.key) {
		return nil, nil //nolint:nilnil // there may be none
	}
	twin, err := d.load(ctx, key)
	if err != nil || d.ringOf(twin).Items() != d.ringOf(c).Items() {
		return nil, err
	}
	return twin, nil
}
