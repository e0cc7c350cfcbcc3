package scale

import (
	"math"

	"github.com/ringback/ringback/internal/alert"
)

// Durations in seconds, assumed as docs/operations.md does; none was measured
// on AWS.
const (
	webhookTime = 0.010 // billed for a delivery
	batchTime   = 0.100 // to look up, publish and mark up to ten alerts
	drainTime   = 0.100 // to drain a batch
)

// Bytes of logs, as docs/operations.md counts them.
const (
	ownLine     = 240 // the function's line for a delivery or an alert
	lambdaLines = 600 // Lambda's own for an invocation
	apiLine     = 300
)

// headroom is how many times its peak a table on demand is ready for: twice the
// peak that it had.
const headroom = 2

// Model computes what a rate of events does to the stack.
type Model struct {
	Traffic  *Traffic
	Settings Settings
}

// Units are write or read units, per event or per second.
type Units struct{ Table, Phones, Calls float64 }

// Writes returns the write units of one event, with its part of the marks.
func (m *Model) Writes() Units {
	return Units{m.Traffic.Table + m.Traffic.Alerts, m.Traffic.Phones, m.Traffic.Calls}
}

// Reads returns the read units of one event: for each record of the stream one
// query for its call's marks, and one for the last events of its caller, who is
// taken to have [historyLength] of them.
func (m *Model) Reads() Units {
	history := ReadUnits(int(m.Traffic.EntryBytes*historyLength), false)
	return Units{Table: m.Traffic.Records * ReadUnits(1, true), Phones: m.Traffic.Records * history}
}

// Step is the stack on a day.
type Step struct {
	// Mean is the day's mean rate in events per second, Peak that of the
	// busiest hour. All rates below are of the busiest hour.
	Mean, Peak float64
	// Writes and Reads are units per second, and Layout the partitions for
	// them, as many as a table has that had them before.
	Writes, Reads Units
	Layout        Layout
	Webhook       float64 // places of the webhook function
	Alerts        Alerting
}

// At returns the step of a mean rate.
func (m *Model) At(mean float64) Step {
	s := Step{Mean: mean, Peak: mean * PeakFactor()}
	s.Writes, s.Reads = m.Writes().times(s.Peak), m.Reads().times(s.Peak)
	s.Layout = Layout{
		Table:  partitions(s.Writes.Table, s.Reads.Table),
		Phones: partitions(s.Writes.Phones, s.Reads.Phones),
		Calls:  partitions(s.Writes.Calls, s.Reads.Calls),
		Shards: 1,
	}
	s.Webhook = places(s.Peak, webhookTime)
	s.Alerts = m.alerting(s.Peak, s.Layout.Table, m.Settings.Lanes, 0)
	return s
}

func (u Units) times(rate float64) Units {
	return Units{u.Table * rate, u.Phones * rate, u.Calls * rate}
}

// partitions returns on how many partitions so many units per second lie.
func partitions(writes, reads float64) int {
	return int(max(newTableWrites/partitionWrites,
		math.Ceil(headroom*writes/partitionWrites), math.Ceil(headroom*reads/partitionReads)))
}

// places returns how many environments a rate of invocations keeps: one for
// each that runs at a time, and no fewer than Lambda's rate for each allows.
func places(rate, seconds float64) float64 { return max(rate*seconds, rate/placeRate) }

// Shards returns under how many keys a day's missed calls and voicemails must
// stand for none to take more than half of what a partition can: a power of
// two, so that it is seldom changed.
func (m *Model) Shards(mean float64) int {
	units := m.Writes().Calls * mean * PeakFactor()
	shards := 1
	for units/float64(shards) > partitionWrites/2 {
		shards *= 2
	}
	return shards
}

// Alerting is how the alerts function works off the stream. Rates are per
// second.
type Alerting struct {
	Records, Alerts float64
	// Shards is how many the stream has, Lanes how many batches are worked on
	// at a time at the most.
	Shards, Lanes float64
	// Batch is how many records an invocation gets, Invocations how many begin,
	// Busy how many run at a time. Tens is how many times up to ten records are
	// looked up and published, Publishes how many requests SNS gets.
	Batch, Invocations, Busy, Tens, Publishes float64
	// Capacity is how many records could be worked off, in full batches.
	Capacity float64
	// Age is how old a record is when its alert is published, in seconds.
	Age float64
}

// alerting returns the alerts function at a rate of events, with so many lanes
// for a shard, of which there is one for each partition. Window is how many
// seconds Lambda gathers records for, beyond its polling.
func (m *Model) alerting(rate float64, shards int, lanes, window float64) Alerting {
	a := Alerting{
		Records: m.Traffic.Records * rate,
		Alerts:  m.Traffic.Alerts * rate,
		Shards:  float64(shards),
		Lanes:   float64(shards) * lanes,
	}
	window = max(window, 1.0/shardPolls)
	a.Batch = min(max(1, a.Records/a.Lanes*window), m.Settings.Batch)
	a.Invocations = a.Records / a.Batch
	requests := math.Ceil(a.Batch / alert.MaxBatch)
	a.Tens = a.Invocations * requests
	a.Publishes = min(a.Tens, a.Alerts) // none for what was alerted before
	a.Busy = a.Tens * batchTime
	a.Capacity = a.Lanes * alert.MaxBatch / batchTime
	a.Age = window + requests*batchTime
	return a
}

// CatchUp returns how many seconds it takes to work off what came while nothing
// was, for so many seconds, and +Inf if more keeps coming than is worked off.
func CatchUp(rate, capacity, seconds float64) float64 {
	if capacity <= rate {
		return math.Inf(1)
	}
	return rate * seconds / (capacity - rate)
}

// DrainRate returns how many spilled deliveries are drained a second.
func (m *Model) DrainRate() float64 { return m.Settings.Drains * m.Settings.DrainBatch / drainTime }

// Cost is what a service costs in a month of equal days, in USD.
type Cost struct {
	Name string
	USD  float64
}

// Costs returns the cost of a month at a mean rate, without the fixed cost, the
// e-mails and what else subscribers cost.
func (m *Model) Costs(mean float64) []Cost {
	const month = daysAMonth * secondsADay
	s := m.At(mean)
	count := mean * month // events
	// As if all hours were alike: batches differ little between them.
	a := m.alerting(mean, s.Layout.Table, m.Settings.Lanes, 0)
	invocations, tens, publishes := a.Invocations*month, a.Tens*month, a.Publishes*month
	writes, reads := m.Writes().times(count), m.Reads().times(count)
	logs := count*(ownLine+lambdaLines+apiLine) + m.Traffic.Records*count*ownLine + invocations*lambdaLines
	// Two versions of the secret, by every environment, every ten minutes.
	const lookEvery = 600
	looks := places(mean, webhookTime) * 2 * month / lookEvery
	t := m.Traffic
	stored := count * (t.Bytes + t.IndexBytes + t.Alerts*t.MarkBytes + itemOverhead*(1+t.Entries+t.Records+t.Alerts))
	return []Cost{
		{"API Gateway", apiPrice.cost(count)},
		{"Lambda, requests and time", (count+invocations)*lambdaRequest + (count*webhookTime+tens*batchTime)*m.Settings.Memory*lambdaSecond},
		{"DynamoDB, writes: table and marks", writes.Table * writeRequest},
		{"DynamoDB, writes: GSI1", writes.Phones * writeRequest},
		{"DynamoDB, writes: GSI2", writes.Calls * writeRequest},
		{"DynamoDB, reads of marks and callers", (reads.Table + reads.Phones) * readRequest},
		{"DynamoDB, what a month adds, kept a month, with backups", stored / gigabyte * storedMonth},
		{"SNS, published", publishes * snsPublish},
		{"CloudWatch Logs", logPrice.cost(logs / gigabyte)},
		{"Secrets Manager, requests", looks * secretRequest},
	}
}
