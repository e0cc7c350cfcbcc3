package eventsource

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
)

// maxEvent is the largest event that a function is invoked with, in bytes.
const maxEvent = 6 << 20

// Stream is the event source mapping of a table's stream.
type Stream struct {
	BatchSize int
	// Retries is MaximumRetryAttempts: how often a batch comes again.
	Retries int
	// Bisect is BisectBatchOnFunctionError.
	Bisect bool
	// Partial says that FunctionResponseTypes has ReportBatchItemFailures.
	Partial bool
	Filter  Filter
}

// Discarded is a batch that was given up.
type Discarded struct {
	Records []Record
	// Object is what Lambda writes to an S3 failure destination: the whole event
	// stands in its member payload, as a text. See
	// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html.
	Object []byte
}

// Deliver hands records over, in order, until each is done or discarded. The
// error is a fault of the test, not of the function.
func (s Stream) Deliver(ctx context.Context, to Invoker, records []Record) ([]Discarded, error) {
	var wanted []Record
	for _, r := range records {
		if s.Filter.Match(r.Text) {
			wanted = append(wanted, r)
		}
	}
	var discarded []Discarded
	for len(wanted) > 0 {
		batch := wanted[:s.fitting(wanted)]
		wanted = wanted[len(batch):]
		lost, err := s.deliver(ctx, to, batch)
		if err != nil {
			return discarded, err
		}
		discarded = append(discarded, lost...)
	}
	return discarded, nil
}

// fitting is how many of the records go into one batch.
func (s Stream) fitting(records []Record) int {
	size := 0
	for i, r := range records {
		size += len(r.Text) + 1
		if i == s.BatchSize || i > 0 && size > maxEvent-len(`{"Records":[]}`) {
			return i
		}
	}
	return len(records)
}

func (s Stream) deliver(ctx context.Context, to Invoker, batch []Record) ([]Discarded, error) {
	for retries := 0; ; {
		event := Event(batch)
		answer, err := to.Invoke(ctx, event)
		if err != nil && !errors.Is(err, ErrFunction) {
			return nil, err
		}
		first := 0 // the first record that is not done
		if err == nil {
			first = s.checkpoint(answer, batch)
		}
		if first == len(batch) {
			return nil, nil
		}
		switch {
		case first > 0:
			batch = batch[first:]
			if !s.Bisect {
				retries++
			}
		case s.Bisect && len(batch) > 1:
			left, err := s.deliver(ctx, to, batch[:len(batch)/2])
			if err != nil {
				return nil, err
			}
			right, err := s.deliver(ctx, to, batch[len(batch)/2:])
			return slices.Concat(left, right), err
		default:
			retries++
		}
		if retries > s.Retries {
			return []Discarded{{Records: batch, Object: object(batch, retries)}}, nil
		}
	}
}

// checkpoint is how many records of a batch an answer says are done.
func (s Stream) checkpoint(answer []byte, batch []Record) int {
	if !s.Partial {
		return len(batch)
	}
	failures, ok := batchItemFailures(answer)
	if !ok {
		return 0
	}
	first := len(batch)
	for _, failed := range failures {
		at := slices.IndexFunc(batch, func(r Record) bool { return r.Sequence == failed })
		if at < 0 {
			return 0
		}
		first = min(first, at)
	}
	return first
}

// batchItemFailures reads a partial batch response; ok is false if it is none,
// which fails the whole batch.
func batchItemFailures(answer []byte) (failed []string, ok bool) {
	if answer = bytes.TrimSpace(answer); len(answer) == 0 || string(answer) == "null" {
		return nil, true
	}
	var response struct {
		Failures []struct {
			Item *string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(answer, &response); err != nil {
		return nil, false
	}
	for _, f := range response.Failures {
		if f.Item == nil || *f.Item == "" {
			return nil, false
		}
		failed = append(failed, *f.Item)
	}
	return failed, true
}

// Event returns the event that a function is invoked with.
func Event(records []Record) []byte {
	var b bytes.Buffer
	b.WriteString(`{"Records":[`)
	for i, r := range records {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(r.Text)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

func object(batch []Record, invocations int) []byte {
	text, _ := json.Marshal(map[string]any{ // strings and numbers only
		"requestContext": map[string]any{
			"condition":              "RetryAttemptsExhausted",
			"approximateInvokeCount": invocations,
		},
		"version": "1.0",
		"DDBStreamBatchInfo": map[string]any{
			"startSequenceNumber": batch[0].Sequence,
			"endSequenceNumber":   batch[len(batch)-1].Sequence,
			"batchSize":           len(batch),
			"streamArn":           streamARN,
		},
		"payload": string(Event(batch)),
	})
	return text
}
