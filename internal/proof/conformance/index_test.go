package conformance_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/schema"
)

var indexChecks = []check{
	{"everything with a number comes newest first", func(t *testing.T, s table.Store) {
		put(t, s,
			newItem("CALL#1", "EVENT#1", inGSI1("PHONE#+1415", "2024-01-02T00:00:00.000Z#call.completed")),
			newItem("MESSAGE#7", "EVENT#2", inGSI1("PHONE#+1415", "2024-01-03T00:00:00.000Z#sms.received")),
			newItem("CONTACT#5", "EVENT#3", inGSI1("PHONE#+1415", "2024-01-01T00:00:00.000Z#contact.created")),
			newItem("CALL#2", "EVENT#4", inGSI1("PHONE#+14155", "2024-01-02T00:00:00.000Z#call.completed")),
			newItem("CALL#3", "EVENT#5"),
		)
		q := table.Query{Index: table.GSI1, Partition: "PHONE#+1415", NewestFirst: true}
		wantSortKeys(t, s, q, "EVENT#2", "EVENT#1", "EVENT#3")
		q.From, q.To = "2024-01-01", "2024-01-02~"
		wantSortKeys(t, s, q, "EVENT#1", "EVENT#3")
		q.Limit = 1
		wantSortKeys(t, s, q, "EVENT#1", "EVENT#3")
	}},

	{"a sparse index holds only the items with both of its keys", func(t *testing.T, s table.Store) {
		put(t, s,
			newItem("CALL#1", "both", inGSI2("FOLLOWUP#OPEN", "1")),
			newItem("CALL#2", "neither"),
			newItem("CALL#3", "partition", table.Item{table.GSI2PK: str("FOLLOWUP#OPEN")}),
			newItem("CALL#4", "sort", table.Item{table.OccurredAt: str("1")}),
			newItem("CALL#5", "other index", inGSI1("FOLLOWUP#OPEN", "1")),
		)
		wantSortKeys(t, s, table.Query{Index: table.GSI2, Partition: "FOLLOWUP#OPEN"}, "both")
		wantSortKeys(t, s, table.Query{Index: table.GSI1, Partition: "FOLLOWUP#OPEN"}, "other index")
		for i, sk := range []string{"both", "neither", "partition", "sort", "other index"} {
			wantSortKeys(t, s, table.Query{Partition: fmt.Sprintf("CALL#%d", i+1)}, sk)
		}
	}},

	{"an item is in every index", func(t *testing.T, s table.Store) {
		put(t, s,
			newItem("CALL#1", "1", inGSI1("PHONE#+1", "b"), inGSI2("ALERT#2024-01-01", "b"), waiting("a")),
			newItem("CALL#2", "2", inGSI1("PHONE#+1", "a"), inGSI2("ALERT#2024-01-01", "a"), waiting("b")),
		)
		wantSortKeys(t, s, table.Query{Index: table.GSI1, Partition: "PHONE#+1"}, "2", "1")
		wantSortKeys(t, s, table.Query{Index: table.GSI2, Partition: "ALERT#2024-01-01"}, "2", "1")
		wantSortKeys(t, s, table.Query{Index: table.GSI3, Partition: "WAITING"}, "1", "2")
	}},

	{"an index holds the keys and the attributes projected into it", func(t *testing.T, s table.Store) {
		item := newItem("CALL#1", "EVENT#1", inGSI1("PHONE#+1", "1"), inGSI2("ALERT#2024-01-01", "1"), waiting("1"),
			table.Item{"payload": bin("body"), "received_at": str("now"), "only_here": num("1")})
		for _, index := range schema.Events().Indexes {
			for _, name := range index.Include {
				item[name] = str("value of " + name)
			}
		}
		put(t, s, item)
		wantItems(t, s, table.Query{Partition: "CALL#1"}, item)

		for _, index := range schema.Events().Indexes {
			want := inIndex(table.Index(index.Name), item)
			partition := table.PositionOf(table.Index(index.Name), item).Partition
			wantItems(t, s, table.Query{Index: table.Index(index.Name), Partition: partition}, want)
		}
	}},

	{"pages of an index with equal sort keys cover it exactly once, in both directions", func(t *testing.T, s table.Store) {
		var all []string
		for i := range 11 {
			sk := fmt.Sprintf("%02d", i)
			all = append(all, sk)
			put(t, s, newItem(fmt.Sprintf("CALL#%d", i%4), sk, inGSI1("PHONE#+1", "2024-01-01#same")))
		}
		put(t, s,
			newItem("CALL#9", "first", inGSI1("PHONE#+1", "2024-01-01")),
			newItem("CALL#9", "last", inGSI1("PHONE#+1", "2024-01-02")))

		want := append(slices.Clone(all), "first", "last")
		for _, limit := range []int{0, 1, 2, 5, 12, 13, 14} {
			for _, newestFirst := range []bool{false, true} {
				q := table.Query{Index: table.GSI1, Partition: "PHONE#+1", Limit: limit, NewestFirst: newestFirst}
				got := sortKeys(readAll(t, s, q, len(want)))
				if len(got) != len(want) {
					t.Fatalf("limit %d, newest first %t: got %d items, want %d", limit, newestFirst, len(got), len(want))
				}
				first, last := got[0], got[len(got)-1]
				if newestFirst {
					first, last = last, first
				}
				if first != "first" || last != "last" {
					t.Errorf("limit %d, newest first %t: order %q", limit, newestFirst, got)
				}
				slices.Sort(got)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("limit %d, newest first %t (-want +got):\n%s", limit, newestFirst, diff)
				}
				q.SortPrefix = "2024-01-01#"
				if diff := cmp.Diff(all, slices.Sorted(slices.Values(sortKeys(readAll(t, s, q, len(all)))))); diff != "" {
					t.Errorf("with prefix, limit %d (-want +got):\n%s", limit, diff)
				}
			}
		}
	}},
}

// inIndex returns what an index holds of an item.
func inIndex(name table.Index, item table.Item) table.Item {
	want := table.Item{}
	for _, index := range schema.Events().Indexes {
		if index.Name != string(name) {
			continue
		}
		if index.All {
			return maps.Clone(item)
		}
		for _, attribute := range append([]string{table.PK, table.SK, index.Key.Partition, index.Key.Sort}, index.Include...) {
			if v, ok := item[attribute]; ok {
				want[attribute] = v
			}
		}
	}
	return want
}
