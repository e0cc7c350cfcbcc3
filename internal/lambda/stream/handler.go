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

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/itemjson"
	"github.com/ringback/ringback/internal/timing"
)

// answerTime is what is kept of the function's time to answer in. An invocation
// that is not answered is taken to have failed as a whole.
const answerTime = time.Second

// Errors of an invocation.
var (
	// ErrEvent says that the function was invoked with something else than the
	// event of a DynamoDB stream.
	ErrEvent = errors.New("not an event of a DynamoDB stream")
	// ErrRecord says that a record cannot be read.
	ErrRecord = errors.New("unreadable stream record")
)

// Handler serves the event source mapping of a table's stream.
type Handler struct {
	deliver func(context.Context, []table.Item) []error
	log     *slog.Logger
}

var _ lambda.Handler = (*Handler)(nil)

// New returns a handler that passes the new items of each batch, in order, to
// deliver, which returns one error for each: nil says that the item is done.
// Deliver logs its own errors.
func New(deliver func(context.Context, []table.Item) []error, log *slog.Logger) *Handler {
	return &Handler{deliver: deliver, log: log}
}

// event is what is read of an invocation. See
// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html#events-sample-dynamodb.
type event struct {
	// Records stay as they are, so that one that is damaged spoils no other.
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

// Invoke implements [lambda.Handler]. The error wraps [ErrEvent]; whatever goes
// wrong with a record is a batch item failure.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ctx, cancel := timing.WithMargin(ctx, answerTime)
	defer cancel()
	var e event
	if err := json.Unmarshal(payload, &e, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)); err != nil || e.Records == nil {
		return nil, ErrEvent // the parser's words would quote the event
	}

	faults := make([]error, len(e.Records))
	sequences := make([]string, len(e.Records))
	items := make([]table.Item, 0, len(e.Records))
	var from []int // index of each item's record
	for i, text := range e.Records {
		item, sequence, err := read(text)
		sequences[i], faults[i] = sequence, err
		switch {
		case err != nil:
			h.log.LogAttrs(ctx, slog.LevelError, "record unreadable",
				slog.String("sequence", sequence), slog.String("error", err.Error()))
		case item != nil:
			items = append(items, item)
			from = append(from, i)
		}
	}
	for i, err := range h.deliver(ctx, items) {
		faults[from[i]] = err
	}

	answer := response{BatchItemFailures: []failure{}}
	for i, err := range faults {
		if err != nil {
			answer.BatchItemFailures = []failure{{ItemIdentifier: sequences[i]}}
			break
		}
	}
	return json.Marshal(answer)
}

// read returns the item that a record brings and the record's sequence number,
// as far as they can be read; the item is nil if the record is of no new item.
// Without a sequence number Lambda brings the whole batch again, in halves,
// until the record stands alone.
func read(text jsontext.Value) (item table.Item, sequence string, err error) {
	var r record
	if err := json.Unmarshal(text, &r, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)); err != nil {
		return nil, r.Change.SequenceNumber, ErrRecord
	}
	sequence = r.Change.SequenceNumber
	if sequence == "" {
		return nil, "", fmt.Errorf("%w: no sequence number", ErrRecord)
	}
	if r.EventName != "INSERT" {
		return nil, sequence, nil
	}
	item, err = itemjson.Decode(r.Change.NewImage)
	if err != nil {
		return nil, sequence, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	return item, sequence, nil
}
