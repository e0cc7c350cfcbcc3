package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

var updateChecks = []check{
	{"Update writes an item that is not there, and replaces the version named", func(t *testing.T, s table.Store) {
		first := versioned(1, table.Item{"name": str("first"), "only_first": str("1")})
		second := versioned(2, table.Item{"name": str("second")})
		wantUpdate(t, s, first, 0, true)
		wantItems(t, s, table.Query{Partition: "CALLER#+1"}, first)
		wantUpdate(t, s, second, 1, true)
		wantItems(t, s, table.Query{Partition: "CALLER#+1"}, second)
	}},

	{"Delete takes an item out of the table and its indexes, and another can be written", func(t *testing.T, s table.Store) {
		eraser, ok := s.(table.Eraser)
		if !ok {
			t.Fatal("nothing can be deleted")
		}
		item := newItem("CALLER#+1", "CONTACT#1", inGSI1("PHONE#+1", "a"))
		put(t, s, item)
		put(t, s, newItem("CALLER#+1", "CONTACT#2"))
		for range 2 { // what is not there is as good as deleted
			if err := eraser.Delete(t.Context(), table.KeyOf(item)); err != nil {
				t.Error(err)
			}
		}
		wantItems(t, s, table.Query{Partition: "CALLER#+1"}, newItem("CALLER#+1", "CONTACT#2"))
		wantEventually(t, s, table.Query{Index: table.GSI1, Partition: "PHONE#+1"})
		put(t, s, item)
		wantItems(t, s, table.Query{Partition: "CALLER#+1", SortPrefix: "CONTACT#1"}, item)
	}},

	{"an Update of another version than the stored one changes nothing", func(t *testing.T, s table.Store) {
		wantUpdate(t, s, versioned(2), 1, false)
		wantItems(t, s, table.Query{Partition: "CALLER#+1"})

		stored := versioned(1, table.Item{"name": str("stored")})
		wantUpdate(t, s, stored, 0, true)
		for _, was := range []int64{0, 2, 9} {
			wantUpdate(t, s, versioned(was+1, inGSI1("PHONE#+2", "1")), was, false)
		}
		wantItems(t, s, table.Query{Partition: "CALLER#+1"}, stored)
		wantItems(t, s, table.Query{Index: table.GSI1, Partition: "PHONE#+2"})
	}},

	{"an item without a version is never replaced", func(t *testing.T, s table.Store) {
		stored := newItem("CALLER#+1", "CONTACT#1", table.Item{"name": str("stored")})
		put(t, s, stored)
		wantUpdate(t, s, versioned(1), 0, false)
		wantUpdate(t, s, versioned(2), 1, false)
		wantItems(t, s, table.Query{Partition: "CALLER#+1"}, stored)
	}},

	{"an item without a version is replaced where it is named so", func(t *testing.T, s table.Store) {
		wantUpdate(t, s, versioned(1), table.Unversioned, false)
		wantItems(t, s, table.Query{Partition: "CALLER#+1"})
		put(t, s, newItem("CALLER#+1", "CONTACT#1", inGSI1("PHONE#+1", "a")))
		first := versioned(1, inGSI1("PHONE#+2", "a"))
		wantUpdate(t, s, first, table.Unversioned, true)
		wantUpdate(t, s, versioned(1), table.Unversioned, false)
		wantItems(t, s, table.Query{Partition: "CALLER#+1"}, first)
		wantEventually(t, s, table.Query{Index: table.GSI1, Partition: "PHONE#+1"})
		wantEventually(t, s, table.Query{Index: table.GSI1, Partition: "PHONE#+2"}, first)
	}},

	{"Put does not replace what Update wrote, and Update does not replace another key", func(t *testing.T, s table.Store) {
		stored := versioned(1, table.Item{"name": str("stored")})
		wantUpdate(t, s, stored, 0, true)
		if created, err := s.Put(t.Context(), versioned(1)); created || err != nil {
			t.Errorf("Put = %t, %v, want false, nil", created, err)
		}
		other := versioned(1)
		other[table.SK] = str("CONTACT#10")
		wantUpdate(t, s, other, 0, true)
		wantItems(t, s, table.Query{Partition: "CALLER#+1"}, stored, other)
	}},

	{"an item whose version does not follow is refused", func(t *testing.T, s table.Store) {
		for _, c := range []struct {
			version attr.Value
			was     int64
		}{
			{nil, 0},
			{num("0"), 0},
			{num("2"), 0},
			{num("1.0"), 0},
			{num("01"), 0},
			{str("1"), 0},
			{attr.List{num("1")}, 0},
			{num("0"), table.Unversioned},
			{nil, table.Unversioned},
			{num("2"), table.Unversioned},
			{num("1"), -2},
			{num("1"), 1},
			{num("3"), 1},
		} {
			item := newItem("CALLER#+1", "CONTACT#1", table.Item{table.Version: c.version})
			if updated, err := s.Update(t.Context(), item, c.was); updated || !errors.Is(err, table.ErrVersion) {
				t.Errorf("Update(version %v, was %d) = %t, %v, want false, %v", c.version, c.was, updated, err, table.ErrVersion)
			}
		}
		wantItems(t, s, table.Query{Partition: "CALLER#+1"})
	}},

	{"Update refuses what Put refuses", func(t *testing.T, s table.Store) {
		large := sized("CALLER#+1", table.MaxItemSize, str)
		large[table.Version] = num("1")
		for _, c := range []struct {
			item table.Item
			want error
		}{
			{large, table.ErrTooLarge},
			{newItem("", "CONTACT#1", table.Item{table.Version: num("1")}), table.ErrKey},
			{versioned(1, inGSI1("", "1")), table.ErrKey},
			{versioned(1, table.Item{"value": num("NaN")}), table.ErrValue},
		} {
			if updated, err := s.Update(t.Context(), c.item, 0); updated || !errors.Is(err, c.want) {
				t.Errorf("Update(%.200v) = %t, %v, want false, %v", c.item, updated, err, c.want)
			}
		}
		wantItems(t, s, table.Query{Partition: "CALLER#+1"})
	}},

	{"an Update in a context that has ended is an error, and nothing is written", func(t *testing.T, s table.Store) {
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		late, cancelLate := context.WithTimeout(t.Context(), -time.Second)
		defer cancelLate()
		for range 10 {
			if updated, err := s.Update(cancelled, versioned(1), 0); updated || !errors.Is(err, context.Canceled) {
				t.Errorf("Update = %t, %v, want false, %v", updated, err, context.Canceled)
			}
			if updated, err := s.Update(late, versioned(1), 0); updated || !errors.Is(err, table.ErrUnavailable) {
				t.Errorf("Update = %t, %v, want false, %v", updated, err, table.ErrUnavailable)
			}
		}
		wantItems(t, s, table.Query{Partition: "CALLER#+1"})
	}},

	{"of 200 concurrent updates of one version exactly one wins, with its content", func(t *testing.T, s table.Store) {
		for was := range int64(2) {
			var winners atomic.Int64
			var winner atomic.Value
			concurrently(func(i int) {
				item := versioned(was+1, table.Item{"writer": num(fmt.Sprint(i))})
				updated, err := s.Update(t.Context(), item, was)
				if err != nil {
					t.Errorf("writer %d: %v", i, err)
				}
				if updated {
					winners.Add(1)
					winner.Store(item)
				}
			})
			if n := winners.Load(); n != 1 {
				t.Fatalf("%d of %d writers of version %d won, want 1", n, writers, was+1)
			}
			wantItems(t, s, table.Query{Partition: "CALLER#+1"}, winner.Load().(table.Item))
		}
	}},

	{"writers that read and update until they win lose nothing", func(t *testing.T, s table.Store) {
		const few = 20 // each conflict is a call more
		concurrently(func(i int) {
			if i >= few {
				return
			}
			for {
				item, was := versioned(1), int64(0)
				for stored, err := range table.All(t.Context(), s, table.Query{Partition: "CALLER#+1"}) {
					if err != nil {
						t.Error(err)
						return
					}
					item, was = maps.Clone(stored), versionOf(stored)
				}
				item[fmt.Sprintf("writer_%d", i)] = attr.Bool(true)
				item[table.Version] = num(strconv.FormatInt(was+1, 10))
				updated, err := s.Update(t.Context(), item, was)
				if err != nil {
					t.Error(err)
					return
				}
				if updated {
					return
				}
			}
		})
		want := versioned(few)
		for i := range few {
			want[fmt.Sprintf("writer_%d", i)] = attr.Bool(true)
		}
		wantItems(t, s, table.Query{Partition: "CALLER#+1"}, want)
	}},

	{"the indexes follow an update", func(t *testing.T, s table.Store) {
		gsi1 := func(partition string) table.Query { return table.Query{Index: table.GSI1, Partition: partition} }
		first := versioned(1, inGSI1("PHONE#+1", "a"), inGSI2("ALERT#1", "a"))
		wantUpdate(t, s, first, 0, true)
		wantEventually(t, s, gsi1("PHONE#+1"), first)

		moved := versioned(2, inGSI1("PHONE#+1", "b"), inGSI2("ALERT#1", "a"))
		wantUpdate(t, s, moved, 1, true)
		wantEventually(t, s, gsi1("PHONE#+1"), moved)

		elsewhere := versioned(3, inGSI1("PHONE#+2", "b"), table.Item{table.Kind: str("call")})
		wantUpdate(t, s, elsewhere, 2, true)
		wantEventually(t, s, gsi1("PHONE#+1"))
		wantEventually(t, s, table.Query{Index: table.GSI2, Partition: "ALERT#1"})
		wantEventually(t, s, gsi1("PHONE#+2"), elsewhere)

		changed := versioned(4, inGSI1("PHONE#+2", "b"), table.Item{table.Kind: str("message")})
		wantUpdate(t, s, changed, 3, true)
		wantEventually(t, s, gsi1("PHONE#+2"), changed)
	}},
}

// versioned returns a version of one item.
func versioned(version int64, others ...table.Item) table.Item {
	return newItem("CALLER#+1", "CONTACT#1", append(others, table.Item{table.Version: num(strconv.FormatInt(version, 10))})...)
}

func versionOf(item table.Item) int64 {
	n, _ := strconv.ParseInt(numberOf(item, table.Version), 10, 64)
	return n
}

func numberOf(item table.Item, name string) string {
	number, _ := item[name].(attr.Number)
	return string(number)
}

func wantUpdate(t *testing.T, s table.Store, item table.Item, was int64, want bool) {
	t.Helper()
	if updated, err := s.Update(t.Context(), item, was); updated != want || err != nil {
		t.Fatalf("Update(was %d) = %t, %v, want %t, nil", was, updated, err, want)
	}
}

// wantEventually is [wantItems] for an index, which may lag behind with what was
// updated. It holds of each item what the template projects into it.
func wantEventually(t *testing.T, s table.Store, q table.Query, want ...table.Item) {
	t.Helper()
	for i, item := range want {
		want[i] = inIndex(q.Index, item)
	}
	deadline := time.After(indexLag)
	for {
		diff := diffItems(want, readOnce(t, s, q))
		if diff == "" {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("items of %+v (-want +got):\n%s", q, diff)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
