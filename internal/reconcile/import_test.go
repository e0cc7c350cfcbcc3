package reconcile_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/justcall"
	"github.com/ringback/ringback/internal/proof/justcalltest"
	"github.com/ringback/ringback/internal/reconcile"
	"github.com/ringback/ringback/internal/table"
)

var importCalls = flag.Int("import-calls", 1_050, "calls that are imported while the import is killed twenty times")

const ninetyDays = 90 * 24 * time.Hour

// fill puts calls of three months into the book, and contacts.
func (w *world) fill(calls int) {
	for i := range calls {
		typ, change := "Missed", func(*justcalltest.Call) {}
		if i%3 == 0 {
			typ, change = "answered", outgoing
		}
		ago := time.Duration(calls-i) * ninetyDays / time.Duration(calls+1)
		w.call(ago+10*time.Minute, typ, change, func(c *justcalltest.Call) { c.Contact = fmt.Sprintf("+1212%07d", 5_550_000+i%(calls/4+1)) })
	}
	for i := range 30 {
		agent := justcalltest.OwnerID + i%2
		w.AddContact(agent, fmt.Sprint("Robin Sample ", i), fmt.Sprintf("+1212%07d", 5_550_000+2*i), fmt.Sprintf("+1212%07d", 5_551_000+i))
		w.AddText(justcalltest.Text{Contact: caller, Line: line, Body: "hello", At: w.Now().Add(-time.Hour)})
	}
}

// stored returns what the table has of events, contacts and follow-ups.
func (w *world) stored() map[table.Key]table.Item {
	w.t.Helper()
	all := make(map[table.Key]table.Item)
	for item, err := range table.ScanAll(w.t.Context(), w.store, "", "") {
		if err != nil {
			w.t.Fatal(err)
		}
		if key := table.KeyOf(item); key.PK != "RECONCILE" {
			item = maps.Clone(item)
			if !table.IsEvent(key) {
				delete(item, table.Version) // a rebuild may have been repeated
			}
			all[key] = item
		}
	}
	return all
}

func TestPromise12_AnImportThatIsKilledComesToTheSame(t *testing.T) {
	t.Parallel()
	calls := *importCalls
	if testing.Short() {
		calls /= 3
	}
	synctest.Test(t, func(t *testing.T) {
		whole, killed := newWorld(t), newWorld(t)
		for _, w := range []*world{whole, killed} {
			w.limit()
			w.setClock(time.Now)
			w.fill(calls)
		}
		least := (calls+99)/100 + 3
		run := func(ctx context.Context, w *world) error {
			client, err := w.Client()
			if err != nil {
				t.Fatal(err)
			}
			return reconcile.NewImporter(client, w.store, events.PhoneNumber, ninetyDays).Run(ctx)
		}
		done := make(chan error, 1)
		begin := time.Now()
		go func() { done <- run(t.Context(), whole) }()

		const kills = 20
		every := max(2, least/kills) // the request under way comes again
		var end context.CancelFunc
		n := 0
		killed.Before = func(*http.Request) http.Handler {
			if n++; n%every == 0 && n/every <= kills {
				end()
			}
			return nil
		}
		stops := 0
		for {
			var ctx context.Context
			ctx, end = context.WithCancel(t.Context())
			err := run(ctx, killed)
			end()
			if err == nil {
				break
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			stops++
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		t.Logf("%d calls: %d requests, at least %d; with %d kills %d; %v", calls, whole.Requests(), least, stops, killed.Requests(), time.Since(begin))
		if stops < min(kills, least)/2 {
			t.Errorf("stopped %d times", stops)
		}
		if got := whole.Requests(); float64(got) > 1.05*float64(least) {
			t.Errorf("%d requests, want at most 1.05 × %d", got, least)
		}
		// Of the small one, the kills are more than a twentieth: each costs the request under way.
		if got := killed.Requests(); got > max(least*105/100, least+1+stops) {
			t.Errorf("%d requests with %d kills", got, stops)
		}
		if diff := cmp.Diff(whole.stored(), killed.stored()); diff != "" {
			t.Errorf("without kills (-), with them (+):\n%.2000s", diff)
		}
		if len(killed.ever) > 0 {
			t.Errorf("alerts %v", killed.ever)
		}
	})
}

func TestPromise12_AnImportFillsTheTableAndAlertsNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	who := func(n int) func(*justcalltest.Call) {
		return func(c *justcalltest.Call) { c.Contact = fmt.Sprintf("+1212555%04d", 100+n) }
	}
	w.call(91*day, "Missed", who(1))
	w.call(40*day, "Missed", who(2))
	w.hookOf(events.TypeCallMissed, w.call(30*day, "Missed", who(3))) // it is known
	w.call(30*day, "answered", who(2), outgoing)
	w.call(23*time.Hour, "Missed", who(4))
	w.call(3*time.Hour, "Missed", who(5))
	w.call(2*time.Hour, "answered", who(5), outgoing)
	w.call(time.Minute, "Missed", who(6), func(c *justcalltest.Call) { c.Length = time.Hour }) // under way
	w.call(20*day, "Missed", who(8), func(c *justcalltest.Call) { c.Length = 30 * day })       // for ever, as it says
	w.call(22*time.Hour, "Missed", who(9))                                                     // one of us
	w.AddContact(justcalltest.OwnerID+1, "Robin Sample", "+12125550104", "+12125550144")
	w.DialerCalls = append(w.DialerCalls, justcalltest.Row{
		"call_id": 7, "call_sid": "CA7", "sales_dialer_number": "12125550198", "contact_number": "12125550107",
		"call_date": w.now.Add(-day).Format(time.DateOnly), "call_time": w.now.Add(-day).Format(time.TimeOnly),
		"call_info": justcalltest.Row{"type": "Outgoing human answered", "direction": "Outgoing"},
	})
	alerts := len(w.ever)
	m := reconcile.NewImporter(w.client, w.store, events.PhoneNumber, ninetyDays)
	m.Now, m.Own = w.clock, map[string]bool{"+12125550109": true}
	plan, err := m.Plan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []reconcile.Plan{
		{List: "contacts", Rows: 2, Requests: 1},
		{List: "texts", Requests: 1},
		{List: "calls", Rows: 10, Requests: 1},
		{List: "sales dialer calls", Rows: 1, Requests: 1},
	}
	if diff := cmp.Diff(want, plan); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	var last reconcile.Imported
	m.Done = func(i reconcile.Imported) {
		if i.List == "calls" {
			last = i
		}
	}
	if err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(reconcile.Imported{List: "calls", Rows: 10, Written: 7, Total: 10, Finished: true}, last); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	for n, want := range map[int]string{1: "", 2: "returned", 4: "waiting 1", 5: "returned", 6: "", 9: "own"} {
		if got := w.follow(fmt.Sprintf("+1212555%04d", 100+n)); got != want {
			t.Errorf("caller %d: %q, want %q", n, got, want)
		}
	}
	for _, number := range []string{"+12125550104", "+12125550144"} {
		page, err := w.store.Query(t.Context(), table.CallerHistory(number))
		if err != nil || addressbook.Read(page.Items).Name != "Robin Sample" {
			t.Errorf("%s: %+v, %v", number, page.Items, err)
		}
	}
	if len(w.ever) != alerts {
		t.Errorf("alerts %v", w.ever)
	}
	before := len(w.stored())
	if err := m.Run(t.Context()); err != nil || len(w.stored()) != before {
		t.Errorf("again: %v, %d items, want %d", err, len(w.stored()), before)
	}
	// What is imported is known to the reconciler, and what was under way is not.
	w.pass(2 * time.Hour)
	if got := w.reconcile(); got.Found != 1 {
		t.Errorf("found %d, want the call that was under way: %v", got.Found, w.sent)
	}
}

// The first run of all goes back to where the import began: what was under way then, and
// what came since, no import brings.
func TestPromise12_WhatHappenedDuringAnImportAndAfterItIsFound(t *testing.T) {
	t.Parallel()
	for _, wrong := range []time.Duration{0, day} { // this machine's clock meanwhile
		t.Run(wrong.String(), func(t *testing.T) {
			t.Parallel()
			findDuringImport(t, wrong)
		})
	}
}

func findDuringImport(t *testing.T, wrong time.Duration) {
	t.Helper()
	w := newWorld(t)
	w.call(30*time.Minute, "answered")
	w.call(20*time.Minute, "answered", outgoing, from("+12125550124"), func(c *justcalltest.Call) { c.Length = time.Hour })
	w.call(10*time.Minute, "Missed", from("+12125550125"))
	m := reconcile.NewImporter(w.client, w.store, events.PhoneNumber, ninetyDays)
	m.Now = func() time.Time { return w.now.Add(wrong) }
	w.client.Now = m.Now
	if _, err := m.Plan(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.client.Now = w.clock
	w.pass(time.Hour)
	w.call(50*time.Minute, "Missed", from("+12125550126"))
	w.pass(5 * time.Hour)
	w.call(30*time.Minute, "answered", from("+12125550127"))
	if got := w.reconcile(); got.Found != 3 {
		t.Errorf("found %d, want the call that was under way and the two that came since", got.Found)
	}
	imported := "waiting 1"
	if wrong > 0 {
		imported = "history" // by that clock, more than a day old
	}
	for number, want := range map[string]string{"+12125550124": "returned", "+12125550125": imported, "+12125550126": "waiting 1"} {
		if got := w.follow(number); got != want {
			t.Errorf("%s: %q, want %q", number, got, want)
		}
	}
}

func TestTheFirstRunGoesBackToNoImportOfLongAgo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := reconcile.NewImporter(w.client, w.store, events.PhoneNumber, ninetyDays)
	m.Now = w.clock
	if err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.pass(30 * day)
	w.call(2*day, "Missed")
	w.call(30*time.Minute, "answered", from("+12125550124"))
	if got := w.reconcile(); got.Found != 1 || w.follow(caller) != "" {
		t.Errorf("found %d, %q; want the call of the last hour alone", got.Found, w.follow(caller))
	}
}

// This machine's clock is a day late.
func TestAnImportByAWrongClockLeavesNothingOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Now = func() time.Time { return w.now.Add(day) }
	w.call(2*day, "Missed")
	w.call(time.Hour, "answered", outgoing)
	m := reconcile.NewImporter(w.client, w.store, events.PhoneNumber, ninetyDays)
	m.Now = w.clock
	if _, err := m.Plan(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.follow(caller); got != "returned" {
		t.Errorf("%q, want the call of today to be there", got)
	}
}

func TestWhatIsTooLargeIsNotImportedAndCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.call(3*time.Hour, "Missed")
	large := make([]byte, 700_000)
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // it only has to be hard to compress
	for i := range large {
		large[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[random.IntN(36)]
	}
	w.call(2*time.Hour, "answered", outgoing)["call_info"].(justcalltest.Row)["notes"] = string(large)
	m := reconcile.NewImporter(w.client, w.store, events.PhoneNumber, ninetyDays)
	m.Now = w.clock
	var calls reconcile.Imported
	m.Done = func(i reconcile.Imported) {
		if i.List == "calls" {
			calls = i
		}
	}
	if err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(reconcile.Imported{List: "calls", Rows: 2, Written: 1, Total: 2, TooLarge: 1, Finished: true}, calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// A page has 500 of them; those of other people's agents are among them.
func TestTenThousandContactsAreImportedInTwentyRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	contacts := 10_000
	if testing.Short() {
		contacts = 1_000
	}
	for i := range contacts {
		w.AddContact(justcalltest.OwnerID+i%2, fmt.Sprint("Robin Sample ", i), fmt.Sprintf("+1212555%04d", i))
	}
	before := w.Requests()
	m := reconcile.NewImporter(w.client, w.store, events.PhoneNumber, ninetyDays)
	m.Now = w.clock
	if err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	const lists = 4 // a full last page is followed by one without rows
	if got := w.Requests() - before; got > contacts/500+lists {
		t.Errorf("%d requests", got)
	}
	for _, i := range []int{0, contacts / 2, contacts - 1} {
		page, err := w.store.Query(t.Context(), table.CallerHistory(fmt.Sprintf("+1212555%04d", i)))
		if want := fmt.Sprint("Robin Sample ", i); err != nil || addressbook.Read(page.Items).Name != want {
			t.Errorf("%+v, %v, want %s", page.Items, err, want)
		}
	}
}

// An import with another account's keys would mix the callers of two.
func TestPromise12_AnImportFromAnotherAccountIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	row := w.call(time.Hour, "answered")
	w.hookOf(events.TypeCallCompleted, row)
	w.reconcile()
	m := reconcile.NewImporter(w.client, w.store, events.PhoneNumber, ninetyDays)
	m.Now, m.Account = w.clock, "another key"
	if _, err := m.Plan(t.Context()); err != nil {
		t.Errorf("new keys of the same account: %v", err)
	}
	w.Calls = nil
	w.call(50*time.Minute, "Missed", from("+12125550177"))
	if _, err := m.Plan(t.Context()); !errors.Is(err, reconcile.ErrOtherAccount) {
		t.Errorf("error %v, want %v", err, reconcile.ErrOtherAccount)
	}
	m.Account = "account"
	if _, err := m.Plan(t.Context()); err != nil {
		t.Errorf("the same keys: %v", err)
	}
}

func TestAnImportThatIsRefusedSaysWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.respond(justcalltest.Respond(http.StatusUnauthorized, `{"status":"failed"}`))
	m := reconcile.NewImporter(w.client, w.store, events.PhoneNumber, ninetyDays)
	failure := (*justcall.Error)(nil)
	if err := m.Run(t.Context()); !errors.As(err, &failure) {
		t.Errorf("error %v", err)
	}
}
