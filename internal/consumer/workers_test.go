package consumer_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/consumer"
)

func TestWorkersKeepTheOrderOfAKeyAndWaitForNoOther(t *testing.T) {
	t.Parallel()
	const keys, each, batch = 8, 30, 10
	type entry struct {
		key string
		n   int
	}
	var (
		mu                    sync.Mutex
		got                   = map[string][]int{}
		atOnce, most, largest int
		begun                 = make(chan struct{}, keys*each)
		release               = make(chan struct{})
	)
	workers := consumer.NewWorkers(4, batch, func(entries []entry) {
		mu.Lock()
		atOnce++
		most, largest = max(most, atOnce), max(largest, len(entries))
		mu.Unlock()
		begun <- struct{}{}
		<-release
		mu.Lock()
		defer mu.Unlock()
		atOnce--
		for _, e := range entries {
			got[e.key] = append(got[e.key], e.n)
		}
	})
	var want []int
	for n := range each {
		want = append(want, n)
		for key := range keys {
			workers.Add(func(e entry) string { return e.key }, entry{fmt.Sprint(key), n})
		}
	}
	<-begun
	<-begun // the second worker does not wait for the first
	close(release)
	workers.Wait()
	for key := range keys {
		if diff := cmp.Diff(want, got[fmt.Sprint(key)]); diff != "" {
			t.Errorf("key %d (-want +got):\n%s", key, diff)
		}
	}
	if most < 2 || most > 4 {
		t.Errorf("%d batches at once, want 2 to 4", most)
	}
	if largest != batch {
		t.Errorf("the largest batch has %d entries, want %d", largest, batch)
	}
}

// Batches do not depend on how fast a worker starts.
func TestWhatIsAddedTogetherIsInFullBatches(t *testing.T) {
	t.Parallel()
	var sizes []int
	workers := consumer.NewWorkers(1, 10, func(entries []string) { sizes = append(sizes, len(entries)) })
	workers.Add(func(s string) string { return s }, slices.Repeat([]string{"a", "b", "c", "d", "e"}, 5)...)
	workers.Wait()
	if diff := cmp.Diff([]int{10, 10, 5}, sizes); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
	workers.Wait() // nothing is queued
}
