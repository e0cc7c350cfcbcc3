//go:build linux && !race

package rawio

import (
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"
)

// Conn returns a connection over c whose reads and writes are raw. One goroutine at a time
// may read, and one may write. What is no TCP connection is returned as it is.
func Conn(c net.Conn) net.Conn {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return c
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return c
	}
	r := &conn{Conn: c, raw: raw}
	r.in.try, r.out.try = r.in.read, r.out.write
	return r
}

// conn embeds the interface, since a TCP connection's ReadFrom would make ordinary calls.
type conn struct {
	net.Conn

	raw     syscall.RawConn
	in, out half
}

// SyscallConn implements [syscall.Conn].
func (c *conn) SyscallConn() (syscall.RawConn, error) { return c.raw, nil }

// half is one direction of a connection. It holds what a call needs, so that no call
// allocates.
type half struct {
	try  func(fd uintptr) (done bool)
	rest []byte // not yet read into, or not yet written
	n    int    // bytes read or written
	err  syscall.Errno
}

func (c *conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := c.in.run(p, c.raw.Read)
	if err != nil {
		return 0, c.failed("read", err)
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (c *conn) Write(p []byte) (int, error) {
	n, err := c.out.run(p, c.raw.Write)
	if err != nil {
		err = c.failed("write", err)
	}
	return n, err
}

// run calls try until it is done. Between two calls wait waits until the connection is ready.
func (h *half) run(p []byte, wait func(try func(fd uintptr) bool) error) (int, error) {
	h.rest, h.n, h.err = p, 0, 0
	err := wait(h.try)
	h.rest = nil
	if err == nil && h.err != 0 {
		err = h.err
	}
	return h.n, err
}

func (h *half) read(fd uintptr) bool {
	h.n, h.err = call(syscall.SYS_READ, fd, h.rest)
	return h.err != syscall.EAGAIN
}

func (h *half) write(fd uintptr) bool {
	for len(h.rest) > 0 {
		n, err := call(syscall.SYS_WRITE, fd, h.rest)
		if h.err = err; err != 0 {
			return err != syscall.EAGAIN
		}
		h.n, h.rest = h.n+n, h.rest[n:]
	}
	return true
}

// failed returns an error as a TCP connection would.
func (c *conn) failed(operation string, err error) error {
	if errno, ok := err.(syscall.Errno); ok { //nolint:errorlint // ours, not wrapped
		local, remote := c.LocalAddr(), c.RemoteAddr()
		return &net.OpError{Op: operation, Net: local.Network(), Source: local, Addr: remote, Err: os.NewSyscallError(operation, errno)}
	}
	return err
}

// call makes a system call on all of p, which is not empty, and repeats it if a signal
// interrupts it.
func call(number, fd uintptr, p []byte) (int, syscall.Errno) {
	for {
		n, _, err := syscall.RawSyscall(number, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p))) //nolint:gosec // G103: as package syscall does
		if err == 0 {
			return int(n), 0
		}
		if err != syscall.EINTR {
			return 0, err
		}
	}
}

// Stdout returns a writer to the standard output. While a write blocks, the whole process
// does, deadlines included. Whoever reads a Lambda function's output has to keep up anyway:
// the function waits for each of its lines.
func Stdout() io.Writer { return stdout{} }

type stdout struct{}

func (stdout) Write(p []byte) (written int, err error) {
	for written < len(p) {
		n, err := call(syscall.SYS_WRITE, uintptr(syscall.Stdout), p[written:])
		if err != 0 || n == 0 {
			// If whoever started us made it non-blocking, and it is full, Go knows how to wait.
			n, err := os.Stdout.Write(p[written:])
			return written + n, err //nolint:wrapcheck // as os.Stdout would fail
		}
		written += n
	}
	return written, nil
}
