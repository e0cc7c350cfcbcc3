package eventsource

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
)

// maxEvent is the size limit of an event, in bytes.
const maxEvent = 6 << 20

// Stream is the event source mapping of a table's stream.
type Stream struct {
	BatchSize int
	Retries   int  // MaximumRetryAttempts
	Bisect    bool // BisectBatchOnFunctionError
	Partial   bool // FunctionResponseTypes has ReportBatchItemFailures
	Filter    Filter
}

// Discarded is a batch that was given up.
type Discarded struct {
	Records []Record
	// Object is what Lambda writes to an S3 failure destination. Its member payload
	// has the whole event as a string. See
	// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html.
	Object []byte
}

// Deliver sends records in order until each is done or discarded. The error is a
// fault of the test, not of the function.
func (s Stream) Deliver(ctx context.Context, to Invoker, records []Record) ([]Discarded, error) {
	return s.sendAll(ctx, to, s.wanted(records))
}

// wanted returns the records that the filter passes.
func (s Stream) wanted(records []Record) (wanted []Record) {
	for _, r := range records {
		if s.Filter.Match(r.Text) {
			wanted = append(wanted, r)
		}
	}
	return wanted
}

func (s Stream) sendAll(ctx context.Context, to Invoker, records []Record) (discarded []Discarded, err error) {
	for len(records) > 0 && err == nil {
		batch := records[:s.fitting(records)]
		records = records[len(batch):]
		var lost []Discarded
		lost, err = s.send(ctx, to, batch)
		discarded = append(discarded, lost...)
	}
	return discarded, err
}

// fitting returns how many records fit into a batch.
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

// send sends one batch until each record is done or discarded.
func (s Stream) send(ctx context.Context, to Invoker, batch []Record) ([]Discarded, error) {
	for retries := 0; ; {
		answer, err := to.Invoke(ctx, Event(batch))
		if err != nil && !errors.Is(err, ErrFunction) {
			return nil, err
		}
		done := 0
		if err == nil {
			done = s.done(answer, batch)
		}
		if done == len(batch) {
			return nil, nil
		}
		switch {
		case done > 0:
			batch = batch[done:]
			if !s.Bisect {
				retries++
			}
		case s.Bisect && len(batch) > 1:
			left, err := s.send(ctx, to, batch[:len(batch)/2])
			if err != nil {
				return nil, err
			}
			right, err := s.send(ctx, to, batch[len(batch)/2:])
			return slices.Concat(left, right), err
		default:
			retries++
		}
		if retries > s.Retries {
			return []Discarded{{Records: batch, Object: failureObject(batch, retries)}}, nil
		}
	}
}

// done returns how many records of a batch are done by a function's answer.
func (s Stream) done(answer []byte, batch []Record) int {
	if !s.Partial {
		return len(batch)
	}
	failures, ok := BatchItemFailures(answer)
	if !ok {
		return 0
	}
	done := len(batch)
	for _, failed := range failures {
		// An unknown identifier gives -1: the whole batch failed.
		done = min(done, slices.IndexFunc(batch, func(r Record) bool { return r.Sequence == failed }))
	}
	return max(0, done)
}

// BatchItemFailures reads a partial batch response. ok is false if it is none, which
// fails the whole batch.
func BatchItemFailures(answer []byte) (failed []string, ok bool) {
	if answer = bytes.TrimSpace(answer); len(answer) == 0 {
		return nil, true
	}
	var response struct {
		Failures []struct {
			Item string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(answer, &response); err != nil {
		return nil, false
	}
	for _, f := range response.Failures {
		if f.Item == "" {
			return nil, false
		}
		failed = append(failed, f.Item)
	}
	return failed, true
}

// Event returns the event of an invocation with records.
func Event(records []Record) []byte {
	texts := make([][]byte, len(records))
	for i, r := range records {
		texts[i] = r.Text
	}
	return slices.Concat([]byte(`{"Records":[`), bytes.Join(texts, []byte(",")), []byte(`]}`))
}

// failureObject is what Lambda writes for a batch that is discarded.
func failureObject(batch []Record, invocations int) []byte {
	text, _ := json.Marshal(map[string]any{ // never fails: strings and numbers
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
