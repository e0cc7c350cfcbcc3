package reconcile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/health"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/justcall"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/proof/justcalltest"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/reconcile"
	"github.com/ringback/ringback/internal/table"
)

const (
	hookURL = "https://hooks.example.com/justcall"
	line    = "+12125550199"
	caller  = "+12125550123"
)

var noon = time.Date(2026, 11, 25, 17, 0, 0, 0, time.UTC) // in New York

// world is a stack and a JustCall account, on one simulated clock. What is stored goes
// through the consumers at once.
type world struct {
	*justcalltest.Server

	t       testing.TB
	now     time.Time
	store   table.Store
	client  *justcall.Client
	process consumer.Process
	ledger  *ledger.Ledger
	rules   *alert.Dispatcher
	log     bytes.Buffer
	lines   *logscan.Lines
	run     *reconcile.Reconciler
	sinkErr error

	mu   sync.Mutex
	sent []sent         // what was put in, in order
	net  map[string]int // alerts published, less those that were taken back
	ever map[string]int // alerts published
	// subjects are those of the alerts.
	subjects []string
}

type received = ingest.Received

// sinkFunc is a function as a [reconcile.Sink].
type sinkFunc func(ctx context.Context, r received, last bool) error

func (f sinkFunc) Send(ctx context.Context, r received, last bool) error { return f(ctx, r, last) }

type sent struct {
	key  string
	last bool
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{Server: justcalltest.New(t), t: t, now: noon, store: tabletest.NewBolt(t), net: map[string]int{}, ever: map[string]int{}}
	w.Now = w.clock
	w.Limits = justcall.Limits{PerHour: 1 << 30, PerMinute: 1 << 30}
	w.lines = logscan.Writer(t, "2125550", justcalltest.Key, justcalltest.Secret)
	log := w.lines.Logger(&w.log)
	quiet := w.lines.Logger()
	var err error
	w.client, err = justcall.New(justcall.Credentials{Key: justcalltest.Key, Secret: justcalltest.Secret},
		justcall.Limits{PerHour: 1 << 30, PerMinute: 1 << 30}, "", justcalltest.Transport{Handler: w.Server})
	if err != nil {
		t.Fatal(err)
	}
	w.client.Now = w.clock
	w.rules = alert.New(w.store, events.PhoneNumber, w, quiet)
	w.rules.Now = w.clock
	w.ledger = ledger.New(w.store, events.PhoneNumber, quiet)
	w.ledger.Now = w.clock
	w.ledger.Followed = w.rules.Followed
	book := addressbook.New(w.store, events.PhoneNumber, quiet)
	book.Changed = w.ledger.Refresh
	watch := health.New(w.store, quiet).Consumer()
	watch.Process = oneAtATime(watch.Process)
	w.process = consumer.All(w.rules.Consumer(), book.Consumer(), w.ledger.Consumer(), watch)
	w.newRun(w.client, log)
	for _, needed := range justcall.Needed {
		w.AddHook(needed.Type, hookURL+"/token", justcall.WebhookActive)
	}
	return w
}

// oneAtATime has others wait in a channel. The watch's own mutex would stop a bubble's clock,
// which the store waits for.
func oneAtATime(process consumer.Process) consumer.Process {
	turn := make(chan struct{}, 1)
	return func(ctx context.Context, items []table.Item) []error {
		turn <- struct{}{}
		defer func() { <-turn }()
		return process(ctx, items)
	}
}

func (w *world) newRun(client *justcall.Client, log *slog.Logger) {
	w.run = reconcile.New(client, w.store, w, log)
	w.run.Now = w.clock
	w.run.WebhookURL, w.run.Account = hookURL, "account"
	w.run.MaxAlertAge = alert.DefaultMaxAge
}

// sendTo has the run send what it finds elsewhere.
func (w *world) sendTo(send sinkFunc) {
	was := w.run
	w.run = reconcile.New(w.client, w.store, send, w.lines.Logger(&w.log))
	w.run.Now, w.run.WebhookURL, w.run.Account, w.run.MaxAlertAge = was.Now, was.WebhookURL, was.Account, was.MaxAlertAge
}

// limit has the account's limits be those of the Team plan.
func (w *world) limit() {
	w.t.Helper()
	w.Limits = justcall.TeamLimits
	client, err := w.Client()
	if err != nil {
		w.t.Fatal(err)
	}
	w.newRun(client, w.lines.Logger())
}

func (w *world) clock() time.Time { return w.now }

// setClock sets the clock of all. The world's own stands still then.
func (w *world) setClock(now func() time.Time) {
	w.Now, w.client.Now, w.rules.Now, w.ledger.Now, w.run.Now = now, now, now, now, now
}

// Publish implements [alert.Publisher].
func (w *world) Publish(_ context.Context, messages []alert.Message) []error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range messages {
		switch m.Kind {
		case events.KindReturned:
			w.net[m.ID]--
		case events.KindCorrection:
		default:
			w.net[m.ID]++
			w.ever[m.ID]++
			w.subjects = append(w.subjects, m.Subject)
		}
		if w.net[m.ID] == 0 {
			delete(w.net, m.ID)
		}
	}
	return make([]error, len(messages))
}

// Send implements [reconcile.Sink].
func (w *world) Send(ctx context.Context, r ingest.Received, last bool) error {
	w.mu.Lock()
	err := w.sinkErr
	w.mu.Unlock()
	if err != nil {
		return err
	}
	key := w.keep(ctx, r)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, sent{key.PK, last})
	return nil
}

// keep stores a delivery and passes it through the consumers.
func (w *world) keep(ctx context.Context, r ingest.Received) table.Key {
	w.t.Helper()
	d, err := r.Decode()
	if err != nil {
		w.t.Error(err)
		return table.Key{}
	}
	var made table.Item
	created := false
	_, err = ingest.Store(ctx, tabletest.PutFunc(func(ctx context.Context, item table.Item) (bool, error) {
		made = item
		var err error
		created, err = w.store.Put(ctx, item)
		return created, err
	}), r, d)
	if err == nil && created {
		err = w.consume(ctx, made)
	}
	if err != nil {
		w.t.Error(err)
	}
	return table.KeyOf(made)
}

// consume passes a new item through the consumers, again if another item is in its way.
func (w *world) consume(ctx context.Context, item table.Item) (err error) {
	for range 20 {
		err = errors.Join(w.process(ctx, []table.Item{item})...)
		if !errors.Is(err, ledger.ErrContended) && !errors.Is(err, alert.ErrPostponed) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return err
}

// hook delivers a webhook's event now.
func (w *world) hook(body string) {
	w.t.Helper()
	w.keep(w.t.Context(), ingest.Received{ReceivedAt: w.run.Now(), Body: []byte(body)})
}

// hookOf delivers the webhook of a row, as it is shown now.
func (w *world) hookOf(typ events.Type, row justcalltest.Row) {
	w.t.Helper()
	w.hook(bodyOf(w.t, typ, row))
}

func bodyOf(t testing.TB, typ events.Type, row justcalltest.Row) string {
	t.Helper()
	data := justcalltest.Row{}
	for name, value := range row {
		if !strings.HasPrefix(name, "(") {
			data[name] = value
		}
	}
	text, err := json.Marshal(data, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"type":%q,"data":%s}`, typ, text)
}

// call puts a call into the book that began so long ago.
func (w *world) call(ago time.Duration, typ string, change ...func(*justcalltest.Call)) justcalltest.Row {
	c := justcalltest.Call{Contact: caller, Line: line, Type: typ, Start: w.Now().Add(-ago).Truncate(time.Second), Length: 40 * time.Second}
	for _, change := range change {
		change(&c)
	}
	w.AddCall(c)
	return w.Calls[len(w.Calls)-1]
}

func outgoing(c *justcalltest.Call) { c.Direction = "Outgoing" }

// reconcile runs once, and reports what it did. It fails the test on an error.
func (w *world) reconcile() reconcile.Report {
	w.t.Helper()
	report, err := w.run.Run(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return report
}

// pass lets time pass.
func (w *world) pass(d time.Duration) { w.Change(func() { w.now = w.now.Add(d) }) }

// follow returns what lists show of a caller, "" if nothing is known.
func (w *world) follow(number string) string {
	w.t.Helper()
	item, err := table.Get(w.t.Context(), w.store, table.FollowUpKey(number))
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.TrimSpace(fmt.Sprint(table.Text(item, table.State), " ", table.Text(item, table.Count)))
}

// says checks that the log has a line with these texts.
func (w *world) says(texts ...string) {
	w.t.Helper()
	for line := range strings.Lines(w.log.String()) {
		has := true
		for _, text := range texts {
			has = has && strings.Contains(line, text)
		}
		if has {
			return
		}
	}
	w.t.Errorf("no line of the log has %q:\n%s", texts, w.log.String())
}

// respond lets JustCall respond with that to everything, or by itself if it is nil.
func (w *world) respond(h http.Handler) {
	w.Before = func(*http.Request) http.Handler { return h }
}
