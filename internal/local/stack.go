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

	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/bolt"
	"github.com/ringback/ringback/internal/table/schema"
)

// StoreFile is the table's name in the data folder.
const StoreFile = "events.db"

// Time limits of one request. They are wide: a person may be typing it.
const (
	headerTime   = 5 * time.Second
	requestTime  = 30 * time.Second
	shutdownTime = 5 * time.Second
)

// Stack is a running local stack.
type Stack struct {
	// Store is the table.
	Store table.Store
	// Address is where it listens, and URL where webhooks are posted, token
	// included.
	Address, URL string

	store    *bolt.Store
	follower *follower
	server   *http.Server
	served   chan error
}

// Config says where a stack lives.
type Config struct {
	// Folder holds the table and the secret; it is made if need be.
	Folder string
	// Address is where to listen, e.g. "127.0.0.1:8080"; port 0 takes a free
	// one.
	Address string
	// WebhookURL is the public URL up to, but without, the token, where a
	// tunnel stands in front: JustCall signs the URL that it posts to.
	WebhookURL string

	// Alerts gets each alert as a block of text for a person to read, in one
	// Write; nil for none. While a Write blocks, no alert goes out.
	Alerts io.Writer
	// ForwardURL is where each alert is posted as the JSON document of
	// docs/alerts.md, with its id and attributes in headers; "" for nowhere. What
	// is not answered with 200 to 299 is sent again until it is; it is printed
	// with the first try alone, of each start. The URL may hold a token: no log or error has any
	// of it.
	ForwardURL string
	// ForwardTime is how long the receiver may take to answer; 0 for 10 s.
	ForwardTime time.Duration
	// FirstPause and LongestPause are how long to wait before an alert that
	// failed is tried again, at first and at most; 0 for 1 s and 30 s.
	FirstPause, LongestPause time.Duration

	maxWaiting int // of tests; 0 for that of the follower
}

// Start serves webhooks, and alerts of what they bring, until [Stack.Close]. What
// was stored and not alerted when the folder was last in use is alerted first.
// The error wraps [bolt.ErrLocked] if another process has the folder open.
func Start(ctx context.Context, c Config, log *slog.Logger) (*Stack, error) {
	if err := os.MkdirAll(c.Folder, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	// Who holds the store holds the folder: only then is a secret made.
	store, err := bolt.Open(filepath.Join(c.Folder, StoreFile), schema.Events())
	if err != nil {
		return nil, err
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
	follower, err := follow(store, c, log)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("alerts: %w", err), listener.Close(), store.Close())
	}

	address := listener.Addr().String()
	webhook := ingest.New(store, credential.Fixed(secret), log)
	webhook.WebhookURL = c.WebhookURL
	s := &Stack{
		Store:    store,
		Address:  address,
		URL:      URL(address, secret),
		store:    store,
		follower: follower,
		served:   make(chan error, 1),
		server: &http.Server{
			Handler:           &handler{webhook},
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

// URL returns the webhook's URL on an address, with the secret's token.
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

// Settled waits until everything that is stored by now has been through the
// alerts: what alerts is published, or passed over because it never can be. It
// returns an error if ctx ends before, or if the stack is closed.
func (s *Stack) Settled(ctx context.Context) error {
	if err := s.follower.await(ctx); err != nil {
		return fmt.Errorf("alerts: %w", err)
	}
	return nil
}

// Scan yields every item of the table, of whatever partition; see [bolt.Store.Scan].
func (s *Stack) Scan(ctx context.Context) iter.Seq2[table.Item, error] { return s.store.Scan(ctx) }

// Close answers the requests that are under way, finishes the alerts that are,
// if their receiver takes them within a moment, and closes the store. What is
// stored and not alerted by then is alerted by the next Start.
//
// It takes no more than some seconds. Where an alert is being printed to a
// terminal that is stopped it returns an error, and leaves the store open; it may
// be called again.
func (s *Stack) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if stuck := s.follower.close(); stuck != nil {
		return errors.Join(err, fmt.Errorf("alerts: %w", stuck))
	}
	return errors.Join(err, s.store.Close())
}
