package gateway

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/timing"
)

// answerTime is how long before Lambda's deadline the handler stops working, so
// that it can still tell the sender to retry.
const answerTime = 500 * time.Millisecond

// Handler serves API Gateway's HTTP API.
type Handler struct{ ingest *ingest.Handler }

var _ lambda.Handler = (*Handler)(nil)

// New returns a handler that passes requests to h.
func New(h *ingest.Handler) *Handler { return &Handler{ingest: h} }

// Invoke implements [lambda.Handler]. It returns an error, wrapping [ErrEvent],
// only for an event that API Gateway never sends. Whatever is wrong with a
// delivery, it answers with a response.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ctx, cancel := timing.WithMargin(ctx, answerTime)
	defer cancel()
	request, err := ParseRequest(payload)
	if err != nil {
		return nil, err
	}
	return formatResponse(h.ingest.Handle(ctx, request)), nil
}
