package scale

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/storm"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/schema"
)

// ErrTraffic says that events or a template cannot be counted.
var ErrTraffic = errors.New("scale: cannot be counted")

// Traffic is what happens, as a list of stories to draw from, and what an event
// of it weighs on the average.
type Traffic struct {
	Stories []Story

	// Events is how many were measured, and Bytes the mean size of an item.
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

// Story is what is told of one call, message or contact.
type Story struct {
	// Partition is the PK of its events where that is always the same; "" where
	// each story has one of its own.
	Partition string
	Writes    []Write
	// Alerts is how many alerts it causes, and so how many marks.
	Alerts int
}

// Write is the write of one event, in write units: in the table, in GSI1 (under
// the number), and in GSI2 (under the day). 0 is none.
type Write struct{ Table, Phone, Call int }

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
	stories := make(map[string]int) // index in Stories, by PK
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

		at, told := stories[event.Key.PK]
		shared := strings.HasPrefix(event.Key.PK, "EVENT#")
		if shared || !told {
			at = len(t.Stories)
			stories[event.Key.PK] = at
			t.Stories = append(t.Stories, Story{})
		}
		story := &t.Stories[at]
		story.Writes = append(story.Writes, w)
		if shared {
			story.Partition = event.Key.PK
		}
		if event.Alert != "" && !alerts[event.Alert] {
			alerts[event.Alert] = true
			story.Alerts++
			t.Alerts++
			mark := table.AlertedItem(item, events.Kind(table.Text(item, table.Alert)), time.Time{})
			t.MarkBytes += float64(table.Size(mark))
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

// shared is a key that stories share, and how many write units one event of the
// traffic puts there on the average.
type shared struct {
	key   string
	units float64
}

// shared returns these keys, the busiest one first.
func (t *Traffic) shared() (keys []shared) {
	at := make(map[string]int)
	for i := range t.Stories {
		s := &t.Stories[i]
		if s.Partition == "" {
			continue
		}
		n, known := at[s.Partition]
		if !known {
			n = len(keys)
			at[s.Partition] = n
			keys = append(keys, shared{key: s.Partition})
		}
		units := s.Alerts
		for _, w := range s.Writes {
			units += w.Table
		}
		keys[n].units += float64(units) / float64(t.Events)
	}
	slices.SortStableFunc(keys, func(a, b shared) int { return cmp.Compare(b.units, a.units) })
	return keys
}
