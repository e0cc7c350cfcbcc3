package erase_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/erase"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/lookuptest"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
	"github.com/ringback/ringback/internal/table/itemjson"
)

var now = time.Date(2026, time.March, 12, 20, 0, 0, 0, time.UTC)

const ada, mobile, bob = "+14155550120", "+14155550129", "+14155550121"

// deliveries are of Ada, who has two numbers, and of Bob.
var deliveries = []string{
	lookuptest.Event("contact.created", "2026-03-01T08:00:00Z", `"contact_id":5,"first_name":"Adalovelace","phone":"(415) 555-0120","other_numbers":["`+mobile+`"]`),
	lookuptest.Missed("c1", ada, "2026-03-12T14:00:00Z"),
	lookuptest.Left("c1", ada, "2026-03-12T14:01:00Z", "This is Adalovelace"),
	lookuptest.Event("call.updated", "2026-03-12T14:02:00Z", `"call_id":"c1","notes":"Adalovelace again"`),
	lookuptest.Event("sms.received", "2026-03-12T14:30:00Z", `"message_id":"m1","direction":"inbound","from":"415-555-0120","to":"`+lookuptest.Line+`","body":"Any news?"`),
	lookuptest.Event("appointment.scheduled", "2026-03-12T14:40:00Z", `"phone":"`+ada+`","name":"Adalovelace"`),
	lookuptest.Missed("c2", bob, "2026-03-12T15:00:00Z"),
	lookuptest.Missed("c3", mobile, "2026-03-12T15:30:00Z"),
	lookuptest.Event("call.completed", "2026-03-12T16:00:00Z", `"call_id":"c4","direction":"inbound","from":"`+bob+`","to":"`+lookuptest.Line+`","agent_name":"Jordan","duration":60,"status":"completed","notes":"about (415) 555-0120"`),
}

func fill(t *testing.T, store table.Store) *lookuptest.Table {
	t.Helper()
	w := lookuptest.New(t, store, now)
	w.Post(deliveries...)
	w.Act(ada, followup.ActClaim, now, "Kim", "")
	w.Add(
		table.ReturnedItem(table.Key{PK: table.CallPartition("c1"), SK: table.EventMark + "2026-03-12T14:00:00.000Z#x"}, events.KindMissedCall, "answered", now),
		table.TimerItem(table.TimerKey(now, ada, 1), now),
		table.NamingItem(table.TimerKey(now, ada, 1), now),
		table.NamingItem(table.TimerKey(now.Add(time.Hour), ada, 2), now), // of one that was never set
		table.TimerItem(table.TimerKey(now, bob, 1), now),
		table.RejectedItem(table.Rejection{Reason: "wrong signature", Body: []byte(lookuptest.Missed("c9", ada, "2026-03-12T14:00:00Z"))}, now),
		table.RejectedItem(table.Rejection{Reason: "wrong signature", Body: []byte(lookuptest.Missed("c8", bob, "2026-03-12T14:00:00Z"))}, now),
	)
	return w
}

// texts returns all that is in a table, with the bodies of the items.
func texts(t *testing.T, store table.Store) (all []string) {
	t.Helper()
	for item, err := range table.ScanAll(t.Context(), store, "", "") {
		if err != nil {
			t.Fatal(err)
		}
		text, err := itemjson.Encode(item)
		body, bodyErr := table.PayloadOf(item)
		if err := errors.Join(err, bodyErr); err != nil {
			t.Fatal(err)
		}
		all = append(all, string(text)+string(body))
	}
	return all
}

func holds(texts []string, what ...string) bool {
	for _, text := range texts {
		for _, w := range what {
			if strings.Contains(strings.NewReplacer(" ", "", "(", "", ")", "", "-", "").Replace(text), w) {
				return true
			}
		}
	}
	return false
}

func TestNothingIsLeftOfACallerWhoIsErased(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	store.Now = func() time.Time { return now }
	checkErasure(t, store)
}

func TestNothingIsLeftOfACallerWhoIsErasedInDynamoDB(t *testing.T) {
	t.Parallel()
	store := dynamostore.New(tabletest.NewTable(t))
	store.Now = func() time.Time { return now }
	checkErasure(t, store)
}

func checkErasure(t *testing.T, store table.Eraser) {
	t.Helper()
	w := fill(t, store)
	before := texts(t, store)
	dry, err := erase.Erase(t.Context(), store, w.Numbers, "415 555 0120", erase.Options{Scan: true}, now)
	if err != nil {
		t.Fatal(err)
	}
	if after := texts(t, store); len(after) != len(before) || !holds(after, "4155550120") {
		t.Error("a dry run changes the table")
	}
	done, err := erase.Erase(t.Context(), store, w.Numbers, "415 555 0120", erase.Options{Scan: true, Write: true}, now)
	if err != nil || done != dry {
		t.Errorf("erased %+v, %v; want %+v", done, err, dry)
	}
	if want := (erase.Found{Calls: 2, Texts: 1, Contacts: 1, Events: 7, Marks: 1, Caller: done.Caller, Timers: 1, Rejected: 1, Others: mobile}); done != want || done.Caller < 4 {
		t.Errorf("erased %+v, want %+v", done, want)
	}
	after := texts(t, store)
	if holds(after, "4155550120", "Adalovelace") {
		t.Errorf("the number or the name is left:\n%s", strings.Join(after, "\n"))
	}
	if !holds(after, "4155550121") || !holds(after, "4155550129") {
		t.Error("more is gone than was to be")
	}

	// Deliveries that come again change nothing.
	w.Post(deliveries[:6]...)
	if again := texts(t, store); holds(again, "4155550120", "Adalovelace") || len(again) != len(after) {
		t.Errorf("what was erased comes back: %d items, were %d", len(again), len(after))
	}
	look := lookup.New(store, w.Numbers, time.UTC)
	look.Now = func() time.Time { return now }
	if _, err := look.Caller(t.Context(), ada, lookup.Page{}); !errors.Is(err, lookup.ErrNotFound) {
		t.Errorf("the caller is found: %v", err)
	}
	from, to := look.Day(now)
	day, err := look.Unserved(t.Context(), from, to, lookup.Page{})
	if err != nil || len(day.Calls) != 2 {
		t.Errorf("%+v, %v", day.Calls, err)
	}
	call, err := look.Call(t.Context(), "c1")
	if err != nil || len(call.Events) != 3 || call.Caller.Key != "" || !slices.Contains(call.Events[0].Odd, "erased") {
		t.Errorf("%+v, %v", call, err)
	}
	if _, err := erase.Erase(t.Context(), store, w.Numbers, ada, erase.Options{Scan: true, Write: true}, now); !errors.Is(err, lookup.ErrNotFound) {
		t.Errorf("again: %v", err)
	}
	if _, err := erase.Erase(t.Context(), store, w.Numbers, "Ada", erase.Options{}, now); !errors.Is(err, lookup.ErrNumber) {
		t.Error(err)
	}
}

// JustCall sends again what it got no answer to, for hours. The keys of what was erased are
// still there to know it by.
func TestPromise2_WhatIsErasedDoesNotComeBack(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	store.Now = func() time.Time { return now }
	w := fill(t, store)
	if _, err := erase.Erase(t.Context(), store, w.Numbers, ada, erase.Options{Write: true}, now); err != nil {
		t.Fatal(err)
	}
	for _, body := range deliveries[:6] {
		envelope, err := events.Open([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if created, err := store.Put(t.Context(), table.EventItem(envelope.Decode(), time.Time{}, now)); created || err != nil {
			t.Errorf("a late retry is stored: %t, %v: %s", created, err, body)
		}
	}
}

// Without a scan, what an index or the caller's own items lead to is gone.
func TestAnErasureWithoutAScan(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	store.Now = func() time.Time { return now }
	w := fill(t, store)
	done, err := erase.Erase(t.Context(), store, w.Numbers, ada, erase.Options{Write: true}, now)
	if err != nil || done.Events != 6 || done.Timers != 1 || done.Rejected != 1 {
		t.Errorf("%+v, %v", done, err)
	}
	for _, text := range texts(t, store) {
		if holds([]string{text}, "4155550120", "Adalovelace") && !strings.Contains(text, "c4") { // a call of Bob's, about Ada
			t.Errorf("this is left: %s", text)
		}
	}
	w.Post(deliveries[:6]...)
	if _, err := erase.Erase(t.Context(), store, w.Numbers, ada, erase.Options{}, now); !errors.Is(err, lookup.ErrNotFound) {
		t.Errorf("what was erased comes back: %v", err)
	}
}

// As the documents advise, the contact was deleted in JustCall first.
func TestTheOtherNumbersOfADeletedContactAreNamed(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	store.Now = func() time.Time { return now }
	w := lookuptest.New(t, store, now)
	const contact = `"contact_id":6,"first_name":"Robin","phone":"` + ada + `","other_numbers":["` + bob + `"]`
	w.Post(
		lookuptest.Event("contact.created", "2026-03-01T08:00:00Z", contact),
		lookuptest.Missed("c1", ada, "2026-03-12T14:00:00Z"),
		lookuptest.Event("contact.deleted", "2026-03-13T08:00:00Z", contact),
	)
	if done, err := erase.Erase(t.Context(), store, w.Numbers, ada, erase.Options{}, now); err != nil || done.Others != bob {
		t.Errorf("named %q, %v, want %s", done.Others, err, bob)
	}
}

// Their follow-ups are made anew.
func TestTheOtherNumbersOfAContactMayBeOurOwn(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	store.Now = func() time.Time { return now }
	w := lookuptest.New(t, store, now)
	w.Post(
		lookuptest.Event("contact.created", "2026-03-01T08:00:00Z", `"contact_id":6,"first_name":"Robin","phone":"`+ada+`","other_numbers":["`+bob+`"]`),
		lookuptest.Missed("c1", ada, "2026-03-12T14:00:00Z"),
		lookuptest.Missed("c2", bob, "2026-03-12T15:00:00Z"),
	)
	ours := ledger.New(store, w.Numbers.Canonical, logscan.Logger(t))
	ours.Policy.Own = map[string]bool{bob: true}
	if err := ours.Refresh(t.Context(), bob); err != nil {
		t.Fatal(err)
	}
	// Whoever erases need not know the list.
	if _, err := erase.Erase(t.Context(), store, w.Numbers, ada, erase.Options{Write: true}, now); err != nil {
		t.Fatal(err)
	}
	if _, stands, err := lookup.New(store, w.Numbers, time.UTC).Standing(t.Context(), bob); err != nil || stands.State != lookup.Own {
		t.Errorf("%+v, %v", stands, err)
	}
}

// A number that somebody had once is erased, and they are not.
func TestWhoHadTheNumberOnceStays(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	store.Now = func() time.Time { return now }
	w := lookuptest.New(t, store, now)
	w.Post(
		lookuptest.Event("contact.created", "2026-03-01T08:00:00Z", `"contact_id":6,"first_name":"Robin","phone":"`+ada+`"`),
		lookuptest.Event("contact.updated", "2026-03-02T08:00:00Z", `"contact_id":6,"first_name":"Robin","phone":"`+bob+`","changed_fields":["phone"]`),
		lookuptest.Missed("c2", bob, "2026-03-12T15:00:00Z"),
		lookuptest.Missed("c1", ada, "2026-03-12T14:00:00Z"),
	)
	if _, err := erase.Erase(t.Context(), store, w.Numbers, ada, erase.Options{Scan: true, Write: true}, now); err != nil {
		t.Fatal(err)
	}
	if holds(texts(t, store), "4155550120") {
		t.Error("the number is left")
	}
	who, _, err := lookup.New(store, w.Numbers, time.UTC).Standing(t.Context(), bob)
	if err != nil || who.Name != "Robin" {
		t.Errorf("%+v, %v", who, err)
	}
}
