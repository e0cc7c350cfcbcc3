package awsclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// Time limits of one attempt. With three of them and the pauses between, a
// service that does not answer fails a call within 7 s.
const (
	dialTimeout     = time.Second
	headerTimeout   = 2 * time.Second
	exchangeTimeout = 2200 * time.Millisecond

	// idleTimeout is below the time after which the service itself closes an
	// idle connection.
	idleTimeout = 45 * time.Second

	maxAttempts = 3

	// maxResponse is far above the 1 MB of a page, as JSON and base64.
	maxResponse = 16 << 20
)

// HTTPClient sends the requests of AWS SDK clients, and of a [Service]. It differs
// from the SDK's own in four ways: bodies are sent and received as bytes, so that neither side
// closes a stream that the other still reads, and kept-alive connections
// survive; every attempt has a time limit; it speaks HTTP/1.1; and it looks up
// no proxy. One client serves any number of services.
type HTTPClient struct {
	transport *http.Transport
}

// NewHTTPClient returns a client with its own connection pool.
func NewHTTPClient() *HTTPClient {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	dialer := &net.Dialer{Timeout: dialTimeout}
	return &HTTPClient{transport: &http.Transport{
		DialContext:           dialer.DialContext,
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: headerTimeout,
		IdleConnTimeout:       idleTimeout,
		MaxIdleConnsPerHost:   256,
		// DynamoDB's checksum is of the bytes as they come.
		DisableCompression: true,
		Protocols:          protocols,
	}}
}

// Do sends a request and returns its response with the whole body read. It
// follows no redirects.
func (c *HTTPClient) Do(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), exchangeTimeout)
	defer cancel()
	sent := req.WithContext(ctx)
	if err := bufferBody(sent); err != nil {
		return nil, err
	}

	resp, body, err := c.exchange(sent)
	if err != nil {
		return nil, err // the caller adds what was being done
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// exchange sends a request whose body can be sent again, and reads the whole
// response.
func (c *HTTPClient) exchange(req *http.Request) (*http.Response, []byte, error) {
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // the caller says what was being done
	}
	body, err := readAll(resp)
	if err != nil {
		return nil, nil, fmt.Errorf("read response: %w", err)
	}
	return resp, body, nil
}

// bufferBody replaces the body of req by one that can be sent again.
func bufferBody(req *http.Request) error {
	if req.Body == nil || req.Body == http.NoBody {
		return nil
	}
	var buf bytes.Buffer
	if req.ContentLength > 0 {
		// ReadFrom wants this much room left to see the end of the body.
		buf.Grow(int(req.ContentLength) + bytes.MinRead)
	}
	_, err := buf.ReadFrom(req.Body)
	if err = errors.Join(err, req.Body.Close()); err != nil {
		return fmt.Errorf("read request: %w", err)
	}
	body := buf.Bytes()
	req.ContentLength = int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(body)), nil
	}
	req.Body, err = req.GetBody()
	return err
}

var errResponseSize = errors.New("response too large")

func readAll(resp *http.Response) ([]byte, error) {
	var buf bytes.Buffer
	if n := resp.ContentLength; n > 0 && n <= maxResponse {
		buf.Grow(int(n) + bytes.MinRead)
	}
	n, err := buf.ReadFrom(io.LimitReader(resp.Body, maxResponse+1))
	if err == nil && n > maxResponse {
		err = errResponseSize
	}
	return buf.Bytes(), errors.Join(err, resp.Body.Close())
}

// NewRetryer returns the retry policy of the program's calls of AWS: three
// attempts, with a short pause that grows and varies.
func NewRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		// SNS throttles in two ways of its own, which the SDK takes for final.
		o.Retryables = append(o.Retryables,
			retry.RetryableHTTPStatusCode{Codes: map[int]struct{}{http.StatusTooManyRequests: {}}},
			retry.RetryableErrorCode{Codes: map[string]struct{}{"KMSThrottling": {}, "KMSThrottlingException": {}}})
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			step := 50 * time.Millisecond << min(attempt-1, maxAttempts)
			return step/2 + rand.N(step), nil //nolint:gosec // G404: spreads load, guards nothing
		})
	})
}
