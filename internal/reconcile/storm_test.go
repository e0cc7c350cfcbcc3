package reconcile_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/proof/justcalltest"
	"github.com/ringback/ringback/internal/reconcile"
	"github.com/ringback/ringback/internal/table"
)

var stormCalls = flag.Int("storm-calls", 250, "calls in the storm with a webhook that is dead for a day")

// planned is a call of a storm, and the types of the events that its webhook brings.
type planned struct {
	justcalltest.Call

	hooks []events.Type
}

// longestInPlan is longer than any call of a plan.
const longestInPlan = 6 * time.Minute

// plan returns calls of a day and an hour, in the order in which they begin.
func plan(n int, begin time.Time) []planned {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same storm each time
	all := make([]planned, n)
	for i := range all {
		p := &all[i]
		p.Contact = fmt.Sprintf("+1212%07d", 5_550_000+random.IntN(n/5+1))
		p.Line = line
		p.Start = begin.Add(time.Duration(random.Int64N(int64(26 * time.Hour)))).Truncate(time.Second)
		p.Length = time.Duration(20+random.IntN(300)) * time.Second
		switch kind := random.IntN(20); {
		case kind < 7:
			p.Type, p.hooks = "Missed", []events.Type{events.TypeCallMissed, events.TypeCallCompleted}
		case kind < 9:
			p.Type, p.hooks = "Voicemail", []events.Type{events.TypeCallVoicemail, events.TypeCallCompleted}
		case kind < 10:
			p.Type, p.hooks = "Abandoned before ringing", []events.Type{events.TypeCallCompleted}
		case kind < 14:
			p.Type, p.hooks = "answered", []events.Type{events.TypeCallAnswered, events.TypeCallCompleted}
		case kind < 19:
			p.Type, p.Direction, p.hooks = "answered", "Outgoing", []events.Type{events.TypeCallCompleted}
		default:
			p.Type, p.Direction, p.hooks = "Unanswered", "Outgoing", []events.Type{events.TypeCallCompleted}
		}
	}
	slices.SortFunc(all, func(a, b planned) int { return a.Start.Compare(b.Start) })
	return all
}

// summary is what a stack knows in the end.
type summary struct {
	Calls   map[string]call   // by the partition
	Callers map[string]string // state and since
	Net     map[string]int
}

type call struct {
	Outcome     events.Outcome
	Direction   events.Direction
	Phone, Line string
	Start       time.Time
}

func (w *world) summary() summary {
	w.t.Helper()
	parts := make(map[string][]events.Part)
	s := summary{Calls: map[string]call{}, Callers: map[string]string{}, Net: w.net}
	for item, err := range table.ScanAll(w.t.Context(), w.store, "", "") {
		if err != nil {
			w.t.Fatal(err)
		}
		switch key := table.KeyOf(item); {
		case table.IsEvent(key):
			parts[key.PK] = append(parts[key.PK], alert.PartOf(item))
		case table.IsFollowUp(key):
			s.Callers[key.PK] = table.Text(item, table.State) + " " + table.Text(item, table.Since) + " " + table.Text(item, table.Count)
		}
	}
	for name, all := range parts {
		f := events.Fold(all...)
		s.Calls[name] = call{f.Outcome, f.Direction, f.Phone, f.Line, f.Start}
	}
	return s
}

func TestPromise12_ADayWithoutWebhookLeavesNoTrace(t *testing.T) {
	t.Parallel()
	calls := *stormCalls
	if testing.Short() {
		calls = 80
	}
	synctest.Test(t, func(t *testing.T) {
		whole, lossy := newWorld(t), newWorld(t)
		begin := time.Now().Truncate(time.Second)
		deadFrom, deadTo := begin.Add(time.Hour), begin.Add(25*time.Hour)
		end := begin.Add(28 * time.Hour) // the last call is more than an hour old
		lossy.limit()
		lossy.MaxPerPage = max(4, min(100, calls/60)) // so that a run takes minutes
		for _, w := range []*world{whole, lossy} {
			w.setClock(time.Now)
			w.rules.Rules.MaxAge, w.run.MaxAlertAge = 0, 0 // as old as they are
		}
		right, stopWhole := whole.remind(t.Context(), deadFrom.Add(4*time.Hour), deadTo)
		reminded, stopLossy := lossy.remind(t.Context(), deadFrom.Add(4*time.Hour), deadTo)

		type action struct {
			at time.Time
			do func()
		}
		var actions []action
		all := plan(calls, begin)
		// Somebody is called back right before JustCall can be asked again.
		all = append(all, planned{justcalltest.Call{Contact: "+12125549999", Line: line, Type: "Missed", Start: deadTo.Add(-3 * time.Hour), Length: time.Minute}, nil},
			planned{justcalltest.Call{Contact: "+12125549999", Line: line, Type: "answered", Direction: "Outgoing", Start: deadTo.Add(-2 * time.Minute), Length: time.Minute}, nil})
		for _, p := range all {
			if p.hooks == nil {
				p.hooks = []events.Type{events.TypeCallCompleted}
			}
			var rows [2]justcalltest.Row
			actions = append(actions, action{p.Start, func() {
				for i, w := range []*world{whole, lossy} {
					w.Change(func() { w.AddCall(p.Call); rows[i] = w.Calls[len(w.Calls)-1] })
				}
			}})
			for i, typ := range p.hooks {
				at := p.Start.Add(p.Length + time.Duration(i+1)*time.Second)
				actions = append(actions, action{at, func() {
					whole.hookOf(typ, rows[0])
					if at.Before(deadFrom) || at.After(deadTo) {
						lossy.hookOf(typ, rows[1])
					}
				}})
			}
		}
		actions = append(actions, action{deadFrom.Add(-time.Millisecond), func() {
			for _, w := range []*world{whole, lossy} {
				w.snooze(t, deadFrom.Add(3*time.Hour))
			}
		}})
		var runs sync.WaitGroup
		for at := begin; at.Before(end); at = at.Add(reconcile.Every) {
			if at.After(deadFrom) && !at.After(deadTo) {
				continue
			}
			actions = append(actions, action{at.Add(time.Second), func() {
				runs.Go(func() {
					if _, err := lossy.runOnce(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}})
		}
		slices.SortStableFunc(actions, func(a, b action) int { return a.at.Compare(b.at) })
		play := func(until time.Time) {
			for len(actions) > 0 && actions[0].at.Before(until) {
				time.Sleep(time.Until(actions[0].at))
				actions[0].do()
				actions = actions[1:]
			}
			time.Sleep(time.Until(until))
		}

		play(deadTo)
		before := time.Now()
		took := make(chan time.Duration, 1)
		runs.Go(func() {
			report, err := lossy.runOnce(t.Context())
			took <- time.Since(before)
			t.Logf("%d calls: %d rows found in %v, with %d requests in all", calls, report.Found, time.Since(before), lossy.Requests())
			if err != nil || report.Behind {
				t.Errorf("the run was cut off, or failed: %v", err)
			}
		})
		play(deadTo.Add(reconcile.Every))
		var ended time.Time
		select {
		case after := <-took:
			ended = before.Add(after)
		default:
			t.Fatalf("the run did not end in %v", reconcile.Every)
		}
		// All that was over when the run began is known when it ends.
		known := make(map[string]bool)
		lossy.mu.Lock()
		for _, s := range lossy.sent {
			known[s.key] = true
		}
		lossy.mu.Unlock()
		for _, row := range lossy.Calls {
			name := table.CallPartition(row["call_sid"].(string))
			if end := row["(ends at)"].(time.Time); end.After(deadFrom) && end.Before(before.Add(-3*time.Minute)) && !known[name] {
				t.Errorf("%s, which ended at %v, was not found", name, end)
			}
		}
		play(end)
		runs.Wait()
		stopWhole()
		stopLossy()

		want, got := whole.summary(), lossy.summary()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("without the outage (-), with it (+):\n%.3000s", diff)
		}
		for id, n := range lossy.ever {
			if n != 1 {
				t.Errorf("%s was alerted %d times", id, n)
			}
		}
		outage{deadFrom, deadTo, deadTo.Add(2 * reconcile.Every)}.compare(t, right, reminded)
		for caller, waits := range reminded.waits {
			for _, w := range waits {
				// The webhook itself tells of a call that was under way when it came back. If the
				// caller was served meanwhile, the next run finds that.
				told := w.Since.Add(longestInPlan).After(deadTo)
				if w.opened && !told && !w.at.Before(before) && !w.at.After(ended) && right.at(caller, w.at).ID == "" {
					t.Errorf("a caller waited at %v who had been served", w.at)
				}
			}
		}
	})
}

// runOnce runs for as long as a run may take.
func (w *world) runOnce(ctx context.Context) (reconcile.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, 14*time.Minute)
	defer cancel()
	return w.run.Run(ctx)
}

// Whatever the time of a run, the next ones go on, and no row is lost or sent twice.
func TestPromise12_ARunThatIsCutOffIsGoneOnWith(t *testing.T) {
	t.Parallel()
	// The time ends, or the limits allow no other request in what is left of it.
	for _, takes := range []time.Duration{2 * time.Minute, 110 * time.Second} {
		t.Run(takes.String(), func(t *testing.T) {
			t.Parallel()
			cutOff(t, takes)
		})
	}
}

func cutOff(t *testing.T, takes time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.limit()
		w.setClock(time.Now)
		w.process = func(_ context.Context, items []table.Item) []error { return make([]error, len(items)) } // what follows is no matter here
		w.reconcile()
		time.Sleep(2 * time.Hour)
		calls := 4_000
		if testing.Short() {
			calls = 2_000
		}
		for i := range calls {
			w.call(time.Duration(calls-i)*time.Second+10*time.Minute, []string{"Missed", "answered"}[i%2], func(c *justcalltest.Call) {
				c.Contact = fmt.Sprintf("+1212%07d", 5_550_000+i)
			})
		}
		cut := 0
		for runs := 0; len(w.sent) < calls; runs++ {
			if runs == 20 {
				t.Fatalf("%d of %d found in %d runs", len(w.sent), calls, runs)
			}
			ctx, cancel := context.WithTimeout(t.Context(), takes)
			report, err := w.run.Run(ctx)
			cancel()
			if err != nil {
				t.Fatal(err)
			}
			if report.Behind {
				cut++
			}
			time.Sleep(reconcile.Every - 2*time.Minute)
		}
		if cut == 0 {
			t.Error("no run was cut off")
		}
		t.Logf("%d calls: %d runs cut off", calls, cut)
		seen := make(map[string]bool)
		for _, s := range w.sent {
			if seen[s.key] {
				t.Errorf("%s was sent twice", s.key)
			}
			seen[s.key] = true
		}
	})
}
