package conformance_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/table"
)

var queryChecks = []check{
	{"a partition that is not there is an empty last page", func(t *testing.T, s table.Store) {
		for _, index := range append(table.Indexes(), table.Base) {
			page, err := s.Query(t.Context(), table.Query{Index: index, Partition: "CALL#1"})
			if err != nil || len(page.Items) > 0 || page.Next != "" {
				t.Errorf("Query(%q) = %d items, next %q, %v", index, len(page.Items), page.Next, err)
			}
		}
	}},

	{"a partition comes in the byte order of its sort keys, alone", func(t *testing.T, s table.Store) {
		// U+FFFD sorts before U+1F600 as UTF-8, and behind it as UTF-16.
		want := []string{"\x00", "\x00a", "\x01", " ", "!", "10", "9", "A", "a", "a\x00", "a\x00\x00", "a\x01", "aa", "ab", "é", "\uFFFD", "😀"}
		for _, sk := range shuffled(want) {
			put(t, s, newItem("P", sk), newItem("P\x00", sk), newItem("PP", sk), newItem("O", sk))
		}
		wantSortKeys(t, s, table.Query{Partition: "P"}, want...)
		wantSortKeys(t, s, table.Query{Partition: "P\x00"}, want...)
		wantSortKeys(t, s, table.Query{Partition: "P", NewestFirst: true}, reversed(want)...)
	}},

	{"a prefix narrows the sort key", func(t *testing.T, s table.Store) {
		all := []string{"ALERT#1", "EVENT", "EVENT#", "EVENT#1", "EVENT#10", "EVENT#1\x00", "EVENT#2", "EVENT$", "EVENTS", "😀", "😀a", "😁"}
		for _, sk := range all {
			put(t, s, newItem("P", sk), newItem("Q", sk))
		}
		for _, prefix := range []string{"", "EVENT", "EVENT#", "EVENT#1", "EVENT#1\x00", "😀", "none", "F"} {
			var want []string
			for _, sk := range slices.Sorted(slices.Values(all)) {
				if strings.HasPrefix(sk, prefix) {
					want = append(want, sk)
				}
			}
			wantSortKeys(t, s, table.Query{Partition: "P", SortPrefix: prefix}, want...)
			wantSortKeys(t, s, table.Query{Partition: "P", SortPrefix: prefix, NewestFirst: true}, reversed(want)...)
		}
	}},

	{"bounds narrow the sort key and include themselves", func(t *testing.T, s table.Store) {
		for _, sk := range []string{"a", "b", "b\x00", "bb", "c", "d"} {
			put(t, s, newItem("P", sk), newItem("Q", sk))
		}
		for _, c := range []struct {
			from, to string
			want     []string
		}{
			{"b", "c", []string{"b", "b\x00", "bb", "c"}},
			{"b", "b", []string{"b"}},
			{"b\x00", "bb", []string{"b\x00", "bb"}},
			{"bbb", "", []string{"c", "d"}},
			{"", "bb", []string{"a", "b", "b\x00", "bb"}},
			{"", "A", nil},
			{"e", "", nil},
		} {
			wantSortKeys(t, s, table.Query{Partition: "P", From: c.from, To: c.to}, c.want...)
			wantSortKeys(t, s, table.Query{Partition: "P", From: c.from, To: c.to, NewestFirst: true}, reversed(c.want)...)
		}
	}},

	{"pages of any size cover a partition exactly once, in both directions", func(t *testing.T, s table.Store) {
		var all []string
		for i := range 13 {
			all = append(all, fmt.Sprintf("EVENT#%02d", i))
		}
		for _, sk := range append(slices.Clone(all), "A", "Z") {
			put(t, s, newItem("P", sk))
		}
		for _, limit := range []int{1, 2, 3, 12, 13, 14, 1000} {
			prefix := table.Query{Partition: "P", SortPrefix: "EVENT#", Limit: limit}
			bounds := table.Query{Partition: "P", From: all[0], To: all[12], Limit: limit}
			for _, q := range []table.Query{prefix, bounds} {
				wantSortKeys(t, s, q, all...)
				q.NewestFirst = true
				wantSortKeys(t, s, q, reversed(all)...)
			}
		}
	}},

	{"a page continues behind keys that were written meanwhile", func(t *testing.T, s table.Store) {
		put(t, s, newItem("P", "b"), newItem("P", "d"))
		q := table.Query{Partition: "P", Limit: 1}
		page, err := s.Query(t.Context(), q)
		if err != nil || page.Next == "" {
			t.Fatalf("first page: next %q, %v", page.Next, err)
		}
		put(t, s, newItem("P", "a"), newItem("P", "c"), newItem("P", "e"))
		q.After = page.Next
		wantSortKeys(t, s, q, "c", "d", "e")
	}},

	{"pages of large items end at 1 MB and lose nothing", func(t *testing.T, s table.Store) {
		var all []string
		for i := range 9 {
			sk := fmt.Sprint(i)
			all = append(all, sk)
			put(t, s, newItem("P", sk, table.Item{"payload": str(strings.Repeat("x", 300_000))}))
		}
		for _, limit := range []int{0, 8, 100} {
			q := table.Query{Partition: "P", Limit: limit}
			page, err := s.Query(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(page.Items); n > 5 || page.Next == "" {
				t.Errorf("first page has %d items of 300 KB, next %q", n, page.Next)
			}
			wantSortKeys(t, s, q, all...)
			q.NewestFirst = true
			wantSortKeys(t, s, q, reversed(all)...)
		}
	}},

	{"times sort from the year 0001 to the year 9999", func(t *testing.T, s table.Store) {
		times := []time.Time{
			time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC),
			time.Date(999, 12, 31, 23, 59, 59, 999e6, time.UTC),
			time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC),
			time.Date(2024, 9, 9, 9, 9, 9, 9e6, time.UTC),
			time.Date(2024, 9, 9, 9, 9, 9, 10e6, time.UTC),
			time.Date(2024, 10, 1, 0, 0, 0, 0, time.UTC),
			time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC),
		}
		var want []string
		for _, at := range times {
			want = append(want, at.Format("2006-01-02T15:04:05.000Z"))
		}
		for _, sk := range shuffled(want) {
			put(t, s, newItem("CALL#1", sk, inGSI1("PHONE#+1", sk)))
		}
		wantSortKeys(t, s, table.Query{Partition: "CALL#1"}, want...)
		wantSortKeys(t, s, table.Query{Index: table.GSI1, Partition: "PHONE#+1", NewestFirst: true}, reversed(want)...)
		wantSortKeys(t, s, table.Query{Partition: "CALL#1", From: want[1], To: want[3]}, want[1:4]...)
	}},

	{"All yields everything and stops when told", func(t *testing.T, s table.Store) {
		put(t, s, newItem("P", "1"), newItem("P", "2"), newItem("P", "3"))
		read := func(q table.Query, stop int) (got []string) {
			for item, err := range table.All(t.Context(), s, q) {
				if err != nil {
					t.Fatal(err)
				}
				if got = append(got, sortKeys([]table.Item{item})...); len(got) == stop {
					break
				}
			}
			return got
		}
		if diff := cmp.Diff([]string{"1", "2", "3"}, read(table.Query{Partition: "P", Limit: 1}, 0)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"1", "2"}, read(table.Query{Partition: "P", Limit: 2}, 2)); diff != "" {
			t.Error(diff)
		}
		for _, err := range table.All(t.Context(), s, table.Query{}) {
			if !errors.Is(err, table.ErrQuery) {
				t.Errorf("All of no partition: %v, want %v", err, table.ErrQuery)
			}
		}
	}},

	{"unusable queries are refused", func(t *testing.T, s table.Store) {
		put(t, s, newItem("P", "a1", inGSI1("P", "a1")), newItem("P", "a2", inGSI1("P", "a2")), newItem("P", "b1"))
		page, err := s.Query(t.Context(), table.Query{Partition: "P", SortPrefix: "a", Limit: 1})
		if err != nil || page.Next == "" {
			t.Fatalf("first page: next %q, %v", page.Next, err)
		}
		for _, q := range []table.Query{
			{},
			{Index: "GSI9", Partition: "P"},
			{Partition: "P", SortPrefix: "a", From: "a"},
			{Partition: "P", SortPrefix: "a", To: "a"},
			{Partition: "P", From: "b", To: "a"},
			{Partition: "P", Limit: -1},
			{Partition: "P\xff"},
			{Partition: strings.Repeat("P", table.MaxPartitionKey+1)},
			{Partition: "P", SortPrefix: strings.Repeat("P", table.MaxSortKey+1)},
			{Partition: "P", After: "garbage"},
			{Partition: "P", After: page.Next + "AA"},
			{Partition: "P", After: page.Next[:len(page.Next)/2]},
			{Partition: "Q", After: page.Next},
			{Partition: "P", After: page.Next, SortPrefix: "b"},
			{Partition: "P", After: page.Next, From: "b"},
			{Partition: "P", After: page.Next, To: "a"},
			{Partition: "P", After: page.Next, Index: table.GSI1},
		} {
			if _, err := s.Query(t.Context(), q); !errors.Is(err, table.ErrQuery) {
				t.Errorf("Query(%.100v): %v, want %v", q, err, table.ErrQuery)
			}
		}
	}},
}

func reversed(s []string) []string {
	r := slices.Clone(s)
	slices.Reverse(r)
	return r
}

// shuffled returns s in an order that is neither ascending nor descending, the
// same each time.
func shuffled(s []string) []string {
	var r []string
	for i := range s {
		if i%2 == 0 {
			r = append(r, s[i])
		} else {
			r = append([]string{s[i]}, r...)
		}
	}
	return r
}
