package spill_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/spill"
	"github.com/ringback/ringback/internal/spill/spilltest"
)

// client is the SDK's, as main makes it.
func client(endpoint string) *sqs.Client {
	return sqs.NewFromConfig(aws.Config{
		Region:       "us-east-1",
		Credentials:  awsclient.StandInCredentials,
		HTTPClient:   awsclient.NewHTTPClient(),
		Retryer:      awsclient.NewRetryer,
		BaseEndpoint: aws.String(endpoint),
	})
}

func TestSendPutsTheWholeReceiptIntoTheQueue(t *testing.T) {
	t.Parallel()
	queue := spilltest.Start(t)
	to := spill.NewQueue(client(queue.Endpoint()), queue.URL())
	sent := []ingest.Receipt{
		{ReceivedAt: arrival, Headers: map[string]string{"content-type": "application/json"}, Body: sample(t, "call.missed")},
		{ReceivedAt: arrival, Headers: map[string]string{"content-type": "\uFFFE"}, Body: []byte("\x00\uFFFF"), Reason: "payload: not valid JSON"},
		{ReceivedAt: arrival, Headers: map[string]string{"content-type": "text/plain"}, Body: []byte(incompressible(500 << 10))},
	}
	var got []ingest.Receipt
	for _, r := range sent {
		if err := to.Send(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	for _, message := range queue.Messages() {
		r, err := spill.Decode(message)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	if !reflect.DeepEqual(sent, got) { // telling the difference would take long
		t.Errorf("got %d receipts that are not the %d sent", len(got), len(sent))
	}
}

func TestSendSaysWhatTheQueueAnsweredButNotWhatItQuotes(t *testing.T) {
	t.Parallel()
	queue := spilltest.Start(t)
	queue.Refuse("InvalidMessageContents")
	to := spill.NewQueue(client(queue.Endpoint()), queue.URL())
	err := to.Send(t.Context(), ingest.Receipt{ReceivedAt: arrival, Body: sample(t, "sms.sent")})
	if err == nil || !strings.Contains(err.Error(), "InvalidMessageContents") || strings.Contains(err.Error(), "4711") {
		t.Errorf("got %v, want the code and no content", err)
	}
}

// sendFunc is a queue of one function.
type sendFunc func(ctx context.Context, in *sqs.SendMessageInput) error

func (f sendFunc) SendMessage(ctx context.Context, in *sqs.SendMessageInput, _ ...func(*sqs.Options)) (*sqs.SendMessageOutput, error) {
	return &sqs.SendMessageOutput{}, f(ctx, in)
}

func TestSendSendsNothingThatNoQueueTakes(t *testing.T) {
	t.Parallel()
	to := spill.NewQueue(sendFunc(func(context.Context, *sqs.SendMessageInput) error {
		t.Error("sent all the same")
		return nil
	}), "https://sqs.us-east-1.amazonaws.com/123456789012/spill")
	err := to.Send(t.Context(), ingest.Receipt{ReceivedAt: arrival, Body: []byte(incompressible(2 << 20))})
	if !errors.Is(err, spill.ErrTooLarge) {
		t.Errorf("got %v, want %v", err, spill.ErrTooLarge)
	}
}
