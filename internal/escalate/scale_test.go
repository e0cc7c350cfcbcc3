package escalate_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// scaleVariable has how many callers wait, and of how many the wait is over: "50000 1000000"
// takes minutes.
const scaleVariable = "ESCALATE_SCALE"

// A run costs what is due, and not what is open.
func TestARunReadsWhatIsDueHoweverManyWait(t *testing.T) {
	t.Parallel()
	open, closed, due := 2_000, 4_000, 500
	if testing.Short() {
		// A run has five seconds to mark, on disk, whom it told of: on a very busy machine 500 do not get done.
		open, closed, due = 500, 1_000, 100
	}
	if text := os.Getenv(scaleVariable); text != "" {
		if _, err := fmt.Sscan(text, &open, &closed); err != nil {
			t.Fatal(err)
		}
	}
	w := newWorld(t)
	store := tabletest.NewBolt(t)
	store.Now = func() time.Time { return day }
	seen := table.Health{Arrived: day, Ended: day, EndedSince: day.AddDate(0, 0, -7)}
	if updated, err := store.Update(t.Context(), seen.Item(), 0); !updated || err != nil {
		t.Fatal(updated, err)
	}
	w.store.Store = store
	w.run("09:58")
	filler := strings.Repeat("x", 1000)
	var all sync.WaitGroup
	const writers = 64
	for writer := range writers {
		all.Go(func() {
			for n := 1000 + writer; n < 1000+open+closed; n += writers {
				key := table.FollowUpKey(fmt.Sprintf("+1415%07d", n))
				item := table.Item{
					table.PK: attr.String(key.PK), table.SK: attr.String(key.SK), table.Version: attr.Number("1"), table.Facts: attr.String(filler),
				}
				if n < 1000+open {
					since := at("09:00").Add(-time.Duration(n) * time.Second)
					item[table.GSI3PK], item[table.GSI3SK] = attr.String(table.WaitingPartition), attr.String(table.WaitingSort(key, since))
				}
				if updated, err := store.Update(t.Context(), item, 0); !updated || err != nil {
					t.Errorf("%v, %v", updated, err)
				}
			}
		})
	}
	for n := range due {
		w.misses("10:00", n)
	}
	all.Wait()

	reads := func(clock string, most int, want ...string) {
		t.Helper()
		w.store.reads = 0
		began := time.Now()
		result := w.run(clock, want...)
		t.Logf("%s: %d reads in %v, with %s waiting and %s closed", clock, w.store.reads, time.Since(began).Round(time.Millisecond),
			strconv.Itoa(open+due), strconv.Itoa(closed))
		if w.store.reads > most || result.Reads != w.store.reads {
			t.Errorf("%s: %d reads, want at most %d; it tells of %d", clock, w.store.reads, most, result.Reads)
		}
	}
	reads("10:13", 40)
	reads("10:14", 20)
	reads("10:15", 2*due+200, strconv.Itoa(due)+" callers not called back on Support")
	reads("10:16", 20)
}
