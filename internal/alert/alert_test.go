package alert_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/bolt"
)

// arrival is when everything arrived.
var arrival = time.Date(2026, 3, 12, 15, 0, 0, 0, time.UTC)

// itemOf returns the item of a body.
func itemOf(t testing.TB, body string) table.Item {
	t.Helper()
	envelope, err := events.Open([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return table.EventItem(envelope.Decode(), arrival, arrival)
}

func readFile(t testing.TB, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sample returns the body of a documented event.
func sample(t testing.TB, name string) string {
	t.Helper()
	return readFile(t, "..", "..", "events-samples", name+".json")
}

// messageOf renders what a body's item says, without what the table knows.
func messageOf(t testing.TB, body string) alert.Message {
	t.Helper()
	a, err := alert.Read(itemOf(t, body))
	if err != nil {
		t.Fatal(err)
	}
	return alert.Style{}.Message(a)
}

// newStore returns an empty table.
func newStore(t testing.TB) *bolt.Store {
	t.Helper()
	return tabletest.NewBolt(t)
}

func put(t testing.TB, store table.Store, items ...table.Item) {
	t.Helper()
	for _, item := range items {
		if _, err := store.Put(context.Background(), item); err != nil {
			t.Fatal(err)
		}
	}
}

func str(text string) attr.Value { return attr.String(text) }
