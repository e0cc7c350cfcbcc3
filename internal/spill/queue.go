package spill

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/ingest"
)

// API is the part of [sqs.Client] that the queue uses.
type API interface {
	SendMessage(context.Context, *sqs.SendMessageInput, ...func(*sqs.Options)) (*sqs.SendMessageOutput, error)
}

// Queue is a [ingest.Spill] into an SQS queue.
type Queue struct {
	client API
	url    string
}

var _ ingest.Spill = (*Queue)(nil)

// NewQueue returns the spill into the queue of that URL.
func NewQueue(client API, url string) *Queue { return &Queue{client: client, url: url} }

// Send implements [ingest.Spill]. Its error wraps [ErrTooLarge] or says what
// SQS answered; no text carries content.
func (q *Queue) Send(ctx context.Context, r ingest.Receipt) error {
	body, err := Encode(r)
	if err != nil {
		return err
	}
	_, err = q.client.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl:    aws.String(q.url),
		MessageBody: aws.String(body),
	})
	if err != nil {
		return fmt.Errorf("send message: %s", awsclient.Describe(err))
	}
	return nil
}
