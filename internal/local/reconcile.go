package local

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/justcall"
	"github.com/ringback/ringback/internal/reconcile"
	"github.com/ringback/ringback/internal/table"
)

// Members of the secret's file that a secret on AWS does not have: there JustCall's keys
// are in a secret of their own.
const (
	keyMember    = "api_key"
	secretMember = "api_secret"
)

// splitKeys takes JustCall's keys out of the text of a secret. A text that is no object
// stays as it is.
func splitKeys(text []byte) (rest []byte, keys justcall.Credentials) {
	var members map[string]jsontext.Value
	if json.Unmarshal(text, &members) != nil {
		return text, keys
	}
	_ = json.Unmarshal(members[keyMember], &keys.Key) // what is no text is no key
	_ = json.Unmarshal(members[secretMember], &keys.Secret)
	delete(members, keyMember)
	delete(members, secretMember)
	if rest, err := json.Marshal(members); err == nil {
		return rest, keys
	}
	return text, keys
}

// readKeys reads JustCall's keys from the secret of a data folder; they are zero if it has
// none.
func readKeys(folder string) (keys justcall.Credentials, err error) {
	path := filepath.Join(folder, SecretFile)
	text, err := os.ReadFile(path) //nolint:gosec // G304: the user's own folder
	if err != nil {
		return keys, fmt.Errorf("read the API keys: %w", err)
	}
	if _, keys = splitKeys(text); keys == (justcall.Credentials{}) {
		return keys, nil
	}
	const others = 0o077
	if info, err := os.Stat(path); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&others != 0 {
		return keys, fmt.Errorf("%s has API keys, and others can read it: run \"chmod 600\" on it", path)
	}
	return keys, nil
}

// startReconciling finds what the webhook lost, now and then, and tells people if JustCall
// does not post as it should. Without keys it does nothing, and on is not set.
func (c *consumers) startReconciling(store table.Store, config Config, log *slog.Logger) (on bool, err error) {
	keys, err := readKeys(config.Folder)
	if err != nil || keys == (justcall.Credentials{}) {
		return false, err
	}
	transport := config.justCall
	if transport == nil {
		transport = http.DefaultTransport
	}
	client, err := justcall.New(keys, justcall.TeamLimits, "", transport)
	if err != nil {
		return false, fmt.Errorf("%s: %w", SecretFile, err)
	}
	r := reconcile.New(client, store, sink{config.Retention.Putter(store)}, log)
	r.Account, r.WebhookURL = keys.Name(), config.WebhookURL
	r.Retention, r.MaxAlertAge, r.People = config.Retention, config.Rules.MaxAge, c.publisher
	c.finding = repeat(reconcile.Every, func(ctx context.Context) {
		if _, err := r.Run(ctx); err != nil && ctx.Err() == nil {
			log.LogAttrs(ctx, slog.LevelError, "not reconciled", slog.String("error", err.Error()))
		}
	})
	return true, nil
}

// sink stores what is found at once: the feed keeps the order.
type sink struct{ store ingest.Putter }

// Send implements [reconcile.Sink].
func (s sink) Send(ctx context.Context, r ingest.Received, _ bool) error {
	event, err := r.Decode()
	if err != nil {
		return fmt.Errorf("store a row: %w", err)
	}
	_, err = ingest.Store(ctx, s.store, r, event)
	return err
}
