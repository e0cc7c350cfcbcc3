package scale

import (
	"fmt"
	"strings"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
)

// Rates are the mean rates that the document is about, in events per second.
var Rates = []float64{10, 1_000, 100_000}

// Table is a part of a document that is computed.
type Table struct{ Name, Text string }

// Tables computes the tables of docs/scale.md, in its order.
func (m *Model) Tables() []Table {
	return []Table{
		{"first", m.first()},
		{"limits", m.limits()},
		{"settings", m.settings()},
		{"events", m.weights()},
		{"day", m.day()},
		{"alerts", m.alerts()},
		{"costs", m.costs()},
	}
}

// Bill computes the table of docs/operations.md.
func (m *Model) Bill() []Table {
	const few = 0.1
	mean := Rates[0]
	monthly := mean * daysAMonth * secondsADay / million
	g := grid{}
	g.add("", "for an event", "USD a million")
	costs := m.Costs(mean)
	for _, c := range costs {
		g.add(c.Name, c.Of, fmt.Sprintf("%.2f", c.USD/monthly))
	}
	g.add("**sum**", "", fmt.Sprintf("**%.2f**", Sum(costs)/monthly))
	mail := snsMail * million
	return []Table{{"bill", g.markdown() + fmt.Sprintf("\nEach address that gets an e-mail for every alert adds %.2f. Where a tenth of the events are missed calls\n"+
		"or voicemails, and not %s, the sum is %.2f, and an address adds %.2f.\n",
		mail*m.Traffic.Alerts, percent(m.Traffic.Records), Sum(m.With(few).Costs(mean))/monthly, mail*m.With(few).Traffic.Alerts)}}
}

// rows writes a table with a column for each rate.
func (m *Model) rows(head string, names []string, value func(row int, s Step) string) string {
	g := grid{}
	cells := []string{head}
	for _, rate := range Rates {
		cells = append(cells, number(rate)+"/s")
	}
	g.add(cells...)
	for i, name := range names {
		cells := []string{name}
		for _, rate := range Rates {
			cells = append(cells, value(i, m.At(rate)))
		}
		g.add(cells...)
	}
	return g.markdown()
}

// first lists the limits that the first rate reaches.
func (m *Model) first() string {
	var b strings.Builder
	for _, l := range m.Limits() {
		if l.Mean <= Rates[0] {
			fmt.Fprintf(&b, "1. **%s.** %s: %s, reached at %s. Then %s.\n", sentence(l.Change), sentence(l.Name), l.Is, l.at(), l.Then)
		}
	}
	return b.String()
}

func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// at writes the rate at which a limit is reached.
func (l Limit) at() string {
	const slow = 0.1
	if l.Events < slow {
		return about(l.Mean*secondsADay) + " events a day"
	}
	return about(l.Events) + " events/s"
}

func (m *Model) limits() string {
	g := grid{}
	g.add("limit", "quota", "reached at", "then", "change")
	for _, l := range m.Limits() {
		g.add(l.Name, l.Is, l.at(), l.Then, l.Change)
	}
	// A tenth is what a company may have.
	const few = 0.1
	return g.markdown() + fmt.Sprintf("\nOf the storm's events %s are missed calls or voicemails, which is many. Where they are a tenth, GSI2's\n"+
		"`ALERT#<day>` is full at %s events/s, and what is counted in alerts at %s times the rate.\n",
		percent(m.Traffic.Records), about(partitionWrites/m.With(few).Writes().Calls), about(m.Traffic.Records/few))
}

func (m *Model) settings() string {
	needs := m.Needs()
	names := make([]string, len(needs))
	for i := range needs {
		names[i] = needs[i].Name
	}
	return m.rows("for a day's mean of", names, func(row int, s Step) string {
		if need := needs[row].Need(s); need > needs[row].Have {
			return up(need)
		}
		return "–"
	})
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

func (m *Model) day() string {
	g := grid{}
	g.add("events/s", "of", "partitions", "mean of one", "busiest one, hour", "… second", "busiest key", "hour", "second")
	var first Played
	for i, rate := range Rates {
		s := m.At(rate)
		p := m.Play(rate, s.Layout, Seconds(rate))
		if i == 0 {
			first = p
		}
		row := func(of string, writes float64, partitions int, part Busiest, name string, key Busiest) {
			hour, second := hot(key.Hour), hot(key.Second)
			if name == "" {
				name, hour, second = "–", "–", "–"
			}
			g.add(number(rate), of, about(float64(partitions)), about(writes/float64(partitions)), hot(part.Hour), hot(part.Second), name, hour, second)
		}
		row("table", s.Writes.Table, s.Layout.Table, p.Table, "", Busiest{})
		row("GSI1", s.Writes.Phones, s.Layout.Phones, p.Phones, "`PHONE#` of one caller", p.Caller)
		row("GSI2", s.Writes.Calls, s.Layout.Calls, p.Calls, "`"+dayKey()+"`", p.Day)
	}
	return g.markdown() + fmt.Sprintf("\nAt %s events/s the busiest hour has %s alerts/s, and its busiest second %s: more than an address takes.\n",
		number(Rates[0]), about(first.Alerts.Hour), number(first.Alerts.Second))
}

// hot writes what one key or partition takes, and marks what is over its limit.
func hot(units float64) string {
	if units > partitionWrites {
		return "**" + about(units) + "**"
	}
	return about(units)
}

func (m *Model) alerts() string {
	g := grid{}
	g.add("events/s", "shards × concurrent batches", "records/s", "records in a batch", "concurrent executions", "alerts/s",
		"`PublishBatch`/s", "records/s at most", "age of an alert", "after an outage of 30 min, done in")
	row := func(rate, parallel, window float64, note string) {
		s := m.At(rate)
		a := m.alerting(s.Peak, s.Layout.Table, parallel, window)
		g.add(number(rate)+note, about(float64(s.Layout.Table))+" × "+number(parallel), about(a.Records), about(a.Batch), about(a.Busy),
			about(a.Alerts), about(a.Publishes), about(a.Capacity), span(a.Age), span(CatchUp(a.Records, a.Capacity, 1800)))
	}
	for _, rate := range Rates {
		row(rate, m.Settings.Parallel, 0, "")
	}
	const few, window = 2, 1
	row(Rates[len(Rates)-1], few, window, fmt.Sprintf(", `ParallelizationFactor` %d, window %d s", few, window))
	r := m.Reads()
	return g.markdown() + fmt.Sprintf("\nFor each record the function makes one query for its call's marks (%s read unit) and one for the caller's\n"+
		"last %d events (up to %s units: an entry of GSI1 has %s bytes), and for each alert it writes a mark.\n",
		number(ReadUnits(1, true)), alert.HistoryLength, number(r.Phones/m.Traffic.Records), about(m.Traffic.EntryBytes))
}

func (m *Model) costs() string {
	return m.rows("USD", []string{"a month", "a million events"}, func(row int, s Step) string {
		sum := Sum(m.Costs(s.Mean))
		if row == 0 {
			return usd(sum)
		}
		return fmt.Sprintf("%.2f", sum/(s.Mean*daysAMonth*secondsADay/million))
	})
}
