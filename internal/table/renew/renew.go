// Package renew brings stored events up to date with what [table.EventItem] makes of
// them today: their attributes, the indexes that they are in, and how their bodies are
// kept.
package renew

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/itemjson"
)

// Progress is how far a renewal has come.
type Progress struct {
	// Events were read so far, and Written are those that were not up to date.
	Events, Written int
	// After is where another renewal can go on; "" for at the beginning.
	After table.Cursor
}

// Events renews all events. It begins after the After of another renewal, or at the
// beginning, reports its progress to done now and then, and returns it.
//
// It may run beside everything else, and be repeated: an event is written only in place
// of the version that was read, and what is up to date is not written. No consumer sees
// it. The error is that of the table.
func Events(ctx context.Context, store table.Store, after table.Cursor, done func(Progress)) (Progress, error) {
	const batch = 100 // events between two reports
	p := Progress{After: after}
	for item, err := range table.ScanAll(ctx, store, "", after) {
		if err != nil {
			return p, fmt.Errorf("look for events: %w", err)
		}
		if !table.IsEvent(table.KeyOf(item)) {
			continue
		}
		if renewed, was, ok := Event(item); ok {
			updated, err := store.Update(ctx, renewed, was)
			if err != nil {
				return p, fmt.Errorf("renew an event: %w", err)
			}
			if updated {
				p.Written++
			}
		}
		p.Events++
		p.After = table.PositionOf(table.Base, item).Cursor()
		if p.Events%batch == 0 {
			done(p)
		}
	}
	return p, nil
}

// Event returns an event as it would be stored today, in place of the version was. ok is
// false if it is up to date, or if it has to stay as it is: its body cannot be read, or
// would be kept under another key, so that it would be there twice.
func Event(item table.Item) (renewed table.Item, was int64, ok bool) {
	envelope, err := table.EnvelopeOf(item)
	if err != nil {
		return nil, 0, false
	}
	occurred, okOccurred := events.ParseTime(table.Text(item, table.OccurredAt))
	received, okReceived := events.ParseTime(table.Text(item, table.ReceivedAt))
	if !okOccurred || !okReceived {
		return nil, 0, false
	}
	delivery := envelope.Decode()
	key := table.KeyOf(item)
	renewed = table.EventItem(delivery, occurred, received)
	if table.KeyOf(renewed) != key {
		return nil, 0, false
	}
	renewed[table.OccurredAt] = item[table.OccurredAt]
	switch list := table.ListPartition(delivery, key, occurred); {
	case list != "":
		renewed[table.GSI2PK] = attr.String(list)
	case table.IsAlertList(table.Text(item, table.GSI2PK)):
		renewed[table.GSI2PK] = attr.String(table.AlertPartition(key, occurred))
	}
	for _, name := range []string{table.ExpiresAt, table.FoundBy} {
		if value, ok := item[name]; ok {
			renewed[name] = value
		}
	}
	was = table.Unversioned
	if n, isNumber := item[table.Version].(attr.Number); isNumber {
		if was, err = strconv.ParseInt(string(n), 10, 64); err != nil {
			return nil, 0, false
		}
		renewed[table.Version] = n
	}
	if same(renewed, item) {
		return nil, 0, false
	}
	renewed[table.Version] = attr.Number(strconv.FormatInt(max(was, 0)+1, 10))
	return renewed, was, true
}

// Changes says in which attributes two items of one event differ, sorted: with both values
// where they are words of ours, else with the name alone.
func Changes(before, after table.Item) (all []string) {
	names := maps.Clone(before)
	maps.Copy(names, after)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		old, now := table.Item{name: before[name]}, table.Item{name: after[name]}
		switch {
		case name == table.Version:
		case before[name] == nil:
			old = nil
		case after[name] == nil:
			now = nil
		}
		if name == table.Version || same(old, now) {
			continue
		}
		switch name {
		case table.Kind, table.Outcome:
			all = append(all, fmt.Sprintf("%s: %s → %s", name, cmp.Or(table.Text(old, name), "none"), cmp.Or(table.Text(now, name), "none")))
		default:
			all = append(all, name)
		}
	}
	return all
}

// same reports whether two items are one, as the table has them.
func same(a, b table.Item) bool {
	x, errX := itemjson.Encode(a)
	y, errY := itemjson.Encode(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
