package spill

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

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
	var answer smithy.APIError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &answer):
		// The answer's text may quote the message.
		return fmt.Errorf("send message: %s (%s)", answer.ErrorCode(), describe(err))
	}
	return fmt.Errorf("send message: %w", err)
}

// describe tells of an answer what a person needs to look into it.
func describe(err error) string {
	var response interface {
		HTTPStatusCode() int
		ServiceRequestID() string
	}
	if !errors.As(err, &response) {
		return "no response"
	}
	return fmt.Sprintf("status %d, request %q", response.HTTPStatusCode(), response.ServiceRequestID())
}
