package awsclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/internal/timing"
)

// ServiceSpec describes an AWS service that speaks JSON over HTTP. See
// https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html.
type ServiceSpec struct {
	name        string // in host names and signatures
	target      string // the prefix of the operation in X-Amz-Target
	contentType string
}

// The services that a [Service] can call.
var (
	DynamoDB       = ServiceSpec{"dynamodb", "DynamoDB_20120810.", "application/x-amz-json-1.0"}
	SecretsManager = ServiceSpec{"secretsmanager", "secretsmanager.", "application/x-amz-json-1.1"}
	SQS            = ServiceSpec{"sqs", "AmazonSQS.", "application/x-amz-json-1.0"}
)

// Service calls the operations of one AWS service. It replaces the SDK's client,
// which adds start-up work and about half of the allocations. It may be used
// concurrently.
type Service struct {
	// Now returns the time to sign a request with. NewService sets it; tests
	// replace it.
	Now func() time.Time

	spec        ServiceSpec
	url         string
	client      aws.HTTPClient
	credentials aws.CredentialsProvider
	retryer     aws.RetryerV2
	signer      signer
	skew        atomic.Int64 // how far the service's clock is ahead of ours, in nanoseconds
}

// NewService returns a client of a service. Of the configuration it uses the
// region, the credentials, the HTTP client, the endpoint and the retry policy. The
// defaults are [NewHTTPClient], the public endpoint and [NewRetryer].
func NewService(spec ServiceSpec, config aws.Config) *Service {
	client := config.HTTPClient
	if client == nil {
		client = NewHTTPClient()
	}
	endpoint := aws.ToString(config.BaseEndpoint)
	if endpoint == "" {
		endpoint = "https://" + spec.name + "." + config.Region + "." + domain(config.Region)
	}
	return &Service{
		Now:         time.Now,
		spec:        spec,
		url:         endpoint,
		client:      client,
		credentials: config.Credentials,
		retryer:     retryer(config),
		signer:      signer{region: config.Region, service: spec.name},
	}
}

// retryer returns a configuration's retry policy as the SDK would use it. A policy
// with the older interface never delays an attempt.
func retryer(config aws.Config) aws.RetryerV2 {
	policy := NewRetryer()
	if config.Retryer != nil {
		policy = config.Retryer()
	}
	if v2, ok := policy.(aws.RetryerV2); ok {
		return v2
	}
	return unlimited{policy}
}

type unlimited struct{ aws.Retryer }

func (u unlimited) GetAttemptToken(context.Context) (func(error) error, error) {
	return u.GetInitialToken(), nil
}

// domain returns the domain of a region's endpoints. See
// https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html.
func domain(region string) string {
	for _, partition := range [...]struct{ prefix, domain string }{
		{"cn-", "amazonaws.com.cn"},
		{"eu-isoe-", "cloud.adc-e.uk"},
		{"eusc-", "amazonaws.eu"},
		{"us-iso-", "c2s.ic.gov"},
		{"us-isob-", "sc2s.sgov.gov"},
		{"us-isof-", "csp.hci.ic.gov"},
	} {
		if strings.HasPrefix(region, partition.prefix) {
			return partition.domain
		}
	}
	return "amazonaws.com"
}

// Call sends a request and returns the JSON object that the service responds with.
// It retries as the retry policy says. A service's error response is an
// [*APIError]; any other error means that no readable response came.
func (s *Service) Call(ctx context.Context, operation string, request []byte) ([]byte, error) {
	release := func(error) error { return nil }
	for attempt := 1; ; attempt++ {
		response, err := s.attempt(ctx, operation, request)
		// A retry that succeeded returns its tokens to the quota.
		_ = release(err)
		if err == nil || ctx.Err() != nil || attempt == s.retryer.MaxAttempts() || !s.retryer.IsErrorRetryable(err) {
			return response, err
		}
		var quotaErr error
		if release, quotaErr = s.retryer.GetRetryToken(ctx, err); quotaErr != nil {
			return nil, fmt.Errorf("%w (%w)", err, quotaErr)
		}
		pause, delayErr := s.retryer.RetryDelay(attempt, err)
		if delayErr != nil || !timing.Sleep(ctx, pause) {
			return nil, err
		}
	}
}

// attempt makes one call under the retry policy, whose quota grows with each one
// that succeeds.
func (s *Service) attempt(ctx context.Context, operation string, request []byte) ([]byte, error) {
	release, err := s.retryer.GetAttemptToken(ctx)
	if err != nil {
		return nil, fmt.Errorf("attempt: %w", err)
	}
	response, err := s.CallOnce(ctx, operation, request)
	_ = release(err) // a failure of the policy does not change the response
	return response, err
}

// CallOnce is [Service.Call] without retries.
func (s *Service) CallOnce(ctx context.Context, operation string, request []byte) ([]byte, error) {
	credentials, err := s.credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(request))
	if err != nil {
		return nil, fmt.Errorf("endpoint: %w", err)
	}
	req.Header.Set("Content-Type", s.spec.contentType)
	req.Header.Set("X-Amz-Target", s.spec.target+operation)
	now := s.Now().Add(time.Duration(s.skew.Load()))
	s.signer.sign(req, request, credentials, now)
	req.Header.Set("User-Agent", "ringback")
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, &sendError{err}
	}
	body, err := readAll(resp)
	if err != nil {
		return nil, &sendError{err}
	}
	// A response that was truncated, changed on the way, or sent by something else
	// does not say what the service did.
	// guard 1 dynamo: if false {
	if !checksum(resp.Header, body) {
		return nil, &sendError{errResponse}
	}
	if resp.StatusCode != http.StatusOK {
		return nil, s.refused(newAPIError(resp, body), resp.Header, now)
	}
	// guard 1 dynamo: if jsontext.Value(body).Kind() == 'x' {
	if jsontext.Value(body).Kind() != '{' || !jsontext.Value(body).IsValid() {
		return nil, &sendError{errResponse}
	}
	return body, nil
}

// maxSkew is how far apart the clocks may be: services accept a signature for five
// minutes.
const maxSkew = 4 * time.Minute

// refused returns the error for an error response. If the service rejected the
// signature and its clock is far from ours, we adopt its time for the next attempt
// and make the error retryable, as the SDK does.
func (s *Service) refused(apiErr *APIError, header http.Header, signed time.Time) error {
	switch apiErr.Code {
	case "InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed", "AuthFailure":
	default:
		return apiErr
	}
	theirs, err := http.ParseTime(header.Get("Date"))
	if err != nil || theirs.Sub(signed).Abs() < maxSkew {
		return apiErr
	}
	s.skew.Store(int64(theirs.Sub(s.Now())))
	return &skewError{apiErr}
}

// skewError is the response to a request that was signed with the wrong time.
type skewError struct{ *APIError }

func (e *skewError) Unwrap() error { return e.APIError }

// RetryableError makes the retry policy try again.
func (e *skewError) RetryableError() bool { return true }

var errResponse = errors.New("unreadable response")

// checksum reports whether the body matches the checksum that DynamoDB sends with
// every response.
func checksum(h http.Header, body []byte) bool {
	text := h.Get("X-Amz-Crc32")
	if text == "" {
		return true // other services send none
	}
	sum, err := strconv.ParseUint(text, 10, 32)
	return err == nil && uint32(sum) == crc32.ChecksumIEEE(body)
}

// sendError is the error of an attempt that got no readable response.
type sendError struct{ err error }

func (e *sendError) Error() string { return "send request: " + e.err.Error() }

func (e *sendError) Unwrap() error { return e.err }

// ConnectionError makes the retry policy try again.
func (e *sendError) ConnectionError() bool { return !errors.Is(e.err, context.Canceled) }
