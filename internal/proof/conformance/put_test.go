package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// writers is how many goroutines write at once.
const writers = 200

var putChecks = []check{
	{"Put stores an item that is not there", func(t *testing.T, s table.Store) {
		item := newItem("CALL#1", "EVENT#1", table.Item{"event": str("call.missed")})
		put(t, s, item)
		wantItems(t, s, table.Query{Partition: "CALL#1"}, item)
	}},

	{"a second Put of a key changes nothing", func(t *testing.T, s table.Store) {
		first := newItem("CALL#1", "EVENT#1", inGSI1("PHONE#+1", "1"), table.Item{"kind": str("first")})
		second := newItem("CALL#1", "EVENT#1", inGSI1("PHONE#+2", "2"), table.Item{"kind": str("second")})
		put(t, s, first)
		for range 2 {
			created, err := s.Put(t.Context(), second)
			if created || err != nil {
				t.Fatalf("second Put = %t, %v, want false, nil", created, err)
			}
		}
		wantItems(t, s, table.Query{Partition: "CALL#1"}, first)
		wantItems(t, s, table.Query{Index: table.GSI1, Partition: "PHONE#+1"}, first)
		wantItems(t, s, table.Query{Index: table.GSI1, Partition: "PHONE#+2"})
	}},

	{"of 200 concurrent writers of one key exactly one wins, with its content", func(t *testing.T, s table.Store) {
		var winners atomic.Int64
		var winner atomic.Value
		concurrently(func(i int) {
			item := newItem("CALL#1", "EVENT#1", table.Item{"writer": num(fmt.Sprint(i))})
			created, err := s.Put(t.Context(), item)
			if err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
			if created {
				winners.Add(1)
				winner.Store(item)
			}
		})
		if n := winners.Load(); n != 1 {
			t.Fatalf("%d of %d writers won, want 1", n, writers)
		}
		wantItems(t, s, table.Query{Partition: "CALL#1"}, winner.Load().(table.Item))
	}},

	{"200 concurrent writers of different keys all win", func(t *testing.T, s table.Store) {
		var want []string
		for i := range writers {
			want = append(want, fmt.Sprintf("EVENT#%03d", i))
		}
		concurrently(func(i int) {
			item := newItem("CALL#1", want[i], inGSI1("PHONE#+1", "same"))
			if created, err := s.Put(t.Context(), item); !created || err != nil {
				t.Errorf("writer %d: Put = %t, %v, want true, nil", i, created, err)
			}
		})
		wantSortKeys(t, s, table.Query{Partition: "CALL#1"}, want...)
		if n := len(readAll(t, s, table.Query{Index: table.GSI1, Partition: "PHONE#+1"}, writers)); n != writers {
			t.Errorf("%d items in the index, want %d", n, writers)
		}
	}},

	{"keys are compared whole and apart", func(t *testing.T, s table.Store) {
		put(t, s, newItem("a", "bc"), newItem("ab", "c"), newItem("a", "b"), newItem("A", "b"), newItem("a#b", "c"))
		wantSortKeys(t, s, table.Query{Partition: "a"}, "b", "bc")
		wantSortKeys(t, s, table.Query{Partition: "ab"}, "c")
	}},

	{"an item of exactly 400 KB is stored, one byte more is refused", func(t *testing.T, s table.Store) {
		fits := sized("CALL#1", table.MaxItemSize, str)
		nested := sized("CALL#2", table.MaxItemSize, func(s string) attr.Value {
			return attr.Map{"list": attr.List{str(s), num("-12.5"), attr.Bool(true)}}
		})
		binary := sized("CALL#3", table.MaxItemSize, bin)
		put(t, s, fits, nested, binary)
		wantItems(t, s, table.Query{Partition: "CALL#1"}, fits)
		wantItems(t, s, table.Query{Partition: "CALL#2"}, nested)
		wantItems(t, s, table.Query{Partition: "CALL#3"}, binary)

		wantPutError(t, s, sized("CALL#4", table.MaxItemSize+1, str), table.ErrTooLarge)
		wantPutError(t, s, sized("CALL#4", table.MaxItemSize+1, bin), table.ErrTooLarge)
		wantItems(t, s, table.Query{Partition: "CALL#4"})
	}},

	{"unusable keys are refused", func(t *testing.T, s table.Store) {
		long := func(n int) string { return strings.Repeat("k", n) }
		longest := newItem(long(table.MaxPartitionKey), long(table.MaxSortKey),
			inGSI1(long(table.MaxPartitionKey), long(table.MaxSortKey)))
		put(t, s, longest)
		wantSortKeys(t, s, table.Query{Partition: long(table.MaxPartitionKey)}, long(table.MaxSortKey))

		for _, item := range []table.Item{
			nil,
			{table.PK: str("CALL#1")},
			{table.SK: str("EVENT#1")},
			newItem("", "EVENT#1"),
			newItem("CALL#1", ""),
			newItem(long(table.MaxPartitionKey+1), "EVENT#1"),
			newItem("CALL#1", long(table.MaxSortKey+1)),
			newItem("CALL#\xff", "EVENT#1"),
			newItem("CALL#1", "EVENT#1", table.Item{table.PK: num("1")}),
			newItem("CALL#1", "EVENT#1", table.Item{table.SK: bin("1")}),
			newItem("CALL#1", "EVENT#1", table.Item{table.SK: nil}),
			newItem("CALL#1", "EVENT#1", inGSI1("", "1")),
			newItem("CALL#1", "EVENT#1", inGSI1("PHONE#+1", "")),
			newItem("CALL#1", "EVENT#1", inGSI2(long(table.MaxPartitionKey+1), "1")),
			newItem("CALL#1", "EVENT#1", inGSI2("ALERT#1", long(table.MaxSortKey+1))),
			newItem("CALL#1", "EVENT#1", table.Item{table.GSI1PK: num("1"), table.OccurredAt: str("1")}),
		} {
			wantPutError(t, s, item, table.ErrKey)
		}
		wantItems(t, s, table.Query{Partition: "CALL#1"})
	}},

	{"unusable values are refused", func(t *testing.T, s table.Store) {
		deep := str("end")
		for range 33 {
			deep = attr.List{deep}
		}
		for _, v := range []attr.Value{
			nil,
			str("\xff"),
			num(""), num("one"), num("1e126"), num("-1e-131"), num("NaN"), num("0x1"), num("1_0"), num(".5."),
			num("123456789012345678901234567890123456789"), // 39 digits
			attr.Map{"": str("nameless")},
			deep,
		} {
			wantPutError(t, s, newItem("CALL#1", "EVENT#1", table.Item{"value": v}), table.ErrValue)
		}
		wantItems(t, s, table.Query{Partition: "CALL#1"})
	}},

	{"a context that has ended is an error, and nothing is written", func(t *testing.T, s table.Store) {
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		late, cancelLate := context.WithTimeout(t.Context(), -time.Second)
		defer cancelLate()
		put(t, s, newItem("CALL#1", "EVENT#2"))

		for _, c := range []struct {
			ctx  context.Context
			want error
		}{
			{cancelled, context.Canceled},
			{late, context.DeadlineExceeded},
			{late, table.ErrUnavailable},
		} {
			for range 10 {
				if created, err := s.Put(c.ctx, newItem("CALL#1", "EVENT#1")); created || !errors.Is(err, c.want) {
					t.Errorf("Put = %t, %v, want false, %v", created, err, c.want)
				}
			}
		}
		for _, c := range []struct {
			ctx  context.Context
			want error
		}{
			{cancelled, context.Canceled},
			{late, table.ErrUnavailable},
		} {
			if _, err := s.Query(c.ctx, table.Query{Partition: "CALL#1"}); !errors.Is(err, c.want) {
				t.Errorf("Query: %v, want %v", err, c.want)
			}
		}
		wantSortKeys(t, s, table.Query{Partition: "CALL#1"}, "EVENT#2")
	}},
}

// concurrently calls f for each writer, all at once, and waits for them.
func concurrently(f func(writer int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range writers {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

// sized returns an item of a size, padded within the value that wrap makes.
func sized(pk string, size int, wrap func(string) attr.Value) table.Item {
	padded := func(n int) table.Item {
		return newItem(pk, "EVENT#1", table.Item{"payload": wrap(strings.Repeat("x", n))})
	}
	return padded(size - table.Size(padded(0)))
}

// wantPutError checks how an item is refused, and that the message does not
// tell what is in it.
func wantPutError(t *testing.T, s table.Store, item table.Item, want error) {
	t.Helper()
	created, err := s.Put(t.Context(), item)
	if created || !errors.Is(err, want) {
		t.Errorf("Put(%.200v) = %t, %v, want false, %v", item, created, err, want)
		return
	}
	for _, secret := range []string{"CALL#", "EVENT#", "PHONE#", "nameless", "kkk", "xxx", "NaN"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("error %q tells content", err)
		}
	}
}
