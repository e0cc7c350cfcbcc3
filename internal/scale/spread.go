package scale

import (
	"crypto/md5" //nolint:gosec // G501: it spreads keys, and keeps nothing secret
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"time"

	"github.com/ringback/ringback/internal/table"
)

// Layout is how a table lies on partitions.
type Layout struct {
	// Table, Phones and Calls are the partitions of the table, of GSI1 and of
	// GSI2.
	Table, Phones, Calls int
	// Shards is under how many keys a day's missed calls and voicemails stand
	// in GSI2; the template has 1.
	Shards int
}

// Loads is what keys and partitions take in the busiest hour, in write units
// per second.
type Loads struct {
	All float64
	// Key is the busiest partition key, and KeyUnits what it takes.
	Key      string
	KeyUnits float64
	// Partition is what the busiest partition takes.
	Partition float64
}

// Spread is the loads of the table, of GSI1 and of GSI2.
type Spread struct{ Table, Phones, Calls Loads }

// Spread computes how the writes of the busiest hour fall on keys and
// partitions, at a mean rate of events per second. A key that many events share
// is placed by its hash; all others are so many and so small that they fill the
// partitions evenly.
func (m *Model) Spread(mean float64, l Layout) Spread {
	peak := mean * PeakFactor()
	units := m.Writes().times(peak)

	base := newTally(l.Table)
	for _, s := range m.Traffic.shared() {
		base.add(s.key, s.units*peak, true)
	}
	base.fill(units.Table)

	phones := newTally(l.Phones)
	callers := callersOf(mean)
	each := units.Phones / callerSum(callers)
	for rank := range min(callers, placed) {
		phones.add(phoneKey(rank), each*calls(rank), true)
	}
	phones.fill(units.Phones)

	days := newTally(l.Calls)
	for _, key := range dayKeys(l.Shards) {
		days.add(key, units.Calls/float64(max(1, l.Shards)), true)
	}
	return Spread{base.loads(), phones.loads(), days.loads()}
}

// placed is how many of the busiest callers are placed one by one.
const placed = 5000

// callersOf returns how many callers a day has.
func callersOf(mean float64) uint64 {
	return max(1, uint64(mean*secondsADay/eventsPerCaller))
}

// calls returns how often a caller calls, compared with others.
func calls(rank uint64) float64 { return math.Pow(callerOffset+float64(rank), -callerExponent) }

// callerSum returns the sum of how often all callers call, the busiest ones
// added up and the others integrated.
func callerSum(callers uint64) (sum float64) {
	first := min(callers, placed)
	for rank := range first {
		sum += calls(rank)
	}
	rest := func(rank uint64) float64 {
		return math.Pow(callerOffset+float64(rank)-0.5, 1-callerExponent) / (callerExponent - 1)
	}
	return sum + rest(first) - rest(callers)
}

// phoneKey returns the key in GSI1 of a caller, of whom 0 is the busiest.
func phoneKey(rank uint64) string {
	const first = 1_000_000_0000
	return table.PhonePartition("+" + strconv.FormatUint(first+rank, 10))
}

// dayKeys returns the keys in GSI2 of a day's missed calls and voicemails.
func dayKeys(shards int) []string {
	day := table.AlertPartition(time.Date(2026, time.March, 12, 0, 0, 0, 0, time.UTC))
	if shards <= 1 {
		return []string{day}
	}
	keys := make([]string, shards)
	for n := range keys {
		keys[n] = day + "#" + strconv.Itoa(n)
	}
	return keys
}

// tally counts the write units of keys and partitions.
type tally struct {
	partitions []float64
	keys       map[string]float64
	most       string // the busiest of keys
	all        float64
}

func newTally(partitions int) *tally {
	return &tally{partitions: make([]float64, max(1, partitions)), keys: make(map[string]float64)}
}

// add counts units of a key. One that is not watched counts for its partition
// only.
func (t *tally) add(key string, units float64, watch bool) {
	t.partitions[spread(key).of(len(t.partitions))] += units
	t.all += units
	if watch {
		t.keys[key] += units
		if t.keys[key] > t.keys[t.most] {
			t.most = key
		}
	}
}

// fill spreads what is left of all evenly.
func (t *tally) fill(all float64) {
	each := (all - t.all) / float64(len(t.partitions))
	for i := range t.partitions {
		t.partitions[i] += each
	}
	t.all = all
}

func (t *tally) loads() Loads {
	return Loads{All: t.all, Key: t.most, KeyUnits: t.keys[t.most], Partition: slices.Max(t.partitions)}
}

// hash is the hash of a partition key.
type hash uint64

// spread hashes a partition key. MD5 is what DynamoDB is said to take; any hash
// that spreads evenly gives the same picture.
func spread(key string) hash {
	sum := md5.Sum([]byte(key)) //nolint:gosec // G401: as above
	return hash(binary.BigEndian.Uint64(sum[:]))
}

// of returns which of n equal parts of the hash's range it falls into.
func (h hash) of(n int) int {
	part, _ := bits.Mul64(uint64(h), uint64(n)) //nolint:gosec // G115: n is positive
	return int(part)                            //nolint:gosec // G115: less than n
}
