package lambdaruntime

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"
)

// functionARN stands for the function in every invocation; account 000000000000 is nobody's.
const functionARN = "arn:aws:lambda:us-east-1:000000000000:function:local"

// FunctionError is a failure that the process reported itself, to invocation/{id}/error or to
// init/error.
type FunctionError struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
	// Payload is the report as posted, stack trace included.
	Payload []byte `json:"-"`
}

// Error is the type and the message.
func (e *FunctionError) Error() string { return e.Type + ": " + e.Message }

// newFunctionError reads a report; one that is not JSON is kept as its message.
func newFunctionError(payload []byte, headerType string) *FunctionError {
	e := &FunctionError{Type: headerType, Payload: payload}
	if err := json.Unmarshal(payload, e); err != nil {
		e.Message = string(payload)
	}

	return e
}

// Result is what came of an invocation.
type Result struct {
	RequestID string
	// Payload is the response, nil where the process posted none.
	Payload []byte
	// FunctionError is the failure that the handler reported in place of a response.
	FunctionError *FunctionError
	// Latency is the time from handing the event over to having the whole answer: what the
	// caller of a function waits for.
	Latency time.Duration
	// Duration is the time from handing the event over to the next poll: what is billed.
	Duration time.Duration
}

// invocation is one event on its way through the process. Its result belongs to Process.mu
// until over is closed.
type invocation struct {
	payload  []byte
	deadline time.Time
	handed   time.Time
	answered bool
	result   Result
	over     chan struct{}
}

// Invoke hands the payload to the process and waits until the process polls again. Invocations
// of one process follow one another, as on Lambda: a call waits for the one before.
//
// Where the process takes longer than timeout it is killed, and the error wraps [ErrTimedOut];
// where ctx is done first it is killed too, since half an invocation cannot be taken back. A
// process that ends instead of polling, or had ended before, gives [ErrExited]. With each of
// these errors the result holds whatever the process posted before. A failure that the handler
// reports is no error here: see [Result.FunctionError].
func (p *Process) Invoke(ctx context.Context, payload []byte, timeout time.Duration) (Result, error) {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-p.exited:
		return Result{}, p.exitError()
	case <-ctx.Done():
		return Result{}, fmt.Errorf("wait for the invocation before: %w", ctx.Err())
	}

	inv := &invocation{
		payload:  payload,
		deadline: time.Now().Add(timeout),
		result:   Result{RequestID: newRequestID()},
		over:     make(chan struct{}),
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()

	// The first round hands the invocation over, the second waits for its end.
	hand := p.invocations
	for {
		select {
		case hand <- inv:
			hand = nil
		case <-inv.over:
			return inv.result, nil
		case <-p.exited:
			return p.outcome(inv, p.exitError())
		case <-timer.C:
			p.Kill()

			return p.outcome(inv, fmt.Errorf("%w after %v\n%s", ErrTimedOut, timeout, tail(p.Logs())))
		case <-ctx.Done():
			p.Kill()

			return p.outcome(inv, fmt.Errorf("invocation given up: %w", ctx.Err()))
		}
	}
}

// outcome is the result and the error of an invocation whose process has ended; one that was
// over before that is none the worse for it.
func (p *Process) outcome(inv *invocation, err error) (Result, error) {
	p.mu.Lock()
	defer p.mu.Unlock()

	select {
	case <-inv.over:
		return inv.result, nil
	default:
		return inv.result, err
	}
}

// newRequestID returns a random UUID, the form of Lambda's request ids.
func newRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // Never fails, by its contract.
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80

	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// newTraceID returns an X-Ray trace header of an unsampled trace.
func newTraceID(now time.Time) string {
	var b [20]byte
	_, _ = rand.Read(b[:])

	return fmt.Sprintf("Root=1-%08x-%x;Parent=%x;Sampled=0", now.Unix(), b[:12], b[12:])
}
