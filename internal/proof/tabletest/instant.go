package tabletest

import (
	"bufio"
	"bytes"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// Instant is a table on loopback that answers every request at once, as if it had
// stored it. It allocates nothing for a request, so that what is measured beside
// it is the client's alone.
type Instant struct {
	listener              net.Listener
	connections, requests atomic.Int64

	mu     sync.Mutex
	closed bool
	open   []net.Conn
}

// StartInstant returns one that closes when the test ends, with its connections.
func StartInstant(t testing.TB) *Instant {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	i := &Instant{listener: listener}
	go i.accept()
	t.Cleanup(i.close)
	return i
}

func (i *Instant) close() {
	_ = i.listener.Close()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closed = true
	for _, conn := range i.open {
		_ = conn.Close()
	}
}

// keep reports whether the table is still open, and then closes the connection
// with it.
func (i *Instant) keep(conn net.Conn) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.open = append(i.open, conn)
	return !i.closed
}

// Endpoint is the table's base URL.
func (i *Instant) Endpoint() string { return "http://" + i.listener.Addr().String() }

// Connections returns how many were opened so far.
func (i *Instant) Connections() int { return int(i.connections.Load()) }

// Requests returns how many came so far.
func (i *Instant) Requests() int { return int(i.requests.Load()) }

func (i *Instant) accept() {
	for {
		conn, err := i.listener.Accept()
		if err != nil {
			return
		}
		if !i.keep(conn) {
			_ = conn.Close()
			return
		}
		i.connections.Add(1)
		go i.serve(conn)
	}
}

func (i *Instant) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	// The checksum is that of the body.
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: 2\r\nX-Amz-Crc32: 2745614147\r\n\r\n{}")
	in := bufio.NewReaderSize(conn, 64<<10)
	length := 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			// The compiler spares the conversion its memory.
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
