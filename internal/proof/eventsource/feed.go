package eventsource

import (
	"context"
	"errors"
	"sync"

	"github.com/ringback/ringback/internal/consumer"
)

// Feed is the event source mapping of a stream that is still written to. Records
// of one partition key stay in order; each worker sends what has arrived by then,
// a batch at a time. Its methods may be called concurrently.
type Feed struct {
	ctx     context.Context // of the whole feed
	stream  Stream
	to      Invoker
	workers *consumer.Workers[Record]

	mu        sync.Mutex
	discarded []Discarded
	err       error // of the test
}

// Feed starts a feed with as many workers as ParallelizationFactor says. It ends
// with ctx.
func (s Stream) Feed(ctx context.Context, workers int, to Invoker) *Feed {
	f := &Feed{ctx: ctx, stream: s, to: to}
	f.workers = consumer.NewWorkers(max(1, workers), s.BatchSize, f.send)
	return f
}

// Put appends the records of a partition key to the stream.
func (f *Feed) Put(partition string, records ...Record) {
	f.workers.Add(func(Record) string { return partition }, f.stream.wanted(records)...)
}

// Wait waits until nothing is left, and returns what was discarded so far. The
// error is a fault of the test, not of the function; records after it were not
// sent.
func (f *Feed) Wait() ([]Discarded, error) {
	f.workers.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.discarded, f.err
}

func (f *Feed) send(batch []Record) {
	f.mu.Lock()
	failed := f.err != nil
	f.mu.Unlock()
	if failed {
		return
	}
	discarded, err := f.stream.sendAll(f.ctx, f.to, batch)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.discarded = append(f.discarded, discarded...)
	f.err = errors.Join(f.err, err)
}
