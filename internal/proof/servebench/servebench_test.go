package main

import (
	"slices"
	"testing"
	"time"

	"github.com/ringback/ringback/events"
)

// Two deliveries with one key would be stored once, and look like a loss.
func TestEachDeliveryIsOfItsOwn(t *testing.T) {
	t.Parallel()
	samples, err := readSamples("../../../events-samples")
	if err != nil {
		t.Fatal(err)
	}
	for _, callers := range []int{1, 10_000} {
		ids, phones := map[string]bool{}, map[string]bool{}
		for n := range 9000 {
			envelope, err := events.Open([]byte(delivery(samples, n, callers)))
			if err != nil {
				t.Fatal(err)
			}
			d := envelope.Decode()
			ids[string(d.Type)+d.ID] = true
			if d.Kind != events.KindContact {
				phones[d.Phone] = true
			}
			want := time.Date(2026, 1, 1, 0, 0, 7*n, 0, time.UTC)
			if got := d.OccurredAt(time.Time{}, time.Time{}); !got.Equal(want) {
				t.Fatalf("delivery %d is of %v, want %v", n, got, want)
			}
		}
		if len(ids) != 9000 || len(phones) != min(callers, 7000) {
			t.Errorf("%d callers: %d ids and %d numbers", callers, len(ids), len(phones))
		}
	}
}

func TestReadingTheLog(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]time.Duration{
		"12:00:00 INF alert published kind=missed_call sinceReceivedMs=17 sinceOccurredMs=3": 17 * time.Millisecond,
		"12:00:00 INF alert published sinceReceivedMs=1200":                                  1200 * time.Millisecond,
		"12:00:00 INF delivery stored status=200":                                            -1,
		"12:00:00 INF alert published sinceReceivedMs=x":                                     -1,
	} {
		if got, ok := alertTime([]byte(line)); ok != (want >= 0) || ok && got != want {
			t.Errorf("%s: %v, %t", line, got, ok)
		}
	}
}

func TestQuantiles(t *testing.T) {
	t.Parallel()
	var all []time.Duration
	for n := range 100 {
		all = append(all, time.Duration(100-n))
	}
	before := slices.Clone(all)
	if p50, p99 := quantiles(all); p50 != 51 || p99 != 100 || !slices.Equal(all, before) {
		t.Errorf("%d, %d", p50, p99)
	}
	if p50, p99 := quantiles(nil); p50 != 0 || p99 != 0 {
		t.Errorf("of nothing: %d, %d", p50, p99)
	}
}

func TestListsOfNumbers(t *testing.T) {
	t.Parallel()
	var got []int
	if err := numbers(&got)("1,16"); err != nil || !slices.Equal(got, []int{1, 16}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"", "0", "1,x"} {
		if err := numbers(&got)(text); err == nil {
			t.Errorf("%q is a list", text)
		}
	}
}
