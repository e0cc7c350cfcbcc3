package eventsource

import (
	"context"
	"errors"
	"hash/fnv"
	"sync"
)

// Feed is the event source mapping of a stream that is still written to. Records
// of one partition key stay in order in one lane; each lane hands over what has
// come by then, a batch at a time. Its methods may be called from several
// goroutines.
type Feed struct {
	ctx    context.Context // that of the whole feed
	filter Filter
	stream Stream // without the filter: what no pattern matches is not queued
	to     Invoker

	mu        sync.Mutex
	idle      *sync.Cond
	lanes     []lane
	busy      int
	discarded []Discarded
	faults    []error
}

type lane struct {
	waiting []Record
	busy    bool
}

// Feed starts a feed with as many lanes as ParallelizationFactor says. It ends
// with ctx.
func (s Stream) Feed(ctx context.Context, lanes int, to Invoker) *Feed {
	f := &Feed{ctx: ctx, filter: s.Filter, stream: s, to: to, lanes: make([]lane, max(1, lanes))}
	f.stream.Filter = Filter{}
	f.idle = sync.NewCond(&f.mu)
	return f
}

// Put appends the records of a partition key to the stream.
func (f *Feed) Put(partition string, records ...Record) {
	var wanted []Record
	for _, r := range records {
		if f.filter.Match(r.Text) {
			wanted = append(wanted, r)
		}
	}
	if len(wanted) == 0 {
		return
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(partition)) // never fails
	f.mu.Lock()
	defer f.mu.Unlock()
	l := &f.lanes[hash.Sum32()%uint32(len(f.lanes))] //nolint:gosec // G115: there are few lanes
	l.waiting = append(l.waiting, wanted...)
	if !l.busy {
		l.busy = true
		f.busy++
		go f.run(l)
	}
}

// Wait returns what was discarded so far once nothing is left. The error is a
// fault of the test, not of the function; what came after it was not handed
// over.
func (f *Feed) Wait() ([]Discarded, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.busy > 0 {
		f.idle.Wait()
	}
	return f.discarded, errors.Join(f.faults...)
}

// run hands over what waits in a lane until nothing does.
func (f *Feed) run(l *lane) {
	for batch := f.next(l); len(batch) > 0; batch = f.next(l) {
		discarded, err := f.stream.Deliver(f.ctx, f.to, batch)
		f.mu.Lock()
		f.discarded = append(f.discarded, discarded...)
		if err != nil {
			f.faults = append(f.faults, err)
		}
		f.mu.Unlock()
	}
}

// next takes a batch, or none and leaves the lane idle.
func (f *Feed) next(l *lane) []Record {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(l.waiting) == 0 || len(f.faults) > 0 {
		l.waiting, l.busy = nil, false
		f.busy--
		f.idle.Broadcast()
		return nil
	}
	n := min(len(l.waiting), f.stream.BatchSize)
	batch := l.waiting[:n:n]
	l.waiting = l.waiting[n:]
	return batch
}
