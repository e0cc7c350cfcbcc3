package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

// Receipt is what is kept of a delivery: all that its item is made of, so that
// the item is the same whether it is written at once or later.
type Receipt struct {
	// ReceivedAt is when the delivery came in, however late it is kept.
	ReceivedAt time.Time
	// Headers are the ones that tell when it was sent and why it was refused:
	// request timestamp, content type, signature. Those without a value are
	// absent.
	Headers map[string]string
	// Body is what arrived.
	Body []byte
	// Reason is why the delivery was refused, in our own words; empty if it is
	// an event.
	Reason string
}

// keptHeaders are the headers that a receipt has.
var keptHeaders = []string{
	"content-type",
	events.HeaderRequestTimestamp,
	events.HeaderSignature,
	events.HeaderSignatureVersion,
}

func receipt(r Request, received time.Time, reason string) Receipt {
	headers := make(map[string]string, len(keptHeaders))
	for _, name := range keptHeaders {
		if value := r.Headers[name]; value != "" {
			headers[name] = strings.ToValidUTF8(value, "\uFFFD")
		}
	}
	return Receipt{ReceivedAt: received, Headers: headers, Body: r.Body, Reason: reason}
}

// Kept is what became of a [Receipt] in the table.
type Kept struct {
	// Key is the item's partition key.
	Key string
	// Created is false if the table had the item already.
	Created bool
	// Delivery is nil if a rejection was kept.
	Delivery *events.Delivery
}

// Keep writes a receipt into the table, once however often it is called. The
// error is one of [Putter]'s, or wraps [events.ErrPayload] if the body is not
// the event that the receipt says it is.
func Keep(ctx context.Context, store Putter, r Receipt) (Kept, error) {
	if r.Reason != "" {
		return keep(ctx, store, r, nil)
	}
	envelope, err := events.Open(r.Body)
	if err != nil {
		return Kept{}, fmt.Errorf("open event: %w", err)
	}
	return keep(ctx, store, r, envelope.Decode())
}

// keep makes the one write; d is the body of an event, decoded, and nil of a
// rejection. Where the write fails, only Created is missing from what is
// returned.
func keep(ctx context.Context, store Putter, r Receipt, d *events.Delivery) (Kept, error) {
	item, doing := r.item(d), "store event"
	if d == nil {
		doing = "store rejection"
	}
	kept := Kept{Key: table.Text(item, table.PK), Delivery: d}
	created, err := store.Put(ctx, item)
	if err != nil {
		return kept, fmt.Errorf("%s: %w", doing, err)
	}
	kept.Created = created
	return kept, nil
}

func (r Receipt) item(d *events.Delivery) table.Item {
	if d == nil {
		return table.RejectedItem(table.Rejection{Reason: r.Reason, Body: r.Body, Headers: r.Headers}, r.ReceivedAt)
	}
	occurred, ok := events.ParseTime(r.Headers[events.HeaderRequestTimestamp])
	if !ok {
		occurred = r.ReceivedAt
	}
	return table.EventItem(d, occurred, r.ReceivedAt)
}

// Attributes say in a log line which item it is about: type, kind and key; of a
// rejection the key alone, and nothing of what has no item.
func (k Kept) Attributes() []slog.Attr {
	switch {
	case k.Key == "":
		return nil
	case k.Delivery == nil:
		return []slog.Attr{slog.String("key", k.Key)}
	}
	typ := string(k.Delivery.Type)
	if !k.Delivery.Type.Registered() {
		typ = "unregistered" // what it is called is the sender's
	}
	return []slog.Attr{
		slog.String("type", typ),
		slog.String("kind", string(k.Delivery.Kind)),
		slog.String("key", table.LogPartition(k.Key)),
	}
}
