package alert_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
)

// legs returns events of format B of calls that are one ring, each with the call_sid
// and the outcome that a word such as "s1:Missed" gives. By "s1:Missed:early" the call
// began earlier, and so is another ring.
func legs(t testing.TB, words ...string) (items []table.Item) {
	t.Helper()
	for _, word := range words {
		sid, outcome, _ := strings.Cut(word, ":")
		outcome, early := strings.CutSuffix(outcome, ":early")
		at := map[bool]string{false: "14:32:00", true: "14:31:50"}[early]
		items = append(items, itemOf(t, fmt.Sprintf(`{"type":"call.completed","data":{"call_sid":%q,"contact_number":"14155550144",
			"justcall_number":"14155550101","call_date":"2026-03-12","call_time":%q,"call_info":{"direction":"Incoming","type":%q}}}`, sid, at, outcome)))
	}
	return items
}

// orders returns all orders of items.
func orders(items []table.Item) (all [][]table.Item) {
	if len(items) < 2 {
		return [][]table.Item{items}
	}
	for i, first := range items {
		for _, rest := range orders(slices.Delete(slices.Clone(items), i, i+1)) {
			all = append(all, append([]table.Item{first}, rest...))
		}
	}
	return all
}

// In any order of their events, the calls of one ring alert once, or, if one of them
// is answered, not at all in the end.
func TestPromise4_TheCallsOfOneRingAlertOnce(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		items []table.Item
		kinds []events.Kind // of the alerts that stand
	}{
		{"one call", legs(t, "s1:Missed"), []events.Kind{events.KindMissedCall}},
		{"the phones of three agents", legs(t, "s1:Missed", "s2:Missed", "s3:Missed"), []events.Kind{events.KindMissedCall}},
		{"three, one of which answers", legs(t, "s1:Missed", "s2:Answered", "s3:Missed"), nil},
		{"missed, and answered under the same id", legs(t, "s1:Missed", "s1:Answered"), nil},
		{"a voicemail in one of them", legs(t, "s1:Missed", "s2:Voicemail"), []events.Kind{events.KindMissedCall, events.KindVoicemail}},
		{"a voicemail in two of them", legs(t, "s1:Voicemail", "s2:Voicemail"), []events.Kind{events.KindVoicemail}},
		{"three, one of which began earlier", legs(t, "s1:Missed", "s2:Missed", "s3:Missed", "s1:Missed:early"), []events.Kind{events.KindMissedCall, events.KindMissedCall}},
		{"three, two of which began earlier", legs(t, "s1:Missed", "s2:Missed", "s3:Missed", "s1::early", "s2::early"), []events.Kind{events.KindMissedCall, events.KindMissedCall}},
		{"two, and one that was answered in another ring", legs(t, "s1:Missed", "s2:Missed", "s3:Answered", "s3::early"), []events.Kind{events.KindMissedCall}},
		{"voicemails, one of which began earlier", legs(t, "s1:Voicemail", "s2:Voicemail", "s1::early"), []events.Kind{events.KindVoicemail, events.KindVoicemail}},
		{"a voicemail, and answered", legs(t, "s1:Voicemail", "s1:Missed", "s2:Answered"), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			logger := logscan.Logger(t)
			for _, order := range orders(tc.items) {
				now := func() time.Time { return arrival }
				store, to := &tabletest.Memory{Now: now}, &topic{}
				d := alert.New(store, events.PhoneNumber, to, logger)
				d.Now = now
				for _, item := range order {
					put(t, store, item)
					mustProcess(t, d, item)
				}
				mustProcess(t, d, order...) // again
				if diff := gocmp.Diff(tc.kinds, to.standingKinds()); diff != "" {
					t.Errorf("alerts that stand (-want +got):\n%s", diff)
				}
				if twice := to.repeated(); len(twice) > 0 {
					t.Errorf("sent twice: %v", twice)
				}
			}
		})
	}
}

func (p *topic) standingKinds() (kinds []events.Kind) {
	for _, id := range p.standing() {
		kind, _, _ := strings.Cut(id[strings.LastIndexByte(id, '/')+1:], "#")
		kinds = append(kinds, events.Kind(kind))
	}
	slices.Sort(kinds)
	return kinds
}

// repeated returns what was published more than once.
func (p *topic) repeated() (twice []string) {
	seen := map[string]bool{}
	for _, m := range p.sent {
		name := string(m.Kind) + " " + m.ID
		if seen[name] {
			twice = append(twice, name)
		}
		seen[name] = true
	}
	return twice
}

// A call that JustCall names by an id in one event and by a call_sid in another.
func TestACallByTwoIDsAlertsOnce(t *testing.T) {
	t.Parallel()
	named := func(ids string) table.Item {
		return itemOf(t, fmt.Sprintf(`{"type":"call.missed","data":{%s,"contact_number":"14155550144","justcall_number":"14155550101",
			"call_date":"2026-03-12","call_time":"14:32:00","call_info":{"direction":"Incoming","type":"missed"}}}`, ids))
	}
	for _, items := range [][]table.Item{
		{named(`"id":88,"call_sid":"CA900"`), named(`"id":88,"call_sid":""`)},
		{named(`"call_id":88,"call_sid":"s88"`), named(`"call_sid":"s88"`)},
		{named(`"id":88`), named(`"id":88,"call_sid":"CA900"`)},
	} {
		for _, order := range orders(items) {
			store, to := &tabletest.Memory{}, &topic{}
			put(t, store, order...)
			d := alert.New(store, events.PhoneNumber, to, logscan.Logger(t))
			mustProcess(t, d, order[0])
			mustProcess(t, d, order[1])
			if len(to.sent) != 1 {
				t.Errorf("%d alerts of %s and %s, want one", len(to.sent), table.KeyOf(order[0]).PK, table.KeyOf(order[1]).PK)
			}
		}
	}
}

// Calls of one caller are one ring only if nothing sets them apart, and if everything
// is known of both.
func TestCallsThatAreNotOneRingAlertEach(t *testing.T) {
	t.Parallel()
	body := func(id, from, to, at string) table.Item {
		return itemOf(t, fmt.Sprintf(`{"event":"call.missed"%s,"data":{"call_id":%q,"direction":"inbound","from":%q,"to":%q}}`, at, id, from, to))
	}
	const caller, line, at = "+14155550144", "+14155550101", `,"timestamp":"2026-03-12T14:32:00Z"`
	first := body("c1", caller, line, at)
	for name, second := range map[string]table.Item{
		"another caller":         body("c2", "+14155550145", line, at),
		"another line":           body("c2", caller, "+14155550102", at),
		"a second later":         body("c2", caller, line, `,"timestamp":"2026-03-12T14:32:01Z"`),
		"a caller who withholds": body("c2", "anonymous", line, at),
		"a call without a line":  body("c2", caller, "", at),
		"a call without a time":  body("c2", caller, line, ""),
	} {
		store, to := &tabletest.Memory{}, &topic{}
		put(t, store, first, second)
		mustProcess(t, alert.New(store, events.PhoneNumber, to, logscan.Logger(t)), first, second)
		if len(to.sent) != 2 {
			t.Errorf("%s: %d alerts, want two", name, len(to.sent))
		}
	}
}

// What comes first may not tell when the call began.
func TestPromise4_ARingIsKnownWhenItsStartIs(t *testing.T) {
	t.Parallel()
	later := strings.Replace(missedAt("c1", "+14155550144", "2026-03-12T14:32:09Z"), "call.missed", "call.completed", 1)
	later = strings.Replace(later, `"agent_id":null`, `"agent_id":null,"call_info":{"type":"missed"}`, 1)
	items := []table.Item{
		itemOf(t, later),
		itemOf(t, missedAt("c1", "+14155550144", "2026-03-12T14:32:00Z")),
		itemOf(t, missedAt("c2", "+14155550144", "2026-03-12T14:32:00Z")),
	}
	for _, order := range orders(items) {
		store, to := &tabletest.Memory{}, &topic{}
		d := alert.New(store, events.PhoneNumber, to, logscan.Logger(t))
		for _, item := range order {
			put(t, store, item)
			mustProcess(t, d, item)
		}
		if got := to.standing(); len(got) != 1 {
			t.Errorf("alerts that stand: %v, want one", got)
		}
		for _, m := range to.sent {
			if m.Kind == events.KindCorrection {
				t.Error("people are told of a correction, although nobody answered")
			}
		}
	}
}

func TestWhatIsTakenBackIsSaidOnceToProgramsAndToPeople(t *testing.T) {
	t.Parallel()
	store, to := &tabletest.Memory{}, &topic{}
	lines := logscan.Writer(t)
	d := alert.New(store, events.PhoneNumber, to, lines.Logger())
	items := legs(t, "s1:Missed", "s1:Voicemail", "s1:Answered")
	for _, item := range append(items, items...) {
		put(t, store, item)
		mustProcess(t, d, item)
	}
	var got []string
	for _, m := range to.sent {
		got = append(got, string(m.Kind)+" "+m.ID)
		// Who filters by the outcome gets the correction of what they got, and no other.
		if kind := m.ID[strings.LastIndexByte(m.ID, '/')+1:]; m.Attributes["outcome"] != map[string]string{"missed_call": "missed", "voicemail": "voicemail"}[kind] {
			t.Errorf("%s %s has the outcome %q", m.Kind, m.ID, m.Attributes["outcome"])
		}
		if m.Attributes["kind"] != string(m.Kind) || m.Attributes["caller"] != "+14155550144" || m.Attributes["line"] != "+14155550101" {
			t.Errorf("%s has the attributes %v", m.Kind, m.Attributes)
		}
	}
	if diff := gocmp.Diff([]string{
		"missed_call CALL#s1/missed_call", "voicemail CALL#s1/voicemail",
		"returned CALL#s1/missed_call", "correction CALL#s1/missed_call",
		"returned CALL#s1/voicemail", "correction CALL#s1/voicemail",
	}, got); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	if n := strings.Count(lines.String(), `"msg":"alert returned"`); n != 2 || !strings.Contains(lines.String(), `"reason":"answered"`) {
		t.Errorf("%d lines in the log: %s", n, lines)
	}
}

// What people are told of a call another leg of which was answered is that, with the day
// if it is another one by then.
func TestACorrectionSaysWhatBecameOfTheRing(t *testing.T) {
	t.Parallel()
	now := arrival
	clock := func() time.Time { return now }
	store, to := &tabletest.Memory{Now: clock}, &topic{}
	d := alert.New(store, events.PhoneNumber, to, logscan.Logger(t))
	d.Now = clock
	for day, item := range legs(t, "s1:Missed", "s2:Answered") {
		now = arrival.AddDate(0, 0, 2*day)
		put(t, store, item)
		mustProcess(t, d, item)
	}
	if len(to.sent) != 3 {
		t.Fatalf("%d sent", len(to.sent))
	}
	if strings.Contains(to.sent[0].SMS, "12 Mar") {
		t.Errorf("the alert: %q", to.sent[0].SMS)
	}
	for _, m := range to.sent[1:] {
		if outcome := document(t, m)["outcome"]; outcome != "answered" || strings.Contains(m.Email, "No answer") {
			t.Errorf("%s: outcome %v, e-mail:\n%s", m.Kind, outcome, m.Email)
		}
		if !strings.Contains(m.SMS, "12 Mar 14:32") {
			t.Errorf("%s: without its day: %q", m.Kind, m.SMS)
		}
	}
}

// If the topic fails, what is taken back comes again until it is taken.
func TestPromise4_WhatCannotBeTakenBackComesAgain(t *testing.T) {
	t.Parallel()
	items, to := legs(t, "s1:Missed", "s2:Answered"), &topic{}
	to.refuse = func(m alert.Message) error {
		if m.Kind == events.KindReturned {
			return errDown
		}
		return nil
	}
	store := &tabletest.Memory{}
	d := alert.New(store, events.PhoneNumber, to, logscan.Logger(t))
	put(t, store, items[0])
	mustProcess(t, d, items[0])
	put(t, store, items[1])
	if errs := process(t, d, items[1]); !errors.Is(errs[0], errDown) {
		t.Errorf("got %v, want %v", errs[0], errDown)
	}
	to.refuse = nil
	mustProcess(t, d, items[1])
	if got := to.standing(); len(got) > 0 {
		t.Errorf("alerts that stand: %v", got)
	}
}

// An alert is taken back by two messages. If the topic refuses one of them, the other
// does not go out again.
func TestPromise2_AnAlertIsTakenBackOnceThoughOneMessageFails(t *testing.T) {
	t.Parallel()
	for _, refused := range []events.Kind{events.KindReturned, events.KindCorrection} {
		items, to := legs(t, "s1:Missed", "s2:Answered"), &topic{}
		to.refuse = func(m alert.Message) error {
			if m.Kind == refused {
				return errDown
			}
			return nil
		}
		store := &tabletest.Memory{}
		d := alert.New(store, events.PhoneNumber, to, logscan.Logger(t))
		put(t, store, items[0])
		mustProcess(t, d, items[0])
		put(t, store, items[1])
		for range 2 {
			if errs := process(t, d, items[1]); !errors.Is(errs[0], errDown) {
				t.Errorf("got %v, want %v", errs[0], errDown)
			}
		}
		to.refuse = nil
		mustProcess(t, d, items[1])
		mustProcess(t, d, items[1])
		got := map[events.Kind]int{}
		for _, m := range to.sent {
			got[m.Kind]++
		}
		want := map[events.Kind]int{events.KindMissedCall: 1, events.KindReturned: 1, events.KindCorrection: 1}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s was refused: sent (-want +got):\n%s", refused, diff)
		}
	}
}

// What was published or taken back and is not marked must not come again, also if that
// was on account of another call.
func TestPromise2_WhatIsNotMarkedDoesNotComeAgain(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		calls    []string // the last one's event comes when marks fail
		unmarked string
	}{
		"an alert":                     {[]string{"s1:Missed"}, table.AlertedAt},
		"an alert of a call beside it": {[]string{"s1:Missed", "s2:Missed", "s1:Missed:early"}, table.AlertedAt},
		"what is taken back":           {[]string{"s1:Missed", "s1:Answered"}, table.ReturnedAt},
		"what another call takes back": {[]string{"s1:Missed", "s2:Answered"}, table.ReturnedAt},
	} {
		clock := func() time.Time { return arrival }
		store, to := &tabletest.Memory{Now: clock}, &topic{}
		failing := false
		broken := storeFunc{Store: store, put: func(ctx context.Context, item table.Item) (bool, error) {
			before := strings.HasSuffix(table.KeyOf(item).SK, "#returning")
			if _, ok := item[tc.unmarked]; ok && failing && !before {
				return false, table.ErrUnavailable
			}
			return store.Put(ctx, item)
		}}
		d := alert.New(broken, events.PhoneNumber, to, logscan.Logger(t))
		d.Now = clock
		items := legs(t, tc.calls...)
		for i, item := range items {
			failing = i == len(items)-1
			put(t, store, item)
			if errs := d.Process(t.Context(), []table.Item{item}); errors.Is(errs[0], consumer.ErrNotAgain) != failing {
				t.Errorf("%s: %d: %v", name, i, errs[0])
			}
		}
	}
}

// The log says why a call alerts nobody also when the seats of its ring are deleted.
func TestTheReasonOfATwinOutlivesItsRing(t *testing.T) {
	t.Parallel()
	for reason, calls := range map[string][]string{
		"same_ring": {"s1:Missed", "s2:Missed"},
		"answered":  {"s1:Answered", "s2:Missed"},
		"sent":      {"s2:Missed"},
	} {
		store, to, lines := &tabletest.Memory{}, &topic{}, logscan.Writer(t)
		items := legs(t, calls...)
		for _, item := range items {
			put(t, store, item)
			mustProcess(t, alert.New(store, events.PhoneNumber, to, logscan.Logger(t)), item)
		}
		d := alert.New(store, events.PhoneNumber, to, lines.Logger())
		d.Now = func() time.Time { return time.Now().AddDate(1, 0, 0) }
		mustProcess(t, d, items[len(items)-1])
		if !strings.Contains(lines.String(), `"reason":"`+reason+`"`) {
			t.Errorf("%s: log: %s", reason, lines)
		}
	}
}

// A process may end between publishing and marking, also with an alert of a call that
// has no ring, because its line is not known. What the next process learns takes the
// alert back.
func TestPromise10_AnAlertThatWasNotMarkedIsTakenBack(t *testing.T) {
	t.Parallel()
	const missed = `{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":{"call_id":"c1","direction":"inbound","from":"+14155550144"%s}}`
	for name, line := range map[string]string{"with a ring": `,"to":"+14155550101"`, "without a ring": ""} {
		body := fmt.Sprintf(missed, line)
		items := []table.Item{itemOf(t, body), itemOf(t, strings.Replace(body, "call.missed", "call.answered", 1))}
		store, to := &tabletest.Memory{}, &topic{}
		ending := storeFunc{Store: store, put: func(ctx context.Context, item table.Item) (bool, error) {
			if _, ok := item[table.AlertedAt]; ok {
				return false, table.ErrUnavailable
			}
			return store.Put(ctx, item)
		}}
		put(t, store, items[0])
		mustProcess(t, alert.New(ending, events.PhoneNumber, to, logscan.Logger(t)), items[0])
		put(t, store, items[1])
		mustProcess(t, alert.New(store, events.PhoneNumber, to, logscan.Logger(t)), items[1])
		if got := to.standing(); len(to.sent) == 0 || len(got) > 0 {
			t.Errorf("%s: alerts that stand: %v of %d sent", name, got, len(to.sent))
		}
	}
}

// Events of one call may name any numbers, but nobody can have them all asked for.
func TestACallOfManyNumbersIsBounded(t *testing.T) {
	t.Parallel()
	eventsOf := func(n int) (items []table.Item) {
		for i := range n {
			items = append(items, itemOf(t, fmt.Sprintf(`{"type":"call.completed","data":{"call_sid":"s1","contact_number":"1415555%04d",
				"justcall_number":"1415556%04d","call_date":"2026-03-12","call_time":"14:%02d:00","call_info":{"direction":"Incoming","type":"Missed"}}}`, i, i, i)))
		}
		return items
	}
	queries := func(items []table.Item) (n int) {
		memory, to := &tabletest.Memory{}, &topic{}
		store := storeFunc{Store: memory, query: func(ctx context.Context, q table.Query) (table.Page, error) {
			n++
			return memory.Query(ctx, q)
		}}
		for _, item := range items {
			put(t, memory, item)
		}
		d := alert.New(store, events.PhoneNumber, to, logscan.Logger(t))
		d.Now = func() time.Time { return arrival }
		mustProcess(t, d, items[0])
		if len(to.sent) != 1 {
			t.Errorf("%d alerts of %d events, want 1", len(to.sent), len(items))
		}
		return n
	}
	if few, many := queries(eventsOf(12)), queries(eventsOf(40)); many > few {
		t.Errorf("%d queries for 40 events, and %d for 12", many, few)
	}
}

// gate makes the operations of several processes on a store and a topic wait, so that
// a test can let them through one at a time.
type gate struct {
	mu      sync.Mutex
	waiting []*operation
}

type operation struct {
	process, name string
	pass          chan struct{}
}

type processName struct{}

// enter waits until the operation is let through. What does not decide anything is not
// held up.
func (g *gate) enter(ctx context.Context, what string) {
	process, _ := ctx.Value(processName{}).(string)
	o := &operation{process: process, name: what, pass: make(chan struct{})}
	g.mu.Lock()
	g.waiting = append(g.waiting, o)
	g.mu.Unlock()
	<-o.pass
}

// next returns the operations that wait, those of a process first, in an order that
// is the same in each run.
func (g *gate) next(process string) []*operation {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := func(o *operation) bool { return o.process != process }
	slices.SortFunc(g.waiting, func(a, b *operation) int {
		return cmp.Or(compareBool(first(a), first(b)), cmp.Compare(a.process, b.process), cmp.Compare(a.name, b.name))
	})
	return slices.Clone(g.waiting)
}

func compareBool(a, b bool) int {
	return cmp.Compare(map[bool]int{true: 1}[a], map[bool]int{true: 1}[b])
}

func (g *gate) open(o *operation) {
	g.mu.Lock()
	g.waiting = slices.DeleteFunc(g.waiting, func(w *operation) bool { return w == o })
	g.mu.Unlock()
	close(o.pass)
}

func (g *gate) guard(store table.Store) table.Store {
	return storeFunc{
		put: func(ctx context.Context, item table.Item) (bool, error) {
			g.enter(ctx, "put "+table.Text(item, table.SK))
			return store.Put(ctx, item)
		},
		query: func(ctx context.Context, q table.Query) (table.Page, error) {
			if q.From != table.ContactSort { // the caller's history decides nothing
				g.enter(ctx, "query "+q.Partition+q.SortPrefix+q.From)
			}
			return store.Query(ctx, q)
		},
	}
}

type gatedTopic struct {
	*topic

	gate *gate
}

func (p gatedTopic) Publish(ctx context.Context, messages []alert.Message) []error {
	p.gate.enter(ctx, "publish "+messages[0].ID)
	return p.topic.Publish(ctx, messages)
}

// Two functions process two calls of one ring at the same time, and each of their
// operations may come before or after any of the other's.
func TestPromise4_AtTheSameTimeOneRingAlertsOnce(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		before   []string // processed before
		at       []string // processed at the same time
		want     int      // alerts that stand
		switches int      // how often one process gives way to another that is ready as well; fewer, where there are many operations
		twice    bool     // an event of one call is processed twice at once, so its alert may repeat
		late     bool     // the events come when the seats of their ring may be deleted
	}{
		{name: "missed twice", at: []string{"s1:Missed", "s2:Missed"}, want: 1},
		{name: "missed and answered", at: []string{"s1:Missed", "s2:Answered"}},
		{name: "a voicemail and answered", at: []string{"s1:Voicemail", "s2:Answered"}},
		{name: "answered twice after an alert", before: []string{"s1:Missed"}, at: []string{"s2:Answered", "s3:Answered"}},
		{name: "an update and answered", before: []string{"s1:Missed"}, at: []string{"s1:missed", "s2:Answered"}},
		{name: "missed, while the one that alerts leaves", before: []string{"s1:Missed"}, at: []string{"s1::early", "s2:Missed"}, switches: 2, want: 2},
		{name: "one more of three, while the one that alerts leaves", before: []string{"s1:Missed", "s2:Missed"}, at: []string{"s1::early", "s3:Missed"}, switches: 2, want: 2},
		{name: "two of three leave", before: []string{"s1:Missed", "s2:Missed", "s3:Missed"}, at: []string{"s1::early", "s2::early"}, switches: 2, want: 2},
		{name: "answered, while the one that alerts leaves", before: []string{"s1:Missed", "s2:Missed"}, at: []string{"s1::early", "s3:Answered"}, switches: 2, want: 1},
		{name: "missed, while the one that was answered leaves", before: []string{"s1:Missed", "s2:Answered"}, at: []string{"s2::early", "s3:Missed"}, switches: 2, want: 1},
		{name: "missed, and answered under the same id", at: []string{"s1:Missed", "s1:Answered"}, twice: true},
		{name: "missed and answered, long ago", at: []string{"s1:Missed", "s2:Answered"}, late: true},
		{name: "missed with an update, and answered, long ago", at: []string{"s1:Missed", "s1:missed", "s2:Answered"}, switches: 2, twice: true, late: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			before, at := legs(t, tc.before...), legs(t, tc.at...)
			// With any number of switches the test takes three minutes, and finds nothing more.
			switches := cmp.Or(tc.switches, 3)
			if testing.Short() {
				switches--
			}
			logger := slog.New(slog.DiscardHandler) // thousands of ways to scan; others scan the same lines
			runs := 0
			for schedule := []int{}; schedule != nil; runs++ {
				var choices []int // how many operations there were to choose from
				synctest.Test(t, func(t *testing.T) {
					now := func() time.Time { return arrival }
					if tc.late {
						now = func() time.Time { return arrival.AddDate(1, 0, 0) }
					}
					memory, to, g := &tabletest.Memory{Now: now}, &topic{}, &gate{}
					put(t, memory, before...)
					d := alert.New(memory, events.PhoneNumber, to, logger)
					d.Now = now
					for _, item := range before {
						mustProcess(t, d, item)
					}

					left := len(at)
					for i, item := range at {
						ctx := context.WithValue(t.Context(), processName{}, fmt.Sprint(i))
						d := alert.New(g.guard(memory), events.PhoneNumber, gatedTopic{to, g}, logger)
						d.Now = now
						go func() {
							g.enter(ctx, "store")
							put(t, memory, item)
							for errors.Join(d.Process(ctx, []table.Item{item})...) != nil {
								time.Sleep(time.Second)
							}
							g.mu.Lock()
							left--
							g.mu.Unlock()
						}()
					}
					process, switched := "", 0
					for {
						synctest.Wait()
						waiting := g.next(process)
						if len(waiting) == 0 {
							break
						}
						step := len(choices)
						if step >= len(schedule) {
							schedule = append(schedule, 0)
						}
						next := waiting[schedule[step]]
						ready := waiting[0].process == process
						if ready && switched == switches {
							waiting = waiting[:1]
						}
						if ready && next.process != process {
							switched++
						}
						choices = append(choices, len(waiting))
						process = next.process
						g.open(next)
					}
					if left > 0 {
						t.Fatalf("%d processes did not end", left)
					}
					if got := to.standing(); len(got) != tc.want {
						t.Errorf("alerts that stand: %v, want %d\n%v", got, tc.want, schedule)
					}
					if twice := to.repeated(); len(twice) > 0 && !tc.twice {
						t.Errorf("sent twice: %v\n%v", twice, schedule)
					}
				})
				if t.Failed() {
					return
				}
				schedule = following(schedule[:len(choices)], choices)
			}
			t.Logf("%d ways", runs)
			if runs < 50 && !testing.Short() || runs < 10 {
				t.Errorf("only %d ways were tried", runs)
			}
		})
	}
}

// following returns the next schedule, nil after the last one.
func following(schedule, choices []int) []int {
	for i := len(schedule) - 1; i >= 0; i-- {
		if schedule[i]+1 < choices[i] {
			return append(slices.Clone(schedule[:i]), schedule[i]+1)
		}
	}
	return nil
}

// said is what one event says of a call.
type said struct {
	call, second int
	caller       int
	outcome      string // as format B has it
	out          bool
}

// item returns an event that gives its own time, which is the call's start if no other
// event is earlier.
func (s said) item(t testing.TB) table.Item {
	t.Helper()
	direction := "Incoming"
	if s.out {
		direction = "Outgoing"
	}
	return itemOf(t, fmt.Sprintf(`{"type":"call.completed","data":{"call_sid":"c%d","contact_number":"1415555014%d","justcall_number":"14155550101",
		"call_date":"2026-03-12","call_time":"14:32:0%d","call_info":{"direction":%q,"type":%q}}}`, s.call, s.caller, s.second, direction, s.outcome))
}

// owed returns how many alerts must stand in the end.
func owed(t testing.TB, items []table.Item) (n int) {
	t.Helper()
	byCall, served := map[string][]events.Part{}, map[string]bool{}
	for _, item := range items {
		body, err := table.PayloadOf(item)
		if err != nil {
			t.Fatal(err)
		}
		envelope, err := events.Open(body)
		if err != nil {
			t.Fatal(err)
		}
		key := table.KeyOf(item)
		at := table.KeyTime(key)
		byCall[key.PK] = append(byCall[key.PK], events.Part{Details: envelope.Details(), Key: key.SK, At: at, Own: true, ReceivedAt: at})
	}
	alerts := map[string]bool{}
	for _, parts := range byCall {
		c := events.Fold(parts...)
		ring := c.Phone + c.Start.String()
		served[ring] = served[ring] || c.Served()
		for _, kind := range []events.Kind{events.KindMissedCall, events.KindVoicemail} {
			if c.Owes(kind) {
				alerts[ring+" "+string(kind)] = true
			}
		}
	}
	for name := range alerts {
		if ring, _, _ := strings.Cut(name, " UTC "); !served[ring+" UTC"] {
			n++
		}
	}
	return n
}

// Whatever the events say, also against each other, and in whatever order they come,
// also if the topic fails: in the end each ring has one alert, or none if it was
// answered.
func TestPromise4_NoOrderChangesTheAlertsOfRings(t *testing.T) {
	t.Parallel()
	logger := logscan.Logger(t) // shared: every logger is scanned at the end
	rapid.Check(t, func(rt *rapid.T) {
		outcomes := []string{"Missed", "Missed", "Missed", "Abandoned", "Voicemail", "Answered", ""}
		rare := func(label string) bool { return rapid.IntRange(0, 9).Draw(rt, label) == 9 }
		var items []table.Item
		for range rapid.IntRange(2, 7).Draw(rt, "events") {
			s := said{
				call: rapid.IntRange(0, 2).Draw(rt, "call"), second: rapid.IntRange(0, 2).Draw(rt, "second"),
				outcome: rapid.SampledFrom(outcomes).Draw(rt, "outcome"), out: rare("outgoing"),
			}
			if rare("another caller") {
				s.caller = 1
			}
			items = append(items, s.item(t))
		}
		want := owed(t, items)
		failing := rapid.Bool().Draw(rt, "failing")
		chance := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0)) //nolint:gosec // G404: a test
		to := &topic{refuse: func(alert.Message) error {
			if failing && chance.IntN(4) == 0 {
				return errDown
			}
			return nil
		}}
		now := func() time.Time { return arrival }
		store := &tabletest.Memory{Now: now}
		d := alert.New(store, events.PhoneNumber, to, logger)
		d.Now = now
		order := rapid.Permutation(append(slices.Clone(items), items...)).Draw(rt, "order")
		for len(order) > 0 {
			n := rapid.IntRange(1, len(order)).Draw(rt, "batch")
			put(t, store, order[:n]...)
			if bad := failed(d.Process(t.Context(), order[:n])); len(bad) > 0 {
				n = bad[0]
			}
			order = order[n:]
		}
		if got := to.standing(); len(got) != want {
			rt.Fatalf("alerts that stand: %v, want %d", got, want)
		}
	})
}
