package timing_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringback/ringback/internal/timing"
)

func TestSleepEndsAfterItsTimeOrWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if !timing.Sleep(t.Context(), time.Minute) || time.Since(began) != time.Minute {
			t.Errorf("slept %v, want a minute", time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = time.Now()
		if timing.Sleep(ctx, time.Minute) || time.Since(began) != time.Second {
			t.Errorf("slept %v, want a second", time.Since(began))
		}
	})
}

func TestWithMarginEndsBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		early, done := timing.WithMargin(ctx, time.Second)
		defer done()
		if deadline, ok := early.Deadline(); !ok || time.Until(deadline) != 59*time.Second {
			t.Errorf("deadline in %v, want 59 s", time.Until(deadline))
		}
		endless, done := timing.WithMargin(context.WithoutCancel(ctx), time.Second)
		defer done()
		if deadline, ok := endless.Deadline(); ok {
			t.Errorf("deadline in %v, want none", time.Until(deadline))
		}
	})
}
