package tabletest

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
)

// Instant is a table on loopback that answers every request at once, as if it had
// stored the item. It allocates nothing for a request, so that a benchmark beside it
// measures the client alone.
type Instant struct {
	listener              net.Listener
	connections, requests atomic.Int64
}

// StartInstant starts one. It ends with the test, and so do its connections.
func StartInstant(t testing.TB) *Instant {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	i := &Instant{listener: listener}
	go i.accept(t.Context())
	return i
}

// Endpoint is the table's base URL.
func (i *Instant) Endpoint() string { return "http://" + i.listener.Addr().String() }

// Connections returns how many connections were opened so far.
func (i *Instant) Connections() int { return int(i.connections.Load()) }

// Requests returns how many requests came so far.
func (i *Instant) Requests() int { return int(i.requests.Load()) }

func (i *Instant) accept(ctx context.Context) {
	for {
		conn, err := i.listener.Accept()
		if err != nil {
			return
		}
		context.AfterFunc(ctx, func() { _ = conn.Close() })
		i.connections.Add(1)
		go i.serve(conn)
	}
}

func (i *Instant) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	// The checksum is the body's.
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: 2\r\nX-Amz-Crc32: 2745614147\r\n\r\n{}")
	in := bufio.NewReaderSize(conn, 64<<10)
	length := 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			// The compiler makes this conversion without allocating.
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return
			}
		}
		if len(bytes.TrimSpace(line)) > 0 {
			continue
		}
		if _, err := in.Discard(length); err != nil {
			return
		}
		i.requests.Add(1)
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}
