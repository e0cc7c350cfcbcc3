package storm_test

import (
	"math"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/proof/storm"
)

func TestThePaceIsTheGivenRate(t *testing.T) {
	t.Parallel()
	wait, take := storm.NewPace(200, 8)
	now := start
	for i := range 1000 {
		now = now.Add(wait(now))
		if want := start.Add(time.Duration(i) * 5 * time.Millisecond); !now.Equal(want) {
			t.Fatalf("delivery %d is posted after %v, want %v", i, now.Sub(start), want.Sub(start))
		}
		take(now)
	}
}

func TestWhatIsLateIsMadeUpFor(t *testing.T) {
	t.Parallel()
	const late = 3 * time.Millisecond
	wait, take := storm.NewPace(100, 8)
	now := start
	for range 200 {
		now = now.Add(wait(now))
		now = now.Add(late) // each time a little
		take(now)
	}
	if took := now.Sub(start); took > 199*10*time.Millisecond+2*late {
		t.Errorf("200 deliveries at 100 a second took %v", took)
	}
}

func TestAfterAStallThereIsNoMoreToMakeUpForThanTheConcurrency(t *testing.T) {
	t.Parallel()
	const burst = 8
	wait, take := storm.NewPace(100, burst)
	take(start)
	now := start.Add(time.Minute)
	atOnce := 0
	for wait(now) == 0 && atOnce <= burst {
		take(now)
		atOnce++
	}
	if atOnce != burst {
		t.Errorf("%d deliveries at once, want %d", atOnce, burst)
	}
	if got := wait(now); got != 10*time.Millisecond {
		t.Errorf("then one after %v, want 10 ms", got)
	}
}

// However slow, the times stay times.
func TestTheSlowestRateStaysARate(t *testing.T) {
	t.Parallel()
	wait, take := storm.NewPace(storm.MinRate, math.MaxInt)
	for range 3 {
		take(start)
	}
	if got := wait(start); got != 3*time.Hour {
		t.Errorf("the fourth waits %v, want 3 h", got)
	}
}

func TestWithoutARateNobodyWaits(t *testing.T) {
	t.Parallel()
	wait, take := storm.NewPace(0, 1)
	for range 3 {
		if got := wait(start); got != 0 {
			t.Errorf("waits %v", got)
		}
		take(start)
	}
}
