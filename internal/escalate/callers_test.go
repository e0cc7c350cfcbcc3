package escalate_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/escalate"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/health"
	"github.com/ringback/ringback/internal/hours"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
)

// ledgerWorld keeps follow-ups of real events, with a runner whose timers they set.
type ledgerWorld struct {
	*world
	ledger  *ledger.Ledger
	watch   *health.Watch
	callers escalate.Callers
	plan    escalate.Plan
}

func newLedgerWorld(t *testing.T) *ledgerWorld {
	t.Helper()
	plan, callers, err := escalate.Settings{
		BusinessHours: "Mon-Fri 9:00-17:00; Support=24/7", Zone: time.UTC,
		After: escalate.DefaultAfter, AgainAfter: escalate.DefaultAgainAfter, BlindAfter: health.DefaultBlindAfter,
	}.Read()
	if err != nil {
		t.Fatal(err)
	}
	w := &ledgerWorld{world: &world{T: t, store: &counting{Store: &tabletest.Memory{Now: func() time.Time { return day }}}, topic: &topic{}}, callers: callers, plan: plan}
	w.runner = escalate.New(plan, w.store, callers.Read, w.topic, logscan.Logger(t))
	w.runner.Now = func() time.Time { return w.now }
	w.ledger = ledger.New(w.store, events.PhoneNumber, logscan.Logger(t))
	w.ledger.Now = w.runner.Now
	w.ledger.Changed = w.runner.Changed(callers)
	w.watch = health.New(w.store, logscan.Logger(t))
	return w
}

func (w *ledgerWorld) keep(items ...table.Item) {
	w.Helper()
	for _, item := range items {
		if _, err := w.store.Put(w.Context(), item); err != nil {
			w.Fatal(err)
		}
		if err := w.ledger.Process(w.Context(), []table.Item{item})[0]; err != nil {
			w.Fatal(err)
		}
		if table.IsEvent(table.KeyOf(item)) {
			w.watch.Process(w.Context(), []table.Item{item})
		}
	}
}

// call is a call that ended at a time, of 30 seconds if somebody answered.
func (w *ledgerWorld) call(clock, id, direction, outcome, line string) {
	w.Helper()
	w.event(events.TypeCallCompleted, "14155550144", at(clock), id, direction, outcome, line)
}

// event is an event of such a call.
func (w *ledgerWorld) event(typ events.Type, caller string, when time.Time, id, direction, outcome, line string) {
	w.Helper()
	w.now = when
	envelope, err := events.Open(fmt.Appendf(nil, `{"type":%q,"data":{"call_sid":%q,"contact_number":%q,
		"justcall_number":"14155550101","justcall_line_name":%q,"agent_name":"Ines","call_date":%q,"call_time":%q,
		"call_info":{"direction":%q,"type":%q},"call_duration":{"conversation_time":30,"total_duration":30,"ring_time":15}}}`,
		typ, id, caller, line, when.Format(time.DateOnly), when.Format(time.TimeOnly), direction, outcome))
	if err != nil {
		w.Fatal(err)
	}
	w.keep(table.EventItem(envelope.Decode(), time.Time{}, w.now))
}

func (w *ledgerWorld) act(clock string, kind followup.ActKind, until string) {
	w.Helper()
	w.now = at(clock)
	act := followup.Act{ID: clock, At: w.now, Kind: kind, By: "Ines"}
	if until != "" {
		act.Until = at(until)
	}
	w.keep(ledger.ActItem("+14155550144", act))
}

func TestCallsAndHandActsDecideWhoIsRemindedOf(t *testing.T) {
	t.Parallel()
	const sales, first, second = "Sales", "Not called back: +14155550144 on Sales, since 1 Jun 10:00 UTC", "Still not called back: +14155550144 on Sales, since 1 Jun 10:00 UTC"
	missed := func(w *ledgerWorld, clock, id string) { w.call(clock, id, "Incoming", "Missed", sales) }
	for _, test := range []struct {
		name string
		tell func(w *ledgerWorld)
	}{
		{"nobody does anything", func(w *ledgerWorld) {
			w.run("10:15", first)
			w.run("11:00", second)
		}},
		{"somebody talks with them", func(w *ledgerWorld) {
			w.call("10:10", "b", "Outgoing", "Answered", sales)
			w.run("10:15")
			w.run("11:00")
		}},
		{"somebody talks with them after the first reminder", func(w *ledgerWorld) {
			w.run("10:15", first)
			w.call("10:20", "b", "Outgoing", "Answered", sales)
			w.run("11:00")
		}},
		{"they are called back, and ring again in vain", func(w *ledgerWorld) {
			w.run("10:15", first)
			w.call("10:20", "b", "Outgoing", "Answered", sales)
			missed(w, "10:30", "c")
			w.run("10:45", "Not called back: +14155550144 on Sales, since 1 Jun 10:30 UTC")
		}},
		{"somebody tries", func(w *ledgerWorld) {
			w.call("10:10", "b", "Outgoing", "Unanswered", sales)
			w.run("10:15")
			w.run("10:39")
			w.run("10:41", first+", tried once")
		}},
		{"somebody claims them, and forgets them", func(w *ledgerWorld) {
			w.act("10:10", followup.ActClaim, "10:50")
			w.run("10:15")
			w.run("10:50", first)
			w.run("11:00")
			w.run("11:35", second)
		}},
		{"somebody claims them, and gives them back", func(w *ledgerWorld) {
			w.act("10:10", followup.ActClaim, "10:50")
			w.run("10:15")
			w.act("10:20", followup.ActUnclaim, "")
			w.run("10:21", first)
		}},
		{"they ring again while they are snoozed", func(w *ledgerWorld) {
			w.act("10:10", followup.ActSnooze, "12:00")
			w.run("10:15")
			missed(w, "10:30", "c")
			w.run("10:31", first+", 2 calls")
		}},
		{"it is done", func(w *ledgerWorld) {
			w.act("10:10", followup.ActDone, "")
			w.run("10:15")
		}},
		{"they ring three times", func(w *ledgerWorld) {
			missed(w, "10:02", "b")
			missed(w, "10:04", "c")
			w.run("10:05", first+", 3 calls")
			w.run("10:15")
			w.run("11:00", second+", 3 calls")
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newLedgerWorld(t)
			missed(w, "10:00", "a")
			w.run("10:01")
			test.tell(w)
		})
	}
}

// A wait expires, and a call after that begins another.
func TestWhoCallsAgainAfterTheWaitExpiredIsRemindedOf(t *testing.T) {
	t.Parallel()
	w := newLedgerWorld(t)
	w.call("08:00", "z", "Outgoing", "Answered", "Support")
	w.call("10:00", "a", "Incoming", "Missed", "Support")
	w.run("10:15", "Not called back: +14155550144 on Support, since 1 Jun 10:00 UTC")
	w.run("11:00", "Still not called back: +14155550144 on Support, since 1 Jun 10:00 UTC")
	w.now = at("10:00").AddDate(0, 0, 7)
	if got := w.runAt(w.now); got.Expired != 1 {
		t.Errorf("%+v, want one to expire", got)
	}
	again := at("12:00").AddDate(0, 0, 9)
	w.event(events.TypeCallCompleted, "14155550144", again, "b", "Incoming", "Missed", "Support")
	if got := w.runAt(again.Add(15*time.Minute), "Not called back: +14155550144 on Support, since 10 Jun 12:00 UTC"); got.Reminded != 1 {
		t.Errorf("%+v, want one reminder", got)
	}
}

func TestAStrangerWhoGaveUpOnceIsNotRemindedOf(t *testing.T) {
	t.Parallel()
	w := newLedgerWorld(t)
	w.call("10:00", "a", "Incoming", "Abandoned", "Sales")
	w.run("10:15")
	w.call("10:30", "b", "Incoming", "Abandoned", "Sales")
	w.run("10:31", "Not called back: +14155550144 on Sales, since 1 Jun 10:00 UTC, 2 calls")
}

func TestHoursAreThoseOfTheLineThatWasCalledFirst(t *testing.T) {
	t.Parallel()
	w := newLedgerWorld(t)
	w.call("03:00", "a", "Incoming", "Missed", "Support")
	w.call("03:10", "b", "Incoming", "Missed", "Sales")
	w.run("03:15", "Not called back: +14155550144 on Support, since 1 Jun 03:00 UTC, 2 calls")

	w = newLedgerWorld(t)
	w.call("03:00", "a", "Incoming", "Missed", "Sales")
	w.call("03:10", "b", "Incoming", "Missed", "Support")
	w.run("03:15")
	w.run("09:15", "Not called back: +14155550144 on Sales, since 1 Jun 03:00 UTC, 2 calls")
}

func TestACallerIsReadAsTheFollowUpSays(t *testing.T) {
	t.Parallel()
	w := newLedgerWorld(t)
	w.call("10:00", "a", "Incoming", "Voicemail", "Sales")
	envelope, err := events.Open([]byte(`{"type":"jc.contact_status_updated","request_id":"01KKWS8VCJP04C57494RC26YG8","data":{"id":7,"contact_number":"14155550144","status":{"dnd":true}}}`))
	if err != nil {
		t.Fatal(err)
	}
	asks := table.EventItem(envelope.Decode(), time.Time{}, w.now)
	_, err = w.store.Put(t.Context(), asks)
	book := addressbook.New(w.store, events.PhoneNumber, logscan.Logger(t))
	if err := errors.Join(append(book.Consumer().Process(t.Context(), []table.Item{asks}), err)...); err != nil {
		t.Fatal(err)
	}
	page, err := w.store.Query(t.Context(), table.FollowUp("+14155550144"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.callers.Read("+14155550144", page.Items)
	if err != nil {
		t.Fatal(err)
	}
	want := escalate.Caller{
		Episode: escalate.Episode{ID: "first", Since: at("10:00"), Last: at("10:00"), Calls: 1},
		Waiter: alert.Waiter{
			CallID: "a", Key: table.FollowUpKey("+14155550144"), Caller: "+14155550144", Outcome: events.Voicemailed, First: at("10:00"), Unserved: 1,
			DoNotDisturb: true,
		},
		Line: "+14155550101", LineName: "Sales",
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(escalate.Episode{}, "Hours", "PausedUntil")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if nobody, err := w.callers.Read("+14155550145", nil); err != nil || nobody.ID != "" {
		t.Errorf("%v, %v: somebody of whom nothing is known waits", nobody, err)
	}
}

func TestSettingsSayAllThatIsWrong(t *testing.T) {
	t.Parallel()
	_, _, err := escalate.Settings{BusinessHours: "9-5", Holidays: "Christmas", Zone: time.UTC, After: time.Hour, AgainAfter: time.Minute}.Read()
	for _, want := range []error{hours.ErrHours, hours.ErrHolidays, escalate.ErrLevels} {
		if !errors.Is(err, want) {
			t.Errorf("%v, want %v too", err, want)
		}
	}
}

// A reminder says who called as the alert did: by the number as received, which may take
// another form than its spellings share, and withheld is only who hides it.
func TestPromise10_AReminderSaysWhoCalled(t *testing.T) {
	t.Parallel()
	const argentinian = "+541123456789" // by all its spellings
	for name, tc := range map[string]struct {
		number, name string
		caller       string // of the follow-up
		want         alert.Waiter
	}{
		"by a mobile's number":      {"+5491123456789", "Alma", argentinian, alert.Waiter{Caller: "+5491123456789", Name: "Alma"}},
		"by the number of both":     {argentinian, "", argentinian, alert.Waiter{Caller: argentinian}},
		"by what is no number":      {"sip:reception@pbx.example.com", "", "call:a", alert.Waiter{CallerText: "sip:reception@pbx.example.com"}},
		"by a voicemail, withheld":  {"Anonymous", "", "call:a", alert.Waiter{Withheld: true}},
		"by a voicemail of nobody":  {"", "", "call:a", alert.Waiter{}},
		"by a placeholder and name": {"+5491123456789", "unknown", argentinian, alert.Waiter{Caller: "+5491123456789"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newLedgerWorld(t)
			w.ledger = ledger.New(w.store, func(number string) string {
				return strings.Replace(events.PhoneNumber(number), "+549", "+54", 1)
			}, logscan.Logger(t))
			w.now = at("10:00")
			w.ledger.Now = w.runner.Now
			from := fmt.Sprintf(`"contact_number":%q,`, tc.number)
			if tc.number == "" {
				from = ""
			}
			envelope, err := events.Open(fmt.Appendf(nil, `{"type":"call.completed","data":{"call_sid":"a",%s"contact_name":%q,
				"justcall_number":"14155550101","call_date":"2026-06-01","call_time":"10:00:00","call_info":{"direction":"Incoming","type":"Voicemail"}}}`, from, tc.name))
			if err != nil {
				t.Fatal(err)
			}
			w.keep(table.EventItem(envelope.Decode(), time.Time{}, w.now))
			page, err := w.store.Query(t.Context(), table.FollowUp(tc.caller))
			if err != nil {
				t.Fatal(err)
			}
			read, err := w.callers.Read(tc.caller, page.Items)
			if err != nil {
				t.Fatal(err)
			}
			got := alert.Waiter{Caller: read.Caller, CallerText: read.CallerText, Withheld: read.Withheld, Name: read.Name}
			if diff := cmp.Diff(tc.want, got); diff != "" || read.CallID != "a" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// The list may be longer than when the follow-up was written.
func TestPromise10_OurOwnNumbersAreNotRemindedOf(t *testing.T) {
	t.Parallel()
	w := newLedgerWorld(t)
	w.call("10:00", "a", "Incoming", "Missed", "Sales")
	w.event(events.TypeCallCompleted, "14155550145", at("10:01"), "b", "Incoming", "Missed", "Sales")
	w.callers.Policy.Own = map[string]bool{"+14155550144": true}
	runner := escalate.New(w.plan, w.store, w.callers.Read, w.topic, logscan.Logger(t))
	runner.Now = w.runner.Now
	w.runner = runner
	w.run("10:20", "Not called back: +14155550145 on Sales, since 1 Jun 10:01 UTC")
	w.run("11:01", "Still not called back: +14155550145 on Sales, since 1 Jun 10:01 UTC")
}

// An account that posts missed calls alone would have everybody reminded of. When it posts
// the others, too, those count who have not waited for long by then.
func TestPromise10_WithoutEventsThatSayHowCallsEndNobodyIsRemindedOf(t *testing.T) {
	t.Parallel()
	w := newLedgerWorld(t)
	missed := func(clock string, days int, n string) {
		w.event(events.TypeCallMissed, "1415555014"+n, at(clock).AddDate(0, 0, days), n, "Incoming", "Missed", "Support")
	}
	missed("09:00", -1, "1")
	if result := w.runAt(at("09:15").AddDate(0, 0, -1)); result.Held != 1 {
		t.Errorf("%+v, want one held", result)
	}
	missed("11:00", -1, "2")
	if result := w.runAt(at("11:15").AddDate(0, 0, -1)); result.Held != 1 {
		t.Errorf("%+v, want one held", result)
	}
	if result := w.runAt(at("12:30").AddDate(0, 0, -1)); result.Timers != 0 {
		t.Errorf("%+v: they are looked at again", result)
	}
	missed("10:00", 0, "3")
	if result := w.run("10:15"); result.Held != 1 {
		t.Errorf("%+v, want one held", result)
	}
	// The first event that says how a call ended is of a fourth caller.
	w.event(events.TypeCallCompleted, "14155550144", at("10:20"), "d", "Incoming", "Missed", "Support")
	w.run("10:20")
	const of, first, third = "ot called back: +1415555014", "2 on Support, since 31 May 11:00 UTC", "3 on Support, since 1 Jun 10:00 UTC"
	w.run("10:21", "N"+of+first, "N"+of+third, "Still n"+of+first)
	w.run("10:35", "N"+of+"4 on Support, since 1 Jun 10:20 UTC")
	w.run("11:00", "Still n"+of+third)
	w.now = at("11:10")
	missed("11:10", 0, "1") // who has waited for too long
	if result := w.run("11:11"); result.Held != 0 {
		t.Errorf("%+v: held, although it is known who was called back", result)
	}
}

// Whoever is reminded must know that the list may be out of date.
func TestPromise11_AReminderSaysAsOfWhenItHolds(t *testing.T) {
	t.Parallel()
	w := newLedgerWorld(t)
	w.call("15:30", "a", "Incoming", "Missed", "Sales")
	w.run("15:45", "Not called back: +14155550144 on Sales, since 1 Jun 15:30 UTC")
	w.run("16:30", "Still not called back: +14155550144 on Sales, since 1 Jun 15:30 UTC")
	w.call("16:50", "b", "Outgoing", "Answered", "Sales")
	w.call("16:51", "c", "Incoming", "Missed", "Sales")
	w.act("16:52", followup.ActSnooze, "17:00")
	w.now = at("16:53")
	// Two hours of business later, but for one minute.
	w.act("16:54", followup.ActClaim, "16:59")
	w.runAt(at("09:00").AddDate(0, 0, 1))
	w.runAt(at("09:07").AddDate(0, 0, 1), "Not called back: +14155550144 on Sales, since 1 Jun 16:51 UTC")
	w.now = at("09:08").AddDate(0, 0, 1)
	w.keep(ledger.ActItem("+14155550144", followup.Act{ID: "claim", At: at("09:08").AddDate(0, 0, 1), Kind: followup.ActClaim, By: "Ines", Until: at("10:51").AddDate(0, 0, 1)}))
	w.runAt(at("09:52").AddDate(0, 0, 1))
	w.runAt(at("10:51").AddDate(0, 0, 1), "Still not called back as of 1 Jun 16:51 UTC: +14155550144 on Sales, since 1 Jun 16:51 UTC")
}

// "ringback serve" looks every 20 seconds, beginning with the minute.
func TestNoReminderIsEarlyOrLateByMoreThanAMinute(t *testing.T) {
	t.Parallel()
	w := newLedgerWorld(t)
	random := rand.New(rand.NewPCG(1, 13)) //nolint:gosec // the same calls each time
	const callers, seconds = 40, 2 * 60 * 60
	rings := make(map[time.Time][]int)
	for n := range callers {
		begin := random.IntN(seconds)
		for range 1 + random.IntN(4) {
			at := at("09:00").Add(time.Duration(begin)*time.Second + time.Duration(random.IntN(1000))*time.Millisecond)
			rings[at] = append(rings[at], n)
			begin += random.IntN(30 * 60)
		}
	}
	calls := slices.SortedFunc(maps.Keys(rings), time.Time.Compare)
	for tick := at("09:00"); tick.Before(at("15:00")); tick = tick.Add(20 * time.Second) {
		for len(calls) > 0 && calls[0].Before(tick) {
			for _, n := range rings[calls[0]] {
				w.event(events.TypeCallCompleted, fmt.Sprintf("1415555%04d", n), calls[0], fmt.Sprint(n, calls[0]), "Incoming", "Missed", "Sales")
			}
			calls = calls[1:]
		}
		w.now = tick.Add(time.Duration(random.IntN(50)) * time.Millisecond)
		if _, err := w.runner.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	told := 0
	for item, err := range table.ScanAll(t.Context(), w.store, table.CallerPartition(""), "") {
		if err != nil {
			t.Fatal(err)
		}
		if level, ok := table.ReadReminder(table.KeyOf(item), "first"); !ok || level == 0 {
			continue
		}
		told++
		due, _ := events.ParseTime(table.Text(item, table.DueAt))
		sent, _ := events.ParseTime(table.Text(item, table.AlertedAt))
		if late := sent.Sub(due); late < 0 || late > time.Minute+50*time.Millisecond {
			t.Errorf("a reminder that is due at %v comes %v later", due, late)
		}
	}
	if told != 2*callers {
		t.Errorf("%d reminders of %d callers, want two of each", told, callers)
	}
}

// Lists show how far people were reminded, whoever writes the follow-up, and when.
func TestTheLevelIsShown(t *testing.T) {
	t.Parallel()
	w := newLedgerWorld(t)
	level := func(want string) {
		t.Helper()
		item, err := table.Get(t.Context(), w.store, table.FollowUpKey("+14155550144"))
		if err != nil || item == nil || table.Text(item, table.Level) != want {
			t.Errorf("%v, %v; want level %q", item, err, want)
		}
	}
	w.call("10:00", "a", "Incoming", "Missed", "Sales")
	level("")
	w.run("10:15", "Not called back: +14155550144 on Sales, since 1 Jun 10:00 UTC")
	level("1")
	w.call("10:20", "b", "Incoming", "Missed", "Sales")
	level("1")
	w.run("11:00", "Still not called back: +14155550144 on Sales, since 1 Jun 10:00 UTC, 2 calls")
	level("2")
	w.call("11:10", "c", "Outgoing", "Answered", "Sales")
	level("")
	w.call("11:30", "d", "Incoming", "Missed", "Sales")
	w.run("11:31")
	level("")
}

// between is a store in which somebody does something before the next update of a follow-up.
type between struct {
	table.Store
	do func()
}

func (b *between) Update(ctx context.Context, item table.Item, was int64) (bool, error) {
	if do := b.do; do != nil && table.IsFollowUp(table.KeyOf(item)) {
		b.do = nil
		do()
	}
	return b.Store.Update(ctx, item, was)
}

// The follow-up changes between the run's look and its write: what it has become stays.
func TestShowingTheLevelOverwritesNothing(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ direction, outcome, state, level string }{
		"they ring again":    {"Incoming", "Missed", "waiting", "1"},
		"they are called":    {"Outgoing", "Answered", "returned", ""},
		"somebody tries now": {"Outgoing", "Unanswered", "waiting", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newLedgerWorld(t)
			plan, callers, err := escalate.Settings{After: escalate.DefaultAfter, Zone: time.UTC}.Read()
			if err != nil {
				t.Fatal(err)
			}
			w.call("10:00", "a", "Incoming", "Missed", "Sales")
			racing := &between{Store: w.store, do: func() { w.call("10:15", "b", tc.direction, tc.outcome, "Sales") }}
			w.runner = escalate.New(plan, racing, callers.Read, w.topic, logscan.Logger(t))
			w.runner.Now = func() time.Time { return w.now }
			w.run("10:15", "Not called back: +14155550144 on Sales, since 1 Jun 10:00 UTC")
			item, err := table.Get(t.Context(), w.store, table.FollowUpKey("+14155550144"))
			if err != nil || racing.do != nil {
				t.Fatal("nothing was written meanwhile", err)
			}
			if state, level := table.Text(item, table.State), table.Text(item, table.Level); state != tc.state || level != tc.level {
				t.Errorf("%s at level %q, want %s at %q", state, level, tc.state, tc.level)
			}
		})
	}
}

// Whoever made follow-ups anew knows no plan: each caller who waits is looked at soon.
func TestWhoIsWokenIsRemindedOfInTime(t *testing.T) {
	t.Parallel()
	const first = "Not called back: +14155550144 on Sales, since 1 Jun 10:00 UTC"
	w := newLedgerWorld(t)
	w.ledger.Changed = nil // as if the timers were lost
	w.call("10:00", "a", "Incoming", "Missed", "Sales")
	w.event(events.TypeCallCompleted, "14155550145", at("10:00"), "b", "Incoming", "Missed", "Sales")
	w.event(events.TypeCallCompleted, "14155550145", at("10:01"), "c", "Outgoing", "Answered", "Sales")
	w.run("10:02") // which arms nobody but who was not known of
	wake := escalate.Wake(w.store, w.runner.Now)
	w.ledger.Changed = wake
	for _, clock := range []string{"10:03", "10:03"} {
		w.now = at(clock)
		if _, err := w.ledger.Rebuild(t.Context(), func(ledger.Progress) {}); err != nil {
			t.Fatal(err)
		}
	}
	timers := 0
	for item, err := range table.ScanAll(t.Context(), w.store, "", "") {
		if err != nil {
			t.Fatal(err)
		}
		if key := table.KeyOf(item); table.IsTimer(key) && strings.HasPrefix(key.PK, table.DuePartition(at("10:04"))) {
			timers++
		}
	}
	if timers != 1 {
		t.Errorf("%d timers in the next minute, want that of who waits", timers)
	}
	w.run("10:04")
	w.run("10:14")
	w.run("10:15", first)
}

// Many callers are not looked at in one run.
func TestWhoIsWokenIsSpread(t *testing.T) {
	t.Parallel()
	w := newLedgerWorld(t)
	w.now = at("10:00")
	wake := escalate.Wake(w.store, w.runner.Now)
	open := followup.Call{ID: "CALL#a", Effect: followup.Opens, Outcome: events.Missed, Start: w.now, End: w.now}.Of().State(followup.Default())
	old := followup.Call{ID: "CALL#a", Effect: followup.Opens, Outcome: events.Missed, Start: w.now.AddDate(0, 0, -8), End: w.now}.Of().State(followup.Default())
	for n := range 1001 {
		if err := wake(t.Context(), number(n), followup.State{}, open); err != nil {
			t.Fatal(err)
		}
	}
	if err := wake(t.Context(), number(1001), followup.State{}, old); err != nil {
		t.Fatal(err)
	}
	for minute, want := range map[string]int{"10:00": 0, "10:01": 500, "10:02": 500, "10:03": 1, "10:04": 0} {
		got := 0
		for _, err := range table.All(t.Context(), w.store, table.Query{Partition: table.DuePartition(at(minute))}) {
			if err != nil {
				t.Fatal(err)
			}
			got++
		}
		if got != want {
			t.Errorf("%d timers at %s, want %d", got, minute, want)
		}
	}
}
