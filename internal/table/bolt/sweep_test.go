package bolt_test

import (
	"fmt"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/bolt"
	"github.com/ringback/ringback/internal/table/schema"
)

func TestSweepDeletesWhatHasExpiredAndNothingElse(t *testing.T) {
	t.Parallel()
	store, err := bolt.Open(filepath.Join(t.TempDir(), "events.db"), schema.Events())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	lines := logscan.Writer(t)
	store.Log = lines.Logger()
	defer func() {
		if said := lines.String(); said != "" {
			t.Errorf("logged:\n%s", said)
		}
	}()
	const items = 30
	for i := range items {
		item := table.Item{
			table.PK: attr.String(fmt.Sprintf("CALL#%02d", i)), table.SK: attr.String("EVENT#1"),
			table.GSI1PK: attr.String("PHONE#+14155550144"), table.OccurredAt: attr.String("1"),
		}
		switch i % 3 {
		case 0: // it has expired
			item[table.ExpiresAt] = attr.Number(strconv.FormatInt(time.Now().Add(-time.Minute).Unix(), 10))
		case 1:
			item[table.ExpiresAt] = attr.Number(strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10))
		}
		if created, err := store.Put(t.Context(), item); !created || err != nil {
			t.Fatalf("Put = %t, %v", created, err)
		}
	}
	for _, want := range []int{items / 3, 0} {
		if deleted, err := store.Sweep(t.Context()); deleted != want || err != nil {
			t.Errorf("Sweep = %d, %v, want %d", deleted, err, want)
		}
	}
	if n, err := store.CountSorted(table.EventMark); n != items-items/3 || err != nil {
		t.Errorf("%d items are left: %v", n, err)
	}
	for _, q := range []table.Query{{Partition: "CALL#01"}, {Index: table.GSI1, Partition: "PHONE#+14155550144"}} {
		page, err := store.Query(t.Context(), q)
		if want := map[table.Index]int{table.Base: 1, table.GSI1: items - items/3}[q.Index]; len(page.Items) != want || err != nil {
			t.Errorf("%+v has %d items, want %d: %v", q, len(page.Items), want, err)
		}
	}
}
