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
	// lastPrintTime is what is left after that, to print and to mark.
	lastPrintTime = 2 * time.Second
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

// errStuck says that the stack could not end its work.
var errStuck = errors.New("still busy, maybe with printing to what nobody reads")

// publisher prints alerts, where there is a writer, and forwards them to a URL,
// where there is one. It prints first, and once: whoever sits at the terminal is
// not to wait for a receiver that fails.
type publisher struct {
	out    io.Writer // nil: nothing is printed
	url    string    // "": nothing is forwarded
	client *http.Client

	sending context.Context // ends when nothing more is to be sent
	giveUp  context.CancelFunc

	mu      sync.Mutex
	printed map[string]bool // the ids of those that are printed, and not taken yet
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
			Transport: &http.Transport{
				Proxy:               http.ProxyFromEnvironment,
				ForceAttemptHTTP2:   true,
				MaxIdleConnsPerHost: Unmarked, // all that may be under way
			},
			Timeout: cmp.Or(c.ForwardTime, forwardTime),
			// An alert goes where the user said, and nowhere else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		printed: make(map[string]bool),
	}
	p.sending, p.giveUp = context.WithCancel(context.Background())
	return p, nil
}

// close leaves a little time to what is under way, until done is closed, and
// gives up what is not sent by then. Where even that does not help it returns an
// error.
func (p *publisher) close(done <-chan struct{}) error {
	late := time.AfterFunc(lastForwardTime, p.giveUp)
	defer late.Stop()
	defer p.client.CloseIdleConnections()
	defer p.giveUp()
	select {
	case <-done:
		return nil
	case <-time.After(lastForwardTime + lastPrintTime):
		return errStuck
	}
}

// Publish implements [alert.Publisher]. It forwards the alerts of different calls
// side by side: a receiver that lets one wait gets the others at once.
func (p *publisher) Publish(_ context.Context, messages []alert.Message) []error {
	errs := make([]error, len(messages))
	calls := make(map[string][]int)
	for i, m := range messages {
		// What was forwarded must not come again for the sake of a terminal.
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

// forget forgets what was printed of the alerts that were taken, which do not
// come again.
func (p *publisher) forget(messages []alert.Message, errs []error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, m := range messages {
		if errs[i] == nil {
			delete(p.printed, m.ID)
		}
	}
}

// print writes an alert as a block for a person to read, unless it has done so
// already.
func (p *publisher) print(m alert.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil || p.printed[m.ID] {
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
	if err == nil && p.url != "" {
		p.printed[m.ID] = true // until it is taken
	}
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
		if errors.Is(err, context.Canceled) {
			return fmt.Errorf("%w: %w", alert.ErrPostponed, errStopped)
		}
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
