package consumer_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

var errBusy = errors.New("busy")

// item returns the event of a call.
func item(call, event string) table.Item {
	return table.Item{table.PK: attr.String("CALL#" + call), table.SK: attr.String("EVENT#" + event)}
}

// nameOf returns what identifies an item in these tests, such as "a1" for the
// event 1 of the call a.
func nameOf(i table.Item) string {
	key := table.KeyOf(i)
	return key.PK[len("CALL#"):] + key.SK[len("EVENT#"):]
}

// Nobody can say which items were processed, so none of them is.
func TestTheWrongNumberOfResultsFailsEveryItem(t *testing.T) {
	t.Parallel()
	items := []table.Item{item("a", "1"), item("b", "1"), item("c", "1")}
	for _, n := range []int{0, 1, 4} {
		all := consumer.All(
			consumer.Consumer{Name: "good", Process: func(_ context.Context, items []table.Item) []error {
				return make([]error, len(items))
			}},
			consumer.Consumer{
				Name:    "bad",
				Wants:   func(i table.Item) bool { return nameOf(i) != "b1" },
				Process: func(context.Context, []table.Item) []error { return make([]error, n) },
			},
		)
		errs := all(t.Context(), items)
		for i, fails := range []bool{true, false, true} {
			if errors.Is(errs[i], consumer.ErrResults) != fails || (errs[i] == nil) == fails {
				t.Errorf("%d results, item %d: %v, want an error: %t", n, i, errs[i], fails)
			}
		}
	}
}

func TestAllGivesEachConsumerTheItemsItWants(t *testing.T) {
	t.Parallel()
	got := map[string]*[]string{"alerts": {}, "followups": {}, "idle": {}}
	process := func(name string, failing ...string) consumer.Process {
		return func(_ context.Context, items []table.Item) []error {
			errs := make([]error, len(items))
			for i, it := range items {
				*got[name] = append(*got[name], nameOf(it))
				if slices.Contains(failing, nameOf(it)) {
					errs[i] = errBusy
				}
			}
			return errs
		}
	}
	all := consumer.All(
		consumer.Consumer{
			Name:    "alerts",
			Wants:   func(i table.Item) bool { return table.KeyOf(i).PK != "CALL#b" },
			Process: process("alerts", "c1"),
		},
		consumer.Consumer{Name: "followups", Process: process("followups", "a1", "c1")},
		consumer.Consumer{Name: "idle", Wants: func(table.Item) bool { return false }, Process: process("idle")},
	)

	errs := all(t.Context(), []table.Item{item("a", "1"), item("b", "1"), item("c", "1"), item("d", "1")})

	want := map[string]*[]string{"alerts": {"a1", "c1", "d1"}, "followups": {"a1", "b1", "c1", "d1"}, "idle": {}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("processed (-want +got):\n%s", diff)
	}
	for i, fails := range []bool{true, false, true, false} {
		if errors.Is(errs[i], errBusy) != fails || (errs[i] == nil) == fails {
			t.Errorf("item %d: %v, want an error: %t", i, errs[i], fails)
		}
	}
}

func TestWhatMustNotComeAgainDoesNotForOthersEither(t *testing.T) {
	t.Parallel()
	fails := func(err error) consumer.Consumer {
		return consumer.Consumer{Process: func(_ context.Context, items []table.Item) []error {
			return slices.Repeat([]error{err}, len(items))
		}}
	}
	all := consumer.All(fails(consumer.ErrNotAgain), fails(errBusy), fails(nil))
	if errs := all(t.Context(), []table.Item{item("a", "1")}); errs[0] != nil {
		t.Errorf("error %v, want none", errs[0])
	}
}
