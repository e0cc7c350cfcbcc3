package eventsource

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ringback/ringback/internal/proof/lambdaruntime"
)

// ErrFunction means that an invocation failed: the function returned an error,
// crashed or timed out.
var ErrFunction = errors.New("eventsource: function failed")

// Invoker sends an event to a function and returns its answer. An error that wraps
// [ErrFunction] is a failed invocation; any other is a fault of the test.
type Invoker interface {
	Invoke(ctx context.Context, event []byte) (answer []byte, err error)
}

// InvokerFunc is an [Invoker] of one function.
type InvokerFunc func(ctx context.Context, event []byte) ([]byte, error)

// Invoke calls f.
func (f InvokerFunc) Invoke(ctx context.Context, event []byte) ([]byte, error) { return f(ctx, event) }

// Function is a real binary. As on Lambda, one process serves invocations one after
// the other until it ends; then a new one takes its place.
type Function struct {
	start   func() (*lambdaruntime.Process, error)
	timeout time.Duration

	mu      sync.Mutex
	process *lambdaruntime.Process
}

var _ Invoker = (*Function)(nil)

// NewFunction returns the function that start starts, with a timeout per
// invocation. Whoever starts a process ends it.
func NewFunction(start func() (*lambdaruntime.Process, error), timeout time.Duration) *Function {
	return &Function{start: start, timeout: timeout}
}

// Process returns the running process, and starts one if there is none.
func (f *Function) Process() (*lambdaruntime.Process, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.process != nil {
		select {
		case <-f.process.Exited():
		default:
			return f.process, nil
		}
	}
	process, err := f.start()
	if err != nil {
		return nil, err
	}
	f.process = process
	return process, nil
}

// Invoke implements [Invoker].
func (f *Function) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	process, err := f.Process()
	if err != nil {
		return nil, fmt.Errorf("start function: %w", err)
	}
	result, err := process.Invoke(ctx, event, f.timeout)
	switch {
	case errors.Is(err, lambdaruntime.ErrExited), errors.Is(err, lambdaruntime.ErrTimedOut):
		return nil, fmt.Errorf("%w: %w", ErrFunction, err)
	case err != nil:
		return nil, err
	case result.FunctionError != nil:
		return nil, fmt.Errorf("%w: %w", ErrFunction, result.FunctionError)
	}
	return result.Payload, nil
}
