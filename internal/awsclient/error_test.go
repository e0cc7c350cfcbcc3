package awsclient_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ringback/ringback/internal/awsclient"
)

// Errors are logged, and many messages quote the request.
func TestSafeMessageHasNothingOfTheRequest(t *testing.T) {
	t.Parallel()
	answered := func(status int, code string) error {
		return fmt.Errorf("operation error: %w", &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}},
			Err:      &smithy.GenericAPIError{Code: code, Message: "MESSAGE"},
		})
	}
	for _, tc := range []struct {
		name string
		err  error
		want string
		told bool
	}{
		{"a message that is refused for what is in it", answered(400, "InvalidParameter"), "InvalidParameter (status 400", false},
		{"throttling", answered(429, "Throttled"), "Throttled (status 429", false},
		{"a code that nobody knows", answered(500, "Odd"), "Odd (status 500", false},
		{"DynamoDB denies", answered(400, "AccessDeniedException"), "AccessDeniedException: MESSAGE (status 400", true},
		{"SNS denies", answered(403, "AuthorizationError"), "AuthorizationError: MESSAGE", true},
		{"SNS denies the key", answered(400, "KMSAccessDenied"), "KMSAccessDenied: MESSAGE", true},
		{"no such topic", answered(404, "NotFound"), "NotFound: MESSAGE", true},
		{"no such queue", answered(400, "AWS.SimpleQueueService.NonExistentQueue"), "NonExistentQueue: MESSAGE", true},
		{"nobody answers", context.DeadlineExceeded, context.DeadlineExceeded.Error(), false},
		{"something else", errors.New("cut"), "cut", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := awsclient.SafeMessage(tc.err)
			if !strings.Contains(got, tc.want) || strings.Contains(got, "MESSAGE") != tc.told {
				t.Errorf("got %q, want %q in it", got, tc.want)
			}
		})
	}
}
