package reconcile_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/escalate"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/health"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/table"
)

// reminders are what people of a world are reminded of, and how its callers' waits changed.
type reminders struct {
	mu       sync.Mutex
	told     map[reminder]time.Time
	messages []message
	waits    map[string][]wait // by the caller
}

// reminder is one of a wait.
type reminder struct {
	caller, wait string
	level        int
}

// message is one that people get, about so many callers.
type message struct {
	at      time.Time
	callers int
	asOf    string
}

// wait is what was known of a caller from a time on.
type wait struct {
	escalate.Episode

	at     time.Time
	opened bool // just then
}

// marks is a store that tells of the marks that are written.
type marks struct {
	table.Store

	written func(table.Key)
}

func (m marks) Update(ctx context.Context, item table.Item, was int64) (bool, error) {
	updated, err := m.Store.Update(ctx, item, was)
	if updated && err == nil {
		m.written(table.KeyOf(item))
	}
	return updated, err
}

// remind reminds people every minute, as on AWS, until stop is called; between two times,
// every half an hour, because nobody looks then.
func (w *world) remind(ctx context.Context, rareFrom, rareTo time.Time) (r *reminders, stop func()) {
	w.t.Helper()
	plan, callers, err := escalate.Settings{
		Zone: time.UTC, After: escalate.DefaultAfter, AgainAfter: escalate.DefaultAgainAfter, BlindAfter: health.DefaultBlindAfter,
	}.Read()
	if err != nil {
		w.t.Fatal(err)
	}
	r = &reminders{told: make(map[reminder]time.Time), waits: make(map[string][]wait)}
	looked := make(map[string]string) // what a caller's wait was when the runner looked
	read := func(caller string, items []table.Item) (escalate.Caller, error) {
		c, err := callers.Read(caller, items)
		r.mu.Lock()
		defer r.mu.Unlock()
		looked[caller] = c.ID
		return c, err
	}
	written := func(key table.Key) {
		r.mu.Lock()
		defer r.mu.Unlock()
		caller := table.CallerOf(key)
		if level, ok := table.ReadReminder(key, looked[caller]); ok {
			r.told[reminder{caller, looked[caller], level}] = time.Now()
		}
	}
	runner := escalate.New(plan, marks{w.store, written}, read, r, w.lines.Logger())
	w.ledger.Changed = ledger.Tell(runner.Changed(callers), func(_ context.Context, caller string, before, after followup.State) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.waits[caller] = append(r.waits[caller], wait{callers.Episode(after), time.Now(), !before.Open() && after.Open()})
		return nil
	})
	ctx, cancel := context.WithCancel(ctx)
	var runs sync.WaitGroup
	runs.Go(func() {
		for {
			// Half a second later than anything else happens.
			every := time.Minute
			if now := time.Now(); now.After(rareFrom) && now.Add(time.Minute).Before(rareTo) {
				every = 30 * time.Minute
			}
			next := time.Now().Truncate(every).Add(every + time.Second/2)
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Until(next)):
			}
			if _, err := runner.Run(context.WithoutCancel(ctx)); err != nil {
				w.t.Error(err)
			}
		}
	})
	return r, func() { cancel(); runs.Wait() }
}

// Publish implements [alert.Publisher].
func (r *reminders) Publish(_ context.Context, all []alert.Message) []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	errs := make([]error, len(all))
	for i, m := range all {
		if m.Kind != events.KindOverdue {
			errs[i] = fmt.Errorf("%s is no reminder", m.Kind)
			continue
		}
		said := struct {
			Callers int    `json:"callers"`
			AsOf    string `json:"as_of"`
		}{Callers: 1}
		errs[i] = json.Unmarshal(m.Document, &said)
		r.messages = append(r.messages, message{time.Now(), said.Callers, said.AsOf})
	}
	return errs
}

// at returns what was known of a caller at a time.
func (r *reminders) at(caller string, t time.Time) (known wait) {
	for _, w := range r.waits[caller] {
		if w.at.After(t) {
			break
		}
		known = w
	}
	return known
}

// due reports whether people may be reminded at a time of a caller's wait.
func (r *reminders) due(caller, id string, t time.Time) bool {
	known := r.at(caller, t)
	return known.ID == id && !known.Quiet && (known.PausedUntil == nil || !known.PausedUntil(t).After(t))
}

// keepsDistance reports whether a second reminder came as long after the first as it has to.
// Where an attempt becomes known with the call that it answers, the first is put off by it,
// and the second with it.
func (r *reminders) keepsDistance(x reminder) bool {
	first := r.told[reminder{x.caller, x.wait, x.level - 1}]
	return !first.IsZero() && r.told[x].Sub(first) <= escalate.DefaultAgainAfter-escalate.DefaultAfter+time.Minute
}

// sorted returns the reminders in their order.
func (r *reminders) sorted() []reminder {
	return slices.SortedFunc(maps.Keys(r.told), func(a, b reminder) int { return r.told[a].Compare(r.told[b]) })
}

// snooze has people put off, until a time, half of those who wait.
func (w *world) snooze(t *testing.T, until time.Time) {
	t.Helper()
	for item, err := range table.All(t.Context(), w.store, table.WaitingSince(time.Time{})) {
		if err != nil {
			t.Fatal(err)
		}
		caller := table.CallerOf(table.KeyOf(item))
		if caller[len(caller)-1]%2 == 1 {
			continue
		}
		act := ledger.ActItem(caller, followup.Act{ID: "snooze", At: time.Now(), Kind: followup.ActSnooze, By: "Kim", Until: until})
		if _, err := w.store.Put(t.Context(), act); err != nil {
			t.Fatal(err)
		}
		if err := w.consume(t.Context(), act); err != nil {
			t.Fatal(err)
		}
	}
}

// outage is when the webhook was dead: the last event came before From, and To is when JustCall
// was back. By Known, all that happened meanwhile is known.
type outage struct{ from, to, known time.Time }

// compare checks the reminders of a world whose webhook was dead for a time. whole are
// those of one that saw everything at once: it says who waits.
func (o outage) compare(t *testing.T, whole, lossy *reminders) {
	t.Helper()
	for name, r := range map[string]*reminders{"without the outage": whole, "with it": lossy} {
		callers := 0
		for _, m := range r.messages {
			callers += m.callers
		}
		if callers != len(r.told) {
			t.Errorf("%s: %d callers in messages, but %d reminders: some came twice", name, callers, len(r.told))
		}
	}
	blind, late := 0, 0
	for _, x := range lossy.sorted() {
		at := lossy.told[x]
		right, ok := whole.told[x]
		switch {
		case at.After(o.from) && at.Before(o.to):
			if !ok || right.After(at) || !whole.due(x.caller, x.wait, at) {
				blind++ // nobody could know
			}
		case !whole.due(x.caller, x.wait, at):
			t.Errorf("reminder %d at %v of a caller who does not wait, or whom somebody takes care of", x.level, at)
		case !ok || right.After(at.Add(time.Minute)):
			t.Errorf("reminder %d at %v: without the outage, it came at %v", x.level, at, right)
		case at.After(o.to) && right.Before(o.to):
			late++
		}
	}
	for _, x := range whole.sorted() {
		right, at := whole.told[x], lossy.told[x]
		switch {
		case right.Before(o.from) || right.After(o.known):
			if !at.Equal(right) {
				t.Errorf("reminder %d came at %v, want %v as without the outage", x.level, at, right)
			}
		case at.IsZero() && whole.due(x.caller, x.wait, o.known):
			t.Errorf("nobody was reminded (%d) of a caller who still waits", x.level)
		case at.After(o.known) && whole.due(x.caller, x.wait, o.known) && !lossy.keepsDistance(x):
			t.Errorf("reminder %d came at %v, want it by %v", x.level, at, o.known)
		}
	}
	unsure := 0
	for _, m := range lossy.messages {
		inTime := m.at.Before(o.from.Add(health.DefaultBlindAfter))
		if m.asOf != "" {
			unsure++
		}
		if want := !inTime && m.at.Before(o.to); want != (m.asOf != "") && (m.at.Before(o.to) || m.at.After(o.known)) {
			t.Errorf("a reminder at %v holds as of %q", m.at, m.asOf)
		}
	}
	t.Logf("%d reminders without the outage, %d with it: %d of them late, %d while nobody could know better; %d messages say as of when", len(whole.told), len(lossy.told), late, blind, unsure)
	if late == 0 || unsure == 0 && !testing.Short() {
		t.Error("no reminder came late, or none says as of when: this proves little")
	}
}
