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
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unicode"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
)

const (
	// forwardTime is how long a receiver may take to answer.
	forwardTime = 10 * time.Second
	// maxAnswer is how much of an answer is read, in bytes, so that the connection
	// can be reused.
	maxAnswer = 64 << 10
)

const (
	// HeaderAlertID is the header with a forwarded alert's ID, which is the same
	// each time it is sent.
	HeaderAlertID = "Ringback-Alert-Id"
	// headerPrefix begins the headers of its attributes, as in Ringback-Agent-Id for
	// agent_id.
	headerPrefix = "Ringback-"
)

var (
	// errForward means that the receiver did not accept an alert. Its text does not
	// name the receiver: any part of a URL may be a secret.
	errForward = errors.New("not forwarded")
	errStopped = errors.New("the alerts are stopped")
)

// publisher prints alerts and forwards them to a URL. It prints first and only
// once: people at the terminal must not wait for a receiver that fails.
type publisher struct {
	out    io.Writer // nil: nothing is printed
	url    string    // "": nothing is forwarded
	client *http.Client
	brief  bool            // one line for each alert
	held   map[string]bool // by ID: alerts that wait for a receiver, which this run has not

	sending context.Context // ends when forwarding stops
	cancel  context.CancelFunc

	printing atomic.Bool // a Write to out is under way
	mu       sync.Mutex
	printed  map[string]bool // by name: alerts that are printed but not accepted yet
}

var _ alert.Publisher = (*publisher)(nil)

func newPublisher(c Config) (*publisher, error) {
	if c.ForwardURL != "" {
		u, err := url.Parse(c.ForwardURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, errors.New("forward: not an HTTP URL") // without the URL, which may hold a token
		}
	}
	p := &publisher{
		out:   c.Alerts,
		url:   c.ForwardURL,
		brief: c.Brief,
		client: &http.Client{
			Transport: &http.Transport{
				Proxy:               http.ProxyFromEnvironment,
				ForceAttemptHTTP2:   true,
				MaxIdleConnsPerHost: Unmarked, // as many as may be under way
			},
			Timeout: cmp.Or(c.ForwardTime, forwardTime),
			// An alert goes nowhere but to the user's URL.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		printed: make(map[string]bool),
	}
	p.sending, p.cancel = context.WithCancel(context.Background())
	return p, nil
}

// stop postpones what is not forwarded yet. It may be called again.
func (p *publisher) stop() {
	p.cancel()
	p.client.CloseIdleConnections()
}

// Publish implements [alert.Publisher]. It forwards the alerts of different calls
// side by side, so that one without an answer does not delay the others.
func (p *publisher) Publish(_ context.Context, messages []alert.Message) []error {
	errs := make([]error, len(messages))
	calls := make(map[string][]int)
	for i, m := range messages {
		// guard 2 local: if false {
		if p.held[m.ID] {
			errs[i] = fmt.Errorf("%w: it waits for its receiver", alert.ErrPostponed)
			continue
		}
		// A forwarded alert must not be repeated because printing failed.
		if err := p.print(m); err != nil && p.url == "" {
			errs[i] = fmt.Errorf("print alert: %w", err)
		}
		calls[m.Call] = append(calls[m.Call], i)
	}
	if p.url == "" {
		return errs
	}
	var all sync.WaitGroup
	for _, of := range calls {
		all.Go(func() {
			for _, i := range of {
				errs[i] = p.forward(messages[i])
			}
		})
	}
	all.Wait()
	p.forget(messages, errs)
	return errs
}

// forget forgets the printed alerts that were accepted: they do not come again.
func (p *publisher) forget(messages []alert.Message, errs []error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, m := range messages {
		if errs[i] == nil {
			delete(p.printed, nameOf(m))
		}
	}
}

// nameOf distinguishes the messages about one alert.
func nameOf(m alert.Message) string { return string(m.Kind) + " " + m.ID }

// print writes an alert as a block of text for people, or as one line, unless it is
// printed already. What is for programs only is not printed.
func (p *publisher) print(m alert.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil || p.printed[nameOf(m)] || m.Kind == events.KindReturned {
		return nil
	}
	text := block(m)
	if p.brief {
		text = alertMark + m.SMS + "\n"
	}
	p.printing.Store(true)
	_, err := io.WriteString(p.out, text)
	p.printing.Store(false)
	if err == nil && p.url != "" {
		p.printed[nameOf(m)] = true // until it is accepted
	}
	return err
}

const alertMark = "▶ "

// block returns an alert's text with an empty line behind it.
func block(m alert.Message) string {
	var block strings.Builder
	mark := alertMark
	for line := range strings.Lines(m.Email) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		block.WriteString(mark + line)
		mark = "  "
	}
	block.WriteByte('\n')
	return block.String()
}

// forward posts an alert's document. Only statuses 200 to 299 accept it.
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
		if errors.Is(err, context.Canceled) {
			return fmt.Errorf("%w: %w", alert.ErrPostponed, errStopped)
		}
		return fmt.Errorf("%w: %s", errForward, cause(err))
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)) // only the status counts
	_ = resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("%w: answered %d", errForward, resp.StatusCode)
	}
	return nil
}

// headerText replaces what a header must not hold.
func headerText(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

// cause says why there was no answer. Unlike the errors of net/http, it has no
// URL, host or address in it.
func cause(err error) string {
	var (
		host        *net.DNSError
		certificate *tls.CertificateVerificationError
		number      syscall.Errno
		limit       net.Error
	)
	switch {
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
