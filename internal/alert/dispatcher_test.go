package alert_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

var errDown = errors.New("down")

// topic keeps what is published. refuse, if set, returns an error for a message
// that it does not accept.
type topic struct {
	mu     sync.Mutex
	sent   []alert.Message
	refuse func(alert.Message) error
}

func (p *topic) Publish(_ context.Context, messages []alert.Message) []error {
	p.mu.Lock()
	defer p.mu.Unlock()
	errs := make([]error, len(messages))
	for i, m := range messages {
		if p.refuse != nil {
			errs[i] = p.refuse(m)
		}
		if errs[i] == nil {
			p.sent = append(p.sent, m)
		}
	}
	return errs
}

func (p *topic) ids() (ids []string) {
	for _, m := range p.sent {
		ids = append(ids, m.ID)
	}
	return ids
}

// standing returns the ids of the alerts that went out and were not taken back,
// sorted.
func (p *topic) standing() (ids []string) {
	returned := map[string]bool{}
	for _, m := range p.sent {
		if m.Kind == events.KindReturned {
			returned[m.ID] = true
		}
	}
	for _, m := range p.sent {
		if m.Kind.Alerts() && !returned[m.ID] {
			ids = append(ids, m.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// storeFunc is a store whose methods a test can replace.
type storeFunc struct {
	table.Store
	put   func(context.Context, table.Item) (bool, error)
	query func(context.Context, table.Query) (table.Page, error)
}

func (s storeFunc) Put(ctx context.Context, item table.Item) (bool, error) {
	if s.put != nil {
		return s.put(ctx, item)
	}
	return s.Store.Put(ctx, item)
}

func (s storeFunc) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if s.query != nil {
		return s.query(ctx, q)
	}
	return s.Store.Query(ctx, q)
}

// missedAt returns a missed call of format A.
func missedAt(id, from, at string) string {
	return fmt.Sprintf(`{"event":"call.missed","timestamp":%q,"data":{"call_id":%q,"direction":"inbound","from":%q,"to":"+14155550101","agent_id":null}}`, at, id, from)
}

func process(t *testing.T, d *alert.Dispatcher, items ...table.Item) []error {
	t.Helper()
	errs := consumer.All(d.Consumer())(t.Context(), items)
	if len(errs) != len(items) {
		t.Fatalf("%d errors for %d items", len(errs), len(items))
	}
	return errs
}

func mustProcess(t *testing.T, d *alert.Dispatcher, items ...table.Item) {
	t.Helper()
	if err := errors.Join(process(t, d, items...)...); err != nil {
		t.Fatal(err)
	}
}

func failed(errs []error) (indexes []int) {
	for i, err := range errs {
		if err != nil {
			indexes = append(indexes, i)
		}
	}
	return indexes
}

func TestPromise2_AlertsGoOutInOrderOnce(t *testing.T) {
	t.Parallel()
	store, to := newStore(t), &topic{}
	d := alert.New(store, events.PhoneNumber, to, logscan.Logger(t))
	missed, voice := itemOf(t, sample(t, "call.missed")), itemOf(t, sample(t, "voicemail.received"))
	answered := itemOf(t, sample(t, "call.answered"))
	put(t, store, missed, answered, voice)

	want := []string{"CALL#call_1d4e5f6a/missed_call", "CALL#call_1d4e5f6a/voicemail"}
	for _, delivery := range []string{"first", "again"} {
		mustProcess(t, d, missed, answered, voice)
		if diff := cmp.Diff(want, to.ids()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", delivery, diff)
		}
	}
	// Another process relies on the marks alone.
	mustProcess(t, alert.New(store, events.PhoneNumber, to, logscan.Logger(t)), missed, voice)
	if diff := cmp.Diff(want, to.ids()); diff != "" {
		t.Errorf("after a restart (-want +got):\n%s", diff)
	}
}

func TestAVoicemailNamesTheMissedCallItWasLeftOn(t *testing.T) {
	t.Parallel()
	missed, voice := itemOf(t, sample(t, "call.missed")), itemOf(t, sample(t, "voicemail.received"))
	known := map[string]any{"call_id": "call_1d4e5f6a", "occurred_at": "2026-03-12T14:32:00.000Z"}
	for _, tc := range []struct {
		name    string
		batches [][]table.Item
		want    map[string]any
	}{
		{"in the same batch", [][]table.Item{{missed, voice}}, known},
		{"in the same batch, behind it", [][]table.Item{{voice, missed}}, known},
		{"in a batch before", [][]table.Item{{missed}, {voice}}, known},
		{"not there yet", [][]table.Item{{voice}}, map[string]any{"call_id": "call_1d4e5f6a"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			to, store := &topic{}, newStore(t)
			d := alert.New(store, events.PhoneNumber, to, logscan.Logger(t))
			for _, batch := range tc.batches {
				put(t, store, batch...)
				mustProcess(t, d, batch...)
			}
			i := slices.IndexFunc(to.sent, func(m alert.Message) bool { return m.Kind == events.KindVoicemail })
			if diff := cmp.Diff(any(tc.want), document(t, to.sent[i])["missed_call"]); diff != "" {
				t.Errorf("missed_call (-want +got):\n%s", diff)
			}
		})
	}
}

// JustCall reports one missed call in events of several types.
func TestPromise2_EventsOfOneMissedCallAlertOnce(t *testing.T) {
	t.Parallel()
	var items []table.Item
	for _, typ := range []string{"call.completed", "call.missed", "call.updated", "sd.call_completed"} {
		items = append(items, itemOf(t, strings.Replace(call("Pat", "Support", "null"), "call.missed", typ, 1)))
	}
	for name, batches := range map[string][][]table.Item{
		"in one batch":       {items},
		"one after the next": {items[:1], items[1:2], items[2:3], items[3:]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := &topic{}
			d := alert.New(newStore(t), events.PhoneNumber, to, logscan.Logger(t))
			for _, batch := range batches {
				mustProcess(t, d, batch...)
			}
			if diff := cmp.Diff([]string{"CALL#CA1/missed_call"}, to.ids()); diff != "" {
				t.Errorf("alerts (-want +got):\n%s", diff)
			}
		})
	}
}

// Two events without a call ID are two calls, even of the same person.
func TestCallsWithoutAnIDAlertEachForThemselves(t *testing.T) {
	t.Parallel()
	to := &topic{}
	d := alert.New(newStore(t), events.PhoneNumber, to, logscan.Logger(t))
	one, two := itemOf(t, missedAt("", "+14155550144", "2026-03-12T14:32:00Z")), itemOf(t, missedAt("", "+14155550144", "2026-03-12T14:33:00Z"))
	mustProcess(t, d, one, two)
	mustProcess(t, d, two, one)
	if got := to.ids(); len(got) != 2 || got[0] == got[1] {
		t.Errorf("alerts: %v, want two", got)
	}
}

func TestPromise5_OneThatFailsKeepsNoneBack(t *testing.T) {
	t.Parallel()
	to := &topic{refuse: func(m alert.Message) error {
		if m.ID == "CALL#c2/missed_call" {
			return errDown
		}
		return nil
	}}
	d := alert.New(newStore(t), events.PhoneNumber, to, logscan.Logger(t))
	var items []table.Item
	for i := range 25 {
		items = append(items, itemOf(t, missedAt(fmt.Sprintf("c%d", i), fmt.Sprintf("+141555502%02d", i), "2026-03-12T14:32:00Z")))
	}
	damaged := maps.Clone(items[5])
	damaged[table.Alert] = str("overdue")
	items[5] = damaged

	errs := process(t, d, items...)
	if diff := cmp.Diff([]int{2, 5}, failed(errs)); diff != "" {
		t.Errorf("failed (-want +got):\n%s", diff)
	}
	if !errors.Is(errs[2], errDown) || !errors.Is(errs[5], alert.ErrItem) || !errors.Is(errs[5], consumer.ErrPermanent) {
		t.Errorf("errors: %v, %v", errs[2], errs[5])
	}
	if len(to.sent) != 23 {
		t.Errorf("%d sent, want 23", len(to.sent))
	}
	to.refuse = nil
	mustProcess(t, d, append(items[:5:5], items[6:]...)...)
	if len(to.sent) != 24 || to.sent[23].ID != "CALL#c2/missed_call" {
		t.Errorf("%d sent after the second time, want the one that failed", len(to.sent))
	}
}

func TestATopicThatIsDownIsNotAskedForTheRest(t *testing.T) {
	t.Parallel()
	asked := 0
	to := &topic{refuse: func(alert.Message) error { asked++; return errDown }}
	d := alert.New(newStore(t), events.PhoneNumber, to, logscan.Logger(t))
	var items []table.Item
	for i := range 30 {
		items = append(items, itemOf(t, missedAt(fmt.Sprintf("c%d", i), fmt.Sprintf("+141555502%02d", i), "2026-03-12T14:32:00Z")))
	}
	if got := failed(process(t, d, items...)); len(got) != 30 {
		t.Errorf("%d failed, want all 30", len(got))
	}
	if asked != alert.MaxBatch {
		t.Errorf("%d messages tried, want one batch of %d", asked, alert.MaxBatch)
	}
}

// A kill repeats what is published and not marked, so it must not be more because more calls
// are looked at side by side.
func TestPromise2_FewAlertsAreUnmarkedAtOnce(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	unmarked, most := make(map[string]bool), 0
	to := publisherFunc(func(_ context.Context, messages []alert.Message) []error {
		mu.Lock()
		defer mu.Unlock()
		for _, m := range messages {
			unmarked[m.Call] = true
		}
		most = max(most, len(unmarked))
		return make([]error, len(messages))
	})
	store := newStore(t)
	marking := storeFunc{Store: store, put: func(ctx context.Context, item table.Item) (bool, error) {
		key := table.KeyOf(item)
		if key.SK == table.AlertKey(key, events.KindMissedCall).SK || key.SK == table.ReturnedKey(key, events.KindMissedCall).SK {
			time.Sleep(5 * time.Millisecond) // others may publish meanwhile
			mu.Lock()
			delete(unmarked, table.CallOf(key))
			mu.Unlock()
		}
		return store.Put(ctx, item)
	}}
	d := alert.New(marking, events.PhoneNumber, to, logscan.Logger(t))
	d.AtOnce, d.Unmarked = 40, make(chan struct{}, alert.MaxBatch)
	var missed, answered []table.Item
	for i := range 40 {
		body := missedAt(fmt.Sprintf("c%d", i), fmt.Sprintf("+141555502%02d", i), "2026-03-12T14:32:00Z")
		missed = append(missed, stored(t, store, body))
		answered = append(answered, itemOf(t, strings.Replace(body, "call.missed", "call.answered", 1)))
	}
	mustProcess(t, d, missed...)
	put(t, store, answered...)
	mustProcess(t, d, answered...)
	if most > alert.MaxBatch || len(unmarked) > 0 {
		t.Errorf("%d alerts were unmarked at once, and %d are, want %d at most, and none", most, len(unmarked), alert.MaxBatch)
	}
}

// While ten alerts go out, the callers of thirty more are served.
func TestPromise4_WhatIsTakenBackMeanwhileIsNotTold(t *testing.T) {
	t.Parallel()
	store, told := newStore(t), &topic{}
	var missed, answered []table.Item
	for i := range 40 {
		body := missedAt(fmt.Sprintf("c%d", i), fmt.Sprintf("+141555502%02d", i), "2026-03-12T14:32:00Z")
		missed = append(missed, stored(t, store, body))
		answered = append(answered, itemOf(t, strings.Replace(body, "call.missed", "call.answered", 1)))
	}
	meanwhile := sync.OnceFunc(func() {
		put(t, store, answered[alert.MaxBatch:]...)
		mustProcess(t, alert.New(store, events.PhoneNumber, told, logscan.Logger(t)), answered[alert.MaxBatch:]...)
	})
	d := alert.New(store, events.PhoneNumber, publisherFunc(func(ctx context.Context, messages []alert.Message) []error {
		meanwhile()
		return told.Publish(ctx, messages)
	}), logscan.Logger(t))
	d.AtOnce = 40
	mustProcess(t, d, missed...)
	for _, m := range told.sent {
		var n int
		if _, err := fmt.Sscanf(m.Call, "CALL#c%d ", &n); err != nil {
			t.Fatal(err)
		}
		if n >= alert.MaxBatch && m.Kind == events.KindMissedCall {
			t.Errorf("%s was told after it was taken back", m.Call)
		}
	}
}

func TestWithoutTimeLeftNothingIsBegun(t *testing.T) {
	t.Parallel()
	to := &topic{}
	d := alert.New(newStore(t), events.PhoneNumber, to, logscan.Logger(t))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	errs := d.Process(ctx, []table.Item{itemOf(t, sample(t, "call.missed"))})
	if errs[0] == nil || len(to.sent) > 0 {
		t.Errorf("error %v, %d sent, want it left for later", errs[0], len(to.sent))
	}
}

func TestPromise2_MarksThatCannotBeReadPostponeAnAlert(t *testing.T) {
	t.Parallel()
	store, to := newStore(t), &topic{}
	broken := storeFunc{Store: store, query: func(ctx context.Context, q table.Query) (table.Page, error) {
		if q.Index == table.Base && q.Partition == "CALL#c1" {
			return table.Page{}, table.ErrUnavailable
		}
		return store.Query(ctx, q)
	}}
	d := alert.New(broken, events.PhoneNumber, to, logscan.Logger(t))
	errs := process(t, d, itemOf(t, missedAt("c1", "+14155550144", "2026-03-12T14:32:00Z")), itemOf(t, missedAt("c2", "+14155550144", "2026-03-12T14:32:00Z")))
	if !errors.Is(errs[0], table.ErrUnavailable) || errs[1] != nil {
		t.Errorf("errors: %v", errs)
	}
	if diff := cmp.Diff([]string{"CALL#c2/missed_call"}, to.ids()); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
}

// Reported to Lambda, it would bring the record back for certain.
func TestAMarkThatCannotBeWrittenIsNoFailure(t *testing.T) {
	t.Parallel()
	to := &topic{}
	store := newStore(t)
	broken := storeFunc{Store: store, put: func(ctx context.Context, item table.Item) (bool, error) {
		if _, ok := item[table.AlertedAt]; ok {
			return false, table.ErrUnavailable
		}
		return store.Put(ctx, item)
	}}
	lines := logscan.Writer(t)
	d := alert.New(broken, events.PhoneNumber, to, lines.Logger())
	item := itemOf(t, sample(t, "call.missed"))
	mustProcess(t, d, item, item)
	if len(to.sent) != 1 || !strings.Contains(lines.String(), "alert not marked") {
		t.Errorf("%d sent, log: %s", len(to.sent), lines)
	}
}

func TestTheStreamDoesNotTakeAMarkForAnEvent(t *testing.T) {
	t.Parallel()
	event, by := table.KeyOf(itemOf(t, sample(t, "call.missed"))), table.Key{PK: "CALL#2", SK: "EVENT#2"}
	ring := table.Ring{Caller: "+14155550144", Line: "+14155550101", Start: arrival}
	to := &topic{}
	for name, item := range map[string]table.Item{
		"a mark":                 table.AlertedItem(event, events.KindMissedCall, arrival, arrival),
		"one of a twin":          table.TwinItem(event, events.KindMissedCall, "answered", by),
		"one of what is skipped": table.SkippedItem(event, events.KindMissedCall, "blocked"),
		"one of what goes back":  table.ReturningItem(event, events.KindMissedCall, "answered", by, arrival),
		"one of what went back":  table.ReturnedItem(event, events.KindMissedCall, "answered", arrival),
		"one of half of it":      table.ToldItem(event, events.KindMissedCall, events.KindCorrection, "answered", arrival),
		"a seat in a ring":       table.SeatItem(table.Seat{Ring: ring, What: "missed_call", N: 1}, event, arrival),
		"a spelling of a number": table.SpellingItem(table.SpellingKey("+14155550144", "+4155550144")),
	} {
		if table.AlertOf(item) != "" || table.IsEvent(table.KeyOf(item)) {
			t.Errorf("%s passes the stream's filter", name)
		}
		mustProcess(t, alert.New(newStore(t), events.PhoneNumber, to, logscan.Logger(t)), item)
	}
	if len(to.sent) > 0 {
		t.Errorf("%d sent", len(to.sent))
	}
}

// contact returns what the address book says of +14155550144. Its flags are
// those in so.
func contact(id, name, company string, so ...string) table.Item {
	item := table.Item{table.PK: str("CALLER#+14155550144"), table.SK: str("CONTACT#" + id), "name": str(name), "company": str(company)}
	for _, flag := range so {
		item[flag] = attr.Bool(true)
	}
	return item
}

func many(n int, item func(i int) table.Item) (items []table.Item) {
	for i := range n {
		items = append(items, item(i))
	}
	return items
}

// Whoever calls all the time costs no more with each call.
func TestOfACallerOfManyCallsNotAllAreRead(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 12, 14, 32, 0, 0, time.UTC)
	store, to, read := tabletest.NewBolt(t), &topic{}, 0
	store.Now = func() time.Time { return at }
	d := alert.New(storeFunc{Store: store, query: func(ctx context.Context, q table.Query) (table.Page, error) {
		page, err := store.Query(ctx, q)
		read += len(page.Items)
		return page, err
	}}, events.PhoneNumber, to, logscan.Logger(t))
	d.Rules.MaxAge = 0
	put(t, store, many(1000, func(i int) table.Item {
		ring := table.Ring{Caller: "+14155550144", Line: "+14155550101", Start: at.Add(-time.Duration(i) * time.Minute)}
		return table.SeatItem(table.Seat{Ring: ring, What: "missed_call", N: 1}, table.Key{PK: fmt.Sprintf("CALL#%d", i), SK: "EVENT#1"}, at)
	})...)
	mustProcess(t, d, itemOf(t, missedAt("c9", "+14155550144", "2026-03-12T14:32:30Z")))
	if len(to.sent) != 1 || read > 500 {
		t.Errorf("%d items were read for %d alerts, want at most 500 for 1", read, len(to.sent))
	}
}

// The number of a switchboard may be in thousands of contacts. What they come to stands in the
// follow-up.
func TestOfACallerInManyContactsNotAllAreRead(t *testing.T) {
	t.Parallel()
	const caller = "+14155550144"
	for _, test := range []struct {
		name   string
		person followup.Person // what the follow-up says
		want   string          // the alert's subject
	}{
		{"a follow-up", followup.Person{Known: true, Name: "Pat 0999", Company: "Globex"}, "Missed call, 2nd since 14:31: Pat 0999 (Globex), " + caller + " on +14155550101"},
		{"a follow-up of somebody who is blocked", followup.Person{Known: true, Name: "Pat 0999", Blocked: true}, ""},
		{"a follow-up that knows no contact", followup.Person{}, "Missed call, 2nd since 14:31: Pat 0499, " + caller + " on +14155550101"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			store, to, queries := newStore(t), &topic{}, 0
			d := alert.New(storeFunc{Store: store, query: func(ctx context.Context, q table.Query) (table.Page, error) {
				queries++
				return store.Query(ctx, q)
			}}, events.PhoneNumber, to, logscan.Logger(t))
			d.Rules.MaxAge = 0
			put(t, store, itemOf(t, missedAt("c8", caller, "2026-03-12T14:31:00Z")))
			mustProcess(t, d, itemOf(t, missedAt("c8", caller, "2026-03-12T14:31:00Z")))
			alone := queries
			put(t, store, many(1000, func(i int) table.Item { return contact(fmt.Sprintf("%04d", i), fmt.Sprintf("Pat %04d", i), "") })...)
			put(t, store, table.Item{
				table.PK: str(table.FollowUpKey(caller).PK), table.SK: str(table.FollowUpKey(caller).SK),
				table.Facts: attr.Binary(followup.Facts{Person: test.person}.Encode()),
			})
			to.sent, queries = nil, 0
			mustProcess(t, d, itemOf(t, missedAt("c9", caller, "2026-03-12T14:32:00Z")))
			var subject string
			for _, sent := range to.sent {
				subject += sent.Subject
			}
			if subject != test.want {
				t.Errorf("subject: %q, want %q", subject, test.want)
			}
			if most := alone + 2*7; queries > most { // the caller is read twice
				t.Errorf("%d queries, want at most %d", queries, most)
			}
		})
	}
}

func TestTheCallersHistory(t *testing.T) {
	t.Parallel()
	const caller, at = "+14155550144", "2026-03-12T14:32:00Z"
	answered := func(id, at string) string {
		return strings.Replace(missedAt(id, caller, at), "call.missed", "call.answered", 1)
	}
	for _, tc := range []struct {
		name    string
		book    []table.Item
		before  []string
		caller  map[string]any
		missed  float64
		subject string
	}{
		{"unknown caller", nil, nil, map[string]any{"number": caller}, 1, "Missed call: " + caller + " on +14155550101"},
		{
			"a contact",
			[]table.Item{contact("7", "Pat Smith", "Globex")},
			nil,
			map[string]any{"number": caller, "name": "Pat Smith", "company": "Globex"},
			1,
			"Missed call: Pat Smith (Globex), " + caller + " on +14155550101",
		},
		{
			"a contact who has another number now, and one without a name",
			[]table.Item{contact("7", "Pat Smith", "", "removed"), contact("8", "", "Globex")},
			nil,
			map[string]any{"number": caller, "company": "Globex"},
			1,
			"Missed call: Globex, " + caller + " on +14155550101",
		},
		{
			"the number of a firm that is in many contacts",
			many(250, func(i int) table.Item { return contact(fmt.Sprintf("7%03d", i), fmt.Sprintf("Pat %03d", i), "") }),
			nil,
			map[string]any{"number": caller, "name": "Pat 249"},
			1,
			"Missed call: Pat 249, " + caller + " on +14155550101",
		},
		{
			"missed twice before, once with a voicemail, once too long ago",
			nil,
			[]string{
				missedAt("c1", caller, "2026-03-12T10:00:00Z"),
				strings.ReplaceAll(voicemail("Hi"), "call_1", "c1"),
				missedAt("c2", caller, "2026-03-11T14:32:01Z"),
				missedAt("c3", caller, "2026-03-11T14:32:00Z"),
				missedAt("c4", "+14155550199", "2026-03-12T10:00:00Z"),
			},
			map[string]any{"number": caller},
			3, "Missed call, 4th since 11 Mar 14:32: " + caller + " on +14155550101",
		},
		{
			"what came after it does not count",
			nil,
			[]string{missedAt("c1", caller, "2026-03-12T14:33:00Z")},
			map[string]any{"number": caller},
			1, "Missed call: " + caller + " on +14155550101",
		},
		{
			"what was answered does not count",
			nil,
			[]string{
				answered("c1", "2026-03-12T10:00:00Z"),
				missedAt("c2", caller, "2026-03-12T11:00:00Z"), answered("c2", "2026-03-12T11:00:05Z"),
			},
			map[string]any{"number": caller},
			1, "Missed call: " + caller + " on +14155550101",
		},
		{
			"the phones of a ring group are one call",
			nil,
			[]string{
				missedAt("c1", caller, "2026-03-12T10:00:00Z"), missedAt("c2", caller, "2026-03-12T10:00:00Z"),
				missedAt("c3", caller, "2026-03-12T10:00:00Z"),
			},
			map[string]any{"number": caller},
			2, "Missed call, 2nd since 10:00: " + caller + " on +14155550101",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			store, to := newStore(t), &topic{}
			d := alert.New(store, events.PhoneNumber, to, logscan.Logger(t))
			d.Rules.MaxAge = 0
			put(t, store, tc.book...)
			for _, body := range tc.before {
				put(t, store, itemOf(t, body))
				mustProcess(t, d, itemOf(t, body))
			}
			to.sent = nil
			mustProcess(t, d, itemOf(t, missedAt("c9", caller, at)))
			document := document(t, to.sent[0])
			if diff := cmp.Diff(any(tc.caller), document["caller"]); diff != "" {
				t.Errorf("caller (-want +got):\n%s", diff)
			}
			if document["missed_24h"] != tc.missed {
				t.Errorf("missed %v times, want %v", document["missed_24h"], tc.missed)
			}
			if to.sent[0].Subject != tc.subject {
				t.Errorf("subject: %q, want %q", to.sent[0].Subject, tc.subject)
			}
		})
	}
}

// Where the caller's items fill more than a page, the recent rings count all the same.
func TestTheHistoryOfAFrequentCaller(t *testing.T) {
	t.Parallel()
	store, to := newStore(t), &topic{}
	paged := storeFunc{Store: store, query: func(ctx context.Context, q table.Query) (table.Page, error) {
		if strings.HasPrefix(q.Partition, "CALLER#") && q.From != "" {
			q.Limit = 3
		}
		return store.Query(ctx, q)
	}}
	d := alert.New(paged, events.PhoneNumber, to, logscan.Logger(t))
	d.Rules.MaxAge = 0
	for i := range 9 {
		mustProcess(t, d, stored(t, store, missedAt(fmt.Sprint("old", i), "+14155550144", fmt.Sprintf("2026-03-10T10:00:0%dZ", i))))
	}
	for i := range 2 {
		mustProcess(t, d, stored(t, store, missedAt(fmt.Sprint("new", i), "+14155550144", fmt.Sprintf("2026-03-12T10:00:0%dZ", i))))
	}
	if got := document(t, to.sent[len(to.sent)-1])["missed_24h"]; got != float64(2) {
		t.Errorf("missed %v times, want 2", got)
	}
}

// stored puts an event and returns it.
func stored(t *testing.T, store table.Store, body string) table.Item {
	t.Helper()
	item := itemOf(t, body)
	put(t, store, item)
	return item
}

// An alert goes out without what nobody can read. Its record comes again, so that it is
// found out whether the caller has been served.
func TestPromise2_AnAlertWaitsForTheCallerNeitherLongNorInVain(t *testing.T) {
	t.Parallel()
	for name, query := range map[string]func(context.Context) error{
		"refused": func(context.Context) error { return table.ErrUnavailable },
		"hanging": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, // only the limit of the alert ends it
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store, to, down := &tabletest.Memory{}, &topic{}, true
				broken := storeFunc{Store: store, query: func(ctx context.Context, q table.Query) (table.Page, error) {
					if down && q.From == table.ContactSort {
						return table.Page{}, query(ctx)
					}
					return store.Query(ctx, q)
				}}
				began := time.Now()
				var waited time.Duration
				to.refuse = func(alert.Message) error { waited = time.Since(began); return nil }
				d, item := alert.New(broken, events.PhoneNumber, to, logscan.Logger(t)), itemOf(t, sample(t, "call.missed"))
				if errs := process(t, d, item); errs[0] == nil {
					t.Error("nobody looks again")
				}
				if waited > 1500*time.Millisecond {
					t.Errorf("waited for %v", waited)
				}
				down = false
				mustProcess(t, d, item)
				if len(to.sent) != 1 {
					t.Fatalf("%d sent, want 1", len(to.sent))
				}
				if d := document(t, to.sent[0]); d["missed_24h"] != nil || d["count"] != nil {
					t.Errorf("missed %v times, call %v, want both left out", d["missed_24h"], d["count"])
				}
			})
		})
	}
}

// No order, repetition or failure changes which alerts stand in the end: those that
// went out, less those that were taken back.
func TestPromise4_NoOrderChangesTheAlerts(t *testing.T) {
	t.Parallel()
	var bodies []string
	for i := range 5 {
		id, at := fmt.Sprintf("c%d", i), fmt.Sprintf("2026-03-12T14:3%d:00Z", i)
		update := strings.ReplaceAll(call("Pat", "Support", "null"), "CA1", id)
		update = strings.ReplaceAll(strings.ReplaceAll(update, "14:58:00", fmt.Sprintf("14:5%d:00", i)), "call.missed", "call.updated")
		bodies = append(bodies, missedAt(id, "+14155550144", at), update)
		if i%2 == 0 {
			left := strings.Replace(voicemail("Hi"), "14:40:00", fmt.Sprintf("14:4%d:00", i), 1)
			bodies = append(bodies, strings.ReplaceAll(left, "call_1", id))
		}
		if i > 2 {
			bodies = append(bodies, strings.ReplaceAll(missedAt(id, "+14155550144", at), "call.missed", "call.answered"))
		}
	}
	items := make([]table.Item, len(bodies))
	for i, body := range bodies {
		items[i] = itemOf(t, body)
	}
	want := []string{"CALL#c0/missed_call", "CALL#c0/voicemail", "CALL#c1/missed_call", "CALL#c2/missed_call", "CALL#c2/voicemail"}

	logger := logscan.Logger(t) // shared: every logger is scanned at the end
	rapid.Check(t, func(rt *rapid.T) {
		chance := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0)) //nolint:gosec // G404: a test
		to := &topic{refuse: func(alert.Message) error {
			if chance.IntN(4) == 0 {
				return errDown
			}
			return nil
		}}
		store := &tabletest.Memory{}
		d := alert.New(store, events.PhoneNumber, to, logger)
		order := rapid.Permutation(append(slices.Clone(items), items...)).Draw(rt, "order")
		for len(order) > 0 {
			n := rapid.IntRange(1, len(order)).Draw(rt, "batch")
			put(t, store, order[:n]...)
			// Like Lambda, send the first that failed and all behind it again.
			if bad := failed(d.Process(t.Context(), order[:n])); len(bad) > 0 {
				n = bad[0]
			}
			order = order[n:]
		}
		if diff := cmp.Diff(want, to.standing()); diff != "" {
			rt.Fatalf("alerts that stand (-want +got):\n%s", diff)
		}
	})
}

func TestPublishingLeavesTimeToMark(t *testing.T) {
	t.Parallel()
	slow := publisherFunc(func(ctx context.Context, messages []alert.Message) []error {
		<-ctx.Done()
		return slices.Repeat([]error{ctx.Err()}, len(messages))
	})
	synctest.Test(t, func(t *testing.T) {
		memory := &tabletest.Memory{}
		marks := storeFunc{put: memory.Put, query: func(context.Context, table.Query) (table.Page, error) { return table.Page{}, nil }}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		errs := alert.New(marks, events.PhoneNumber, slow, logscan.Logger(t)).Process(ctx, []table.Item{itemOf(t, sample(t, "call.missed"))})
		deadline, _ := ctx.Deadline()
		if left := time.Until(deadline); left < 7*time.Second || !errors.Is(errs[0], context.DeadlineExceeded) {
			t.Errorf("%v left, error %v", left, errs[0])
		}
	})
}

type publisherFunc func(context.Context, []alert.Message) []error

func (f publisherFunc) Publish(ctx context.Context, messages []alert.Message) []error {
	return f(ctx, messages)
}

// Events without a known call share a partition, so the partition does not say
// which missed call a voicemail belongs to.
func TestAVoicemailOfNoKnownCallNamesNoMissedCall(t *testing.T) {
	t.Parallel()
	event := func(number, outcome string) table.Item {
		return itemOf(t, fmt.Sprintf(`{"type":"call.completed","data":{"call_date":"2026-03-12","call_time":"10:00:00",
			"contact_number":%q,"call_info":{"direction":"Incoming","type":%q}}}`, number, outcome))
	}
	to := &topic{}
	mustProcess(t, alert.New(newStore(t), events.PhoneNumber, to, logscan.Logger(t)), event("14155550144", "missed"), event("14155550199", "voicemail"))
	if len(to.sent) != 2 {
		t.Fatalf("%d sent, want two", len(to.sent))
	}
	if got := document(t, to.sent[1])["missed_call"]; got != nil || strings.Contains(to.sent[1].Email, "missed 1") {
		t.Errorf("missed_call %v in %s", got, to.sent[1].Email)
	}
}

func TestWhatIsPostponedIsSaid(t *testing.T) {
	t.Parallel()
	lines := logscan.Writer(t)
	d := alert.New(newStore(t), events.PhoneNumber, &topic{}, lines.Logger())
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	d.Process(ctx, []table.Item{itemOf(t, sample(t, "call.missed")), itemOf(t, sample(t, "voicemail.received")), itemOf(t, call("Pat", "Support", "null"))})
	if got := lines.String(); !strings.Contains(got, `"msg":"alerts postponed","count":2`) {
		t.Errorf("log: %s", got)
	}
}

// withoutHistory returns a store that does not tell who a caller is.
func withoutHistory(store table.Store) table.Store {
	return storeFunc{Store: store, query: func(ctx context.Context, q table.Query) (table.Page, error) {
		if q.From == table.ContactSort {
			return table.Page{}, table.ErrUnavailable
		}
		return store.Query(ctx, q)
	}}
}
