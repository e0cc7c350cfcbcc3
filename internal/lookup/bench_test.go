package lookup_test

import (
	"testing"
	"time"

	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/proof/lookuptest"
	"github.com/ringback/ringback/internal/proof/tabletest"
)

// BenchmarkFirstPage times what people wait for: the first page of who waits, of a day's calls
// and of a caller, in a table with a year's events, of which a seventh are missed calls.
func BenchmarkFirstPage(b *testing.B) {
	store := tabletest.NewBolt(b)
	w := lookuptest.Year(b, store, now, lookuptest.Events(b, 2_000))
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
			c, err := look.Caller(b.Context(), w.SomeCaller, lookup.Page{})
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
