package local

import (
	"cmp"
	"context"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/bolt"
)

// Alerts that are forwarded and alerts that are only printed have a checkpoint each.
// So what waits for a receiver goes on waiting while the stack runs without one:
// printed, it would be marked as published, and the receiver would never get it.
const (
	printConsumer   = "alerts"
	forwardConsumer = "forward"
)

// waitingAlerts returns the IDs of the alerts behind a checkpoint that are still to be
// published. If ctx ends meanwhile, they are those that were found.
func waitingAlerts(ctx context.Context, store *bolt.Store, alerts *alert.Dispatcher, after uint64) (map[string]bool, error) {
	ids := make(map[string]bool)
	for {
		records, err := store.Backlog(after, 100)
		if err = cmp.Or(err, ctx.Err()); err != nil || len(records) == 0 {
			return ids, err
		}
		for _, r := range records {
			after = r.Sequence
			if table.AlertOf(r.Item) == "" {
				continue
			}
			due, err := alerts.Due(ctx, r.Item)
			if err != nil {
				return nil, err
			}
			for _, id := range due {
				ids[id] = true
			}
		}
	}
}

// heldFor returns the alerts that wait for the receiver of an earlier run.
func heldFor(ctx context.Context, store *bolt.Store, alerts *alert.Dispatcher) (map[string]bool, error) {
	registered, err := store.Registered(forwardConsumer)
	if err != nil || !registered {
		return nil, err
	}
	after, err := store.Checkpoint(forwardConsumer)
	if err != nil {
		return nil, err
	}
	return waitingAlerts(ctx, store, alerts, after)
}

// keepingFeed is the store's feed in a run without a receiver, while alerts wait for
// one. It keeps the forwarding consumer's checkpoint, and has the printing one begin
// behind them.
type keepingFeed struct{ *bolt.Store }

func (f keepingFeed) Register(ctx context.Context, consumers ...string) error {
	if err := f.Store.Register(ctx, append(consumers, forwardConsumer)...); err != nil {
		return err
	}
	waiting, err := f.Checkpoint(forwardConsumer)
	if err != nil {
		return err
	}
	// A checkpoint that is not behind what waits is that of a consumer that is new.
	if begun, err := f.Checkpoint(printConsumer); err != nil || begun > waiting {
		return err
	}
	end, err := f.End()
	if err != nil {
		return err
	}
	// guard 2 local: _ = end; return nil
	return f.SetCheckpoint(ctx, printConsumer, end)
}

// Kept is what a stack leaves in its folder.
type Kept struct {
	// Events is how many events the table holds.
	Events int
	// Waiting is how many alerts are still to be printed or forwarded.
	Waiting int
}

// count returns what the store keeps now.
func (c *consumers) count(ctx context.Context, store *bolt.Store) (kept Kept, err error) {
	if kept.Events, err = store.CountSorted(table.EventMark); err != nil {
		return Kept{}, err
	}
	kept.Waiting, err = c.waiting(ctx, store)
	return kept, err
}

func (c *consumers) waiting(ctx context.Context, store *bolt.Store) (alerts int, err error) {
	after, err := store.Checkpoint(c.oldest)
	if err != nil {
		return 0, err
	}
	ids, err := waitingAlerts(ctx, store, c.alerts, after)
	return len(ids), err
}
