package consumer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ringback/ringback/internal/table"
)

// ErrPermanent marks an item that no later try can process. Over a [Feed] it is
// logged and passed over; it stays in the table. On Lambda it is retried like
// any other, and ends in the failure bucket, where a person finds it.
var ErrPermanent = errors.New("cannot be processed")

// ErrNotAgain marks an item that is done, but would be done twice if it came again. So
// it does not come again on account of other consumers either.
var ErrNotAgain = errors.New("done, and must not come again")

// ErrResults means that a [Process] did not return one error for each item.
var ErrResults = errors.New("not one result for each item")

// Process processes items in order and returns one error for each, nil if it is
// done. Failed items come again, possibly with items already processed, so it must
// be idempotent. One bad item must not fail the others. It logs its own errors.
// Call it through [Process.Run].
type Process func(ctx context.Context, items []table.Item) []error

// Run processes items. If the number of errors is not the number of items, nobody
// can say which are done, so all of them fail with [ErrResults].
func (p Process) Run(ctx context.Context, items []table.Item) []error {
	errs := p(ctx, items)
	if len(errs) == len(items) {
		return errs
	}
	err := fmt.Errorf("%w: %d for %d", ErrResults, len(errs), len(items))
	errs = make([]error, len(items))
	for i := range errs {
		errs[i] = err
	}
	return errs
}

// Consumer handles new items of the events table.
type Consumer struct {
	// Name identifies the consumer in logs, and its checkpoint in a feed. No two
	// consumers may share one.
	Name string
	// Wants reports whether the consumer processes an item; nil means all items.
	Wants func(table.Item) bool
	// Key returns the ordering key of an item: items with the same key are first
	// tried in the order of the feed, and never two at once. Nil means the call's
	// key, see [table.CallOf]. On Lambda the order is that of the partition key
	// instead.
	Key func(table.Item) string
	// Process does the work.
	Process Process
	// Every is how long after one read of a [Feed] began the next one begins, so that many
	// records share its cost. A record that comes after a longer rest does not wait, nor does a
	// backlog, nor anything that [Runner.Settled] waits for. 0 is for no rest.
	Every time.Duration
}

func (c Consumer) wants(item table.Item) bool { return c.Wants == nil || c.Wants(item) }

func (c Consumer) key(item table.Item) string {
	if c.Key != nil {
		return c.Key(item)
	}
	return table.CallOf(table.KeyOf(item))
}

// All returns a [Process] that gives each batch to every consumer, side by side.
// The error of an item joins those of all consumers that failed on it; the
// caller then sends the item again to all of them. It is nil if one of them says
// [ErrNotAgain].
func All(consumers ...Consumer) Process {
	return func(ctx context.Context, items []table.Item) []error {
		var (
			all  sync.WaitGroup
			mu   sync.Mutex
			errs = make([]error, len(items))
		)
		for _, c := range consumers {
			var wanted []table.Item
			var index []int // of each wanted item
			for i, item := range items {
				if c.wants(item) {
					wanted, index = append(wanted, item), append(index, i)
				}
			}
			if len(wanted) == 0 {
				continue
			}
			all.Go(func() {
				results := c.Process.Run(ctx, wanted)
				mu.Lock()
				defer mu.Unlock()
				for i, err := range results {
					errs[index[i]] = errors.Join(errs[index[i]], err)
				}
			})
		}
		all.Wait()
		for i, err := range errs {
			if errors.Is(err, ErrNotAgain) {
				errs[i] = nil
			}
		}
		return errs
	}
}
