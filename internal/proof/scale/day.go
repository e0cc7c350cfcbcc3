package scale

import (
	"crypto/md5" //nolint:gosec // G501: it spreads keys, and keeps nothing secret
	"encoding/binary"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/ringback/ringback/internal/table"
)

// hours is how the events of a day fall on its hours, in percent: assumed, the
// working day of an office in one time zone.
var hours = [24]float64{
	0.4, 0.3, 0.2, 0.2, 0.3, 0.6, 1.5, 3.5, 7.5, 9.6, 10.0, 9.3,
	7.2, 7.8, 9.2, 9.0, 8.0, 6.0, 3.6, 2.2, 1.5, 1.0, 0.7, 0.4,
}

const (
	busiestHour   = 10
	secondsAnHour = 3600
	secondsADay   = 24 * secondsAnHour
	daysAMonth    = 30
)

// hourFactor returns how many times the mean of the day an hour's rate is.
func hourFactor(hour int) float64 {
	sum := 0.0
	for _, percent := range hours {
		sum += percent
	}
	return hours[hour] / sum * float64(len(hours))
}

// PeakFactor is how many times the mean of the day the rate of the busiest hour
// is.
func PeakFactor() float64 { return hourFactor(busiestHour) }

// rateOnceAnHour returns the rate at which, once an hour, a second has more
// than n, each coming on its own.
func rateOnceAnHour(n int) float64 {
	return crossing(float64(n), func(mean float64) bool { return moreThan(n, mean)*secondsAnHour >= 1 })
}

// crossing returns from which number on, up to high, something is reached.
func crossing(high float64, reached func(float64) bool) (low float64) {
	for range 100 {
		if middle := (low + high) / 2; reached(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return low
}

// moreThan returns the probability that more than n things happen in a second
// in which mean of them are expected.
func moreThan(n int, mean float64) float64 {
	p := math.Exp(-mean)
	sum := p
	for k := 1; k <= n; k++ {
		p *= mean / float64(k)
		sum += p
	}
	return max(0, 1-sum)
}

// What callers are assumed to be: this many events for each of them in a day,
// and few of them calling often. The caller of rank k, from 0, calls as
// (callerOffset+k)^-callerExponent; without the offset one number alone would
// make a tenth of all calls.
const (
	eventsPerCaller = 10
	callerExponent  = 1.1
	callerOffset    = 50
	watched         = 2000 // of the busiest callers, whose keys are counted
)

// Played is a day as it was simulated.
type Played struct {
	// Events is how many events each hour had.
	Events [24]int
	// Table, Phones and Calls are write units in the table, in GSI1 and in
	// GSI2, by partition; Caller those of one caller in GSI1, and Day those of
	// the day's key in GSI2.
	Table, Phones, Calls, Caller, Day Busiest
	// Alerts are the alerts of all.
	Alerts Busiest
}

// Busiest is the most that one of some keys or partitions took: per second in
// one hour, on the average of its seconds, and in one second.
type Busiest struct{ Hour, Second float64 }

// Seconds returns how many seconds of each hour are simulated at a mean rate:
// as many as have some hundred thousand events together.
func Seconds(mean float64) (seconds [24]int) {
	const every, some = 10, 1_000 // events per second
	for hour := range seconds {
		switch {
		case mean <= every:
			seconds[hour] = secondsAnHour
		case mean <= some:
			seconds[hour] = 5
		case hour == busiestHour:
			seconds[hour] = 1
		}
	}
	return seconds
}

// Play simulates so many seconds of each hour of a day, each hour with its own
// rate. Events come independently of each other; each is drawn from those that
// were measured, and has a call of its own and one of many callers. The same
// arguments give the same.
func (m *Model) Play(mean float64, l Layout, seconds [24]int) Played {
	rng := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // G404: to be repeated, not to be secret
	callers := max(1, uint64(mean*secondsADay/eventsPerCaller))
	caller := rand.NewZipf(rng, callerExponent, callerOffset, callers-1)
	base, phones, calls := newMeter(l.Table), newMeter(l.Phones), newMeter(l.Calls)
	numbers, day, alerts := newMeter(watched), newMeter(1), newMeter(1)
	meters := []*meter{base, phones, calls, numbers, day, alerts}
	callsOf := partitionOf([]byte(dayKey()), l.Calls)
	const firstNumber = 1_000_000_0000
	call, number := table.CallPartition("call_"), table.PhonePartition("+")

	var key []byte
	var played Played
	for hour := range seconds {
		for range seconds[hour] {
			n := poisson(rng, mean*hourFactor(hour))
			played.Events[hour] += n
			for range n {
				w := &m.Traffic.Writes[rng.IntN(len(m.Traffic.Writes))]
				key = strconv.AppendUint(append(key[:0], call...), rng.Uint64(), 16)
				base.add(partitionOf(key, l.Table), w.Table+w.Mark)
				alerts.add(0, w.Mark)
				calls.add(callsOf, w.Call)
				day.add(0, w.Call)
				if w.Phone == 0 {
					continue
				}
				rank := caller.Uint64()
				key = strconv.AppendUint(append(key[:0], number...), firstNumber+rank, 10)
				phones.add(partitionOf(key, l.Phones), w.Phone)
				if rank < watched {
					numbers.add(int(rank), w.Phone)
				}
			}
			for _, meter := range meters {
				meter.endSecond()
			}
		}
		for _, meter := range meters {
			meter.endHour(seconds[hour])
		}
	}
	played.Table, played.Phones, played.Calls = base.busiest, phones.busiest, calls.busiest
	played.Caller, played.Day, played.Alerts = numbers.busiest, day.busiest, alerts.busiest
	return played
}

// poisson draws how many of a mean number of independent things happen.
func poisson(rng *rand.Rand, mean float64) int {
	const many = 50
	if mean > many { // which is as good as normal
		return max(0, int(math.Round(mean+math.Sqrt(mean)*rng.NormFloat64())))
	}
	n, end := -1, math.Exp(-mean)
	for left := 1.0; left > end; n++ {
		left *= rng.Float64()
	}
	return n
}

// meter counts units by key or by partition.
type meter struct {
	second, hour []int
	touched      []int // of second
	busiest      Busiest
}

func newMeter(n int) *meter { return &meter{second: make([]int, n), hour: make([]int, n)} }

func (m *meter) add(i, units int) {
	if units == 0 {
		return
	}
	if m.second[i] == 0 {
		m.touched = append(m.touched, i)
	}
	m.second[i] += units
}

func (m *meter) endSecond() {
	for _, i := range m.touched {
		m.busiest.Second = max(m.busiest.Second, float64(m.second[i]))
		m.hour[i] += m.second[i]
		m.second[i] = 0
	}
	m.touched = m.touched[:0]
}

func (m *meter) endHour(seconds int) {
	if seconds > 0 {
		m.busiest.Hour = max(m.busiest.Hour, float64(slices.Max(m.hour))/float64(seconds))
	}
	clear(m.hour)
}

// dayKey returns the key in GSI2 of the simulated day.
func dayKey() string {
	return table.AlertPartition(time.Date(2026, time.March, 12, 0, 0, 0, 0, time.UTC))
}

// partitionOf returns on which of n partitions, equal parts of the hash's
// range, a key is. MD5 is what DynamoDB is said to take; any hash that spreads
// evenly gives the same picture.
func partitionOf(key []byte, n int) int {
	sum := md5.Sum(key) //nolint:gosec // G401: as above
	part, _ := bits.Mul64(binary.BigEndian.Uint64(sum[:]), uint64(max(1, n)))
	return int(part) //nolint:gosec // G115: less than n
}
