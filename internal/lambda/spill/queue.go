package spill

import (
	"context"
	"crypto/md5" //nolint:gosec // G501: SQS's own checksum
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/ingest"
)

// API is SQS: an [awsclient.Service].
type API interface {
	Call(ctx context.Context, operation string, request []byte) (answer []byte, err error)
}

// Queue is a [ingest.Spill] into an SQS queue.
type Queue struct {
	client API
	url    string
}

var _ ingest.Spill = (*Queue)(nil)

// NewQueue returns the spill into the queue of that URL.
func NewQueue(client API, url string) *Queue { return &Queue{client: client, url: url} }

var errChanged = errors.New("send message: the queue holds something else")

// Send implements [ingest.Spill]. Its error wraps [ErrTooLarge] or says what
// SQS answered; no text carries content.
func (q *Queue) Send(ctx context.Context, r ingest.Receipt) error {
	body, err := Encode(r)
	if err != nil {
		return err
	}
	request, err := jsontext.AppendQuote([]byte(`{"QueueUrl":`), q.url)
	if err != nil {
		return fmt.Errorf("send message: queue URL: %w", err)
	}
	request, err = jsontext.AppendQuote(append(request, `,"MessageBody":`...), body)
	if err != nil {
		return fmt.Errorf("send message: %w", err)
	}
	answer, err := q.client.Call(ctx, "SendMessage", append(request, '}'))
	if err != nil {
		return fmt.Errorf("send message: %s", awsclient.Describe(err))
	}
	if sum := md5.Sum([]byte(body)); awsclient.Text(answer, "MD5OfMessageBody") != hex.EncodeToString(sum[:]) { //nolint:gosec // G401: SQS's own checksum
		return errChanged
	}
	return nil
}
