package figures

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/hours"
	"github.com/ringback/ringback/internal/table"
)

const (
	// countEvery is the time between two counts, of runs that come every minute.
	countEvery = 15 * time.Minute
	// maxCounted is how many callers are counted. Beyond, a number says no more.
	maxCounted = 1000
)

// Counter counts who waits.
type Counter struct {
	// Now is the clock. New sets it, tests replace it.
	Now func() time.Time

	policy followup.Policy
	lines  hours.Lines
	store  table.Store
	log    *slog.Logger
}

// NewCounter returns a counter of the callers in a store.
func NewCounter(policy followup.Policy, lines hours.Lines, store table.Store, log *slog.Logger) *Counter {
	return &Counter{Now: time.Now, policy: policy, lines: lines, store: store, log: log}
}

// Run logs how many callers wait, and for how many business hours the one who is to be
// called back next, if a quarter of an hour begins in this minute. It is to be called once
// a minute. The error is the store's.
func (c *Counter) Run(ctx context.Context) error {
	now := c.Now()
	if !now.Truncate(time.Minute).Equal(now.Truncate(countEvery)) {
		return nil
	}
	var open, unreached int
	var oldest time.Duration
	query := table.WaitingSince(now.Add(-c.policy.ExpireAfter))
	query.Limit = maxCounted + 1
	for item, err := range table.All(ctx, c.store, query) {
		if err != nil {
			return fmt.Errorf("count who waits: %w", err)
		}
		if open++; open > maxCounted {
			break
		}
		if table.Text(item, table.State) == table.Unreached {
			unreached++
			continue
		}
		since, _ := events.ParseTime(table.Text(item, table.Since))
		of := c.lines.Of(table.Text(item, table.Line), table.Text(item, table.LineName))
		oldest = max(oldest, of.Between(since, now))
	}
	c.log.LogAttrs(ctx, slog.LevelInfo, "callers waiting",
		slog.Int("open", min(open, maxCounted)), slog.Bool("more", open > maxCounted), slog.Int("unreached", unreached),
		slog.Float64("oldestHours", oldest.Hours()))
	return nil
}
