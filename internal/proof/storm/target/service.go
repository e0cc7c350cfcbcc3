package target

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ringback/ringback/internal/awsclient"
)

// Why a service of AWS has not done what it was asked for, beside the errors of
// [Open], where it is one of these.
var (
	// ErrDenied says that the credentials have not the right to it.
	ErrDenied = errors.New("access denied")
	// ErrSilent says that no answer came.
	ErrSilent = errors.New("no answer")
)

// checkTime bounds what is asked before anything is made: whoever waits for it
// sees nothing.
const checkTime = 20 * time.Second

// serviceError is what a service answered, and why as far as we know.
type serviceError struct {
	text   string
	reason error
}

func (e *serviceError) Error() string { return e.text }
func (e *serviceError) Unwrap() error { return e.reason }

// explain turns an error of the SDK into one that carries nothing of what was
// sent. It wraps [ErrDenied] or [ErrSilent] where it is that.
func explain(err error) error {
	explained := &serviceError{text: awsclient.SafeMessage(err)}
	var answer smithy.APIError
	var unsent *smithyhttp.RequestSendError
	switch {
	case errors.As(err, &answer):
		if strings.Contains(answer.ErrorCode(), "AccessDenied") || strings.HasPrefix(answer.ErrorCode(), "AuthorizationError") {
			explained.reason = ErrDenied
		}
	case errors.Is(err, context.DeadlineExceeded):
		explained.reason = ErrSilent
		explained.text = "no answer in time: " + explained.text
	case errors.As(err, &unsent):
		explained.reason = ErrSilent
	}
	return explained
}
