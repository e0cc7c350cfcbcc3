package local

import (
	"context"
	"log/slog"
	"time"

	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/escalate"
	"github.com/ringback/ringback/internal/reconcile"
	"github.com/ringback/ringback/internal/timing"
)

const (
	// remindEvery is the time between two looks whether somebody has waited too long. They
	// begin with the minute of the clock on the wall: what is due at once has a timer of the
	// next minute, and so is late by a minute at most.
	remindEvery = 20 * time.Second
	// catchUpTime limits how long reminders wait for the consumers at the start. A record
	// that always fails must not hold them up for ever.
	catchUpTime = time.Minute
)

// startReminders reminds people of callers who wait, as functions/escalate does on AWS. It
// begins when some consumers are done with what was stored before: an
// answered call among it may have ended a wait.
func startReminders(ctx context.Context, after *consumer.Runner, names []string, runner *escalate.Runner, digests *reconcile.Digester, every time.Duration, log *slog.Logger) *runs {
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &runs{cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		catchingUp, cancel := context.WithTimeout(running, catchUpTime)
		// guard 10 local (NobodyIsReminded): _ = catchingUp
		_ = after.Settled(catchingUp, names...) // late reminders are better than none
		cancel()
		for running.Err() == nil {
			// A run that has begun is finished: what was published must be marked.
			if _, err := runner.Run(context.WithoutCancel(running)); err != nil {
				log.LogAttrs(running, slog.LevelError, "escalation run failed", slog.String("error", err.Error()))
			}
			if err := digests.Run(context.WithoutCancel(running)); err != nil {
				log.LogAttrs(running, slog.LevelError, "digest not sent", slog.String("error", err.Error()))
			}
			now := runner.Now()
			timing.Sleep(running, now.Truncate(every).Add(every).Sub(now))
		}
	}()
	return r
}
