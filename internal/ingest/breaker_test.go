package ingest_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
)

// slow is a table that takes its time.
type slow struct {
	hangs bool
	takes time.Duration
	fault error // that it answers

	mu    sync.Mutex
	asked int
}

func (s *slow) Put(ctx context.Context, _ table.Item) (bool, error) {
	s.mu.Lock()
	s.asked++
	s.mu.Unlock()
	answer := time.After(s.takes)
	if s.hangs {
		answer = nil
	}
	select {
	case <-answer:
		return s.fault == nil, s.fault
	case <-ctx.Done():
		return false, fmt.Errorf("put item: %w: %w", table.ErrUnavailable, ctx.Err())
	}
}

// outcome is what became of a delivery, and how long that took.
type outcome struct {
	Status string
	After  time.Duration
	Asked  int // how often the table was
}

const (
	stored  = `{"status":"stored","key":"CALL#call_1d4e5f6a"}`
	spilled = `{"status":"spilled","key":"CALL#call_1d4e5f6a"}`
)

// deliver posts a missed call, and lets nothing else pass.
func (s *slow) deliver(t *testing.T, h *ingest.Handler) outcome {
	t.Helper()
	return s.post(t.Context(), h, sample(t, "call.missed"))
}

func (s *slow) post(ctx context.Context, h *ingest.Handler, body string) outcome {
	start, asked := time.Now(), s.asked
	got := h.Handle(ctx, post(body))
	return outcome{string(got.Body), time.Since(start), s.asked - asked}
}

func want(t *testing.T, what string, got, want outcome) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

const (
	ms    = time.Millisecond
	whole = time.Second
	try   = 250 * ms
)

func TestATableThatHangsIsTriedAtGrowingIntervals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slow{hangs: true}
		h, queue := spilling(t, s, "", nil)
		want(t, "the first", s.deliver(t, h), outcome{spilled, whole, 1})
		pauses := []time.Duration{500 * ms, 1000 * ms, 2000 * ms, 4000 * ms, 4000 * ms}
		for _, pause := range pauses {
			for range 3 {
				want(t, "at once", s.deliver(t, h), outcome{spilled, 0, 0})
			}
			time.Sleep(pause - ms)
			want(t, "still", s.deliver(t, h), outcome{spilled, 0, 0})
			time.Sleep(ms)
			want(t, "the next try", s.deliver(t, h), outcome{spilled, try, 1})
		}
		if n := 1 + 5*len(pauses); len(*queue) != n {
			t.Errorf("%d spilled, want all %d", len(*queue), n)
		}

		s.hangs, s.takes = false, 5*ms
		want(t, "before it is known", s.deliver(t, h), outcome{spilled, 0, 0})
		time.Sleep(4 * time.Second)
		want(t, "it answers", s.deliver(t, h), outcome{stored, 5 * ms, 1})
		s.takes = whole - ms
		want(t, "as if nothing had been", s.deliver(t, h), outcome{stored, whole - ms, 1})
	})
}

// However seldom deliveries come, and however long a process was frozen between them.
func TestAfterAMinuteATableThatHungHasTheWholeTimeAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slow{hangs: true}
		h, _ := spilling(t, s, "", nil)
		want(t, "the first", s.deliver(t, h), outcome{spilled, whole, 1})
		s.hangs, s.takes = false, 2*try // well, but slower than a try
		time.Sleep(time.Minute - ms)
		want(t, "a try", s.deliver(t, h), outcome{spilled, try, 1})
		want(t, "a minute later", s.deliver(t, h), outcome{stored, 2 * try, 1})
		want(t, "from then on", s.deliver(t, h), outcome{stored, 2 * try, 1})
	})
}

func TestWhatIsNotATableThatHangs(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*slow{
		"slow":      {takes: whole - ms},
		"throttled": {takes: whole - ms, fault: table.ErrUnavailable}, // after its retries
		"refused":   {fault: table.ErrDenied},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h, _ := spilling(t, s, "", nil)
				status := stored
				if s.fault != nil {
					status = spilled
				}
				for range 3 {
					want(t, "each", s.deliver(t, h), outcome{status, s.takes, 1})
				}
			})
		})
	}
	t.Run("no time left", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := &slow{takes: 400 * ms}
			h, _ := spilling(t, s, "", nil)
			short, cancel := context.WithTimeout(t.Context(), 600*ms)
			defer cancel()
			want(t, "in the half of it", s.post(short, h, sample(t, "call.missed")), outcome{spilled, 300 * ms, 1})
			want(t, "with time", s.deliver(t, h), outcome{stored, 400 * ms, 1})
		})
	})
}

func TestOfManyDeliveriesOneTriesATableThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slow{hangs: true}
		h, _ := spilling(t, s, "", nil)
		h.Spill = spillFunc(func(context.Context, ingest.Received) error { return nil })
		const many = 20
		body := sample(t, "call.missed")
		at := func() time.Duration {
			start := time.Now()
			var all sync.WaitGroup
			for range many {
				all.Go(func() { h.Handle(t.Context(), post(body)) })
			}
			all.Wait()
			return time.Since(start)
		}
		// That all of these wait in vain is one time-out, and not twenty.
		if took := at(); took != whole || s.asked != many {
			t.Errorf("took %v, asked %d times, want each to wait", took, s.asked)
		}
		time.Sleep(500 * ms)
		if took := at(); took != try || s.asked != many+1 {
			t.Errorf("took %v, asked %d times, want one try", took, s.asked-many)
		}
	})
}

func TestATableThatHangsWhileTheFunctionStarts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: 5 * ms}
		h, _ := spilling(t, s, "", nil)
		h.TableHangs()
		want(t, "it answers now", s.deliver(t, h), outcome{stored, 5 * ms, 1})

		s = &slow{hangs: true}
		h, _ = spilling(t, s, "", nil)
		h.TableHangs()
		want(t, "it still hangs", s.deliver(t, h), outcome{spilled, try, 1})
		want(t, "known", s.deliver(t, h), outcome{spilled, 0, 0})
	})
}

// Where there is no spill, nothing but the table can keep a delivery.
func TestWithoutASpillTheTableHasAllTheTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slow{hangs: true}
		h, _ := spilling(t, s, "", nil)
		h.Spill = nil
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
			want(t, "it hangs", s.post(ctx, h, sample(t, "call.missed")), outcome{sendAgain, 9 * time.Second, 1})
			cancel()
		}
	})
}

// What is too large for a message may fit into an item.
func TestPromise1_WhatTheTableIsNotAskedForItIsIfTheSpillFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ body, stored string }{
		"one":    {sample(t, "call.missed"), stored},
		"a list": {"[" + sample(t, "call.missed") + "," + sample(t, "sms.sent") + "]", `{"status":"stored","keys":["CALL#call_1d4e5f6a","MESSAGE#msg_e5f6g7h8"]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &slow{hangs: true}
				h, _ := spilling(t, s, "", nil)
				s.deliver(t, h)
				h.Spill = spillFunc(func(context.Context, ingest.Received) error { return fmt.Errorf("message too large") })
				ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
				defer cancel()
				if got := h.Handle(ctx, post(test.body)); got.Status != http.StatusServiceUnavailable || string(got.Body) != sendAgain {
					t.Errorf("both fail: got %d %s, want 503", got.Status, got.Body)
				}
				s.hangs = false
				if got := h.Handle(t.Context(), post(test.body)); got.Status != http.StatusOK || string(got.Body) != test.stored {
					t.Errorf("the table is well: got %d %s, want it stored", got.Status, got.Body)
				}
			})
		})
	}
}

func TestWhatIsTooLargeIsNeverSpilled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &slow{hangs: true}
		h, queue := spilling(t, s, "", nil)
		s.deliver(t, h)
		large := `{"event":"voicemail.received","data":{"call_id":"c1","transcription":"` + incompressible() + `"}}`
		if got := h.Handle(t.Context(), post(large)); got.Status != http.StatusRequestEntityTooLarge || len(*queue) != 1 {
			t.Errorf("got %d %s, want 413", got.Status, got.Body)
		}
		time.Sleep(500 * ms) // a try is due
		if got := h.Handle(t.Context(), post(large)); got.Status != http.StatusRequestEntityTooLarge {
			t.Errorf("got %d %s, want 413", got.Status, got.Body)
		}
		want(t, "that says nothing about the table", s.deliver(t, h), outcome{spilled, 0, 0})
	})
}

// incompressible is a text that no item can hold.
func incompressible() string {
	var b strings.Builder
	for b.Len() < 2*table.MaxItemSize {
		b.WriteString(rand.Text())
	}
	return b.String()
}

// It is each write that has the time, and not all of them together.
func TestAListOnASlowTableIsStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &tabletest.Memory{}
		h, _ := spilling(t, tabletest.PutFunc(func(ctx context.Context, item table.Item) (bool, error) {
			time.Sleep(150 * ms)
			return store.Put(ctx, item)
		}), "", nil)
		calls := make([]string, 25)
		for i := range calls {
			calls[i] = fmt.Sprintf(`{"event":"call.missed","data":{"call_id":"c%d"}}`, i)
		}
		got := h.Handle(t.Context(), post("["+strings.Join(calls, ",")+"]"))
		if got.Status != http.StatusOK || len(store.Items()) != len(calls) {
			t.Errorf("got %d %.80s, and %d of %d items", got.Status, got.Body, len(store.Items()), len(calls))
		}
	})
}
