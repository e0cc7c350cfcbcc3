package inboxtest

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/inbox"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/phone"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/zone"
)

// World is a local stack with the page, which shows it as it is at [Now],
// until time passes.
type World struct {
	// URL is where to open the page, with its token.
	URL   string
	Page  *inbox.Server
	Stack *local.Stack
	Look  *lookup.Lookup
	Log   *logscan.Lines

	t      testing.TB
	passed atomic.Int64
}

// Pass has time pass on the page.
func (w *World) Pass(d time.Duration) { w.passed.Add(int64(d)) }

// Open starts a world with nothing in it. change, if it is not nil, changes what the page
// is made of.
func Open(t testing.TB, change func(*inbox.Config)) *World {
	t.Helper()
	numbers, err := phone.New("US")
	if err != nil {
		t.Fatal(err)
	}
	newYork, err := zone.Load("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	w := &World{t: t, Log: logscan.Writer(t)}
	w.Stack, err = local.Start(t.Context(), local.Config{
		Folder: t.TempDir(), Address: "127.0.0.1:0", Numbers: numbers, Style: alert.Style{Location: newYork},
	}, w.Log.Logger())
	if err != nil {
		t.Fatal(err)
	}
	w.Look = lookup.New(w.Stack.Store, numbers, newYork)
	w.Look.Now = func() time.Time { return Now.Add(time.Duration(w.passed.Load())) }
	c := inbox.Config{
		Look: w.Look, Acts: w.Stack.Store, Settled: w.Stack.Settled, Changed: w.Stack.Changed,
		Where: "this machine", Name: "Kim Park", Patience: time.Minute,
	}
	if change != nil {
		change(&c)
	}
	page, err := inbox.Start(t.Context(), "127.0.0.1:0", c, w.Log.Logger())
	if err != nil {
		t.Fatal(err)
	}
	w.Page, w.URL = page, page.URL
	_, token, _ := strings.Cut(page.URL, "=")
	w.Log.Forbid(token)
	for _, person := range []string{Rosa, Hana, Priya, Tom, Nadia} {
		w.Log.Forbid(person[1:])
	}
	w.Log.Forbid("Delgado", "Okafor", "Priya", "flour for tomorrow", "appointment to next week")
	t.Cleanup(func() {
		page.Close()
		if err := w.Stack.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// Post has JustCall post deliveries, and waits until they have been worked off.
func (w *World) Post(bodies ...string) {
	w.t.Helper()
	for _, body := range bodies {
		w.PostOnly(body)
	}
	if err := w.Stack.Settled(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// PostOnly has JustCall post a delivery.
func (w *World) PostOnly(body string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.Stack.URL, bytes.NewReader([]byte(body)))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	text, _ := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if want := http.StatusOK; answer.StatusCode != want && body != Rejected {
		w.t.Fatalf("answer %d, want %d: %s", answer.StatusCode, want, text)
	}
}
