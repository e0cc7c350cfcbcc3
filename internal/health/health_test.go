package health_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/health"
	"github.com/ringback/ringback/internal/hours"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

var noon = time.Date(2026, time.June, 1, 12, 0, 0, 0, time.UTC)

// event is an event that arrives some seconds after noon.
func event(t *testing.T, typ string, seconds int) table.Item {
	t.Helper()
	envelope, err := events.Open(fmt.Appendf(nil, `{"event":%q,"data":{"call_id":"%d","from":"+14155550144"}}`, typ, seconds))
	if err != nil {
		t.Fatal(err)
	}
	return table.EventItem(envelope.Decode(), time.Time{}, at(seconds))
}

func at(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

func load(t *testing.T, store table.Store) table.Health {
	t.Helper()
	h, err := table.LoadHealth(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// counting counts the calls of a store, and can refuse them.
type counting struct {
	table.Store
	calls  int
	refuse bool
}

func (c *counting) Query(ctx context.Context, q table.Query) (table.Page, error) {
	c.calls++
	if c.refuse {
		return table.Page{}, table.ErrUnavailable
	}
	return c.Store.Query(ctx, q)
}

func (c *counting) Update(ctx context.Context, item table.Item, was int64) (bool, error) {
	c.calls++
	return c.Store.Update(ctx, item, was)
}

func TestPromise11_WhenTheLastEventArrivedIsKept(t *testing.T) {
	t.Parallel()
	store := &counting{Store: &tabletest.Memory{}}
	w := health.New(store, logscan.Logger(t))
	if h := load(t, store); h != (table.Health{}) {
		t.Errorf("%+v of a table without events", h)
	}
	for _, step := range []struct {
		typ     string
		seconds int
		want    table.Health
	}{
		{"call.missed", 0, table.Health{Arrived: at(0)}},
		{"sms.received", 59, table.Health{Arrived: at(0)}}, // at most once a minute
		{"call.missed", 60, table.Health{Arrived: at(60)}},
		{"call.answered", 70, table.Health{Arrived: at(70), Ended: at(70), EndedSince: at(70)}}, // the first
		{"Call Completed", 71, table.Health{Arrived: at(70), Ended: at(70), EndedSince: at(70)}},
		{"sms.sent", 80, table.Health{Arrived: at(80), Ended: at(71), EndedSince: at(70), Texted: at(80)}},
		{"sms_sent", 200, table.Health{Arrived: at(200), Ended: at(71), EndedSince: at(70), Texted: at(200)}},
		{"call.completed", 65, table.Health{Arrived: at(200), Ended: at(71), EndedSince: at(70), Texted: at(200)}}, // late
		{"sd.call_completed", 300, table.Health{Arrived: at(300), Ended: at(300), EndedSince: at(65), Texted: at(200)}},
		{"fax.received", 400, table.Health{Arrived: at(400), Ended: at(300), EndedSince: at(65), Texted: at(200)}},
	} {
		if err := errors.Join(w.Process(t.Context(), []table.Item{event(t, step.typ, step.seconds)})...); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, load(t, store), cmpopts.IgnoreFields(table.Health{}, "Version")); diff != "" {
			t.Errorf("%s (-want +got)\n%s", step.typ, diff)
		}
	}
	store.calls = 0
	w.Process(t.Context(), []table.Item{event(t, "call.completed", 401)})
	w.Process(t.Context(), []table.Item{event(t, "call.completed", 402)})
	if store.calls > 2 {
		t.Errorf("%d calls of the table within a minute, want one read and one write", store.calls)
	}
}

func TestPromise4_ManyProcessesKeepTheLatest(t *testing.T) {
	t.Parallel()
	store := &tabletest.Memory{}
	random := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // the same orders each time
	all := []*health.Watch{health.New(store, logscan.Logger(t)), health.New(store, logscan.Logger(t)), health.New(store, logscan.Logger(t))}
	for _, n := range random.Perm(200) {
		typ := []string{"call.missed", "call.completed", "sms.sent"}[n%3]
		all[random.IntN(len(all))].Process(t.Context(), []table.Item{event(t, typ, 61*n)})
	}
	want := table.Health{Arrived: at(61 * 199), Ended: at(61 * 199), Texted: at(61 * 197), EndedSince: at(61)}
	if diff := cmp.Diff(want, load(t, store), cmpopts.IgnoreFields(table.Health{}, "Version", "EndedSince")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestNoEventWaitsForTheSignOfLife(t *testing.T) {
	t.Parallel()
	lines := logscan.Writer(t)
	w := health.New(&counting{Store: &tabletest.Memory{}, refuse: true}, lines.Logger())
	if err := errors.Join(w.Process(t.Context(), []table.Item{event(t, "call.missed", 0)})...); err != nil {
		t.Errorf("the event fails: %v", err)
	}
	if !strings.Contains(lines.String(), "sign of life not kept") {
		t.Errorf("nothing is logged:\n%s", lines)
	}
}

func TestWants(t *testing.T) {
	t.Parallel()
	c := health.New(&tabletest.Memory{}, logscan.Logger(t)).Consumer()
	if !c.Wants(event(t, "fax.received", 0)) || c.Wants(table.Health{Arrived: noon}.Item()) {
		t.Error("it does not want the events of any kind, and nothing else")
	}
	if c.Key(event(t, "fax.received", 0)) != c.Key(event(t, "call.missed", 1)) {
		t.Error("two write at once")
	}
}

func TestBlind(t *testing.T) {
	t.Parallel()
	lines, err := hours.Parse("Mon-Fri 9:00-17:00", "2026-06-02", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	last := noon.Add(4 * time.Hour) // Monday, 16:00; Tuesday is a holiday
	day := 24 * time.Hour
	for _, tc := range []struct {
		name    string
		arrived time.Time
		now     time.Time
		after   time.Duration
		want    bool
	}{
		{"an hour later", last, last.Add(time.Hour), 2 * time.Hour, false},
		{"the next morning but one", last, last.Add(2*day - 6*time.Hour - time.Second), 2 * time.Hour, false},
		{"the second hour is over", last, last.Add(2*day - 6*time.Hour), 2 * time.Hour, true},
		{"never", last, last.Add(9 * day), 0, false},
		{"years later", last.AddDate(-30, 0, 0), last, 2 * time.Hour, true},
		{"no event yet", time.Time{}, last, 2 * time.Hour, false},
		{"a clock that was set back", last, last.Add(-day), 2 * time.Hour, false},
	} {
		if got := health.Blind(table.Health{Arrived: tc.arrived}, tc.now, lines.Of("", ""), tc.after); got != tc.want {
			t.Errorf("%s: %t, want %t", tc.name, got, tc.want)
		}
	}
}

// What is made anew says what the events say, and not that one has just arrived: whoever
// was blind stays so.
func TestPromise11_ARebuildSaysWhenTheLastEventArrived(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	imported := event(t, "call.completed", 90_000)
	imported[table.FoundBy] = attr.String(table.FoundByImport)
	for _, item := range []table.Item{
		event(t, "call.completed", 60), event(t, "call.answered", 30), event(t, "sms.sent", 40), event(t, "call.missed", 600), imported,
	} {
		if _, err := store.Put(t.Context(), item); err != nil {
			t.Fatal(err)
		}
	}
	want := table.Health{Arrived: at(600), Ended: at(60), EndedSince: at(30), Texted: at(40), Version: 1}
	for _, written := range []int{1, 0} {
		reports := 0
		read, wrote, err := health.Rebuild(t.Context(), store, func(int) { reports++ })
		if err != nil || read != 5 || wrote != written || reports != 5 {
			t.Errorf("%d read, %d written, %d reports, %v", read, wrote, reports, err)
		}
		if got := load(t, store); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	always, err := hours.Parse("", "", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	if !health.Blind(load(t, store), at(600).Add(2*time.Hour), always.Of("", ""), health.DefaultBlindAfter) {
		t.Error("no longer blind")
	}
	// What was seen later stays.
	newer := table.Health{Arrived: at(6000), Ended: at(10), EndedSince: at(10), Version: 1}
	if updated, err := store.Update(t.Context(), newer.Item(), 1); !updated || err != nil {
		t.Fatal(updated, err)
	}
	if _, _, err := health.Rebuild(t.Context(), store, func(int) {}); err != nil {
		t.Fatal(err)
	}
	want = table.Health{Arrived: at(6000), Ended: at(60), EndedSince: at(10), Texted: at(40), Version: 3}
	if got := load(t, store); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
