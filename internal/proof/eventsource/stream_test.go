package eventsource_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/eventsource"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// item returns an item, with one more attribute if a name and a value are given.
func item(id string, attribute ...string) table.Item {
	i := table.Item{
		table.PK: attr.String("CALL#" + id),
		table.SK: attr.String("EVENT#1"),
	}
	if len(attribute) == 2 {
		i[attribute[0]] = attr.String(attribute[1])
	}
	return i
}

// inserted returns the records of n new items, a, b, c and so on.
func inserted(t *testing.T, n int) []eventsource.Record {
	t.Helper()
	var shard eventsource.Shard
	items := make([]table.Item, n)
	for i := range items {
		items[i] = item(string(rune('a' + i)))
	}
	records, err := shard.Insert(items...)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// batch is what these tests read of an event.
type batch struct {
	Records []struct {
		Change struct {
			Keys           map[string]map[string]string `json:"Keys"`
			SequenceNumber string                       `json:"SequenceNumber"`
		} `json:"dynamodb"`
	} `json:"Records"`
}

func read(t *testing.T, event []byte) (names string, sequences []string) {
	t.Helper()
	var b batch
	if err := json.Unmarshal(event, &b); err != nil {
		t.Errorf("event %s: %v", event, err)
	}
	for _, r := range b.Records {
		names += strings.TrimPrefix(r.Change.Keys["PK"]["S"], "CALL#")
		sequences = append(sequences, r.Change.SequenceNumber)
	}
	return names, sequences
}

func TestAStreamComesBackToWhatFailed(t *testing.T) {
	t.Parallel()
	failure := func(sequence string) []byte {
		return fmt.Appendf(nil, `{"batchItemFailures":[{"itemIdentifier":%q}]}`, sequence)
	}
	// failOn answers as our functions do.
	failOn := func(bad string) func(string, []string) ([]byte, error) {
		return func(names string, sequences []string) ([]byte, error) {
			if at := strings.IndexAny(names, bad); at >= 0 {
				return failure(sequences[at]), nil
			}
			return []byte(`{"batchItemFailures":[]}`), nil
		}
	}
	stream := eventsource.Stream{BatchSize: 4, Retries: 2, Bisect: true, Partial: true}
	for _, tc := range []struct {
		name      string
		change    func(*eventsource.Stream)
		answer    func(names string, sequences []string) ([]byte, error)
		records   int
		invoked   []string
		discarded []string
	}{
		{
			name: "nothing failed", answer: failOn("z"), records: 6,
			invoked: []string{"abcd", "ef"},
		},
		{
			name: "an empty answer is a success", records: 2,
			answer:  func(string, []string) ([]byte, error) { return nil, nil },
			invoked: []string{"ab"},
		},
		{
			name: "the failed record and those behind it come again, until it is alone", answer: failOn("c"), records: 6,
			invoked:   []string{"abcd", "cd", "c", "c", "c", "d", "ef"},
			discarded: []string{"c"},
		},
		{
			name: "of several failures the first counts", records: 3,
			answer: func(names string, sequences []string) ([]byte, error) {
				if names != "abc" {
					return nil, nil
				}
				return fmt.Appendf(nil, `{"batchItemFailures":[{"itemIdentifier":%q},{"itemIdentifier":%q}]}`, sequences[2], sequences[1]), nil
			},
			invoked: []string{"abc", "bc"},
		},
		{
			name: "a function error fails the batch, which is split", records: 4,
			answer: func(names string, _ []string) ([]byte, error) {
				if strings.Contains(names, "b") {
					return nil, eventsource.ErrFunction
				}
				return nil, nil
			},
			invoked:   []string{"abcd", "ab", "a", "b", "b", "b", "cd"},
			discarded: []string{"b"},
		},
		{
			name: "an identifier of no record fails the batch", records: 1,
			answer:    func(string, []string) ([]byte, error) { return failure("1"), nil },
			invoked:   []string{"a", "a", "a"},
			discarded: []string{"a"},
		},
		{
			name: "an empty identifier fails the batch", records: 1,
			answer:    func(string, []string) ([]byte, error) { return failure(""), nil },
			invoked:   []string{"a", "a", "a"},
			discarded: []string{"a"},
		},
		{
			name: "without bisection a failure takes what is behind it along", records: 4,
			change: func(s *eventsource.Stream) { s.Bisect = false }, answer: failOn("c"),
			invoked:   []string{"abcd", "cd", "cd"},
			discarded: []string{"cd"},
		},
		{
			name: "without partial batch responses every answer is a success", records: 4,
			change: func(s *eventsource.Stream) { s.Partial = false }, answer: failOn("c"),
			invoked: []string{"abcd"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := stream
			if tc.change != nil {
				tc.change(&s)
			}
			var invoked []string
			lost, err := s.Deliver(t.Context(), eventsource.InvokerFunc(func(_ context.Context, event []byte) ([]byte, error) {
				names, sequences := read(t, event)
				invoked = append(invoked, names)
				return tc.answer(names, sequences)
			}), inserted(t, tc.records))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.invoked, invoked); diff != "" {
				t.Errorf("invocations (-want +got):\n%s", diff)
			}
			var discarded []string
			for _, d := range lost {
				var object struct {
					Payload string `json:"payload"`
				}
				if err := json.Unmarshal(d.Object, &object); err != nil {
					t.Fatal(err)
				}
				names, _ := read(t, []byte(object.Payload))
				discarded = append(discarded, names)
			}
			if diff := cmp.Diff(tc.discarded, discarded); diff != "" {
				t.Errorf("discarded (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAFaultOfTheTestIsNoFailedInvocation(t *testing.T) {
	t.Parallel()
	want := errors.New("no binary")
	_, err := eventsource.Stream{BatchSize: 1}.Deliver(t.Context(), eventsource.InvokerFunc(
		func(context.Context, []byte) ([]byte, error) { return nil, want }), inserted(t, 1))
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

func TestABatchHasNoMoreThan6MB(t *testing.T) {
	t.Parallel()
	records := inserted(t, 5)
	for i := range records {
		records[i].Text = append(records[i].Text, strings.Repeat(" ", 2<<20)...)
	}
	var sizes []int
	_, err := eventsource.Stream{BatchSize: 100, Partial: true}.Deliver(t.Context(), eventsource.InvokerFunc(
		func(_ context.Context, event []byte) ([]byte, error) {
			if len(event) > 6<<20 {
				t.Errorf("an event of %d bytes", len(event))
			}
			names, _ := read(t, event)
			sizes = append(sizes, len(names))
			return nil, nil
		}), records)
	if err != nil || !slices.Equal(sizes, []int{2, 2, 1}) {
		t.Errorf("batches of %v, %v, want 2, 2 and 1", sizes, err)
	}
}

func TestOnlyWhatAPatternMatchesIsHandedOver(t *testing.T) {
	t.Parallel()
	var shard eventsource.Shard
	var records []eventsource.Record
	for _, made := range []func(...table.Item) ([]eventsource.Record, error){shard.Insert, shard.Modify, shard.Remove} {
		r, err := made(item("a", "alert", "missed_call"), item("b", "kind", "call"), item("c", "alert", "voicemail"))
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r...)
	}
	for _, tc := range []struct {
		name, pattern, want string
	}{
		{"inserts", `{"eventName":["INSERT"]}`, "abc"},
		{"inserts with an attribute", `{"eventName":["INSERT"],"dynamodb":{"NewImage":{"alert":{"S":[{"exists":true}]}}}}`, "ac"},
		{"inserts without", `{"eventName":["INSERT"],"dynamodb":{"NewImage":{"alert":{"S":[{"exists":false}]}}}}`, "b"},
		{"one of two values", `{"eventName":["INSERT"],"dynamodb":{"NewImage":{"alert":{"S":["voicemail","missed"]}}}}`, "c"},
		{"a prefix", `{"eventName":["INSERT"],"dynamodb":{"NewImage":{"alert":{"S":[{"prefix":"missed_"}]}}}}`, "a"},
		{"anything but", `{"eventName":[{"anything-but":["INSERT","MODIFY"]}]}`, "abc"},
		{"exists is about leaves", `{"dynamodb":{"NewImage":{"alert":[{"exists":true}]}}}`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			filter, err := eventsource.NewFilter(tc.pattern)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			_, err = eventsource.Stream{BatchSize: 10, Filter: filter}.Deliver(t.Context(), eventsource.InvokerFunc(
				func(_ context.Context, event []byte) ([]byte, error) {
					names, _ := read(t, event)
					got += names
					return nil, nil
				}), records)
			if err != nil || got != tc.want {
				t.Errorf("got %q, %v, want %q", got, err, tc.want)
			}
		})
	}
	for _, bad := range []string{"", `{"eventName":"INSERT"}`, `{"eventName":[]}`, `{"eventName":[{"numeric":["=",1]}]}`, `{"a":{"b":[{"prefix":1}]}}`} {
		if _, err := eventsource.NewFilter(bad); !errors.Is(err, eventsource.ErrPattern) {
			t.Errorf("pattern %s: %v, want ErrPattern", bad, err)
		}
	}
}
