package addressbook_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/bolt"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

func numberOf(i int) string { return fmt.Sprintf("+1415555%04d", i) }

// fill stores the events of contacts, and other events between them.
func fill(t testing.TB, store table.Store, contacts int) {
	t.Helper()
	const writers = 32
	var all sync.WaitGroup
	for first := range writers {
		all.Go(func() {
			for i := first; i < contacts; i += writers {
				fillOne(t, store, i)
			}
		})
	}
	all.Wait()
}

func fillOne(t testing.TB, store table.Store, i int) {
	t.Helper()
	for _, body := range []string{
		`{"event":"contact.created","timestamp":"2026-03-12T14:00:00Z","data":{"contact_id":1%04[1]d,"first_name":"Jordan","phone":"%[2]s"}}`,
		`{"event":"contact.updated","timestamp":"2026-03-12T14:01:00Z","data":{"contact_id":1%04[1]d,"last_name":"%[1]d"}}`,
		`{"event":"call.missed","timestamp":"2026-03-12T14:02:00Z","data":{"call_id":"c%[1]d","from":"%[2]s"}}`,
		`{"event":"contact.merged","timestamp":"2026-03-12T14:03:00Z","data":{"contact_id":1%04[1]d}}`,
	} {
		if created, err := store.Put(t.Context(), itemOf(t, fmt.Sprintf(body, i, numberOf(i)))); !created || err != nil {
			t.Errorf("Put = %t, %v", created, err)
		}
	}
}

func wantFilled(t testing.TB, store table.Store, contacts int) {
	t.Helper()
	for i := range contacts {
		want := addressbook.Entry{Known: true, Name: fmt.Sprintf("Jordan %d", i)}
		if diff := cmp.Diff(want, addressbook.Read(partition(t, store, numberOf(i)))); diff != "" {
			t.Fatalf("contact %d (-want +got):\n%s", i, diff)
		}
	}
}

func nothing(addressbook.Progress) {}

func TestRebuildMakesTheBookAnewOnAnyStore(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(testing.TB) table.Store{
		"bbolt": openBolt,
		// What expires is not written anew, and so gets no longer life, unless it has changed.
		"a store with a retention": func(t testing.TB) table.Store { return table.Retention(30).Store(openBolt(t)) },
		"dynamodb":                 func(t testing.TB) table.Store { return dynamostore.New(tabletest.NewTable(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const contacts = 130 // two batches
			store := open(t)
			b := book(t, store)
			fill(t, store, contacts)
			var reported []int
			got, err := b.Rebuild(t.Context(), "", func(p addressbook.Progress) { reported = append(reported, p.Contacts) })
			if err != nil || got.Contacts != contacts || got.Written != contacts {
				t.Fatalf("Rebuild = %+v, %v, want %d contacts, as many written", got, err, contacts)
			}
			if diff := cmp.Diff([]int{100, contacts}, reported); diff != "" {
				t.Errorf("progress (-want +got):\n%s", diff)
			}
			wantFilled(t, store, contacts)

			got, err = b.Rebuild(t.Context(), "", nothing)
			if err != nil || got.Contacts != contacts || got.Written != 0 {
				t.Errorf("Rebuild again = %+v, %v, want nothing written", got, err)
			}
		})
	}
}

// limited ends a context after a number of updates.
type limited struct {
	table.Store

	left   atomic.Int64
	cancel context.CancelFunc
}

func (l *limited) Update(ctx context.Context, item table.Item, was int64) (bool, error) {
	if l.left.Add(-1) == 0 {
		l.cancel()
	}
	return l.Store.Update(ctx, item, was)
}

func TestARebuildGoesOnWhereItWasStopped(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(testing.TB) table.Store{
		"bbolt":    openBolt,
		"dynamodb": func(t testing.TB) table.Store { return dynamostore.New(tabletest.NewTable(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const contacts, first = 150, 120
			store := open(t)
			fill(t, store, contacts)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			stopping := &limited{Store: store, cancel: cancel}
			stopping.left.Store(first)
			stopped, err := book(t, stopping).Rebuild(ctx, "", nothing)
			if !errors.Is(err, context.Canceled) || stopped.Contacts != 100 || stopped.After == "" {
				t.Fatalf("Rebuild = %+v, %v, want it stopped after 100", stopped, err)
			}
			rest, err := book(t, store).Rebuild(t.Context(), stopped.After, nothing)
			if err != nil || rest.Contacts != contacts-100 {
				t.Errorf("Rebuild = %+v, %v, want the other %d", rest, err, contacts-100)
			}
			wantFilled(t, store, contacts)
			if _, err := book(t, store).Rebuild(t.Context(), "no cursor", nothing); !errors.Is(err, table.ErrQuery) {
				t.Errorf("after what is no cursor: %v, want %v", err, table.ErrQuery)
			}
		})
	}
}

// An older version, or another default country, put contacts under other numbers.
func TestRebuildTakesContactsAwayFromWhereTheyShouldNotBe(t *testing.T) {
	t.Parallel()
	const contacts = 130
	store := openBolt(t)
	fill(t, store, contacts)
	before := addressbook.New(store, func(number string) string { return canonical(number) + "0" }, logscan.Logger(t))
	if _, err := before.Rebuild(t.Context(), "", nothing); err != nil {
		t.Fatal(err)
	}
	// One whose events are gone: nothing says that it is wrong.
	lone := maps.Clone(partition(t, store, numberOf(0)+"0")[0])
	lone[table.SK] = attr.String(table.ContactPartition("without events"))
	if updated, err := store.Update(t.Context(), lone, 0); !updated || err != nil {
		t.Fatal(updated, err)
	}

	b := book(t, store)
	half, err := b.Rebuild(t.Context(), "", nothing)
	if err != nil || half.Written != 2*contacts {
		t.Errorf("Rebuild = %+v, %v, want %d written", half, err, 2*contacts)
	}
	wantFilled(t, store, contacts)
	for i := range contacts {
		want := addressbook.Entry{}
		if i == 0 {
			want = addressbook.Entry{Known: true, Name: "Jordan 0"}
		}
		items := partition(t, store, numberOf(i)+"0")
		if diff := cmp.Diff(want, addressbook.Read(items)); diff != "" {
			t.Errorf("where contact %d was (-want +got):\n%s", i, diff)
		}
		for _, item := range items {
			if name := table.Text(item, table.Name); i > 0 && name != "" {
				t.Errorf("a removed contact still has the name %q", name)
			}
		}
	}
	// However far the rebuild before had come.
	again, err := b.Rebuild(t.Context(), half.After, nothing)
	if err != nil || again.Written != 0 {
		t.Errorf("Rebuild again = %+v, %v, want nothing written", again, err)
	}
}

// What it makes is no news: an embedded store does not tell its consumers.
func TestRebuildAlertsNobody(t *testing.T) {
	t.Parallel()
	store := openBolt(t)
	fill(t, store, 3)
	feed, ok := store.(*bolt.Store)
	if !ok {
		t.Fatal("not an embedded store")
	}
	before, err := feed.End()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := book(t, store).Rebuild(t.Context(), "", nothing); err != nil {
		t.Fatal(err)
	}
	if after, err := feed.End(); after != before || err != nil {
		t.Errorf("the feed ends at %d, %v; it ended at %d", after, err, before)
	}
}

// It is the key of an event, with neither number nor name.
func TestTheEndOfARebuildCanBeShown(t *testing.T) {
	t.Parallel()
	store := openBolt(t)
	fill(t, store, 3)
	got, err := book(t, store).Rebuild(t.Context(), "", nothing)
	if err != nil {
		t.Fatal(err)
	}
	want := table.PositionOf(table.Base, itemOf(t, `{"event":"contact.updated","timestamp":"2026-03-12T14:01:00Z","data":{"contact_id":10002,"last_name":"2"}}`)).Cursor()
	if got.After != want {
		t.Errorf("After = %q, want the last event of contact 2, %q", got.After, want)
	}
}
