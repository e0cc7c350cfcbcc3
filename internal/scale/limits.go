package scale

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/ingest"
)

// Limit is something that ends at a rate.
type Limit struct {
	Name  string
	Quota string
	// Events is the rate that it ends at, in events per second at that moment,
	// and Then what happens above it.
	Events float64
	Then   string
	Change string
}

// Mean returns the day's mean rate whose busiest hour reaches the limit.
func (l Limit) Mean() float64 { return l.Events / PeakFactor() }

// Limits returns what ends when, the first one first.
func (m *Model) Limits() []Limit {
	t := m.Traffic
	writes, reads := m.Writes(), m.Reads()
	rejected := t.Format[events.FormatB].Share * t.RejectedUnits
	limits := []Limit{
		{
			"e-mails to one address", fmt.Sprintf("%d alerts/s", mailRate),
			rateOnceAnHour(mailRate) / t.Alerts,
			"once an hour a second has more; SNS deactivates the subscription, and no alarm tells",
			"no e-mail per alert: subscribe a queue or a function, or give each address a filter policy on `line`",
		},
		{
			"text messages", fmt.Sprintf("%d alerts/s", textRate), textRate / t.Alerts,
			"not known: late, or lost", "as for e-mails",
		},
		{
			"Lambda, new account", fmt.Sprintf("%d places", lambdaPlacesNew), lambdaPlacesNew * placeRate,
			"5xx, JustCall tries again", "quota *Concurrent executions*",
		},
		{
			"Lambda, while the table hangs", fmt.Sprintf("%s places", number(lambdaPlaces)), lambdaPlaces / ingest.DefaultStoreTime.Seconds(),
			"5xx where no place is left, for the alerts too; JustCall tries again", "quota *Concurrent executions*, a shorter `DefaultStoreTime`",
		},
		{
			"`ThrottleRate`", fmt.Sprintf("%s requests/s", number(m.Settings.ThrottleRate)), m.Settings.ThrottleRate,
			"429, JustCall tries again", "`ThrottleRate`, `ThrottleBurst`",
		},
		{
			"SNS, regions with the least", fmt.Sprintf("%d messages/s", publishLeast), publishLeast / t.Alerts,
			"alerts wait, and after an hour end in the failure bucket", "quota, or another region",
		},
		{
			"GSI1, alerts' look at the caller, when new", fmt.Sprintf("%s read units/s", number(newTableReads)), newTableReads / reads.Phones,
			"alerts go out without name and count, each half a second later", "`WarmThroughput.ReadUnitsPerSecond` of GSI1",
		},
		{
			"`REJECTED#<day>`, if every B delivery is refused", fmt.Sprintf("%s write units/s", number(partitionWrites)),
			partitionWrites / rejected,
			"spilled faster than drained", "the right `signing_secret`; a shard in the key",
		},
		{
			"table, when new", fmt.Sprintf("%s write units/s", number(newTableWrites)), newTableWrites / writes.Table,
			"spilled until DynamoDB has split it, within half an hour", "`WarmThroughput.WriteUnitsPerSecond`, of the indexes too",
		},
		{
			"**GSI2, `ALERT#<day>`**", fmt.Sprintf("%s write units/s", number(partitionWrites)), partitionWrites / writes.Calls,
			"missed calls and voicemails above it are spilled, and the drain meets the same key", "`ALERT#<day>#<shard>`, below",
		},
		{
			"API Gateway", fmt.Sprintf("%s requests/s", number(apiRate)), apiRate,
			"429", "quota *Throttle rate*",
		},
		{
			"Lambda", fmt.Sprintf("%s places at %d requests/s each", number(lambdaPlaces), placeRate), lambdaPlaces * placeRate,
			"5xx", "quota *Concurrent executions*",
		},
		{
			"table", fmt.Sprintf("%s write units/s", number(tableQuota)), tableQuota / writes.Table,
			"spilled", "quota *Table-level write throughput*",
		},
		{
			"GSI1, reads", fmt.Sprintf("%s read units/s", number(tableQuota)), tableQuota / reads.Phones,
			"as above", "quota *Table-level read throughput*, or a shorter `historyLength`",
		},
		{
			"SNS, us-east-1", fmt.Sprintf("%s messages/s", number(publishMost)), publishMost / t.Alerts,
			"alerts wait", "quota",
		},
	}
	if keys := t.shared(); len(keys) > 0 {
		limits = append(limits, Limit{
			"table, `" + keys[0].key + "`", fmt.Sprintf("%s write units/s", number(partitionWrites)), partitionWrites / keys[0].units,
			"spilled until DynamoDB splits the key, which it can: these sort keys do not grow", "an id in the key, or a shard",
		})
	}
	slices.SortStableFunc(limits, func(a, b Limit) int { return cmp.Compare(a.Events, b.Events) })
	return limits
}
