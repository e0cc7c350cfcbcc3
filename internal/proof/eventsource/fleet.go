package eventsource

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ringback/ringback/internal/proof/lambdaruntime"
)

// Fleet is a real binary that is invoked concurrently. As on Lambda, each
// invocation has a process to itself: the one that became idle last, or a new one.
// Its methods may be called concurrently.
type Fleet struct {
	// Began, if set, is called with the process of each invocation before the event
	// is sent. Set it before the first invocation.
	Began func(*lambdaruntime.Process)

	start   func() (*lambdaruntime.Process, error)
	timeout time.Duration

	mu   sync.Mutex
	idle []*Function
	size int
}

var _ Invoker = (*Fleet)(nil)

// NewFleet returns a function whose processes start starts, concurrently and each
// with a timeout per invocation. Whoever starts a process ends it.
func NewFleet(start func() (*lambdaruntime.Process, error), timeout time.Duration) *Fleet {
	return &Fleet{start: start, timeout: timeout}
}

// Size returns the largest number of concurrent invocations so far.
func (f *Fleet) Size() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.size
}

// Invoke implements [Invoker]. A process that ends during init fails the invocation
// that it was started for.
func (f *Fleet) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	one := f.take()
	defer f.giveBack(one)
	process, err := one.Process()
	switch {
	case errors.As(err, new(*lambdaruntime.InitError)):
		return nil, fmt.Errorf("%w: %w", ErrFunction, err)
	case err != nil:
		return nil, fmt.Errorf("start function: %w", err)
	}
	if f.Began != nil {
		f.Began(process)
	}
	return one.Invoke(ctx, event)
}

func (f *Fleet) take() *Function {
	f.mu.Lock()
	defer f.mu.Unlock()
	if last := len(f.idle) - 1; last >= 0 {
		one := f.idle[last]
		f.idle = f.idle[:last]
		return one
	}
	f.size++
	return NewFunction(f.start, f.timeout)
}

func (f *Fleet) giveBack(one *Function) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.idle = append(f.idle, one)
}
