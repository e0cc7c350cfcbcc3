package alert_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
)

const theirs = "14155550144"

// happens is an event of a call in format B, which began so many minutes after 9:00.
// said is its direction and outcome, and talk how many seconds they talked, -1 if it
// does not say.
func happens(id string, minute int, typ, said string, talk int) string {
	direction, outcome, _ := strings.Cut(said, " ")
	duration, agent := "", ""
	if talk >= 0 {
		duration = fmt.Sprintf(`,"call_duration":{"total_duration":%d,"conversation_time":%d,"ring_time":5}`, talk, talk)
	}
	if outcome == "Answered" {
		agent = `"agent_id":27,"agent_name":"Ines",`
	}
	return fmt.Sprintf(`{"type":%q,"data":{"call_sid":%q,%s"contact_number":%q,"justcall_number":"14155550101",
		"call_date":"2026-03-12","call_time":"%02d:%02d:00","call_info":{"direction":%q,"type":%q}%s}}`,
		typ, id, agent, theirs, 9+minute/60, minute%60, direction, outcome, duration)
}

func rings(id string, minute int) string {
	return happens(id, minute, "call.missed", "Incoming Missed", -1)
}

func leaves(id string, minute int) string {
	return happens(id, minute, "call.voicemail", "Incoming Voicemail", -1)
}

func callsBack(id string, minute int) string {
	return happens(id, minute, "call.completed", "Outgoing Answered", 60)
}

func does(kind followup.ActKind, id string, minute int) table.Item {
	at := time.Date(2026, 3, 12, 9, minute, 0, 0, time.UTC)
	return ledger.ActItem("+"+theirs, followup.Act{ID: id, At: at, Kind: kind, By: "Kim", Why: "met them", Until: at.Add(30 * time.Minute)})
}

func blacklisted(yes bool, second int) string {
	return fmt.Sprintf(`{"type":"jc.contact_status_updated","request_id":"01KKWS8V%02dP04C57494RC26YG8","data":{"id":7,"contact_number":%q,"status":{"blacklist":%t}}}`, second, theirs, yes)
}

// watch returns the consumers of the stream in one process.
func watch(store table.Store, to alert.Publisher, rules alert.Rules, log *slog.Logger) (consumers []consumer.Consumer, d *alert.Dispatcher) {
	d = alert.New(store, events.PhoneNumber, to, log)
	d.Rules, d.Now = rules, func() time.Time { return arrival }
	l := ledger.New(store, events.PhoneNumber, log)
	l.Now, l.Followed = func() time.Time { return arrival }, d.Followed
	book := addressbook.New(store, events.PhoneNumber, log)
	book.Changed = l.Refresh
	return []consumer.Consumer{d.Consumer(), book.Consumer(), l.Consumer()}, d
}

// returns lists the messages by which alerts were ended: id, reason, who and how long.
func (p *topic) returns(t testing.TB) (all []string) {
	t.Helper()
	for _, m := range p.sent {
		if m.Kind != events.KindReturned {
			continue
		}
		d := document(t, m)
		served, _ := d["served"].(map[string]any)
		all = append(all, fmt.Sprint(d["id"], " ", d["reason"], " ", served["by"], " ", served["waited_seconds"]))
	}
	slices.Sort(all)
	return all
}

// What ends a caller's wait ends each of the alerts, whichever of them came first.
func TestPromise10_WhoeverWasServedIsNoLongerAlertedOf(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		items    func(testing.TB) []table.Item
		standing []string
		returns  []string
		timely   bool // in the order of the file only
	}{
		{
			"called back after two calls and a voicemail", inOrder(rings("a", 0), rings("b", 2), leaves("b", 2), callsBack("c", 10)), nil,
			[]string{"CALL#a/missed_call returned Ines 600", "CALL#b/missed_call returned Ines 480", "CALL#b/voicemail returned Ines 480"},
			false,
		},
		{
			"called again, and answered", inOrder(rings("a", 0), happens("b", 3, "call.completed", "Incoming Answered", 40)), nil,
			[]string{"CALL#a/missed_call rescued Ines 180"},
			false,
		},
		{
			"a mailbox", inOrder(rings("a", 0), happens("b", 3, "call.completed", "Outgoing Answered", 9)),
			[]string{"CALL#a/missed_call"},
			nil, false,
		},
		{
			"done by hand", inOrder(rings("a", 0), does(followup.ActDone, "1", 5)), nil,
			[]string{"CALL#a/missed_call done Kim 300"},
			false,
		},
		{
			"claimed, which is not served", inOrder(rings("a", 0), does(followup.ActClaim, "1", 5)),
			[]string{"CALL#a/missed_call"},
			nil, false,
		},
		{
			"called back, and missed again", inOrder(rings("a", 0), callsBack("b", 5), rings("c", 9)),
			[]string{"CALL#c/missed_call"},
			[]string{"CALL#a/missed_call returned Ines 300"},
			false,
		},
		{
			"called back twice: the first counts", inOrder(rings("a", 0), callsBack("b", 5), callsBack("c", 50)), nil,
			[]string{"CALL#a/missed_call returned Ines 300"},
			false,
		},
		{
			"JustCall's queue reached them", inOrder(rings("a", 0), strings.Replace(
				happens("b", 4, "call.updated", "Incoming Abandoned", 60), `"call_info"`, `"queue_callback":{"callback_requested":"Yes","callback_status":"Yes"},"call_info"`, 1)), nil,
			[]string{"CALL#a/missed_call queue <nil> 240"},
			false,
		},
		{
			"blocked", inOrder(rings("a", 0), blacklisted(true, 10)), nil,
			[]string{"CALL#a/missed_call blocked <nil> <nil>"},
			false,
		},
		{
			"blocked, and no longer", inOrder(rings("a", 0), blacklisted(true, 10), blacklisted(false, 20), rings("a", 0)), nil,
			[]string{"CALL#a/missed_call blocked <nil> <nil>"},
			true,
		},
		{
			"answered after all, and then called back", inOrder(rings("a", 0), happens("a", 0, "call.answered", "Incoming Answered", -1), callsBack("b", 5)), nil,
			[]string{"CALL#a/missed_call answered <nil> <nil>"},
			false,
		},
		{
			"taken for a contact, which it was not", inOrder(
				rings("a", 0), happens("b", 3, "call.answered", "Incoming Answered", -1), happens("b", 3, "call.completed", "Incoming Answered", 4)),
			[]string{"CALL#a/missed_call#2"},
			[]string{"CALL#a/missed_call rescued Ines 180"},
			false,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for order := range 20 {
				random := rand.New(rand.NewPCG(uint64(order), 3)) //nolint:gosec // the same orders each time
				items, lines := tc.items(t), logscan.Writer(t)
				if order > 0 {
					items = append(items, items...)
					random.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
				}
				store, to := &tabletest.Memory{Now: func() time.Time { return arrival }}, &topic{}
				consumers, _ := watch(store, to, alert.Rules{}, lines.Logger())
				for _, item := range items {
					put(t, store, item)
					random.Shuffle(len(consumers), func(i, j int) { consumers[i], consumers[j] = consumers[j], consumers[i] })
					for _, c := range consumers {
						if err := errors.Join(consumer.All(c)(t.Context(), []table.Item{item})...); err != nil {
							t.Fatal(err)
						}
					}
				}
				var standing []string
				for _, id := range to.standing() {
					if order > 0 {
						id, _, _ = strings.Cut(id, "#2")
					}
					standing = append(standing, id)
				}
				want := slices.Clone(tc.standing)
				for i := range want {
					if order > 0 {
						want[i], _, _ = strings.Cut(want[i], "#2")
					}
				}
				if order > 0 && tc.timely {
					continue
				}
				if diff := cmp.Diff(want, standing); diff != "" {
					t.Errorf("standing in order %d (-want +got):\n%s", order, diff)
				}
				if diff := cmp.Diff(tc.returns, to.returns(t)); order == 0 && diff != "" {
					t.Errorf("returned (-want +got):\n%s", diff)
				}
				checkOnce(t, to)
			}
		})
	}
}

// A call back could not take an alert back. Then the call itself turns out to be answered, so that the
// call back, when its record comes again, does not find it among the caller's misses.
func TestPromise4_WhatAFollowUpCouldNotTakeBackIsTakenBackAllTheSame(t *testing.T) {
	t.Parallel()
	now := arrival
	store, to := &tabletest.Memory{Now: func() time.Time { return now }}, &topic{}
	consumers, d := watch(store, to, alert.Rules{}, logscan.Logger(t))
	d.Now = func() time.Time { return now }
	process := consumer.All(consumers...)
	missed, back := itemOf(t, rings("a", 0)), itemOf(t, callsBack("b", 10))
	put(t, store, missed)
	if err := errors.Join(process.Run(t.Context(), []table.Item{missed})...); err != nil {
		t.Fatal(err)
	}
	to.refuse = func(alert.Message) error { return errors.New("the receiver is away") }
	put(t, store, back)
	if err := errors.Join(process.Run(t.Context(), []table.Item{back})...); err == nil {
		t.Fatal("the alert is taken back")
	}
	to.refuse = nil
	answered := itemOf(t, happens("a", 0, "call.completed", "Incoming Answered", 40))
	put(t, store, answered)
	left := []table.Item{answered, back}
	for range 10 {
		left = slices.DeleteFunc(left, func(item table.Item) bool {
			return errors.Join(process.Run(t.Context(), []table.Item{item})...) == nil
		})
		now = now.Add(15 * time.Second)
	}
	if len(left) > 0 || len(to.standing()) > 0 || len(to.repeated()) > 0 {
		t.Errorf("%d records left; standing: %v; repeated: %v", len(left), to.standing(), to.repeated())
	}
}

// An alert is about to be put off for an earlier call. Just then a follow-up is written that says that
// this one was called back, and finds the alert still standing.
func TestPromise4_WhoPutsOffAnAlertLooksOnceMore(t *testing.T) {
	t.Parallel()
	items := inOrder(rings("c", 10), rings("a", 0), happens("c", 10, "call.updated", "Incoming Missed", -1), callsBack("b", 5))(t)
	again, back := items[2], items[3]
	memory, to, rules, log := &tabletest.Memory{Now: func() time.Time { return arrival }}, &topic{}, alert.Rules{Pause: time.Hour}, logscan.Logger(t)
	elsewhere, _ := watch(memory, to, rules, log)
	follow := func(some ...table.Item) {
		if err := errors.Join(consumer.All(elsewhere[2])(t.Context(), some)...); err != nil {
			t.Error(err)
		}
	}
	met := false
	_, d := watch(storeFunc{Store: memory, put: func(ctx context.Context, item table.Item) (bool, error) {
		if table.KeyOf(item) == table.ReturningKey(table.KeyOf(again), events.KindMissedCall) && !met {
			met = true
			put(t, memory, back)
			follow(items...)
		}
		return memory.Put(ctx, item)
	}}, to, rules, log)
	for _, item := range items[:2] {
		put(t, memory, item)
		mustProcess(t, d, item)
	}
	written := ledger.New(memory, events.PhoneNumber, log) // and nobody told of it yet
	written.Now = func() time.Time { return arrival }
	if err := errors.Join(consumer.All(written.Consumer())(t.Context(), items[:2])...); err != nil {
		t.Fatal(err)
	}
	put(t, memory, again)
	mustProcess(t, d, again)
	if diff := cmp.Diff([]string{"CALL#c/missed_call#2"}, to.standing()); diff != "" || !met {
		t.Errorf("met: %t, standing (-want +got):\n%s", met, diff)
	}
	checkOnce(t, to)
}

// What a rule kept back made no alert, even if the contact is another by now: it pauses none.
func TestACallThatAlertedNobodyPausesNoOther(t *testing.T) {
	t.Parallel()
	store, to := &tabletest.Memory{Now: func() time.Time { return arrival }}, &topic{}
	consumers, _ := watch(store, to, alert.Rules{Pause: time.Hour}, logscan.Logger(t))
	for _, item := range inOrder(blacklisted(true, 10), rings("a", 0), blacklisted(false, 20), rings("b", 5), rings("c", 6))(t) {
		put(t, store, item)
		for _, c := range []consumer.Consumer{consumers[1], consumers[0], consumers[2]} { // contacts first
			if err := errors.Join(consumer.All(c)(t.Context(), []table.Item{item})...); err != nil {
				t.Fatal(err)
			}
		}
	}
	if diff := cmp.Diff([]string{"CALL#b/missed_call"}, to.standing()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// inOrder returns the items of bodies and of items.
func inOrder(all ...any) func(testing.TB) []table.Item {
	return func(t testing.TB) (items []table.Item) {
		for _, one := range all {
			if body, ok := one.(string); ok {
				items = append(items, itemOf(t, body))
				continue
			}
			item, _ := one.(table.Item)
			items = append(items, item)
		}
		return items
	}
}

// checkOnce reports what was published twice, and what was ended without ever having
// been sent.
func checkOnce(t testing.TB, to *topic) {
	t.Helper()
	seen := map[string]bool{}
	for _, m := range to.sent {
		name := string(m.Kind) + " " + m.ID
		if seen[name] {
			t.Errorf("published twice: %s", name)
		}
		seen[name] = true
	}
	for _, m := range to.sent {
		if m.Kind == events.KindReturned && !seen["missed_call "+m.ID] && !seen["voicemail "+m.ID] {
			t.Errorf("ended, and never sent: %s", m.ID)
		}
	}
}

var errDead = errors.New("the process is dead")

// mortal is what one process sees of the table and the topic, until it dies.
type mortal struct {
	table.Store

	to   *topic
	left atomic.Int64 // calls until then
}

func (m *mortal) dies() bool {
	return m.left.Add(-1) < 0
}

func (m *mortal) Put(ctx context.Context, item table.Item) (bool, error) {
	if m.dies() {
		return false, errDead
	}
	return m.Store.Put(ctx, item)
}

func (m *mortal) Update(ctx context.Context, item table.Item, was int64) (bool, error) {
	if m.dies() {
		return false, errDead
	}
	return m.Store.Update(ctx, item, was)
}

func (m *mortal) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if m.dies() {
		return table.Page{}, errDead
	}
	return m.Store.Query(ctx, q)
}

func (m *mortal) Publish(ctx context.Context, messages []alert.Message) []error {
	if m.dies() {
		return slices.Repeat([]error{errDead}, len(messages))
	}
	return m.to.Publish(ctx, messages)
}

// An alert is five queries: its call and the caller before and after it goes out, and the
// seats of its ring in between. The history, the follow-up and the first look at the
// seats are one.
func TestAnAlertIsFiveQueries(t *testing.T) {
	t.Parallel()
	store, to := &tabletest.Memory{Now: func() time.Time { return arrival }}, &topic{}
	var queries atomic.Int64
	counted := storeFunc{Store: store, query: func(ctx context.Context, q table.Query) (table.Page, error) {
		queries.Add(1)
		return store.Query(ctx, q)
	}}
	consumers, d := watch(counted, to, alert.Rules{}, logscan.Logger(t))
	for _, item := range inOrder(rings("a", 0), rings("b", 12), does(followup.ActClaim, "1", 20))(t) {
		put(t, store, item)
		if err := errors.Join(consumer.All(consumers...)(t.Context(), []table.Item{item})...); err != nil {
			t.Fatal(err)
		}
	}
	queries.Store(0)
	d.Now = func() time.Time { return time.Date(2026, 3, 12, 9, 31, 0, 0, time.UTC) }
	mustProcess(t, d, stored(t, store, rings("c", 30)))
	if n := queries.Load(); n != 5 {
		t.Errorf("%d queries, want 5", n)
	}
	m := to.sent[len(to.sent)-1]
	got := document(t, m)
	want := map[string]any{"since": "2026-03-12T09:00:00.000Z", "count": 3.0, "claimed_by": "Kim", "claimed_until": "2026-03-12T09:50:00.000Z"}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s: %v, want %v", name, got[name], value)
		}
	}
	if want := "Missed call, 3rd since 09:00: +" + theirs + " on +14155550101, 09:30 UTC, claimed by Kim"; m.SMS != want {
		t.Errorf("text message %q, want %q", m.SMS, want)
	}
	for _, row := range []string{"So far    3rd call since 12 March 2026, 09:00 UTC, nobody has called back\n", "Claimed   Kim, until 09:50\n"} {
		if !strings.Contains(m.Email, row) {
			t.Errorf("e-mail without %q:\n%s", row, m.Email)
		}
	}
}

// story is what TestPromise4_NoKill tells, and what stands after it: whoever called
// last waits.
var story = inOrder(
	rings("a", 0), leaves("a", 0), rings("b", 1), callsBack("c", 5),
	rings("d", 9), happens("e", 12, "call.answered", "Incoming Answered", -1), happens("e", 12, "call.completed", "Incoming Answered", 40),
	rings("f", 20), does(followup.ActDone, "1", 25), does(followup.ActClaim, "2", 26),
	rings("g", 30), happens("h", 33, "call.answered", "Incoming Answered", -1), happens("h", 33, "call.completed", "Incoming Answered", 4),
	rings("i", 40), leaves("i", 40),
)

// The consumers run side by side, each at its own pace, and die again and again: between
// the write of the follow-up and the message that follows from it, and anywhere else. In
// any order, the alerts that stand are those of who waits.
func TestPromise4_NoKillAndNoOrderChangesWhoIsAlertedOf(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		pause time.Duration
		want  []string
	}{
		"each call alerts":            {0, []string{"CALL#g/missed_call", "CALL#i/missed_call", "CALL#i/voicemail"}},
		"one alert in a quarter-hour": {15 * time.Minute, []string{"CALL#g/missed_call", "CALL#i/voicemail"}},
		"one alert in eight minutes":  {8 * time.Minute, []string{"CALL#g/missed_call", "CALL#i/missed_call", "CALL#i/voicemail"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			items := story(t)
			log := logscan.Logger(t)
			rapid.Check(t, func(rt *rapid.T) {
				random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0)) //nolint:gosec // to be repeated
				store, to := &tabletest.Memory{Now: func() time.Time { return arrival }}, &topic{}
				order := append(slices.Clone(items), items[:random.IntN(len(items)+1)]...)
				random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
				var at [3]int // where each consumer is
				put, kills, deadly, now := 0, 0, rapid.Bool().Draw(rt, "deadly"), arrival
				for slices.Min(at[:]) < len(order) {
					if put < len(order) && random.IntN(2) == 0 {
						if _, err := store.Put(t.Context(), order[put]); err != nil {
							rt.Fatal(err)
						}
						put++
					}
					process := &mortal{Store: store, to: to}
					process.left.Store(1 << 30)
					if deadly && random.IntN(2) == 0 {
						process.left.Store(random.Int64N(40))
					}
					consumers, d := watch(process, process, alert.Rules{Pause: tc.pause}, log)
					now = now.Add(10 * time.Second)
					d.Now = func() time.Time { return now }
					which := random.IntN(len(consumers))
					n := random.IntN(put - at[which] + 1)
					batch := order[at[which] : at[which]+n]
					errs := consumer.All(consumers[which])(t.Context(), batch)
					if process.left.Load() < 0 {
						kills++
						continue // nobody hears what it returned
					}
					for _, err := range errs { // Lambda resends what fails first, and all behind it
						if errors.Is(err, alert.ErrPostponed) {
							break
						}
						if err != nil {
							rt.Fatal(err)
						}
						at[which]++
					}
				}
				var standing []string
				for _, id := range to.standing() {
					id, _, _ = strings.Cut(id, "#2")
					id, _, _ = strings.Cut(id, "#3")
					standing = append(standing, id)
				}
				if diff := cmp.Diff(tc.want, standing); diff != "" {
					rt.Fatalf("standing after %d kills (-want +got):\n%s", kills, diff)
				}
				if kills == 0 {
					checkOnce(t, to)
				}
			})
		})
	}
}
