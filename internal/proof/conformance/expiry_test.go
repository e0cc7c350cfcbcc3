package conformance_test

import (
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/table"
)

// expires returns the attribute of an item that expires so long from now.
func expires(in time.Duration) table.Item {
	return table.Item{table.ExpiresAt: num(strconv.FormatInt(time.Now().Add(in).Unix(), 10))}
}

var (
	past   = func() table.Item { return expires(-time.Minute) }
	future = func() table.Item { return expires(time.Hour) }
)

var expiryChecks = []check{
	{"nothing returns what has expired", func(t *testing.T, s table.Store) {
		put(t, s,
			newItem("CALL#1", "1", inGSI1("PHONE#+1", "1"), inGSI2("ALERT#1", "1"), waiting("1"), past()),
			newItem("CALL#1", "2", inGSI1("PHONE#+1", "2"), inGSI2("ALERT#1", "2"), waiting("2"), future()),
			newItem("CALL#1", "3", inGSI1("PHONE#+1", "3"), inGSI2("ALERT#1", "3"), waiting("3"), past()),
			newItem("CALL#1", "4", inGSI1("PHONE#+1", "4"), inGSI2("ALERT#1", "4"), waiting("4")),
		)
		for _, q := range []table.Query{
			{Partition: "CALL#1"},
			{Index: table.GSI1, Partition: "PHONE#+1"},
			{Index: table.GSI2, Partition: "ALERT#1"},
			{Index: table.GSI3, Partition: "WAITING"},
		} {
			wantSortKeys(t, s, q, "2", "4")
			for _, q.Limit = range []int{1, 2, 3} {
				wantSortKeys(t, s, q, "2", "4")
			}
			q.NewestFirst = true
			wantSortKeys(t, s, q, "4", "2")
		}
		var found []string
		for item, err := range table.ScanAll(t.Context(), s, "", "") {
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, table.KeyOf(item).SK)
		}
		if slices.Sort(found); !slices.Equal(found, []string{"2", "4"}) {
			t.Errorf("a scan found %q", found)
		}
	}},

	{"another item is put in the place of one that has expired", func(t *testing.T, s table.Store) {
		put(t, s, newItem("CALL#1", "1", inGSI1("PHONE#+1", "1"), past()))
		again := newItem("CALL#1", "1", inGSI1("PHONE#+2", "1"), future())
		put(t, s, again)
		if created, err := s.Put(t.Context(), newItem("CALL#1", "1")); created || err != nil {
			t.Errorf("Put = %t, %v in place of what has not expired, want false, nil", created, err)
		}
		wantItems(t, s, table.Query{Partition: "CALL#1"}, again)
		wantSortKeys(t, s, table.Query{Index: table.GSI1, Partition: "PHONE#+1"})
		wantSortKeys(t, s, table.Query{Index: table.GSI1, Partition: "PHONE#+2"}, "1")
	}},

	{"what has expired is updated as if it were new", func(t *testing.T, s table.Store) {
		wantUpdate(t, s, versioned(1, past()), 0, true)
		first := versioned(1, future())
		wantUpdate(t, s, first, 0, true)
		wantUpdate(t, s, versioned(1), 0, false)
		wantItems(t, s, table.Query{Partition: "CALLER#+1"}, first)
	}},

	{"an item expires so long after it was written last", func(t *testing.T, s table.Store) {
		const days = 30
		kept := table.Retention(days).Store(s)
		soon, late := time.Now().Add(days*24*time.Hour).Unix(), time.Now().Add((days*24+1)*time.Hour).Unix()
		at := func(item table.Item) int64 {
			n, _ := strconv.ParseInt(numberOf(item, table.ExpiresAt), 10, 64)
			return n
		}
		event := newItem("CALL#1", "1")
		for _, item := range []table.Item{event, newItem("CALL#1", "2", future()), newItem("CALL#1", "3", expires(1000*24*time.Hour))} {
			if created, err := kept.Put(t.Context(), item); !created || err != nil {
				t.Fatalf("Put = %t, %v", created, err)
			}
		}
		if _, changed := event[table.ExpiresAt]; changed {
			t.Error("Put changed the item that it was given")
		}
		for i, item := range readOnce(t, s, table.Query{Partition: "CALL#1"}) {
			if in := at(item); (i != 1) != (soon <= in && in <= late) {
				t.Errorf("item %d expires at %d, now and %d days is %d", i+1, in, days, soon)
			}
		}
		first := versioned(1, future())
		if updated, err := kept.Update(t.Context(), first, 0); !updated || err != nil {
			t.Fatalf("Update = %t, %v", updated, err)
		}
		for _, item := range readOnce(t, s, table.Query{Partition: "CALLER#+1"}) {
			if in := at(item); in < soon || in > late {
				t.Errorf("an updated item expires at %d, now and %d days is %d", in, days, soon)
			}
		}
		forever := maps.Clone(event)
		forever[table.SK] = str("4")
		if created, err := table.Retention(0).Store(s).Put(t.Context(), forever); !created || err != nil {
			t.Fatalf("Put = %t, %v", created, err)
		}
		wantItems(t, s, table.Query{Partition: "CALL#1", From: "4"}, forever)
	}},
}
