package consumer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Errors of [Start] and of a [Runner].
var (
	// ErrConfig means that consumers cannot run as they are configured.
	ErrConfig = errors.New("unusable consumer configuration")
	// ErrStopped means that the runner has stopped.
	ErrStopped = errors.New("consumers are stopped")
)

// Options are what all consumers of a [Runner] have in common. All must be
// positive.
type Options struct {
	// Workers is how many batches of new records a consumer processes side by
	// side. One more batch may be under way with failed records.
	Workers int
	// Batch is the largest number of items in a call of [Process].
	Batch int
	// FirstPause and LongestPause are the pauses before failed records are tried
	// again. The pause doubles as long as everything fails.
	FirstPause, LongestPause time.Duration
	// MaxFailed is how many failed records a consumer may have before it stops
	// reading new ones. A failed record takes a few bytes of memory.
	MaxFailed int
}

func (o Options) check() error {
	if min(o.Workers, o.Batch, o.MaxFailed) < 1 || min(o.FirstPause, o.LongestPause) <= 0 {
		return fmt.Errorf("%w: an option is not positive: %+v", ErrConfig, o)
	}
	return nil
}

// Runner delivers the records of a feed to consumers until it is stopped.
type Runner struct {
	feed  Feed
	loops []*loop
	stop  context.CancelFunc
	done  chan struct{}
}

// Start registers the consumers with the feed and runs each from its checkpoint.
//
// Records are read in order. A record whose item cannot be read, or fails with
// [ErrPermanent], is logged and passed over. One that fails otherwise is tried
// again, with growing pauses, for as long as it takes, while those behind it go
// on, even those with the same key: one alert that nobody accepts must not hold
// up the others. The checkpoint stays before the oldest failed record. After a
// crash everything behind the checkpoint comes again.
//
// The error wraps [ErrConfig] if an option is not positive, or if a consumer has no
// name or that of another: they would share a checkpoint.
func Start(ctx context.Context, feed Feed, o Options, log *slog.Logger, consumers ...Consumer) (*Runner, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	var names []string
	for _, c := range consumers {
		if c.Name == "" || slices.Contains(names, c.Name) {
			return nil, fmt.Errorf("%w: no name, or one used twice: %q", ErrConfig, c.Name)
		}
		names = append(names, c.Name)
	}
	if err := feed.Register(ctx, names...); err != nil {
		return nil, err
	}
	r := &Runner{feed: feed, done: make(chan struct{})}
	for _, c := range consumers {
		checkpoint, err := feed.Checkpoint(c.Name)
		if err != nil {
			return nil, err
		}
		r.loops = append(r.loops, &loop{
			Consumer: c, Options: o,
			feed: feed, log: log.With("consumer", c.Name),
			read: checkpoint, saved: checkpoint,
			locked:  make(map[string]bool),
			changed: make(chan struct{}),
		})
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stop = stop
	var all sync.WaitGroup
	for _, l := range r.loops {
		var working sync.WaitGroup
		working.Go(func() { l.readUntil(running) })
		working.Go(func() { l.retryUntil(running) })
		working.Go(func() { l.saveUntil(running) })
		all.Go(func() {
			working.Wait()
			l.save()
		})
	}
	go func() {
		defer close(r.done)
		all.Wait()
	}()
	return r, nil
}

// Stop begins no more batches, and returns at once. Batches under way finish:
// their context does not end.
func (r *Runner) Stop() { r.stop() }

// Done returns a channel that is closed when nothing is under way after Stop.
func (r *Runner) Done() <-chan struct{} { return r.done }

// Settled waits until the consumers of some names, or all if none is given, are done with
// all records that are in the feed by now. The error wraps [ErrStopped] if the runner
// stops before.
func (r *Runner) Settled(ctx context.Context, names ...string) error {
	end, err := r.feed.End()
	if err != nil {
		return err
	}
	var loops []*loop
	for _, l := range r.loops {
		if len(names) == 0 || slices.Contains(names, l.Name) {
			loops = append(loops, l)
			l.change(func() { l.awaited = max(l.awaited, end) })
		}
	}
	for _, l := range loops {
		if err := l.await(ctx, r.done, func() bool { return l.saved >= end }); err != nil {
			return fmt.Errorf("%s: %w", l.Name, err)
		}
	}
	return nil
}
