package timing

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Sleep waits for d or until ctx ends. It reports whether d has passed.
func Sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// WithMargin returns a context that ends margin before ctx's deadline, if it has
// one, to leave time for cleaning up or answering. The caller must call cancel.
func WithMargin(ctx context.Context, margin time.Duration) (early context.Context, cancel context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-margin))
}

// AtOnce is how many calls [SideBySide] makes at once.
const AtOnce = 8

// SideBySide calls do with each of all, several at once, and returns when all calls
// have.
func SideBySide[T any](all []T, do func(T)) {
	Indexes(len(all), func(i int) { do(all[i]) })
}

// Indexes does the same with each index below n.
func Indexes(n int, do func(i int)) { AtMost(AtOnce, n, do) }

// AtMost does it with most of them at once.
func AtMost(most, n int, do func(i int)) {
	var working sync.WaitGroup
	var next atomic.Int64
	for range min(max(most, 1), n) {
		working.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	working.Wait()
}
