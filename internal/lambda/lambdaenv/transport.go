package lambdaenv

import (
	"bytes"
	"context"
	"net"
	"net/http"
)

// dial is [net.Dialer.DialContext].
type dial = func(ctx context.Context, network, address string) (net.Conn, error)

// newTransport returns what aws-lambda-go is to reach the Runtime API by: it takes
// [http.DefaultTransport] as the pattern of its own. That API is on this host and
// speaks HTTP/1.1 without encryption, so that nothing is made ready for HTTP/2, and
// requests are sent as [wholeRequests] says. See
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
func newTransport(dial dial) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Protocols:          protocols,
		DisableCompression: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err != nil {
				return nil, err //nolint:wrapcheck // says all itself
			}
			return &wholeRequests{Conn: conn}, nil
		},
	}
}

// wholeRequests is a connection that sends a chunked request in one piece.
//
// aws-lambda-go does not tell net/http how long an answer is, which then writes its
// header, each chunk, and the end, by themselves: three packets, each of which
// wakes up the other side, for the 150 bytes of an answer. Here the header waits for
// the end. Nothing waits for what is kept back, since the response comes behind the
// end of the request; one that is given up ends with its connection.
//
// Like any connection of an [http.Transport] it is written to by one goroutine. It
// is for requests of unknown length, as all of aws-lambda-go's are: within one of a
// known length, what looks like a chunked header would wait for an end for ever.
type wholeRequests struct {
	net.Conn

	held []byte // the beginning of a chunked request; empty between requests
}

// maxHeld bounds, in bytes, what is kept back: a longer request goes on its way as
// it comes.
const maxHeld = 64 << 10

var (
	post    = []byte("POST ")
	chunked = []byte("\r\nTransfer-Encoding: chunked\r\n")
	// end is what a header ends with, and behind its last chunk the whole request.
	end = []byte("\r\n\r\n")
)

// Write sends p with what was kept back, or keeps it back.
func (w *wholeRequests) Write(p []byte) (int, error) {
	if len(w.held) == 0 {
		if len(p) > maxHeld || !beginsChunked(p) {
			return w.Conn.Write(p) //nolint:wrapcheck // says all itself
		}
		w.held = append(w.held, p...)
		return len(p), nil
	}
	if len(w.held)+len(p) > maxHeld {
		if err := w.release(); err != nil {
			return 0, err
		}
		return w.Conn.Write(p) //nolint:wrapcheck // says all itself
	}
	w.held = append(w.held, p...)
	// A chunk that ends in the same way is sent a little earlier than it need be.
	if bytes.HasSuffix(w.held, end) {
		if err := w.release(); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// release sends what was kept back.
func (w *wholeRequests) release() error {
	_, err := w.Conn.Write(w.held)
	w.held = w.held[:0]
	return err //nolint:wrapcheck // says all itself
}

// beginsChunked reports whether p is the header of a chunked request, and nothing
// of what comes behind.
func beginsChunked(p []byte) bool {
	return bytes.HasPrefix(p, post) && bytes.Index(p, end) == len(p)-len(end) && bytes.Contains(p, chunked)
}
