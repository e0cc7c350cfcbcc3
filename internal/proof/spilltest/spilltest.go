// Package spilltest stands in for the spill queue in tests: it accepts messages as
// SQS does, and writes the events in which Lambda passes them on.
package spilltest

import (
	"crypto/md5" //nolint:gosec // G501: SQS's own checksum
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/internal/lambda/spill"
)

// Queue is a queue on loopback. It accepts SendMessage in the AWS JSON 1.0 protocol,
// and refuses what SQS refuses.
type Queue struct {
	server *httptest.Server

	mu       sync.Mutex
	refusal  string
	messages []string
}

// Start returns an empty queue that closes when the test ends.
func Start(t testing.TB) *Queue {
	t.Helper()
	q := &Queue{}
	q.server = httptest.NewServer(http.HandlerFunc(q.serve))
	t.Cleanup(q.server.Close)
	return q
}

// Endpoint is the value for AWS_ENDPOINT_URL_SQS.
func (q *Queue) Endpoint() string { return q.server.URL }

// URL is the queue's URL.
func (q *Queue) URL() string { return q.server.URL + "/123456789012/spill" }

// Refuse answers every request from now on with an error code. An empty code ends
// that.
func (q *Queue) Refuse(code string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.refusal = code
}

// Messages returns the bodies of the messages, in order.
func (q *Queue) Messages() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.messages)
}

func (q *Queue) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	var sent struct {
		QueueURL    string `json:"QueueUrl"`
		MessageBody string `json:"MessageBody"`
	}
	err := json.UnmarshalRead(r.Body, &sent)
	q.mu.Lock()
	defer q.mu.Unlock()
	refusal := q.refusal
	switch {
	case refusal != "":
	case err != nil || r.Header.Get("X-Amz-Target") != "AmazonSQS.SendMessage":
		refusal = "InvalidAction"
	case sent.QueueURL != q.URL():
		refusal = "QueueDoesNotExist"
	case sent.MessageBody == "" || len(sent.MessageBody) > spill.MaxMessage:
		refusal = "InvalidParameterValue"
	case strings.ContainsFunc(sent.MessageBody, isRefused):
		refusal = "InvalidMessageContents"
	}
	if refusal != "" {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"__type":"com.amazonaws.sqs#%s","message":"marked-4711: %d bytes"}`, refusal, len(sent.MessageBody))
		return
	}
	q.messages = append(q.messages, sent.MessageBody)
	_ = json.MarshalWrite(w, map[string]string{
		"MessageId":        MessageID(len(q.messages) - 1),
		"MD5OfMessageBody": checksum(sent.MessageBody),
	})
}

// isRefused reports whether SQS refuses a message with this character. See
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html.
func isRefused(r rune) bool {
	return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == '\uFFFE' || r == '\uFFFF'
}

func checksum(body string) string {
	sum := md5.Sum([]byte(body)) //nolint:gosec // G401: SQS's own checksum
	return hex.EncodeToString(sum[:])
}

// MessageID is the id of the message with this index, from 0.
func MessageID(i int) string {
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
}

// Event returns the event in which Lambda passes messages on. See
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html.
func Event(t testing.TB, messages ...string) []byte {
	t.Helper()
	type record struct {
		MessageID         string            `json:"messageId"`
		ReceiptHandle     string            `json:"receiptHandle"`
		Body              string            `json:"body"`
		Attributes        map[string]string `json:"attributes"`
		MessageAttributes struct{}          `json:"messageAttributes"`
		MD5OfBody         string            `json:"md5OfBody"`
		EventSource       string            `json:"eventSource"`
		EventSourceARN    string            `json:"eventSourceARN"`
		AWSRegion         string            `json:"awsRegion"`
	}
	records := make([]record, len(messages))
	for i, body := range messages {
		records[i] = record{
			MessageID:     MessageID(i),
			ReceiptHandle: fmt.Sprintf("receipt-handle-%d", i),
			Body:          body,
			Attributes: map[string]string{
				"ApproximateFirstReceiveTimestamp": "1773327600001",
				"ApproximateReceiveCount":          "1",
				"SenderId":                         "AROAEXAMPLE:ringback-webhook",
				"SentTimestamp":                    "1773327600000",
			},
			MD5OfBody:      checksum(body),
			EventSource:    "aws:sqs",
			EventSourceARN: "arn:aws:sqs:us-east-1:123456789012:ringback-spill",
			AWSRegion:      "us-east-1",
		}
	}
	event, err := json.Marshal(map[string]any{"Records": records}, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		t.Fatal(err)
	}
	return append(event, '\n')
}
