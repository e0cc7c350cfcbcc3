package inbox

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/ringback/ringback/internal/lookup"
)

const (
	// defaultPatience is how long a page waits for a count.
	defaultPatience = 25 * time.Millisecond
	// countTime bounds a count.
	countTime = time.Minute
	// restFactor is how many times as long as a slow count took, the next one is put off.
	restFactor = 10
	// maxTallied is how many days are remembered.
	maxTallied = 8
)

// tallies counts the calls of days, beside the pages that show them: a list begins at once,
// and a busy day has thousands of calls. A page shows the count before, if a new one takes
// longer than it waits.
type tallies struct {
	look            *lookup.Lookup
	patience, every time.Duration
	now             func() time.Time

	mu   sync.Mutex
	days map[time.Time]*tallied
}

// tallied is what is known of a day.
type tallied struct {
	lookup.Tally

	// known is set if it has been counted, last at a time, which took so long.
	known bool
	at    time.Time
	took  time.Duration
	err   error // why the last count failed

	running chan struct{} // closed with the end of the count that is under way; nil if none is
}

func newTallies(c Config) *tallies {
	return &tallies{look: c.Look, patience: cmp.Or(c.Patience, defaultPatience), every: c.CountEvery, now: time.Now, days: make(map[time.Time]*tallied)}
}

// of returns the count of a day, or the one before. known is false if there is none yet. The
// error is why the last count failed.
func (t *tallies) of(ctx context.Context, day time.Time) (tally lookup.Tally, known bool, err error) {
	t.mu.Lock()
	d := t.days[day]
	if d == nil {
		if len(t.days) >= maxTallied {
			clear(t.days)
		}
		d = &tallied{}
		t.days[day] = d
	}
	rest := t.every
	if d.took > t.patience {
		rest = max(rest, restFactor*d.took)
	}
	if d.running == nil && (!d.known || t.now().Sub(d.at) >= rest) {
		d.running = make(chan struct{})
		go t.count(context.WithoutCancel(ctx), d, day) // later pages show it, too
	}
	running := d.running
	t.mu.Unlock()
	if running != nil {
		patience := time.NewTimer(t.patience)
		defer patience.Stop()
		select {
		case <-running:
		case <-patience.C:
		case <-ctx.Done():
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return d.Tally, d.known, d.err
}

func (t *tallies) count(ctx context.Context, d *tallied, day time.Time) {
	ctx, cancel := context.WithTimeout(ctx, countTime)
	defer cancel()
	began := t.now()
	from, to := t.look.Day(day)
	tally, err := t.look.Tally(ctx, from, to)
	t.mu.Lock()
	defer t.mu.Unlock()
	d.at, d.err = t.now(), err
	if err == nil { // a count that failed says nothing of how long one takes
		d.Tally, d.known, d.took = tally, true, d.at.Sub(began)
	}
	close(d.running)
	d.running = nil
}
