//go:build linux && (amd64 || arm64)

package rawio

import (
	"net"
	"syscall"
	"unsafe"
)

// Pending reports whether a read from c, a TCP connection, would not have to wait.
func Pending(c net.Conn) bool {
	tcp, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return true // it is closed
	}
	errno, p := syscall.Errno(0), byte(0)
	err = raw.Read(func(fd uintptr) (done bool) {
		_, _, errno = syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&p)), 1, syscall.MSG_PEEK|syscall.MSG_DONTWAIT, 0, 0) //nolint:gosec // G103: as package syscall does
		return true
	})
	return err != nil || errno != syscall.EAGAIN
}
