package eventsource_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/eventsource"
	"github.com/ringback/ringback/internal/proof/moto"
)

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
	queue := eventsource.Queue{Client: client, URL: url, ARN: arn, BatchSize: 10, Partial: true}
	var passes []eventsource.Taken
	for range 4 {
		taken, err := queue.Drain(t.Context(), eventsource.InvokerFunc(answer))
		if err != nil {
			t.Fatal(err)
		}
		passes = append(passes, taken)
	}

	want := []eventsource.Taken{{Invocations: 2, Deleted: 12, Failed: 1}, {Invocations: 1, Failed: 1}, {Invocations: 1, Failed: 1}, {}}
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
	queue := eventsource.Queue{Client: client, URL: url, ARN: arn, BatchSize: 10, Partial: true}
	for _, tc := range []struct {
		answer string
		err    error
		want   eventsource.Taken
	}{
		{"", eventsource.ErrFunction, eventsource.Taken{Invocations: 1, Failed: 1}},
		{`{"batchItemFailures":[{"itemIdentifier":"of another batch"}]}`, nil, eventsource.Taken{Invocations: 1, Failed: 1}},
		{`{"batchItemFailures":[{"itemIdentifier":""}]}`, nil, eventsource.Taken{Invocations: 1, Failed: 1}},
		{`no JSON`, nil, eventsource.Taken{Invocations: 1, Failed: 1}},
		{`{"batchItemFailures":null}`, nil, eventsource.Taken{Invocations: 1, Deleted: 1}},
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
