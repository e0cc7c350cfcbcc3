package justcalltest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/routers"
	"github.com/go-json-experiment/json"

	"github.com/ringback/ringback/internal/justcall"
)

// Key and Secret are the account's.
const (
	Key    = "test-key-0123456789abcdef"
	Secret = "test-secret-fedcba9876543210"
)

// Server is the API of one account. Set its fields before the first request, or in
// Before.
type Server struct {
	// Now is JustCall's clock.
	Now func() time.Time
	// Zone is the account's.
	Zone *time.Location
	// Limits are those of its plan.
	Limits justcall.Limits
	// NoLimitHeaders leaves them out of the responses.
	NoLimitHeaders bool
	// NoTotals leaves the totals out of lists.
	NoTotals bool
	// MaxPerPage caps the rows of a page, whatever a list's own cap is; 0 for that.
	MaxPerPage int
	// NoPerPage leaves out of lists how many rows a page has.
	NoPerPage bool
	// NoPage is the status for a page behind the end of a list; 0 for 200 without rows.
	NoPage int
	// ResetIn has the limits' headers tell in how many seconds they are reset, instead of when.
	ResetIn bool
	// Before is called for each request that counts, without the server's lock, and may
	// change the book. A non-nil handler responds in JustCall's place.
	Before func(*http.Request) http.Handler

	// Calls and the other rows are sorted by id, the oldest first. Each is what its list
	// shows of it.
	Calls, DialerCalls, Texts, Contacts, Users, Lines []Row
	// Hooks are the webhooks.
	Hooks []justcall.Webhook
	// Odd says that the book has what JustCall's description does not allow: requests
	// are compared with it, and responses are not.
	Odd bool

	t      T
	router routers.Router // nil where there is no description

	mu           sync.Mutex
	checked      map[string]bool // operations with a response of status 200
	hour, minute usage
	requests     int
	lastID       int64
}

// T is the test that a server is for: a [testing.TB], or another library's.
type T interface {
	Helper()
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
}

// Row is an object of a list.
type Row map[string]any

// usage counts requests in a window.
type usage struct {
	began time.Time
	used  int
}

// New returns an account on the Team plan, in New York, with an empty book. The test fails if
// a request or a response is not as JustCall describes it; where its description is not, the
// test's log says that nobody compares them.
func New(t T) *Server {
	t.Helper()
	router, err := newRouter()
	if errors.Is(err, fs.ErrNotExist) {
		t.Logf("requests and responses are not compared with JustCall's OpenAPI description: there is no %s, seen from the repository", description)
	} else if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		zone = time.FixedZone("EST", -5*60*60)
	}
	return &Server{
		Now: time.Now, Zone: zone, Limits: justcall.TeamLimits,
		t: t, router: router, checked: make(map[string]bool), lastID: 68_000_000,
	}
}

// Client returns a client of the account that reaches the server without a network, so
// that it can run on a simulated clock.
func (s *Server) Client() (*justcall.Client, error) {
	return justcall.New(justcall.Credentials{Key: Key, Secret: Secret}, justcall.TeamLimits, "", Transport{s})
}

// Transport passes requests to a handler.
type Transport struct{ http.Handler }

// RoundTrip implements [http.RoundTripper].
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err //nolint:wrapcheck // as net/http
	}
	w := httptest.NewRecorder()
	inbound := r.Clone(r.Context())
	if inbound.Body == nil {
		inbound.Body = http.NoBody
	}
	t.ServeHTTP(w, inbound)
	if err := r.Context().Err(); err != nil { // it came too late
		return nil, err //nolint:wrapcheck // as net/http
	}
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// Requests returns how many requests came.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// Change calls change while no request is under way.
func (s *Server) Change(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.router == nil {
		s.serve(w, r)
		return
	}
	e, err := s.begin(w, r)
	if err != nil {
		s.t.Errorf("JustCall's description: %v", err)
	}
	if e == nil {
		s.serve(w, r)
		return
	}
	if own := s.serve(e, r); !own || s.Odd {
		return
	}
	if err := e.end(r.Context()); err != nil {
		s.t.Errorf("JustCall's description: %v", err)
	}
	if e.status == http.StatusOK {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.checked[e.input.Route.Operation.OperationID] = true
	}
}

// serve responds, and reports whether it did so itself.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) (own bool) {
	s.mu.Lock()
	s.requests++
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Date", s.Now().UTC().Format(http.TimeFormat))
	if r.Header.Get("Authorization") != Key+":"+Secret {
		s.mu.Unlock()
		fail(w, http.StatusUnauthorized, "failed", "Unauthorized")
		return true
	}
	spent := s.count(w.Header())
	s.mu.Unlock()
	if spent {
		fail(w, http.StatusTooManyRequests, "error", "Too many requests")
		return true
	}
	if s.Before != nil {
		if other := s.Before(r); other != nil {
			other.ServeHTTP(w, r)
			return false
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.route(w, r)
	return true
}

// count counts a request, and reports whether it is one too many.
func (s *Server) count(h http.Header) (spent bool) {
	now := s.Now()
	for _, window := range []struct {
		usage  *usage
		length time.Duration
		limit  int
		prefix string
	}{
		{&s.hour, time.Hour, s.Limits.PerHour, "X-Rate-Limit-"},
		{&s.minute, time.Minute, s.Limits.PerMinute, "X-Rate-Limit-Burst-"},
	} {
		if began := now.Truncate(window.length); !began.Equal(window.usage.began) {
			*window.usage = usage{began: began}
		}
		if window.usage.used++; window.usage.used > window.limit {
			spent = true
		}
		if !s.NoLimitHeaders {
			h.Set(window.prefix+"Limit", strconv.Itoa(window.limit))
			h.Set(window.prefix+"Remaining", strconv.Itoa(max(window.limit-window.usage.used, 0)))
			reset := window.usage.began.Add(window.length).Unix()
			if s.ResetIn {
				reset -= now.Unix()
			}
			h.Set(window.prefix+"Reset", strconv.FormatInt(reset, 10))
		}
	}
	return spent
}

func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	const hooks = "/v2.1/webhooks"
	switch path := r.URL.Path; {
	case path == hooks && r.Method == http.MethodGet:
		respond(w, s.listHooks(r.URL.Query().Get("type")))
	case path == hooks && r.Method == http.MethodPost:
		s.addHook(w, r)
	case strings.HasPrefix(path, hooks+"/url/") && r.Method == http.MethodDelete:
		s.removeHook(w, strings.TrimPrefix(path, hooks+"/url/"))
	case path == "/v2.1/calls/analytics/account" && r.Method == http.MethodGet:
		s.totals(w, r.URL.Query())
	case r.Method == http.MethodGet:
		if l, ok := lists[path]; ok {
			s.list(w, r, l)
			return
		}
		fallthrough
	default:
		fail(w, http.StatusNotFound, "error", "Not found")
	}
}

func respond(w http.ResponseWriter, object any) {
	text, err := json.Marshal(object, json.Deterministic(true))
	if err != nil {
		panic(err) // the book has what cannot be JSON
	}
	_, _ = w.Write(text) //nolint:gosec // G705: JSON, to our own client
}

func fail(w http.ResponseWriter, status int, word, message string) {
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"status":%q,"message":%q}`, word, message)
}

// Respond returns a handler that responds with that status and body, as a proxy in
// between might.
func Respond(status int, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}
