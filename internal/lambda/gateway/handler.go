package gateway

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/timing"
)

// answerTime is what is kept of the function's time to answer in: work that is
// not done by then is given up, and the sender told to come back.
const answerTime = 500 * time.Millisecond

// Handler serves API Gateway's HTTP API.
type Handler struct{ ingest *ingest.Handler }

var _ lambda.Handler = (*Handler)(nil)

// New returns a handler that passes requests to h.
func New(h *ingest.Handler) *Handler { return &Handler{ingest: h} }

// Invoke implements [lambda.Handler]. It returns an error, wrapping
// [ErrEvent], only for what no gateway sends; every fault of a delivery is a
// response.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ctx, cancel := timing.WithMargin(ctx, answerTime)
	defer cancel()
	request, err := ParseRequest(payload)
	if err != nil {
		return nil, err
	}
	return formatResponse(h.ingest.Handle(ctx, request)), nil
}
