package awsclient

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/internal/timing"
)

// API is the interface of an AWS service that takes and gives JSON over HTTP. See
// https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html.
type API struct {
	name        string // in host names and signatures
	target      string // what X-Amz-Target says before the operation
	contentType string
}

// The services that are called in this way.
var (
	DynamoDB       = API{"dynamodb", "DynamoDB_20120810.", "application/x-amz-json-1.0"}
	SecretsManager = API{"secretsmanager", "secretsmanager.", "application/x-amz-json-1.1"}
	SQS            = API{"sqs", "AmazonSQS.", "application/x-amz-json-1.0"}
)

// Service calls the operations of one service. It is what is needed of the SDK's
// client of that service, and nothing more: that one describes the whole of its
// service when a function starts, called or not. It may be used concurrently.
type Service struct {
	// Now tells when a request is signed; NewService sets it, tests replace it.
	Now func() time.Time

	api         API
	url         string
	client      aws.HTTPClient
	credentials aws.CredentialsProvider
	retryer     aws.RetryerV2
	region      string
	signer      *v4.Signer
	skew        atomic.Int64 // what a service's clock is ahead of ours, in nanoseconds
}

// NewService returns the client of a service, with what it uses of an SDK
// client's configuration: region, credentials, the HTTP client, and the endpoint
// where that is not the public one. It tries again as the configuration's retry
// policy says, or [NewRetryer] where there is none.
func NewService(api API, config aws.Config) *Service {
	client := config.HTTPClient
	if client == nil {
		client = NewHTTPClient()
	}
	endpoint := aws.ToString(config.BaseEndpoint)
	if endpoint == "" {
		endpoint = "https://" + api.name + "." + config.Region + "." + domain(config.Region)
	}
	return &Service{
		Now:         time.Now,
		api:         api,
		url:         endpoint,
		client:      client,
		credentials: config.Credentials,
		retryer:     retryer(config),
		region:      config.Region,
		signer:      v4.NewSigner(),
	}
}

// retryer is what the SDK makes of a configuration's policy: one of the older
// interface never has an attempt wait.
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

// domain is the one that the hosts of a region are in. See
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

// Call sends one request and returns the JSON object that the service answers.
// What may pass is tried again. An error that is the service's answer is an
// [*Answer]; of any other, no answer came or none that could be read.
func (s *Service) Call(ctx context.Context, operation string, request []byte) ([]byte, error) {
	release := func(error) error { return nil }
	for attempt := 1; ; attempt++ {
		response, err := s.attempt(ctx, operation, request)
		// What a further attempt took of the quota comes back if it succeeded.
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

// attempt is one of those that the retry policy counts: each that succeeds adds
// to the quota.
func (s *Service) attempt(ctx context.Context, operation string, request []byte) ([]byte, error) {
	release, err := s.retryer.GetAttemptToken(ctx)
	if err != nil {
		return nil, fmt.Errorf("attempt: %w", err)
	}
	response, err := s.CallOnce(ctx, operation, request)
	_ = release(err) // a policy that does not take it back is none of the answer's fault
	return response, err
}

// CallOnce is [Service.Call] without a second attempt.
func (s *Service) CallOnce(ctx context.Context, operation string, request []byte) ([]byte, error) {
	credentials, err := s.credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(request))
	if err != nil {
		return nil, fmt.Errorf("endpoint: %w", err)
	}
	req.Header.Set("Content-Type", s.api.contentType)
	req.Header.Set("User-Agent", "ringback")
	req.Header.Set("X-Amz-Target", s.api.target+operation)
	sum := sha256.Sum256(request)
	now := s.Now().Add(time.Duration(s.skew.Load()))
	if err := s.signer.SignHTTP(ctx, credentials, req, hex.EncodeToString(sum[:]), s.api.name, s.region, now); err != nil {
		return nil, fmt.Errorf("sign request: %w", err)
	}
	resp, body, err := s.exchange(req)
	if err != nil {
		return nil, &sendError{err}
	}
	// What stands in place of an answer, or was cut or changed on the way, says
	// nothing of what was done.
	if !checksum(resp.Header, body) {
		return nil, &sendError{errAnswer}
	}
	if resp.StatusCode != http.StatusOK {
		return nil, s.refused(newAnswer(resp, body), resp.Header, now)
	}
	if jsontext.Value(body).Kind() != '{' || !jsontext.Value(body).IsValid() {
		return nil, &sendError{errAnswer}
	}
	return body, nil
}

// maxSkew is by how much the clocks may differ: services take a signature for five
// minutes.
const maxSkew = 4 * time.Minute

// refused returns the error of an attempt that the service refused. If its clock and
// ours are too far apart for our signatures, the next attempt is signed with its
// time and worth making, as by the SDK.
func (s *Service) refused(answer *Answer, header http.Header, signed time.Time) error {
	switch answer.Code {
	case "InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed", "AuthFailure":
	default:
		return answer
	}
	theirs, err := http.ParseTime(header.Get("Date"))
	if err != nil || theirs.Sub(signed).Abs() < maxSkew {
		return answer
	}
	s.skew.Store(int64(theirs.Sub(s.Now())))
	return &skewError{answer}
}

// skewError is an answer to a signature of another time.
type skewError struct{ *Answer }

func (e *skewError) Unwrap() error { return e.Answer }

// RetryableError tells the retry policy to try again.
func (e *skewError) RetryableError() bool { return true }

// exchange spares a client of ours the care for a stranger's request.
func (s *Service) exchange(req *http.Request) (*http.Response, []byte, error) {
	if client, ok := s.client.(*HTTPClient); ok {
		return client.exchange(req)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // the caller says what was being done
	}
	body, err := readAll(resp)
	return resp, body, err
}

var errAnswer = errors.New("unreadable answer")

// checksum reports whether the body is the one that its checksum was made of, which
// DynamoDB sends with each.
func checksum(h http.Header, body []byte) bool {
	sum := h.Get("X-Amz-Crc32")
	return sum == "" || sum == strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10)
}

// sendError is an attempt without an answer.
type sendError struct{ err error }

func (e *sendError) Error() string { return "send request: " + e.err.Error() }

func (e *sendError) Unwrap() error { return e.err }

// ConnectionError tells the retry policy to try again.
func (e *sendError) ConnectionError() bool { return !errors.Is(e.err, context.Canceled) }
