package lambdaruntime

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	// maxAnswer is the largest response of a synchronous invocation, in bytes.
	maxAnswer = 6*1024*1024 + 100
	// functionARN is the function's in every invocation; account 000000000000 is
	// nobody's.
	functionARN = "arn:aws:lambda:us-east-1:000000000000:function:local"
	// trace is the X-Ray header of a trace that is not sampled.
	trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"
	// errorType is the header, or trailer, with the type of a failure.
	errorType = "Lambda-Runtime-Function-Error-Type"
)

// FunctionError is a failure that the process itself reported, to
// invocation/{id}/error or to init/error.
type FunctionError struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

// Error is the type and the message.
func (e *FunctionError) Error() string { return e.Type + ": " + e.Message }

// newFunctionError reads a report. A report that is not JSON becomes the message.
func newFunctionError(report []byte, kind string) *FunctionError {
	e := &FunctionError{Type: kind}
	if err := json.Unmarshal(report, e); err != nil {
		e.Message = string(report)
	}
	return e
}

// Result is the result of an invocation.
type Result struct {
	RequestID string
	// Payload is the response, nil if the process posted none.
	Payload []byte
	// FunctionError is the failure that the handler reported instead.
	FunctionError *FunctionError
	// Latency is the time from passing the event to having the whole answer, for
	// which the function's caller waits.
	Latency time.Duration
}

// invocation is one event on its way through the process. Its result belongs to
// Process.mu until over is closed.
type invocation struct {
	payload  []byte
	deadline time.Time
	handed   time.Time
	answered bool
	result   Result
	over     chan struct{}
}

// Invoke passes the payload to the process and waits until the process polls
// again. A call waits for the one before it: like Lambda, a process handles one
// event at a time.
//
// If the process takes longer than timeout and its Grace, it is killed, and the error wraps
// [ErrTimedOut]. If ctx is done first, it is killed too, because half an
// invocation cannot be taken back. If it ends instead of polling, or had ended
// before, the error wraps [ErrExited]. With each of these errors the result holds
// what the process posted before. A failure that the handler reports is not an
// error here: see [Result.FunctionError].
func (p *Process) Invoke(ctx context.Context, payload []byte, timeout time.Duration) (Result, error) {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-p.exited:
		return Result{}, p.exitError()
	case <-ctx.Done():
		return Result{}, fmt.Errorf("wait for the invocation before: %w", ctx.Err())
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout+p.Grace, ErrTimedOut)
	defer cancel()
	inv := &invocation{
		payload:  payload,
		deadline: time.Now().Add(timeout),
		result:   Result{RequestID: newRequestID()},
		over:     make(chan struct{}),
	}

	// The first round passes the invocation on, the second waits for its end.
	next := p.invocations
	for {
		select {
		case next <- inv:
			next = nil
		case <-inv.over:
			return inv.result, nil
		case <-p.exited:
			return p.outcome(inv, p.exitError())
		case <-ctx.Done():
			p.Kill()
			return p.outcome(inv, fmt.Errorf("%w; its time limit was %v\n%s", context.Cause(ctx), timeout, tail(p.Logs())))
		}
	}
}

// outcome is the result and the error of an invocation whose process has ended.
// There is no error if the invocation ended before the process did.
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
	_, _ = rand.Read(b[:]) // never fails, by its contract
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// handler serves the four calls of the Runtime API.
func (p *Process) handler() http.Handler {
	const version = "/2018-06-01/runtime"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+version+"/invocation/next", p.serveNext)
	mux.HandleFunc("POST "+version+"/invocation/{id}/response", p.answer(func(r *http.Request, body []byte, result *Result) {
		// A streamed response that fails halfway says so in trailers.
		if kind := r.Trailer.Get(errorType); kind != "" {
			report, _ := base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
			result.FunctionError = newFunctionError(report, kind)
		}
		result.Payload = body
	}))
	mux.HandleFunc("POST "+version+"/invocation/{id}/error", p.answer(func(r *http.Request, body []byte, result *Result) {
		result.FunctionError = newFunctionError(body, r.Header.Get(errorType))
	}))
	mux.HandleFunc("POST "+version+"/init/error", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // a report that is cut says something too
		p.mu.Lock()
		defer p.mu.Unlock()
		p.initError = newFunctionError(body, r.Header.Get(errorType))
		accept(w)
	})
	return http.MaxBytesHandler(mux, maxAnswer)
}

// serveNext ends the invocation under way, if there is one, and waits for the next.
func (p *Process) serveNext(w http.ResponseWriter, r *http.Request) {
	p.idle()
	select {
	case inv := <-p.invocations:
		p.mu.Lock()
		p.current, inv.handed = inv, time.Now()
		p.mu.Unlock()
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", inv.result.RequestID)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", functionARN)
		h.Set("Lambda-Runtime-Trace-Id", trace)
		_, _ = w.Write(inv.payload) // fails only if the process is gone, which Invoke sees
	case <-r.Context().Done():
	}
}

// idle notes that the process polls.
func (p *Process) idle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != nil {
		close(p.current.over)
		p.current = nil
	}
	select {
	case <-p.ready:
	default:
		p.coldStart = time.Since(p.started)
		close(p.ready)
	}
}

// answer takes the one answer that an invocation may have.
func (p *Process) answer(record func(*http.Request, []byte, *Result)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		p.mu.Lock()
		defer p.mu.Unlock()
		switch inv := p.current; {
		case err != nil:
			http.Error(w, "RequestEntityTooLarge", http.StatusRequestEntityTooLarge)
		case inv == nil || inv.result.RequestID != r.PathValue("id"):
			http.Error(w, "InvalidRequestID", http.StatusBadRequest)
		case inv.answered:
			http.Error(w, "InvalidStateTransition", http.StatusForbidden)
		default:
			inv.answered = true
			inv.result.Latency = time.Since(inv.handed)
			record(r, body, &inv.result)
			accept(w)
		}
	}
}

func accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
}
