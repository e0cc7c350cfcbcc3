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
	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/storm/play"
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
	publish func(id string) []string

	webhook *ingest.Handler
	url     string

	mu        sync.Mutex
	items     map[string][]table.Item // by partition
	arrived   []request
	tries     map[string]int
	published play.Published
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
	s.webhook = ingest.New(s, credential.Fixed(secret), logscan.Logger(t, token, signingSecret))
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

// Put keeps an item and publishes its alert.
func (s *stack) Put(_ context.Context, item table.Item) (created bool, err error) {
	items := []table.Item{item}
	if s.put != nil {
		items = s.put(item)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, item := range items {
		created = s.keep(item) || created
	}
	return created, nil
}

func (s *stack) keep(item table.Item) (created bool) {
	key := table.KeyOf(item)
	if slices.ContainsFunc(s.items[key.PK], func(kept table.Item) bool { return table.KeyOf(kept) == key }) {
		return false
	}
	s.items[key.PK] = append(s.items[key.PK], item)
	a, err := alert.Read(item)
	if err != nil || slices.ContainsFunc(s.published.Taken, func(id string) bool { return id == a.ID }) {
		return true
	}
	ids := []string{a.ID}
	if s.publish != nil {
		ids = s.publish(a.ID)
	}
	s.published.Taken = append(s.published.Taken, ids...)
	return true
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
