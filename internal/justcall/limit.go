package justcall

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/ringback/ringback/internal/timing"
)

// Limits are how many requests an account may make, all users of its key together.
type Limits struct{ PerHour, PerMinute int }

// TeamLimits are those of the smallest plan that has an API. They count where JustCall's
// responses do not tell the account's own.
var TeamLimits = Limits{PerHour: 1800, PerMinute: 30}

// ErrLimit means that a request would have had to wait longer than its context allows.
var ErrLimit = errors.New("the account's request limit is spent")

// limiter keeps a client within two thirds of both limits, so that others who share the
// key have the rest. No bucket of tokens can do this: the limits are windows that end at
// a time JustCall tells, and what others used in them is known only from its responses.
type limiter struct {
	now func() time.Time

	mu           sync.Mutex
	hour, minute window
	ahead        time.Duration // of JustCall's clock, by its last response
}

func newLimiter(l Limits, now func() time.Time) *limiter {
	return &limiter{
		now:    now,
		hour:   window{length: time.Hour, limit: l.PerHour},
		minute: window{length: time.Minute, limit: l.PerMinute},
	}
}

// take waits until a request may be made, and counts it. It does not begin to wait if
// that would outlast ctx: the error then wraps [ErrLimit].
func (l *limiter) take(ctx context.Context) error {
	for {
		wait, now := l.tryTake()
		if wait <= 0 {
			return nil
		}
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
			return fmt.Errorf("%w until %s", ErrLimit, now.Add(wait).UTC().Format("15:04:05 MST"))
		}
		if !timing.Sleep(ctx, wait) {
			return context.Cause(ctx)
		}
	}
}

func (l *limiter) tryTake() (wait time.Duration, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now = l.now()
	if wait = max(l.hour.wait(now), l.minute.wait(now)); wait <= 0 {
		l.hour.count(now)
		l.minute.count(now)
	}
	return wait, now
}

// learn takes over what a response says of the limits.
func (l *limiter) learn(status int, h http.Header) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	theirs := now
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		theirs = date
	}
	l.ahead = theirs.Sub(now)
	l.hour.learn(h, "X-Rate-Limit-", theirs, now)
	l.minute.learn(h, "X-Rate-Limit-Burst-", theirs, now)
	if status != http.StatusTooManyRequests {
		return
	}
	switch seconds, err := strconv.Atoi(h.Get("Retry-After")); {
	case err == nil && seconds >= 0:
		l.minute.close(now.Add(min(time.Duration(seconds)*time.Second, time.Hour)))
	case l.hour.closed(now) || l.minute.closed(now):
	default: // No header says which window is spent, and until when.
		l.minute.close(now.Add(time.Minute))
	}
}

// window is one of the two limits.
type window struct {
	length time.Duration
	limit  int         // requests in length, of everybody
	sent   []time.Time // ours of the last length, oldest first

	left  int       // requests that everybody may still make until then
	until time.Time // by our clock; zero if JustCall does not tell
}

// wait returns how long to wait before the next request.
func (w *window) wait(now time.Time) time.Duration {
	for len(w.sent) > 0 && now.Sub(w.sent[0]) >= w.length {
		w.sent = w.sent[1:]
	}
	// guard 12 justcall: if share := 1 << 40; len(w.sent) >= share {
	if share := max(w.limit*2/3, 1); len(w.sent) >= share {
		return w.sent[len(w.sent)-share].Add(w.length).Sub(now)
	}
	// The last third is for the others, who may have used up the rest. A tenth is ours
	// in any case: without it, a busy account would find nothing.
	if w.closed(now) || now.Before(w.until) && w.left <= w.limit/3 && len(w.sent) >= max(w.limit/10, 1) {
		return w.until.Sub(now)
	}
	return 0
}

func (w *window) closed(now time.Time) bool { return now.Before(w.until) && w.left <= 0 }

func (w *window) close(until time.Time) { w.left, w.until = 0, until }

func (w *window) count(now time.Time) {
	w.sent = append(w.sent, now)
	w.left--
}

// learn reads the headers with that prefix. Their reset is a Unix time by JustCall's
// clock, which may differ from ours: theirs is what it showed. Some have seen a number of
// seconds instead.
func (w *window) learn(h http.Header, prefix string, theirs, now time.Time) {
	if limit, err := strconv.Atoi(h.Get(prefix + "Limit")); err == nil && limit > 0 {
		w.limit = limit
	}
	left, err := strconv.Atoi(h.Get(prefix + "Remaining"))
	reset, resetErr := strconv.ParseInt(h.Get(prefix+"Reset"), 10, 64)
	if err != nil || resetErr != nil {
		return
	}
	w.left = left
	wait := time.Unix(reset, 0).Sub(theirs)
	if reset <= int64(w.length/time.Second) {
		wait = time.Duration(reset) * time.Second
	}
	w.until = now.Add(min(wait, w.length))
}
