package local

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/ringback/ringback/internal/table/bolt"
)

// sweepEvery is the time between two sweeps. What has expired is hidden before.
const sweepEvery = time.Hour

// startSweeps deletes what has expired from the store, now and then, until end is
// called, which waits for a sweep under way.
func startSweeps(store *bolt.Store, log *slog.Logger) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var sweeping sync.WaitGroup
	sweeping.Go(func() {
		tick := time.NewTicker(sweepEvery)
		defer tick.Stop()
		for {
			sweep(ctx, store, log)
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		cancel()
		sweeping.Wait()
	}
}

func sweep(ctx context.Context, store *bolt.Store, log *slog.Logger) {
	switch deleted, err := store.Sweep(ctx); {
	case err != nil && ctx.Err() == nil:
		log.LogAttrs(ctx, slog.LevelError, "expired items not deleted", slog.String("error", err.Error()))
	case deleted > 0:
		log.LogAttrs(ctx, slog.LevelInfo, "expired items deleted", slog.Int("count", deleted))
	}
}
