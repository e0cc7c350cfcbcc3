package main_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	bench "github.com/ringback/ringback/internal/proof/bench"
)

func TestOptions(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		args       []string
		contenders []string
		rounds     int
	}{
		{"all by themselves", nil, []string{"floor", "ringback", "plain", "plain-slim", "plain-tuned", "node", "python"}, 15},
		{"some, and fewer rounds", []string{"-contenders", "plain,floor", "-rounds", "3"}, []string{"plain", "floor"}, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			contenders, rounds, err := bench.Options(test.args...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.contenders, contenders); diff != "" {
				t.Errorf("contenders (-want +got):\n%s", diff)
			}
			if rounds != test.rounds {
				t.Errorf("%d rounds, want %d", rounds, test.rounds)
			}
		})
	}
	for _, args := range [][]string{{"-rounds", "0"}, {"-slow-rounds", "-1"}, {"-rounds", "few"}, {"quick"}} {
		if _, _, err := bench.Options(args...); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}
