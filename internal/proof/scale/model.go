// Package scale computes docs/scale.md and the bill in docs/operations.md: at how
// many events per second the stack reaches each limit, and what it costs.
//
// It reads inputs.json, which holds the sizes of the storm's events, stored under
// their real keys, and the settings of the template and the code. A test measures
// these again and compares them with the file. [Model.Play] simulates a day, event
// by event. [Model.Limits] and [Model.Costs] calculate with AWS's quotas
// (limits.yaml) and prices. Package cmd prints the tables; a test compares them
// with the documents.
//
// Nothing here was measured on AWS.
package scale

import (
	"cmp"
	_ "embed"
	"errors"
	"math"
	"slices"
	"sort"

	"github.com/go-json-experiment/json"
	"github.com/goccy/go-yaml"
)

// Model computes the load that a rate of events puts on the stack.
type Model struct {
	Events                              int     // number of events measured
	Bytes                               float64 // size of an item
	A, B                                Weight  // the events of each wire format
	Table, Phones, Calls                float64 // write units per event in the table, GSI1 and GSI2, without what an alert writes
	Missed                              float64 // events in GSI2 per event: missed calls, voicemails and what may be one
	Answered                            float64 // … and answered calls, which are in a list of their own and take a write unit each
	Alerts, MarkBytes                   float64 // alerts per event, and the size of an alert's two marks, of a write unit each
	Entries, EntryBytes, IndexBytes     float64 // entries in GSI1 per event, the size of one, and of an event's entries in all indexes
	RejectedUnits                       float64 // write units of a rejected event of format B
	Writes                              []Write // the events that belong to a call, a message or a contact
	CallKey, PhoneKey, DayKey           string  // prefixes of partition keys, and one key of a day in GSI2
	Shards                              float64 // keys of a day in GSI2
	StoreTime, HangTime                 float64 // how long the webhook waits for the table, and a new process for one that hangs, in seconds
	Publish                             float64 // alerts in one request to SNS
	Memory, ThrottleRate                float64 // GB, requests per second
	Parallel, Batch, Drains, DrainBatch float64 // concurrent batches of a shard and of the spill queue, and their sizes

	limits []Limit
}

// Weight describes some of the events: their share of all, and the means of the
// body's size and the item's, in bytes, and of the item's write units.
type Weight struct{ Share, Body, Bytes, Units float64 }

// Write is what Count events write, in write units each: to the table, to GSI1 and
// to GSI2, and for each of the three items that an alert writes.
type Write struct{ Count, Table, Phone, Call, Mark int }

//go:embed inputs.json
var inputs []byte

//go:embed limits.yaml
var quotas []byte

// Load returns the model of inputs.json and limits.yaml.
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
	webhookTime     = 0.010 // seconds billed for a delivery; this and the next three are assumed
	lookUpTime      = 0.020 // seconds to look up ten calls that owe nothing
	batchTime       = 0.100 // seconds to look up, publish and mark up to ten alerts
	drainTime       = 0.100 // seconds to drain a batch
	hour            = 3600.0
	day             = 24 * hour
	month           = 30 * day
)

// Step holds the loads of a day by name. Rates are per second; all but Mean are
// those of the busiest hour. limits.yaml refers to some of them.
type Step map[string]float64

// At returns the loads at a mean rate in events per second.
func (m *Model) At(mean float64) Step {
	peak := mean * PeakFactor()
	s := Step{
		"Mean": mean, "Peak": peak,
		// An alert takes a seat in its ring, and is marked before and after it goes out.
		"TableWrites": peak * (m.Table + 3*m.Alerts), "GSI1Writes": peak * m.Phones, "GSI2Writes": peak * (m.Calls + m.Answered),
		// The list of answered calls has keys of its own.
		"AlertListWrites": peak * m.Calls,
		// Each event causes a consistent query of its call, which costs one unit, and
		// each alert five more: of its caller, twice of its ring before and once after it
		// goes out, and once more of its call.
		"TableReads":     peak * (1 + 5*m.Alerts),
		"RejectedWrites": peak * m.B.Share * m.RejectedUnits,
		"Texts":          mean * m.Alerts * month, // in a month
		"Webhook":        concurrent(peak, webhookTime),
		"Hanging":        peak * m.HangTime,
		// Enough to drain in an hour what is spilled in ten minutes without the table.
		"Drains": math.Ceil(peak / 6 * drainTime / m.DrainBatch),
	}
	for _, of := range []string{"Table", "GSI1", "GSI2"} {
		s[of+"Partitions"] = partitions(s[of+"Writes"], s[of+"Reads"])
	}
	a := m.Alerting(peak, s["TablePartitions"], m.Parallel, 0)
	s["Alerts"], s["Executions"] = a["Alerts"], s["Webhook"]+a["Busy"]
	s["CrowdedSeconds"] = moreThan(10, s["Alerts"]) * hour // of an hour, with more alerts than an address accepts
	return s
}

// Units returns the write units of an event: its item, its entries in the indexes and
// the mark of its alert.
func (m *Model) Units() float64 { return m.Table + m.Phones + m.Calls + m.Answered + m.Alerts }

// partitions returns the number of partitions of an on-demand table, which is ready
// for twice its peak.
func partitions(writes, reads float64) float64 {
	return max(newTableWrites/partitionWrites, math.Ceil(2*writes/partitionWrites), math.Ceil(2*reads/partitionReads))
}

// concurrent returns the number of environments for a rate of invocations: one for
// each that runs at a time, and enough for Lambda's limit on the rate of each.
func concurrent(rate, seconds float64) float64 { return max(rate*seconds, rate/environmentRate) }

// Alerting returns how the alerts function keeps up with the stream at a rate of
// events, with parallel concurrent batches of each shard. Lambda collects records
// for window seconds, and at least for as long as it takes to poll again.
func (m *Model) Alerting(rate, shards, parallel, window float64) Step {
	records, alerts, batches := rate, m.Alerts*rate, shards*parallel
	window = max(window, 1.0/shardPolls)
	batch := min(max(1, records/batches*window), m.Batch)
	requests := math.Ceil(batch / m.Publish)
	tens := records / batch * requests
	a := Step{
		"Records": records, "Alerts": alerts, "Shards": shards, "Parallel": parallel, "Batches": batches,
		"Batch": batch, "Invocations": records / batch,
		"Tens":      tens, // rounds of up to ten records that are looked up and published
		"Busy":      tens*lookUpTime + min(tens, alerts)*(batchTime-lookUpTime),
		"Publishes": min(tens, alerts),               // an alert that was sent before is not published again
		"Capacity":  batches * m.Publish / batchTime, // records, in full batches
		"Age":       window + requests*batchTime,     // of a record when its alert is published, in seconds
	}
	// In seconds, after an outage of half an hour; +Inf if the capacity is too low.
	a["CatchUp"] = records * hour / 2 / max(0, a["Capacity"]-records)
	return a
}

// DrainRate returns how many spilled deliveries are drained a second.
func (m *Model) DrainRate() float64 { return m.Drains * m.DrainBatch / drainTime }

// With returns the model for another share of missed calls and voicemails.
func (m *Model) With(missed float64) *Model {
	few, factor := *m, missed/m.Missed
	few.Missed *= factor
	few.Alerts *= factor
	few.Calls *= factor
	return &few
}

// Limit is a quota or a setting, and the load that it bounds. One without a name is
// no limit but must be set.
type Limit struct {
	Name, Is, Then, Change string
	// Set is the quota or setting to raise, if it is a number: to Reserve times
	// the load.
	Set     string
	Load    string // its name in Step
	Quota   float64
	Reserve float64
	// Mean and Events are the day's mean rate and the rate of its busiest hour at
	// which the limit is reached, in events per second.
	Mean, Events float64 `yaml:"-"`
}

// Limits returns the limits in the order in which they are reached.
func (m *Model) Limits() []Limit {
	limits := slices.DeleteFunc(slices.Clone(m.limits), func(l Limit) bool { return l.Name == "" })
	for i := range limits {
		l := &limits[i]
		const fine = 1e9 // steps of the search per event/s
		l.Mean = float64(sort.Search(math.MaxInt, func(rate int) bool { return m.At(float64(rate) / fine)[l.Load] >= l.Quota })) / fine
		l.Events = l.Mean * PeakFactor()
	}
	slices.SortStableFunc(limits, func(a, b Limit) int { return cmp.Compare(a.Events, b.Events) })
	return limits
}

// Needs returns everything that has to be set to a number.
func (m *Model) Needs() []Limit {
	all := append(m.Limits(), slices.DeleteFunc(slices.Clone(m.limits), func(l Limit) bool { return l.Name != "" })...)
	return slices.DeleteFunc(all, func(l Limit) bool { return l.Set == "" })
}

// Need returns what to set for a step: by default one and a half times the load.
func (l Limit) Need(s Step) float64 { return s[l.Load] * cmp.Or(l.Reserve, 1.5) }

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
