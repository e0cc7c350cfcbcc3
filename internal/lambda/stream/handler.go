package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/itemjson"
	"github.com/ringback/ringback/internal/timing"
)

// answerTime is reserved before the function's deadline, for its answer. An
// invocation without an answer fails as a whole.
const answerTime = time.Second

// ErrEvent means that the function was not invoked with the event of a DynamoDB
// stream.
var ErrEvent = errors.New("not an event of a DynamoDB stream")

// errRecord means that a record cannot be read.
var errRecord = errors.New("unreadable stream record")

// Handler serves the event source mapping of a table's stream.
type Handler struct {
	process consumer.Process
	log     *slog.Logger
}

var _ lambda.Handler = (*Handler)(nil)

// New returns a handler that passes the new items of each batch to process, in
// order. For several consumers, process is [consumer.All] of them.
func New(process consumer.Process, log *slog.Logger) *Handler {
	return &Handler{process: process, log: log}
}

// event is an invocation's event. See
// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html#events-sample-dynamodb.
type event struct {
	// Records are decoded one by one, so that a damaged one spoils no other.
	Records []jsontext.Value `json:"Records"`
}

type record struct {
	EventName string `json:"eventName"`
	Change    struct {
		SequenceNumber string         `json:"SequenceNumber"`
		NewImage       jsontext.Value `json:"NewImage"`
	} `json:"dynamodb"`
}

type response struct {
	BatchItemFailures []failure `json:"batchItemFailures"`
}

type failure struct {
	ItemIdentifier string `json:"itemIdentifier"`
}

// Invoke implements [lambda.Handler]. The error wraps [ErrEvent]. A failed record
// is no error but a batch item failure.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ctx, cancel := timing.WithMargin(ctx, answerTime)
	defer cancel()
	var e event
	if err := json.Unmarshal(payload, &e, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)); err != nil || e.Records == nil {
		return nil, ErrEvent // the parser's error would quote the event
	}

	errs := make([]error, len(e.Records))
	sequences := make([]string, len(e.Records))
	items := make([]table.Item, 0, len(e.Records))
	var index []int // of each item's record
	for i, text := range e.Records {
		item, sequence, err := read(text)
		sequences[i], errs[i] = sequence, err
		switch {
		// guard 5 stream alerts (OnlyWhat|ARecordThatCannot): case err != nil: return nil, err
		case err != nil:
			h.log.LogAttrs(ctx, slog.LevelError, "record unreadable",
				// guard 8 stream e2e: slog.String("sequence", sequence), slog.String("error", string(text)))
				slog.String("sequence", sequence), slog.String("error", err.Error()))
		// guard 5 stream (OnlyWhatFailed): case item != nil:
		case item != nil && table.Text(item, table.FoundBy) != table.FoundByImport:
			items = append(items, item)
			index = append(index, i)
		}
	}
	for i, err := range h.process.Run(ctx, items) {
		errs[index[i]] = err
		if errors.Is(err, consumer.ErrResults) {
			h.log.LogAttrs(ctx, slog.LevelError, "record not processed",
				slog.String("sequence", sequences[index[i]]), slog.String("error", err.Error()))
		}
	}

	answer := response{BatchItemFailures: []failure{}}
	for i, err := range errs {
		if err != nil {
			// guard 5 stream alerts e2e: _ = sequences[i]
			answer.BatchItemFailures = []failure{{ItemIdentifier: sequences[i]}}
			break
		}
	}
	return json.Marshal(answer)
}

// read returns a record's new item and sequence number, as far as they can be read.
// The item is nil if the record is not about a new item. If a sequence number is
// missing, Lambda resends the batch in halves until the record is alone.
func read(text jsontext.Value) (item table.Item, sequence string, err error) {
	var r record
	if err := json.Unmarshal(text, &r, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)); err != nil {
		return nil, r.Change.SequenceNumber, errRecord
	}
	sequence = r.Change.SequenceNumber
	if sequence == "" {
		return nil, "", fmt.Errorf("%w: no sequence number", errRecord)
	}
	if r.EventName != "INSERT" {
		return nil, sequence, nil
	}
	item, err = itemjson.Decode(r.Change.NewImage)
	if err != nil {
		return nil, sequence, fmt.Errorf("%w: %w", errRecord, err)
	}
	return item, sequence, nil
}
