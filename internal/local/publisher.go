package local

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/ringback/ringback/internal/alert"
)

const (
	// forwardTime is how long the receiver of an alert may take to answer.
	forwardTime = 10 * time.Second
	// lastForwardTime is what is left to it and to those that are next once the
	// stack is being closed.
	lastForwardTime = 3 * time.Second
	// maxAnswer is how much of an answer is read, in bytes, so that the
	// connection can be used again.
	maxAnswer = 64 << 10
)

const (
	// HeaderAlertID is the header of a forwarded alert that has its id, which is
	// the same each time it is sent.
	HeaderAlertID = "Ringback-Alert-Id"
	// headerPrefix begins the headers of its attributes: agent_id stands in
	// Ringback-Agent-Id.
	headerPrefix = "Ringback-"
)

// errForward says that the receiver did not take an alert. Its texts do not name
// the receiver: any part of a URL may be a secret.
var errForward = errors.New("not forwarded")

// publisher forwards alerts to a URL, where there is one, and prints them, where
// there is a writer. It prints last, so that an alert that the receiver does not
// take is printed once, when it does.
type publisher struct {
	out    io.Writer // nil: nothing is printed
	url    string    // "": nothing is forwarded
	client *http.Client

	sending context.Context // ends when nothing more is to be sent
	giveUp  context.CancelFunc
}

var _ alert.Publisher = (*publisher)(nil)

// newPublisher returns the publisher of a configuration.
func newPublisher(c Config) (*publisher, error) {
	if c.ForwardURL != "" {
		u, err := url.Parse(c.ForwardURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, errors.New("forward: not an HTTP URL") // which stays out of the error
		}
	}
	p := &publisher{
		out: c.Alerts,
		url: c.ForwardURL,
		client: &http.Client{
			Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true},
			Timeout:   cmp.Or(c.ForwardTime, forwardTime),
			// An alert goes where the user said, and nowhere else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	p.sending, p.giveUp = context.WithCancel(context.Background())
	return p, nil
}

// close leaves a little time to what is under way, until done is closed, and
// gives up what is not sent by then.
func (p *publisher) close(done <-chan struct{}) {
	late := time.AfterFunc(lastForwardTime, p.giveUp)
	<-done
	late.Stop()
	p.giveUp()
	p.client.CloseIdleConnections()
}

// Publish implements [alert.Publisher].
func (p *publisher) Publish(_ context.Context, messages []alert.Message) []error {
	errs := make([]error, len(messages))
	for i, m := range messages {
		if p.url != "" {
			if errs[i] = p.forward(m); errs[i] != nil {
				continue
			}
		}
		// What was forwarded must not come again for the sake of a terminal.
		if err := p.print(m); err != nil && p.url == "" {
			errs[i] = fmt.Errorf("print alert: %w", err)
		}
	}
	return errs
}

// print writes an alert as a block for a person to read.
func (p *publisher) print(m alert.Message) error {
	if p.out == nil {
		return nil
	}
	var block strings.Builder
	mark := "▶ "
	for line := range strings.Lines(m.Email) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		block.WriteString(mark + line)
		mark = "  "
	}
	block.WriteByte('\n')
	_, err := io.WriteString(p.out, block.String())
	return err
}

// forward posts an alert's document. Only an answer of 200 to 299 says that it
// was taken.
func (p *publisher) forward(m alert.Message) error {
	req, err := http.NewRequestWithContext(p.sending, http.MethodPost, p.url, bytes.NewReader(m.Document))
	if err != nil {
		return fmt.Errorf("%w: not an HTTP URL", errForward)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "ringback")
	req.Header.Set(HeaderAlertID, headerText(m.ID))
	for name, value := range m.Attributes {
		req.Header.Set(headerPrefix+strings.ReplaceAll(name, "_", "-"), headerText(value))
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %s", errForward, cause(err))
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)) // the status says it all
	_ = resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("%w: answered %d", errForward, resp.StatusCode)
	}
	return nil
}

// headerText makes of a text one that a header can have.
func headerText(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

// cause says why there was no answer, without the URL, host and address that
// the errors of net/http have in their texts.
func cause(err error) string {
	var (
		host        *net.DNSError
		certificate *tls.CertificateVerificationError
		number      syscall.Errno
		limit       net.Error
	)
	switch {
	case errors.Is(err, context.Canceled):
		return errStopped.Error()
	case errors.As(err, &limit) && limit.Timeout():
		return "no answer in time"
	case errors.As(err, &host):
		return "host not found"
	case errors.As(err, &certificate):
		return "certificate not accepted"
	case errors.As(err, &number):
		return number.Error()
	}
	return "no answer"
}
