package lookup_test

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/proof/lookuptest"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
)

// eventsVariable is how many events the table of the benchmark has: 1000000 for the numbers in
// docs/benchmarks.md.
const eventsVariable = "RINGBACK_LOOKUP_EVENTS"

const (
	benchDays    = 365
	benchCallers = 20 // events of each caller
	benchWaiting = 500
)

// BenchmarkFirstPage times what people wait for: the first page of who waits, of a day's calls
// and of a caller, in a table with a year's events, of which a seventh are missed calls.
func BenchmarkFirstPage(b *testing.B) {
	n := 2_000
	if text := os.Getenv(eventsVariable); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	store := tabletest.NewBolt(b)
	fillYear(b, store, n)
	w := lookuptest.New(b, store, now)
	for i := range benchWaiting {
		at := now.Add(-time.Duration(i) * time.Minute).Format(time.RFC3339)
		number := fmt.Sprintf("+14155%06d", i)
		w.Post(lookuptest.Missed(fmt.Sprint("w", i), number, at))
		if i%5 == 0 {
			w.Post(lookuptest.Left(fmt.Sprint("w", i), number, at, "Please call me back"))
		}
	}
	look := lookup.New(store, w.Numbers, time.UTC)
	look.Now = func() time.Time { return now }
	for _, bench := range []struct {
		name string
		look func() (int, error)
	}{
		{"waiting", func() (int, error) {
			list, err := look.Waiting(b.Context(), lookup.Page{})
			return len(list.Callers), err
		}},
		{"today", func() (int, error) {
			from, to := look.Day(now)
			list, err := look.Unserved(b.Context(), from, to, lookup.Page{})
			return len(list.Calls), err
		}},
		{"today's counts", func() (int, error) {
			from, to := look.Day(now)
			tally, err := look.Tally(b.Context(), from, to)
			return tally.Count.All(), err
		}},
		{"caller", func() (int, error) {
			c, err := look.Caller(b.Context(), benchNumber(n/benchCallers/2), lookup.Page{})
			return len(c.Timeline), err
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				if rows, err := bench.look(); err != nil || rows == 0 {
					b.Fatal(rows, err)
				}
			}
		})
	}
}

func benchNumber(caller int) string { return fmt.Sprintf("+1415%07d", caller) }

// fillYear stores events of a year, as fast as the store takes them.
func fillYear(b *testing.B, store table.Store, n int) {
	b.Helper()
	const writers = 256 // they share commits
	var all sync.WaitGroup
	for first := range writers {
		all.Go(func() {
			for i := first; i < n; i += writers {
				at := now.Add(-time.Duration(i) * (benchDays * 24 * time.Hour / time.Duration(n))).Format(time.RFC3339)
				number, id := benchNumber(i%(n/benchCallers)), fmt.Sprint("c", i)
				body := lookuptest.Talked(id, events.Inbound, number, at)
				if i%7 == 0 {
					body = lookuptest.Missed(id, number, at)
				}
				envelope, err := events.Open([]byte(body))
				if err == nil {
					_, err = store.Put(b.Context(), table.EventItem(envelope.Decode(), time.Time{}, now))
				}
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}
