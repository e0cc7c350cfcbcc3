package target

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"
)

// MaxKills returns how many kills [Moments] has room for among so many answers.
func MaxKills(answers int) int {
	first, last := middle(answers)
	return last - first + 1
}

// middle returns the first and the last answer at which there may be a kill.
func middle(answers int) (first, last int) { return answers/10 + 1, answers * 9 / 10 }

// Moments draws when to kill a stack, as numbers of answers: n different ones,
// ascending, out of the middle of so many answers. A seed repeats them. There are
// fewer than n where there is not room for them.
func Moments(seed uint64, n, answers int) []int {
	const purpose = 1 << 32                     // far from those of the plan
	rng := rand.New(rand.NewPCG(seed, purpose)) //nolint:gosec // G404: to be repeated, not to be secret
	first, last := middle(answers)
	drawn := make(map[int]struct{}, n)
	var moments []int
	for len(moments) < min(n, MaxKills(answers)) {
		at := first + rng.IntN(last-first+1)
		if _, twice := drawn[at]; !twice {
			drawn[at] = struct{}{}
			moments = append(moments, at)
		}
	}
	slices.Sort(moments)
	return moments
}

// KillAt returns a function for [storm.Player.Answered] that kills the process at
// such numbers of answers, without holding up whoever calls it. After each kill
// it calls killed with how long the process did not answer. Where it does not
// start again, the config's Failed is told.
func (p *Process) KillAt(ctx context.Context, moments []int, killed func(down time.Duration)) func(answers int) {
	p.mu.Lock()
	p.wanted += len(moments)
	p.mu.Unlock()
	return func(answers int) {
		if _, now := slices.BinarySearch(moments, answers); !now {
			return
		}
		p.killing.Go(func() {
			down, err := p.Kill(ctx)
			switch {
			case err == nil:
				killed(down)
			case p.config.Failed != nil:
				p.config.Failed(err)
			}
		})
	}
}
