package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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
}

func newDigests(w *world, store table.Store) *digests {
	w.t.Helper()
	_, callers, err := escalate.Settings{Zone: time.UTC}.Read()
	if err != nil {
		w.t.Fatal(err)
	}
	d := &digests{t: w.t}
	d.Digester = reconcile.NewDigester(store, events.PhoneNumber, callers, d, w.lines.Logger())
	d.Now = w.clock
	return d
}

// Publish implements [alert.Publisher].
func (d *digests) Publish(_ context.Context, messages []alert.Message) []error {
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

// One call that does not get into the table keeps the others for an hour.
func TestADigestGoesOutWithoutWhatIsNotStored(t *testing.T) {
	t.Parallel()
	w := silent(t)
	d := newDigests(w, w.store)
	w.call(3*day, "Missed", from("+12125550111"))
	w.call(2*day, "Missed", from("+12125550112"))
	kept := w.run
	var lost []func()
	w.run = reconcile.New(w.client, w.store, sinkFunc(func(ctx context.Context, c received, last bool) error {
		if strings.Contains(string(c.Body), "2125550111") {
			lost = append(lost, func() { w.keep(t.Context(), c) })
			return nil
		}
		return w.Send(ctx, c, last)
	}), w.lines.Logger())
	w.run.Now, w.run.WebhookURL, w.run.Account, w.run.MaxAlertAge = kept.Now, kept.WebhookURL, kept.Account, kept.MaxAlertAge
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
