package lookup_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/phone"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/spelling"
	"github.com/ringback/ringback/internal/table"
)

// now is when the tests look things up: an afternoon in New York.
var now = time.Date(2026, time.March, 12, 20, 0, 0, 0, time.UTC)

// world is a table with what consumers make of it.
type world struct {
	t       testing.TB
	store   table.Store
	numbers phone.Book
	queries *counted
	look    *lookup.Lookup
}

// counted counts the queries of a store.
type counted struct {
	lookup.Store

	queries atomic.Int64
}

func (c *counted) Query(ctx context.Context, q table.Query) (table.Page, error) {
	c.queries.Add(1)
	return c.Store.Query(ctx, q)
}

func newWorld(t testing.TB) *world {
	t.Helper()
	store := tabletest.NewBolt(t)
	store.Now = func() time.Time { return now }
	return worldIn(t, store)
}

func worldIn(t testing.TB, store table.Store) *world {
	t.Helper()
	numbers, err := phone.New("US")
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: store, numbers: numbers, queries: &counted{Store: store}}
	w.look = lookup.New(w.queries, numbers, zone)
	w.look.Now = func() time.Time { return now }
	return w
}

// post stores deliveries and runs the consumers that make something of them.
func (w *world) post(bodies ...string) {
	w.t.Helper()
	items := make([]table.Item, len(bodies))
	for i, body := range bodies {
		envelope, err := events.Open([]byte(body))
		if err != nil {
			w.t.Fatalf("%s: %v", body, err)
		}
		d := envelope.Decode()
		items[i] = table.EventItem(d, time.Time{}, d.OccurredAt(time.Time{}, now).Add(time.Second))
		w.put(items[i])
	}
	w.consume(items...)
}

func (w *world) put(item table.Item) {
	w.t.Helper()
	if _, err := w.store.Put(w.t.Context(), item); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) consume(items ...table.Item) {
	w.t.Helper()
	log := slog.New(slog.DiscardHandler)
	followUps := ledger.New(w.store, w.numbers.Canonical, log)
	followUps.Now = func() time.Time { return now }
	contacts := addressbook.New(w.store, w.numbers.Canonical, log)
	contacts.Changed = followUps.Refresh
	for _, item := range items {
		for _, c := range []interface {
			wants(table.Item) bool
			process(context.Context, []table.Item) []error
		}{
			consumer{contacts.Consumer().Wants, contacts.Process},
			consumer{spelling.New(w.store, w.numbers.Canonical, log).Consumer().Wants, spelling.New(w.store, w.numbers.Canonical, log).Process},
			consumer{followUps.Consumer().Wants, followUps.Process},
		} {
			if !c.wants(item) {
				continue
			}
			if err := errors.Join(c.process(w.t.Context(), []table.Item{item})...); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

type consumer struct {
	w func(table.Item) bool
	p func(context.Context, []table.Item) []error
}

func (c consumer) wants(item table.Item) bool { return c.w(item) }
func (c consumer) process(ctx context.Context, items []table.Item) []error {
	return c.p(ctx, items)
}

// act does something by hand.
func (w *world) act(caller string, kind followup.ActKind, at time.Time, why string) {
	w.t.Helper()
	item := ledger.ActItem(caller, followup.Act{ID: "a-" + string(kind), At: at, Kind: kind, By: "Kim", Why: why, Until: at.Add(24 * time.Hour)})
	w.put(item)
	w.consume(item)
}

// costs fails unless as many queries were made since the last call.
func (w *world) costs(want int64) {
	w.t.Helper()
	if got := w.queries.queries.Swap(0); got != want {
		w.t.Errorf("%d queries, want %d", got, want)
	}
}

// event returns a delivery in format A.
func event(typ, at, rest string) string {
	return fmt.Sprintf(`{"event":%q,"timestamp":%q,"data":{%s}}`, typ, at, rest)
}

func missed(id, caller, at string) string {
	return event("call.missed", at, fmt.Sprintf(`"call_id":%q,"direction":"inbound","from":%q,"to":"+14155550100","ring_duration":30`, id, caller))
}

func left(id, caller, at, words string) string {
	return event("voicemail.received", at, fmt.Sprintf(`"call_id":%q,"from":%q,"to":"+14155550100","duration":12,"transcription":%q,"recording_url":"https://recordings.example.com/1.mp3"`, id, caller, words))
}

func talked(id, direction, from, to, at string) string {
	return event("call.completed", at, fmt.Sprintf(`"call_id":%q,"direction":%q,"from":%q,"to":%q,"agent_id":7,"agent_name":"Jordan","duration":185,"status":"completed"`, id, direction, from, to))
}

const (
	ada, bob, cy = "+14155550120", "+14155550121", "+14155550122"
	ours         = "+14155550100"
)

func TestWaitingListsTheOldestFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.post(
		event("contact.created", "2026-03-01T08:00:00Z", `"contact_id":5,"first_name":"Ada","last_name":"Example","phone":"`+ada+`","company":"Example Ltd"`),
		missed("c2", bob, "2026-03-12T15:00:00Z"),
		missed("c1", ada, "2026-03-12T14:00:00Z"),
		left("c1", ada, "2026-03-12T14:01:00Z", "Please call me"),
		missed("c3", cy, "2026-03-12T16:00:00Z"),
		talked("c4", "outbound", ours, cy, "2026-03-12T17:00:00Z"),
	)
	w.act(bob, followup.ActClaim, now.Add(-time.Minute), "")
	got, err := w.look.Waiting(t.Context(), lookup.Page{})
	if err != nil {
		t.Fatal(err)
	}
	w.costs(3)
	want := []lookup.Waiter{
		{
			Party: lookup.Party{Key: ada, Number: ada, Shown: "+1 415-555-0120", Known: true, Name: "Ada Example", Company: "Example Ltd"},
			FollowUp: lookup.FollowUp{
				State: lookup.Waits, Since: at("14:00"), Latest: at("14:00"), Unserved: 1, Outcome: events.Voicemailed, CallID: "c1",
				Line: lookup.Line{Number: ours, Shown: "+1 415-555-0100"},
			},
			Voicemail: lookup.Voicemail{Seconds: 12, Words: "Please call me", URL: "https://recordings.example.com/1.mp3"},
		},
		{
			Party: lookup.Party{Key: bob, Number: bob, Shown: "+1 415-555-0121"},
			FollowUp: lookup.FollowUp{
				State: lookup.Waits, Since: at("15:00"), Latest: at("15:00"), Unserved: 1, Outcome: events.Missed, CallID: "c2",
				Line:      lookup.Line{Number: ours, Shown: "+1 415-555-0100"},
				ClaimedBy: "Kim", ClaimedUntil: now.Add(24*time.Hour - time.Minute),
			},
		},
	}
	if diff := cmp.Diff(want, got.Callers); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !got.AsOf.Equal(at("15:00")) {
		t.Errorf("as of %v", got.AsOf)
	}
}

func at(clock string) time.Time {
	hour, minute, _ := strings.Cut(clock, ":")
	var h, m int
	_, _ = fmt.Sscan(hour, &h)
	_, _ = fmt.Sscan(minute, &m)
	return time.Date(2026, time.March, 12, h, m, 0, 0, time.UTC)
}

func TestPagesOfThoseWhoWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 7 {
		w.post(missed(fmt.Sprint("c", i), fmt.Sprintf("+1415555013%d", i), fmt.Sprintf("2026-03-12T14:0%d:00Z", i)))
	}
	var got []string
	var page lookup.Page
	for page.Limit = 3; ; {
		rows, err := w.look.Waiting(t.Context(), page)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows.Callers {
			got = append(got, row.CallID)
		}
		if page.After = rows.Next; page.After == "" {
			break
		}
		if _, err := w.look.Day(t.Context(), now, lookup.Page{After: page.After}); !errors.Is(err, lookup.ErrCursor) {
			t.Errorf("another look-up takes the cursor: %v", err)
		}
	}
	if want := []string{"c0", "c1", "c2", "c3", "c4", "c5", "c6"}; !cmp.Equal(want, got) {
		t.Errorf("%v, want %v", got, want)
	}
	for _, after := range []lookup.Cursor{"x", "!", "AAAAAAAAAAAAAAAAAAAA"} {
		if _, err := w.look.Waiting(t.Context(), lookup.Page{After: after}); !errors.Is(err, lookup.ErrCursor) {
			t.Errorf("%q: error %v", after, err)
		}
	}
}

func TestTodaySaysWhatBecameOfEachCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.post(
		missed("waits", ada, "2026-03-12T18:00:00Z"),
		missed("returned", bob, "2026-03-12T14:00:00Z"),
		talked("out", "outbound", ours, bob, "2026-03-12T15:00:00Z"),
		missed("again", bob, "2026-03-12T16:00:00Z"),
		left("said", "+14155550123", "2026-03-12T17:00:00Z", "Hello"),
		missed("answered", cy, "2026-03-12T13:00:00Z"),
		talked("answered", "inbound", cy, ours, "2026-03-12T13:00:20Z"),
		missed("late", "+14155550124", "2026-03-12T04:30:00Z"),   // half past midnight in New York
		missed("before", "+14155550125", "2026-03-12T03:30:00Z"), // the evening before
	)
	w.act("+14155550123", followup.ActDone, at("19:00"), "talked on my mobile")
	w.queries.queries.Store(0)
	got, err := w.look.Day(t.Context(), now, lookup.Page{})
	if err != nil {
		t.Fatal(err)
	}
	w.costs(2*5 + 5)
	states := make(map[string]lookup.State)
	var order []string
	for _, c := range got.Calls {
		states[c.ID] = c.FollowUp.State
		order = append(order, c.ID)
	}
	want := map[string]lookup.State{
		"waits": lookup.Waits, "returned": lookup.Returned, "again": lookup.Waits, "said": lookup.Done,
		"answered": lookup.Answered, "late": lookup.Waits,
	}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if want := []string{"waits", "said", "again", "returned", "answered", "late"}; !cmp.Equal(want, order) {
		t.Errorf("order %v, want %v", order, want)
	}
	if want := (lookup.Counts{Missed: 5, Voicemail: 1}); got.Count != want {
		t.Errorf("count %+v, want %+v", got.Count, want)
	}
	if len(got.Hours) != 6 || got.Hours[0].Start.In(w.look.Zone()).Hour() != 0 {
		t.Errorf("hours: %+v", got.Hours)
	}
	if why := got.Calls[1].FollowUp; why.Why != "talked on my mobile" || why.EndedBy != "Kim" {
		t.Errorf("%+v", why)
	}

	page := lookup.Page{Limit: 4}
	first, err := w.look.Day(t.Context(), now, page)
	if err != nil {
		t.Fatal(err)
	}
	page.After = first.Next
	second, err := w.look.Day(t.Context(), now, page)
	if err != nil || len(first.Calls) != 4 || len(second.Calls) != 2 || second.Calls[0].ID != "answered" || second.Next != "" {
		t.Errorf("pages of %d and %d, %v", len(first.Calls), len(second.Calls), err)
	}
	if _, err := w.look.Day(t.Context(), now.Add(48*time.Hour), lookup.Page{}); !errors.Is(err, lookup.ErrSpan) {
		t.Errorf("a day to come: %v", err)
	}
}

func TestACallerIsEverythingWithOneNumber(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.post(
		event("contact.created", "2026-03-01T08:00:00Z", `"contact_id":5,"first_name":"Ada","phone":"(415) 555-0120"`),
		missed("c1", ada, "2026-03-12T14:00:00Z"),
		left("c1", ada, "2026-03-12T14:01:00Z", "Please call me"),
		event("sms.received", "2026-03-12T14:30:00Z", `"message_id":"m1","direction":"inbound","from":"415-555-0120","to":"`+ours+`","body":"Any news?"`),
		talked("c2", "outbound", ours, ada, "2026-03-12T15:00:00Z"),
	)
	w.act(ada, followup.ActSnooze, at("14:45"), "")
	for _, typed := range []string{"415 555 0120", "+1 (415) 555-0120", "001 415 555 0120"} {
		w.queries.queries.Store(0)
		got, err := w.look.Caller(t.Context(), typed, lookup.Page{})
		if err != nil {
			t.Fatal(err)
		}
		w.costs(1 + 2)
		if got.Name != "Ada" || got.FollowUp.State != lookup.Returned || !cmp.Equal(got.Spellings, []string{ada, "+4155550120"}) {
			t.Errorf("%s: %+v", typed, got)
		}
		var timeline []string
		for _, e := range got.Timeline {
			timeline = append(timeline, fmt.Sprintf("%s %s%s %d", e.Kind, e.ID, e.Act, e.Events))
		}
		want := []string{"call c2 1", "act snooze 0", "message m1 1", "voicemail c1 2", "contact 5 1"}
		if diff := cmp.Diff(want, timeline); diff != "" {
			t.Errorf("%s (-want +got):\n%s", typed, diff)
		}
	}
	for text, want := range map[string]error{
		"Jordan": lookup.ErrNumber, "": lookup.ErrNumber, "12": lookup.ErrNumber, "call:": lookup.ErrID, "+1 415 555 0199": lookup.ErrNotFound,
		strings.Repeat("9", 3000): lookup.ErrNumber,
	} {
		if _, err := w.look.Caller(t.Context(), text, lookup.Page{}); !errors.Is(err, want) {
			t.Errorf("%.20q: error %v, want %v", text, err, want)
		}
	}
}

// Every event is in one entry of one page, however pages and calls overlap.
func TestPagesOfATimeline(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var want []string
	for i := range 20 {
		id := fmt.Sprintf("c%02d", i)
		from := ada
		if i%3 == 0 {
			from = "4155550120"
		}
		w.post(
			missed(id, from, now.Add(-time.Duration(i)*time.Minute).Format(time.RFC3339)),
			left(id, from, now.Add(-time.Duration(i)*time.Minute+90*time.Second).Format(time.RFC3339), "Hello"),
		)
		want = append(want, id)
	}
	w.act(ada, followup.ActClaim, now.Add(-150*time.Second), "")
	for _, limit := range []int{1, 2, 3, 7, 50} {
		var got []string
		acts, events := 0, 0
		page := lookup.Page{Limit: limit}
		for {
			c, err := w.look.Caller(t.Context(), ada, page)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range c.Timeline {
				if e.Kind == lookup.KindAct {
					acts++
					continue
				}
				got = append(got, e.ID)
				events += e.Events
			}
			if page.After = c.Next; page.After == "" {
				break
			}
			if _, err := w.look.Caller(t.Context(), bob, page); !errors.Is(err, lookup.ErrCursor) {
				t.Errorf("another caller takes the cursor: %v", err)
			}
		}
		if !cmp.Equal(want, got) || acts != 1 || events != 40 {
			t.Errorf("pages of %d: %v with %d events and %d acts", limit, got, events, acts)
		}
	}
}

func TestACallIsWhatItsEventsSay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.post(missed("a#b/c d", ada, "2026-03-12T14:00:00Z"), left("a#b/c d", ada, "2026-03-12T14:01:00Z", "Please <b>call</b> \u202eme\u009b"))
	key := table.Key{PK: table.CallPartition("a#b/c d"), SK: table.EventMark + "x"}
	w.put(table.AlertedItem(key, events.KindMissedCall, at("14:00"), at("14:02")))
	w.put(table.PublishingItem(key, events.KindMissedCall, key))
	w.put(table.ReturnedItem(key, events.KindMissedCall, "answered", at("14:05")))
	w.queries.queries.Store(0)
	got, err := w.look.Call(t.Context(), "CALL#a#b/c d")
	if err != nil {
		t.Fatal(err)
	}
	w.costs(3)
	if len(got.Events) != 2 || got.Outcome != events.Voicemailed || got.Caller.Number != ada || got.FollowUp.State != lookup.Waits ||
		got.RingSeconds != 30 || got.Voicemail.Words != "Please call me" {
		t.Errorf("%+v", got)
	}
	want := []lookup.Alert{
		{Kind: events.KindMissedCall, Did: "sent", At: at("14:02")},
		{Kind: events.KindMissedCall, Did: "returned", At: at("14:05"), Reason: "answered"},
	}
	if diff := cmp.Diff(want, got.Alerts); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
	body, err := got.Events[0].Payload()
	if err != nil || string(body) != missed("a#b/c d", ada, "2026-03-12T14:00:00Z") {
		t.Errorf("payload %s, %v", body, err)
	}
	event, err := w.look.Event(t.Context(), got.Events[1].Key)
	if err != nil || event.Type != "voicemail.received" {
		t.Errorf("%+v, %v", event, err)
	}
	for id, want := range map[string]error{
		"": lookup.ErrID, "\xff": lookup.ErrID, "none": lookup.ErrNotFound, strings.Repeat("#/", 1500): lookup.ErrNotFound, "CALL#": lookup.ErrNotFound,
	} {
		if _, err := w.look.Call(t.Context(), id); !errors.Is(err, want) {
			t.Errorf("%.20q: error %v, want %v", id, err, want)
		}
	}
}

func TestATextAndAContact(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.post(
		event("sms.sent", "2026-03-12T14:30:00Z", `"message_id":"m1","direction":"outbound","from":"`+ours+`","to":"`+ada+`","body":"We&#039;ll call","status":"sent","agent_name":"Kim"`),
		event("sms.delivered", "2026-03-12T14:30:05Z", `"message_id":"m1","direction":"outbound","from":"`+ours+`","to":"`+ada+`","status":"delivered"`),
		event("contact.created", "2026-03-01T08:00:00Z", `"contact_id":5,"first_name":"Ada","phone":"`+ada+`"`),
		event("contact.updated", "2026-03-02T08:00:00Z", `"contact_id":5,"last_name":"Example","phone":"`+bob+`"`),
	)
	w.queries.queries.Store(0)
	m, err := w.look.Message(t.Context(), "m1")
	if err != nil || m.Text != "We'll call" || m.Status != "delivered" || m.Agent != "Kim" || m.Party.Number != ada || len(m.Events) != 2 || m.Line.Number != ours {
		t.Errorf("%+v, %v", m, err)
	}
	w.costs(1)
	c, err := w.look.Contact(t.Context(), "5")
	if err != nil || c.Name != "Ada Example" || len(c.Numbers) != 1 || c.Numbers[0].Number != bob || len(c.Former) != 1 || c.Former[0].Number != ada {
		t.Errorf("%+v, %v", c, err)
	}
	w.costs(1)
	if _, err := w.look.Contact(t.Context(), "6"); !errors.Is(err, lookup.ErrNotFound) {
		t.Error(err)
	}
}

func TestRejectedDeliveriesAreListedByArrival(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 5 {
		w.put(table.RejectedItem(table.Rejection{
			Reason: "wrong signature", Body: fmt.Appendf(nil, `{"n":%d,"x":"\u001b[31m`+"\x1b[31m"+`"}`, i), Headers: map[string]string{"content-type": "text/plain"},
		}, now.Add(-time.Duration(i)*20*time.Hour)))
	}
	var got []lookup.Rejected
	page := lookup.Page{Limit: 2}
	for {
		r, err := w.look.Rejections(t.Context(), page)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r.Rejected...)
		if page.After = r.Next; page.After == "" {
			break
		}
	}
	if len(got) != 5 || !got[0].At.Equal(now) || got[0].Reason != "wrong signature" || got[0].Headers["content-type"] != "text/plain" {
		t.Fatalf("%+v", got)
	}
	w.queries.queries.Store(0)
	if _, err := w.look.Rejections(t.Context(), lookup.Page{}); err != nil {
		t.Error(err)
	}
	w.costs(31)
	one, err := w.look.Rejection(t.Context(), got[3].ID)
	if err != nil || !cmp.Equal(one, got[3]) || strings.Contains(one.Beginning, "\x1b") {
		t.Errorf("%+v, %v", one, err)
	}
	w.costs(1)
	for id, want := range map[string]error{"": lookup.ErrID, "x": lookup.ErrID, "2026-03-12": lookup.ErrNotFound, "2026-03-12" + strings.Repeat("#", 3000): lookup.ErrID} {
		if _, err := w.look.Rejection(t.Context(), id); !errors.Is(err, want) {
			t.Errorf("%.20q: error %v, want %v", id, err, want)
		}
	}
}
