package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/table"
)

var scanChecks = []check{
	{"a scan of an empty table is empty", func(t *testing.T, s table.Store) {
		for _, prefix := range []string{"", "CONTACT#"} {
			if got := scan(t, s, prefix, ""); len(got) > 0 {
				t.Errorf("scan of %q: %q", prefix, got)
			}
		}
	}},

	{"a scan has every item whose partition has the prefix", func(t *testing.T, s table.Store) {
		partitions := []string{"\x00", "CALL#1", "CALLER#+1", "CONTACT", "CONTACT#", "CONTACT#1", "CONTACT#10", "CONTACT$", "~", "😀", "😁"}
		for i, pk := range shuffled(partitions) {
			put(t, s, newItem(pk, "b"), newItem(pk, "a", inGSI1("CONTACT#", fmt.Sprint(i))))
		}
		for _, prefix := range []string{"", "CONTACT#", "CONTACT", "CALL", "\x00", "😀", "none"} {
			want := []string{}
			for _, pk := range partitions {
				if strings.HasPrefix(pk, prefix) {
					want = append(want, pk+" a", pk+" b")
				}
			}
			got := scan(t, s, prefix, "")
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("scan of %q (-want +got):\n%s", prefix, diff)
			}
		}
	}},

	{"a scan continues behind any of its items", func(t *testing.T, s table.Store) {
		for i := range 12 {
			put(t, s, newItem(fmt.Sprintf("CONTACT#%d", i), "a"), newItem(fmt.Sprintf("CONTACT#%d", i), "b"), newItem(fmt.Sprintf("CALL#%d", i), "a"))
		}
		for _, prefix := range []string{"", "CONTACT#", "CALL#"} {
			all := scan(t, s, prefix, "")
			for i, key := range all {
				pk, sk, _ := strings.Cut(key, " ")
				after := table.PositionOf(table.Base, newItem(pk, sk)).Cursor()
				if diff := cmp.Diff(all[i+1:], scan(t, s, prefix, after)); diff != "" {
					t.Errorf("scan of %q behind %s (-want +got):\n%s", prefix, key, diff)
				}
			}
		}
	}},

	{"pages of a scan of large items end at 1 MB and lose nothing", func(t *testing.T, s table.Store) {
		want := []string{}
		for i := range 12 {
			pk := fmt.Sprintf("%s#%02d", []string{"CALL", "CONTACT"}[i%2], i)
			put(t, s, newItem(pk, "a", table.Item{"payload": str(strings.Repeat("x", 300<<10))}))
			if i%2 == 1 {
				want = append(want, pk+" a")
			}
		}
		page, err := s.Scan(t.Context(), "", "")
		if err != nil || len(page.Items) > 4 || page.Next == "" {
			t.Fatalf("first page has %d items of 300 KB, next %q, %v", len(page.Items), page.Next, err)
		}
		got := scan(t, s, "CONTACT#", "")
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got := scan(t, s, "", ""); len(got) != 12 {
			t.Errorf("%d items, want 12", len(got))
		}
	}},

	{"unusable scans are refused", func(t *testing.T, s table.Store) {
		put(t, s, newItem("P", "a", inGSI1("P", "a")), newItem("P", "b", inGSI1("P", "b")))
		index, err := s.Query(t.Context(), table.Query{Partition: "P", Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			prefix string
			after  table.Cursor
		}{
			{"\xff", ""},
			{strings.Repeat("P", table.MaxPartitionKey+1), ""},
			{"", "garbage"},
			{"", index.Next + "AA"},
			{"", table.Position{PK: "P", SK: "a"}.Cursor()},
			{"", table.PositionOf(table.GSI1, newItem("P", "a", inGSI1("P", "a"))).Cursor()},
			{"", table.PositionOf(table.Base, newItem("P", "")).Cursor()},
		} {
			if _, err := s.Scan(t.Context(), c.prefix, c.after); !errors.Is(err, table.ErrQuery) {
				t.Errorf("Scan(%.20q, %q): %v, want %v", c.prefix, c.after, err, table.ErrQuery)
			}
		}
	}},

	{"a scan in a context that has ended is an error", func(t *testing.T, s table.Store) {
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		late, cancelLate := context.WithTimeout(t.Context(), -time.Second)
		defer cancelLate()
		put(t, s, newItem("P", "a"))
		if _, err := s.Scan(cancelled, "", ""); !errors.Is(err, context.Canceled) {
			t.Errorf("Scan: %v, want %v", err, context.Canceled)
		}
		if _, err := s.Scan(late, "", ""); !errors.Is(err, table.ErrUnavailable) {
			t.Errorf("Scan: %v, want %v", err, table.ErrUnavailable)
		}
	}},
}

// scan returns the keys of all that a scan has, in its order.
func scan(t *testing.T, s table.Store, prefix string, after table.Cursor) []string {
	t.Helper()
	keys := []string{}
	for item, err := range table.ScanAll(t.Context(), s, prefix, after) {
		if err != nil {
			t.Fatalf("Scan(%q): %v", prefix, err)
		}
		key := table.KeyOf(item)
		keys = append(keys, key.PK+" "+key.SK)
	}
	return keys
}
