package ingest_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
)

// FuzzHandle delivers anything by any method to any path, with any headers, while
// the table works. There must be an answer, never a 5xx, and what it says about the
// table must be true.
func isRejected(item table.Item) bool { return strings.HasPrefix(text(item[table.PK]), "REJECTED#") }

func FuzzHandle(f *testing.F) {
	seed := func(body string) {
		r := signed(post(body), signingSecret, base+"/justcall/"+token, "call.missed", now)
		f.Add(http.MethodPost, r.Path, body, "", "", "", "application/json", false, false)
		f.Add(http.MethodPost, r.Path, body,
			r.Headers[events.HeaderSignature], "v1", r.Headers[events.HeaderRequestTimestamp], "application/json", true, false)
	}
	for _, body := range samples(f) {
		seed(body)
	}
	for _, bad := range badInputs() {
		seed(bad.body)
	}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodOptions, "post", "", "\xff"} {
		f.Add(method, "/justcall/"+token, "", "", "", "", "", false, false)
	}
	for _, path := range []string{"", "/", "/justcall", "/justcall/", "/justcall/" + wrongToken, "/justcall/" + token + "/", "/justcall//" + token, "/\xff\x00"} {
		f.Add(http.MethodPost, path, `{"event":"call.missed","data":{"call_id":"c1"}}`, "", "", "", "", false, false)
	}
	f.Add(http.MethodPost, "/justcall/"+token, missedB, "\xff", "\xfe", "\x00", "\xc3", true, false)
	f.Add(http.MethodPost, "/justcall/"+token, "***", "", "", "", "", false, true)

	allowed := []int{
		http.StatusOK, http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound,
		http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge,
	}
	f.Fuzz(func(t *testing.T, method, path, body, signature, version, timestamp, contentType string, signing, badEncoding bool) {
		secret := credential.Secret{Token: token}
		if signing {
			secret.SigningSecret = signingSecret
		}
		store, log := &tabletest.Memory{}, &bytes.Buffer{}
		r := ingest.Request{
			Method: method,
			Path:   path,
			URL:    base + path,
			Headers: map[string]string{
				"content-type":                contentType,
				events.HeaderSignature:        signature,
				events.HeaderSignatureVersion: version,
				events.HeaderRequestTimestamp: timestamp,
			},
			Body: []byte(body),
		}
		if badEncoding {
			r.BodyErr = ingest.ErrBodyEncoding
		}
		// The logs are not scanned: the fuzzer makes ids, which may be logged, of
		// the samples' names.
		h := ingest.New(store, valid(secret), slog.New(slog.NewJSONHandler(log, nil)))
		h.Now = func() time.Time { return now }
		got := h.Handle(t.Context(), r)

		if !slices.Contains(allowed, got.Status) {
			t.Fatalf("status %d %s", got.Status, got.Body)
		}
		if string(r.Body) != body {
			t.Fatal("the handler changed the body")
		}
		parts := events.Split(r.Body)
		lines := strings.Count(log.String(), "\n")
		if lines < 1 || lines > 1 && len(parts) == 1 || lines > len(parts) || strings.Contains(log.String(), token) {
			t.Errorf("log: %s", log)
		}
		if (got.Allow != "") != (got.Status == http.StatusMethodNotAllowed) {
			t.Errorf("status %d with Allow %q", got.Status, got.Allow)
		}

		var answer struct {
			Status string   `json:"status,omitempty"`
			Error  string   `json:"error,omitempty"`
			Key    string   `json:"key,omitempty"`
			Keys   []string `json:"keys,omitempty"`
		}
		if method == http.MethodHead {
			if got.Body != nil {
				t.Errorf("HEAD is answered with a body: %s", got.Body)
			}
		} else if err := json.Unmarshal(got.Body, &answer, json.RejectUnknownMembers(true)); err != nil {
			t.Fatalf("the answer is not JSON: %s", got.Body)
		}
		if (answer.Error != "") != (got.Status != http.StatusOK) && method != http.MethodHead {
			t.Errorf("status %d with %s", got.Status, got.Body)
		}

		items := store.Items()
		given, _ := ingest.TokenIn(path)
		refusal := method == http.MethodPost && given == token &&
			(got.Status == http.StatusBadRequest || got.Status == http.StatusUnauthorized)
		switch {
		case len(parts) > 1 || len(parts[0]) != len(body):
			// Several events, or a list of one: each item has its own part of the body.
			if len(answer.Keys) < len(items) && got.Status == http.StatusOK && answer.Key == "" &&
				!slices.ContainsFunc(items, isRejected) {
				t.Errorf("%d items, answer %s", len(items), got.Body)
			}
			for _, item := range items {
				if is := payload(t, item); is != body && !slices.ContainsFunc(parts, func(part []byte) bool { return string(part) == is }) {
					t.Errorf("kept %q, which is no part of %q", is, body)
				}
			}
		case answer.Status == "stored":
			if len(items) != 1 || text(items[0][table.PK]) != answer.Key || text(items[0][table.Kind]) == "" || payload(t, items[0]) != body {
				t.Errorf("said stored: %s; kept: %v", got.Body, items)
			}
		case refusal:
			if len(items) != 1 || !strings.HasPrefix(text(items[0][table.PK]), "REJECTED#") || payload(t, items[0]) != body {
				t.Errorf("status %d for a right token; kept: %v", got.Status, items)
			}
		case answer.Status == "probe" && len(items) == 1:
			if !strings.HasPrefix(text(items[0][table.PK]), "REJECTED#") || payload(t, items[0]) != body {
				t.Errorf("a probe that says something; kept: %v", items)
			}
		case len(items) != 0:
			t.Errorf("status %d %s; kept: %v", got.Status, got.Body, items)
		}
		if answer.Status == "duplicate" {
			t.Error("a duplicate in an empty table")
		}
	})
}
