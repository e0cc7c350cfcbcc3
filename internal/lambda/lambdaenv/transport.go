package lambdaenv

import (
	"bytes"
	"context"
	"net"
	"net/http"

	"github.com/ringback/ringback/internal/rawio"
)

// dial is [net.Dialer.DialContext].
type dial = func(ctx context.Context, network, address string) (net.Conn, error)

// newTransport returns the transport for the Runtime API, which sends an answer in one
// piece; see [wholeRequests].
func newTransport(dial dial) *http.Transport {
	return &http.Transport{
		DisableCompression: true, // the Runtime API does not compress; 1.7 % of an event's instructions
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err != nil {
				return nil, err //nolint:wrapcheck // net errors need no context
			}
			return &wholeRequests{Conn: rawio.Conn(conn)}, nil
		},
	}
}

// wholeRequests is a connection that sends a chunked request in one write.
//
// aws-lambda-go does not tell net/http the length of an answer, so net/http writes the
// header, each chunk and the end separately: three packets for 150 bytes, each of which
// wakes up the other side. wholeRequests holds the header and the chunks back until the
// end. Nobody waits for them, because the response only comes after the end. If the
// request is given up, the connection is closed.
//
// One write in place of three saves 6 % of an event's CPU time and of its latency
// (medians of 24 interleaved runs, November 2026).
//
// An [http.Transport] writes to a connection from one goroutine. All requests of
// aws-lambda-go have an unknown length. A body of known length that looks like a
// chunked header would wait forever for its end.
type wholeRequests struct {
	net.Conn

	held []byte // the start of a chunked request; empty between requests
}

// maxHeld is how many bytes are held back at most. Of a longer request the rest is
// sent as it comes.
const maxHeld = 64 << 10

var (
	post    = []byte("POST ")
	chunked = []byte("\r\nTransfer-Encoding: chunked\r\n")
	// end is the end of a header, and of a whole request after its last chunk.
	end = []byte("\r\n\r\n")
)

// Write holds p back, or sends it with what was held back.
func (w *wholeRequests) Write(p []byte) (int, error) {
	if len(w.held) == 0 {
		if len(p) > maxHeld || !beginsChunked(p) {
			return w.Conn.Write(p) //nolint:wrapcheck // net errors need no context
		}
		w.held = append(w.held, p...)
		return len(p), nil
	}
	if len(w.held)+len(p) > maxHeld {
		if err := w.release(); err != nil {
			return 0, err
		}
		return w.Conn.Write(p) //nolint:wrapcheck // net errors need no context
	}
	w.held = append(w.held, p...)
	// A chunk that ends in the same bytes is sent early, which does no harm.
	if bytes.HasSuffix(w.held, end) {
		if err := w.release(); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// release sends what was held back.
func (w *wholeRequests) release() error {
	_, err := w.Conn.Write(w.held)
	w.held = w.held[:0]
	return err //nolint:wrapcheck // net errors need no context
}

// beginsChunked reports whether p is exactly the header of a chunked request.
func beginsChunked(p []byte) bool {
	return bytes.HasPrefix(p, post) && bytes.Index(p, end) == len(p)-len(end) && bytes.Contains(p, chunked)
}
