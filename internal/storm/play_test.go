package storm_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/leak"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/storm"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/tabletest"
)

// patience is how long a test waits for what should come at once.
const patience = 20 * time.Second

// small is a mix that is played in a moment.
var small = storm.Mix{Seed: 1, Deliveries: 300, Duplicates: 30}

func TestALocalStackLosesNothingAndAlertsOnceThoughPublishingFails(t *testing.T) {
	t.Parallel()
	p := plan(t, small)
	r := receiver(t, storm.Faults(1, 20))
	var done atomic.Int64
	player := storm.NewPlayer(8, patience)
	player.Done = func() { done.Add(1) }
	got := play(t, player, p, target(t, r), r)
	if err := got.Err(); err != nil {
		t.Error(err)
	}
	if got.PublishFailed == 0 {
		t.Error("no publishing failed")
	}
	if got.Stored != 210 || got.Alerted != len(p.Alerts()) || got.Alerted == 0 {
		t.Errorf("%d stored, %d alerted", got.Stored, got.Alerted)
	}
	if diff := cmp.Diff(map[int]int{200: 300}, got.Statuses); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	if got.Latency.P50 <= 0 || got.PerSecond <= 0 || got.Delay.P99 <= 0 {
		t.Errorf("latency %v, %v per second, delay %v", got.Latency, got.PerSecond, got.Delay)
	}
	if n := done.Load(); n != 300 {
		t.Errorf("Done was called %d times", n)
	}
}

func TestWhatIsNotAnswered200IsPostedAgain(t *testing.T) {
	t.Parallel()
	r := receiver(t, storm.Faults(1, 0))
	stack := target(t, r)
	var mu sync.Mutex
	seen := map[string]int{}
	stack.URL = front(t, stack.URL, func(w http.ResponseWriter, body []byte) (answered bool) {
		mu.Lock()
		seen[string(body)]++
		try := seen[string(body)]
		mu.Unlock()
		switch try {
		case 1:
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(http.StatusFound)
		case 2:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 3:
			panic(http.ErrAbortHandler)
		case 4:
			w.WriteHeader(http.StatusNoContent)
		default:
			return false
		}
		return true
	})
	player := impatient()
	player.Retries = make([]time.Duration, 4)
	got := play(t, player, plan(t, storm.Mix{Seed: 2, Deliveries: 60}), stack, r)
	if err := got.Err(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[int]int{0: 60, 200: 60, 204: 60, 302: 60, 503: 60}, got.Statuses); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

func TestADeliveryIsGivenUpInTheEnd(t *testing.T) {
	t.Parallel()
	r := receiver(t, storm.Faults(1, 0))
	stack := target(t, r)
	p := plan(t, storm.Mix{Seed: 2, Deliveries: 60})
	stack.URL = front(t, stack.URL, func(w http.ResponseWriter, body []byte) (answered bool) {
		refused := bytes.Equal(body, p.Deliveries[7].Body)
		if refused {
			w.WriteHeader(http.StatusInternalServerError)
		}
		return refused
	})
	got := play(t, impatient(), p, stack, r)
	if !errors.Is(got.Err(), storm.ErrBroken) || got.GivenUp != 1 || got.Lost != 1 {
		t.Errorf("%v, %d given up, %d lost, want 1", got.Err(), got.GivenUp, got.Lost)
	}
	if diff := cmp.Diff(map[int]int{200: 59, 500: 4}, got.Statuses); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

func TestADeliveryThatIsAnsweredAndNotStoredIsFound(t *testing.T) {
	t.Parallel()
	r := receiver(t, storm.Faults(1, 0))
	stack := target(t, r)
	p := plan(t, storm.Mix{Seed: 2, Deliveries: 60})
	stack.URL = front(t, stack.URL, func(_ http.ResponseWriter, body []byte) (answered bool) {
		return bytes.Equal(body, p.Deliveries[7].Body)
	})
	got := play(t, impatient(), p, stack, r)
	if !errors.Is(got.Err(), storm.ErrBroken) || got.Lost != 1 || got.GivenUp != 0 {
		t.Errorf("%v, %d lost, want 1", got.Err(), got.Lost)
	}
}

func TestAnAlertThatIsNeverTakenIsFoundWithinTheWait(t *testing.T) {
	t.Parallel()
	p := plan(t, small)
	var dropped string
	for id := range p.Alerts() {
		dropped = max(dropped, id)
	}
	r := receiver(t, func(id string, _ int) bool { return id == dropped })
	player := impatient()
	player.Wait = time.Second
	got := play(t, player, p, target(t, r), r)
	if !errors.Is(got.Err(), storm.ErrBroken) || got.Missing != 1 || got.Lost != 0 {
		t.Errorf("%v, %d missing, want 1", got.Err(), got.Missing)
	}
	if diff := cmp.Diff([]string{"not alerted: " + dropped}, got.Examples); diff != "" {
		t.Errorf("examples (-want +got):\n%s", diff)
	}
	if !errors.Is(got.Unsettled, context.DeadlineExceeded) {
		t.Errorf("unsettled: %v", got.Unsettled)
	}
}

func TestAnEventStoredUnderASecondKeyIsFound(t *testing.T) {
	t.Parallel()
	r := receiver(t, storm.Faults(1, 0))
	stack := target(t, r)
	p := plan(t, storm.Mix{Seed: 2, Deliveries: 20})
	twin := tableOf{stack.Table, func(page *table.Page) {
		for _, item := range page.Items {
			if table.KeyOf(item) == p.Events[3].Key {
				page.Items = append(page.Items, item)
				return
			}
		}
	}}
	stack.Table = twin
	if got := play(t, impatient(), p, stack, r); !errors.Is(got.Err(), storm.ErrBroken) || got.Extra != 1 {
		t.Errorf("%v, %d extra, want 1", got.Err(), got.Extra)
	}
}

// tableOf is a table whose pages are changed.
type tableOf struct {
	table.Store

	change func(*table.Page)
}

func (s tableOf) Query(ctx context.Context, q table.Query) (table.Page, error) {
	page, err := s.Store.Query(ctx, q)
	s.change(&page)
	return page, err
}

func TestATableThatIsNotEmptyIsNotPlayedAgainst(t *testing.T) {
	t.Parallel()
	r := receiver(t, storm.Faults(1, 0))
	stack := target(t, r)
	p := plan(t, storm.Mix{Seed: 2, Deliveries: 20})
	play(t, impatient(), p, stack, r)
	if _, err := impatient().Play(t.Context(), p, stack, r); !errors.Is(err, storm.ErrPlayed) {
		t.Errorf("error %v, want %v", err, storm.ErrPlayed)
	}
}

func TestATableThatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	r := receiver(t, storm.Faults(1, 0))
	stack := target(t, r)
	stack.Table = unreadable{stack.Table}
	_, err := impatient().Play(t.Context(), plan(t, storm.Mix{Seed: 2, Deliveries: 20}), stack, r)
	if !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("error %v, want %v", err, table.ErrUnavailable)
	}
}

type unreadable struct{ table.Store }

func (unreadable) Query(context.Context, table.Query) (table.Page, error) {
	return table.Page{}, table.ErrUnavailable
}

func TestPlayingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	r := receiver(t, storm.Faults(1, 0))
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	player := storm.NewPlayer(4, patience)
	var once sync.Once
	player.Done = func() { once.Do(func() { cancel(stopped) }) }
	_, err := player.Play(ctx, plan(t, storm.Mix{Seed: 2, Deliveries: 2000}), target(t, r), r)
	if !errors.Is(err, stopped) {
		t.Errorf("error %v, want %v", err, stopped)
	}
}

func TestTheTokenIsInNoError(t *testing.T) {
	t.Parallel()
	r := receiver(t, storm.Faults(1, 0))
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, base := range []string{gone.URL, "http://127.0.0.1:0", "no-url\x7f"} {
		stack := target(t, r)
		stack.URL = base + "/justcall/the-token"
		got := play(t, impatient(), plan(t, storm.Mix{Deliveries: 2}), stack, r)
		if got.NoAnswer == nil || got.GivenUp != 2 {
			t.Errorf("%q: %d given up, %v", base, got.GivenUp, got.NoAnswer)
		}
		var printed strings.Builder
		if err := got.Print(&printed); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(printed.String(), "no answer: ") || strings.Contains(printed.String(), "the-token") {
			t.Errorf("printed:\n%s", &printed)
		}
	}
}

// impatient returns a player that does not pause.
func impatient() *storm.Player {
	p := storm.NewPlayer(8, patience)
	p.Retries = make([]time.Duration, 3)
	return p
}

func play(t *testing.T, player *storm.Player, p *storm.Plan, to storm.Target, r *storm.Receiver) *storm.Report {
	t.Helper()
	seen, err := player.Play(t.Context(), p, to, r)
	if err != nil {
		t.Fatal(err)
	}
	return storm.Check(p, seen)
}

// target returns a stack of its own that forwards its alerts to r.
func target(t *testing.T, r *storm.Receiver) storm.Target {
	t.Helper()
	s, err := local.Start(t.Context(), local.Config{
		Folder:       t.TempDir(),
		Template:     tabletest.TemplatePath(t),
		Address:      "127.0.0.1:0",
		ForwardURL:   r.URL,
		FirstPause:   time.Millisecond,
		LongestPause: 20 * time.Millisecond,
	}, leak.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return storm.Target{URL: s.URL, Table: s.Store, Settled: s.Settled}
}

// front stands in front of a webhook. What meddle does not answer goes on to it;
// what it answers with nothing is answered 200.
func front(t *testing.T, url string, meddle func(w http.ResponseWriter, body []byte) (answered bool)) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		if meddle(w, body) {
			return
		}
		req, err := http.NewRequestWithContext(r.Context(), r.Method, url, bytes.NewReader(body))
		if err != nil {
			t.Error(err)
			return
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close() //nolint:errcheck // it was only read
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}
