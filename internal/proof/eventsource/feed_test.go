package eventsource_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ringback/ringback/internal/proof/eventsource"
)

func TestAPartitionKeepsItsOrderAndWaitsForNoOther(t *testing.T) {
	t.Parallel()
	const calls, each = 8, 30
	var mu sync.Mutex
	got := map[string][]string{} // sequences by name
	atOnce, most, largest := 0, 0, 0
	begun, release := make(chan struct{}, calls*each), make(chan struct{})
	feed := eventsource.Stream{BatchSize: 10, Partial: true}.Feed(t.Context(), 4, eventsource.InvokerFunc(
		func(_ context.Context, event []byte) ([]byte, error) {
			names, sequences := read(t, event)
			mu.Lock()
			atOnce++
			most, largest = max(most, atOnce), max(largest, len(sequences))
			mu.Unlock()
			begun <- struct{}{}
			<-release
			mu.Lock()
			defer mu.Unlock()
			atOnce--
			for i, sequence := range sequences {
				got[names[i:i+1]] = append(got[names[i:i+1]], sequence)
			}
			return nil, nil
		}))
	var shard eventsource.Shard
	want := map[string][]string{}
	for range each {
		for call := range calls {
			name := string(rune('a' + call))
			records, err := shard.Insert(item(name))
			if err != nil {
				t.Fatal(err)
			}
			want[name] = append(want[name], records[0].Sequence)
			feed.Put("CALL#"+name, records...)
		}
	}
	<-begun
	<-begun // the second worker does not wait for the first
	close(release)
	if discarded, err := feed.Wait(); err != nil || len(discarded) > 0 {
		t.Fatalf("%d discarded, %v", len(discarded), err)
	}
	for name, sequences := range want {
		if !slices.Equal(got[name], sequences) {
			t.Errorf("%s came as %v, want %v", name, got[name], sequences)
		}
	}
	if most < 2 || most > 4 {
		t.Errorf("%d invocations at once, want 2 to 4", most)
	}
	if largest != 10 {
		t.Errorf("the largest batch has %d records, want 10: what waits together comes together", largest)
	}
}

func TestAFeedReturnsWhatItGivesUp(t *testing.T) {
	t.Parallel()
	filter, err := eventsource.NewFilter(`{"dynamodb":{"Keys":{"PK":{"S":[{"anything-but":["CALL#x"]}]}}}}`)
	if err != nil {
		t.Fatal(err)
	}
	feed := eventsource.Stream{BatchSize: 10, Retries: 1, Bisect: true, Partial: true, Filter: filter}.Feed(t.Context(), 1, eventsource.InvokerFunc(
		func(_ context.Context, event []byte) ([]byte, error) {
			names, _ := read(t, event)
			if strings.Contains(names, "x") {
				t.Error("what no pattern matches was handed over")
			}
			if strings.Contains(names, "b") {
				return nil, fmt.Errorf("killed: %w", eventsource.ErrFunction)
			}
			return nil, nil
		}))
	var shard eventsource.Shard
	records, err := shard.Insert(item("a"), item("b"), item("x"), item("c"))
	if err != nil {
		t.Fatal(err)
	}
	feed.Put("CALL#", records...)
	discarded, err := feed.Wait()
	if err != nil || len(discarded) != 1 || len(discarded[0].Records) != 1 || discarded[0].Records[0].Sequence != records[1].Sequence {
		t.Errorf("discarded %v, %v, want the one that fails", discarded, err)
	}
}

func TestAFeedEndsWithAFaultOfTheTest(t *testing.T) {
	t.Parallel()
	want := errors.New("no binary")
	feed := eventsource.Stream{BatchSize: 1}.Feed(t.Context(), 1, eventsource.InvokerFunc(
		func(context.Context, []byte) ([]byte, error) { return nil, want }))
	feed.Put("CALL#", inserted(t, 3)...)
	if _, err := feed.Wait(); !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}
