package target

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports below those that most systems give to connections: one of the player's
// might get the process's while it is dead, which then could not have it back.
const (
	firstPort = 20_000
	ports     = 10_000
)

// freeAddress returns an address of this machine that nobody listens on.
func freeAddress(ctx context.Context) (string, error) {
	var listen net.ListenConfig
	var faults error
	for range 20 {
		port := firstPort + rand.N(ports) //nolint:gosec // G404: any will do
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		listener, err := listen.Listen(ctx, "tcp", address)
		if err == nil {
			err = listener.Close()
		}
		if err == nil {
			return address, nil
		}
		faults = err
	}
	return "", fmt.Errorf("no free port: %w", errors.Join(faults))
}
