package health

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/hours"
	"github.com/ringback/ringback/internal/table"
)

const (
	// DefaultBlindAfter is the business time without an event after which what is known is
	// called out of date.
	DefaultBlindAfter = 2 * time.Hour
	// writeEvery is the time between two writes.
	writeEvery = time.Minute
	// maxAttempts is how often the item is written anew because somebody else wrote it
	// meanwhile. They write about the same.
	maxAttempts = 5
	// longest limits how far back business time is counted.
	longest = 366 * 24 * time.Hour
)

// Blind reports whether no event has arrived for so much business time that what is known
// may be out of date: people may have talked meanwhile. A time of 0 is never. Of a table
// that has had no event yet, nothing is out of date.
func Blind(h table.Health, now time.Time, business hours.Calendar, after time.Duration) bool {
	if after <= 0 || h.Arrived.IsZero() {
		return false
	}
	return now.Sub(h.Arrived) > longest || business.Between(h.Arrived, now) >= after
}

// Watch keeps the item. Its methods may be called concurrently.
type Watch struct {
	store table.Store
	log   *slog.Logger

	mu sync.Mutex
	// seen is what this process has seen or read, and stored what the item had last.
	seen, stored table.Health
}

// New returns a watch in a store, whose items must not expire: how long ago the last event
// arrived is of interest above all if that is long ago.
func New(store table.Store, log *slog.Logger) *Watch { return &Watch{store: store, log: log} }

// Consumer returns the watch as a consumer of the table's new items.
func (w *Watch) Consumer() consumer.Consumer {
	return consumer.Consumer{
		Name:    "health",
		Wants:   func(item table.Item) bool { return table.IsEvent(table.KeyOf(item)) },
		Key:     func(table.Item) string { return "" },
		Process: w.Process,
	}
}

// Process takes note of events. It implements [consumer.Process], and never fails: the
// next event says the same, and no alert must wait for this one.
func (w *Watch) Process(ctx context.Context, items []table.Item) []error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, item := range items {
		w.seen = merge(w.seen, saidBy(item))
	}
	// guard 11 health: if false {
	if isNews(w.seen, w.stored) {
		if err := w.write(ctx); err != nil {
			w.log.LogAttrs(ctx, slog.LevelWarn, "sign of life not kept", slog.String("error", err.Error()))
		}
	}
	return make([]error, len(items))
}

// write writes what is new to the item.
func (w *Watch) write(ctx context.Context) (err error) {
	for range maxAttempts {
		if w.stored, err = table.LoadHealth(ctx, w.store); err != nil {
			return err
		}
		w.seen = merge(w.seen, w.stored)
		w.seen.Version = w.stored.Version
		if !isNews(w.seen, w.stored) {
			return nil
		}
		updated, err := w.store.Update(ctx, w.seen.Item(), w.stored.Version)
		if err != nil {
			return err //nolint:wrapcheck // it says what failed
		}
		if updated {
			w.stored = w.seen
			return nil
		}
	}
	return nil // others wrote all the while
}

// isNews reports whether what was seen is worth a write.
func isNews(seen, stored table.Health) bool {
	later := func(seen, stored time.Time) bool { return seen.Sub(stored) >= writeEvery }
	return later(seen.Arrived, stored.Arrived) || later(seen.Ended, stored.Ended) || later(seen.Texted, stored.Texted)
}

// merge puts together what two have seen, in any order.
func merge(a, b table.Health) table.Health {
	// guard 4 health: a.Arrived, a.Ended, a.Texted = b.Arrived, b.Ended, b.Texted
	a.Arrived, a.Ended, a.Texted = latest(a.Arrived, b.Arrived), latest(a.Ended, b.Ended), latest(a.Texted, b.Texted)
	if a.EndedSince.IsZero() || !b.EndedSince.IsZero() && b.EndedSince.Before(a.EndedSince) {
		a.EndedSince = b.EndedSince
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// saidBy returns what one event says.
func saidBy(item table.Item) (h table.Health) {
	h.Arrived, _ = events.ParseTime(table.Text(item, table.ReceivedAt))
	switch events.Type(table.EventType(item)).Name() {
	case events.TypeCallAnswered, events.TypeCallCompleted, events.TypeSalesDialerCallCompleted:
		h.Ended, h.EndedSince = h.Arrived, h.Arrived
	case events.TypeSMSSent, events.TypeSMSSentReceived:
		h.Texted = h.Arrived
	default:
	}
	return h
}

// Rebuild makes the item anew from all events of a table, so that it says no less than they
// do. It reports now and then how many it has read. What was imported is history: it says
// nothing of the webhook. The error is the store's.
func Rebuild(ctx context.Context, store table.Store, done func(read int)) (read, written int, err error) {
	var seen table.Health
	for item, err := range table.ScanAll(ctx, store, "", "") {
		switch {
		case err != nil:
			return read, 0, fmt.Errorf("look for events: %w", err)
		case !table.IsEvent(table.KeyOf(item)):
			continue
		// guard 11 health (ARebuild): case true:
		case table.Text(item, table.FoundBy) != table.FoundByImport:
			seen = merge(seen, saidBy(item))
		}
		read++
		done(read)
	}
	for range maxAttempts {
		stored, err := table.LoadHealth(ctx, store)
		if err != nil {
			return read, 0, fmt.Errorf("read the sign of life: %w", err)
		}
		whole := merge(seen, stored)
		whole.Version = stored.Version
		if maps.Equal(whole.Item(), stored.Item()) {
			return read, 0, nil
		}
		updated, err := store.Update(ctx, whole.Item(), stored.Version)
		if err != nil {
			return read, 0, fmt.Errorf("keep the sign of life: %w", err)
		}
		if updated {
			return read, 1, nil
		}
	}
	return read, 0, errContended
}

var errContended = errors.New("keep the sign of life: others keep writing it; try again")
