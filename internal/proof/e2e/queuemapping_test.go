package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	lambdaevents "github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/eventsource"
	"github.com/ringback/ringback/internal/proof/moto"
)

// queueMapping plays Lambda's event source mapping of an SQS queue. Messages of a
// batch that are not among its batch item failures are deleted. The others return
// after the visibility timeout, and move to the dead-letter queue after
// maxReceiveCount receives. Here failed messages return at once, after all others.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
type queueMapping struct {
	Client   *sqs.Client
	URL, ARN string
	// BatchSize is at most 10: larger batches would need a batching window.
	BatchSize int
	Partial   bool // FunctionResponseTypes has ReportBatchItemFailures
}

// drained counts what became of the received messages.
type drained struct {
	Invocations, Deleted, Failed int
}

// Drain sends what is in the queue until only messages are left that failed
// meanwhile. These it makes visible again at its end. The error is a fault of the
// test, not of the function.
func (q queueMapping) Drain(ctx context.Context, to eventsource.Invoker) (taken drained, err error) {
	var failed []types.Message
	for {
		got, err := q.Client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl:                    aws.String(q.URL),
			MaxNumberOfMessages:         int32(min(q.BatchSize, 10)), //nolint:gosec // G115: at most 10
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		})
		if err != nil {
			return taken, fmt.Errorf("receive: %w", err)
		}
		if len(got.Messages) == 0 {
			break
		}
		taken.Invocations++
		again, err := q.invoke(ctx, to, got.Messages)
		if err != nil {
			return taken, err
		}
		for _, m := range got.Messages {
			if slices.Contains(again, aws.ToString(m.MessageId)) {
				taken.Failed++
				failed = append(failed, m)
				continue
			}
			taken.Deleted++
			if _, err := q.Client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: aws.String(q.URL), ReceiptHandle: m.ReceiptHandle}); err != nil {
				return taken, fmt.Errorf("delete: %w", err)
			}
		}
	}
	for _, m := range failed {
		if _, err := q.Client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: aws.String(q.URL), ReceiptHandle: m.ReceiptHandle}); err != nil {
			return taken, fmt.Errorf("release: %w", err)
		}
	}
	return taken, nil
}

// invoke sends one batch and returns the IDs of the messages that failed.
func (q queueMapping) invoke(ctx context.Context, to eventsource.Invoker, messages []types.Message) (again []string, err error) {
	records := make([]lambdaevents.SQSMessage, len(messages))
	all := make([]string, len(messages))
	for i, m := range messages {
		all[i] = aws.ToString(m.MessageId)
		records[i] = lambdaevents.SQSMessage{
			MessageId:         all[i],
			ReceiptHandle:     aws.ToString(m.ReceiptHandle),
			Body:              aws.ToString(m.Body),
			Attributes:        m.Attributes,
			MessageAttributes: map[string]lambdaevents.SQSMessageAttribute{},
			Md5OfBody:         aws.ToString(m.MD5OfBody),
			EventSource:       "aws:sqs",
			EventSourceARN:    q.ARN,
			AWSRegion:         "us-east-1",
		}
	}
	event, err := json.Marshal(lambdaevents.SQSEvent{Records: records})
	if err != nil {
		return nil, err
	}
	answer, err := to.Invoke(ctx, event)
	switch {
	case errors.Is(err, eventsource.ErrFunction):
		return all, nil
	case err != nil || !q.Partial:
		return nil, err
	}
	again, ok := eventsource.BatchItemFailures(answer)
	if !ok || slices.ContainsFunc(again, func(id string) bool { return !slices.Contains(all, id) }) {
		return all, nil
	}
	return again, nil
}

func TestAQueueKeepsWhatFailed(t *testing.T) {
	t.Parallel()
	deadURL, deadARN := moto.NewQueue(t, nil)
	url, arn := moto.NewQueue(t, map[string]string{
		"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":"3"}`, deadARN),
	})
	client := moto.SQS(t)
	for i := range 13 {
		if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{
			QueueUrl: aws.String(url), MessageBody: aws.String(fmt.Sprint(i)),
		}); err != nil {
			t.Fatal(err)
		}
	}

	seen := map[string]int{}
	answer := func(_ context.Context, event []byte) ([]byte, error) {
		var e struct {
			Records []struct {
				ID     string `json:"messageId"`
				Body   string `json:"body"`
				Source string `json:"eventSource"`
			} `json:"Records"`
		}
		if err := json.Unmarshal(event, &e); err != nil {
			return nil, err
		}
		if len(e.Records) > 10 {
			t.Errorf("a batch of %d", len(e.Records))
		}
		failed := []map[string]string{}
		for _, r := range e.Records {
			seen[r.Body]++
			if r.Body == "7" {
				failed = append(failed, map[string]string{"itemIdentifier": r.ID})
			}
		}
		return json.Marshal(map[string]any{"batchItemFailures": failed})
	}
	queue := queueMapping{Client: client, URL: url, ARN: arn, BatchSize: 10, Partial: true}
	var passes []drained
	for range 4 {
		taken, err := queue.Drain(t.Context(), eventsource.InvokerFunc(answer))
		if err != nil {
			t.Fatal(err)
		}
		passes = append(passes, taken)
	}

	want := []drained{{Invocations: 2, Deleted: 12, Failed: 1}, {Invocations: 1, Failed: 1}, {Invocations: 1, Failed: 1}, {}}
	if diff := cmp.Diff(want, passes); diff != "" {
		t.Errorf("passes (-want +got):\n%s", diff)
	}
	if len(seen) != 13 || seen["7"] != 3 || seen["6"] != 1 {
		t.Errorf("seen: %v, want 13 messages, 7 three times", seen)
	}
	if dead := moto.Receive(t, deadURL); len(dead) != 1 || aws.ToString(dead[0].Body) != "7" {
		t.Errorf("%d dead letters, want 7 only", len(dead))
	}
}

func TestAFailedInvocationFailsItsMessages(t *testing.T) {
	t.Parallel()
	url, arn := moto.NewQueue(t, nil)
	client := moto.SQS(t)
	if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: aws.String(url), MessageBody: aws.String("a")}); err != nil {
		t.Fatal(err)
	}
	queue := queueMapping{Client: client, URL: url, ARN: arn, BatchSize: 10, Partial: true}
	for _, tc := range []struct {
		answer string
		err    error
		want   drained
	}{
		{"", eventsource.ErrFunction, drained{Invocations: 1, Failed: 1}},
		{`{"batchItemFailures":[{"itemIdentifier":"of another batch"}]}`, nil, drained{Invocations: 1, Failed: 1}},
		{`{"batchItemFailures":[{"itemIdentifier":""}]}`, nil, drained{Invocations: 1, Failed: 1}},
		{`no JSON`, nil, drained{Invocations: 1, Failed: 1}},
		{`{"batchItemFailures":null}`, nil, drained{Invocations: 1, Deleted: 1}},
	} {
		got, err := queue.Drain(t.Context(), eventsource.InvokerFunc(func(context.Context, []byte) ([]byte, error) {
			return slices.Clone([]byte(tc.answer)), tc.err
		}))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("answer %q (-want +got):\n%s", tc.answer, diff)
		}
	}
}
