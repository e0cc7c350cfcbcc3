package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/escalate"
	"github.com/ringback/ringback/internal/proof/justcalltest"
	"github.com/ringback/ringback/internal/reconcile"
	"github.com/ringback/ringback/internal/table"
)

// digests are those that a digester published.
type digests struct {
	*reconcile.Digester

	t    testing.TB
	got  []string // "<id>: <number>, …"
	fail error
	// while is called once, while one is published.
	while func()
}

// ours is a number of the staff.
const ours = "+12125550187"

func newDigests(w *world, store table.Store) *digests {
	w.t.Helper()
	_, callers, err := escalate.Settings{Zone: time.UTC}.Read()
	if err != nil {
		w.t.Fatal(err)
	}
	callers.Policy.Own = map[string]bool{ours: true}
	d := &digests{t: w.t}
	d.Digester = reconcile.NewDigester(store, events.PhoneNumber, callers, d, w.lines.Logger(&w.log))
	d.Now = w.clock
	return d
}

// Publish implements [alert.Publisher].
func (d *digests) Publish(_ context.Context, messages []alert.Message) []error {
	if while := d.while; while != nil {
		d.while = nil
		while()
	}
	errs := make([]error, len(messages))
	for i, m := range messages {
		var text struct {
			Waiting []struct {
				Caller struct{ Number string }
			}
		}
		if err := json.Unmarshal(m.Document, &text, json.MatchCaseInsensitiveNames(true)); err != nil {
			d.t.Error(err)
		}
		var numbers []string
		for _, one := range text.Waiting {
			numbers = append(numbers, one.Caller.Number)
		}
		d.got, errs[i] = append(d.got, m.ID+": "+strings.Join(numbers, ", ")), d.fail
	}
	return errs
}

// run runs once, and checks what was published.
func (d *digests) run(want ...string) {
	d.t.Helper()
	d.got = nil
	if err := d.Run(d.t.Context()); err != nil {
		d.t.Error(err)
	}
	if diff := cmp.Diff(want, d.got); diff != "" {
		d.t.Errorf("digests (-want +got):\n%s", diff)
	}
}

func from(number string) func(*justcalltest.Call) {
	return func(c *justcalltest.Call) { c.Contact = number }
}

// silent is a world nine days after a first run, without a run in between.
func silent(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.hookOf(events.TypeCallCompleted, w.call(20*time.Minute, "answered"))
	w.reconcile()
	w.pass(9 * day)
	return w
}

const day = 24 * time.Hour

func TestPromise2_ADigestGoesOutOnceForEachRunThatFoundTooLate(t *testing.T) {
	t.Parallel()
	w := silent(t)
	d := newDigests(w, w.store)
	w.call(3*day, "Missed", from("+12125550111"))
	w.call(2*day, "Missed", from("+12125550112"))
	w.call(2*day-time.Hour, "Missed", from("+12125550112"))
	w.call(time.Hour, "Missed", from("+12125550113"))
	id := "DIGEST#" + table.Time(w.Now())
	w.reconcile()
	if len(w.net) != 1 {
		t.Errorf("alerts %v, want the one of today", w.net)
	}

	// What is published and not noted as such goes out again, with the same ID.
	d.fail = errors.New("no topic")
	if err := d.Run(t.Context()); err == nil {
		t.Error("no error though nothing was published")
	}
	d.fail = nil
	d.run(id + ": +12125550111, +12125550112")
	d.run()
	w.pass(reconcile.Every)
	w.reconcile()
	d.run()

	w.call(4*day, "Missed", from("+12125550114"))
	id = "DIGEST#" + table.Time(w.Now())
	w.reconcile()
	d.run(id + ": +12125550114")
}

// A run may end between what it notes and what it puts in.
func TestPromise2_ADigestWaitsForItsCalls(t *testing.T) {
	t.Parallel()
	w := silent(t)
	d := newDigests(w, w.store)
	w.call(3*day, "Missed", from("+12125550111"))
	w.call(2*day, "Missed", from("+12125550112"))
	w.sinkErr = errors.New("no queue")
	id := "DIGEST#" + table.Time(w.Now())
	for range 2 {
		if _, err := w.run.Run(t.Context()); err == nil {
			t.Fatal("no error without a queue")
		}
		d.run()
		w.pass(reconcile.Every)
	}
	w.sinkErr = nil
	w.reconcile()
	d.run(id + ": +12125550111, +12125550112")
	d.run()
}

// Runs may overlap.
func TestPromise2_OfTwoRunsOneSendsADigest(t *testing.T) {
	t.Parallel()
	w := silent(t)
	d := newDigests(w, w.store)
	w.call(3*day, "Missed", from("+12125550111"))
	id := "DIGEST#" + table.Time(w.Now())
	w.reconcile()
	beside := newDigests(w, w.store)
	d.while = func() { beside.run() }
	d.run(id + ": +12125550111")

	w.call(3*day, "Missed", from("+12125550112"))
	id = "DIGEST#" + table.Time(w.Now())
	w.reconcile()
	// Both have looked at it before either sends it.
	late := newDigests(w, &besides{Store: w.store, before: func() { d.run(id + ": +12125550112") }})
	late.run()

	// A run that ended while it published locks the digest for a minute.
	w.call(3*day, "Missed", from("+12125550113"))
	id = "DIGEST#" + table.Time(w.Now())
	w.reconcile()
	d.while = func() { panic("killed") }
	func() {
		defer func() { _ = recover() }()
		_ = d.Run(t.Context())
	}()
	d.run()
	w.pass(time.Minute)
	d.run(id + ": +12125550113")
}

// What cannot be read stays, and keeps no other from being sent.
func TestADamagedDigestIsKeptAndToldOf(t *testing.T) {
	t.Parallel()
	w := silent(t)
	const damaged = `{"id":"DIGEST#1","calls":["CALL#CA1",`
	if ok, err := w.store.Update(t.Context(), table.ReconcileItem("LATE#0", damaged, 0), 0); !ok || err != nil {
		t.Fatal(ok, err)
	}
	w.call(3*day, "Missed", from("+12125550111"))
	id := "DIGEST#" + table.Time(w.Now())
	w.reconcile()
	d := newDigests(w, w.store)
	if err := d.Run(t.Context()); !errors.Is(err, reconcile.ErrDigest) || !strings.Contains(err.Error(), "LATE#0") {
		t.Errorf("error %v, want %v", err, reconcile.ErrDigest)
	}
	if diff := cmp.Diff([]string{id + ": +12125550111"}, d.got); diff != "" {
		t.Errorf("digests (-want +got):\n%s", diff)
	}
	item, err := table.Get(t.Context(), w.store, table.ReconcileKey("LATE#0"))
	if err != nil || table.ReadReconcile(item) != damaged {
		t.Errorf("%v, %v, want it as it was", item, err)
	}
}

// Somebody deletes a digest by hand, while a later one waits.
func TestADigestThatWasDeletedLeavesRoomForTheNext(t *testing.T) {
	t.Parallel()
	w := silent(t)
	d := newDigests(w, w.store)
	const waits = `{"id":"DIGEST#1","found":"2026-12-04T17:00:00Z","waits":"2026-12-04T17:00:00Z","calls":["CALL#CA1"]}`
	if ok, err := w.store.Update(t.Context(), table.ReconcileItem("LATE#1", waits, 0), 0); !ok || err != nil {
		t.Fatal(ok, err)
	}
	w.call(3*day, "Missed", from("+12125550111"))
	id := "DIGEST#" + table.Time(w.Now())
	w.reconcile()
	d.run(id + ": +12125550111")
}

// Where no digest can be noted, those are put in all the same who have an alert of their own.
func TestPromise2_WithoutADigestAlertsGoOut(t *testing.T) {
	t.Parallel()
	w := silent(t)
	w.call(3*day, "Missed", from("+12125550111"))
	w.call(time.Hour, "Missed", from("+12125550112"))
	store := w.store
	w.store = &noLate{store}
	w.newRun(w.client, w.lines.Logger())
	if _, err := w.run.Run(t.Context()); !errors.Is(err, errNoLate) || len(w.sent) != 1 || len(w.net) != 1 {
		t.Errorf("%v, %v put in, alerts %v, want one", err, w.sent, w.net)
	}
	w.store = store
	w.newRun(w.client, w.lines.Logger())
	if got := w.reconcile(); got.Found != 1 || got.TooOld != 1 {
		t.Errorf("%+v, want the other one", got)
	}
	d := newDigests(w, w.store)
	d.run("DIGEST#" + table.Time(w.Now()) + ": +12125550111")
}

var errNoLate = errors.New("not this one")

// noLate is a table that keeps no digest.
type noLate struct{ table.Store }

func (s *noLate) Update(ctx context.Context, item table.Item, was int64) (bool, error) {
	if strings.HasPrefix(table.KeyOf(item).SK, "LATE#") {
		return false, errNoLate
	}
	return s.Store.Update(ctx, item, was)
}

// However many there are, each caller is told of: the first hundred of a digest by name.
func TestManyCallsAreSeveralDigests(t *testing.T) {
	t.Parallel()
	w := silent(t)
	w.process = func(_ context.Context, items []table.Item) []error { return make([]error, len(items)) } // what follows is no matter here
	d := newDigests(w, w.store)
	const calls = 1_005
	for i := range calls {
		w.call(3*day-time.Duration(i)*time.Minute, "Missed", from(fmt.Sprintf("+1212555%04d", i)))
	}
	w.reconcile()
	counted := &queries{Store: w.store}
	newDigests(w, counted).run()
	if n := counted.n.Load(); n > 100 {
		t.Errorf("%d queries though all digests wait for their first calls", n)
	}
	w.pass(time.Hour)
	listed, err := 0, d.Run(t.Context())
	for _, text := range d.got {
		listed += strings.Count(text, "+1212555")
	}
	const most = 100 // by name; the others are a number
	if err != nil || len(d.got) != 2 || listed != most+calls-1_000 {
		t.Errorf("%d digests with %d callers by name, %v: %.300q", len(d.got), listed, err, d.got)
	}
	// The items are used again.
	w.call(2*day, "Missed", from("+12125550001"))
	w.reconcile()
	if item, err := table.Get(t.Context(), w.store, table.ReconcileKey("LATE#2")); item != nil || err != nil {
		t.Errorf("%v, %v: a third item", item, err)
	}
}

// queries is a table that counts them.
type queries struct {
	table.Store

	n atomic.Int64
}

func (q *queries) Query(ctx context.Context, what table.Query) (table.Page, error) {
	q.n.Add(1)
	page, err := q.Store.Query(ctx, what)
	if err != nil {
		return page, fmt.Errorf("counted: %w", err)
	}
	return page, nil
}

// Of somebody whose follow-up is never known, a digest of its own tells.
func TestWhoseFollowUpIsNotKnownKeepsNobodyElse(t *testing.T) {
	t.Parallel()
	w := silent(t)
	d := newDigests(w, w.store)
	w.call(3*day, "Missed", from("+12125550111"))
	w.call(2*day, "Missed", from("+12125550112"))
	process := w.process
	w.process = func(ctx context.Context, items []table.Item) []error {
		if strings.Contains(fmt.Sprint(items[0][table.GSI1PK]), "2125550111") {
			return make([]error, len(items))
		}
		return process(ctx, items)
	}
	id := "DIGEST#" + table.Time(w.Now())
	w.reconcile()
	d.run()
	w.pass(11 * time.Minute)
	d.run(id + ": +12125550112")
	w.pass(59 * time.Minute)
	d.run()
	w.pass(2 * time.Minute)
	d.run(id + "#2: +12125550111")
	d.run()
}

// What there is no time for is left to the next run.
func TestADigestThatThereIsNoTimeForWaits(t *testing.T) {
	t.Parallel()
	w := silent(t)
	d := newDigests(w, w.store)
	w.call(3*day, "Missed", from("+12125550111"))
	id := "DIGEST#" + table.Time(w.Now())
	w.reconcile()
	for _, left := range []time.Duration{5 * time.Second, 0} {
		ctx, cancel := context.WithTimeout(t.Context(), left)
		if err := d.Run(ctx); err != nil || len(d.got) > 0 { // it is no failure
			t.Errorf("%v, digests %v", err, d.got)
		}
		cancel()
		w.says("no time for a digest")
		w.log.Reset()
	}
	d.run(id + ": +12125550111")
}

// A call that is just young enough when it is found alerts, however long the run takes; one
// of which something arrived in time does so, too. Neither is in the digest.
func TestNobodyIsToldByAlertAndDigest(t *testing.T) {
	t.Parallel()
	w := silent(t)
	d := newDigests(w, w.store)
	w.call(24*time.Hour-time.Minute, "Missed", from("+12125550111"))
	w.call(time.Hour, "answered", from("+12125550112"), outgoing)
	begun := w.call(2*day, "Missed", from("+12125550113"))
	w.keep(t.Context(), received{ReceivedAt: w.now.Add(-2*day + time.Second), Body: []byte(bodyOf(t, events.TypeCallInitiated, justcalltest.Row{
		"call_sid": begun["call_sid"], "contact_number": begun["contact_number"], "call_date": begun["call_date"], "call_time": begun["call_time"],
		"call_info": justcalltest.Row{"direction": "Incoming"},
	}))})
	w.sendTo(func(ctx context.Context, c received, last bool) error {
		if strings.Contains(string(c.Body), "2125550112") {
			w.pass(5 * time.Minute)
		}
		return w.Send(ctx, c, last)
	})
	if got := w.reconcile(); got.TooOld != 0 || len(w.net) != 2 {
		t.Errorf("%d too old, alerts %v, want 0 and 2", got.TooOld, w.net)
	}
	d.run()
}

// One call that does not get into the table keeps the others for some minutes.
func TestPromise2_ADigestGoesOutWithoutWhatIsNotStored(t *testing.T) {
	t.Parallel()
	w := silent(t)
	d := newDigests(w, w.store)
	w.call(3*day, "Missed", from("+12125550111"))
	w.call(2*day, "Missed", from("+12125550112"))
	var lost []func()
	w.sendTo(func(ctx context.Context, c received, last bool) error {
		if strings.Contains(string(c.Body), "2125550111") {
			lost = append(lost, func() { w.keep(t.Context(), c) })
			return nil
		}
		return w.Send(ctx, c, last)
	})
	id := "DIGEST#" + table.Time(w.Now())
	w.reconcile()
	d.run()
	w.pass(61 * time.Minute)
	d.run(id + ": +12125550112")
	d.run()
	for _, arrives := range lost {
		arrives()
	}
	d.run(id + "#2: +12125550111")
	d.run()
}

func TestPromise10_ADigestLeavesOutWhoDoesNotWait(t *testing.T) {
	t.Parallel()
	w := silent(t)
	d := newDigests(w, w.store)
	w.call(3*day, "Missed", from("+12125550111"))
	w.call(3*day-time.Hour, "answered", from("+12125550111"), outgoing)
	w.call(3*day, "Missed", from("+12125550112"))
	w.call(3*day-time.Hour, "answered", from("+12125550112"), outgoing)
	w.call(2*time.Hour, "Missed", from("+12125550112")) // it has an alert of its own
	w.call(2*day, "Missed", from(""))
	w.call(40*time.Hour, "Missed", from("+12125550113"))
	w.call(40*time.Hour, "Missed", from(ours))
	w.reconcile()
	id := "DIGEST#" + table.Time(w.Now())
	d.run(id + ": , +12125550113")
}

// Neither of the two that write which digests there are undoes what the other one wrote.
func TestADigestIsNotLostBesideOthers(t *testing.T) {
	t.Parallel()
	w := silent(t)
	w.call(3*day, "Missed", from("+12125550111"))
	w.reconcile()
	first := "DIGEST#" + table.Time(w.Now())
	beside := &besides{Store: w.store}
	d := newDigests(w, beside)
	second := ""
	beside.before = func() {
		w.pass(reconcile.Every)
		w.call(3*day, "Missed", from("+12125550112"))
		second = "DIGEST#" + table.Time(w.Now())
		w.reconcile()
	}
	d.run(first + ": +12125550111")
	d.run(second + ": +12125550112")
	d.run()
}

// besides is a table that another program writes to before the first update.
type besides struct {
	table.Store

	before func()
}

func (b *besides) Update(ctx context.Context, item table.Item, was int64) (bool, error) {
	if before := b.before; before != nil {
		b.before = nil
		before()
	}
	updated, err := b.Store.Update(ctx, item, was)
	if err != nil {
		return false, fmt.Errorf("beside: %w", err)
	}
	return updated, nil
}

func TestWhatWasFoundLateIsAlertedAsSuch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hookOf(events.TypeCallCompleted, w.call(20*time.Minute, "answered"))
	w.reconcile()
	w.pass(reconcile.Every)
	w.call(10*time.Minute, "Missed", from("+12125550111"))
	w.hookOf(events.TypeCallMissed, w.call(9*time.Minute, "Missed", from("+12125550112")))
	w.reconcile()
	slices.Sort(w.subjects)
	want := []string{"Missed call found late: +12125550111", "Missed call: +12125550112"}
	for i, subject := range w.subjects {
		w.subjects[i], _, _ = strings.Cut(subject, " on ")
	}
	if diff := cmp.Diff(want, w.subjects); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
}
