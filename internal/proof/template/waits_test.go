package template_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/escalate"
	"github.com/ringback/ringback/internal/figures"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/health"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
)

// What the filters look for is what the ledger, the runs and the counts log.
func TestMetricsCountWaits(t *testing.T) {
	t.Parallel()
	var alerts, runs bytes.Buffer
	now := noon
	store := &tabletest.Memory{Now: func() time.Time { return noon }}
	plan, callers, err := escalate.Settings{Zone: time.UTC, After: escalate.DefaultAfter}.Read()
	if err != nil {
		t.Fatal(err)
	}
	remind := escalate.New(plan, store, callers.Read, publisher(func() error { return nil }), logger(t, &runs))
	followUps := ledger.New(store, events.PhoneNumber, logger(t, &alerts))
	followUps.Changed = ledger.Tell(figures.Log(callers.Lines, logger(t, &alerts)), remind.Changed(callers))
	counter := figures.NewCounter(callers.Policy, callers.Lines, store, logger(t, &runs))
	clock := func() time.Time { return now }
	remind.Now, followUps.Now, counter.Now = clock, clock, clock
	watch := health.New(store, logger(t, &alerts))

	keep := func(items ...table.Item) {
		for _, item := range items {
			if _, err := store.Put(t.Context(), item); err != nil {
				t.Fatal(err)
			}
			if err := followUps.Process(t.Context(), []table.Item{item})[0]; err != nil {
				t.Fatal(err)
			}
			if table.IsEvent(table.KeyOf(item)) {
				watch.Process(t.Context(), []table.Item{item})
			}
		}
	}
	call := func(typ events.Type, id, direction, outcome string) {
		envelope, err := events.Open(fmt.Appendf(nil, `{"type":%q,"data":{"call_sid":%q,"contact_number":"14155550144","agent_name":"Ines",
			"call_date":%q,"call_time":%q,"call_info":{"direction":%q,"type":%q},"call_duration":{"conversation_time":60,"ring_time":15}}}`,
			typ, id, now.Format(time.DateOnly), now.Format(time.TimeOnly), direction, outcome))
		if err != nil {
			t.Fatal(err)
		}
		keep(table.EventItem(envelope.Decode(), time.Time{}, now))
	}
	for _, step := range []struct {
		name    string
		minutes int
		do      func()
		alerts  []string
		runs    []string
	}{
		{"missed", 0, func() { call(events.TypeCallMissed, "a", "Incoming", "Missed") }, []string{"FollowUpsOpened"}, []string{"CallersWaiting = 1", "OldestWaiting = 0"}},
		{"no event says how a call ended", 15, func() {}, []string{}, []string{"CallersWaiting = 1", "OldestWaiting = 0.25", "RemindersHeld = 1"}},
		{"called back", 30, func() { call(events.TypeCallCompleted, "b", "Outgoing", "Answered") }, []string{
			"CallbackBusinessTime = 1.8e+06", "CallbackTime = 1.8e+06", "CalledBackSameDay", "CalledBackWithin1Hour", "FollowUpsClosed returned",
		}, []string{"CallersWaiting = 0", "OldestWaiting = 0"}},
		{"missed again", 45, func() { call(events.TypeCallMissed, "c", "Incoming", "Missed") }, []string{"FollowUpsOpened"}, []string{"CallersWaiting = 1", "OldestWaiting = 0"}},
		{"done", 46, func() {
			keep(ledger.ActItem("+14155550144", followup.Act{ID: "1", At: now, Kind: followup.ActDone, By: "Ines"}))
		}, []string{"FollowUpsClosed done"}, []string{}},
		{"missed once more", 47, func() { call(events.TypeCallMissed, "d", "Incoming", "Missed") }, []string{"FollowUpsOpened"}, []string{}},
		{"tried in vain", 48, func() { call(events.TypeCallCompleted, "e", "Outgoing", "Unanswered") }, []string{}, []string{}},
		{"again", 80, func() { call(events.TypeCallCompleted, "f", "Outgoing", "Unanswered") }, []string{}, []string{}},
		{"too often", 110, func() { call(events.TypeCallCompleted, "g", "Outgoing", "Unanswered") }, []string{"FollowUpsUnreached"}, []string{}},
		{"a week later", 47 + 7*24*60, func() {}, []string{}, []string{"FollowUpsExpired = 1"}},
	} {
		now = noon.Add(time.Duration(step.minutes) * time.Minute)
		step.do()
		if _, err := remind.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := counter.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		for group, log := range map[string]*bytes.Buffer{"AlertsLogGroup": &alerts, "EscalateLogGroup": &runs} {
			want := map[string][]string{"AlertsLogGroup": step.alerts, "EscalateLogGroup": step.runs}[group]
			if diff := cmp.Diff(want, counted(t, group, log.String())); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s%s", step.name, group, diff, log.String())
			}
			log.Reset()
		}
	}
}
