// Package faultproxy puts a proxy between a program and an AWS service, or its
// stand-in. The proxy records what the program sends, and fails as the service
// does: it throttles, denies, answers late or never, or answers an error although
// it did what was asked.
package faultproxy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Request is what a program asks of a service.
type Request struct {
	// Operation is the API's name for it, such as PutItem.
	Operation string
	Body      []byte
}

// Fault is what becomes of a request. The zero Fault changes nothing.
type Fault struct {
	// Delay passes before anything else happens.
	Delay time.Duration
	// PassOn has the service do what is asked, whatever is answered.
	PassOn bool
	// Status and Body replace the service's answer, unless Status is 0.
	Status int
	Body   string
	// Cut closes the connection instead of answering.
	Cut bool
	// Then is called before the answer, or the cut.
	Then func()
}

// Decide returns what becomes of a request. It is called for one request at a
// time, in the order of their arrival.
type Decide func(Request) Fault

// None lets everything through.
func None(Request) Fault { return Fault{} }

// Proxy is a running proxy. Its methods may be called from several goroutines.
type Proxy struct {
	target    *url.URL
	server    *httptest.Server
	transport *http.Transport

	mu          sync.Mutex
	decide      Decide
	requests    []Request
	forgets     bool
	connections int
	through     http.RoundTripper
}

// New starts a proxy to target, such as "http://127.0.0.1:8000", that lets
// everything through. It closes when the test ends.
func New(t testing.TB, target string) *Proxy {
	t.Helper()
	p, err := Start(target)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(p.Close)
	return p
}

// Start is New without a test: the caller closes the proxy.
func Start(target string) (*Proxy, error) {
	to, err := url.Parse(target)
	if err != nil || to.Host == "" {
		return nil, fmt.Errorf("faultproxy: %q is not a URL with a host", target)
	}
	p := &Proxy{
		target: to,
		decide: None,
		transport: &http.Transport{
			DisableCompression: true, MaxIdleConnsPerHost: 1 << 10, IdleConnTimeout: time.Minute,
		},
	}
	p.through = p.transport
	p.server = httptest.NewUnstartedServer(http.HandlerFunc(p.serve))
	p.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	p.server.Config.ConnState = p.countConnection
	p.server.Start()
	return p, nil
}

// URL is the proxy's address, to be used in place of the target's.
func (p *Proxy) URL() string { return p.server.URL }

// Set changes what becomes of the requests that arrive from now on.
func (p *Proxy) Set(decide Decide) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.decide = decide
}

// Through wraps the connection to the service from now on. The wrapper passes
// requests to next and sees what the service answers, whatever the program is
// told.
func (p *Proxy) Through(wrap func(next http.RoundTripper) http.RoundTripper) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.through = wrap(p.through)
}

// Forget drops the recorded requests and stops recording, for tests that send too
// many to keep.
func (p *Proxy) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forgets, p.requests = true, nil
}

// Requests returns what arrived so far, in order. A request counts as soon as it
// arrives, even if the service never answers it.
func (p *Proxy) Requests() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests)
}

// Connections returns how many connections the program has opened so far.
func (p *Proxy) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.connections
}

// Close cuts every connection and stops the proxy.
func (p *Proxy) Close() {
	_ = p.server.Config.Close() // unlike the test server's own Close, it waits for no request
	p.transport.CloseIdleConnections()
}

func (p *Proxy) countConnection(_ net.Conn, state http.ConnState) {
	if state == http.StateNew {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.connections++
	}
}

func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the program is gone
	}
	fault := p.take(Request{Operation: operation(r, body), Body: body})

	if fault.Delay > 0 {
		select {
		case <-time.After(fault.Delay):
		case <-r.Context().Done(): // gave up waiting
			return
		}
	}
	var answer *http.Response
	if fault.PassOn || fault.Status == 0 && !fault.Cut {
		answer, err = p.pass(r, body)
		if err != nil {
			http.Error(w, "no answer from the target", http.StatusBadGateway)
			return
		}
		defer func() { _ = answer.Body.Close() }()
	}
	if fault.Then != nil {
		fault.Then()
	}
	switch {
	case fault.Cut:
		panic(http.ErrAbortHandler) // how net/http has a connection cut
	case fault.Status != 0:
		w.WriteHeader(fault.Status)
		_, _ = io.WriteString(w, fault.Body)
	default:
		for name, values := range answer.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body) // the program may be gone
	}
}

func (p *Proxy) take(r Request) Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.forgets {
		p.requests = append(p.requests, r)
	}
	return p.decide(r)
}

// pass has the service do what is asked, even if the program is gone. A
// [net/http/httputil.ReverseProxy] would give up then.
func (p *Proxy) pass(r *http.Request, body []byte) (*http.Response, error) {
	out := r.Clone(context.WithoutCancel(r.Context()))
	out.URL.Scheme, out.URL.Host = p.target.Scheme, p.target.Host
	out.RequestURI = ""
	out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	p.mu.Lock()
	through := p.through
	p.mu.Unlock()
	return through.RoundTrip(out)
}

// operation reads the name from the header of the JSON protocols, or the form of
// the query protocol.
func operation(r *http.Request, body []byte) string {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return target[strings.LastIndexByte(target, '.')+1:]
	}
	if form, err := url.ParseQuery(string(body)); err == nil {
		return form.Get("Action")
	}
	return ""
}
