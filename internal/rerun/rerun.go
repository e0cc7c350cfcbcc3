// Package rerun puts what was stored through today's code: deliveries that were refused, and
// events that were stored by an earlier version.
package rerun

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/renew"
)

// Released is one event of a delivery that was refused.
type Released struct {
	// Key is the one under which the event is kept; empty if it is none, and Err says why.
	Key  table.Key
	Type events.Type
	Kind events.Kind
	Err  error
	// Stored is set if the table has the event: it was delivered again since, or is now
	// released. New is set if it was this release that stored it.
	Stored, New bool
}

// Alerts reports whether the event may alert people once it is stored.
func (r Released) Alerts() bool { return r.Err == nil && r.Kind.Alerts() }

// Release returns what today's code makes of a refused delivery, and stores its events if write
// is set, as if they arrived now: consumers see them as any other, so that a call
// of long ago alerts nobody. What is stored already stays as it is, and alerts nobody again.
// Whether the delivery was signed does not matter any more.
func Release(ctx context.Context, store table.Store, r lookup.Rejected, write bool, now time.Time) (all []Released, err error) {
	for _, body := range events.Split(r.Body) {
		released := Released{}
		envelope, err := events.Open(body)
		if err == nil && envelope.Probe() {
			err = errProbe
		}
		if err != nil {
			released.Err = err
			all = append(all, released)
			continue
		}
		d := envelope.Decode()
		item := table.EventItem(d, r.At, now)
		released.Key, released.Type, released.Kind = table.KeyOf(item), d.Type, d.Kind
		if released.New, released.Stored, err = release(ctx, store, item, write); err != nil {
			return all, fmt.Errorf("release a delivery: %w", err)
		}
		all = append(all, released)
	}
	return all, nil
}

var errProbe = errors.New("a test of the URL, and no event")

func release(ctx context.Context, store table.Store, item table.Item, write bool) (created, stored bool, err error) {
	// guard 2: if _ = write; true {
	if write {
		created, err = store.Put(ctx, item)
		// guard 2: return true, err == nil, err
		return created, err == nil, err
	}
	there, err := table.Get(ctx, store, table.KeyOf(item))
	return false, there != nil, err
}

// Replayed is one stored event of which today's code makes something else.
type Replayed struct {
	Key  table.Key
	Type string
	// Changes says what is different: see [renew.Changes].
	Changes []string
}

// Count is how many events were looked at, and what they came to.
type Count struct{ Events, Changed, Written int }

// Replay puts stored events through today's code: those of a partition, or all if it is "". It
// tells of each that would be stored in another way, and stores it anew if write is set.
// No consumer sees that, so nobody is alerted.
func Replay(ctx context.Context, store table.Store, partition string, write bool, tell func(Replayed)) (n Count, err error) {
	items := table.ScanAll(ctx, store, "", "")
	if partition != "" {
		items = table.All(ctx, store, table.Query{Partition: partition, SortPrefix: table.EventMark})
	}
	for item, err := range items {
		if err != nil {
			return n, fmt.Errorf("replay: %w", err)
		}
		if !table.IsEvent(table.KeyOf(item)) {
			continue
		}
		n.Events++
		renewed, was, ok := renew.Event(item)
		if !ok {
			continue
		}
		n.Changed++
		tell(Replayed{table.KeyOf(item), table.EventType(item), renew.Changes(item, renewed)})
		if !write {
			continue
		}
		updated, err := store.Update(ctx, renewed, was)
		if err != nil {
			return n, fmt.Errorf("replay: %w", err)
		}
		if updated {
			n.Written++
		}
	}
	return n, nil
}
