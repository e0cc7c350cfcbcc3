package rawio_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/rawio"
)

// pair returns both ends of a connection, of which the first is raw.
func pair(t *testing.T) (net.Conn, *net.TCPConn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	dialed, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = dialed.Close(), accepted.Close() })
	return rawio.Conn(dialed), accepted.(*net.TCPConn)
}

// TestMoreThanTheSystemBuffersIsSentAndReadWhole writes far more at once than a socket
// takes, so that both directions have to wait.
func TestMoreThanTheSystemBuffersIsSentAndReadWhole(t *testing.T) {
	t.Parallel()
	raw, peer := pair(t)
	sent := bytes.Repeat([]byte("one of many lines\n"), 1<<20)
	go func() {
		_, _ = io.Copy(peer, peer)
		_ = peer.CloseWrite()
	}()
	wrote := make(chan error, 1)
	go func() {
		n, err := raw.Write(sent)
		if err == nil && n != len(sent) {
			err = io.ErrShortWrite
		}
		wrote <- err
	}()
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(raw, got); err != nil {
		t.Fatal(err)
	}
	if err := <-wrote; err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, sent) {
		t.Error("what came back is not what was sent")
	}
	if n, err := raw.Read(nil); n != 0 || err != nil {
		t.Errorf("read nothing: %d, %v", n, err)
	}
	if n, err := raw.Write(nil); n != 0 || err != nil {
		t.Errorf("write nothing: %d, %v", n, err)
	}
}

func TestErrorsAreThoseOfAConnection(t *testing.T) {
	t.Parallel()
	p := make([]byte, 1)
	t.Run("the peer is done", func(t *testing.T) {
		t.Parallel()
		raw, peer := pair(t)
		_ = peer.Close()
		if n, err := raw.Read(p); n != 0 || err != io.EOF { //nolint:errorlint // io.Reader wants EOF itself
			t.Errorf("%d, %v; want EOF", n, err)
		}
	})
	t.Run("the deadline has passed", func(t *testing.T) {
		t.Parallel()
		raw, _ := pair(t)
		_ = raw.SetReadDeadline(time.Now())
		_, err := raw.Read(p)
		if timeout := net.Error(nil); !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("%v; want a timeout", err)
		}
		_ = raw.SetWriteDeadline(time.Now())
		if _, err := raw.Write(p); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%v; want a timeout", err)
		}
	})
	t.Run("closed while it waits", func(t *testing.T) {
		t.Parallel()
		raw, _ := pair(t)
		read := make(chan error)
		go func() { _, err := raw.Read(p); read <- err }()
		_ = raw.Close()
		if err := <-read; !errors.Is(err, net.ErrClosed) {
			t.Errorf("%v; want that it is closed", err)
		}
		if _, err := raw.Write(p); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%v; want that it is closed", err)
		}
	})
	t.Run("the peer resets it", func(t *testing.T) {
		t.Parallel()
		raw, peer := pair(t)
		_ = peer.SetLinger(0)
		_ = peer.Close()
		_, err := raw.Read(p)
		if at := new(net.OpError); !errors.Is(err, syscall.ECONNRESET) || !errors.As(err, &at) || at.Op != "read" || at.Addr == nil {
			t.Errorf("%v; want a reset, and of which connection", err)
		}
	})
}

func TestOtherConnectionsAreLeftAsTheyAre(t *testing.T) {
	t.Parallel()
	left, right := net.Pipe()
	t.Cleanup(func() { _, _ = left.Close(), right.Close() })
	if rawio.Conn(left) != left {
		t.Error("a pipe is wrapped")
	}
}
