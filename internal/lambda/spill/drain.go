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
	// maxParallel is how many messages of a batch are stored at the same time.
	maxParallel = 10
	// answerTime is how much of the function's time is left for its answer. A
	// message that is not stored by then is reported, so that only it is redelivered.
	answerTime = 500 * time.Millisecond
)

// ErrEvent means that the function was invoked with something other than messages
// of a queue. The text says what is wrong, without content.
var ErrEvent = errors.New("not an SQS event")

// Drain stores the deliveries of a queue's messages in the table.
type Drain struct {
	// Now returns the time; NewDrain sets it, tests replace it.
	Now func() time.Time

	table ingest.Putter
	log   *slog.Logger
}

var _ lambda.Handler = (*Drain)(nil)

// NewDrain returns a handler that writes to the table. It logs nobody's data.
func NewDrain(store ingest.Putter, log *slog.Logger) *Drain {
	return &Drain{Now: time.Now, table: store, log: log}
}

// record is a message as far as it could be read. See
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html.
type record struct {
	id   string
	body string
	err  error // wraps ErrMessage
}

// failure is a batch item failure: SQS delivers that message again.
type failure struct {
	ItemIdentifier string `json:"itemIdentifier"`
}

// Invoke implements [lambda.Handler]. It answers with the messages that were not
// stored. The error wraps [ErrEvent], and the whole batch comes back, if the event
// cannot be read, or if a message that was not stored has no id to report.
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
			// guard 5 spill drain e2e (OnlyWhat|AMalformed|StoresABatch|WhatCannot): _ = failure{r.id}
			// guard 5 spill drain e2e (OnlyWhat|AMalformed|StoresABatch|WhatCannot): _, err = failure{r.id}, ErrEvent
			answer.Failures = append(answer.Failures, failure{r.id})
		}
	}
	return json.Marshal(answer)
}

// drain stores one message's delivery, or the several events of its body.
func (d *Drain) drain(ctx context.Context, r record) (ok bool) {
	received, err := ingest.Received{}, r.err
	if err == nil {
		received, err = Decode(r.body)
	}
	if err != nil {
		return d.logged(ctx, r, received, ingest.Result{}, err)
	}
	ok = true
	for _, one := range received.Each() {
		result, err := d.store(ctx, one)
		ok = d.logged(ctx, r, one, result, err) && ok
	}
	return ok
}

// logged logs what became of a delivery, and reports whether it is stored.
func (d *Drain) logged(ctx context.Context, r record, received ingest.Received, result ingest.Result, err error) bool {
	if err != nil {
		d.log.LogAttrs(ctx, slog.LevelError, "delivery not drained",
			append(result.Attributes(),
				slog.String("messageId", r.id),
				slog.String("error", err.Error()))...)
		return false
	}
	d.log.LogAttrs(ctx, slog.LevelInfo, "delivery drained",
		append(result.Attributes(),
			slog.String("messageId", r.id),
			slog.Bool("duplicate", result.Status == ingest.StatusDuplicate),
			slog.Int64("waitedMs", d.Now().Sub(received.ReceivedAt).Milliseconds()))...)
	return true
}

func (d *Drain) store(ctx context.Context, received ingest.Received) (ingest.Result, error) {
	event, err := received.Decode()
	if err != nil {
		return ingest.Result{}, err
	}
	return ingest.Store(ctx, d.table, received, event)
}

// parse reads an SQS event. What is wrong with one message is its record's err, and
// does not touch the others.
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
	// The id is read by itself: a message whose body cannot be read still has one.
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
