package bolt_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/bolt"
)

const keysBucket = "keys"

// damagedItem is the item of [damaged] that is damaged.
var damagedItem = table.Key{PK: "CALL#1", SK: "2"}

// damaged returns a store of three items, the second of which has been changed.
func damaged(t *testing.T, change func(tx *bbolt.Tx) error) *bolt.Store {
	t.Helper()
	path := storePath(t)
	s := tabletest.OpenBolt(t, path)
	putItems(t, s, "1", "2", "3")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	tamper(t, path, change)
	return tabletest.OpenBolt(t, path)
}

// spoiled makes a row unreadable.
func spoiled(tx *bbolt.Tx) error {
	return tx.Bucket([]byte(rowsBucket)).Put(second(), []byte("PRIVATE"))
}

// misled makes a key lead to the item of another.
func misled(tx *bbolt.Tx) error {
	return tx.Bucket([]byte(keysBucket)).Put(bolt.Tuple(damagedItem.PK, damagedItem.SK), bolt.SequenceKey(1))
}

// wantItems wants items and, beside them, a number of damaged ones in the table and in GSI1.
func wantItems(t *testing.T, s *bolt.Store, damaged int, want ...string) {
	t.Helper()
	wantPages(t, s, table.Query{Partition: "CALL#1"}, damaged, want)
	wantPages(t, s, table.Query{Index: table.GSI1, Partition: "PHONE#+1"}, damaged, want)
}

// wantPages wants them of a query with pages of one item, and of one in one page.
func wantPages(t *testing.T, s *bolt.Store, q table.Query, damaged int, want []string) {
	t.Helper()
	for _, q.Limit = range []int{0, 1} {
		var got []string
		found := 0
		for q.After = ""; ; {
			page, err := s.Query(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range page.Items {
				got = append(got, table.Text(item, table.SK))
			}
			found += page.Damaged
			if q.After = page.Next; q.After == "" || len(got) > len(want) {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || found != damaged {
			t.Errorf("%q, limit %d: %d damaged, want %d; items (-want +got):\n%s", q.Index, q.Limit, found, damaged, diff)
		}
	}
}

func TestADamagedItemStopsNoOther(t *testing.T) {
	t.Parallel()
	s := damaged(t, spoiled)
	lines := logscan.Writer(t)
	s.Log = lines.Logger()
	wantItems(t, s, 1, "1", "3")
	page, err := s.Scan(t.Context(), "", "")
	if len(page.Items) != 2 || page.Damaged != 1 || err != nil {
		t.Errorf("Scan: %d items, %d damaged, %v", len(page.Items), page.Damaged, err)
	}
	if said := lines.String(); strings.Count(said, `"row":2`) != 1 || strings.Contains(said, "PRIVATE") {
		t.Errorf("logged:\n%s", said)
	}
}

func TestAKeyThatLeadsToAnotherItemIsDamaged(t *testing.T) {
	t.Parallel()
	s := damaged(t, misled)
	wantPages(t, s, table.Query{Partition: "CALL#1"}, 1, []string{"1", "3"})
	// Nothing happens to the other.
	if err := s.Delete(t.Context(), damagedItem); err != nil {
		t.Fatal(err)
	}
	wantPages(t, s, table.Query{Partition: "CALL#1"}, 0, []string{"1", "3"})
	s = damaged(t, misled)
	putItems(t, s, damagedItem.SK)
	wantPages(t, s, table.Query{Partition: "CALL#1"}, 0, []string{"1", "2", "3"})
}

func TestAnIndexThatLeadsToAnotherItemIsDamaged(t *testing.T) {
	t.Parallel()
	s := damaged(t, func(tx *bbolt.Tx) error {
		rows := tx.Bucket([]byte(rowsBucket))
		return rows.Put(second(), append([]byte(nil), rows.Get(bolt.SequenceKey(1))...))
	})
	wantItems(t, s, 1, "1", "3")
}

// Its bytes are gone: to call it a duplicate would lose the delivery.
func TestPromise1_ADamagedItemThatComesAgainIsNew(t *testing.T) {
	t.Parallel()
	s := damaged(t, spoiled)
	end, err := s.End()
	if err != nil {
		t.Fatal(err)
	}
	if created, err := s.Put(t.Context(), indexed(damagedItem.SK)); !created || err != nil {
		t.Fatalf("Put = %t, %v, want true, nil", created, err)
	}
	wantItems(t, s, 0, "1", "2", "3")
	if diff := cmp.Diff([]string{"2"}, keysOf(read(t, s, end, 0))); diff != "" {
		t.Errorf("feed (-want +got):\n%s", diff)
	}
}

func TestADamagedItemIsReplacedByAnUpdate(t *testing.T) {
	t.Parallel()
	s := damaged(t, spoiled)
	item := indexed(damagedItem.SK)
	item[table.Version] = attr.Number("1")
	// Whoever has read it before it was damaged is told as of one that is gone. It stays to be seen.
	if updated, err := s.Update(t.Context(), item, table.Unversioned); updated || err != nil {
		t.Errorf("Update of what was read = %t, %v, want false, nil", updated, err)
	}
	wantItems(t, s, 1, "1", "3")
	if updated, err := s.Update(t.Context(), item, 0); !updated || err != nil {
		t.Errorf("Update = %t, %v, want true, nil", updated, err)
	}
	wantItems(t, s, 0, "1", "2", "3")
}

func TestADamagedItemCanBeDeleted(t *testing.T) {
	t.Parallel()
	s := damaged(t, spoiled)
	if err := s.Delete(t.Context(), damagedItem); err != nil {
		t.Fatal(err)
	}
	wantItems(t, s, 0, "1", "3")
	if page, err := s.Scan(t.Context(), "", ""); len(page.Items) != 2 || page.Damaged != 0 || err != nil {
		t.Errorf("Scan: %d items, %d damaged, %v", len(page.Items), page.Damaged, err)
	}
}

func TestASweepLeavesTheKeyOfAnotherRow(t *testing.T) {
	t.Parallel()
	gone := indexed("2")
	gone[table.ExpiresAt] = attr.Number("1")
	record, err := bolt.EncodeRecord(gone)
	if err != nil {
		t.Fatal(err)
	}
	s := damaged(t, func(tx *bbolt.Tx) error { return tx.Bucket([]byte(rowsBucket)).Put(bolt.SequenceKey(9), record) })
	if deleted, err := s.Sweep(t.Context()); deleted != 1 || err != nil {
		t.Errorf("Sweep = %d, %v, want 1", deleted, err)
	}
	wantPages(t, s, table.Query{Partition: "CALL#1"}, 0, []string{"1", "2", "3"})
}
