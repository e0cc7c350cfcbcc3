package scale

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/ingest"
)

// Limit is a quota, and what the stack takes of it.
type Limit struct {
	Name, Is     string
	Then, Change string
	// Set is the quota or setting to raise, where it is a number.
	Set   string
	Quota float64
	Use   func(Step) float64
	// Mean and Events are the day's mean rate and the rate of its busiest hour
	// at which all of it is used, in events per second.
	Mean, Events float64
}

// Limits returns what is reached when, the first one first.
func (m *Model) Limits() []Limit {
	const month = daysAMonth * secondsADay
	t := m.Traffic
	rejected := t.Format[events.FormatB].Share * t.RejectedUnits
	hang := ingest.DefaultStoreTime.Seconds()
	const concurrency = "Lambda quota *Concurrent executions*"

	alerts := func(s Step) float64 { return s.Alerts.Alerts }
	hanging := func(s Step) float64 { return s.Peak * hang }
	tableWrites := func(s Step) float64 { return s.Writes.Table }
	phoneReads := func(s Step) float64 { return s.Reads.Phones }
	rate := func(s Step) float64 { return s.Peak }
	limits := []Limit{
		{
			Name: "text messages, new account", Is: fmt.Sprintf("%g USD a month, some %g messages", textSpend, textSpend/textPrice),
			Then: "no more go out this month; those before go to verified numbers only", Change: "leave the sandbox and raise the spending quota",
			Quota: textSpend / textPrice, Use: func(s Step) float64 { return s.Mean * t.Alerts * month },
		},
		{
			Name: "Lambda, new account, while the table hangs", Is: fmt.Sprintf("%d concurrent executions", executionsNew),
			Then: "5xx in place of the spill's 200, JustCall tries again", Change: "have the quota *Concurrent executions* raised, to 1 000",
			Quota: executionsNew, Use: hanging,
		},
		{
			Name: "e-mails to one address", Is: fmt.Sprintf("%d alerts/s", mailRate),
			Then:   "a second of each hour has more, SNS deactivates the subscription, and no alarm tells",
			Change: "send no e-mail per alert: subscribe a queue or a function, or give each address a filter policy on `line`",
			Quota:  rateOnceAnHour(mailRate), Use: alerts,
		},
		{
			Name: "Lambda, new account", Is: fmt.Sprintf("%d concurrent executions", executionsNew),
			Then: "5xx, JustCall tries again", Change: "the same quota", Quota: executionsNew, Use: Step.Concurrent,
		},
		{
			Name: "Lambda, while the table hangs", Is: number(executions) + " concurrent executions",
			Then: "5xx in place of the spill's 200, and alerts wait", Change: "quota *Concurrent executions*, or a shorter `DefaultStoreTime`",
			Quota: executions, Use: hanging,
		},
		{
			Name: "`ThrottleRate`", Is: number(m.Settings.ThrottleRate) + " requests/s",
			Then: "429, JustCall tries again", Change: "`ThrottleRate`, `ThrottleBurst`",
			Set: "parameter `ThrottleRate`", Quota: m.Settings.ThrottleRate, Use: rate,
		},
		{
			Name: "`REJECTED#<day>`, if every B delivery is refused", Is: number(partitionWrites) + " write units/s",
			Then: "spilled faster than drained", Change: "the right `signing_secret`; a shard in the key",
			Quota: partitionWrites, Use: func(s Step) float64 { return s.Peak * rejected },
		},
		{
			Name: "SNS, regions with the least", Is: number(publishLeast) + " messages/s",
			Then: "alerts wait, and after an hour end in the failure bucket", Change: "quota, or another region",
			Set: "SNS quota of messages published/s, where it is less", Quota: publishLeast, Use: alerts,
		},
		{
			Name: "table, when new", Is: number(newTableWrites) + " write units/s",
			Then: "spilled until DynamoDB has grown it, within half an hour", Change: "`WarmThroughput`, of the indexes too",
			Set: "`WarmThroughput` of the table, write units/s", Quota: newTableWrites, Use: tableWrites,
		},
		{
			Name: "**GSI2, `ALERT#<day>`**", Is: number(partitionWrites) + " write units/s",
			Then:   "missed calls and voicemails above it are spilled, and the drain meets the same key",
			Change: "`ALERT#<day>#<shard>`, [below](#where-the-writes-go)",
			Quota:  partitionWrites, Use: func(s Step) float64 { return s.Writes.Calls },
		},
		{
			Name: "GSI1, reads, when new", Is: number(newTableReads) + " read units/s",
			Then: "alerts go out without name and count, each half a second later", Change: "`WarmThroughput` of GSI1",
			Set: "… of GSI1, read units/s", Quota: newTableReads, Use: phoneReads,
		},
		{
			Name: "Lambda", Is: number(executions) + " concurrent executions",
			Then: "5xx, and alerts wait", Change: "quota *Concurrent executions*",
			Set: concurrency, Quota: executions, Use: Step.Concurrent,
		},
		{
			Name: "API Gateway", Is: number(apiRate) + " requests/s", Then: "429", Change: "quota *Throttle rate*",
			Set: "API Gateway quota *Throttle rate*, requests/s", Quota: apiRate, Use: rate,
		},
		{
			Name: "table, quota", Is: number(tableQuota) + " write units/s", Then: "spilled", Change: "quota *Table-level write throughput*",
			Set: "DynamoDB quota *Table-level write throughput*", Quota: tableQuota, Use: tableWrites,
		},
		{
			Name: "GSI1, quota", Is: number(tableQuota) + " read units/s", Then: "as when new",
			Change: "quota *Table-level read throughput*, or a shorter `HistoryLength`",
			Set:    "DynamoDB quota *Table-level read throughput*", Quota: tableQuota, Use: phoneReads,
		},
		{
			Name: "SNS, us-east-1", Is: number(publishMost) + " messages/s", Then: "alerts wait", Change: "quota",
			Quota: publishMost, Use: alerts,
		},
	}
	const atMost = 1e9
	for i := range limits {
		l := &limits[i]
		l.Mean = crossing(atMost, func(mean float64) bool { return l.Use(m.At(mean)) >= l.Quota })
		l.Events = l.Mean * PeakFactor()
	}
	slices.SortStableFunc(limits, func(a, b Limit) int { return cmp.Compare(a.Events, b.Events) })
	return limits
}

// margin is how much more than the busiest hour needs is asked for.
const margin = 1.5

// Need is something to set, what there is without it, and what it must be, with
// the margin.
type Need struct {
	Name string
	Have float64
	Need func(Step) float64
}

// Needs returns what to set: what [Model.Limits] has numbers for, and more.
func (m *Model) Needs() []Need {
	with := func(use func(Step) float64) func(Step) float64 {
		return func(s Step) float64 { return margin * use(s) }
	}
	var needs []Need
	for _, l := range m.Limits() {
		if l.Set != "" {
			needs = append(needs, Need{l.Set, l.Quota, with(l.Use)})
		}
	}
	return append(needs,
		Need{"`WarmThroughput` of the table, read units/s", newTableReads, with(func(s Step) float64 { return s.Reads.Table })},
		Need{"… of GSI1, write units/s", newTableWrites, with(func(s Step) float64 { return s.Writes.Phones })},
		Need{"… of GSI2, write units/s", newTableWrites, with(func(s Step) float64 { return s.Writes.Calls })},
		Need{"`ALERT#<day>#<shard>` of GSI2, shards", 1, func(s Step) float64 { return float64(m.Shards(s)) }},
		Need{"`DrainFunction` `ScalingConfig.MaximumConcurrency`", m.Settings.Drains, m.drains},
	)
}

// Shards returns under how many keys a day's missed calls and voicemails must
// stand for none to take more than half of what a partition can: a power of
// two, so that it is seldom changed.
func (m *Model) Shards(s Step) int {
	shards := 1
	for s.Writes.Calls/float64(shards) > partitionWrites/2 {
		shards *= 2
	}
	return shards
}
