package lookup_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/proof/lookuptest"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
)

// now is when the tests look things up: an afternoon in New York.
var now = time.Date(2026, time.March, 12, 20, 0, 0, 0, time.UTC)

// world is a table, and look-ups in it.
type world struct {
	*lookuptest.Table

	t       testing.TB
	queries *counted
	look    *lookup.Lookup
}

// counted counts the queries of a store.
type counted struct {
	lookup.Store

	queries, items atomic.Int64
}

func (c *counted) Query(ctx context.Context, q table.Query) (table.Page, error) {
	c.queries.Add(1)
	page, err := c.Store.Query(ctx, q)
	c.items.Add(int64(len(page.Items)))
	return page, err
}

func newWorld(t testing.TB) *world {
	t.Helper()
	store := tabletest.NewBolt(t)
	store.Now = func() time.Time { return now }
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{Table: lookuptest.New(t, store, now), t: t, queries: &counted{Store: store}}
	w.look = lookup.New(w.queries, w.Numbers, zone)
	w.look.Now = func() time.Time { return now }
	return w
}

// costs fails unless as many queries were made since the last call.
func (w *world) costs(want int64) {
	w.t.Helper()
	if got := w.queries.queries.Swap(0); got != want {
		w.t.Errorf("%d queries, want %d", got, want)
	}
}

// day looks up the unserved calls of the day that a time lies in.
func (w *world) day(at time.Time, p lookup.Page) (lookup.Calls, error) {
	from, to := w.look.Day(at)
	return w.look.Unserved(w.t.Context(), from, to, p)
}

const (
	ada, bob, cy = "+14155550120", "+14155550121", "+14155550122"
	ours         = lookuptest.Line
)

func TestWaitingListsTheOldestFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Post(
		lookuptest.Event("contact.created", "2026-03-01T08:00:00Z", `"contact_id":5,"first_name":"Ada","last_name":"Example","phone":"`+ada+`","company":"Example Ltd"`),
		lookuptest.Missed("c2", bob, "2026-03-12T15:00:00Z"),
		lookuptest.Missed("c1", ada, "2026-03-12T14:00:00Z"),
		lookuptest.Left("c1", ada, "2026-03-12T14:01:00Z", "Please call me"),
		lookuptest.Missed("c3", cy, "2026-03-12T16:00:00Z"),
		lookuptest.Talked("c4", events.Outbound, cy, "2026-03-12T17:00:00Z"),
	)
	w.Act(bob, followup.ActClaim, now.Add(-time.Minute), "Kim", "")
	got, err := w.look.Waiting(t.Context(), lookup.Page{})
	if err != nil {
		t.Fatal(err)
	}
	w.costs(2)
	want := []lookup.Waiter{
		{
			Party: lookup.Party{Key: ada, Number: ada, Shown: "+1 415-555-0120", Known: true, Name: "Ada Example", Company: "Example Ltd"},
			FollowUp: lookup.FollowUp{
				State: lookup.Waits, Since: at("14:00"), Latest: at("14:00"), Unserved: 1, Outcome: events.Voicemailed, CallID: "c1",
				Line: lookup.Line{Number: ours, Shown: "+1 415-555-0100"},
			},
			BusinessSeconds: 6 * 3600,
			Voicemail:       lookup.Voicemail{Words: "Please call me", URL: "https://recordings.example.com/1.mp3"},
		},
		{
			Party: lookup.Party{Key: bob, Number: bob, Shown: "+1 415-555-0121"},
			FollowUp: lookup.FollowUp{
				State: lookup.Waits, Since: at("15:00"), Latest: at("15:00"), Unserved: 1, Outcome: events.Missed, CallID: "c2",
				Line:      lookup.Line{Number: ours, Shown: "+1 415-555-0100"},
				ClaimedBy: "Kim", ClaimedUntil: now.Add(24*time.Hour - time.Minute),
			},
			BusinessSeconds: 5 * 3600,
		},
	}
	if diff := cmp.Diff(want, got.Callers); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !got.AsOf.Equal(at("15:00")) {
		t.Errorf("as of %v", got.AsOf)
	}
	w.Add(table.Health{Arrived: at("19:58")}.Item())
	if got, err = w.look.Waiting(t.Context(), lookup.Page{}); err != nil || !got.AsOf.Equal(at("19:58")) {
		t.Errorf("as of %v, %v", got.AsOf, err)
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
		w.Post(lookuptest.Missed(fmt.Sprint("c", i), fmt.Sprintf("+1415555013%d", i), fmt.Sprintf("2026-03-12T14:0%d:00Z", i)))
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
		if _, err := w.day(now, lookup.Page{After: page.After}); !errors.Is(err, lookup.ErrCursor) {
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
	w.Post(
		lookuptest.Missed("waits", ada, "2026-03-12T18:00:00Z"),
		lookuptest.Missed("returned", bob, "2026-03-12T14:00:00Z"),
		lookuptest.Talked("out", events.Outbound, bob, "2026-03-12T15:00:00Z"),
		lookuptest.Missed("again", bob, "2026-03-12T16:00:00Z"),
		lookuptest.Left("said", "+14155550123", "2026-03-12T17:00:00Z", "Hello"),
		lookuptest.Missed("answered", cy, "2026-03-12T13:00:00Z"),
		lookuptest.Talked("answered", events.Inbound, cy, "2026-03-12T13:00:20Z"),
		lookuptest.Missed("late", "+14155550124", "2026-03-12T04:30:00Z"),   // half past midnight in New York
		lookuptest.Missed("before", "+14155550125", "2026-03-12T03:30:00Z"), // the evening before
	)
	w.Act("+14155550123", followup.ActDone, at("19:00"), "Kim", "talked on my mobile")
	w.queries.queries.Store(0)
	got, err := w.day(now, lookup.Page{})
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
	from, to := w.look.Day(now)
	tally, err := w.look.Tally(t.Context(), from, to)
	w.costs(2 * 9)
	if want := (lookup.Counts{Answered: 1, Missed: 4, Voicemail: 1}); err != nil || tally.Count != want {
		t.Errorf("count %+v, %v, want %+v", tally.Count, err, want)
	}
	if len(tally.Hours) != 6 || tally.Hours[0].Start.In(w.look.Zone()).Hour() != 0 || tally.Hours[1].Counts != (lookup.Counts{Answered: 1}) {
		t.Errorf("hours: %+v", tally.Hours)
	}
	if why := got.Calls[1].FollowUp; why.Why != "talked on my mobile" || why.EndedBy != "Kim" {
		t.Errorf("%+v", why)
	}

	page := lookup.Page{Limit: 4}
	first, err := w.day(now, page)
	if err != nil {
		t.Fatal(err)
	}
	page.After = first.Next
	second, err := w.day(now, page)
	if err != nil || len(first.Calls) != 4 || len(second.Calls) != 2 || second.Calls[0].ID != "answered" || second.Next != "" {
		t.Errorf("pages of %d and %d, %v", len(first.Calls), len(second.Calls), err)
	}
	if _, err := w.day(now.Add(48*time.Hour), lookup.Page{}); !errors.Is(err, lookup.ErrSpan) {
		t.Errorf("a day to come: %v", err)
	}
}

func TestACallerIsEverythingWithOneNumber(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Post(
		lookuptest.Event("contact.created", "2026-03-01T08:00:00Z", `"contact_id":5,"first_name":"Ada","phone":"(415) 555-0120"`),
		lookuptest.Missed("c1", ada, "2026-03-12T14:00:00Z"),
		lookuptest.Left("c1", ada, "2026-03-12T14:01:00Z", "Please call me"),
		lookuptest.Event("sms.received", "2026-03-12T14:30:00Z", `"message_id":"m1","direction":"inbound","from":"415-555-0120","to":"`+ours+`","body":"Any news?"`),
		lookuptest.Talked("c2", events.Outbound, ada, "2026-03-12T15:00:00Z"),
	)
	w.Act(ada, followup.ActSnooze, at("14:45"), "Kim", "")
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
		w.Post(
			lookuptest.Missed(id, from, now.Add(-time.Duration(i)*time.Minute).Format(time.RFC3339)),
			lookuptest.Left(id, from, now.Add(-time.Duration(i)*time.Minute+90*time.Second).Format(time.RFC3339), "Hello"),
		)
		want = append(want, id)
	}
	w.Act(ada, followup.ActClaim, now.Add(-150*time.Second), "Kim", "")
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
	w.Post(lookuptest.Missed("a#b/c d", ada, "2026-03-12T14:00:00Z"), lookuptest.Left("a#b/c d", ada, "2026-03-12T14:01:00Z", "Please <b>call</b> \u202eme\u009b"))
	key := table.Key{PK: table.CallPartition("a#b/c d"), SK: table.EventMark + "x"}
	w.Add(table.AlertedItem(key, events.KindMissedCall, at("14:00"), at("14:02")))
	w.Add(table.PublishingItem(key, events.KindMissedCall, key))
	w.Add(table.ReturnedItem(key, events.KindMissedCall, "answered", at("14:05")))
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
	if err != nil || string(body) != lookuptest.Missed("a#b/c d", ada, "2026-03-12T14:00:00Z") {
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
	w.Post(
		lookuptest.Event("sms.sent", "2026-03-12T14:30:00Z", `"message_id":"m1","direction":"outbound","from":"`+ours+`","to":"`+ada+`","body":"We&#039;ll call","status":"sent","agent_name":"Kim"`),
		lookuptest.Event("sms.delivered", "2026-03-12T14:30:05Z", `"message_id":"m1","direction":"outbound","from":"`+ours+`","to":"`+ada+`","status":"delivered"`),
		lookuptest.Event("contact.created", "2026-03-01T08:00:00Z", `"contact_id":5,"first_name":"Ada","phone":"`+ada+`"`),
		lookuptest.Event("contact.updated", "2026-03-02T08:00:00Z", `"contact_id":5,"last_name":"Example","phone":"`+bob+`"`),
	)
	w.queries.queries.Store(0)
	m, err := w.look.Message(t.Context(), "m1")
	if err != nil || m.Text != "We'll call" || m.Status != "delivered" || m.Agent != "Kim" || m.Party.Number != ada || len(m.Events) != 2 || m.Line.Number != ours {
		t.Errorf("%+v, %v", m, err)
	}
	w.costs(2)
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
		w.Add(table.RejectedItem(table.Rejection{
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

func TestStatsCountByLineAndHour(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Post(
		lookuptest.Missed("c1", ada, "2026-03-12T14:10:00Z"),
		lookuptest.Talked("c2", events.Outbound, ada, "2026-03-12T14:40:00Z"),
		lookuptest.Left("c3", bob, "2026-03-12T15:10:00Z", "Hello"),
		lookuptest.Talked("c4", events.Inbound, cy, "2026-03-12T15:20:00Z"),
		lookuptest.Talked("c5", events.Inbound, cy, "2026-03-11T15:20:00Z"),
		lookuptest.Missed("c6", cy, "2026-03-12T15:30:00Z"),
		lookuptest.Talked("c6", events.Inbound, cy, "2026-03-12T15:31:00Z"),
	)
	line := lookup.Line{Number: ours, Shown: "+1 415-555-0100"}
	got, err := w.look.Stats(t.Context(), w.look.Today(), now)
	if err != nil {
		t.Fatal(err)
	}
	w.costs(9 + 2)
	want := []lookup.StatsRow{
		{Line: line, Hour: at("14:00"), Counts: lookup.Counts{Missed: 1}},
		{Line: line, Hour: at("15:00"), Counts: lookup.Counts{Voicemail: 1, Answered: 2}},
	}
	if diff := cmp.Diff(want, got.Rows); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if want := (lookup.Callback{Calls: 1, Median: 1800, Slow: 1800}); got.Callback != want {
		t.Errorf("%+v, want %+v", got.Callback, want)
	}
}

// A caller chooses names and texts, and so do those who write to the table by hand.
func TestNothingThatIsShownCanBeTakenForMoreThanText(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	evil := strings.Repeat(`x\u001b[31m\u009b31m\u202e\u200f\u0007\r\n`, 500)
	name := `"first_name":"` + evil + `","company":"` + evil + `"`
	w.Post(
		lookuptest.Event("contact.created", "2026-03-01T08:00:00Z", `"contact_id":5,"phone":"`+ada+`",`+name),
		lookuptest.Event("voicemail.received", "2026-03-12T14:00:00Z", `"call_id":"c1","from":"`+ada+`","to":"`+ours+`","transcription":"`+evil+`","agent_name":"`+evil+`","justcall_line_name":"`+evil+`","recording_url":"javascript:alert(1)"`),
		lookuptest.Event("sms.received", "2026-03-12T14:30:00Z", `"message_id":"m1","direction":"inbound","from":"`+ada+`","to":"`+ours+`","body":"`+evil+`"`),
		lookuptest.Event("call.missed", "2026-03-12T15:00:00Z", `"call_id":"c2","direction":"inbound","from":"`+bob+`","to":"`+evil+`","contact_name":"`+evil+`"`),
	)
	w.Act(ada, followup.ActClaim, at("19:59"), "Kim\x1b[31m", "")
	w.Act(bob, followup.ActDone, at("19:59"), "Kim\x1b[31m", "why\x1b[31m")
	var shown []any
	add := func(value any, err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
		shown = append(shown, value)
	}
	ctx := t.Context()
	add(w.look.Waiting(ctx, lookup.Page{}))
	add(w.day(now, lookup.Page{}))
	add(w.look.Caller(ctx, ada, lookup.Page{}))
	add(w.look.Caller(ctx, bob, lookup.Page{}))
	add(w.look.Call(ctx, "c1"))
	add(w.look.Call(ctx, "c2"))
	add(w.look.Message(ctx, "m1"))
	add(w.look.Contact(ctx, "5"))
	for _, value := range shown {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		if i := strings.IndexFunc(string(text), func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }); i >= 0 || strings.Contains(string(text), `\u`) {
			t.Errorf("%T: %.200s", value, text[max(0, i-50):])
		}
		if strings.Contains(string(text), "javascript:") {
			t.Errorf("%T has a link that is none of the web", value)
		}
	}
}

// A voicemail whose caller withheld the number is a caller of its own.
func TestAVoicemailWithoutANumber(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Post(
		lookuptest.Left("c%1", "anonymous", "2026-03-12T14:00:00Z", "Call me at the office"),
		lookuptest.Event("voicemail.received", "2026-03-12T15:00:00Z", `"from":"anonymous","to":"`+ours+`","transcription":"No id"`),
	)
	list, err := w.look.Waiting(t.Context(), lookup.Page{})
	if err != nil || len(list.Callers) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	for i, want := range []string{"Call me at the office", "No id"} {
		waiter := list.Callers[i]
		if waiter.Voicemail.Words != want || waiter.Number != "" {
			t.Errorf("%+v, want %q", waiter, want)
		}
		c, err := w.look.Caller(t.Context(), waiter.Key, lookup.Page{})
		if err != nil || len(c.Timeline) != 1 || c.Timeline[0].Voicemail.Words != want || c.FollowUp.State != lookup.Waits {
			t.Errorf("%s: %+v, %v", waiter.Key, c, err)
		}
	}
	day, err := w.day(now, lookup.Page{})
	if err != nil || len(day.Calls) != 2 || day.Calls[0].FollowUp.State != lookup.Waits || day.Calls[1].FollowUp.State != lookup.Waits {
		t.Errorf("%+v, %v", day, err)
	}
	if _, err := w.look.Caller(t.Context(), "call:"+strings.Repeat("#/", 1500), lookup.Page{}); !errors.Is(err, lookup.ErrNotFound) {
		t.Error(err)
	}
}
