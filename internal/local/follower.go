package local

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/bolt"
	"github.com/ringback/ringback/internal/timing"
)

const (
	// consumer is the name under which the store keeps how far the alerts have
	// come.
	consumer = "alerts"

	// maxRecords is how many records are read from the feed at once.
	maxRecords = 100
	// lanes is how many batches of new records are alerted side by side, where
	// they are forwarded.
	lanes = 2
	// With maxWaiting records that wait to be tried again, no new ones are read.
	// Each takes a few bytes; it is the receiver that has a problem by then.
	maxWaiting = 100_000
	// maxFailures is how many tries fail before there is a pause.
	maxFailures = 100

	// How long to wait before what failed is tried again, at first and at most.
	firstPause   = time.Second
	longestPause = 30 * time.Second
)

// Unmarked is how many alerts may be published and not yet marked as such: a
// batch in each lane, and one of what is tried again. So many may come twice
// after a kill.
const Unmarked = (lanes + 1) * alert.MaxBatch

// errStopped says that the stack is closed.
var errStopped = errors.New("the alerts are stopped")

// follower takes what is put into the store to the alerts, as the table's
// stream does on AWS.
//
// It goes through the feed in order, and the store remembers how far everything
// is done. What fails is tried again, with growing pauses, for as long as it
// takes: the feed is on disk. Meanwhile what comes after it goes its way, so
// that alerts that nobody takes hold no other up, be it that they are refused or
// that there is no answer. Only where maxWaiting of them have come together are
// no new ones read until some are taken; that is logged, and loses nothing.
// After a crash everything since the oldest that failed comes again, and meets
// the marks that say what was published.
//
// Two goroutines share the work: one reads what is new, the other tries again.
// They never have alerts of one call under way at the same time, or both might
// find that it has no mark.
type follower struct {
	store     *bolt.Store
	alerts    *alert.Dispatcher
	publisher *publisher
	log       *slog.Logger

	firstPause, longestPause time.Duration
	maxWaiting, lanes        int

	stop context.CancelFunc
	done chan struct{} // closed when it has stopped

	mu      sync.Mutex
	read    uint64          // the last record that was read and tried
	waiting []uint64        // the sequences of those that failed, the next to be tried first
	busy    map[string]bool // the calls of what is being alerted
	settled uint64          // the checkpoint: everything up to it is done
	changed chan struct{}   // closed when any of these has changed
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
		maxWaiting:   cmp.Or(c.maxWaiting, maxWaiting),
		lanes:        lanes,
		stop:         stop,
		done:         make(chan struct{}),
		read:         checkpoint,
		busy:         make(map[string]bool),
		settled:      checkpoint,
		changed:      make(chan struct{}),
	}
	if c.ForwardURL == "" {
		f.lanes = 1 // who reads them reads them in order
	}
	var both sync.WaitGroup
	both.Go(func() { f.advanceUntil(ctx) })
	both.Go(func() { f.retryUntil(ctx) })
	go func() {
		defer close(f.done)
		both.Wait()
	}()
	return f, nil
}

// close finishes the alerts that are under way, if that takes no more than a
// moment, and stops. With an error the follower still runs, and uses the store.
func (f *follower) close() error {
	f.stop()
	return f.publisher.close(f.done)
}

// advanceUntil goes on with what is new until ctx ends.
func (f *follower) advanceUntil(ctx context.Context) {
	pause := f.firstPause
	for told := false; f.hasRoom(ctx, &told); {
		if f.advance(ctx) == nil {
			pause = f.firstPause
			continue
		}
		timing.Sleep(ctx, pause)
		pause = min(2*pause, f.longestPause)
	}
}

// hasRoom waits until there is room for what may fail. It reports false if ctx
// ends before. That there is none is told once, until half of it is free.
func (f *follower) hasRoom(ctx context.Context, told *bool) bool {
	for ctx.Err() == nil {
		f.mu.Lock()
		waiting, changed := len(f.waiting), f.changed
		f.mu.Unlock()
		*told = *told && waiting > f.maxWaiting/2
		if waiting < f.maxWaiting {
			return true
		}
		if !*told {
			*told = true
			f.log.Error("alerts held up until their receiver takes some", "waiting", waiting)
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return false
}

// advance waits for the next records and delivers them.
func (f *follower) advance(ctx context.Context) error {
	records, err := f.store.Feed(ctx, f.read, maxRecords) // only this goroutine changes it
	if err != nil {
		if ctx.Err() == nil {
			f.log.Error("feed not read", "error", err)
		}
		return err
	}
	failed := f.deliver(records)
	f.change(func() {
		f.read = records[len(records)-1].Sequence
		f.waiting = append(f.waiting, failed...)
	})
	f.save()
	return nil
}

// retryUntil tries again what failed until ctx ends.
func (f *follower) retryUntil(ctx context.Context) {
	for f.falls(ctx) {
		for pause := f.firstPause; f.behind() && timing.Sleep(ctx, pause); {
			if f.retry(ctx) {
				pause = f.firstPause
			} else {
				pause = min(2*pause, f.longestPause)
			}
		}
	}
}

// falls waits until something is to be tried again. It reports false if ctx
// ends before.
func (f *follower) falls(ctx context.Context) bool {
	for ctx.Err() == nil {
		f.mu.Lock()
		changed := f.changed
		f.mu.Unlock()
		if f.behind() {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return false
}

// behind reports whether something is to be tried again, or to be saved.
func (f *follower) behind() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.settled < f.read
}

// retry tries again what waits: everything once, unless too much fails. Then the
// next call goes on with the rest. It reports false where all that it did was in
// vain.
func (f *follower) retry(ctx context.Context) (further bool) {
	f.mu.Lock()
	left := len(f.waiting)
	f.mu.Unlock()
	further = left == 0
	for failures := 0; left > 0 && failures < maxFailures && ctx.Err() == nil; {
		// In batches of its own: the dispatcher gives up what is left of a
		// longer one when nothing of the first is taken.
		f.mu.Lock()
		batch := slices.Clone(f.waiting[:min(left, alert.MaxBatch)])
		f.mu.Unlock()
		records, err := f.store.Records(ctx, batch)
		if err != nil {
			if ctx.Err() == nil {
				f.log.Error("feed not read", "error", err)
			}
			break
		}
		failed := f.deliver(records)
		f.change(func() { f.waiting = append(f.waiting[len(batch):], failed...) })
		left -= len(batch)
		failures += len(failed)
		further = further || len(failed) < len(batch)
	}
	return f.save() && further
}

// deliver alerts what of the records is to be alerted, and returns the sequences
// of those that failed. What cannot be alerted, now or later, is passed: it stays
// in the store.
//
// A stop does not end its context, or what was published would not be marked; it
// is the publisher that gives up.
func (f *follower) deliver(records []bolt.Record) (failed []uint64) {
	var due []bolt.Record
	for _, r := range records {
		if r.Err != nil {
			f.log.Error("record unreadable", "sequence", r.Sequence, "error", r.Err)
			continue
		}
		if _, ok := r.Item[table.Alert]; ok {
			due = append(due, r)
		}
	}
	claimed, later := f.claim(due)
	defer f.release(claimed)
	for _, r := range later {
		failed = append(failed, r.Sequence)
	}

	// The alerts of one call stay in order, and so in one lane.
	byLane := make([][]bolt.Record, f.lanes)
	laneOf := make(map[string]int)
	for _, r := range claimed {
		lane, ok := laneOf[callOf(r)]
		if !ok {
			lane = len(laneOf) % f.lanes
			laneOf[callOf(r)] = lane
		}
		byLane[lane] = append(byLane[lane], r)
	}
	failures := make([][]uint64, f.lanes)
	var all sync.WaitGroup
	for lane, records := range byLane {
		all.Go(func() { failures[lane] = f.deliverInOrder(records) })
	}
	all.Wait()
	failed = slices.Concat(append(failures, failed)...)
	slices.Sort(failed)
	return failed
}

// deliverInOrder goes batch by batch: of more the dispatcher would leave the
// rest untried where nothing of the first is taken.
func (f *follower) deliverInOrder(records []bolt.Record) (failed []uint64) {
	for batch := range slices.Chunk(records, alert.MaxBatch) {
		items := make([]table.Item, len(batch))
		for i, r := range batch {
			items[i] = r.Item
		}
		for i, err := range f.alerts.Deliver(context.Background(), items) {
			switch {
			case errors.Is(err, alert.ErrItem):
				f.log.Error("record passed over", "sequence", batch[i].Sequence, "error", err)
			case err != nil:
				failed = append(failed, batch[i].Sequence)
			}
		}
	}
	return failed
}

// claim takes those records whose calls the other goroutine has no alert of
// under way. The others are for later.
func (f *follower) claim(records []bolt.Record) (claimed, later []bolt.Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range records {
		if f.busy[callOf(r)] {
			later = append(later, r)
		} else {
			claimed = append(claimed, r)
		}
	}
	for _, r := range claimed {
		f.busy[callOf(r)] = true
	}
	return claimed, later
}

// release undoes claim.
func (f *follower) release(records []bolt.Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range records {
		delete(f.busy, callOf(r))
	}
}

func callOf(r bolt.Record) string { return table.CallOf(table.KeyOf(r.Item)) }

// position returns how far everything is done. The caller holds the lock.
func (f *follower) position() uint64 {
	if len(f.waiting) > 0 {
		return slices.Min(f.waiting) - 1 // they are tried in turn, and so in no order
	}
	return f.read
}

// save has the store remember the position. It reports false if that failed.
func (f *follower) save() bool {
	f.mu.Lock()
	position, settled := f.position(), f.settled
	f.mu.Unlock()
	if position <= settled {
		return true
	}
	if err := f.store.SetCheckpoint(context.Background(), consumer, position); err != nil {
		f.log.Error("checkpoint not set", "sequence", position, "error", err)
		return false
	}
	f.change(func() { f.settled = max(f.settled, position) })
	return true
}

// change changes what the lock guards, and tells whoever waits for it.
func (f *follower) change(it func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	it()
	close(f.changed)
	f.changed = make(chan struct{})
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
		settled, changed := f.settled, f.changed
		f.mu.Unlock()
		if settled >= end {
			return nil
		}
		select {
		case <-changed:
		case <-f.done:
			return errStopped
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
