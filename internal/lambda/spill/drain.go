package spill

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/timing"
)

const (
	// maxParallel bounds how many messages of a batch are kept at once.
	maxParallel = 10
	// answerTime is what is kept of the function's time to answer in: a message
	// that is not kept by then is reported, so that only it comes back.
	answerTime = 500 * time.Millisecond
)

// ErrEvent says that the function was invoked with something else than
// messages of a queue. The text says what is wrong, without content.
var ErrEvent = errors.New("not an SQS event")

// Drain keeps the deliveries of a queue's messages in the table.
type Drain struct {
	// Now tells the time; NewDrain sets it, tests replace it.
	Now func() time.Time

	table ingest.Putter
	log   *slog.Logger
}

var _ lambda.Handler = (*Drain)(nil)

// NewDrain returns a handler that writes to the table and logs, without a
// person's data, to log.
func NewDrain(store ingest.Putter, log *slog.Logger) *Drain {
	return &Drain{Now: time.Now, table: store, log: log}
}

// record is what is read of a message. See
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html.
type record struct {
	id   string
	body string
	err  error // wraps ErrMessage
}

// failure is a message that is to come back.
type failure struct {
	ItemIdentifier string `json:"itemIdentifier"`
}

// Invoke implements [lambda.Handler]. It answers which messages were not kept.
// The error wraps [ErrEvent], and with it the whole batch comes back: where the
// event cannot be read, or a message that was not kept cannot be named.
func (d *Drain) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ctx, cancel := timing.WithMargin(ctx, answerTime)
	defer cancel()
	records, err := parse(payload)
	if err != nil {
		return nil, err
	}

	failed := make([]bool, len(records))
	places := make(chan struct{}, maxParallel)
	var running sync.WaitGroup
	for i, r := range records {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			failed[i] = !d.drain(ctx, r)
		})
	}
	running.Wait()

	answer := struct {
		Failures []failure `json:"batchItemFailures"`
	}{}
	for i, r := range records {
		switch {
		case !failed[i]:
		case r.id == "":
			return nil, fmt.Errorf("%w: a message has no id", ErrEvent)
		default:
			answer.Failures = append(answer.Failures, failure{r.id})
		}
	}
	return json.Marshal(answer)
}

// drain keeps one message and logs what became of it.
func (d *Drain) drain(ctx context.Context, r record) (ok bool) {
	receipt, kept, err := d.keep(ctx, r)
	if err != nil {
		d.log.LogAttrs(ctx, slog.LevelError, "delivery not drained",
			append(kept.Attributes(),
				slog.String("messageId", r.id),
				slog.String("error", err.Error()))...)
		return false
	}
	d.log.LogAttrs(ctx, slog.LevelInfo, "delivery drained",
		append(kept.Attributes(),
			slog.String("messageId", r.id),
			slog.Bool("duplicate", !kept.Created),
			slog.Int64("waitedMs", d.Now().Sub(receipt.ReceivedAt).Milliseconds()))...)
	return true
}

func (d *Drain) keep(ctx context.Context, r record) (ingest.Receipt, ingest.Kept, error) {
	if r.err != nil {
		return ingest.Receipt{}, ingest.Kept{}, r.err
	}
	receipt, err := Decode(r.body)
	if err != nil {
		return ingest.Receipt{}, ingest.Kept{}, err
	}
	kept, err := ingest.Keep(ctx, d.table, receipt)
	return receipt, kept, err
}

// parse reads an SQS event. What is wrong with one message is the message's
// own fault.
func parse(payload []byte) ([]record, error) {
	var event struct {
		Records []jsontext.Value `json:"Records"`
	}
	err := json.Unmarshal(payload, &event, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: not its JSON", ErrEvent)
	case event.Records == nil:
		return nil, fmt.Errorf("%w: no Records", ErrEvent)
	}
	records := make([]record, len(event.Records))
	for i, text := range event.Records {
		records[i] = parseRecord(text)
	}
	return records, nil
}

func parseRecord(text jsontext.Value) record {
	// The id is read apart: a message whose rest cannot be read has one still.
	var named struct {
		ID string `json:"messageId"`
	}
	_ = json.Unmarshal(text, &named, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	var read struct {
		Body *string `json:"body"`
	}
	if err := json.Unmarshal(text, &read); err != nil || read.Body == nil {
		return record{id: named.ID, err: fmt.Errorf("%w: no body that is a string", ErrMessage)}
	}
	return record{id: named.ID, body: *read.Body}
}
