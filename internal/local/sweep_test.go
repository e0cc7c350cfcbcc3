package local_test

import (
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/bolt"
	"github.com/ringback/ringback/internal/table/schema"
)

func TestEverythingThatIsStoredExpiresAndIsSweptAtTheNextStart(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	open := func() *bolt.Store {
		t.Helper()
		store, err := bolt.Open(filepath.Join(folder, storeFile), schema.Events())
		if err != nil {
			t.Fatal(err)
		}
		return store
	}
	old := table.Item{
		table.PK: attr.String("CALL#old"), table.SK: attr.String("EVENT#1"),
		table.ExpiresAt: attr.Number(strconv.FormatInt(time.Now().Add(-time.Hour).Unix(), 10)),
	}
	store := open()
	if _, err := store.Put(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}

	lines := logscan.Writer(t)
	stack, err := local.Start(t.Context(), local.Config{Folder: folder, Address: anyPort, Retention: 30}, lines.Logger())
	if err != nil {
		t.Fatal(err)
	}
	if got := post(t, stack.URL, missed); got.status != http.StatusOK {
		t.Errorf("post: %+v, want 200", got)
	}
	if err := stack.Settled(t.Context()); err != nil {
		t.Error(err)
	}
	kinds := map[bool]int{}
	for item, err := range stack.Scan(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if _, expires := item[table.ExpiresAt]; !expires && !table.IsHealth(table.KeyOf(item)) {
			t.Errorf("%v is kept for ever", table.KeyOf(item))
		}
		kinds[table.IsEvent(table.KeyOf(item))]++
	}
	if kinds[true] != 1 || kinds[false] == 0 {
		t.Errorf("%d events and %d other items, want one event and its mark", kinds[true], kinds[false])
	}
	eventually(t, func() bool { return strings.Contains(lines.String(), "expired items deleted") })
	if err := stack.Close(); err != nil {
		t.Fatal(err)
	}
}
