package scale

import (
	"crypto/md5" //nolint:gosec // G501: it spreads keys, and keeps nothing secret
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"strconv"
)

// hours is the share of a day's events in each hour, in percent. Assumed: the
// working day of an office in one time zone.
var hours = [24]float64{
	0.4, 0.3, 0.2, 0.2, 0.3, 0.6, 1.5, 3.5, 7.5, 9.6, 10.0, 9.3,
	7.2, 7.8, 9.2, 9.0, 8.0, 6.0, 3.6, 2.2, 1.5, 1.0, 0.7, 0.4,
}

const busiestHour = 10

// hourFactor returns an hour's rate divided by the day's mean.
func hourFactor(hour int) float64 { return hours[hour] * 24 / 100 }

// PeakFactor returns the busiest hour's rate divided by the day's mean.
func PeakFactor() float64 { return hourFactor(busiestHour) }

// Played is the result of simulating some hours.
type Played struct {
	Events int
	// Table and Phones count write units by partition, in the table and in GSI1.
	// Caller counts those of each caller in GSI1, Day those of each key of the day in
	// GSI2. Alerts counts all alerts.
	Table, Phones, Caller, Day, Alerts Meter
}

// Meter counts units by key or by partition. Second is the most that one of them
// took in any second; Hour is the most per second, averaged over any hour.
type Meter struct {
	Hour, Second float64

	hour, second map[uint64]int
}

func (m *Meter) add(key uint64, units int) { m.second[key] += units }

func (m *Meter) endSecond() {
	for key, units := range m.second {
		m.Second = max(m.Second, float64(units))
		m.hour[key] += units
	}
	clear(m.second)
}

func (m *Meter) endHour(seconds int) {
	for _, units := range m.hour {
		m.Hour = max(m.Hour, float64(units)/float64(seconds))
	}
	clear(m.hour)
}

// Day simulates a day, or a part of it with some hundred thousand events.
func (m *Model) Day(s Step) *Played {
	switch mean := s["Mean"]; {
	case mean <= 10:
		return m.Play(s, hour, 0, len(hours))
	case mean <= 1000:
		return m.Play(s, 5, 0, len(hours))
	}
	return m.Play(s, 1, busiestHour, busiestHour+1)
}

// Play simulates some seconds of each hour in [from, to), each hour at its own rate.
// Events come independently of each other. Each is drawn from those that were
// measured, belongs to its own call and has one of many callers. Equal arguments
// give equal results.
func (m *Model) Play(s Step, seconds, from, to int) *Played {
	rng := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // G404: repeatable, not secret
	// Assumed: there is one caller for every ten events of a day, and the caller of
	// rank k calls in proportion to (50+k)^-1.1. Without the 50, one caller would
	// make a tenth of all calls.
	caller := rand.NewZipf(rng, 1.1, 50, max(1, uint64(s["Mean"]*day/10))-1)
	var writes []*Write // each Count times
	for i := range m.Writes {
		for range m.Writes[i].Count {
			writes = append(writes, &m.Writes[i])
		}
	}
	p := &Played{}
	meters := []*Meter{&p.Table, &p.Phones, &p.Caller, &p.Day, &p.Alerts}
	for _, meter := range meters {
		meter.hour, meter.second = map[uint64]int{}, map[uint64]int{}
	}
	const firstNumber = 1_000_000_0000
	for h := from; h < to; h++ {
		gap := 1 / (s["Mean"] * hourFactor(h))
		for range seconds {
			for at := gap * rng.ExpFloat64(); at < 1; at += gap * rng.ExpFloat64() {
				p.Events++
				w := writes[rng.IntN(len(writes))]
				p.Table.add(partitionOf(m.CallKey+strconv.FormatUint(rng.Uint64(), 16), s["TablePartitions"]), w.Table+3*w.Mark)
				p.Day.add(rng.Uint64N(max(1, uint64(m.Shards))), w.Call)
				p.Alerts.add(0, w.Mark)
				if w.Phone > 0 {
					number := caller.Uint64()
					p.Phones.add(partitionOf(m.PhoneKey+strconv.FormatUint(firstNumber+number, 10), s["GSI1Partitions"]), w.Phone)
					p.Caller.add(number, w.Phone)
				}
			}
			for _, meter := range meters {
				meter.endSecond()
			}
		}
		for _, meter := range meters {
			meter.endHour(seconds)
		}
	}
	return p
}

// partitionOf returns which of n partitions has a key. Each partition has an equal
// part of the hash's range. DynamoDB is said to use MD5; any hash that spreads keys
// evenly gives the same picture.
func partitionOf(key string, n float64) uint64 {
	sum := md5.Sum([]byte(key)) //nolint:gosec // G401: as above
	part, _ := bits.Mul64(binary.BigEndian.Uint64(sum[:]), uint64(n))
	return part
}
