package awsclient

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringback/ringback/internal/rawio"
)

// Time limits of one attempt. A call that makes three attempts to a service that
// does not respond fails within 7 s.
const (
	dialTimeout    = time.Second
	attemptTimeout = 2200 * time.Millisecond

	// idleTimeout is shorter than the time after which a service closes an idle
	// connection.
	idleTimeout = 45 * time.Second
	maxIdle     = 256 // connections to one server

	// maxResponse, in bytes, header included, is far above the 1 MB of a page of a query,
	// even as base64 in JSON.
	maxResponse = 16 << 20
)

// HTTPClient sends the requests of AWS SDK clients, of a [Service], and to Lambda's Runtime
// API. One client serves any number of services. It is not net/http's client: with that, and
// with the SDK's signer, a delivery takes 1.2 times the processor time (docs/benchmarks.md). It
// writes a request and reads its response, both whole, and knows no more than these servers
// need: HTTP/1.1, no proxy, no compression, no redirects.
//
// Every attempt has a time limit, unless [HTTPClient.SetLimit] takes it away. Of the root
// certificates it parses those of AWS's own authorities first, and all of the system's only for
// a server that has another.
type HTTPClient struct {
	now    func() time.Time
	limit  time.Duration // of one attempt; 0: none
	dialer net.Dialer
	roots  *x509.CertPool        // nil: the system's
	aws    func() *x509.CertPool // those of AWS's own authorities; nil: all
	others atomic.Bool           // a server has a certificate of another

	mu   sync.Mutex
	idle map[string][]*connection // by scheme and host, in the order of their last use
}

// NewHTTPClient returns a client with its own connections.
func NewHTTPClient() *HTTPClient {
	return &HTTPClient{
		now:    time.Now,
		limit:  attemptTimeout,
		dialer: net.Dialer{Timeout: dialTimeout},
		aws:    sync.OnceValue(func() *x509.CertPool { return awsRoots(bundles()) }),
		idle:   make(map[string][]*connection),
	}
}

// SetLimit changes how long one attempt may take; with 0 it may take for ever. Call it before the
// first request.
func (c *HTTPClient) SetLimit(limit time.Duration) { c.limit = limit }

// Do sends a request and returns its response with the whole body read.
func (c *HTTPClient) Do(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if c.limit > 0 {
		limited, cancel := context.WithTimeout(ctx, c.limit)
		defer cancel()
		ctx = limited
	}
	if err := ctx.Err(); err != nil {
		return nil, err //nolint:wrapcheck // Do's caller says what it was doing
	}
	wire, _ := wires.Get().(*bytes.Buffer)
	defer wires.Put(wire)
	if err := encode(wire, req); err != nil {
		return nil, fmt.Errorf("write request: %w", err)
	}
	to := req.URL.Scheme + "://" + req.URL.Host
	for conn := c.take(to); conn != nil; conn = c.take(to) {
		if !conn.isQuiet() {
			_ = conn.Close()
			continue
		}
		resp, err := c.exchange(ctx, conn, to, req, wire.Bytes())
		// The server may have closed it since, most likely before it saw the request. If not,
		// the request is sent twice, as by the retry policy after the same error.
		if ctx.Err() != nil || !errors.Is(err, errNoAnswer) {
			return resp, err
		}
		break
	}
	conn, err := c.dial(ctx, req.URL)
	if err != nil {
		return nil, err
	}
	return c.exchange(ctx, conn, to, req, wire.Bytes())
}

// wires are buffers for requests.
var wires = sync.Pool{New: func() any { return new(bytes.Buffer) }}

var errLength = errors.New("the body is not as long as it is said to be")

// encode writes a request as it is sent.
func encode(wire *bytes.Buffer, req *http.Request) error {
	body, length := req.Body, req.ContentLength
	if body == nil {
		body = http.NoBody
	}
	if body != http.NoBody && length <= 0 {
		all, err := io.ReadAll(body)
		if err = errors.Join(err, body.Close()); err != nil {
			return err
		}
		body, length = io.NopCloser(bytes.NewReader(all)), int64(len(all))
	}
	wire.Reset()
	for _, text := range [...]string{req.Method, " ", req.URL.RequestURI(), " HTTP/1.1\r\nHost: ", cmp.Or(req.Host, req.URL.Host), "\r\n"} {
		wire.WriteString(text)
	}
	if err := req.Header.Write(wire); err != nil {
		return err
	}
	wire.WriteString("Content-Length: ")
	wire.Write(strconv.AppendInt(wire.AvailableBuffer(), length, 10))
	wire.WriteString("\r\n\r\n")
	n, err := wire.ReadFrom(body)
	if err == nil && n != length {
		err = errLength
	}
	return errors.Join(err, body.Close())
}

// connection is open to a server, for one exchange at a time.
type connection struct {
	net.Conn // over TLS if the server's URL says so

	tcp    *socket
	reader *bufio.Reader // of the connection itself
	left   int           // bytes that the response may still have, its header included
	used   time.Time
}

// Read reads no more than a response may have: neither header nor body can fill the memory.
func (conn *connection) Read(p []byte) (int, error) {
	if conn.left == 0 {
		return 0, errResponseSize
	}
	n, err := conn.Conn.Read(p[:min(len(p), conn.left)])
	conn.left -= n
	return n, err //nolint:wrapcheck // a wrapper of the connection
}

// Close does not say goodbye over TLS: if the server no longer reads, that takes 5 s.
func (conn *connection) Close() error { return conn.tcp.Close() } //nolint:wrapcheck // a wrapper of the connection

// isQuiet reports whether an idle connection is open and has nothing to read. What came
// without a request, such as a status 408, is not the response to the next one.
func (conn *connection) isQuiet() bool {
	conn.left = maxResponse
	conn.tcp.noWait = true
	_, err := conn.reader.Peek(1) // also of what TLS has read ahead
	conn.tcp.noWait = false
	return errors.Is(err, os.ErrDeadlineExceeded)
}

// socket is a TCP connection. If noWait is set, a read that would wait fails as after a deadline.
type socket struct {
	net.Conn

	noWait bool
}

func (s *socket) Read(p []byte) (int, error) {
	if s.noWait && !rawio.Pending(s.Conn) {
		return 0, os.ErrDeadlineExceeded
	}
	return s.Conn.Read(p) //nolint:wrapcheck // a wrapper of the connection
}

// isOld reports whether a connection was idle for long by either clock: the wall clock can
// be set back, and the monotonic one may stand still while a function is frozen.
func (conn *connection) isOld(now time.Time) bool {
	return max(now.Sub(conn.used), now.Round(0).Sub(conn.used)) >= idleTimeout
}

// take returns the idle connection that was used last, or nil, and closes the old ones.
func (c *HTTPClient) take(to string) *connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	all, now := c.idle[to], c.now()
	for len(all) > 0 && all[0].isOld(now) {
		_ = all[0].Close()
		all[0], all = nil, all[1:]
	}
	if len(all) == 0 {
		delete(c.idle, to)
		return nil
	}
	last := len(all) - 1
	c.idle[to] = all[:last]
	return all[last]
}

// keep makes a connection idle.
func (c *HTTPClient) keep(conn *connection, to string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.idle[to]) >= maxIdle {
		_ = conn.Close()
		return
	}
	conn.used = c.now()
	c.idle[to] = append(c.idle[to], conn)
}

// dial opens a connection. If the server's certificate is not one of AWS's own
// authorities, it tries again with all others.
func (c *HTTPClient) dial(ctx context.Context, to *url.URL) (*connection, error) {
	switch to.Scheme {
	case "http":
		conn, err := c.connect(ctx, to, "80")
		if err != nil {
			return nil, err
		}
		return newConnection(conn, conn), nil
	case "https":
		roots, others := c.roots, c.others.Load()
		if !others {
			roots = cmp.Or(c.aws(), c.roots)
		}
		conn, err := c.secure(ctx, to, roots)
		// Nothing has been sent. Others may have found out at the same time.
		if errors.As(err, new(x509.UnknownAuthorityError)) && !others {
			c.others.Store(true)
			conn, err = c.secure(ctx, to, c.roots)
		}
		return conn, err
	}
	return nil, errScheme
}

var errScheme = errors.New("the URL is neither http nor https")

func newConnection(conn net.Conn, tcp *socket) *connection {
	c := &connection{Conn: conn, tcp: tcp}
	c.reader = bufio.NewReader(c)
	return c
}

func (c *HTTPClient) connect(ctx context.Context, to *url.URL, port string) (*socket, error) {
	if to.Port() != "" {
		port = to.Port()
	}
	conn, err := c.dialer.DialContext(ctx, "tcp", net.JoinHostPort(to.Hostname(), port))
	if err != nil {
		return nil, err //nolint:wrapcheck // Do's caller says what it was doing
	}
	return &socket{Conn: rawio.Conn(conn)}, nil
}

// secure opens a connection over TLS to a server whose certificate is of one of the roots.
func (c *HTTPClient) secure(ctx context.Context, to *url.URL, roots *x509.CertPool) (*connection, error) {
	conn, err := c.connect(ctx, to, "443")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	secured := tls.Client(conn, &tls.Config{MinVersion: tls.VersionTLS12, ServerName: to.Hostname(), RootCAs: roots})
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return newConnection(secured, conn), nil
}

// errNoAnswer says that a connection ended before the first byte of the response.
var errNoAnswer = errors.New("no response")

// exchange sends a request over a connection and reads the response. It keeps the
// connection if that can take another request.
func (c *HTTPClient) exchange(ctx context.Context, conn *connection, to string, req *http.Request, wire []byte) (*http.Response, error) {
	// A deadline of the past ends reads and writes.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	resp, err := conn.roundTrip(req, wire)
	if reusable := stop(); err == nil && reusable && !resp.Close && conn.reader.Buffered() == 0 {
		c.keep(conn, to)
	} else {
		_ = conn.Close()
	}
	if err != nil && ctx.Err() != nil {
		err = ctx.Err() // rather than that of the deadline
	}
	return resp, err //nolint:wrapcheck // Do's caller says what it was doing
}

func (conn *connection) roundTrip(req *http.Request, wire []byte) (*http.Response, error) {
	conn.left = maxResponse
	_, err := conn.Write(wire)
	if err == nil {
		_, err = conn.reader.Peek(1)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	for {
		resp, err := http.ReadResponse(conn.reader, req)
		if err != nil {
			if !errors.As(err, new(net.Error)) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, errResponseSize) {
				err = errMalformed
			}
			return nil, fmt.Errorf("read response: %w", err)
		}
		if resp.StatusCode < http.StatusOK {
			continue // one of its kind comes before the response
		}
		body, err := readAll(resp)
		if err != nil {
			return nil, fmt.Errorf("read response: %w", err)
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
		return resp, nil
	}
}

var (
	errResponseSize = errors.New("response too large")
	// errMalformed is in place of net/http's errors, which quote the response: that may be
	// a person's data.
	errMalformed = errors.New("malformed response")
)

// readAll reads and closes the body of a response.
func readAll(resp *http.Response) ([]byte, error) {
	var buf bytes.Buffer
	if n := resp.ContentLength; n > 0 && n <= maxResponse {
		buf.Grow(int(n) + bytes.MinRead)
	}
	n, err := buf.ReadFrom(io.LimitReader(resp.Body, maxResponse+1))
	if err == nil && n > maxResponse {
		err = errResponseSize
	}
	return buf.Bytes(), errors.Join(err, resp.Body.Close())
}
