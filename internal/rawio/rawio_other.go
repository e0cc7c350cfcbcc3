//go:build !linux || race

package rawio

import (
	"io"
	"net"
	"os"
)

// Conn returns c.
func Conn(c net.Conn) net.Conn { return c }

// Stdout returns the standard output.
func Stdout() io.Writer { return os.Stdout }
