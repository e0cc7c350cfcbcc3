package lookuptest

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

// eventsVariable is how many events the tables of benchmarks have: 1000000 for the numbers in
// docs/benchmarks.md.
const eventsVariable = "RINGBACK_LOOKUP_EVENTS"

// Events returns how many events a benchmark's table is to have: a few, unless the environment
// says so.
func Events(b *testing.B, few int) int {
	b.Helper()
	text := os.Getenv(eventsVariable)
	if text == "" {
		return few
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

const (
	yearDays    = 365
	yearCallers = 20 // events of each caller
	yearWaiting = 500
)

// BusyYear is a table with a year's events, of which a seventh are missed calls, and 500
// callers who wait.
type BusyYear struct {
	*Table

	// SomeCaller has as many events as any.
	SomeCaller string
}

// Year fills a store with n events of the year before now, as fast as it takes them.
func Year(b *testing.B, store table.Store, now time.Time, n int) BusyYear {
	b.Helper()
	const writers = 256 // they share commits
	number := func(caller int) string { return fmt.Sprintf("+1415%07d", caller) }
	var all sync.WaitGroup
	for first := range writers {
		all.Go(func() {
			for i := first; i < n; i += writers {
				at := now.Add(-time.Duration(i) * (yearDays * 24 * time.Hour / time.Duration(n))).Format(time.RFC3339)
				id, caller := fmt.Sprint("c", i), number(i%(n/yearCallers))
				body := Talked(id, events.Inbound, caller, at)
				if i%7 == 0 {
					body = Missed(id, caller, at)
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
	w := New(b, store, now)
	for i := range yearWaiting {
		at, caller := now.Add(-time.Duration(i)*time.Minute).Format(time.RFC3339), fmt.Sprintf("+14155%06d", i)
		w.Post(Missed(fmt.Sprint("w", i), caller, at))
		if i%5 == 0 {
			w.Post(Left(fmt.Sprint("w", i), caller, at, "Please call me back"))
		}
	}
	return BusyYear{w, number(n / yearCallers / 2)}
}
