package ingest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

const (
	token         = "right-token-0123456789"
	previousToken = "previous-token-0123456789"
	newToken      = "brand-new-token-0123456789"
	wrongToken    = "wrong-token-0123456789"

	signingSecret         = "signing-secret"
	previousSigningSecret = "previous-signing-secret"

	base = "https://example.execute-api.us-east-1.amazonaws.com"
)

// now is when every delivery here arrives.
var now = time.Date(2026, time.March, 12, 15, 0, 0, 0, time.UTC)

// failing returns a table whose every Put fails.
func failing(err error) tabletest.PutFunc {
	return func(context.Context, table.Item) (bool, error) { return false, err }
}

// credentials is a source of two functions.
type credentials struct {
	secrets func(context.Context) credential.Secrets
	refresh func(context.Context) (credential.Secrets, error)
}

func (c credentials) Secrets(ctx context.Context) credential.Secrets { return c.secrets(ctx) }

func (c credentials) Refresh(ctx context.Context) (credential.Secrets, error) { return c.refresh(ctx) }

// valid is a source of versions that have just been read.
func valid(versions ...credential.Secret) credentials {
	return stale(nil, nil, versions...)
}

// stale is a source of versions whose Refresh returns fresh and err.
func stale(fresh credential.Secrets, err error, versions ...credential.Secret) credentials {
	return credentials{
		func(context.Context) credential.Secrets { return versions },
		func(context.Context) (credential.Secrets, error) { return fresh, err },
	}
}

// newHandler returns a handler at the time now. It logs to log, unless that is nil.
// When the test ends, its log lines must contain nothing private.
func newHandler(t testing.TB, store ingest.Putter, source ingest.Credentials, log *bytes.Buffer) *ingest.Handler {
	t.Helper()
	lines := logscan.Writer(t, token, previousToken, newToken, wrongToken, signingSecret, previousSigningSecret)
	logger := lines.Logger()
	if log != nil {
		logger = lines.Logger(log)
	}
	h := ingest.New(store, source, logger)
	h.Now = func() time.Time { return now }
	return h
}

// post is a delivery with the right token.
func post(body string) ingest.Request {
	return ingest.Request{
		Method:  http.MethodPost,
		Path:    "/justcall/" + token,
		URL:     base + "/justcall/" + token,
		Headers: map[string]string{"content-type": "application/json"},
		Body:    []byte(body),
	}
}

// request is one without a body.
func request(method, path string) ingest.Request {
	return ingest.Request{Method: method, Path: path, URL: base + path}
}

// signed returns r, signed with secret for a URL at a time.
func signed(r ingest.Request, secret, url string, typ events.Type, at time.Time) ingest.Request {
	timestamp := at.Format("2006-01-02 15:04:05")
	r.Headers = maps.Clone(r.Headers)
	r.Headers[events.HeaderSignature] = events.Sign(secret, url, typ, timestamp)
	r.Headers[events.HeaderSignatureVersion] = "v1"
	r.Headers[events.HeaderRequestTimestamp] = timestamp
	return r
}

// text returns the text of a string, or the digits of a number.
func text(v attr.Value) string {
	switch v := v.(type) {
	case attr.String:
		return string(v)
	case attr.Number:
		return string(v)
	default:
		return ""
	}
}

func payload(t testing.TB, item table.Item) string {
	t.Helper()
	body, err := table.PayloadOf(item)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])[:16]
}

// rejection is a REJECTED item, as far as the tests look at it.
type rejection struct {
	PK, SK, Reason, ExpiresAt, Payload string
	Headers                            map[string]string
}

// rejected returns what must be stored of a request that is refused.
func rejected(r ingest.Request, reason string) rejection {
	want := rejection{
		PK:        "REJECTED#2026-03-12",
		SK:        "2026-03-12T15:00:00.000Z#" + digest(r.Body),
		Reason:    reason,
		ExpiresAt: "1775919600", // 2026-04-11T15:00:00Z: 30 days on
		Payload:   string(r.Body),
		Headers:   map[string]string{},
	}
	for _, name := range []string{"content-type", "x-justcall-signature", "x-justcall-signature-version", "x-justcall-request-timestamp"} {
		if value := r.Headers[name]; value != "" {
			want.Headers[name] = value
		}
	}
	return want
}

func rejectionOf(t testing.TB, item table.Item) rejection {
	t.Helper()
	got := rejection{
		PK:        text(item[table.PK]),
		SK:        text(item[table.SK]),
		Reason:    text(item[table.Reason]),
		ExpiresAt: text(item[table.ExpiresAt]),
		Payload:   payload(t, item),
		Headers:   map[string]string{},
	}
	if headers, ok := item["headers"].(attr.Map); ok {
		for name, v := range headers {
			got.Headers[name] = text(v)
		}
	}
	return got
}

// sample returns one of the nine documented payloads.
func sample(t testing.TB, event string) string {
	t.Helper()
	body, err := os.ReadFile("../../events-samples/" + event + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// samples returns every payload there is, of both formats, by name.
func samples(t testing.TB) map[string]string {
	t.Helper()
	all := map[string]string{}
	for format, dir := range map[string]string{"A/": "../../events-samples", "a/": "../../events/testdata/a", "B/": "../../events/testdata/b"} {
		folder := os.DirFS(dir)
		files, err := fs.Glob(folder, "*.json")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			body, err := fs.ReadFile(folder, file)
			if err != nil {
				t.Fatal(err)
			}
			all[format+strings.TrimSuffix(file, ".json")] = string(body)
		}
	}
	if len(all) < 9 {
		t.Fatalf("%d samples, want the nine at least", len(all))
	}
	return all
}

// typeOf returns the type of a format B payload.
func typeOf(t testing.TB, body string) events.Type {
	t.Helper()
	envelope, err := events.Open([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return envelope.Type
}

func quote(text string) string {
	quoted, _ := jsontext.AppendQuote(nil, text)
	return string(quoted)
}

// longHash is what a key has in place of a text that is too long.
func longHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// namesIn returns the texts of a list.
func namesIn(item table.Item, attribute string) []string {
	list, ok := item[attribute].(attr.List)
	if !ok {
		return nil
	}
	var all []string
	for _, v := range list {
		all = append(all, text(v))
	}
	return all
}

// require is what these tests use of both [testing.T] and [rapid.T].
type require interface {
	Helper()
	Fatalf(format string, args ...any)
}
