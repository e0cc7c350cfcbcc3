package storm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
)

// poster posts to one target.
type poster struct {
	url, signedURL, secret string
	transport              *http.Transport
}

func newPoster(target Target, concurrency int) *poster {
	p := &poster{url: target.URL, signedURL: target.SignedURL, secret: target.SigningSecret, transport: &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		MaxIdleConns:        concurrency,
		MaxIdleConnsPerHost: concurrency,
	}}
	if p.signedURL == "" {
		p.signedURL = p.url
	}
	return p
}

// signature is made for the first try and repeated on all others: no document
// says whether JustCall makes a new one, and the stack must take an old one.
type signature struct{ hex, timestamp string }

// How far from now the times of signatures are that are refused for them. A
// stack may be told to take hours.
const (
	staleBy = -30 * 24 * time.Hour
	earlyBy = 24 * time.Hour
)

// otherSecret is not the target's.
const otherSecret = "not-the-signing-secret"

// sign signs an event of format B.
func (p *poster) sign(typ events.Type, fault SignatureFault, now time.Time) signature {
	if p.secret == "" || fault == SignatureMissing {
		return signature{}
	}
	secret, url := p.secret, p.signedURL
	switch fault {
	case SignatureWrong:
		secret = otherSecret
	case SignatureElsewhere:
		url = webhookURL
	case SignatureStale:
		now = now.Add(staleBy)
	case SignatureEarly:
		now = now.Add(earlyBy)
	case SignatureRight, SignatureMissing:
	}
	timestamp := now.UTC().Format(time.DateTime)
	return signature{hex: events.Sign(secret, url, typ, timestamp), timestamp: timestamp}
}

// delivery makes one try of a delivery. It returns the answer's status, 0 where
// none came.
func (p *poster) delivery(ctx context.Context, d *Delivery, signed signature) (status int, err error) {
	return p.post(ctx, http.MethodPost, p.url, d.Body, signed)
}

// stray makes one try of a stray.
func (p *poster) stray(ctx context.Context, s *Stray, signed signature) (status int, err error) {
	url := p.url
	if s.WrongToken {
		url = withOtherToken(url)
	}
	return p.post(ctx, s.Method, url, s.Body, signed)
}

// withOtherToken returns a webhook's URL with another token, which is what its
// path ends with.
func withOtherToken(url string) string {
	url, query, _ := strings.Cut(url, "?")
	url = strings.TrimSuffix(url, "/")
	url = url[:strings.LastIndexByte(url, '/')+1] + "not-the-token"
	if query != "" {
		url += "?" + query
	}
	return url
}

// postTime bounds one try.
const postTime = 30 * time.Second

func (p *poster) post(ctx context.Context, method, url string, body []byte, signed signature) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, postTime)
	defer cancel()
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, content)
	if err != nil {
		return 0, errors.New("the webhook's URL is not one") // its own error would quote the token
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	if signed.hex != "" {
		req.Header.Set(events.HeaderSignature, signed.hex)
		req.Header.Set(events.HeaderSignatureVersion, events.SignatureVersion)
		req.Header.Set(events.HeaderRequestTimestamp, signed.timestamp)
	}
	// Without a client around it, which would follow redirects: they are no
	// 200, and the token would go wherever they lead.
	resp, err := p.transport.RoundTrip(req)
	if err != nil {
		return 0, fmt.Errorf("post: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	// Read to its end, the connection can be used again.
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0, fmt.Errorf("read answer: %w", err)
	}
	return resp.StatusCode, nil
}
