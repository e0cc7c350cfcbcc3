package play_test

import (
	"cmp"
	"context"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/phone"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/storm/play"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
)

// stack is a stack in memory: the real webhook in front of a table, whose alerts
// are made as soon as an item is put. Tests break it in the ways that its fields
// offer; each is nil for a stack that keeps its promises.
type stack struct {
	table.Store // nil: neither the webhook nor the storm calls its other methods

	// before answers a request in the webhook's place, where it returns a status;
	// cut is for none.
	before func(request) (status int)
	// after returns the status to answer in place of the webhook's.
	after func(r request, status int) int
	// put returns what to put in place of an item.
	put func(table.Item) []table.Item
	// publish returns what to publish in place of an alert.
	publish func(play.Alert) []play.Alert

	webhook *ingest.Handler
	consume consumer.Process
	marks   tabletest.Memory // the table as the consumers see it
	url     string

	mu          sync.Mutex
	items       map[string][]table.Item // by partition
	arrived     []request
	tries       map[string]int
	published   play.Published
	dispatching sync.Mutex
}

// request is one that arrived, for the so manieth time of its kind.
type request struct {
	method, path string
	header       http.Header
	body         string
	at           time.Time
	try          int // 1 for the first
}

// cut is for a connection that ends without an answer.
const cut = -1

const (
	token         = "token-of-the-storm-0123456789"
	signingSecret = "signing-secret-of-the-storm"
)

func newStack(t *testing.T) *stack {
	t.Helper()
	s := &stack{items: make(map[string][]table.Item), tries: make(map[string]int)}
	secret := credential.Secret{Token: token, SigningSecret: signingSecret}
	log := logscan.Logger(t, token, signingSecret)
	s.webhook = ingest.New(s, credential.Fixed(secret), log)
	book, err := phone.New("")
	if err != nil {
		t.Fatal(err)
	}
	alerts := alert.New(&s.marks, book.Canonical, publisher{s}, log)
	alerts.Rules.MaxAge = 0
	followUps := ledger.New(&s.marks, book.Canonical, log)
	followUps.Followed = alerts.Followed
	s.consume = consumer.All(alerts.Consumer(), followUps.Consumer())
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL + "/justcall/" + token
	return s
}

func (s *stack) target() *play.Target {
	return &play.Target{
		URL: s.url, SigningSecret: signingSecret, Table: s, Scan: s.scan,
		Settled: func(context.Context) error { return nil },
	}
}

// ServeHTTP answers a request.
func (s *stack) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	req := s.note(request{method: r.Method, path: r.URL.Path, header: r.Header, body: string(body), at: time.Now()})
	var status int
	if s.before != nil {
		status = s.before(req)
	}
	if status == 0 {
		headers := make(map[string]string)
		for name, values := range r.Header {
			headers[strings.ToLower(name)] = strings.Join(values, ",")
		}
		status = s.webhook.Handle(r.Context(), ingest.Request{
			Method: r.Method, Path: r.URL.Path, URL: "http://" + r.Host + r.URL.EscapedPath(), Headers: headers, Body: body,
		}).Status
		if s.after != nil {
			status = s.after(req, status)
		}
	}
	if status == cut {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
}

// note keeps a request and counts it.
func (s *stack) note(r request) request {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind := r.method + " " + r.path + " " + r.body
	s.tries[kind]++
	r.try = s.tries[kind]
	s.arrived = append(s.arrived, r)
	return r
}

// requests returns those that have arrived.
func (s *stack) requests() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.arrived)
}

// Put keeps an item and publishes what its call owes.
func (s *stack) Put(ctx context.Context, item table.Item) (created bool, err error) {
	items := []table.Item{item}
	if s.put != nil {
		items = s.put(item)
	}
	for _, item := range items {
		created = s.keep(ctx, item) || created
	}
	return created, nil
}

func (s *stack) keep(ctx context.Context, item table.Item) (created bool) {
	s.mu.Lock()
	key := table.KeyOf(item)
	if slices.ContainsFunc(s.items[key.PK], func(kept table.Item) bool { return table.KeyOf(kept) == key }) {
		s.mu.Unlock()
		return false
	}
	s.items[key.PK] = append(s.items[key.PK], item)
	s.mu.Unlock()
	if isEvent(item) {
		s.dispatching.Lock() // as those of one call are
		defer s.dispatching.Unlock()
		_, _ = s.marks.Put(ctx, item)
		s.consume(context.WithoutCancel(ctx), []table.Item{item})
	}
	return true
}

// publisher is the topic of a stack.
type publisher struct{ *stack }

// Publish keeps what is published.
func (p publisher) Publish(_ context.Context, messages []alert.Message) []error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range messages {
		a, ok := play.ReadAlert(m.Document)
		all := []play.Alert{a}
		switch {
		case !ok:
			p.published.Unreadable++
			continue
		case p.publish != nil:
			all = p.publish(a)
		}
		p.published.Taken = append(p.published.Taken, all...)
	}
	return make([]error, len(messages))
}

// Query returns items, in one page.
func (s *stack) Query(_ context.Context, q table.Query) (table.Page, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var page table.Page
	for _, item := range s.items[q.Partition] {
		if table.Text(item, table.SK) >= q.From {
			page.Items = append(page.Items, item)
		}
	}
	slices.SortFunc(page.Items, func(a, b table.Item) int { return cmp.Compare(table.Text(a, table.SK), table.Text(b, table.SK)) })
	return page, nil
}

// scan yields all items.
func (s *stack) scan(context.Context) iter.Seq2[table.Item, error] {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Concat(slices.Collect(maps.Values(s.items))...)
	return func(yield func(table.Item, error) bool) {
		for _, item := range all {
			if !yield(item, nil) {
				return
			}
		}
	}
}

// Published returns the alerts.
func (s *stack) Published() play.Published {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.published
	seen.Taken = slices.Clone(seen.Taken)
	return seen
}

// fromNow are the alerts that come from now on.
func (s *stack) fromNow() play.Alerts { return &later{s, len(s.Published().Taken)} }

type later struct {
	*stack

	passed int
}

// Published returns the later alerts.
func (l *later) Published() play.Published {
	seen := l.stack.Published()
	seen.Taken = seen.Taken[l.passed:]
	return seen
}
