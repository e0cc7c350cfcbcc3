package consumer

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/timing"
)

const (
	// maxRecords is how many records are read from the feed at once.
	maxRecords = 400
	// maxFailures ends a round of retries, so that a pause follows.
	maxFailures = 100
	// maxOfNumber is how many items about one number are worked on at the same time. What a
	// call means depends on the caller's others, so the work grows with their square.
	maxOfNumber = 10
)

// loop is one consumer's way through a feed. Three goroutines share it: one reads
// new records, one retries those that failed, and one sets the checkpoint, for which
// nobody waits. The keys that one of the first two has under way are locked for the other.
type loop struct {
	Consumer
	Options

	feed Feed
	log  *slog.Logger

	mu      sync.Mutex
	read    uint64          // the last record that was read and tried
	failed  []uint64        // sequences to retry, the next one first
	full    bool            // the lack of room for failed records is logged
	locked  map[string]bool // keys of the records under way
	saved   uint64          // the checkpoint in the feed
	awaited uint64          // the last record for which somebody waits
	changed chan struct{}   // closed when any of these changes
}

// readUntil processes new records until ctx ends.
func (l *loop) readUntil(ctx context.Context) {
	pause := l.FirstPause
	for l.awaitRoom(ctx) {
		if err := l.readAndRest(ctx); err == nil {
			pause = l.FirstPause
			continue
		}
		timing.Sleep(ctx, pause)
		pause = min(2*pause, l.LongestPause)
	}
}

// awaitRoom waits until fewer than MaxFailed records have failed. It returns
// false when ctx ends. The lack of room is logged once, and again only after half
// of the room was free.
func (l *loop) awaitRoom(ctx context.Context) bool {
	return l.await(ctx, nil, func() bool {
		failed := len(l.failed)
		l.full = l.full && failed > l.MaxFailed/2
		if failed >= l.MaxFailed && !l.full {
			l.full = true
			l.log.Error("consumer held up by failed records", "failed", failed)
		}
		return failed < l.MaxFailed
	}) == nil
}

// readAndRest processes the next records, and returns when it is time to read on.
func (l *loop) readAndRest(ctx context.Context) error {
	rest, cancel := context.WithTimeout(ctx, l.Every)
	defer cancel()
	n, err := l.readNext(ctx)
	if err == nil && n < maxRecords {
		_ = l.await(rest, nil, func() bool { return l.awaited > l.read })
	}
	return err
}

// readNext waits for the next records, processes them, and returns how many there were.
func (l *loop) readNext(ctx context.Context) (n int, err error) {
	records, err := l.feed.Feed(ctx, l.read, maxRecords) // only this goroutine writes l.read
	if err != nil {
		l.logUnread(ctx, err)
		return 0, err
	}
	failed := l.process(ctx, records)
	l.change(func() {
		l.read = records[len(records)-1].Sequence
		l.failed = append(l.failed, failed...)
	})
	return len(records), nil
}

// logUnread logs that the feed cannot be read, unless that is because of a stop.
func (l *loop) logUnread(ctx context.Context, err error) {
	if ctx.Err() == nil {
		l.log.Error("feed not read", "error", err)
	}
}

// saveUntil sets the checkpoint after each change until ctx ends. What the feed does not
// take is tried again by retryUntil.
func (l *loop) saveUntil(ctx context.Context) {
	tried := uint64(0)
	for l.await(ctx, nil, func() bool { return l.position() > max(l.saved, tried) }) == nil {
		l.mu.Lock()
		tried = l.position()
		l.mu.Unlock()
		l.save()
	}
}

// position returns the checkpoint that is to be set: before the oldest failed record, or
// behind what was read. The caller holds the lock.
func (l *loop) position() uint64 {
	if len(l.failed) > 0 {
		return slices.Min(l.failed) - 1 // retries change their order
	}
	return l.read
}

// retryUntil retries what failed until ctx ends.
func (l *loop) retryUntil(ctx context.Context) {
	pause := l.FirstPause
	for l.await(ctx, nil, l.isBehind) == nil && timing.Sleep(ctx, pause) {
		if l.retry(ctx) {
			pause = l.FirstPause
		} else {
			pause = min(2*pause, l.LongestPause)
		}
	}
}

// isBehind reports whether records are to be retried, or the checkpoint is to be
// set again. The caller holds the lock.
func (l *loop) isBehind() bool { return l.saved < l.read }

// retry tries each failed record once, or fewer if too many fail again; the next
// call goes on with the rest. It reports whether any of them is done now.
func (l *loop) retry(ctx context.Context) (progress bool) {
	l.mu.Lock()
	left := len(l.failed)
	l.mu.Unlock()
	progress = left == 0
	for failures := 0; left > 0 && failures < maxFailures && ctx.Err() == nil; {
		l.mu.Lock()
		batch := slices.Clone(l.failed[:min(left, l.Batch, maxFailures-failures)])
		l.mu.Unlock()
		records, err := l.feed.Records(ctx, batch)
		if err != nil {
			l.logUnread(ctx, err)
			break
		}
		failed := l.process(ctx, records)
		l.change(func() { l.failed = append(l.failed[len(batch):], failed...) })
		left -= len(batch)
		failures += len(failed)
		progress = progress || len(failed) < len(batch)
	}
	return l.save() && progress
}

// process processes records and returns the sequences of those to retry, in
// order. The end of ctx does not interrupt it: an alert that was published must
// still be marked.
func (l *loop) process(ctx context.Context, records []Record) (failed []uint64) {
	var wanted []Record
	for _, r := range records {
		switch {
		case r.Err != nil:
			l.log.Error("record unreadable", "sequence", r.Sequence, "error", r.Err)
		case l.wants(r.Item):
			wanted = append(wanted, r)
		}
	}
	free, locked := l.lock(wanted)
	defer l.unlock(free)
	for _, r := range locked {
		failed = append(failed, r.Sequence)
	}

	stopping := ctx
	ctx = context.WithoutCancel(ctx)
	var mu sync.Mutex
	for round, some := range byNumber(free) {
		if round > 0 && stopping.Err() != nil {
			for _, r := range some {
				failed = append(failed, r.Sequence)
			}
			continue
		}
		workers := NewWorkers(l.Workers, l.Batch, func(batch []Record) {
			sequences := l.processBatch(ctx, batch)
			mu.Lock()
			defer mu.Unlock()
			failed = append(failed, sequences...)
		})
		workers.Add(l.keyOf, some...)
		workers.Wait()
	}
	slices.Sort(failed)
	return failed
}

// byNumber divides records into rounds, in each of which at most [maxOfNumber] are about the
// same number.
func byNumber(records []Record) (rounds [][]Record) {
	seen := make(map[string]int)
	first := 0
	for i, r := range records {
		number := table.Text(r.Item, table.GSI1PK)
		if number != "" && seen[number] == maxOfNumber {
			rounds = append(rounds, records[first:i])
			first = i
			clear(seen)
		}
		seen[number]++
	}
	return append(rounds, records[first:])
}

func (l *loop) processBatch(ctx context.Context, batch []Record) (failed []uint64) {
	items := make([]table.Item, len(batch))
	for i, r := range batch {
		items[i] = r.Item
	}
	for i, err := range l.Process.Run(ctx, items) {
		switch {
		case errors.Is(err, ErrNotAgain):
		case errors.Is(err, ErrResults):
			l.log.Error("record not processed", "sequence", batch[i].Sequence, "error", err)
			failed = append(failed, batch[i].Sequence)
		case errors.Is(err, ErrPermanent):
			l.log.Error("record passed over", "sequence", batch[i].Sequence, "error", err)
		case err != nil:
			failed = append(failed, batch[i].Sequence)
		}
	}
	return failed
}

func (l *loop) keyOf(r Record) string { return l.key(r.Item) }

// lock locks the keys of records. Those whose keys are locked by the other
// goroutine are returned for later.
func (l *loop) lock(records []Record) (free, locked []Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range records {
		if l.locked[l.keyOf(r)] {
			locked = append(locked, r)
		} else {
			free = append(free, r)
		}
	}
	for _, r := range free {
		l.locked[l.keyOf(r)] = true
	}
	return free, locked
}

func (l *loop) unlock(records []Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range records {
		delete(l.locked, l.keyOf(r))
	}
}

// save sets the checkpoint. It returns false if the feed does not take it.
func (l *loop) save() bool {
	l.mu.Lock()
	position, saved := l.position(), l.saved
	l.mu.Unlock()
	if position <= saved {
		return true
	}
	if err := l.feed.SetCheckpoint(context.Background(), l.Name, position); err != nil {
		l.log.Error("checkpoint not set", "sequence", position, "error", err)
		return false
	}
	l.change(func() { l.saved = max(l.saved, position) })
	return true
}

// change changes what the lock guards, and wakes those that await it.
func (l *loop) change(it func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	it()
	close(l.changed)
	l.changed = make(chan struct{})
}

// await waits until a condition holds, which it checks with the lock held after
// every change. It returns the error of ctx, or [ErrStopped] once stopped is
// closed.
func (l *loop) await(ctx context.Context, stopped <-chan struct{}, holds func() bool) error {
	for ctx.Err() == nil {
		l.mu.Lock()
		ok, changed := holds(), l.changed
		l.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-stopped:
			return ErrStopped
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}
