package local

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/table"
)

// handler serves [ingest.Handler] over net/http.
type handler struct {
	ingest  *ingest.Handler
	address string // where the stack listens
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, oversize, err := readBody(r.Body)
	if err != nil {
		// The sender went away or was too slow. The part that arrived must not be
		// taken for a delivery.
		answer(w, ingest.Response{
			Status: http.StatusServiceUnavailable,
			Body:   []byte(`{"error":"body not received, send it again"}`),
		})
		return
	}
	headers := make(map[string]string, len(r.Header))
	for name, values := range r.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	answer(w, h.ingest.Handle(r.Context(), ingest.Request{
		Method:   r.Method,
		Path:     r.URL.Path,
		URL:      "http://" + h.host(r) + r.URL.EscapedPath(),
		Query:    r.URL.RawQuery,
		Headers:  headers,
		Body:     body,
		Oversize: oversize,
	}))
}

// host returns the host of the request's own URL. The sender may write anything there;
// where our public URL is known, only a name of this machine is ours beside it.
func (h *handler) host(r *http.Request) string {
	_, own, _ := net.SplitHostPort(h.address)
	name, port, _ := net.SplitHostPort(r.Host)
	ip := net.ParseIP(name)
	local := port == own && (strings.EqualFold(name, "localhost") || ip != nil && ip.IsLoopback())
	if h.ingest.WebhookURL == "" || local {
		return r.Host
	}
	// guard 6 local: return r.Host
	return h.address
}

// readBody reads a body. If it is too large, only its size and digest are
// returned.
func readBody(r io.Reader) ([]byte, *ingest.Oversize, error) {
	// One more byte distinguishes a body at the limit from one above it.
	body, err := io.ReadAll(io.LimitReader(r, ingest.MaxBody+1))
	if err != nil || len(body) <= ingest.MaxBody {
		return body, nil, err
	}
	digest := table.NewBodyDigest()
	_, _ = digest.Write(body) // never fails
	rest, err := io.Copy(digest, r)
	return nil, &ingest.Oversize{Bytes: int64(len(body)) + rest, Digest: digest.String()}, err
}

func answer(w http.ResponseWriter, response ingest.Response) {
	w.Header().Set("Content-Type", "application/json")
	if response.Allow != "" {
		w.Header().Set("Allow", response.Allow)
	}
	w.WriteHeader(response.Status)
	_, _ = w.Write(response.Body) // the sender may be gone; the delivery is stored anyway
}

// connections are those without a request yet. Browsers open such connections in
// advance, and a server that shuts down waits five seconds for each.
type connections struct {
	mu   sync.Mutex
	open map[net.Conn]struct{}
}

func (c *connections) note(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if state != http.StateNew {
		delete(c.open, conn)
		return
	}
	if c.open == nil {
		c.open = make(map[net.Conn]struct{})
	}
	c.open[conn] = struct{}{}
}

func (c *connections) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		_ = conn.Close() // there is no request to lose
	}
}
