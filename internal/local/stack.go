package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/escalate"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/phone"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/bolt"
	"github.com/ringback/ringback/internal/table/schema"
)

// StoreFile is the table's name in the data folder.
const StoreFile = "events.db"

// Time limits of one request. They are wide, because people may type one.
const (
	headerTime   = 5 * time.Second
	requestTime  = 30 * time.Second
	shutdownTime = 5 * time.Second
)

// Stack is a running local stack.
type Stack struct {
	// Store is the table.
	Store table.Store
	// Address is where it listens. URL, with the token, is where JustCall posts.
	Address, URL string
	// Held are the IDs of the alerts that wait for the receiver of an earlier run, while
	// this one has none. They are kept for it.
	Held map[string]bool
	// Reconciles is set if it looks for what the webhook lost.
	Reconciles bool
	// Config is what it was started with.
	Config Config

	store     *bolt.Store
	consumers *consumers
	server    *http.Server
	control   *control
	served    chan error
	endSweeps func()
	kept      Kept
}

// Config configures a stack.
type Config struct {
	// Folder holds the table and the secret. It is created if it does not exist.
	Folder string
	// Address is where to listen, such as "127.0.0.1:8080"; port 0 means a free
	// port.
	Address string
	// WebhookURL is the public URL without the token, if a tunnel is in front:
	// JustCall signs the URL that it posts to. Without it, a request's own URL counts,
	// whatever its host.
	WebhookURL string
	// Numbers reads numbers as they are written in one country, and has our own; the zero Book
	// in none, and has none.
	Numbers phone.Book
	// AcceptUnsigned is [ingest.Handler.AcceptUnsigned].
	AcceptUnsigned bool
	// Retention is how long what is stored from now on is kept.
	Retention table.Retention

	// Rules say which callers nobody is alerted of. The zero Rules alert of all but
	// blocked contacts, however long ago the call was.
	Rules alert.Rules
	// Plan says when people are reminded of callers whom nobody has called back, and Callers
	// of whom: see [escalate.Settings]. The zero Plan is never.
	Plan    escalate.Plan
	Callers escalate.Callers
	// BusinessHours and Holidays are those of Callers as people wrote them, for commands.
	BusinessHours, Holidays string
	// Alerts gets each alert and reminder as a block of text for people, in one Write; nil for
	// none. While a Write blocks, no alert goes out.
	Alerts io.Writer
	// Style is how they are written.
	Style alert.Style
	// Brief prints one line for each alert instead.
	Brief bool
	// ForwardURL is where each alert is posted as the JSON document of
	// docs/alerts.md, with its ID and attributes in headers; "" for nowhere. It is
	// posted until the answer is 200 to 299, and printed once in each run. What is
	// not accepted yet waits for a later run that has a URL. The URL may hold a token;
	// no log line or error contains any part of it.
	ForwardURL string
	// ForwardTime is how long the receiver may take to answer; 0 for 10 s.
	ForwardTime time.Duration
	// FirstPause and LongestPause are the pauses before a failed alert is retried;
	// 0 for 1 s and 30 s.
	FirstPause, LongestPause time.Duration

	// Tests set these; 0 means the constant of the same name.
	maxFailed                      int
	lastForwardTime, lastPrintTime time.Duration
	justCall                       http.RoundTripper
	remindEvery                    time.Duration
	// now is the clock; nil is [time.Now].
	now func() time.Time
}

func (c Config) clock() func() time.Time {
	if c.now == nil {
		return time.Now
	}
	return c.now
}

// Start serves webhooks and runs the consumers until [Stack.Close]. Alerts that
// were still due when the folder was last in use go out first. The error wraps
// [bolt.ErrLocked] if another process has the folder open.
func Start(ctx context.Context, c Config, log *slog.Logger) (*Stack, error) {
	if err := os.MkdirAll(c.Folder, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	// The store's lock guards the folder, so open it before making a secret.
	store, err := bolt.Open(filepath.Join(c.Folder, StoreFile), schema.Events())
	if err != nil {
		return nil, err
	}
	store.Feeds, store.Log = table.IsNews, log
	for _, former := range bolt.FormerFiles(filepath.Join(c.Folder, StoreFile)) {
		log.Info("the table of an earlier version was copied, and its file is kept; delete it if nothing is missing", "file", former)
	}
	secret, err := readOrMakeSecret(c.Folder)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", c.Address)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("serve: %w", err), store.Close())
	}
	consumers, err := startConsumers(ctx, store, c, log)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start consumers: %w", err), listener.Close(), store.Close())
	}

	reconciles, err := consumers.startReconciling(store, c, log)
	if err != nil {
		return nil, errors.Join(err, listener.Close(), consumers.close(), store.Close())
	}

	control, err := startControl(ctx, c, store)
	if err != nil {
		return nil, errors.Join(err, listener.Close(), consumers.close(), store.Close())
	}

	address := listener.Addr().String()
	webhook := ingest.New(c.Retention.Putter(store), credential.Fixed(secret), log)
	webhook.WebhookURL = c.WebhookURL
	webhook.AcceptUnsigned = c.AcceptUnsigned
	webhook.Now = c.clock()
	s := &Stack{
		Store:      store,
		Address:    address,
		URL:        URL(address, secret),
		Held:       consumers.publisher.held,
		Config:     c,
		store:      store,
		consumers:  consumers,
		control:    control,
		served:     make(chan error, 1),
		endSweeps:  repeat(sweepEvery, func(ctx context.Context) { sweep(ctx, store, log) }).end,
		Reconciles: reconciles,
		server: &http.Server{
			Handler:           &handler{webhook, address},
			ReadHeaderTimeout: headerTime,
			ReadTimeout:       requestTime,
			WriteTimeout:      requestTime,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		},
	}
	var silent connections
	s.server.ConnState = silent.note
	s.server.RegisterOnShutdown(silent.close)
	go func() { s.served <- s.server.Serve(listener) }()
	return s, nil
}

// runs are what runs now and then: after cancel, none begins, and ended is closed when the
// one under way is over.
type runs struct {
	cancel context.CancelFunc
	ended  chan struct{}
}

// end waits for a run under way.
func (r *runs) end() {
	r.cancel()
	<-r.ended
}

// repeat runs something at once, and again at each interval.
func repeat(interval time.Duration, run func(context.Context)) *runs {
	ctx, cancel := context.WithCancel(context.Background())
	r := &runs{cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			run(ctx)
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return r
}

// URL returns the webhook's URL, with the token, on an address.
func URL(address string, secret credential.Secret) string {
	if host, port, err := net.SplitHostPort(address); err == nil {
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			address = net.JoinHostPort("localhost", port)
		}
	}
	return "http://" + address + ingest.Path + "/" + secret.Token
}

// Wait returns when ctx ends, or when serving fails.
func (s *Stack) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.served:
		return fmt.Errorf("serve: %w", err)
	}
}

// Settled waits until every consumer is done with everything that is stored by
// now: alerts are published, or passed over because they can never be. It returns
// an error if ctx ends before that, or if the stack is closed.
func (s *Stack) Settled(ctx context.Context) error { return s.consumers.Settled(ctx) }

// FollowUpsSettled does the same for follow-ups alone, which wait for no receiver.
func (s *Stack) FollowUpsSettled(ctx context.Context) error {
	return s.consumers.Settled(ctx, ledger.ConsumerName)
}

// WaitingAlerts returns how many alerts are still to be printed or forwarded. If ctx ends
// meanwhile, it returns an error, and how many there are at least.
func (s *Stack) WaitingAlerts(ctx context.Context) (int, error) {
	return s.consumers.waiting(ctx, s.store)
}

// Changed returns a channel that is closed when something has been stored since, or what is
// derived from it.
func (s *Stack) Changed() <-chan struct{} { return s.store.Changed() }

// Scan yields every item of the table; see [table.ScanAll].
func (s *Stack) Scan(ctx context.Context) iter.Seq2[table.Item, error] {
	return table.ScanAll(ctx, s.store, "", "")
}

// Close answers the requests under way, waits some seconds for alerts under way,
// and closes the store. The next Start sends the alerts that are left.
//
// If a batch does not finish, for example because output is blocked, Close returns
// an error and leaves the store open. It may be called again.
func (s *Stack) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	err := s.server.Shutdown(ctx)
	s.control.close(ctx)
	s.endSweeps()
	if unfinished := s.consumers.close(); unfinished != nil {
		return errors.Join(err, unfinished)
	}
	if kept, countErr := s.consumers.count(ctx, s.store); countErr == nil { // or it was closed before
		s.kept = kept
	}
	return errors.Join(err, s.store.Close())
}

// Events returns how many events the table has.
func (s *Stack) Events() (int, error) { return s.store.CountSorted(table.EventMark) }

// Kept returns what is left in the folder, once Close has returned without an error.
func (s *Stack) Kept() Kept { return s.kept }
