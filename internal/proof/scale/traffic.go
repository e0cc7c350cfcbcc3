package scale

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/proof/storm"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/schema"
)

// ErrTraffic says that events or a template cannot be counted.
var ErrTraffic = errors.New("scale: cannot be counted")

// Traffic is what an event weighs on the average, and the writes to draw from.
type Traffic struct {
	// Writes are of the events that belong to a call, a message or a contact;
	// Events is how many were measured, the others included, and Bytes the mean
	// size of an item.
	Writes []Write
	Events int
	Bytes  float64
	// Format is by wire format.
	Format map[events.Format]Weight
	// Table, Phones and Calls are write units per event in the table, in GSI1
	// and in GSI2, without the marks.
	Table, Phones, Calls float64
	// Records is how many of the events have an alert in them and reach the
	// alerts function, Alerts how many alerts come of them, each with a mark of
	// one write unit. Both are per event.
	Records, Alerts float64
	// Entries is how many of the events are in GSI1, EntryBytes the mean size
	// of an entry, and IndexBytes that of all index entries of an event.
	Entries, EntryBytes, IndexBytes float64
	// MarkBytes is the mean size of a mark.
	MarkBytes float64
	// RejectedUnits is what a rejected event of format B costs, which is the
	// one that is signed.
	RejectedUnits float64
}

// Weight is the mean of some events.
type Weight struct {
	// Share is how many of all events these are.
	Share float64
	// Body and Bytes are the sizes of a delivery's body and of the event's
	// item; Units are write units in the table.
	Body, Bytes, Units float64
}

// Write is the write of one event, in write units: in the table, in GSI1 (under
// the number), and in GSI2 (under the day), and of the mark of its alert. 0 is
// none.
type Write struct{ Table, Phone, Call, Mark int }

// rejectedHeaders are those that are kept with a rejected delivery, as long as
// real ones.
var rejectedHeaders = map[string]string{
	events.HeaderSignature:        strings.Repeat("0", 64),
	events.HeaderSignatureVersion: "v1",
	events.HeaderRequestTimestamp: "2026-03-12 14:32:00",
	"content-type":                "application/json",
}

// NewTraffic measures the events of a plan against a table. The error wraps
// [ErrTraffic] if the table has other indexes than this package knows.
func NewTraffic(plan *storm.Plan, shape schema.Table) (*Traffic, error) {
	index := func(name table.Index) (schema.Index, error) {
		i := slices.IndexFunc(shape.Indexes, func(i schema.Index) bool { return i.Name == string(name) })
		if i < 0 || len(shape.Indexes) != len(table.Indexes()) {
			return schema.Index{}, fmt.Errorf("%w: the table's indexes are not %v", ErrTraffic, table.Indexes())
		}
		return shape.Indexes[i], nil
	}
	phones, err := index(table.GSI1)
	if err != nil {
		return nil, err
	}
	calls, err := index(table.GSI2)
	if err != nil {
		return nil, err
	}
	bodies := make([][]byte, len(plan.Events))
	for i := range plan.Deliveries {
		bodies[plan.Deliveries[i].Event] = plan.Deliveries[i].Body
	}

	t := &Traffic{Format: make(map[events.Format]Weight)}
	alerts := make(map[string]bool)
	rejected := 0
	for i := range plan.Events {
		event := &plan.Events[i]
		envelope, err := events.Open(bodies[i])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrTraffic, err)
		}
		item := table.EventItem(envelope.Decode(), time.Time{}, time.Time{})
		bytes := table.Size(item)
		w := Write{Table: WriteUnits(bytes)}
		if entry := entryOf(item, phones); entry != nil {
			w.Phone = WriteUnits(table.Size(entry))
			t.EntryBytes += float64(table.Size(entry))
			t.IndexBytes += float64(table.Size(entry))
			t.Entries++
		}
		if entry := entryOf(item, calls); entry != nil {
			w.Call = WriteUnits(table.Size(entry))
			t.IndexBytes += float64(table.Size(entry))
			t.Records++
		}
		t.Table += float64(w.Table)
		t.Phones += float64(w.Phone)
		t.Calls += float64(w.Call)
		t.Bytes += float64(bytes)

		f := t.Format[event.Format]
		f.Share++
		f.Body += float64(len(bodies[i]))
		f.Bytes += float64(bytes)
		f.Units += float64(w.Table)
		t.Format[event.Format] = f
		if event.Format == events.FormatB {
			t.RejectedUnits += float64(WriteUnits(table.Size(table.RejectedItem(
				table.Rejection{Reason: "signature mismatch", Body: bodies[i], Headers: rejectedHeaders}, time.Time{}))))
			rejected++
		}

		if event.Alert != "" && !alerts[event.Alert] {
			alerts[event.Alert] = true
			mark := table.Size(table.AlertedItem(item, events.Kind(table.Text(item, table.Alert)), time.Time{}))
			w.Mark = WriteUnits(mark)
			t.MarkBytes += float64(mark)
			t.Alerts++
		}
		if !strings.HasPrefix(event.Key.PK, "EVENT#") {
			t.Writes = append(t.Writes, w)
		}
	}
	if t.Entries == 0 || rejected == 0 || t.Alerts == 0 {
		return nil, fmt.Errorf("%w: too few events", ErrTraffic)
	}

	t.Events = len(plan.Events)
	n := float64(t.Events)
	t.EntryBytes /= t.Entries
	t.MarkBytes /= t.Alerts
	t.RejectedUnits /= float64(rejected)
	for _, sum := range []*float64{&t.Bytes, &t.Entries, &t.Table, &t.Phones, &t.Calls, &t.Records, &t.Alerts, &t.IndexBytes} {
		*sum /= n
	}
	for format, f := range t.Format {
		count := f.Share
		t.Format[format] = Weight{count / n, f.Body / count, f.Bytes / count, f.Units / count}
	}
	return t, nil
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
