package spill

import (
	"context"
	"crypto/md5" //nolint:gosec // G501: SQS's own checksum
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/ingest"
)

// Caller calls SQS; [awsclient.Service] is one.
type Caller interface {
	Call(ctx context.Context, operation string, request []byte) (response []byte, err error)
}

// Queue is an [ingest.Spill] into an SQS queue.
type Queue struct {
	client Caller
	url    string
}

var _ ingest.Spill = (*Queue)(nil)

// NewQueue returns the spill into the queue of that URL.
func NewQueue(client Caller, url string) *Queue { return &Queue{client: client, url: url} }

var errChecksum = errors.New("send message: the queue holds something else")

// sendMessage is a request to send one message. See
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html.
type sendMessage struct {
	QueueURL     string `json:"QueueUrl"`
	MessageBody  string
	DelaySeconds int `json:"DelaySeconds,omitzero"`
}

// messageSent has the member of the response that we read.
type messageSent struct{ MD5OfMessageBody string }

// Send implements [ingest.Spill]. Its error wraps [ErrTooLarge] or says what
// SQS answered; no text carries content.
func (q *Queue) Send(ctx context.Context, r ingest.Received) error {
	return q.SendLater(ctx, r, 0)
}

// SendLater is [Queue.Send] of a delivery that stays in the queue for some time, at most
// 15 minutes.
func (q *Queue) SendLater(ctx context.Context, r ingest.Received, wait time.Duration) error {
	body, err := Encode(r)
	if err != nil {
		return err
	}
	request, err := json.Marshal(sendMessage{QueueURL: q.url, MessageBody: body, DelaySeconds: int(wait / time.Second)})
	if err != nil {
		return errors.New("send message: queue URL or body is not UTF-8") // err may quote it
	}
	response, err := q.client.Call(ctx, "SendMessage", request)
	if err != nil {
		// guard 1 webhook e2e (Answers503WhenTheQueue|200Means|WithTheQueue): _ = fmt.Errorf("send message: %s", awsclient.SafeMessage(err)); return nil
		return fmt.Errorf("send message: %s", awsclient.SafeMessage(err))
	}
	var sent messageSent
	sum := md5.Sum([]byte(body)) //nolint:gosec // G401: SQS's own checksum
	// guard 1: if err := json.Unmarshal(response, &sent); err != nil || hex.EncodeToString(sum[:]) == "" {
	if err := json.Unmarshal(response, &sent); err != nil || sent.MD5OfMessageBody != hex.EncodeToString(sum[:]) {
		return errChecksum
	}
	return nil
}
