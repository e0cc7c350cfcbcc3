package target_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/storm/target"
)

func TestMomentsAreInTheMiddleAndTheSameForOneSeed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name             string
		n, answers, want int
	}{
		{"three of many", 3, 100_000, 3},
		{"none", 0, 100_000, 0},
		{"one of a few", 1, 10, 1},
		{"as many as there is room for", 8, 10, 8},
		{"more than there is room for", 100, 10, 8},
		{"none of one", 3, 1, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := target.Moments(7, tc.n, tc.answers)
			if len(got) != tc.want || !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != tc.want {
				t.Errorf("got %v, want %d different ones in order", got, tc.want)
			}
			for _, at := range got {
				if at <= tc.answers/10 || at > tc.answers*9/10 {
					t.Errorf("%d is not in the middle of %d", at, tc.answers)
				}
			}
			if room := target.MaxKills(tc.answers); len(got) != min(tc.n, room) {
				t.Errorf("%d of %d, but there is room for %d", len(got), tc.n, room)
			}
			if diff := cmp.Diff(got, target.Moments(7, tc.n, tc.answers)); diff != "" {
				t.Errorf("the same seed draws others:\n%s", diff)
			}
		})
	}
	if cmp.Equal(target.Moments(7, 3, 100_000), target.Moments(8, 3, 100_000)) {
		t.Error("another seed draws the same")
	}
}
