package awsclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/ringback/ringback/internal/rawio"
)

// Time limits of one attempt. A call that makes three attempts to a service that
// does not respond fails within 7 s.
const (
	dialTimeout    = time.Second
	headerTimeout  = 2 * time.Second
	attemptTimeout = 2200 * time.Millisecond

	// idleTimeout is shorter than the time after which a service closes an idle
	// connection.
	idleTimeout = 45 * time.Second

	maxAttempts = 3

	// maxResponse, in bytes, is far above the 1 MB of a page of a query, even as
	// base64 in JSON.
	maxResponse = 16 << 20
)

// HTTPClient sends the requests of AWS SDK clients and of a [Service]. One client
// serves any number of services. It differs from the SDK's own client in five ways:
//   - It buffers bodies. Otherwise one side closes a stream that the other still
//     reads, and the connection cannot be reused.
//   - Every attempt has a time limit.
//   - It speaks HTTP/1.1.
//   - It looks up no proxy.
//   - It parses the root certificates of AWS's own authorities first, and all of the
//     system's only for a server that has another.
type HTTPClient struct {
	limit     time.Duration // of one attempt
	transport *http.Transport
	aws       func() *http.Transport // the same, which trusts AWS's own authorities alone
	others    atomic.Bool            // a server has a certificate of another
}

// NewHTTPClient returns a client with its own connection pool.
func NewHTTPClient() *HTTPClient {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	dialer := &net.Dialer{Timeout: dialTimeout}
	c := &HTTPClient{limit: attemptTimeout, transport: &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err //nolint:wrapcheck // net errors need no context
			}
			return rawio.Conn(conn), nil
		},
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: headerTimeout,
		IdleConnTimeout:       idleTimeout,
		MaxIdleConnsPerHost:   256,
		// DynamoDB's checksum is that of the bytes on the wire.
		DisableCompression: true,
		Protocols:          protocols,
	}}
	c.aws = sync.OnceValue(func() *http.Transport {
		roots := awsRoots(bundles())
		if roots == nil {
			return c.transport
		}
		transport := c.transport.Clone()
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
		return transport
	})
	return c
}

// SetLimit changes how long one attempt may take. Call it before the first request.
func (c *HTTPClient) SetLimit(limit time.Duration) {
	c.limit, c.transport.ResponseHeaderTimeout = limit, limit
}

// Do sends a request and returns its response with the whole body buffered. It
// follows no redirects.
func (c *HTTPClient) Do(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), c.limit)
	defer cancel()
	req = req.WithContext(ctx)
	if err := bufferBody(req); err != nil {
		return nil, err
	}
	resp, err := c.roundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := readAll(resp)
	if err != nil {
		return nil, fmt.Errorf("read response: %w", err)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// roundTrip sends a request, once more if the server's certificate is not one of AWS's
// own authorities: nothing has been sent to it then.
//
//nolint:wrapcheck // Do's caller says what it was doing
func (c *HTTPClient) roundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" || c.others.Load() {
		return c.transport.RoundTrip(req)
	}
	resp, err := c.aws().RoundTrip(req)
	if !errors.As(err, new(x509.UnknownAuthorityError)) {
		return resp, err
	}
	c.others.Store(true)
	if req.GetBody != nil {
		if req.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
	}
	return c.transport.RoundTrip(req)
}

// bufferBody makes the body of req one that net/http can send again, unless it
// already is.
func bufferBody(req *http.Request) error {
	if req.Body == nil || req.Body == http.NoBody || req.GetBody != nil {
		return nil
	}
	var buf bytes.Buffer
	if req.ContentLength > 0 {
		// ReadFrom needs this much spare room to see the end of the body.
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

// NewRetryer returns the retry policy for all calls of AWS: three attempts, with a
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
