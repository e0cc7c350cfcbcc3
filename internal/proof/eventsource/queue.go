package eventsource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// maxReceive is how many messages one request may receive.
const maxReceive = 10

// Queue is the event source mapping of an SQS queue.
type Queue struct {
	Client *sqs.Client
	URL    string
	// ARN is told to the function.
	ARN string
	// BatchSize is at most 10: larger batches would need a batching window.
	BatchSize int
	// Partial says that FunctionResponseTypes has ReportBatchItemFailures.
	Partial bool
}

// Taken counts what became of the messages that were received.
type Taken struct {
	Invocations, Deleted, Failed int
}

// sqsRecord is the form of a message in an event. See
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html.
type sqsRecord struct {
	MessageID         string            `json:"messageId"`
	ReceiptHandle     string            `json:"receiptHandle"`
	Body              string            `json:"body"`
	Attributes        map[string]string `json:"attributes"`
	MessageAttributes map[string]any    `json:"messageAttributes"`
	MD5               string            `json:"md5OfBody"`
	EventSource       string            `json:"eventSource"`
	EventSourceARN    string            `json:"eventSourceARN"`
	AWSRegion         string            `json:"awsRegion"`
}

// Drain hands over what is in the queue until nothing is left, messages that
// failed meanwhile excepted: these it makes visible again at its end. The error
// is a fault of the test, not of the function.
func (q Queue) Drain(ctx context.Context, to Invoker) (Taken, error) {
	var taken Taken
	var failed []types.Message
	for {
		got, err := q.Client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl:                    aws.String(q.URL),
			MaxNumberOfMessages:         int32(min(q.BatchSize, maxReceive)), //nolint:gosec // G115: at most 10
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		})
		if err != nil {
			return taken, fmt.Errorf("receive: %w", err)
		}
		if len(got.Messages) == 0 {
			return taken, q.release(ctx, failed)
		}
		taken.Invocations++
		again, err := q.invoke(ctx, to, got.Messages)
		if err != nil {
			return taken, err
		}
		for _, m := range got.Messages {
			if again[aws.ToString(m.MessageId)] {
				taken.Failed++
				failed = append(failed, m)
				continue
			}
			taken.Deleted++
			if _, err := q.Client.DeleteMessage(ctx, &sqs.DeleteMessageInput{
				QueueUrl: aws.String(q.URL), ReceiptHandle: m.ReceiptHandle,
			}); err != nil {
				return taken, fmt.Errorf("delete: %w", err)
			}
		}
	}
}

// invoke hands one batch over and returns the ids of the messages that are to
// come again.
func (q Queue) invoke(ctx context.Context, to Invoker, messages []types.Message) (again map[string]bool, err error) {
	records := make([]sqsRecord, len(messages))
	again = make(map[string]bool, len(messages))
	for i, m := range messages {
		again[aws.ToString(m.MessageId)] = true
		records[i] = sqsRecord{
			MessageID:         aws.ToString(m.MessageId),
			ReceiptHandle:     aws.ToString(m.ReceiptHandle),
			Body:              aws.ToString(m.Body),
			Attributes:        m.Attributes,
			MessageAttributes: map[string]any{},
			MD5:               aws.ToString(m.MD5OfBody),
			EventSource:       "aws:sqs",
			EventSourceARN:    q.ARN,
			AWSRegion:         "us-east-1",
		}
	}
	event, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		return nil, err
	}
	answer, err := to.Invoke(ctx, event)
	switch {
	case errors.Is(err, ErrFunction):
		return again, nil
	case err != nil:
		return nil, err
	case !q.Partial:
		return nil, nil //nolint:nilnil // a nil set is an empty one
	}
	failures, ok := batchItemFailures(answer)
	if !ok || slices.ContainsFunc(failures, func(id string) bool { return !again[id] }) {
		return again, nil
	}
	clear(again)
	for _, id := range failures {
		again[id] = true
	}
	return again, nil
}

// release ends the visibility timeout of messages.
func (q Queue) release(ctx context.Context, messages []types.Message) error {
	for _, m := range messages {
		if _, err := q.Client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
			QueueUrl: aws.String(q.URL), ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0,
		}); err != nil {
			return fmt.Errorf("release: %w", err)
		}
	}
	return nil
}
