package local

import (
	"context"
	"log/slog"
	"time"

	"github.com/ringback/ringback/internal/table/bolt"
)

// sweepEvery is the time between two sweeps. What has expired is hidden before.
const sweepEvery = time.Hour

// sweep deletes what has expired from the store.
func sweep(ctx context.Context, store *bolt.Store, log *slog.Logger) {
	switch deleted, err := store.Sweep(ctx); {
	case err != nil && ctx.Err() == nil:
		log.LogAttrs(ctx, slog.LevelError, "expired items not deleted", slog.String("error", err.Error()))
	case deleted > 0:
		log.LogAttrs(ctx, slog.LevelInfo, "expired items deleted", slog.Int("count", deleted))
	}
}
