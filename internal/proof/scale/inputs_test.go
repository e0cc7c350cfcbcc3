package scale_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/goccy/go-yaml"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/proof/golden"
	"github.com/ringback/ringback/internal/proof/scale"
	"github.com/ringback/ringback/internal/proof/storm/play"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/dynamo"
	"github.com/ringback/ringback/internal/table/schema"
)

// The inputs are those that the storm, the template and the code give today. With
// -update this test writes them anew; run it again to write the documents' tables
// from them.
func TestTheInputsAreTrue(t *testing.T) {
	t.Parallel()
	m := measure(t, newPlan(t, play.Mix{Seed: 1, Deliveries: 1500}))
	m.CallKey, m.PhoneKey = table.CallPartition("call_"), table.PhonePartition("+")
	m.DayKey = table.AlertPartitions(time.Date(2026, time.March, 12, 0, 0, 0, 0, time.UTC))[0]
	m.Shards = float64(len(table.AlertPartitions(time.Time{})) - 1) // the last is of an earlier version
	m.StoreTime, m.HangTime = ingest.StoreTime.Seconds(), (dynamo.WarmTime + ingest.TryTime).Seconds()
	m.Publish = alert.MaxBatch
	const (
		stream = "$.Resources.AlertsFunction.Properties.Events.Stream.Properties."
		spill  = "$.Resources.DrainFunction.Properties.Events.Spill.Properties."
	)
	m.Memory = setting(t, "$.Globals.Function.MemorySize") / 1024
	m.ThrottleRate = setting(t, "$.Parameters.ThrottleRate.Default")
	m.Parallel, m.Batch = setting(t, stream+"ParallelizationFactor"), setting(t, stream+"BatchSize")
	m.Drains, m.DrainBatch = setting(t, spill+"ScalingConfig.MaximumConcurrency"), setting(t, spill+"BatchSize")
	text, err := json.Marshal(m, jsontext.WithIndent("  "))
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "inputs.json", append(text, '\n'))
}

// setting returns the number at a path of the template.
func setting(t *testing.T, path string) (value float64) {
	t.Helper()
	template, err := os.Open(templatePath)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = template.Close() }()
	at, err := yaml.PathString(path)
	if err == nil {
		err = at.Read(template, &value)
	}
	if err != nil || value <= 0 {
		t.Fatalf("the template's %s is %g, %v", path, value, err)
	}
	return value
}

func newPlan(t *testing.T, mix play.Mix) *play.Plan {
	t.Helper()
	plan, err := play.NewPlan(mix)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// Several events can tell of one missed call, and make one alert and one mark.
func TestAlertsAreCountedOnce(t *testing.T) {
	t.Parallel()
	plan := newPlan(t, play.Mix{Seed: 7, Deliveries: 200, Duplicates: 20})
	m := measure(t, plan)
	if m.Events != len(plan.Events) {
		t.Errorf("%d events, want %d", m.Events, len(plan.Events))
	}
	if got, want := m.Alerts*float64(m.Events), float64(len(plan.Alerts())); !near(got, want, 1e-9) {
		t.Errorf("%g alerts, want %g", got, want)
	}
}

func TestUnitsAreRoundedUpPerWrite(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ bytes, writes int }{{0, 1}, {1, 1}, {1024, 1}, {1025, 2}, {2048, 2}, {400 << 10, 400}} {
		if got := writeUnits(test.bytes); got != test.writes {
			t.Errorf("%d bytes are written with %d units, want %d", test.bytes, got, test.writes)
		}
	}
}

// writeUnits returns the write units of one write: one for each KB begun. An
// index charges its own for its part of the item. See
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/capacity-mode.html.
func writeUnits(bytes int) int { return max(1, (bytes+1023)/1024) }

// rejectedHeaders are those that are kept with a rejected delivery, as long as
// real ones.
var rejectedHeaders = map[string]string{
	events.HeaderSignature:        strings.Repeat("0", 64),
	events.HeaderSignatureVersion: "v1",
	events.HeaderRequestTimestamp: "2026-03-12 14:32:00",
	"content-type":                "application/json",
}

// bodiesOf returns the body of each event of a plan.
func bodiesOf(plan *play.Plan) [][]byte {
	bodies := make([][]byte, len(plan.Events))
	for i := range plan.Deliveries {
		for j, body := range events.Split(plan.Deliveries[i].Body) {
			bodies[plan.Deliveries[i].All()[j]] = body
		}
	}
	return bodies
}

// measure measures the events of a plan against the template's table.
func measure(t *testing.T, plan *play.Plan) *scale.Model {
	t.Helper()
	shape := schema.Events()
	index := func(name table.Index) schema.Index {
		i := slices.IndexFunc(shape.Indexes, func(i schema.Index) bool { return i.Name == string(name) })
		if i < 0 || len(shape.Indexes) != 3 {
			t.Fatalf("the table's indexes are not %s, %s, and %s, which no event is in: the model does not count the others", table.GSI1, table.GSI2, table.GSI3)
		}
		return shape.Indexes[i]
	}
	phones, calls := index(table.GSI1), index(table.GSI2)
	bodies := bodiesOf(plan)

	m := &scale.Model{}
	formats := map[events.Format]scale.Weight{}
	alerts := make(map[string]bool)
	rejected := 0
	for i := range plan.Events {
		event := &plan.Events[i]
		envelope, err := events.Open(bodies[i])
		if err != nil {
			t.Fatal(err)
		}
		item := table.EventItem(envelope.Decode(), time.Time{}, time.Time{})
		bytes := table.Size(item)
		w := scale.Write{Count: 1, Table: writeUnits(bytes)}
		if entry := entryOf(item, phones); entry != nil {
			w.Phone = writeUnits(table.Size(entry))
			m.EntryBytes += float64(table.Size(entry))
			m.IndexBytes += float64(table.Size(entry))
			m.Entries++
		}
		if entry := entryOf(item, calls); entry != nil {
			units := writeUnits(table.Size(entry))
			m.IndexBytes += float64(table.Size(entry))
			if table.IsAlertList(table.Text(entry, table.GSI2PK)) {
				w.Call = units
				m.Missed++
			} else {
				m.Answered += float64(units)
			}
		}
		m.Table += float64(w.Table)
		m.Phones += float64(w.Phone)
		m.Calls += float64(w.Call)
		m.Bytes += float64(bytes)

		f := formats[event.Format]
		f.Share++
		f.Body += float64(len(bodies[i]))
		f.Bytes += float64(bytes)
		f.Units += float64(w.Table)
		formats[event.Format] = f
		if event.Format == events.FormatB {
			m.RejectedUnits += float64(writeUnits(table.Size(table.RejectedItem(
				table.Rejection{Reason: "signature mismatch", Body: bodies[i], Headers: rejectedHeaders}, time.Time{}))))
			rejected++
		}

		if event.Alert != "" && !alerts[event.Alert] {
			alerts[event.Alert] = true
			key, kind := table.KeyOf(item), table.AlertOf(item)
			mark := table.Size(table.AlertedItem(key, kind, time.Unix(0, 0), time.Time{}))
			w.Mark = writeUnits(mark)
			m.MarkBytes += float64(mark + table.Size(table.PublishingItem(key, kind, key)))
			m.Alerts++
		}
		if !strings.HasPrefix(event.Key.PK, "EVENT#") {
			same := func(other scale.Write) bool { other.Count = 1; return other == w }
			if i := slices.IndexFunc(m.Writes, same); i >= 0 {
				m.Writes[i].Count++
			} else {
				m.Writes = append(m.Writes, w)
			}
		}
	}
	if m.Entries == 0 || rejected == 0 || m.Alerts == 0 {
		t.Fatal("too few events")
	}

	m.Events = len(plan.Events)
	n := float64(m.Events)
	m.EntryBytes /= m.Entries
	m.MarkBytes /= m.Alerts
	m.RejectedUnits /= float64(rejected)
	for _, sum := range []*float64{&m.Bytes, &m.Entries, &m.Table, &m.Phones, &m.Calls, &m.Missed, &m.Answered, &m.Alerts, &m.IndexBytes} {
		*sum /= n
	}
	for format, f := range formats {
		count := f.Share
		formats[format] = scale.Weight{count / n, f.Body / count, f.Bytes / count, f.Units / count}
	}
	m.A, m.B = formats[events.FormatA], formats[events.FormatB]
	return m
}

// entryOf returns what an index holds of an item, or nil if that is nothing.
func entryOf(item table.Item, index schema.Index) table.Item {
	if item[index.Key.Partition] == nil || item[index.Key.Sort] == nil {
		return nil
	}
	if index.All {
		return item
	}
	entry := make(table.Item)
	names := append([]string{table.PK, table.SK, index.Key.Partition, index.Key.Sort}, index.Include...)
	for _, name := range names {
		if v, ok := item[name]; ok {
			entry[name] = v
		}
	}
	return entry
}
