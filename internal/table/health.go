package table

import (
	"context"
	"strconv"
	"time"
)

var healthKey = Key{PK: "HEALTH", SK: "LAST"}

// IsHealth reports whether a key is that of the item.
func IsHealth(key Key) bool { return key == healthKey }

// The attributes of the item, beside [Version] and [ReceivedAt].
const (
	endedAt    = "ended_at"
	endedSince = "ended_since"
	textedAt   = "texted_at"
)

// Health is what the consumers of the table's new items have seen. Times are those at
// which events arrived, zero if none did.
type Health struct {
	// Arrived is that of the newest event, of any kind.
	Arrived time.Time
	// Ended is that of the newest event that says how a call was answered or ended, and
	// EndedSince of the first. Without such events nobody can know who was called back.
	Ended, EndedSince time.Time
	// Texted is that of the newest event of a text message that was sent.
	Texted time.Time
	// Version is that of the stored item.
	Version int64
}

// LoadHealth reads the item; the zero Health is that of a table without one. The error is
// the store's.
func LoadHealth(ctx context.Context, store Store) (h Health, err error) {
	item, err := Get(ctx, store, healthKey)
	if err != nil || item == nil {
		return Health{}, err
	}
	for name, at := range h.fields() {
		*at, _ = time.Parse(timeLayout, Text(item, name))
	}
	h.Version = VersionOf(item)
	return h, nil
}

// Item returns the item that follows the stored version, for [Store.Update].
func (h Health) Item() Item {
	item := Item{PK: str(healthKey.PK), SK: str(healthKey.SK), Version: num(strconv.FormatInt(h.Version+1, 10))}
	for name, at := range h.fields() {
		if !at.IsZero() {
			item[name] = str(Time(*at))
		}
	}
	return item
}

func (h *Health) fields() map[string]*time.Time {
	return map[string]*time.Time{ReceivedAt: &h.Arrived, endedAt: &h.Ended, endedSince: &h.EndedSince, textedAt: &h.Texted}
}
