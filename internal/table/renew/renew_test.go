package renew_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/bolt"
	"github.com/ringback/ringback/internal/table/itemjson"
	"github.com/ringback/ringback/internal/table/renew"
	"github.com/ringback/ringback/internal/table/schema"
)

var arrival = time.Date(2026, time.March, 12, 15, 0, 0, 0, time.UTC)

func itemOf(t *testing.T, body string) table.Item {
	t.Helper()
	envelope, err := events.Open([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return table.EventItem(envelope.Decode(), arrival, arrival)
}

// before returns an item as an earlier version stored it.
func before(t *testing.T, body string) table.Item {
	t.Helper()
	item := itemOf(t, body)
	delete(item, table.Packed)
	item[table.Payload] = attr.String(body)
	item[table.Format] = attr.String("A")
	item[table.Event] = attr.String(table.EventType(item))
	if kind := table.AlertOf(item); kind != "" {
		item[table.Alert] = attr.String(kind)
		item[table.GSI2PK] = attr.String("ALERT#2026-03-12")
		item["GSI2SK"] = attr.String("2026-03-12T14:32:00.000Z#c1")
	}
	item["GSI1SK"] = attr.String("2026-03-12T14:32:00.000Z#" + table.EventType(item))
	return item
}

const (
	missed  = `{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":{"call_id":"c1","direction":"inbound","from":"+14155550144","cost_incurred":0.10}}`
	update  = `{"event":"call.updated","timestamp":"2026-03-12T14:33:00Z","data":{"call_id":"c2","direction":"inbound","from":"+14155550145","status":"missed"}}`
	untimed = `{"event":"sms.received","data":{"message_id":"m1","from":"+14155550146"}}`
)

func open(t *testing.T) *bolt.Store {
	t.Helper()
	store, err := bolt.Open(filepath.Join(t.TempDir(), "events.db"), schema.Events())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func put(t *testing.T, store table.Store, items ...table.Item) {
	t.Helper()
	for _, item := range items {
		if created, err := store.Put(t.Context(), item); err != nil || !created {
			t.Fatalf("Put = %t, %v", created, err)
		}
	}
}

func nothing(renew.Progress) {}

// all returns all items by key.
func all(t *testing.T, store table.Store) map[table.Key]table.Item {
	t.Helper()
	found := map[table.Key]table.Item{}
	for item, err := range table.ScanAll(t.Context(), store, "", "") {
		if err != nil {
			t.Fatal(err)
		}
		found[table.KeyOf(item)] = item
	}
	return found
}

// The direction stood there a second time, and the body took more bytes.
func TestAnItemOfFormatBIsBroughtUpToDate(t *testing.T) {
	t.Parallel()
	stored, err := os.ReadFile("../testdata/earlier/call.completed.json")
	if err != nil {
		t.Fatal(err)
	}
	earlier, err := itemjson.Decode(stored)
	if err != nil {
		t.Fatal(err)
	}
	renewed, _, ok := renew.Event(earlier)
	if diff := cmp.Diff([]string{table.Direction, table.Packed}, renew.Changes(earlier, renewed)); !ok || diff != "" {
		t.Fatalf("renewed %t, changes (-want +got):\n%s", ok, diff)
	}
	body, err := table.PayloadOf(earlier)
	got, errRenewed := table.PayloadOf(renewed)
	if err != nil || errRenewed != nil || !bytes.Equal(got, body) {
		t.Errorf("body %q, %v, want %q, %v", got, errRenewed, body, err)
	}
	if was, now := table.DirectionOf(earlier), table.DirectionOf(renewed); was != now || now == "" {
		t.Errorf("direction %q, was %q", now, was)
	}
	if table.Size(renewed) >= table.Size(earlier) {
		t.Errorf("%d bytes, were %d", table.Size(renewed), table.Size(earlier))
	}
}

func TestEventsOfAnEarlierVersionAreBroughtUpToDateOnce(t *testing.T) {
	t.Parallel()
	store := open(t)
	mark := table.Item{table.PK: attr.String("CALL#c1"), table.SK: attr.String("ALERT#missed_call"), "alerted_at": attr.String("x")}
	unreadable := before(t, `{"event":"call.missed","timestamp":"2026-03-12T14:34:00Z","data":{"call_id":"c3"}}`)
	unreadable[table.Payload] = attr.String("{")
	// It would be filed elsewhere today, and so be there twice.
	moved := before(t, `{"event":"call.missed","timestamp":"2026-03-12T14:35:00Z","data":{"call_id":"c4"}}`)
	moved[table.PK] = attr.String("CALL#other")
	expires := itemOf(t, `{"event":"call.missed","timestamp":"2026-03-12T14:36:00Z","data":{"call_id":"c5"}}`)
	expires[table.ExpiresAt] = attr.Number("4102444800")
	expires[table.FoundBy] = attr.String(table.FoundByReconcile)
	put(t, store, before(t, missed), before(t, update), itemOf(t, untimed), mark, unreadable, moved, expires)
	feed, err := store.Backlog(0, 100)
	if err != nil {
		t.Fatal(err)
	}

	want := all(t, store)
	for _, body := range []string{missed, update} {
		item := itemOf(t, body)
		item[table.Version] = attr.Number("1")
		want[table.KeyOf(item)] = item
	}
	// What was in its day's list stays there.
	listed := want[table.KeyOf(itemOf(t, update))]
	listed[table.GSI2PK] = attr.String(table.AlertPartition(table.KeyOf(listed), arrival))
	delete(want[table.KeyOf(itemOf(t, missed))], "cost_incurred")

	for _, written := range []int{2, 0} {
		got, err := renew.Events(t.Context(), store, "", nothing)
		if err != nil || got.Events != 6 || got.Written != written {
			t.Errorf("Events = %+v, %v, want 6 events, %d written", got, err, written)
		}
		found := all(t, store)
		delete(found[table.KeyOf(itemOf(t, missed))], "cost_incurred") // 0.1, as the table keeps it
		if diff := cmp.Diff(want, found); diff != "" {
			t.Fatalf("items (-want +got):\n%s", diff)
		}
	}
	after, err := store.Backlog(0, 100)
	if err != nil || len(after) != len(feed) {
		t.Errorf("%d records in the feed, %d before: %v", len(after), len(feed), err)
	}
	shard := table.AlertPartition(table.Key{PK: "CALL#c1"}, arrival)
	if page, err := store.Query(t.Context(), table.Query{Index: table.GSI2, Partition: shard}); err != nil || len(page.Items) != 1 {
		t.Errorf("%d items in %s, want the call: %v", len(page.Items), shard, err)
	}
	if page, err := store.Query(t.Context(), table.Query{Index: table.GSI2, Partition: "ALERT#2026-03-12"}); err != nil || len(page.Items) != 2 {
		t.Errorf("%d items without a shard, want those two that had to stay as they were: %v", len(page.Items), err)
	}
}

// racing is a table in which somebody writes each event between its read and its update.
type racing struct{ table.Store }

func (r racing) Update(ctx context.Context, item table.Item, was int64) (bool, error) {
	other := maps.Clone(item)
	other["other"] = attr.Bool(true)
	if updated, err := r.Store.Update(ctx, other, was); !updated || err != nil {
		return false, err
	}
	return r.Store.Update(ctx, item, was)
}

func TestNothingThatWasWrittenMeanwhileIsReplaced(t *testing.T) {
	t.Parallel()
	store := open(t)
	put(t, store, before(t, missed))
	if got, err := renew.Events(t.Context(), racing{store}, "", nothing); err != nil || got.Written != 0 {
		t.Errorf("Events = %+v, %v", got, err)
	}
	if item := all(t, store)[table.KeyOf(itemOf(t, missed))]; item["other"] == nil {
		t.Error("the other one's event is gone")
	}
}

// failing is a table that fails after some updates.
type failing struct {
	table.Store

	left *int
}

var errFailing = errors.New("failing")

func (f failing) Update(ctx context.Context, item table.Item, was int64) (bool, error) {
	if *f.left--; *f.left < 0 {
		return false, errFailing
	}
	return f.Store.Update(ctx, item, was)
}

func TestARenewalGoesOnWhereItWasStopped(t *testing.T) {
	t.Parallel()
	store := open(t)
	put(t, store, before(t, missed), before(t, update))
	left := 1
	stopped, err := renew.Events(t.Context(), failing{store, &left}, "", nothing)
	if !errors.Is(err, errFailing) || stopped.Events != 1 || stopped.After == "" {
		t.Fatalf("Events = %+v, %v", stopped, err)
	}
	if rest, err := renew.Events(t.Context(), store, stopped.After, nothing); err != nil || rest.Events != 1 || rest.Written != 1 {
		t.Errorf("Events = %+v, %v", rest, err)
	}
}
