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
		slowStarts int
	}{
		{"all by themselves", nil, []string{"floor", "ringback", "plain", "plain-slim", "plain-tuned", "node", "python"}, 15, 2},
		{"some, and fewer rounds", []string{"-contenders", "plain,floor", "-rounds", "3"}, []string{"plain", "floor"}, 3, 2},
		{"few starts are one for the slow", []string{"-contenders", "node", "-starts", "2"}, []string{"node"}, 15, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			contenders, rounds, slowStarts, err := bench.Contenders(test.args...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.contenders, contenders); diff != "" {
				t.Errorf("contenders (-want +got):\n%s", diff)
			}
			if rounds != test.rounds || slowStarts != test.slowStarts {
				t.Errorf("%d rounds and %d slow starts, want %d and %d", rounds, slowStarts, test.rounds, test.slowStarts)
			}
		})
	}
	for _, args := range [][]string{{"-rounds", "0"}, {"-starts", "0"}, {"-warmup", "1", "-events", "12"}, {"-events", "0"}, {"-warmup", "0"}, {"-slow-rounds", "-1"}, {"-counts", "few"}, {"quick"}} {
		if _, _, _, err := bench.Contenders(args...); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}
