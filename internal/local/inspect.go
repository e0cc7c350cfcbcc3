package local

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/bolt"
	"github.com/ringback/ringback/internal/table/schema"
)

// Found is what a data folder holds.
type Found struct {
	Kept

	// LastDelivery is when the newest event arrived; zero if there is none.
	LastDelivery time.Time
}

// Inspect looks into the data folder of a stack that is not running, and changes
// nothing. The error wraps [bolt.ErrLocked] if it is running. Waiting alerts are counted
// by the default rules.
func Inspect(ctx context.Context, folder string) (found Found, err error) {
	store, err := bolt.Open(filepath.Join(folder, StoreFile), schema.Events())
	if err != nil {
		return Found{}, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	store.Log = slog.Default()
	for item, err := range table.ScanAll(ctx, store, "", "") {
		if err != nil {
			return Found{}, err
		}
		if !table.IsEvent(table.KeyOf(item)) {
			continue
		}
		found.Events++
		if at, ok := events.ParseTime(table.Text(item, table.ReceivedAt)); ok && at.After(found.LastDelivery) {
			found.LastDelivery = at
		}
	}
	oldest := printConsumer
	for _, name := range []string{printConsumer, forwardConsumer} {
		registered, err := store.Registered(name)
		if err != nil {
			return Found{}, err
		}
		if registered {
			oldest = name
		}
	}
	after, err := store.Checkpoint(oldest)
	if err != nil {
		return Found{}, err
	}
	alerts := alert.New(store, events.PhoneNumber, nil, slog.New(slog.DiscardHandler))
	ids, err := waitingAlerts(ctx, store, alerts, after)
	found.Waiting = len(ids)
	return found, err
}
