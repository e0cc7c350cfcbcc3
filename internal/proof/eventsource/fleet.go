package eventsource

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ringback/ringback/internal/proof/lambdaruntime"
)

// Fleet is a real binary that is invoked several times at once. As on Lambda,
// each invocation has a process to itself: the one that was idle for the
// shortest time, or a new one where all are busy. Its methods may be called from
// several goroutines.
type Fleet struct {
	// Began is called with the process of every invocation before the event is
	// handed over; nil is for nobody who wants to know. It is set before the
	// first invocation.
	Began func(*lambdaruntime.Process)

	start   func() (*lambdaruntime.Process, error)
	timeout time.Duration

	mu   sync.Mutex
	idle []*Function
	size int
}

var _ Invoker = (*Fleet)(nil)

// NewFleet returns the function whose processes start starts, by several
// goroutines, with a time limit for each invocation. Whoever starts a process
// ends it.
func NewFleet(start func() (*lambdaruntime.Process, error), timeout time.Duration) *Fleet {
	return &Fleet{start: start, timeout: timeout}
}

// Size is how many invocations there were at once at the most.
func (f *Fleet) Size() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.size
}

// Invoke implements [Invoker]. A process that ends before it polls fails the
// invocation that it was started for.
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
