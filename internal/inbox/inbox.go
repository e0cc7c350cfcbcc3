package inbox

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/words"
)

// Config says what an inbox shows and how it acts.
type Config struct {
	// Look finds what is shown.
	Look *lookup.Lookup
	// Acts is where hand acts are stored, and refused deliveries that are taken in; nil if
	// there are none. ReadOnly says why.
	Acts     table.Store
	ReadOnly string
	// Settled waits until stored acts have been worked off; nil if nobody can tell.
	Settled func(context.Context) error
	// Changed returns a channel that is closed when something was stored. If it is nil,
	// pages that are open are made anew every [Config.Every].
	Changed func() <-chan struct{}
	Every   time.Duration
	// CountEvery is the time between two counts of a day's calls; 0 to count them whenever
	// they are shown. Patience is how long a page waits for that; 0 for 25 ms.
	CountEvery, Patience time.Duration
	// Where says what is read, such as "the stack ringback".
	Where string
	// Name is who acts, unless somebody else gives their name; "" if nobody knows.
	Name string
	// Facts is what is known of the health of what is read; nil for nothing.
	Facts func(context.Context) ([]Fact, error)
}

// Fact is a line of the page about health.
type Fact struct {
	Name, Text string
	// Bad is set if somebody has to do something.
	Bad bool
}

// Inbox is the page as an [http.Handler].
type Inbox struct {
	config  Config
	look    *lookup.Lookup
	log     *slog.Logger
	words   words.Words
	pages   pages
	routes  *http.ServeMux
	guard   guard
	tallies *tallies
	closing chan struct{}
	close   func()

	mu                  sync.Mutex
	notes               map[string]note
	readOnly, noRelease string // why nobody can act, or take a delivery in
}

// New returns an inbox. Whoever brings the token may see it.
func New(c Config, token string, log *slog.Logger) *Inbox {
	closing := make(chan struct{})
	in := &Inbox{
		config: c, look: c.Look, log: log, words: words.Words{Zone: c.Look.Zone(), Now: c.Look.Now},
		routes: http.NewServeMux(), guard: newGuard(token), tallies: newTallies(c),
		closing: closing, close: sync.OnceFunc(func() { close(closing) }),
		notes: make(map[string]note), readOnly: c.ReadOnly, noRelease: c.ReadOnly,
	}
	in.pages = parsePages(in.words)
	for pattern, show := range map[string]func(*http.Request) (view, error){
		"GET /{$}":      in.waiting,
		"GET /today":    in.today,
		"GET /caller":   in.caller,
		"GET /call":     in.call,
		"GET /text":     in.text,
		"GET /contact":  in.contact,
		"GET /event":    in.event,
		"GET /rejected": in.rejected,
		"GET /delivery": in.delivery,
		"GET /health":   in.health,
		"GET /search":   in.search,
		"GET /":         func(*http.Request) (view, error) { return view{}, errNoPage },
	} {
		in.routes.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { in.show(w, r, show) })
	}
	in.routes.HandleFunc("POST /act", in.form(in.perform))
	in.routes.HandleFunc("POST /release", in.form(in.takeIn))
	in.routes.HandleFunc("POST /name", in.rename)
	in.routes.HandleFunc("GET /live", in.live)
	in.routes.HandleFunc("GET /assets/{name}", serveAsset)
	return in
}

// Close ends the requests that would never end by themselves.
func (in *Inbox) Close() { in.close() }

func (in *Inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if in.guard.admit(w, r) {
		in.routes.ServeHTTP(w, r)
	}
}

// view is a page to be shown.
type view struct {
	page string // its template
	// Title is what the tab says, and Section what is marked in the menu.
	Title, Section string
	Body           any
	// AsOf is up to when the page is known to be complete; zero if it does not say.
	AsOf time.Time
	// to is where to go instead.
	to string
}

// frame is what every page has around it.
type frame struct {
	view

	Note     *note
	Name     string
	ReadOnly string // why there are no buttons about callers
	Where    string
	Zone     string
	Path     string // and query, to come back to
	Query    string // what was searched for
	Live     bool   // the page changes by itself
	Asset    func(name string) string
}

var errNoPage = errors.New("there is no such page")

// show makes a page and sends it.
func (in *Inbox) show(w http.ResponseWriter, r *http.Request, makeView func(*http.Request) (view, error)) {
	v, err := makeView(r)
	status := http.StatusOK
	if err != nil {
		v, status = in.fault(r, err)
	}
	if v.to != "" {
		http.Redirect(w, r, v.to, http.StatusSeeOther)
		return
	}
	readOnly, _ := in.cannot()
	f := frame{
		view: v, Note: in.note(r.URL.Query().Get("note")), Name: in.nameOf(r), ReadOnly: readOnly, Where: in.config.Where,
		Zone: in.words.ZoneName(), Path: pathOf(r), Live: status == http.StatusOK, Asset: assetURL,
	}
	if v.page == "search" {
		f.Query = alert.OneLine(r.URL.Query().Get("q"), maxQuery)
	}
	var page bytes.Buffer
	if err := in.pages[v.page].ExecuteTemplate(&page, "frame", f); err != nil {
		in.log.ErrorContext(r.Context(), "page not made", "page", v.page)
		http.Error(w, "This page could not be made. That is a fault of ringback.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = page.WriteTo(w) // the browser may be gone
	}
}

// fault returns the page about an error.
func (in *Inbox) fault(r *http.Request, err error) (v view, status int) {
	type body struct{ Heading, Text, Advice string }
	b := body{Heading: "The table cannot be read", Text: err.Error(), Advice: "Try again. If it stays so, “ringback doctor” says more."}
	switch {
	case errors.Is(err, errNoPage):
		status, b = http.StatusNotFound, body{"There is no such page", "", "Choose one from the menu."}
	case errors.Is(err, lookup.ErrNotFound):
		status, b = http.StatusNotFound, body{"Nothing found", "The table has nothing of the kind.", "It may have been deleted, or never arrived."}
	case errors.Is(err, lookup.ErrNumber), errors.Is(err, lookup.ErrID), errors.Is(err, lookup.ErrCursor), errors.Is(err, lookup.ErrSpan), errors.Is(err, errDay), errors.Is(err, table.ErrQuery):
		status, b = http.StatusBadRequest, body{"That cannot be looked up", words.Sentence(err.Error()), "Check the address, or begin again from the menu."}
	case errors.Is(err, table.ErrDenied):
		status = http.StatusServiceUnavailable
		b.Advice = "Your AWS credentials have expired, or lack a right: docs/lookups.md#access lists those that are needed. Then start “ringback inbox” again."
	case r.Context().Err() != nil:
		status = http.StatusServiceUnavailable // the browser is gone
	case errors.Is(err, table.ErrUnavailable):
		status = http.StatusServiceUnavailable
		in.log.WarnContext(r.Context(), "page not shown", "error", err)
	default:
		status = http.StatusInternalServerError
		in.log.ErrorContext(r.Context(), "page not shown", "error", err)
	}
	return view{page: "fault", Title: b.Heading, Body: b}, status
}

// note is said once, after something was done.
type note struct {
	Text string
	Bad  bool
	made time.Time
}

// noteTime is how long a note is kept: the page is asked for again when something changes.
const noteTime = 20 * time.Second

// leave keeps a note, and returns its id.
func (in *Inbox) leave(text string, bad bool) (id string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	id = rand.Text()
	in.notes[id] = note{Text: text, Bad: bad, made: in.look.Now()}
	return id
}

// note returns the note with an id; nil if there is none, or it is old.
func (in *Inbox) note(id string) *note {
	in.mu.Lock()
	defer in.mu.Unlock()
	for id, n := range in.notes {
		if in.look.Now().Sub(n.made) > noteTime {
			delete(in.notes, id)
		}
	}
	n, ok := in.notes[id]
	if !ok {
		return nil
	}
	return &n
}

// pathOf returns where a page is, without what is said once.
func pathOf(r *http.Request) string {
	u := *r.URL
	query := u.Query()
	query.Del("note")
	u.RawQuery = query.Encode()
	return u.RequestURI()
}

// pulse is how often pages that are open are made anew at least, for the times on them.
const pulse = 30 * time.Second

// pause is how long many changes are gathered.
const pause = 300 * time.Millisecond

// live tells the browser each time that its page may have changed.
func (in *Inbox) live(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	// It never ends by itself. Whoever stops reading is noticed when the connection breaks.
	// The server goes on reading, to notice that, so its deadline counts too.
	if errors.Join(rc.SetWriteDeadline(time.Time{}), rc.SetReadDeadline(time.Time{})) != nil {
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	every := pulse
	changed := in.config.Changed
	if changed == nil {
		changed = func() <-chan struct{} { return nil }
		every = min(every, cmp.Or(in.config.Every, pulse))
	}
	for {
		next := changed() // before the browser asks, so that nothing is overlooked
		if _, err := io.WriteString(w, "event: change\ndata:\n\n"); err != nil || rc.Flush() != nil {
			return
		}
		select {
		case <-next:
		case <-time.After(every):
		case <-r.Context().Done():
			return
		case <-in.closing:
			return
		}
		select {
		case <-time.After(pause):
		case <-r.Context().Done():
			return
		case <-in.closing:
			return
		}
	}
}
