package awsclient

import (
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

const maxAttempts = 3

// NewRetryer returns the retry policy for all calls to AWS: three attempts, with a
// short pause between them that grows and varies.
func NewRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		// The SDK does not retry these two ways in which SNS throttles.
		o.Retryables = append(o.Retryables,
			retry.RetryableHTTPStatusCode{Codes: map[int]struct{}{http.StatusTooManyRequests: {}}},
			retry.RetryableErrorCode{Codes: map[string]struct{}{"KMSThrottling": {}, "KMSThrottlingException": {}}})
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			step := 50 * time.Millisecond << min(attempt-1, maxAttempts)
			return step/2 + rand.N(step), nil //nolint:gosec // G404: jitter needs no secure randomness
		})
	})
}
