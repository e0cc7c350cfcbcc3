package scale

import (
	"math/rand/v2"
	"strconv"

	"github.com/ringback/ringback/internal/table"
)

// Play plays so many events of the busiest hour one after the other, each story
// under keys of its own and by a caller of many, and returns how they fell on
// keys and partitions: what [Model.Spread] computes, as it happens. The same
// arguments give the same.
func (m *Model) Play(mean float64, l Layout, events int) Spread {
	rng := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // G404: to be repeated, not to be secret
	caller := rand.NewZipf(rng, callerExponent, callerOffset, callersOf(mean)-1)
	base, phones, calls := newTally(l.Table), newTally(l.Phones), newTally(l.Calls)
	days := dayKeys(l.Shards)

	played := 0
	for played < events {
		story := &m.Traffic.Stories[rng.IntN(len(m.Traffic.Stories))]
		rank := caller.Uint64()
		key := story.Partition
		if key == "" {
			key = table.CallPartition("call_" + strconv.FormatUint(rng.Uint64(), 16))
		}
		units := story.Alerts
		phoneUnits, callUnits := 0, 0
		for _, write := range story.Writes {
			units += write.Table
			phoneUnits += write.Phone
			callUnits += write.Call
			played++
		}
		base.add(key, float64(units), story.Partition != "")
		if phoneUnits > 0 {
			phones.add(phoneKey(rank), float64(phoneUnits), rank < placed)
		}
		if callUnits > 0 {
			calls.add(days[rng.IntN(len(days))], float64(callUnits), true)
		}
	}

	perSecond := mean * PeakFactor() / float64(played)
	return Spread{base.loads().times(perSecond), phones.loads().times(perSecond), calls.loads().times(perSecond)}
}

func (l Loads) times(rate float64) Loads {
	return Loads{l.All * rate, l.Key, l.KeyUnits * rate, l.Partition * rate}
}
