// Package faultproxy puts a proxy between a program and an AWS service, or what
// stands in for one, that fails as the service does: it throttles, denies,
// answers late or not at all, or answers an error although it did what was
// asked. It is for tests, and no part of what is deployed.
package faultproxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Request is what a program asks of a service.
type Request struct {
	// Operation is the API's name of what is asked for, such as PutItem.
	Operation string
	Body      []byte
}

// Fault is what becomes of a request. The zero Fault is none.
type Fault struct {
	// Delay is waited before anything else.
	Delay time.Duration
	// PassOn has the service do what is asked, whatever is answered.
	PassOn bool
	// Status and Body are answered in the service's place, unless Status is 0.
	Status int
	Body   string
	// Cut closes the connection instead of answering.
	Cut bool
	// Then is called before the answer, or the cut.
	Then func()
}

// Decide says what becomes of a request. It is called for one request at a time,
// in the order of their arrival.
type Decide func(Request) Fault

// None lets everything through.
func None(Request) Fault { return Fault{} }

// Proxy is a running proxy. Its methods may be called from several goroutines.
type Proxy struct {
	target    *url.URL
	address   string
	server    *http.Server
	served    chan struct{}
	transport *http.Transport

	mu       sync.Mutex
	decide   Decide
	requests []Request
	forgets  bool
	through  http.RoundTripper
}

var errTarget = errors.New("faulty: target is not a URL with a host")

// New starts a proxy to target, such as "http://127.0.0.1:8000", that lets
// everything through. The caller closes it.
func New(target string) (*Proxy, error) {
	to, err := url.Parse(target)
	if err != nil || to.Host == "" {
		return nil, errTarget
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("faulty: %w", err)
	}
	p := &Proxy{
		target:  to,
		address: "http://" + listener.Addr().String(),
		served:  make(chan struct{}),
		transport: &http.Transport{
			DisableCompression: true, MaxIdleConnsPerHost: 1 << 10, IdleConnTimeout: time.Minute,
		},
		decide: None,
	}
	p.through = p.transport
	p.server = &http.Server{
		Handler:           http.HandlerFunc(p.serve),
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	go func() {
		defer close(p.served)
		_ = p.server.Serve(listener) // Ends with ErrServerClosed.
	}()
	return p, nil
}

// URL is the proxy's address, to be used in place of the target's.
func (p *Proxy) URL() string { return p.address }

// Set changes what becomes of the requests that arrive from now on.
func (p *Proxy) Set(decide Decide) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.decide = decide
}

// Through has requests that the service is to do, from now on, go through what
// wrap returns, which passes them to next: it sees what the service answered,
// whatever the program is told.
func (p *Proxy) Through(wrap func(next http.RoundTripper) http.RoundTripper) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.through = wrap(p.through)
}

// Forget has the proxy keep none of the requests that arrived, or will: where
// there are so many that their bodies are too much.
func (p *Proxy) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forgets, p.requests = true, nil
}

// Requests returns what arrived so far, in order.
func (p *Proxy) Requests() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Request(nil), p.requests...)
}

// Close cuts every connection and stops the proxy.
func (p *Proxy) Close() error {
	err := p.server.Close()
	<-p.served
	p.transport.CloseIdleConnections()
	return err
}

func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the program is gone
	}
	fault := p.take(Request{Operation: operation(r, body), Body: body})

	if fault.Delay > 0 {
		timer := time.NewTimer(fault.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
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

// pass has the service do what is asked. It does so for a program that is gone
// as well.
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

// operation reads the name out of the header of the JSON protocols, or the form
// of the query protocol.
func operation(r *http.Request, body []byte) string {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return target[strings.LastIndexByte(target, '.')+1:]
	}
	if form, err := url.ParseQuery(string(body)); err == nil {
		return form.Get("Action")
	}
	return ""
}
