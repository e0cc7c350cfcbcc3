package local

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/bolt"
)

const (
	// consumer is the name under which the store keeps how far the alerts have
	// come.
	consumer = "alerts"

	// maxRecords is how many records are read from the feed at once.
	maxRecords = 100
	// With maxWaiting records that wait to be tried again, no new ones are read.
	maxWaiting = 100

	// How long to wait before what failed is tried again, at first and at most.
	firstPause   = time.Second
	longestPause = 30 * time.Second
)

// errStopped says that the stack is closed.
var errStopped = errors.New("the alerts are stopped")

// follower takes what is put into the store to the alerts, as the table's
// stream does on AWS.
//
// It goes through the feed in order, and the store remembers how far everything
// is done. What fails is tried again, with growing pauses, for as long as it
// takes: the feed is on disk. Meanwhile what comes after it goes its way, so
// that one alert that nobody takes holds no other up. After a crash everything
// since the oldest that failed comes again, and meets the marks that say what
// was published.
type follower struct {
	store     *bolt.Store
	alerts    *alert.Dispatcher
	publisher *publisher
	log       *slog.Logger

	firstPause, longestPause time.Duration

	// Of run alone.
	read    uint64        // the last record that was read
	waiting []bolt.Record // those that failed, oldest first

	stop context.CancelFunc
	done chan struct{} // closed when it has stopped

	mu      sync.Mutex
	settled uint64        // the checkpoint: everything up to it is done
	moved   chan struct{} // closed when settled grows
}

// follow starts at the checkpoint.
func follow(store *bolt.Store, c Config, log *slog.Logger) (*follower, error) {
	p, err := newPublisher(c)
	if err != nil {
		return nil, err
	}
	checkpoint, err := store.Checkpoint(consumer)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	f := &follower{
		store:        store,
		alerts:       alert.New(store, p, log),
		publisher:    p,
		log:          log,
		firstPause:   cmp.Or(c.FirstPause, firstPause),
		longestPause: cmp.Or(c.LongestPause, longestPause),
		read:         checkpoint,
		stop:         stop,
		done:         make(chan struct{}),
		settled:      checkpoint,
		moved:        make(chan struct{}),
	}
	go func() {
		defer close(f.done)
		f.run(ctx)
	}()
	return f, nil
}

// close finishes the alerts that are under way, if that takes no more than a
// moment, and stops.
func (f *follower) close() {
	f.stop()
	f.publisher.close(f.done)
}

// run follows the feed until ctx ends.
func (f *follower) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := f.advance(ctx)
		for pause := f.firstPause; (err != nil || f.behind()) && ctx.Err() == nil; err = nil {
			f.advanceFor(ctx, pause)
			if f.retry(ctx) {
				pause = f.firstPause
			} else {
				pause = min(2*pause, f.longestPause)
			}
		}
	}
}

// advanceFor goes on with what comes until the time is up.
func (f *follower) advanceFor(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	for len(f.waiting) < maxWaiting && f.advance(ctx) == nil {
		continue
	}
	<-ctx.Done()
}

// advance waits for the next records and delivers them.
func (f *follower) advance(ctx context.Context) error {
	records, err := f.store.Feed(ctx, f.read, maxRecords)
	if err != nil {
		if ctx.Err() == nil {
			f.log.Error("feed not read", "error", err)
		}
		return err
	}
	f.waiting = append(f.waiting, f.deliver(records)...)
	f.read = records[len(records)-1].Sequence
	f.save()
	return nil
}

// retry delivers what waits, each for itself: the dispatcher gives a batch up
// when nothing of it is taken. It reports whether that got any further.
func (f *follower) retry(ctx context.Context) (further bool) {
	var failed []bolt.Record
	for _, r := range f.waiting {
		if ctx.Err() != nil {
			failed = append(failed, r)
			continue
		}
		failed = append(failed, f.deliver([]bolt.Record{r})...)
	}
	further = len(failed) < len(f.waiting)
	f.waiting = failed
	f.save()
	return further
}

// deliver alerts what of the records is to be alerted, and returns those that
// failed. What cannot be alerted, now or later, is passed: it stays in the
// store.
//
// A stop does not end its context, or what was published would not be marked; it
// is the publisher that gives up.
func (f *follower) deliver(records []bolt.Record) (failed []bolt.Record) {
	var due []bolt.Record
	var items []table.Item
	for _, r := range records {
		if r.Err != nil {
			f.log.Error("record unreadable", "sequence", r.Sequence, "error", r.Err)
			continue
		}
		if _, ok := r.Item[table.Alert]; ok {
			due, items = append(due, r), append(items, r.Item)
		}
	}
	if len(due) == 0 {
		return nil
	}
	for i, err := range f.alerts.Deliver(context.Background(), items) {
		switch {
		case errors.Is(err, alert.ErrItem):
			f.log.Error("record passed over", "sequence", due[i].Sequence, "error", err)
		case err != nil:
			failed = append(failed, due[i])
		}
	}
	return failed
}

// position returns how far everything is done.
func (f *follower) position() uint64 {
	if len(f.waiting) > 0 {
		return f.waiting[0].Sequence - 1
	}
	return f.read
}

// behind reports whether something is to be tried again.
func (f *follower) behind() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.settled < f.read
}

// save has the store remember the position.
func (f *follower) save() {
	position := f.position()
	if position == f.settled { // which only this goroutine changes
		return
	}
	if err := f.store.SetCheckpoint(context.Background(), consumer, position); err != nil {
		f.log.Error("checkpoint not set", "sequence", position, "error", err)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.settled = position
	close(f.moved)
	f.moved = make(chan struct{})
}

// await waits until everything that is in the store by now has been through
// the alerts.
func (f *follower) await(ctx context.Context) error {
	end, err := f.store.End()
	if err != nil {
		return err
	}
	for {
		f.mu.Lock()
		settled, moved := f.settled, f.moved
		f.mu.Unlock()
		if settled >= end {
			return nil
		}
		select {
		case <-moved:
		case <-f.done:
			return errStopped
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
