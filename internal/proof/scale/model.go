// Package scale computes docs/scale.md and the bill in docs/operations.md: which
// limit the stack reaches at how many events per second, and what it costs.
//
// It reads inputs.json: the sizes of the storm's events as items with their real
// keys, and what the template and the code set. A test measures these anew and
// keeps the file true. [Model.Play] simulates a day, event by event;
// [Model.Limits] and [Model.Costs] are arithmetic on AWS's quotas (limits.yaml)
// and prices. Package cmd prints the tables, and a test keeps the documents equal
// to them.
//
// Nothing here was measured on AWS.
package scale

import (
	_ "embed"
	"errors"
	"math"

	"github.com/go-json-experiment/json"
	"github.com/goccy/go-yaml"
)

// Model computes what a rate of events does to the stack, from what was measured.
type Model struct {
	Events                              int     // measured
	Bytes                               float64 // of an item
	A, B                                Weight  // the events of a wire format
	Table, Phones, Calls                float64 // write units per event in the table, in GSI1 and in GSI2, without marks
	Records                             float64 // per event, that reach the alerts function
	Alerts, MarkBytes                   float64 // alerts per event, each with a mark of one write unit
	Entries, EntryBytes, IndexBytes     float64 // in GSI1 per event, their size, and that of an event's entries in all indexes
	RejectedUnits                       float64 // of a rejected event of format B
	Writes                              []Write // of the events that belong to a call, a message or a contact
	CallKey, PhoneKey, DayKey           string  // how partition keys begin, and one of GSI2
	StoreTime                           float64 // seconds that the webhook waits for the table
	History, Publish                    float64 // events of a caller that an alert looks up, alerts published at once
	Memory, ThrottleRate                float64 // GB, requests per second
	Parallel, Batch, Drains, DrainBatch float64 // concurrent batches of a shard and of the spill queue, and their records

	limits []Limit
}

// Weight is the mean of some events: Share of all, with the sizes of a delivery's
// body and of its item in bytes, and the item's write units.
type Weight struct{ Share, Body, Bytes, Units float64 }

// Write is the write of Count events, in write units each: in the table, in GSI1
// and in GSI2, and of the mark of an alert.
type Write struct{ Count, Table, Phone, Call, Mark int }

//go:embed inputs.json
var inputs []byte

//go:embed limits.yaml
var quotas []byte

// Load returns the model as it was measured last.
func Load() (*Model, error) {
	m := &Model{}
	return m, errors.Join(json.Unmarshal(inputs, m), yaml.Unmarshal(quotas, &m.limits))
}

const (
	partitionWrites = 1_000 // units per second
	partitionReads  = 3_000
	newTableWrites  = 4_000
	shardPolls      = 4     // per second
	environmentRate = 10    // requests per second of one execution environment
	webhookTime     = 0.010 // seconds billed for a delivery; these three are assumed
	batchTime       = 0.100 // to look up, publish and mark up to ten alerts
	drainTime       = 0.100 // to drain a batch
	hour            = 3600.0
	day             = 24 * hour
	month           = 30 * day
)

// Step is what the stack takes on a day, by name: rates are per second, and all
// but Mean is of the busiest hour. limits.yaml names some as loads.
type Step map[string]float64

// At returns the step of a mean rate in events per second.
func (m *Model) At(mean float64) Step {
	peak := mean * PeakFactor()
	s := Step{
		"Mean": mean, "Peak": peak,
		"TableWrites": peak * (m.Table + m.Alerts), "GSI1Writes": peak * m.Phones, "GSI2Writes": peak * m.Calls,
		// For each record a query for its call's marks, and one for the caller's last events.
		"TableReads": peak * m.Records * ReadUnits(1, true), "GSI1Reads": peak * m.Records * ReadUnits(m.EntryBytes*m.History, false),
		"RejectedWrites": peak * m.B.Share * m.RejectedUnits,
		"Texts":          mean * m.Alerts * month, // in a month
		"Webhook":        concurrent(peak, webhookTime),
		"Hanging":        peak * m.StoreTime,
		// To drain in an hour what ten minutes without the table spill.
		"Drains": math.Ceil(peak / 6 * drainTime / m.DrainBatch),
	}
	for _, of := range []string{"Table", "GSI1", "GSI2"} {
		s[of+"Partitions"] = partitions(s[of+"Writes"], s[of+"Reads"])
	}
	a := m.Alerting(peak, s["TablePartitions"], m.Parallel, 0)
	s["Alerts"], s["Executions"] = a["Alerts"], s["Webhook"]+a["Busy"]
	s["CrowdedSeconds"] = moreThan(10, s["Alerts"]) * hour // of an hour, with more alerts than an address takes
	s["Shards"] = 1                                        // of a day's key, for none to take more than half of a partition's limit
	for s["GSI2Writes"]/s["Shards"] > partitionWrites/2 {
		s["Shards"] *= 2
	}
	return s
}

// ReadUnits returns the read units of one query of so many bytes: one for each
// 4 KB begun, and half of that where a stale answer will do, as from an index.
func ReadUnits(bytes float64, consistent bool) float64 {
	units := max(1, math.Ceil(math.Trunc(bytes)/4096))
	if !consistent {
		units /= 2
	}
	return units
}

// partitions returns on how many partitions a table on demand lies, which is
// ready for twice its peak.
func partitions(writes, reads float64) float64 {
	return max(newTableWrites/partitionWrites, math.Ceil(2*writes/partitionWrites), math.Ceil(2*reads/partitionReads))
}

// concurrent returns how many environments a rate of invocations keeps: one for
// each that runs at a time, and no fewer than Lambda's rate for each allows.
func concurrent(rate, seconds float64) float64 { return max(rate*seconds, rate/environmentRate) }

// Alerting returns how the alerts function works off the stream at a rate of
// events, with so many concurrent batches of each shard. Window is how many
// seconds Lambda gathers records for, beyond its polling.
func (m *Model) Alerting(rate, shards, parallel, window float64) Step {
	records, alerts, batches := m.Records*rate, m.Alerts*rate, shards*parallel
	window = max(window, 1.0/shardPolls)
	batch := min(max(1, records/batches*window), m.Batch)
	requests := math.Ceil(batch / m.Publish)
	tens := records / batch * requests
	a := Step{
		"Records": records, "Alerts": alerts, "Shards": shards, "Parallel": parallel, "Batches": batches,
		"Batch": batch, "Invocations": records / batch,
		"Tens":      tens, // how many times up to ten records are looked up and published
		"Busy":      tens * batchTime,
		"Publishes": min(tens, alerts),               // none for what was alerted before
		"Capacity":  batches * m.Publish / batchTime, // records, in full batches
		"Age":       window + requests*batchTime,     // of a record when its alert is published, in seconds
	}
	a["CatchUp"] = CatchUp(records, a["Capacity"], hour/2)
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
func (m *Model) DrainRate() float64 { return m.Drains * m.DrainBatch / drainTime }

// With returns the model for events of which so great a part are missed calls
// or voicemails.
func (m *Model) With(records float64) *Model {
	few, factor := *m, records/m.Records
	few.Records *= factor
	few.Alerts *= factor
	few.Calls *= factor
	return &few
}
