package scale

import (
	"fmt"
	"math"
	"time"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/proof/storm"
)

// Durations in seconds, assumed; none was measured on AWS.
const (
	webhookTime = 0.010 // billed for a delivery
	batchTime   = 0.100 // to look up, publish and mark up to ten alerts
	drainTime   = 0.100 // to drain a batch
)

// Bytes of logs: our line's were measured, the others are assumed.
const (
	ownLine     = 240 // the function's line for a delivery or an alert
	lambdaLines = 600 // Lambda's own for an invocation
	apiLine     = 300
)

// headroom is how many times its peak a table on demand is ready for.
const headroom = 2

// Model computes what a rate of events does to the stack.
type Model struct {
	Traffic  *Traffic
	Settings Settings
}

// sample is how many of the storm's events are measured.
const sample = 1500

// Load returns the model of the template at path, with the storm's events.
func Load(path string) (*Model, error) {
	settings, err := ReadSettings(path)
	if err != nil {
		return nil, err
	}
	plan, err := storm.NewPlan(storm.Mix{Seed: 1, Deliveries: sample})
	if err != nil {
		return nil, fmt.Errorf("make up events: %w", err)
	}
	traffic, err := NewTraffic(plan, settings.Shape)
	if err != nil {
		return nil, err
	}
	return &Model{Traffic: traffic, Settings: settings}, nil
}

// Units are write or read units, per event or per second.
type Units struct{ Table, Phones, Calls float64 }

func (u Units) times(rate float64) Units {
	return Units{u.Table * rate, u.Phones * rate, u.Calls * rate}
}

// Writes returns the write units of one event, with its part of the marks.
func (m *Model) Writes() Units {
	return Units{m.Traffic.Table + m.Traffic.Alerts, m.Traffic.Phones, m.Traffic.Calls}
}

// Reads returns the read units of one event: for each record of the stream one
// query for its call's marks, and one for the last events of its caller, who is
// taken to have [alert.HistoryLength] of them.
func (m *Model) Reads() Units {
	history := ReadUnits(int(m.Traffic.EntryBytes*alert.HistoryLength), false)
	return Units{Table: m.Traffic.Records * ReadUnits(1, true), Phones: m.Traffic.Records * history}
}

// Step is the stack on a day.
type Step struct {
	// Mean is the day's mean rate in events per second, Peak that of the
	// busiest hour. All that follows is of the busiest hour.
	Mean, Peak float64
	// Writes and Reads are units per second, and Layout the partitions for
	// them, as many as a table has that had them before.
	Writes, Reads Units
	Layout        Layout
	Webhook       float64 // concurrent executions of the webhook function
	Alerts        Alerting
}

// Concurrent returns the concurrent executions of all functions.
func (s Step) Concurrent() float64 { return s.Webhook + s.Alerts.Busy }

// Layout is on how many partitions the table, GSI1 and GSI2 lie.
type Layout struct{ Table, Phones, Calls int }

// At returns the step of a mean rate.
func (m *Model) At(mean float64) Step {
	s := Step{Mean: mean, Peak: mean * PeakFactor()}
	s.Writes, s.Reads = m.Writes().times(s.Peak), m.Reads().times(s.Peak)
	s.Layout = Layout{
		Table:  partitions(s.Writes.Table, s.Reads.Table),
		Phones: partitions(s.Writes.Phones, s.Reads.Phones),
		Calls:  partitions(s.Writes.Calls, s.Reads.Calls),
	}
	s.Webhook = concurrent(s.Peak, webhookTime)
	s.Alerts = m.alerting(s.Peak, s.Layout.Table, m.Settings.Parallel, 0)
	return s
}

// partitions returns on how many partitions so many units per second lie.
func partitions(writes, reads float64) int {
	return int(max(newTableWrites/partitionWrites,
		math.Ceil(headroom*writes/partitionWrites), math.Ceil(headroom*reads/partitionReads)))
}

// concurrent returns how many environments a rate of invocations keeps: one for
// each that runs at a time, and no fewer than Lambda's rate for each allows.
func concurrent(rate, seconds float64) float64 { return max(rate*seconds, rate/environmentRate) }

// Alerting is how the alerts function works off the stream. Rates are per
// second.
type Alerting struct {
	Records, Alerts float64
	// Batches is how many batches are worked on at a time at the most.
	Batches float64
	// Batch is how many records an invocation gets, Invocations how many begin,
	// Busy how many run at a time. Tens is how many times up to ten records are
	// looked up and published, Publishes how many requests SNS gets.
	Batch, Invocations, Busy, Tens, Publishes float64
	// Capacity is how many records could be worked off, in full batches.
	Capacity float64
	// Age is how old a record is when its alert is published, in seconds.
	Age float64
}

// alerting returns the alerts function at a rate of events, with a shard for
// each partition and so many concurrent batches of each. Window is how many
// seconds Lambda gathers records for, beyond its polling.
func (m *Model) alerting(rate float64, shards int, parallel, window float64) Alerting {
	a := Alerting{
		Records: m.Traffic.Records * rate,
		Alerts:  m.Traffic.Alerts * rate,
		Batches: float64(shards) * parallel,
	}
	window = max(window, 1.0/shardPolls)
	a.Batch = min(max(1, a.Records/a.Batches*window), m.Settings.Batch)
	a.Invocations = a.Records / a.Batch
	requests := math.Ceil(a.Batch / alert.MaxBatch)
	a.Tens = a.Invocations * requests
	a.Publishes = min(a.Tens, a.Alerts) // none for what was alerted before
	a.Busy = a.Tens * batchTime
	a.Capacity = a.Batches * alert.MaxBatch / batchTime
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

// outage is how long the table is taken to be away, and drained in what time
// all that was spilled meanwhile shall be stored.
const outage, drained = 10 * time.Minute, time.Hour

// DrainRate returns how many spilled deliveries are drained a second.
func (m *Model) DrainRate() float64 { return m.Settings.Drains * m.Settings.DrainBatch / drainTime }

// drains returns the MaximumConcurrency that drains an outage's deliveries.
func (m *Model) drains(s Step) float64 {
	return math.Ceil(s.Peak * outage.Seconds() / drained.Seconds() * drainTime / m.Settings.DrainBatch)
}

// Cost is what a service costs in a month of equal days, in USD, and what it is
// charged for, per event.
type Cost struct {
	Name, Of string
	USD      float64
}

// Costs returns the cost of a month at a mean rate, without the fixed cost, the
// e-mails and what else subscribers cost.
func (m *Model) Costs(mean float64) []Cost {
	const month = daysAMonth * secondsADay
	t := m.Traffic
	count := mean * month // events
	// As if all hours were alike: batches differ little between them.
	a := m.alerting(mean, m.At(mean).Layout.Table, m.Settings.Parallel, 0)
	calls, tens, publishes := 1+a.Invocations/mean, a.Tens/mean, a.Publishes/mean
	memory := (webhookTime + tens*batchTime) * m.Settings.Memory
	w, r := m.Writes(), m.Reads()
	logs := apiLine + ownLine*(1+t.Records) + lambdaLines*calls
	stored := t.Bytes + t.IndexBytes + t.Alerts*t.MarkBytes + itemOverhead*(1+t.Entries+t.Records+t.Alerts)
	return []Cost{
		{"API Gateway", "1 request", apiPrice.cost(count)},
		{"Lambda", about(calls) + " requests, " + about(1000*memory) + " GB-ms", count * (calls*lambdaRequest + memory*lambdaSecond)},
		{"DynamoDB, table and marks", about(w.Table) + " write units", count * w.Table * writeRequest},
		{"DynamoDB, GSI1", about(w.Phones) + " write units", count * w.Phones * writeRequest},
		{"DynamoDB, GSI2", about(w.Calls) + " write units", count * w.Calls * writeRequest},
		{"DynamoDB, reads of the alerts", about(r.Table+r.Phones) + " read units", count * (r.Table + r.Phones) * readRequest},
		{"DynamoDB, kept a month, with backup", about(stored) + " bytes", count * stored / gigabyte * storedMonth},
		{"SNS, published", about(publishes) + " requests", count * publishes * snsPublish},
		{"CloudWatch Logs", about(logs) + " bytes", logPrice.cost(count * logs / gigabyte)},
	}
}

// Sum returns what some costs are together.
func Sum(costs []Cost) (usd float64) {
	for _, c := range costs {
		usd += c.USD
	}
	return usd
}

// With returns the model for events of which so great a part are missed calls
// or voicemails.
func (m *Model) With(records float64) *Model {
	t, factor := *m.Traffic, records/m.Traffic.Records
	t.Records *= factor
	t.Alerts *= factor
	t.Calls *= factor
	return &Model{Traffic: &t, Settings: m.Settings}
}
