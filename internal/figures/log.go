package figures

import (
	"context"
	"log/slog"

	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/hours"
)

// Log returns a function for [ledger.Ledger.Changed], which logs each wait that begins or
// ends. A wait that begins and ends in one batch of events is none: nobody could have
// known of it.
func Log(lines hours.Lines, log *slog.Logger) func(ctx context.Context, caller string, before, after followup.State) error {
	return func(ctx context.Context, _ string, before, after followup.State) error {
		if w, ok := ended(before, after, lines); ok {
			wall, business := w.Took()
			log.LogAttrs(ctx, slog.LevelInfo, "follow-up closed",
				slog.String("kind", string(w.Reason)), slog.Bool("talked", w.Talked()),
				slog.Int64("waitedMs", wall.Milliseconds()), slog.Int64("businessMs", business.Milliseconds()),
				slog.Bool("within15Min", w.Within(quarter)), slog.Bool("within1Hour", w.Within(4*quarter)), slog.Bool("sameDay", w.SameDay()))
		}
		if after.Open() && (!before.Open() || before.EpisodeID() != after.EpisodeID()) {
			log.LogAttrs(ctx, slog.LevelInfo, "follow-up opened")
		}
		if after.Unreached() && !before.Unreached() {
			log.LogAttrs(ctx, slog.LevelInfo, "follow-up unreached")
		}
		return nil
	}
}
