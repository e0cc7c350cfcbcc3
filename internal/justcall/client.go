package justcall

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// DefaultURL is where the API is.
const DefaultURL = "https://api.justcall.io"

const (
	// attemptTime limits one attempt. JustCall's own clients wait as long.
	attemptTime = time.Minute
	// maxTries is how often a request is made before it counts as failed.
	maxTries = 5
	// maxResponse, in bytes, is far above a page of 500 contacts.
	maxResponse = 32 << 20
)

// Client calls the API for one account. It may be used concurrently.
type Client struct {
	// Now returns the time. New sets it; tests replace it.
	Now func() time.Time

	url string
	// authorize is a function, because package fmt prints fields.
	authorize func(http.Header)
	http      *http.Client
	limiter   *limiter
}

// New returns a client. The error wraps [ErrCredentials] if the credentials cannot be
// right. Without a transport, net/http's own sends the requests. Without a URL it is
// [DefaultURL].
func New(credentials Credentials, limits Limits, baseURL string, transport http.RoundTripper) (*Client, error) {
	if err := credentials.check(); err != nil {
		return nil, err
	}
	c := &Client{
		Now: time.Now,
		url: strings.TrimRight(cmp.Or(baseURL, DefaultURL), "/"),
		// JustCall wants no scheme, and no base64.
		authorize: func(h http.Header) { h.Set("Authorization", credentials.Key+":"+credentials.Secret) },
		http: &http.Client{
			Transport: transport,
			Timeout:   attemptTime,
			// guard 8 justcall: CheckRedirect: nil,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	if u, err := url.Parse(c.url); err != nil || u.Host == "" {
		return nil, errors.New("the address of JustCall's API is no URL") // err would quote it
	}
	c.limiter = newLimiter(limits, func() time.Time { return c.Now() })
	return c, nil
}

// Ahead returns by how much JustCall's clock was ahead of ours at the last response.
func (c *Client) Ahead() time.Duration {
	c.limiter.mu.Lock()
	defer c.limiter.mu.Unlock()
	return c.limiter.ahead
}

// operation is one of the API's.
type operation struct {
	name         string // for errors, such as "list calls"
	method, path string
}

// mayRepeat reports whether to make a request again that was refused or, if failure is
// nil, got no readable response. What changes something is repeated only if it was not
// done.
func (op operation) mayRepeat(failure *Error) bool {
	switch {
	case failure != nil && failure.Status == http.StatusTooManyRequests:
		return true
	case op.method != http.MethodGet:
		return false
	}
	return failure == nil || isTemporary(failure.Status)
}

// call makes a request and returns the object that JustCall responds with. It retries
// what may succeed later, unless the request changes something and may have done so.
func (c *Client) call(ctx context.Context, op operation, query url.Values, body any) (jsontext.Value, error) {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.Multiplier, pauses.MaxInterval = time.Second, 2, 30*time.Second
	object, err := backoff.Retry(ctx, func() (jsontext.Value, error) {
		if err := c.limiter.take(ctx); err != nil {
			return nil, backoff.Permanent(err)
		}
		object, err := c.attempt(ctx, op, query, body)
		failure := (*Error)(nil)
		errors.As(err, &failure)
		if err != nil && !op.mayRepeat(failure) {
			err = backoff.Permanent(err)
		}
		return object, err
	}, backoff.WithBackOff(pauses), backoff.WithMaxTries(maxTries), backoff.WithMaxElapsedTime(0))
	failure := (*Error)(nil)
	switch {
	case err == nil:
		return object, nil
	case errors.As(err, &failure):
		return nil, failure
	}
	return nil, fmt.Errorf("JustCall: %s: %w", op.name, err)
}

// attempt makes a request once.
func (c *Client) attempt(ctx context.Context, op operation, query url.Values, body any) (jsontext.Value, error) {
	address := c.url + op.path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encode: %w", err)
		}
		content = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, op.method, address, content)
	if err != nil {
		return nil, fmt.Errorf("request: %w", withoutURL(err))
	}
	req.Header.Set("Accept", "application/json")
	c.authorize(req.Header)
	req.Header.Set("User-Agent", "ringback")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("no response: %w", withoutURL(err))
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	c.limiter.learn(resp.StatusCode, resp.Header)
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse))
	if err != nil {
		return nil, fmt.Errorf("half a response: %w", withoutURL(err))
	}
	if resp.StatusCode != http.StatusOK {
		return nil, &Error{op.name, resp.StatusCode, string(uuid.Find(text))}
	}
	object := jsontext.Value(bytes.TrimPrefix(text, []byte("\ufeff")))
	// guard 12 justcall: _ = lenient; if false {
	if object.Kind() != '{' || !object.IsValid(lenient) {
		return nil, ErrResponse
	}
	switch strings.ToLower(newRow(object).text("status")) {
	case "failed", "error":
		return nil, &Error{op.name, resp.StatusCode, string(uuid.Find(text))}
	}
	return object, nil
}

// withoutURL returns the cause of an error of net/http, which quotes the URL.
func withoutURL(err error) error {
	if e := (*url.Error)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}
