package spill_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/lambda/spill"
	"github.com/ringback/ringback/internal/proof/spilltest"
)

// client returns the client that main makes.
func client(endpoint string) *awsclient.Service {
	return awsclient.NewService(awsclient.SQS, awsclient.StandIn(endpoint))
}

func TestSendPutsTheWholeDeliveryIntoTheQueue(t *testing.T) {
	t.Parallel()
	queue := spilltest.Start(t)
	to := spill.NewQueue(client(queue.Endpoint()), queue.URL())
	sent := []ingest.Received{
		{ReceivedAt: arrival, Headers: map[string]string{"content-type": "application/json"}, Body: sample(t, "call.missed")},
		{ReceivedAt: arrival, Headers: map[string]string{"content-type": "\uFFFE"}, Body: []byte("\x00\uFFFF"), Reason: "payload: not valid JSON"},
		{ReceivedAt: arrival, Headers: map[string]string{"content-type": "text/plain"}, Body: []byte(incompressible(500 << 10))},
	}
	var got []ingest.Received
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
		t.Errorf("got %d deliveries that are not the %d sent", len(got), len(sent))
	}
}

func TestSendSaysWhatTheQueueAnsweredButNotWhatItQuotes(t *testing.T) {
	t.Parallel()
	queue := spilltest.Start(t)
	queue.Refuse("InvalidMessageContents")
	to := spill.NewQueue(client(queue.Endpoint()), queue.URL())
	err := to.Send(t.Context(), ingest.Received{ReceivedAt: arrival, Body: sample(t, "sms.sent")})
	if err == nil || !strings.Contains(err.Error(), "InvalidMessageContents") || strings.Contains(err.Error(), "4711") {
		t.Errorf("got %v, want the code and no content", err)
	}
}

func TestWhatIsSentLaterWaitsInTheQueue(t *testing.T) {
	t.Parallel()
	var asked string
	to := spill.NewQueue(requestFunc(func(request []byte) { asked = string(request) }), "https://example.com/spill")
	_ = to.SendLater(t.Context(), ingest.Received{ReceivedAt: arrival, Body: []byte("{}")}, 2*time.Minute)
	if !strings.Contains(asked, `"DelaySeconds":120`) {
		t.Errorf("request %s", asked)
	}
	_ = to.Send(t.Context(), ingest.Received{ReceivedAt: arrival, Body: []byte("{}")})
	if strings.Contains(asked, "DelaySeconds") {
		t.Errorf("request %s", asked)
	}
}

// requestFunc is told of the requests to SQS.
type requestFunc func(request []byte)

func (f requestFunc) Call(_ context.Context, _ string, request []byte) ([]byte, error) {
	f(request)
	return []byte("{}"), nil
}

// callFunc is an SQS of one function.
type callFunc func(operation string) (answer []byte, err error)

func (f callFunc) Call(_ context.Context, operation string, _ []byte) ([]byte, error) {
	return f(operation)
}

// The queue then has the only copy of the delivery.
func TestPromise1_SendFailsIfTheQueueHoldsSomethingElse(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{`{"MD5OfMessageBody":"d41d8cd98f00b204e9800998ecf8427e"}`, `{"MessageId":"1"}`} {
		to := spill.NewQueue(callFunc(func(string) ([]byte, error) { return []byte(answer), nil }), "https://example.com/spill")
		if err := to.Send(t.Context(), ingest.Received{ReceivedAt: arrival, Body: sample(t, "sms.sent")}); err == nil {
			t.Errorf("%s: no error", answer)
		}
	}
}

func TestSendSendsNothingThatNoQueueTakes(t *testing.T) {
	t.Parallel()
	to := spill.NewQueue(callFunc(func(string) ([]byte, error) {
		t.Error("sent all the same")
		return []byte("{}"), nil
	}), "https://sqs.us-east-1.amazonaws.com/123456789012/spill")
	err := to.Send(t.Context(), ingest.Received{ReceivedAt: arrival, Body: []byte(overQueue)})
	if !errors.Is(err, spill.ErrTooLarge) {
		t.Errorf("got %v, want %v", err, spill.ErrTooLarge)
	}
}
