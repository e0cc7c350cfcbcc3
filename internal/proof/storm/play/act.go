package play

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/table"
)

// Act is a hand act about a caller.
type Act struct {
	// Before is the index of the delivery before which it is done, whatever its own time.
	Before int
	Caller string
	followup.Act
}

// Item is what the stack stores.
func (a Act) Item() table.Item { return ledger.ActItem(a.Caller, a.Act) }

const (
	actEach   = 40                  // deliveries, for each act
	actsLast  = 30 * 24 * time.Hour // longer than any other claim
	storyDays = 7
)

// acts makes up hand acts about the people of the stories, at times between those of their calls.
func acts(m Mix) (all []Act) {
	rng := random(m.Seed, acting)
	people := teller{rng: rng, town: townOf(m.Seed)}
	for n := range m.Deliveries / actEach {
		at := firstDay.Add(time.Duration(rng.Int64N(int64(storyDays*24*time.Hour/time.Millisecond))) * time.Millisecond)
		act := followup.Act{ID: fmt.Sprintf("storm%d-%d", m.Seed, n), At: at, By: firstNames[rng.IntN(len(firstNames))]}
		switch lot := rng.IntN(100); {
		case lot < 45:
			act.Kind, act.Until = followup.ActClaim, at.Add(actsLast)
		case lot < 55:
			act.Kind = followup.ActUnclaim
		case lot < 85:
			act.Kind, act.Until = followup.ActSnooze, at.Add(actsLast)
		default:
			act.Kind, act.Why = followup.ActDone, pick(rng, sentences...)
		}
		all = append(all, Act{Before: rng.IntN(m.Deliveries), Caller: "+" + people.someone().number, Act: act})
	}
	slices.SortStableFunc(all, func(a, b Act) int { return cmp.Compare(a.Before, b.Before) })
	return all
}
