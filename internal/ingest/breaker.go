package ingest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ringback/ringback/internal/table"
)

const (
	// StoreTime is how long the table may take, its retries included, before a
	// delivery is spilled. With a table that answers after 5 ms and a seventh of a
	// processor, 999 of 1 000 deliveries were answered within 67 ms, and within 78 where
	// each opened a new connection over TLS (docs/benchmarks.md).
	StoreTime = time.Second
	// TryTime is the same while it is known that the table hangs.
	TryTime = 250 * time.Millisecond

	// firstPause and maxPause are how long no delivery asks a table that hangs. The
	// pause doubles each time. Once the table answers again, no process spills for
	// longer than maxPause.
	firstPause = 500 * time.Millisecond
	maxPause   = 4 * time.Second
	// forgetTime is after how long the table has StoreTime again: it may be well, and
	// slower than TryTime.
	forgetTime = time.Minute
)

// errHangs is why a delivery is spilled without an attempt to write it.
var errHangs = fmt.Errorf("%w: not asked, because it did not answer just now", table.ErrUnavailable)

// breaker is a [Putter] that does not let each delivery wait for a table that hangs.
// Otherwise every one occupies a process for the whole time, and those that an account
// may have are soon all waiting.
//
// An error that comes in time is an answer: only silence opens the breaker. Each
// process has its own, and learns for itself.
type breaker struct {
	table Putter
	now   func() time.Time

	mu     sync.Mutex
	opened time.Time // when the table hung; zero if it answers
	tried  time.Time // when it was last asked since
	pause  time.Duration
}

// Put implements [Putter]. The error is [errHangs] if the table was not asked.
func (b *breaker) Put(ctx context.Context, item table.Item) (created bool, err error) {
	limit := b.begin()
	if limit < StoreTime {
		// What is never sent says nothing about the table, and need not wait for it.
		if err := table.Check(item); err != nil {
			return false, fmt.Errorf("put item: %w", err)
		}
	}
	if limit == 0 {
		return false, errHangs
	}
	// guard 1 ingest (ATableThatHangs): limited, cancel := context.WithCancel(ctx)
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	created, err = b.table.Put(limited, item)
	switch {
	case err == nil || limited.Err() == nil:
		b.answered()
	case ctx.Err() == nil: // else it was the caller's time that was short
		b.hung(limit)
	}
	return created, err //nolint:wrapcheck // a breaker is the table to its caller
}

// begin returns how long the table may take, or 0 if it is not to be asked.
func (b *breaker) begin() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed():
		return StoreTime
	case b.since(b.tried) < b.pause:
		return 0
	}
	b.tried = b.now() // deliveries that come meanwhile do not try as well
	return TryTime
}

func (b *breaker) answered() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.opened = time.Time{}
}

// hung notes that the table did not answer within limit.
func (b *breaker) hung(limit time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case limit == TryTime:
		b.tried, b.pause = b.now(), min(2*b.pause, maxPause)
	case b.closed(): // the first of those that waited
		b.opened, b.tried, b.pause = b.now(), b.now(), firstPause
	}
}

// open notes that the table hung before the first delivery, which tries it all the same.
func (b *breaker) open() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.opened, b.tried, b.pause = b.now(), time.Time{}, firstPause
}

func (b *breaker) closed() bool { return b.opened.IsZero() || b.since(b.opened) >= forgetTime }

// since returns how long ago t was, by the clock that says longer. Between deliveries
// Lambda freezes a process, in which the monotonic clock may stand still; the wall clock
// may be set back. A try that is too early costs TryTime; one that is too late spills
// what the table would take. net/http tells the age of an idle connection likewise.
func (b *breaker) since(t time.Time) time.Duration {
	now := b.now()
	return max(now.Sub(t), now.Round(0).Sub(t.Round(0)))
}
