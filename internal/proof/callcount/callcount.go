// Package callcount counts what a program really sends to an HTTP service.
//
// A [Tap] is a reverse proxy on loopback. It counts each request by its operation and each
// accepted connection at the socket, retries and all, so that a test can demand "exactly one
// table call" of a binary it cannot look into.
package callcount

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

// Tap is a running proxy. Its methods may be called from several goroutines.
type Tap struct {
	url       string
	server    *http.Server
	transport *http.Transport
	served    chan struct{}

	mu          sync.Mutex
	operations  map[string]int
	connections int
}

// New starts a tap that passes every request on to target, such as "http://127.0.0.1:8000".
// The caller closes it.
func New(target string) (*Tap, error) {
	to, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	if to.Host == "" {
		return nil, fmt.Errorf("target %q: %w", target, errNoHost)
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}

	discard := slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	t := &Tap{
		url: "http://" + listener.Addr().String(),
		// No compression of its own and no limit on idle connections: what goes through
		// should look the same on the other side.
		transport:  &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 1 << 10, IdleConnTimeout: time.Minute},
		served:     make(chan struct{}),
		operations: make(map[string]int),
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host // A request is signed over its host.
		},
		Transport: t.transport,
		ErrorLog:  discard,
	}
	t.server = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			t.count(r)
			proxy.ServeHTTP(w, r)
		}),
		ConnState:         t.countConnection,
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          discard,
	}
	go func() {
		defer close(t.served)
		_ = t.server.Serve(listener) // Ends with ErrServerClosed.
	}()

	return t, nil
}

var errNoHost = errors.New("not a URL with a host")

// count counts before passing on, so that a request which the target never answers counts too.
func (t *Tap) count(r *http.Request) {
	operation := r.Header.Get("X-Amz-Target")
	if operation == "" {
		operation = r.Method + " " + r.URL.Path
	}
	t.mu.Lock()
	defer t.mu.Unlock()

	t.operations[operation]++
}

func (t *Tap) countConnection(_ net.Conn, state http.ConnState) {
	if state != http.StateNew {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()

	t.connections++
}

// URL is the tap's own address, to be used in place of the target's.
func (t *Tap) URL() string { return t.url }

// Operations is how often each operation was requested since the last [Tap.Reset]. An
// operation is the X-Amz-Target header, such as "DynamoDB_20120810.PutItem", or where there is
// none the method and the path.
func (t *Tap) Operations() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()

	return maps.Clone(t.operations)
}

// Connections is how many connections were accepted since the last [Tap.Reset].
func (t *Tap) Connections() int {
	t.mu.Lock()
	defer t.mu.Unlock()

	return t.connections
}

// Reset sets all counts to zero. Connections that are open stay open and count no more.
func (t *Tap) Reset() {
	t.mu.Lock()
	defer t.mu.Unlock()

	clear(t.operations)
	t.connections = 0
}

// Close cuts every connection and stops the tap.
func (t *Tap) Close() error {
	err := t.server.Close()
	<-t.served
	t.transport.CloseIdleConnections()
	if err != nil {
		return fmt.Errorf("close the tap: %w", err)
	}

	return nil
}
