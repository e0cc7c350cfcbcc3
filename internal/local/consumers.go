package local

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/table/bolt"
)

const (
	// workers is how many batches of new alerts are forwarded side by side.
	workers = 2
	// maxFailed is how many alerts may wait for their receiver before no new ones
	// are sent.
	maxFailed = 100_000

	firstPause   = time.Second
	longestPause = 30 * time.Second
)

// Unmarked is how many alerts may be published but not marked yet: one batch in
// each worker, and one that is retried. A kill can repeat that many.
const Unmarked = (workers + 1) * alert.MaxBatch

// consumers run over the store's feed, as they do over the table's stream on AWS.
type consumers struct {
	*consumer.Runner

	publisher *publisher
}

// startConsumers lists the consumers, as functions/alerts does for AWS.
func startConsumers(ctx context.Context, store *bolt.Store, c Config, log *slog.Logger) (*consumers, error) {
	p, err := newPublisher(c)
	if err != nil {
		return nil, err
	}
	o := consumer.Options{
		Workers:      workers,
		Batch:        alert.MaxBatch, // the dispatcher postpones what is behind a batch that fails
		FirstPause:   cmp.Or(c.FirstPause, firstPause),
		LongestPause: cmp.Or(c.LongestPause, longestPause),
		MaxFailed:    cmp.Or(c.maxFailed, maxFailed),
	}
	if c.ForwardURL == "" {
		o.Workers = 1 // people read printed alerts in order
	}
	runner, err := consumer.Start(ctx, store, o, log,
		alert.New(store, p, log).Consumer(),
	)
	if err != nil {
		return nil, err
	}
	return &consumers{runner, p}, nil
}

// close stops, and gives the batches under way some time to finish. After an
// error they still use the store.
func (c *consumers) close() error {
	c.Stop()
	return c.publisher.close(c.Done())
}
