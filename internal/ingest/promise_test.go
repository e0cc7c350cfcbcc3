package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
)

// The promises of the project, as far as they are kept here.

func TestPromise1_200MeansStored(t *testing.T) {
	t.Parallel()
	for name, body := range samples(t) {
		store := &tabletest.Memory{}
		got := newHandler(t, store, valid(credential.Secret{Token: token}), nil).Handle(t.Context(), post(body))
		item := store.One(t)
		if want := `{"status":"stored","key":` + quote(text(item[table.PK])) + `}`; got.Status != http.StatusOK || string(got.Body) != want {
			t.Errorf("%s: response %d %s, want 200 %s", name, got.Status, got.Body, want)
		}
		if payload(t, item) != body {
			t.Errorf("%s: the payload is not the body", name)
		}
	}
}

func TestPromise1_OurFaultIsNeverA200OrA4xx(t *testing.T) {
	t.Parallel()
	faults := []error{
		table.ErrUnavailable, table.ErrKey, table.ErrValue, table.ErrQuery,
		context.DeadlineExceeded, context.Canceled,
		credential.ErrUnavailable, credential.ErrSecret,
		errors.New("AccessDeniedException"),
	}
	for _, fault := range faults {
		down := failing(fmt.Errorf("put item: %w", fault))
		bodies := slices.Collect(maps.Values(samples(t)))
		for _, bad := range badInputs() {
			if len(bad.body) < 10<<10 { // what is long takes its time and says no more
				bodies = append(bodies, bad.body)
			}
		}
		// Also what is refused for its signature: format B is, here.
		for _, signingSecret := range []string{"", signingSecret} {
			h := newHandler(t, down, valid(credential.Secret{Token: token, SigningSecret: signingSecret}), nil)
			for _, body := range bodies {
				if got := h.Handle(t.Context(), post(body)); got.Status < 500 {
					t.Errorf("table: %v: answered %d %.100s to %.100s", fault, got.Status, got.Body, body)
				}
			}
		}
		h := newHandler(t, &tabletest.Memory{}, stale(nil, fmt.Errorf("AWSCURRENT: %w", fault), credential.Secret{Token: token}), nil)
		r := post(sample(t, "call.missed"))
		r.Path = "/justcall/" + newToken
		if got := h.Handle(t.Context(), r); got.Status < 500 {
			t.Errorf("secret: %v: answered %d to a token that may be right", fault, got.Status)
		}
	}
}

func TestPromise2_StoredOnceUnderConcurrentRedeliveries(t *testing.T) {
	t.Parallel()
	store := &tabletest.Memory{}
	h := newHandler(t, store, valid(credential.Secret{Token: token}), nil)
	var (
		all     sync.WaitGroup
		mu      sync.Mutex
		answers = map[string]int{}
	)
	for range 50 {
		all.Go(func() {
			got := h.Handle(t.Context(), post(sample(t, "voicemail.received")))
			mu.Lock()
			defer mu.Unlock()
			answers[fmt.Sprintf("%d %s", got.Status, got.Body)]++
		})
	}
	all.Wait()
	store.One(t)
	want := map[string]int{
		`200 {"status":"stored","key":"CALL#call_1d4e5f6a"}`:    1,
		`200 {"status":"duplicate","key":"CALL#call_1d4e5f6a"}`: 49,
	}
	if diff := cmp.Diff(want, answers); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

func TestPromise2_ALostResponseIsOurOwnWrite(t *testing.T) {
	t.Parallel()
	store, lost := &tabletest.Memory{}, true
	h := newHandler(t, tabletest.PutFunc(func(ctx context.Context, item table.Item) (bool, error) {
		created, err := store.Put(ctx, item)
		if lost {
			lost = false
			return false, fmt.Errorf("put item: %w", table.ErrUnavailable)
		}
		return created, err
	}), valid(credential.Secret{Token: token}), nil)
	var got []string
	for range 2 {
		answer := h.Handle(t.Context(), post(sample(t, "call.missed")))
		got = append(got, fmt.Sprintf("%d %s", answer.Status, answer.Body))
	}
	want := []string{"503 " + sendAgain, `200 {"status":"duplicate","key":"CALL#call_1d4e5f6a"}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	store.One(t)
}

// Deliveries that say different things are different items: one that is taken for
// a duplicate by mistake would be answered 200 and lost.
func TestPromise3_NothingIsDroppedBecauseItIsNew(t *testing.T) {
	t.Parallel()
	for name, bodies := range map[string][]string{
		"unknown types": {
			`{"event":"fax.received","timestamp":"2026-03-12T14:30:00Z","data":{"pages":3}}`,
			`{"event":"fax.sent","timestamp":"2026-03-12T14:30:00Z","data":{"pages":3}}`,
			`{"type":"fax.received","data":{"pages":3}}`,
			`{"data":{"type":"fax","pages":3}}`,
		},
		"unknown members of the data": {
			`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":{"call_id":"c1"}}`,
			`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":{"call_id":"c1","queue":"sales"}}`,
			`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":{"call_id":"c1","queue":"support"}}`,
		},
		"data of another shape": {
			`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":"c1"}`,
			`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":"c2"}`,
			`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":["c1"]}`,
			`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":{"call":{"id":"c1"}}}`,
			`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":{"call":{"id":"c2"}}}`,
		},
		"members beside no data": {
			`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","call_id":"c1"}`,
			`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","call_id":"c2"}`,
		},
		"members beside null data": {
			`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":null,"call_id":"c1"}`,
			`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":null,"call_id":"c2"}`,
		},
		"members beside an empty text": {
			`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":"","call_id":"c1"}`,
			`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":"","call_id":"c2"}`,
		},
		"members beside an empty list with space in it": {
			`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":[ ],"call_id":"c1"}`,
			`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":[ ],"call_id":"c2"}`,
		},
		"members beside an empty object with space in it": {
			`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":{ },"call_id":"c1"}`,
			`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":{ },"call_id":"c2"}`,
		},
		"members beside empty data": {
			`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":{},"payload":{"call_id":"c1"}}`,
			`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":{},"payload":{"call_id":"c2"}}`,
		},
		"members of a call without a type": {
			`{"call_id":"c1","from":"+14155550123","status":"missed"}`,
			`{"call_id":"c2","from":"+14155550123","status":"missed"}`,
		},
		"times that cannot be read": {
			`{"event":"call.answered","timestamp":"12 March, noon","data":{"call_id":"c1","agent_id":1}}`,
			`{"event":"call.answered","timestamp":"12 March, noon","data":{"call_id":"c1","agent_id":2}}`,
		},
		"numbers that a float cannot tell apart": {
			`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":{"call_id":"c1","n":9007199254740993}}`,
			`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":{"call_id":"c1","n":9007199254740992}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &tabletest.Memory{}
			h := newHandler(t, store, valid(credential.Secret{Token: token}), nil)
			var kept []string
			for _, body := range bodies {
				if got := h.Handle(t.Context(), post(body)); got.Status != http.StatusOK {
					t.Errorf("response %d %s to %s", got.Status, got.Body, body)
				}
			}
			for _, item := range store.Items() {
				kept = append(kept, payload(t, item))
			}
			slices.Sort(kept)
			slices.Sort(bodies)
			if diff := cmp.Diff(bodies, kept); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPromise3_AChangedShapeStaysVisible(t *testing.T) {
	t.Parallel()
	store := &tabletest.Memory{}
	newHandler(t, store, valid(credential.Secret{Token: token}), nil).Handle(t.Context(),
		post(`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":{"call_id":"c1","agent_id":{"id":7},"queue":"sales"},"region":"eu"}`))
	item := store.One(t)
	got := map[string]any{
		"kind":       text(item[table.Kind]),
		"alert":      string(table.AlertOf(item)),
		"mismatches": namesIn(item, table.TypeMismatches),
		"new":        namesIn(item, table.NewFields),
	}
	want := map[string]any{
		"kind":       "missed_call",
		"alert":      "missed_call",
		"mismatches": []string{"agent_id"},
		"new":        []string{"region", "queue"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("item (-want +got):\n%s", diff)
	}
}

func TestPromise4_NoOrderCanChangeTheOutcome(t *testing.T) {
	t.Parallel()
	all := samples(t)
	inOrder := slices.Sorted(maps.Keys(all))
	logger := logscan.Logger(t, token) // one for all: each is scanned by itself
	// deliver returns the table, without the times of arrival.
	deliver := func(t require, names []string) map[table.Key]table.Item {
		t.Helper()
		store, arrivals := &tabletest.Memory{}, 0
		h := ingest.New(store, valid(credential.Secret{Token: token}), logger)
		h.Now = func() time.Time {
			arrivals++
			return now.Add(time.Duration(arrivals) * time.Minute)
		}
		for _, name := range names {
			if got := h.Handle(context.Background(), post(all[name])); got.Status != http.StatusOK {
				t.Fatalf("%s: response %d %s", name, got.Status, got.Body)
			}
		}
		byKey := map[table.Key]table.Item{}
		for _, item := range store.Items() {
			delete(item, table.ReceivedAt)
			byKey[table.Key{PK: table.Text(item, table.PK), SK: table.Text(item, table.SK)}] = item
		}
		return byKey
	}

	want := deliver(t, inOrder)
	if len(want) != len(inOrder) {
		t.Fatalf("%d items of %d samples", len(want), len(inOrder))
	}
	rapid.Check(t, func(t *rapid.T) {
		again := rapid.SliceOfN(rapid.SampledFrom(inOrder), 0, 20).Draw(t, "repeated")
		order := rapid.Permutation(append(again, inOrder...)).Draw(t, "order")
		if got := deliver(t, order); !reflect.DeepEqual(want, got) {
			t.Errorf("table (-in order +in this order):\n%s", cmp.Diff(want, got))
		}
	})
}

func TestPromise5_OneBadRecordCannotStopTheOthers(t *testing.T) {
	t.Parallel()
	store := &tabletest.Memory{}
	h := newHandler(t, store, valid(credential.Secret{Token: token}), nil)
	for _, bad := range badInputs() {
		h.Handle(t.Context(), post(bad.body))
	}
	for name, body := range samples(t) {
		if got := h.Handle(t.Context(), post(body)); got.Status != http.StatusOK || !strings.Contains(string(got.Body), "stored") {
			t.Errorf("%s: response %d %s", name, got.Status, got.Body)
		}
	}
	for _, bad := range badInputs() {
		if bad.pk == "" && !slices.ContainsFunc(store.Items(), func(item table.Item) bool {
			return text(item[table.PK]) == "REJECTED#2026-03-12" && payload(t, item) == bad.body
		}) {
			t.Errorf("%s: not kept whole", bad.name)
		}
	}
}

// secretsManager is a secret that rotates and can be out of reach.
type secretsManager struct {
	current, previous string
	since             time.Time
	down              bool
}

func (s *secretsManager) Call(_ context.Context, _ string, request []byte) ([]byte, error) {
	found := s.previous
	if bytes.Contains(request, []byte(`"AWSCURRENT"`)) {
		found = s.current
	}
	switch {
	case s.down:
		return nil, errors.New("no route to host")
	case found == "":
		return nil, &awsclient.APIError{Code: "ResourceNotFoundException"}
	}
	return fmt.Appendf(nil, `{"SecretString":%s,"CreatedDate":%d}`, quote(found), s.since.Unix()), nil
}

func (s *secretsManager) rotate(token, signingSecret string) {
	s.previous, s.current, s.since = s.current, `{"token":`+quote(token)+`,"signing_secret":`+quote(signingSecret)+`}`, time.Now()
}

func TestPromise7_RotationLosesNothing(t *testing.T) {
	t.Parallel()
	const grace = 72 * time.Hour
	// deliver posts with a token, signed with a secret, and returns the status.
	deliver := func(t *testing.T, h *ingest.Handler, token, secret string) int {
		t.Helper()
		r := signed(post(missedB), secret, base+"/justcall/"+token, "call.missed", time.Now())
		r.Path, r.URL = "/justcall/"+token, base+"/justcall/"+token
		return h.Handle(t.Context(), r).Status
	}
	start := func(t *testing.T) (*secretsManager, *ingest.Handler) {
		t.Helper()
		secret := &secretsManager{}
		secret.rotate(token, signingSecret)
		source, err := credential.New(t.Context(), secret, "arn", grace)
		if err != nil {
			t.Fatal(err)
		}
		h := newHandler(t, &tabletest.Memory{}, source, nil)
		h.Now = time.Now
		return secret, h
	}

	t.Run("old and new are both taken until the grace is over", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			secret, h := start(t)
			secret.rotate(newToken, "newer")
			for range int(grace / (20 * time.Minute)) {
				if got := deliver(t, h, token, signingSecret); got != http.StatusOK {
					t.Fatalf("with the old token: %d", got)
				}
				time.Sleep(20 * time.Minute)
				if got := deliver(t, h, newToken, "newer"); got != http.StatusOK {
					t.Fatalf("with the new token: %d", got)
				}
			}
			time.Sleep(time.Minute) // until then it could be a new one
			if got := deliver(t, h, token, signingSecret); got != http.StatusUnauthorized {
				t.Errorf("with the old token, when the grace is over: %d, want 401", got)
			}
		})
	})
	t.Run("the new token is taken a minute after the rotation", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			secret, h := start(t)
			secret.rotate(newToken, signingSecret)
			time.Sleep(time.Minute)
			if got := deliver(t, h, newToken, signingSecret); got != http.StatusOK {
				t.Errorf("with the new token: %d, want 200", got)
			}
		})
	})
	t.Run("while the secret cannot be read, who may be right is told to come back", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			secret, h := start(t)
			secret.rotate(newToken, "newer")
			secret.down = true
			for range 100 {
				time.Sleep(13 * time.Second)
				if got := deliver(t, h, token, signingSecret); got != http.StatusOK {
					t.Fatalf("with the old token: %d, want 200", got)
				}
				if time.Since(secret.since) < time.Minute {
					continue // read less than a minute ago
				}
				if got := deliver(t, h, newToken, "newer"); got != http.StatusServiceUnavailable {
					t.Fatalf("with the new token: %d, want 503", got)
				}
				if got := deliver(t, h, token, "newer"); got != http.StatusServiceUnavailable {
					t.Fatalf("with the new signing secret: %d, want 503", got)
				}
			}
			secret.down = false
			time.Sleep(time.Minute)
			if got := deliver(t, h, newToken, "newer"); got != http.StatusOK {
				t.Errorf("with the new token, when the secret can be read again: %d, want 200", got)
			}
		})
	})
}

func TestPromise8_LogsCarryNothingPrivate(t *testing.T) {
	t.Parallel()
	log := &bytes.Buffer{}
	secrets := map[string]bool{}
	for _, secret := range []string{token, previousToken, newToken, wrongToken, signingSecret, previousSigningSecret, private, "+14155550177"} {
		secrets[secret] = true
	}
	handlers := []*ingest.Handler{
		newHandler(t, &tabletest.Memory{}, valid(credential.Secret{Token: token}), log),
		newHandler(t, &tabletest.Memory{}, valid(credential.Secret{Token: token, SigningSecret: signingSecret}, credential.Secret{Token: previousToken, SigningSecret: previousSigningSecret}), log),
		newHandler(t, &tabletest.Memory{}, stale(nil, credential.ErrUnavailable), log),
	}
	for _, fault := range []error{table.ErrUnavailable, table.ErrTooLarge, table.ErrValue, context.DeadlineExceeded, errors.New("AccessDeniedException")} {
		handlers = append(handlers, newHandler(t, failing(fmt.Errorf("put item: %w", fault)), valid(credential.Secret{Token: token}), log))
	}

	var requests []ingest.Request
	deliver := func(body string, typ events.Type) {
		r := post(body)
		badEncoding := r
		badEncoding.BodyErr = ingest.ErrBodyEncoding
		wrong := r
		wrong.Path = "/justcall/" + wrongToken
		lost := r
		lost.Path += "/" + private
		put := r
		put.Method = http.MethodPut
		noise := r
		noise.Headers = map[string]string{events.HeaderSignature: private, events.HeaderRequestTimestamp: private, "authorization": private, "user-agent": private}
		noise.URL += "?name=" + private
		requests = append(requests, r, badEncoding, wrong, lost, put, noise,
			signed(r, signingSecret, r.URL, typ, now),
			signed(r, wrongToken, r.URL, typ, now),
			signed(r, signingSecret, r.URL, typ, now.Add(-24*time.Hour)))
	}
	for _, body := range samples(t) {
		collect(t, body, secrets)
		deliver(body, typeOf(t, body))
	}
	for _, bad := range badInputs() {
		if len(bad.body) < 10<<10 { // what is long takes its time and says no more
			deliver(bad.body, "call.missed")
		}
	}
	handled := 0
	for i, h := range handlers {
		for j, r := range requests {
			if i < 3 || j%7 == i%7 { // of what fails for the table's sake, a part
				h.Handle(t.Context(), r)
				handled++
			}
		}
	}

	if lines := strings.Count(log.String(), "\n"); lines != handled {
		t.Errorf("%d log lines for %d requests", lines, handled)
	}
	if len(secrets) < 30 {
		t.Fatalf("only %d private texts in the samples", len(secrets))
	}
	lower := strings.ToLower(log.String())
	for secret := range secrets {
		if at := strings.Index(lower, strings.ToLower(secret)); at >= 0 {
			start := strings.LastIndexByte(lower[:at], '\n') + 1
			line, _, _ := strings.Cut(log.String()[start:], "\n")
			t.Errorf("%q stands in the log: %s", secret, line)
		}
	}
}

// collect adds what is private in a payload: the text of every member that has a
// number, a name, an address or somebody's words, and the bare digits of numbers.
func collect(t *testing.T, body string, secrets map[string]bool) {
	t.Helper()
	personal := strings.Fields(`from to phone contact_number justcall_number sales_dialer_number other_numbers
		first_name last_name name contact_name agent_name company email contact_email agent_email
		body notes disposition transcription voicemail_transcription call_transcription call_summary
		recording recording_url recording_child media_url webhook_url`)
	var walk func(name string, v any)
	walk = func(name string, v any) {
		switch v := v.(type) {
		case string:
			if slices.Contains(personal, name) && len(v) > 3 {
				secrets[v] = true
				if number := events.PhoneNumber(v); number != "" {
					secrets[number[1:]] = true
				}
			}
		case []any:
			for _, element := range v {
				walk(name, element)
			}
		case map[string]any:
			for member, element := range v {
				walk(member, element)
			}
		}
	}
	var all any
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		t.Fatal(err)
	}
	walk("", all)
}

func TestPromise9_OneWritePerDelivery(t *testing.T) {
	t.Parallel()
	for name, body := range samples(t) {
		store := &tabletest.Memory{}
		h := newHandler(t, store, valid(credential.Secret{Token: token}), nil)
		for delivery := 1; delivery <= 3; delivery++ {
			h.Handle(t.Context(), post(body))
			// An [ingest.Putter] has no way to read.
			if store.Puts() != delivery {
				t.Errorf("%s: %d writes for %d deliveries", name, store.Puts(), delivery)
			}
		}
	}
}
