package scale

import (
	"crypto/md5" //nolint:gosec // G501: it spreads keys, and keeps nothing secret
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"strconv"
)

// hours is how the events of a day fall on its hours, in percent: assumed, the
// working day of an office in one time zone.
var hours = [24]float64{
	0.4, 0.3, 0.2, 0.2, 0.3, 0.6, 1.5, 3.5, 7.5, 9.6, 10.0, 9.3,
	7.2, 7.8, 9.2, 9.0, 8.0, 6.0, 3.6, 2.2, 1.5, 1.0, 0.7, 0.4,
}

const busiestHour = 10

// hourFactor returns how many times the mean of the day an hour's rate is.
func hourFactor(hour int) float64 { return hours[hour] * 24 / 100 }

// PeakFactor is that of the busiest hour.
func PeakFactor() float64 { return hourFactor(busiestHour) }

// Played are some hours as they were simulated.
type Played struct {
	Events int
	// Table and Phones count write units in the table and in GSI1, by partition;
	// Caller those of a caller in GSI1, and Day those of the day's one key in
	// GSI2. Alerts counts all alerts.
	Table, Phones, Caller, Day, Alerts Meter
}

// Meter counts units by key or by partition. Hour and Second are the most that
// one of them took per second: in one hour, on the average of its seconds, and in
// one second.
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

// Day simulates the day of a step: some hundred thousand events of it.
func (m *Model) Day(s Step) *Played {
	switch mean := s["Mean"]; {
	case mean <= 10:
		return m.Play(s, hour, 0, len(hours))
	case mean <= 1000:
		return m.Play(s, 5, 0, len(hours))
	}
	return m.Play(s, 1, busiestHour, busiestHour+1)
}

// Play simulates so many seconds of each hour from one to before another, each
// hour with its own rate. Events come independently of each other; each is drawn
// from those that were measured, and has a call of its own and one of many
// callers. The same arguments give the same.
func (m *Model) Play(s Step, seconds, from, to int) *Played {
	rng := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // G404: to be repeated, not to be secret
	// Assumed: a caller for each ten events of a day, of whom that of rank k calls
	// as (50+k)^-1.1. Without the 50 one number would make a tenth of all calls.
	caller := rand.NewZipf(rng, 1.1, 50, max(1, uint64(s["Mean"]*day/10))-1)
	var writes []*Write // each as often as it was measured
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
				p.Table.add(partitionOf(m.CallKey+strconv.FormatUint(rng.Uint64(), 16), s["TablePartitions"]), w.Table+w.Mark)
				p.Day.add(0, w.Call)
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

// partitionOf returns on which of n partitions, equal parts of the hash's
// range, a key is. MD5 is what DynamoDB is said to take; any hash that spreads
// evenly gives the same picture.
func partitionOf(key string, n float64) uint64 {
	sum := md5.Sum([]byte(key)) //nolint:gosec // G401: as above
	part, _ := bits.Mul64(binary.BigEndian.Uint64(sum[:]), uint64(n))
	return part
}
