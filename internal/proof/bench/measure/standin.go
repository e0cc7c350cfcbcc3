package measure

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ringback/ringback/internal/proof/bench/standin"
)

// StandIn measures what the table's stand-in takes of a latency: the median time
// of a write on an open connection, from a bare socket in its own process.
func (b *Bench) StandIn(ctx context.Context, now func() time.Time) (time.Duration, error) {
	b.AWS.Reset()
	address := strings.TrimPrefix(b.AWS.TableURL, "http://")
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return 0, fmt.Errorf("%w: stand-in: %w", ErrFailed, err)
	}
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	const calls = 500
	taken := make([]time.Duration, calls)
	for i := range taken {
		body := fmt.Sprintf(`{"Item":{"PK":{"S":"%d"},"SK":{"S":"%s"}},"ConditionExpression":"attribute_not_exists(PK)"}`, i, strings.Repeat("x", 1500))
		request := fmt.Sprintf("POST / HTTP/1.1\r\nHost: %s\r\nX-Amz-Target: %s\r\nContent-Length: %d\r\n\r\n%s", address, standin.PutItem, len(body), body)
		started := now()
		if _, err := io.WriteString(conn, request); err != nil {
			return 0, fmt.Errorf("%w: stand-in: %w", ErrFailed, err)
		}
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			return 0, fmt.Errorf("%w: stand-in: %w", ErrFailed, err)
		}
		_, err = io.Copy(io.Discard, answer.Body)
		taken[i] = now().Sub(started)
		if err = errors.Join(err, answer.Body.Close()); err != nil || answer.StatusCode != http.StatusOK {
			return 0, fmt.Errorf("%w: stand-in: status %d, %w", ErrFailed, answer.StatusCode, err)
		}
	}
	slices.Sort(taken)
	return taken[calls/2], nil
}
