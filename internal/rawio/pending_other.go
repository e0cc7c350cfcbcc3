//go:build !linux || (!amd64 && !arm64)

package rawio

import "net"

// Pending does not know.
func Pending(net.Conn) bool { return false }
