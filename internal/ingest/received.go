package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// Received is a delivery as it came in: everything that its item is made of, so
// that the item is the same whether it is stored at once or from the spill.
type Received struct {
	// ReceivedAt is when the delivery came in, however late it is stored.
	ReceivedAt time.Time
	// Headers are those that show when the delivery was sent and why it was
	// refused: request timestamp, content type, signature. Their values are
	// UTF-8; those without a value are absent.
	Headers map[string]string
	// Body is what arrived.
	Body []byte
	// Reason is why the delivery was refused, in our own words; empty for an
	// event.
	Reason string
	// Reasons are that for each event of a body with several, as [events.Split]
	// returns them; nil if none was refused.
	Reasons []string
	// FoundBy is what brought the event if no webhook did, such as
	// [table.FoundByReconcile]; else "".
	FoundBy string
}

// Each returns the deliveries that a body with several events is stored as. Any other
// is its own only one. Probes are left out.
func (r Received) Each() []Received {
	if r.Reason != "" {
		return []Received{r}
	}
	bodies := events.Split(r.Body)
	if len(bodies) == 1 {
		return []Received{r}
	}
	all := make([]Received, 0, len(bodies))
	for i, body := range bodies {
		one := Received{ReceivedAt: r.ReceivedAt, Headers: r.Headers, Body: body}
		if i < len(r.Reasons) {
			// guard 6 ingest (ABadSignature): _ = r.Reasons[i]
			one.Reason = r.Reasons[i]
		}
		if e, err := events.Open(body); one.Reason == "" && err == nil && e.Probe() {
			continue
		}
		all = append(all, one)
	}
	return all
}

// keptHeaders are the headers of a [Received].
var keptHeaders = []string{
	"content-type",
	events.HeaderRequestTimestamp,
	events.HeaderSignature,
	events.HeaderSignatureVersion,
}

func receive(r Request, at time.Time) Received {
	headers := make(map[string]string, len(keptHeaders))
	for _, name := range keptHeaders {
		if value := r.Headers[name]; value != "" {
			headers[name] = strings.ToValidUTF8(value, "\uFFFD")
		}
	}
	return Received{ReceivedAt: at, Headers: headers, Body: r.Body}
}

// Decode returns the event, or nil if the delivery was refused. The error wraps
// [events.ErrPayload]: the body is not the event that it should be.
func (r Received) Decode() (*events.Delivery, error) {
	if r.Reason != "" {
		return nil, nil //nolint:nilnil // a rejection is no event, and no error
	}
	envelope, err := events.Open(r.Body)
	if err != nil {
		return nil, fmt.Errorf("open event: %w", err)
	}
	return envelope.Decode(), nil
}

// item returns what is stored of the delivery; d is nil if it was refused.
func (r Received) item(d *events.Delivery) table.Item {
	if d == nil {
		return table.RejectedItem(table.Rejection{Reason: r.Reason, Body: r.Body, Headers: r.Headers}, r.ReceivedAt)
	}
	// The signature's check has parsed this time, but only in format B, and not
	// for a delivery that comes from the spill.
	sent, _ := events.ParseTime(r.Headers[events.HeaderRequestTimestamp])
	item := table.EventItem(d, sent, r.ReceivedAt)
	if r.FoundBy != "" {
		item[table.FoundBy] = attr.String(r.FoundBy)
	}
	return item
}

// Status is what a 200 says became of a delivery.
type Status string

// The statuses.
const (
	StatusStored    Status = "stored"
	StatusDuplicate Status = "duplicate" // it was in the table before
	StatusProbe     Status = "probe"     // it says nothing that must be stored
	StatusSpilled   Status = "spilled"   // the table did not take it, the spill did
)

// Result is what became of a delivery: for the answer and for the log.
type Result struct {
	// Status is empty where the delivery was not stored.
	Status Status
	// Key is the item's partition key, also where storing it failed; empty where
	// there was nothing to store.
	Key string
	// Delivery is the event; nil where there was none, or a rejection.
	Delivery *events.Delivery
	// Rejected is set if the delivery was stored as a rejection. AcceptedWith is
	// the reason if it was answered 200 all the same.
	Rejected     bool
	AcceptedWith error
	// Spilled is why the table did not take what the spill took.
	Spilled error

	// parts are the events of a body with several.
	parts []part
	// mentions is set if a rejected body may be about a caller whom nobody served.
	mentions bool
}

// Store makes the item of a delivery and the one write; d is the event, decoded,
// or nil if the delivery was refused. However often it is called, the delivery is
// stored once. The error is one of [Putter]'s; then only Status is missing from
// the result.
func Store(ctx context.Context, store Putter, received Received, d *events.Delivery) (Result, error) {
	item := received.item(d)
	result := Result{Key: table.Text(item, table.PK), Delivery: d}
	// guard 9 ingest webhook e2e: _, _ = store.Put(ctx, item); switch created, err := store.Put(ctx, item); {
	switch created, err := store.Put(ctx, item); {
	case err != nil && d == nil:
		return result, fmt.Errorf("store rejection: %w", err)
	case err != nil:
		return result, fmt.Errorf("store event: %w", err)
	// guard 2 ingest e2e (StoredOnce|ALostResponse|ADelivery): case created || true:
	case created:
		result.Status = StatusStored
	default:
		result.Status = StatusDuplicate
	}
	return result, nil
}

// Attributes name the item in a log line: type, kind and key of an event, the key
// of a rejection, nothing where there is no item; and what nobody can tell of an event.
func (r Result) Attributes() []slog.Attr {
	switch {
	case r.Key == "":
		return nil
	case r.Delivery == nil:
		return []slog.Attr{slog.String("key", r.Key)}
	}
	d := r.Delivery
	// guard 8 ingest e2e: typ := string(d.Type)
	typ := string(d.Type.Name())
	if typ == "" {
		typ = "unregistered" // the name is the sender's own text
	}
	attributes := append(make([]slog.Attr, 0, 7),
		slog.String("type", typ),
		slog.String("kind", string(d.Kind)),
		slog.String("key", table.LogPartition(r.Key)),
	)
	if d.Unclear() {
		attributes = append(attributes, slog.String("outcome", string(d.Outcome)))
		// guard 8 ingest: if word := d.OutcomeWord; word != "" {
		if word := events.TelephoneWords(d.OutcomeWord); word != "" {
			attributes = append(attributes, slog.String("outcomeWord", word))
		}
	}
	if len(d.Damage) > 0 {
		attributes = append(attributes, slog.String("damage", strings.Join(d.Damage, ", ")))
	}
	// guard 2 ingest: if false {
	if r.Status == StatusDuplicate && d.Entity == events.EntityNone && d.KeyTime().IsZero() {
		// It may as well be another event that says the same.
		attributes = append(attributes, slog.Bool("ambiguous", true))
	}
	return attributes
}
