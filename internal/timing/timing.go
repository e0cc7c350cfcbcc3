package timing

import (
	"context"
	"time"
)

// Sleep waits for d, or until ctx ends. It reports whether it was d.
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

// Leave returns a context that ends d before ctx's deadline, if ctx has one, so
// that this much is left for what comes after. The caller calls cancel.
func Leave(ctx context.Context, d time.Duration) (left context.Context, cancel context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-d))
}
