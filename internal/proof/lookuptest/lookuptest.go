// Package lookuptest fills tables for tests that look things up, as the deployed functions
// would have.
package lookuptest

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/phone"
	"github.com/ringback/ringback/internal/spelling"
	"github.com/ringback/ringback/internal/table"
)

// Country is that of numbers without a country code.
const Country = "US"

// Table is a table with what consumers make of it.
type Table struct {
	table.Store

	Numbers phone.Book

	t         testing.TB
	now       time.Time
	consumers []consumer.Consumer
}

// New returns a table in a store, at a time at which nothing is to come.
func New(t testing.TB, store table.Store, now time.Time) *Table {
	t.Helper()
	numbers, err := phone.New(Country)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	followUps := ledger.New(store, numbers.Canonical, log)
	followUps.Now = func() time.Time { return now }
	contacts := addressbook.New(store, numbers.Canonical, log)
	contacts.Changed = followUps.Refresh
	return &Table{store, numbers, t, now, []consumer.Consumer{
		contacts.Consumer(), spelling.New(store, numbers.Canonical, log).Consumer(), followUps.Consumer(),
	}}
}

// Post stores deliveries, which arrived a second after they happened, and has the consumers
// work them off.
func (w *Table) Post(bodies ...string) {
	w.t.Helper()
	for _, body := range bodies {
		envelope, err := events.Open([]byte(body))
		if err != nil {
			w.t.Fatalf("%s: %v", body, err)
		}
		d := envelope.Decode()
		w.Add(table.EventItem(d, time.Time{}, d.OccurredAt(time.Time{}, w.now).Add(time.Second)))
	}
}

// Act does something about a caller by hand.
func (w *Table) Act(caller string, kind followup.ActKind, at time.Time, by, why string) {
	w.t.Helper()
	w.Add(ledger.ActItem(caller, followup.Act{ID: string(kind) + by, At: at, Kind: kind, By: by, Why: why, Until: at.Add(24 * time.Hour)}))
}

// Add stores items and has the consumers work those off that are new.
func (w *Table) Add(items ...table.Item) {
	w.t.Helper()
	for _, item := range items {
		created, err := w.Put(w.t.Context(), item)
		if err != nil {
			w.t.Fatal(err)
		}
		if !created {
			continue
		}
		for _, c := range w.consumers {
			if !c.Wants(item) {
				continue
			}
			if err := errors.Join(c.Process(w.t.Context(), []table.Item{item})...); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

// Event returns a delivery in format A.
func Event(typ, at, data string) string {
	return fmt.Sprintf(`{"event":%q,"timestamp":%q,"data":{%s}}`, typ, at, data)
}

// Line is the account's number in the deliveries that follow.
const Line = "+14155550100"

// Missed returns the delivery of a missed call.
func Missed(id, caller, at string) string {
	return Event("call.missed", at, fmt.Sprintf(`"call_id":%q,"direction":"inbound","from":%q,"to":%q,"ring_duration":30`, id, caller, Line))
}

// Left returns the delivery of a voicemail.
func Left(id, caller, at, words string) string {
	return Event("voicemail.received", at, fmt.Sprintf(
		`"call_id":%q,"from":%q,"to":%q,"duration":12,"transcription":%q,"recording_url":"https://recordings.example.com/1.mp3"`, id, caller, Line, words))
}

// Talked returns the delivery of a call of three minutes with Jordan.
func Talked(id string, direction events.Direction, other, at string) string {
	from, to := other, Line
	if direction == events.Outbound {
		from, to = to, from
	}
	return Event("call.completed", at, fmt.Sprintf(
		`"call_id":%q,"direction":%q,"from":%q,"to":%q,"agent_id":7,"agent_name":"Jordan","duration":185,"status":"completed"`, id, direction, from, to))
}
