package lambdaruntime

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxAnswer is the size limit of a synchronous invocation's response, in bytes.
const maxAnswer = 6*1024*1024 + 100

// handler serves the four calls of the Runtime API.
func (p *Process) handler() http.Handler {
	const version = "/2018-06-01/runtime"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+version+"/invocation/next", p.serveNext)
	mux.HandleFunc("POST "+version+"/invocation/{id}/response", p.serveResponse)
	mux.HandleFunc("POST "+version+"/invocation/{id}/error", p.serveError)
	mux.HandleFunc("POST "+version+"/init/error", p.serveInitError)

	return mux
}

// serveNext ends the invocation under way, if there is one, and waits for the next.
func (p *Process) serveNext(w http.ResponseWriter, r *http.Request) {
	p.poll()
	select {
	case inv := <-p.invocations:
		p.begin(inv)
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", inv.result.RequestID)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", functionARN)
		h.Set("Lambda-Runtime-Trace-Id", newTraceID(inv.handed))
		_, _ = w.Write(inv.payload) // Fails only if the process is gone, which Invoke sees.
	case <-r.Context().Done():
	}
}

// poll marks the process as idle.
func (p *Process) poll() {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()

	if inv := p.current; inv != nil {
		p.current = nil
		inv.result.Duration = now.Sub(inv.handed)
		close(inv.over)
	}
	select {
	case <-p.ready:
	default:
		p.coldStart = now.Sub(p.started)
		close(p.ready)
	}
}

// begin marks the process as working on inv.
func (p *Process) begin(inv *invocation) {
	p.mu.Lock()
	defer p.mu.Unlock()

	inv.handed = time.Now()
	p.current = inv
}

func (p *Process) serveResponse(w http.ResponseWriter, r *http.Request) {
	p.answer(w, r, func(result *Result, body []byte) {
		// A streamed response that fails halfway says so in trailers.
		if kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
			report, _ := base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
			result.FunctionError = newFunctionError(report, kind)
		}
		result.Payload = body
	})
}

func (p *Process) serveError(w http.ResponseWriter, r *http.Request) {
	p.answer(w, r, func(result *Result, body []byte) {
		result.FunctionError = newFunctionError(body, r.Header.Get("Lambda-Runtime-Function-Error-Type"))
	})
}

// answer takes the one answer that an invocation may have.
func (p *Process) answer(w http.ResponseWriter, r *http.Request, record func(*Result, []byte)) {
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()

	inv := p.current
	switch {
	case inv == nil || inv.result.RequestID != r.PathValue("id"):
		reply(w, http.StatusBadRequest, "InvalidRequestID")
	case inv.answered:
		reply(w, http.StatusForbidden, "InvalidStateTransition")
	default:
		inv.answered = true
		inv.result.Latency = now.Sub(inv.handed)
		record(&inv.result, body)
		reply(w, http.StatusAccepted, "")
	}
}

func (p *Process) serveInitError(w http.ResponseWriter, r *http.Request) {
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()

	p.initError = newFunctionError(body, r.Header.Get("Lambda-Runtime-Function-Error-Type"))
	reply(w, http.StatusAccepted, "")
}

// readBody reads a request's body up to the limit and answers the request itself if it fails.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnswer))
	if err == nil {
		return body, true
	}
	if errors.As(err, new(*http.MaxBytesError)) {
		reply(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge")
	} else {
		reply(w, http.StatusBadRequest, "InvalidRequest")
	}

	return nil, false
}

// reply answers as the Runtime API does: {"status":"OK"}, or a typed error.
func reply(w http.ResponseWriter, status int, fault string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if fault == "" {
		_, _ = io.WriteString(w, `{"status":"OK"}`)

		return
	}
	_, _ = fmt.Fprintf(w, `{"errorType":%q,"errorMessage":%q}`, fault, http.StatusText(status))
}
