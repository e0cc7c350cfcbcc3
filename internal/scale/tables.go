package scale

import (
	"fmt"
	"math"
	"strings"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/ingest"
)

// Rates are the mean rates that the document is about, in events per second.
var Rates = []float64{10, 1_000, 100_000}

// Table is a part of the document that is computed.
type Table struct{ Name, Text string }

// Tables computes the tables, in the order of the document.
func (m *Model) Tables() []Table {
	return []Table{
		{"steps", m.steps()},
		{"assumed", m.assumed()},
		{"events", m.weights()},
		{"limits", m.limits()},
		{"keys", m.keys()},
		{"shards", m.shards()},
		{"alerts", m.alerts()},
		{"places", m.places()},
		{"settings", m.settings()},
		{"costs", m.costs()},
		{"figures", figures()},
	}
}

// rates returns the rates as the head of a table.
func rates(first ...string) []string {
	for _, rate := range Rates {
		first = append(first, number(rate)+"/s")
	}
	return first
}

// ordinary is how much busier than the busiest hour of the played day an
// ordinary one may be.
const ordinary = 1.1

func (m *Model) steps() string {
	g := grid{}
	g.add("events/s, mean of a day", "busiest hour", "limits that it is the first to hit, at events/s", "change", "USD a month")
	before := 0.0
	for _, rate := range Rates {
		s := m.At(rate)
		var hit []string
		for _, l := range m.Limits() {
			if l.Events > before && l.Events <= s.Peak*ordinary {
				hit = append(hit, fmt.Sprintf("%s (%s)", l.Name, about(l.Events)))
			}
		}
		before = s.Peak * ordinary
		sum := 0.0
		for _, c := range m.Costs(rate) {
			sum += c.USD
		}
		var changes []string
		for _, setting := range m.changes() {
			if setting.short != "" && setting.value(rate) != "" {
				changes = append(changes, setting.short)
			}
		}
		g.add(number(rate), about(s.Peak), orNone(strings.Join(hit, "; ")), orNone(strings.Join(changes, ", ")), usd(sum))
	}
	return g.markdown()
}

func orNone(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

func (m *Model) assumed() string {
	g := grid{}
	g.add("assumed", "", "because")
	g.add("busiest hour", "×"+number(PeakFactor())+" the day's mean", "an office's working day in one time zone; every day of the month is one")
	g.add("events", "as `ringback storm` makes them up", fmt.Sprintf(
		"%s were measured, as items with their real keys; redeliveries, of which each costs a request and the table's units, are left out",
		number(float64(m.Traffic.Events))))
	g.add("callers", fmt.Sprintf("one for each %d events of a day; the caller of rank k calls as (%d + k)^−%g",
		eventsPerCaller, callerOffset, callerExponent), "few call often")
	g.add("partitions", fmt.Sprintf("%d, or for ×%d of the busiest hour's units; one stream shard each", newTableWrites/partitionWrites, headroom),
		"that is what a table on demand is ready for; how many there are, AWS does not tell")
	g.add("webhook", fmt.Sprintf("%g ms a delivery; %g s if the table throttles it; %g s if it hangs", webhookTime*1000, throttledTime,
		ingest.DefaultStoreTime.Seconds()), "[operations.md](operations.md#cost); three attempts and their pauses; `ingest.DefaultStoreTime`")
	g.add("alerts, drain", fmt.Sprintf("%g ms for up to %d", batchTime*1000, alert.MaxBatch), "[operations.md](operations.md#cost); not measured on AWS")
	return g.markdown()
}

func (m *Model) weights() string {
	t := m.Traffic
	g := grid{}
	g.add("", "of the events", "body, bytes", "item or entry, bytes", "write units each")
	for _, f := range []struct {
		format events.Format
		name   string
	}{{events.FormatA, "table, format A"}, {events.FormatB, "table, format B"}} {
		w := t.Format[f.format]
		g.add(f.name, percent(w.Share), about(w.Body), about(w.Bytes), about(w.Units))
	}
	g.add("table, all", "100 %", "", about(t.Bytes), about(t.Table))
	g.add("table, mark of an alert", percent(t.Alerts), "", about(t.MarkBytes), number(float64(WriteUnits(int(t.MarkBytes)))))
	g.add("GSI1, by phone number", percent(t.Entries), "", about(t.EntryBytes), about(t.Phones/t.Entries))
	g.add("GSI2, by day: missed calls and voicemails", percent(t.Records), "", "", about(t.Calls/t.Records))
	w := m.Writes()
	g.add("**an event in all**", "", "", "", "**"+about(w.Table+w.Phones+w.Calls)+"**")
	return g.markdown()
}

func (m *Model) limits() string {
	g := grid{}
	g.add("limit", "is", "ends at events/s", "so a day's mean", "then", "change")
	for _, l := range m.Limits() {
		g.add(l.Name, l.Quota, about(l.Events), about(l.Mean()), l.Then, l.Change)
	}
	// A tenth is what docs/operations.md counts with.
	const few = 0.1
	return g.markdown() + fmt.Sprintf("\nOf the storm's events %s are missed calls or voicemails, which is many. Where they are a tenth, GSI2's\n"+
		"`ALERT#<day>` ends at %s events/s, and what is counted in alerts at %s times the rate.\n",
		percent(m.Traffic.Records), about(m.Writes().Calls/m.Traffic.Records*partitionWrites/few), about(m.Traffic.Records/few))
}

// played is how many events of the busiest hour are played. More say the same
// where partitions are few; where they are many, this is less than a second.
const played = 40_000

func (m *Model) keys() string {
	g := grid{}
	g.add("events/s", "of", "write units/s", "busiest key", "takes", "partitions", "mean of one", "busiest one", "… as played")
	var phones Loads
	for _, rate := range Rates {
		s := m.At(rate)
		computed, seen := m.Spread(rate, s.Layout), Spread{}
		if s.Peak < played {
			seen = m.Play(rate, s.Layout, played)
		}
		phones = computed.Phones
		for _, part := range []struct {
			name       string
			loads      Loads
			partitions int
			seen       Loads
		}{
			{"table", computed.Table, s.Layout.Table, seen.Table},
			{"GSI1", computed.Phones, s.Layout.Phones, seen.Phones},
			{"GSI2", computed.Calls, s.Layout.Calls, seen.Calls},
		} {
			key, seen := "`"+part.loads.Key+"`", "–"
			if part.name == "GSI1" {
				key = "`PHONE#` of one caller"
			}
			if part.seen.All > 0 {
				seen = about(part.seen.Partition)
			}
			g.add(number(rate), part.name, about(part.loads.All), key, hot(part.loads.KeyUnits),
				about(float64(part.partitions)), about(part.loads.All/float64(part.partitions)), hot(part.loads.Partition), seen)
		}
	}
	share := func(rate float64) string { return percent(min(1, partitionWrites/m.At(rate).Writes.Phones)) }
	few, many := Rates[len(Rates)-2], Rates[len(Rates)-1]
	return g.markdown() + fmt.Sprintf("\nThe busiest caller makes %s of the entries. One number may make %s at %s events/s, and %s at %s.\n",
		percent(phones.KeyUnits/phones.All), share(few), number(few), share(many), number(many))
}

// hot writes what one key or partition takes, and marks what is over its limit.
func hot(units float64) string {
	if units > partitionWrites {
		return "**" + about(units) + "**"
	}
	return about(units)
}

func (m *Model) shards() string {
	g := grid{}
	g.add("events/s", "keys of a day", "each takes", "partitions", "busiest one, as hashed", "ends at events/s")
	for _, rate := range Rates[1:] {
		layout := m.At(rate).Layout
		needed := m.Shards(rate)
		row := func(shards, partitions int) {
			layout.Shards, layout.Calls = shards, partitions
			calls := m.Spread(rate, layout).Calls
			g.add(number(rate), number(float64(shards)), hot(calls.KeyUnits), about(float64(partitions)), hot(calls.Partition),
				about(rate*PeakFactor()*partitionWrites/calls.KeyUnits))
		}
		row(1, layout.Calls)
		row(needed, layout.Calls)
		if needed > layout.Calls {
			row(4*needed, 4*layout.Calls)
		}
	}
	return g.markdown()
}

func (m *Model) alerts() string {
	g := grid{}
	g.add("events/s", "shards × lanes", "records/s", "records at once", "invocations running", "alerts/s",
		"`PublishBatch`/s", "records/s at the most", "age of an alert", "after 30 min of standstill, done in")
	row := func(rate, lanes, window float64, note string) {
		s := m.At(rate)
		a := m.alerting(s.Peak, s.Layout.Table, lanes, window)
		g.add(number(rate)+note, about(a.Shards)+" × "+number(lanes), about(a.Records), about(a.Batch), about(a.Busy), about(a.Alerts),
			about(a.Publishes), about(a.Capacity), span(a.Age), span(CatchUp(a.Records, a.Capacity, 1800)))
	}
	for _, rate := range Rates {
		row(rate, m.Settings.Lanes, 0, "")
	}
	row(Rates[len(Rates)-1], fewLanes, oneWindow, fmt.Sprintf(", %d lanes, %d s", fewLanes, oneWindow))
	r := m.Reads()
	return g.markdown() + fmt.Sprintf("\nFor each record the function makes one query for its call's marks (%s read unit) and one for the caller's\n"+
		"last %d events (up to %s units: an entry of GSI1 has %s bytes), and for each alert it writes a mark. Per event\n"+
		"of any kind that is %s read units and %s write units.\n",
		number(ReadUnits(1, true)), historyLength, number(r.Phones/m.Traffic.Records), about(m.Traffic.EntryBytes),
		about(r.Table+r.Phones), about(m.Traffic.Alerts))
}

// Fewer lanes that gather for a second, for a stream with many shards.
const (
	fewLanes  = 2
	oneWindow = 1
)

// A throttled write is tried three times, with pauses of 50 and 100 ms, before
// it is spilled.
const throttledTime = 0.2

func (m *Model) places() string {
	g := grid{}
	g.add(rates("in the busiest hour")...)
	row := func(name string, value func(Step) string) {
		cells := []string{name}
		for _, rate := range Rates {
			cells = append(cells, value(m.At(rate)))
		}
		g.add(cells...)
	}
	row(fmt.Sprintf("places of the webhook, by its %g ms", webhookTime*1000), func(s Step) string { return about(s.Peak * webhookTime) })
	row(fmt.Sprintf("… by %d requests/s of a place", placeRate), func(s Step) string { return about(s.Webhook) })
	row("places of the alerts", func(s Step) string { return about(s.Alerts.Busy) })
	row(fmt.Sprintf("… of the webhook, while the table throttles all (%g s)", throttledTime), func(s Step) string { return about(s.Peak * throttledTime) })
	row(fmt.Sprintf("… while the table hangs (%g s)", ingest.DefaultStoreTime.Seconds()), func(s Step) string {
		return about(s.Peak * ingest.DefaultStoreTime.Seconds())
	})
	row("from nothing to this rate", func(s Step) string { return span(max(1, s.Webhook*rampSeconds/placesRamp)) })
	row(fmt.Sprintf("`GetSecretValue`/s in that time, of %s", number(secretRate)), func(s Step) string { return about(min(s.Webhook, placesRamp/rampSeconds) * 2) })
	const away = 600
	row("table away for ten minutes: deliveries spilled", func(s Step) string { return about(s.Peak * away) })
	row(fmt.Sprintf("… drained at %s/s (`MaximumConcurrency: %s`) in", number(m.DrainRate()), number(m.Settings.Drains)),
		func(s Step) string { return span(s.Peak * away / m.DrainRate()) })
	row("… `MaximumConcurrency` to drain them in an hour", func(s Step) string { return number(m.drains(s.Peak)) })
	return g.markdown()
}

// drains returns the MaximumConcurrency that drains ten minutes' deliveries in
// an hour.
func (m *Model) drains(peak float64) float64 {
	const minutes, hour = 10, 60
	return max(m.Settings.Drains, math.Ceil(peak*minutes/hour*drainTime/m.Settings.DrainBatch))
}

// change is a setting or a quota, and what it must be at a rate; "" if what the
// template and a usual account have is enough.
type change struct {
	name, short string
	value       func(rate float64) string
}

// margin is how much more than the busiest hour needs is asked for.
const margin = 1.5

func (m *Model) changes() []change {
	// over returns a value with margin where it is over what there is.
	over := func(limit float64, need func(Step) float64) func(float64) string {
		return func(rate float64) string {
			if need := need(m.At(rate)); need*margin > limit {
				return up(need * margin)
			}
			return ""
		}
	}
	units := func(write, read func(Step) float64) func(float64) string {
		return func(rate float64) string {
			s := m.At(rate)
			var parts []string
			if need := write(s) * margin; need > newTableWrites {
				parts = append(parts, up(need)+" writes")
			}
			if need := read(s) * margin; need > newTableReads {
				parts = append(parts, up(need)+" reads")
			}
			return strings.Join(parts, ", ")
		}
	}
	return []change{
		{"parameter `AlertEmail`, and subscribed addresses", "`AlertEmail`", func(rate float64) string {
			if m.At(rate).Alerts.Alerts < rateOnceAnHour(mailRate) {
				return ""
			}
			return "none for all alerts"
		}},
		{"parameters `ThrottleRate`, `ThrottleBurst`", "`ThrottleRate`, `ThrottleBurst`", func(rate float64) string {
			need := m.At(rate).Peak * margin
			switch {
			case need <= m.Settings.ThrottleRate:
				return ""
			case need > m.Settings.MaxThrottleRate:
				return up(need) + " (its `MaxValue`, too), " + number(apiBurst)
			}
			return up(need) + ", " + number(apiBurst)
		}},
		{"API Gateway quota *Throttle rate*, requests/s", "API Gateway quota", over(apiRate, func(s Step) float64 { return s.Peak })},
		{"Lambda quota *Concurrent executions*", "Lambda quota", over(lambdaPlaces, func(s Step) float64 { return s.Webhook + s.Alerts.Busy })},
		{
			"`EventsTable` `WarmThroughput`, units/s", "`WarmThroughput`",
			units(func(s Step) float64 { return s.Writes.Table }, func(s Step) float64 { return s.Reads.Table }),
		},
		{
			"… of GSI1", "",
			units(func(s Step) float64 { return s.Writes.Phones }, func(s Step) float64 { return s.Reads.Phones }),
		},
		{
			"… of GSI2", "",
			units(func(s Step) float64 { return s.Writes.Calls }, func(s Step) float64 { return s.Reads.Calls }),
		},
		{"DynamoDB quotas *Table-level write* and *read throughput*, units/s", "DynamoDB quotas", func(rate float64) string {
			s := m.At(rate)
			writes, reads := max(s.Writes.Table, s.Writes.Phones), max(s.Reads.Table, s.Reads.Phones)
			if max(writes, reads)*margin <= tableQuota {
				return ""
			}
			return up(max(tableQuota, writes*margin)) + ", " + up(max(tableQuota, reads*margin))
		}},
		{"GSI2: `ALERT#<day>#<shard>`, shards", "GSI2 shards", func(rate float64) string {
			if shards := m.Shards(rate); shards > 1 {
				return number(float64(shards))
			}
			return ""
		}},
		{"SNS quota of messages published/s, where the region has less", "SNS quota", over(publishLeast, func(s Step) float64 { return s.Alerts.Alerts })},
		{"`AlertsFunction` `ParallelizationFactor`, `MaximumBatchingWindowInSeconds`", "batches of alerts", func(rate float64) string {
			if m.At(rate).Alerts.Busy <= lambdaPlaces/2 {
				return ""
			}
			return fmt.Sprintf("%d, %d", fewLanes, oneWindow)
		}},
		{"`DrainFunction` `ScalingConfig.MaximumConcurrency`", "drain", func(rate float64) string {
			if drains := m.drains(m.At(rate).Peak); drains > m.Settings.Drains {
				return number(drains)
			}
			return ""
		}},
	}
}

func (m *Model) settings() string {
	g := grid{}
	g.add(rates("")...)
	for _, c := range m.changes() {
		cells := []string{c.name}
		for _, rate := range Rates {
			cells = append(cells, orNone(c.value(rate)))
		}
		g.add(cells...)
	}
	return g.markdown()
}

func (m *Model) costs() string {
	g := grid{}
	g.add(rates("USD a month")...)
	sums := make([]float64, len(Rates))
	for i, cost := range m.Costs(Rates[0]) {
		cells := []string{cost.Name}
		for n, rate := range Rates {
			amount := m.Costs(rate)[i].USD
			sums[n] += amount
			cells = append(cells, usd(amount))
		}
		g.add(cells...)
	}
	sum, each := []string{"**sum**"}, []string{"a million events"}
	for n, rate := range Rates {
		sum = append(sum, "**"+usd(sums[n])+"**")
		each = append(each, usd(sums[n]/(rate*daysAMonth*secondsADay/million)))
	}
	g.add(sum...)
	g.add(each...)

	last := Rates[len(Rates)-1]
	demand := 0.0
	for _, c := range m.Costs(last) {
		if strings.HasPrefix(c.Name, "DynamoDB, writes") {
			demand += c.USD
		}
	}
	w := m.Writes().times(last)
	const use, hoursAMonth = 0.7, daysAMonth * 24
	provisioned := (w.Table + w.Phones + w.Calls) / use * hoursAMonth * provisionedWrite
	s := m.At(last)
	few := m.alerting(s.Peak, s.Layout.Table, fewLanes, oneWindow)
	return g.markdown() + fmt.Sprintf("\nWorth changing for money alone at %s/s: writes by provisioned capacity that follows the load at %s use,\n"+
		"%s in place of %s; `LoggingConfig.SystemLogLevel: WARN` (not tried), without Lambda's own lines, %s of the\n"+
		"logs' bytes less; larger batches of alerts, %s invocations at a time in place of %s.\n",
		number(last), percent(use), usd(provisioned), usd(demand),
		percent(float64(lambdaLines)/(ownLine+lambdaLines+apiLine)), about(few.Busy), about(s.Alerts.Busy))
}

func figures() string {
	g := grid{}
	g.add("figure", "value", "seen")
	for _, f := range Figures() {
		g.add(f.Name, f.Value, fmt.Sprintf("[%s](%s)", f.Seen, f.Source))
	}
	return g.markdown()
}
