package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
)

const (
	refused   = `{"error":"unauthorized"}`
	probed    = `{"status":"probe"}`
	sendAgain = `{"error":"not stored, send it again"}`
	ourFault  = `{"error":"not stored, internal error"}`
	noPath    = `{"error":"no such path: webhooks are posted to /justcall/{token}"}`
	noMethod  = `{"error":"method not allowed: use POST"}`
)

// Every row of the status table of the design, in its order.
func TestAnswers(t *testing.T) {
	t.Parallel()
	var (
		missed   = sample(t, "call.missed")
		received = post(missed)

		plain   = credential.Secret{Token: token}
		signing = credential.Secret{Token: token, SigningSecret: signingSecret}

		missedB  = `{"type":"call.missed","request_id":"01KKXGP6DQG3JM67BC8CAWYFAD","webhook_url":"https://attacker.example/","data":{"call_sid":"CA01","call_date":"2026-03-12","call_time":"14:58:00"}}`
		signedAt = func(at time.Time) ingest.Request {
			return signed(post(missedB), signingSecret, base+"/justcall/"+token, "call.missed", at)
		}
		withHeader = func(r ingest.Request, name, value string) ingest.Request {
			r = signed(r, signingSecret, r.URL, "call.missed", now)
			r.Headers[name] = value
			return r
		}
		badBase64 = func() ingest.Request {
			r := post("***")
			r.BodyErr = ingest.ErrBodyEncoding
			return r
		}()
		large = strings.Repeat("x", ingest.MaxBody+1)
	)

	for _, tc := range []struct {
		name        string
		credentials *credentials      // right token, no signatures, if nil
		store       tabletest.PutFunc // one that works, if nil
		before      []ingest.Request
		request     ingest.Request

		status int
		body   string
		allow  string
		puts   int
		event  string // PK of the event that is kept
		reason string // of the rejection that is kept
	}{
		// The probe that JustCall sends when a URL is saved.
		{name: "GET with the right token", request: request(http.MethodGet, "/justcall/"+token), status: 200, body: probed},
		{name: "GET with a slash behind the token", request: request(http.MethodGet, "/justcall/"+token+"/"), status: 200, body: probed},
		{name: "HEAD with the right token", request: request(http.MethodHead, "/justcall/"+token), status: 200},
		{name: "GET with a body is a probe", request: func() ingest.Request { r := post(missed); r.Method = http.MethodGet; return r }(), status: 200, body: probed},
		{name: "POST without a body", request: post(""), status: 200, body: probed},
		{name: "POST of white space", request: post(" \r\n\t"), status: 200, body: probed},
		{name: "POST of {}", request: post(`{}`), status: 200, body: probed},
		{name: "POST of { }", request: post("\n{ }\n"), status: 200, body: probed},
		{name: "POST of a type and no data", request: post(`{"event":"call.completed"}`), status: 200, body: probed},
		{name: "POST of a type and a timestamp", request: post(`{"event":"call.completed","timestamp":"2026-03-12T14:30:00Z"}`), status: 200, body: probed},
		{name: "POST of empty data", request: post(`{"event":"call.completed","timestamp":"2026-03-12T14:30:00Z","data":{ }}`), status: 200, body: probed},
		{name: "POST of null data", request: post(`{"event":"call.completed","data":null}`), status: 200, body: probed},
		{name: "POST of an empty list for data", request: post(`{"event":"call.completed","data":[]}`), status: 200, body: probed},
		{name: "POST of an empty text for data", request: post(`{"event":"call.completed","data":""}`), status: 200, body: probed},
		{name: "POST of an empty list", request: post(`[]`), status: 200, body: probed},
		{name: "POST of a test", request: post(`{"event":"call.completed","data":{"test":true}}`), status: 200, body: probed},
		{name: "POST of empty data and no type", request: post(`{"data":{}}`), status: 200, body: probed},
		{name: "POST of empty data in format B", request: post(`{"type":"call.completed","request_id":"01KKXGP6DQG3JM67BC8CAWYFAD","webhook_url":"https://example.com","url_id":17,"metadata":{},"data":{}}`), status: 200, body: probed},
		{name: "a probe needs no signature", credentials: new(valid(signing)), request: post(`{"type":"call.completed","data":{}}`), status: 200, body: probed},

		// What is an event.
		{name: "stored", request: received, status: 200, body: `{"status":"stored","key":"CALL#call_1d4e5f6a"}`, puts: 1, event: "CALL#call_1d4e5f6a"},
		{name: "stored with the previous token", credentials: new(valid(plain, credential.Secret{Token: previousToken})), request: func() ingest.Request { r := post(missed); r.Path = "/justcall/" + previousToken; return r }(), status: 200, body: `{"status":"stored","key":"CALL#call_1d4e5f6a"}`, puts: 1, event: "CALL#call_1d4e5f6a"},
		{name: "stored with a slash behind the token", request: func() ingest.Request { r := post(missed); r.Path += "/"; return r }(), status: 200, body: `{"status":"stored","key":"CALL#call_1d4e5f6a"}`, puts: 1, event: "CALL#call_1d4e5f6a"},
		{name: "stored without a content type", request: func() ingest.Request { r := post(missed); r.Headers = nil; return r }(), status: 200, body: `{"status":"stored","key":"CALL#call_1d4e5f6a"}`, puts: 1, event: "CALL#call_1d4e5f6a"},
		{name: "duplicate", before: []ingest.Request{received}, request: received, status: 200, body: `{"status":"duplicate","key":"CALL#call_1d4e5f6a"}`, puts: 1, event: "CALL#call_1d4e5f6a"},
		{name: "unknown type", request: post(`{"event":"call.transferred","timestamp":"2026-03-12T14:30:00Z","data":{"call_id":"c1","to_agent":7}}`), status: 200, body: `{"status":"stored","key":"CALL#c1"}`, puts: 1, event: "CALL#c1"},
		{name: "unknown type without an id", request: post(`{"event":"fax.received","timestamp":"2026-03-12T14:30:00Z","data":{"pages":3}}`), status: 200, body: `{"status":"stored","key":"EVENT#fax.received"}`, puts: 1, event: "EVENT#fax.received"},
		{name: "legacy form", request: post(`{"data":{"type":"missed","call_id":"c1"}}`), status: 200, body: `{"status":"stored","key":"CALL#c1"}`, puts: 1, event: "CALL#c1"},
		{name: "a member of another type", request: post(`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":{"call_id":"c1","agent_id":{"id":1},"from":[]}}`), status: 200, body: `{"status":"stored","key":"CALL#c1"}`, puts: 1, event: "CALL#c1"},
		{name: "data that is not an object", request: post(`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","data":"c1"}`), status: 200, body: `{"status":"stored","key":"EVENT#call.missed"}`, puts: 1, event: "EVENT#call.missed"},
		{name: "no data, but members of its own", request: post(`{"event":"call.missed","timestamp":"2026-03-12T14:30:00Z","call_id":"c1"}`), status: 200, body: `{"status":"stored","key":"CALL#c1"}`, puts: 1, event: "CALL#c1"},
		{name: "signed", credentials: new(valid(signing)), request: signedAt(now), status: 200, body: `{"status":"stored","key":"CALL#CA01"}`, puts: 1, event: "CALL#CA01"},

		// Wrong or missing token: always the same.
		{name: "another token", request: func() ingest.Request { r := post(missed); r.Path = "/justcall/" + wrongToken; return r }(), status: 401, body: refused},
		{name: "GET with another token", request: request(http.MethodGet, "/justcall/"+wrongToken), status: 401, body: refused},
		{name: "HEAD with another token", request: request(http.MethodHead, "/justcall/"+wrongToken), status: 401},
		{name: "no token", request: func() ingest.Request { r := post(missed); r.Path = "/justcall"; return r }(), status: 401, body: refused},
		{name: "an empty token", request: func() ingest.Request { r := post(missed); r.Path = "/justcall/"; return r }(), status: 401, body: refused},
		{name: "GET without a token", request: request(http.MethodGet, "/justcall"), status: 401, body: refused},
		{name: "the beginning of the token", request: func() ingest.Request { r := post(missed); r.Path = "/justcall/" + token[:20]; return r }(), status: 401, body: refused},
		{name: "the token in capitals", request: func() ingest.Request { r := post(missed); r.Path = "/justcall/" + strings.ToUpper(token); return r }(), status: 401, body: refused},
		{name: "the token in the query only", request: func() ingest.Request {
			r := post(missed)
			r.Path, r.URL = "/justcall", base+"/justcall?"+token
			return r
		}(), status: 401, body: refused},
		{name: "the signing secret for a token", credentials: new(valid(signing)), request: func() ingest.Request { r := post(missed); r.Path = "/justcall/" + signingSecret; return r }(), status: 401, body: refused},
		{name: "another token and a bad body", request: func() ingest.Request { r := post("{"); r.Path = "/justcall/" + wrongToken; return r }(), status: 401, body: refused},
		{name: "another token and a bad encoding", request: func() ingest.Request { r := badBase64; r.Path = "/justcall/" + wrongToken; return r }(), status: 401, body: refused},
		{name: "another token and a large body", request: func() ingest.Request { r := post(large); r.Path = "/justcall/" + wrongToken; return r }(), status: 401, body: refused},
		{name: "another token and a right signature", credentials: new(valid(signing)), request: func() ingest.Request { r := signedAt(now); r.Path = "/justcall/" + wrongToken; return r }(), status: 401, body: refused},
		{name: "another token, and nothing newer to read", credentials: new(stale(credential.Secrets{plain}, nil, plain)), request: func() ingest.Request { r := post(missed); r.Path = "/justcall/" + wrongToken; return r }(), status: 401, body: refused},

		// Right token, signature wrong or stale.
		{name: "signature missing", credentials: new(valid(signing)), request: post(missedB), status: 401, body: refused, puts: 1, reason: "signature: missing"},
		{name: "signature without its timestamp", credentials: new(valid(signing)), request: withHeader(post(missedB), events.HeaderRequestTimestamp, ""), status: 401, body: refused, puts: 1, reason: "signature: missing"},
		{name: "signature wrong", credentials: new(valid(signing)), request: withHeader(post(missedB), events.HeaderSignature, strings.Repeat("0", 64)), status: 401, body: refused, puts: 1, reason: "signature: mismatch"},
		{name: "signature of another secret", credentials: new(valid(signing)), request: signed(post(missedB), wrongToken, base+"/justcall/"+token, "call.missed", now), status: 401, body: refused, puts: 1, reason: "signature: mismatch"},
		{name: "signature of another type", credentials: new(valid(signing)), request: signed(post(missedB), signingSecret, base+"/justcall/"+token, "call.completed", now), status: 401, body: refused, puts: 1, reason: "signature: mismatch"},
		{name: "signature that is not hex", credentials: new(valid(signing)), request: withHeader(post(missedB), events.HeaderSignature, "none"), status: 401, body: refused, puts: 1, reason: "signature: malformed"},
		{name: "signature of another version", credentials: new(valid(signing)), request: withHeader(post(missedB), events.HeaderSignatureVersion, "v2"), status: 401, body: refused, puts: 1, reason: "signature: unknown version"},
		{name: "signature of three hours and a second ago", credentials: new(valid(signing)), request: signedAt(now.Add(-3*time.Hour - time.Second)), status: 401, body: refused, puts: 1, reason: "signature: request timestamp outside the tolerance"},
		{name: "signature of three hours ago is right", credentials: new(valid(signing)), request: signedAt(now.Add(-3 * time.Hour)), status: 200, body: `{"status":"stored","key":"CALL#CA01"}`, puts: 1, event: "CALL#CA01"},
		{name: "signature of in five minutes and a second", credentials: new(valid(signing)), request: signedAt(now.Add(5*time.Minute + time.Second)), status: 401, body: refused, puts: 1, reason: "signature: request timestamp outside the tolerance"},
		{name: "signature of in five minutes is right", credentials: new(valid(signing)), request: signedAt(now.Add(5 * time.Minute)), status: 200, body: `{"status":"stored","key":"CALL#CA01"}`, puts: 1, event: "CALL#CA01"},

		// Right token, a body that cannot be read.
		{name: "not JSON", request: post("words"), status: 400, body: `{"error":"payload: not valid JSON at byte 0"}`, puts: 1, reason: "payload: not valid JSON at byte 0"},
		{name: "cut short", request: post(`{"event":"call.missed"`), status: 400, body: `{"error":"payload: not valid JSON at byte 22"}`, puts: 1, reason: "payload: not valid JSON at byte 22"},
		{name: "more behind the end", request: post(`{}[]`), status: 400, body: `{"error":"payload: not valid JSON: more follows the end"}`, puts: 1, reason: "payload: not valid JSON: more follows the end"},
		{name: "not an object", request: post(`["call.missed"]`), status: 400, body: `{"error":"payload: not a JSON object"}`, puts: 1, reason: "payload: not a JSON object"},
		{name: "no type", request: post(`{"data":{"a":"c1"}}`), status: 400, body: `{"error":"payload: no event type (event, type or data.type)"}`, puts: 1, reason: "payload: no event type (event, type or data.type)"},
		{name: "no type and no data, but something", request: post(`{"a":"c1"}`), status: 200, body: `{"status":"probe"}`, puts: 1, reason: "payload: no event type (event, type or data.type) and no data"},
		{name: "no type and no data, but something that cannot be kept", store: failing(fmt.Errorf("put item: %w", table.ErrUnavailable)), request: post(`{"a":"c1"}`), status: 503, body: sendAgain, puts: 1},
		{name: "bad base64", request: badBase64, status: 400, body: `{"error":"payload: not valid base64"}`, puts: 1, reason: "payload: not valid base64"},
		{name: "nested too deep", request: post(strings.Repeat(`{"data":`, 64) + "{}" + strings.Repeat("}", 64)), status: 400, body: `{"error":"payload: nested deeper than 64 levels"}`, puts: 1, reason: "payload: nested deeper than 64 levels"},
		{name: "not UTF-8", request: post("\x1f\x8b\xff"), status: 400, body: `{"error":"payload: not valid UTF-8"}`, puts: 1, reason: "payload: not valid UTF-8"},
		{name: "a bad body needs no signature to be bad", credentials: new(valid(signing)), request: post("{"), status: 400, body: `{"error":"payload: not valid JSON at byte 1"}`, puts: 1, reason: "payload: not valid JSON at byte 1"},

		// Over the size limit.
		{name: "over the size limit", request: post(large), status: 413, body: `{"error":"delivery too large to store"}`},
		{name: "over the table's limit", store: failing(fmt.Errorf("put item: %w", table.ErrTooLarge)), request: received, status: 413, body: `{"error":"delivery too large to store"}`, puts: 1},
		{name: "a rejection over the table's limit", store: failing(fmt.Errorf("put item: %w", table.ErrTooLarge)), request: post("{"), status: 413, body: `{"error":"delivery too large to store"}`, puts: 1},

		// Other methods and paths.
		{name: "PUT", request: request(http.MethodPut, "/justcall/"+token), status: 405, body: noMethod, allow: "GET, HEAD, POST"},
		{name: "DELETE", request: request(http.MethodDelete, "/justcall/"+token), status: 405, body: noMethod, allow: "GET, HEAD, POST"},
		{name: "PATCH", request: request(http.MethodPatch, "/justcall/"+token), status: 405, body: noMethod, allow: "GET, HEAD, POST"},
		{name: "OPTIONS", request: request(http.MethodOptions, "/justcall/"+token), status: 405, body: noMethod, allow: "GET, HEAD, POST"},
		{name: "post in lower case", request: request("post", "/justcall/"+token), status: 405, body: noMethod, allow: "GET, HEAD, POST"},
		{name: "PUT without the token", request: request(http.MethodPut, "/justcall/"+wrongToken), status: 405, body: noMethod, allow: "GET, HEAD, POST"},
		{name: "the root", request: request(http.MethodPost, "/"), status: 404, body: noPath},
		{name: "no path", request: request(http.MethodPost, ""), status: 404, body: noPath},
		{name: "another path", request: request(http.MethodGet, "/favicon.ico"), status: 404, body: noPath},
		{name: "a path that begins as ours", request: request(http.MethodPost, "/justcalls/"+token), status: 404, body: noPath},
		{name: "a path below ours", request: request(http.MethodPost, "/justcall/"+token+"/x"), status: 404, body: noPath},
		{name: "a path above ours", request: request(http.MethodPost, "/justcall/x/"+token), status: 404, body: noPath},
		{name: "our path in capitals", request: request(http.MethodPost, "/JustCall/"+token), status: 404, body: noPath},
		{name: "two slashes", request: request(http.MethodPost, "/justcall//"+token), status: 404, body: noPath},
		{name: "HEAD of another path", request: request(http.MethodHead, "/"), status: 404},
		{name: "PUT to another path", request: request(http.MethodPut, "/"), status: 404, body: noPath},

		// The table throttles, times out, is down.
		{name: "table unavailable", store: failing(fmt.Errorf("put item: %w: ThrottlingException", table.ErrUnavailable)), request: received, status: 503, body: sendAgain, puts: 1},
		{name: "table out of time", store: failing(fmt.Errorf("put item: %w", context.DeadlineExceeded)), request: received, status: 503, body: sendAgain, puts: 1},
		{name: "rejection of a bad body that cannot be kept", store: failing(fmt.Errorf("put item: %w", table.ErrUnavailable)), request: post("{"), status: 503, body: sendAgain, puts: 1},
		{name: "rejection of a bad encoding that cannot be kept", store: failing(fmt.Errorf("put item: %w", table.ErrUnavailable)), request: badBase64, status: 503, body: sendAgain, puts: 1},
		{name: "rejection of a bad signature that cannot be kept", credentials: new(valid(signing)), store: failing(fmt.Errorf("put item: %w", table.ErrUnavailable)), request: post(missedB), status: 503, body: sendAgain, puts: 1},
		{name: "token misses and the secret cannot be read", credentials: new(stale(nil, fmt.Errorf("%w: AWSCURRENT: no route", credential.ErrUnavailable), plain)), request: func() ingest.Request { r := post(missed); r.Path = "/justcall/" + newToken; return r }(), status: 503, body: sendAgain},
		{name: "signature misses and the secret cannot be read", credentials: new(stale(nil, fmt.Errorf("%w: AWSCURRENT: no route", credential.ErrUnavailable), signing)), request: withHeader(post(missedB), events.HeaderSignature, strings.Repeat("0", 64)), status: 503, body: sendAgain},

		// Anything else of ours.
		{name: "no such table", store: failing(errors.New("put item: ResourceNotFoundException")), request: received, status: 500, body: ourFault, puts: 1},
		{name: "an item that the table cannot hold", store: failing(fmt.Errorf("put item: %w", table.ErrValue)), request: received, status: 500, body: ourFault, puts: 1},
		{name: "a key that the table cannot hold", store: failing(fmt.Errorf("put item: %w", table.ErrKey)), request: received, status: 500, body: ourFault, puts: 1},
		{name: "rejection that cannot be kept, for another reason", store: failing(errors.New("put item: AccessDeniedException")), request: post("{"), status: 500, body: ourFault, puts: 1},
		{name: "token misses and the secret is damaged", credentials: new(stale(nil, fmt.Errorf("AWSCURRENT: %w: token is missing", credential.ErrSecret), plain)), request: func() ingest.Request { r := post(missed); r.Path = "/justcall/" + newToken; return r }(), status: 503, body: sendAgain},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			kept, puts, log := &tabletest.Memory{}, 0, &bytes.Buffer{}
			store := tabletest.PutFunc(func(ctx context.Context, item table.Item) (bool, error) {
				puts++
				if tc.store != nil {
					return tc.store(ctx, item)
				}
				return kept.Put(ctx, item)
			})
			source := valid(plain)
			if tc.credentials != nil {
				source = *tc.credentials
			}
			h := newHandler(t, store, source, log)
			for _, r := range tc.before {
				_ = h.Handle(t.Context(), r)
			}
			if tc.reason != "" {
				kept = &tabletest.Memory{} // only this rejection counts
			}
			puts = 0
			log.Reset()
			got := h.Handle(t.Context(), tc.request)

			want := ingest.Response{Status: tc.status, Allow: tc.allow}
			if tc.body != "" {
				want.Body = []byte(tc.body)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("response (-want +got):\n%s\nbody: %s", diff, got.Body)
			}
			if puts != tc.puts {
				t.Errorf("%d writes, want %d", puts, tc.puts)
			}
			switch {
			case tc.event != "":
				item := kept.One(t)
				if diff := cmp.Diff(tc.event, text(item[table.PK])); diff != "" {
					t.Errorf("PK (-want +got):\n%s", diff)
				}
				if payload(t, item) != string(tc.request.Body) {
					t.Error("the payload is not the body")
				}
			case tc.reason != "":
				if diff := cmp.Diff(rejected(tc.request, tc.reason), rejectionOf(t, kept.One(t))); diff != "" {
					t.Errorf("rejection (-want +got):\n%s", diff)
				}
			default:
				if all := kept.Items(); len(all) != 0 {
					t.Errorf("%d items kept, want none", len(all))
				}
			}
			if lines := strings.Count(log.String(), "\n"); lines != 1 {
				t.Errorf("%d log lines, want one:\n%s", lines, log)
			}
			var line struct {
				Status int    `json:"status"`
				Bytes  int    `json:"bytes"`
				Digest string `json:"digest"`
			}
			if err := json.Unmarshal(log.Bytes(), &line); err != nil {
				t.Fatalf("log line %s: %v", log, err)
			}
			wantLine := line
			wantLine.Status = tc.status
			if tc.status == http.StatusRequestEntityTooLarge {
				wantLine.Bytes, wantLine.Digest = len(tc.request.Body), digest(tc.request.Body)
			}
			if diff := cmp.Diff(wantLine, line); diff != "" {
				t.Errorf("log line (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAStoredItemHoldsWhatIsKnown(t *testing.T) {
	t.Parallel()
	store := &tabletest.Memory{}
	newHandler(t, store, valid(credential.Secret{Token: token}), nil).Handle(t.Context(), post(sample(t, "call.missed")))
	item := store.One(t)
	got := map[string]string{}
	for name := range item {
		if name != table.Packed {
			got[name] = text(item[name])
		}
	}
	got[table.SK] = strings.TrimRight(got[table.SK], "0123456789abcdef")
	want := map[string]string{
		"PK": "CALL#call_1d4e5f6a", "SK": "EVENT#2026-03-12T14:32:00.000Z#call.missed#",
		"GSI1PK": "PHONE#+14155558765", "GSI2PK": "ALERT#2026-03-12#0", "kind": "missed_call",
		"occurred_at": "2026-03-12T14:32:00.000Z", "received_at": "2026-03-12T15:00:00.000Z",
		"call_id": "call_1d4e5f6a", "direction": "inbound", "from": "+14155558765", "to": "+14155551234",
		"ring_duration": "30", "status": "missed", "outcome": "missed",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("item (-want +got):\n%s", diff)
	}
}

func TestAnEventWithoutATimeTakesTheHeadersThenTheArrival(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, header, want string }{
		{"header", "2026-03-12 14:58:03", "2026-03-12T14:58:03.000Z"},
		{"header in seconds since 1970", "1773327483", "2026-03-12T14:58:03.000Z"},
		{"no header", "", "2026-03-12T15:00:00.000Z"},
		{"a header that is no time", "just now", "2026-03-12T15:00:00.000Z"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			store := &tabletest.Memory{}
			r := post(`{"event":"call.missed","data":{"call_id":"c1","direction":"inbound","from":"+14155558765"}}`)
			r.Headers[events.HeaderRequestTimestamp] = tc.header
			newHandler(t, store, valid(credential.Secret{Token: token}), nil).Handle(t.Context(), r)
			item := store.One(t)
			got := []string{text(item[table.OccurredAt]), text(item[table.GSI2PK]), text(item[table.SK])[:len("EVENT#0000-00-00T00:00:00.000Z#")]}
			want := []string{tc.want, "ALERT#2026-03-12#1", "EVENT#0000-00-00T00:00:00.000Z#"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("times (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheContextReachesTableAndSecret(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var got []error
	source := credentials{
		func(ctx context.Context) credential.Secrets { got = append(got, ctx.Err()); return nil },
		func(ctx context.Context) (credential.Secrets, error) {
			got = append(got, ctx.Err())
			return credential.Secrets{{Token: token}}, nil
		},
	}
	store := tabletest.PutFunc(func(ctx context.Context, _ table.Item) (bool, error) {
		got = append(got, ctx.Err())
		return true, nil
	})
	newHandler(t, store, source, nil).Handle(ctx, post(sample(t, "call.missed")))
	want := []error{context.Canceled, context.Canceled, context.Canceled}
	if diff := cmp.Diff(want, got, cmpopts.EquateErrors()); diff != "" {
		t.Errorf("the context's errors (-want +got):\n%s", diff)
	}
}

func TestWhatIsRefusedAgainLaterIsKeptAgain(t *testing.T) {
	t.Parallel()
	store := &tabletest.Memory{}
	h := newHandler(t, store, valid(credential.Secret{Token: token}), nil)
	for _, at := range []time.Time{now, now.Add(time.Millisecond)} {
		h.Now = func() time.Time { return at }
		_ = h.Handle(t.Context(), post("[1]"))
	}
	if got := len(store.Items()); got != 2 {
		t.Errorf("%d rejections kept, want both", got)
	}
}

// The line says what nobody can tell, and the word only if it cannot be anybody's.
func TestPromise8_TheLogNamesAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, body string
		want       map[string]any
	}{
		{"a word", completed(`"direction":"Incoming","type":"Bridged"`), map[string]any{"outcome": "unknown", "outcomeWord": "bridged"}},
		{"words", completed(`"direction":"Incoming","type":"Call_transferred to queue 7"`), map[string]any{"outcome": "unknown", "outcomeWord": "call transferred to queue"}},
		{"a word in a list", completed(`"direction":"Incoming","type":["Bridged"]`), map[string]any{"outcome": "unknown", "outcomeWord": "bridged"}},
		{"a word that may be a name", completed(`"direction":"Incoming","type":"Zephyr"`), map[string]any{"outcome": "unknown"}},
		{"a name among words", completed(`"direction":"Incoming","type":"Bridged to Pat"`), map[string]any{"outcome": "unknown"}},
		{"a name in one word", completed(`"direction":"Incoming","type":"callpat"`), map[string]any{"outcome": "unknown"}},
		{"no word", completed(`"direction":"Incoming","type":""`), map[string]any{"outcome": "unknown"}},
		{"a sentence", completed(`"direction":"Incoming","type":"Sent to Pat Doe"`), map[string]any{"outcome": "unknown"}},
		{"a number", completed(`"direction":"Incoming","type":"+14155550100"`), map[string]any{"outcome": "unknown"}},
		{"an address", completed(`"direction":"Incoming","type":"pat@example.com"`), map[string]any{"outcome": "unknown"}},
		{"letters beyond ASCII", completed(`"direction":"Incoming","type":"дозвонились Пэт"`), map[string]any{"outcome": "unknown"}},
		{"a word that is too long", completed(`"direction":"Incoming","type":"` + strings.Repeat("a", 21) + `"`), map[string]any{"outcome": "unknown"}},
		{"a known outcome", completed(`"direction":"Incoming","type":"Answered"`), map[string]any{}},
		{"a call that we made", completed(`"direction":"Outgoing","type":"Bridged"`), map[string]any{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, logged(t, &tabletest.Memory{}, test.body)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestPromise2_TheLogNamesAnAmbiguousDuplicate(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, body string
		want       map[string]any
	}{
		{"neither time nor id", `{"event":"call.missed","data":{"from":"+14155550100","direction":"inbound"}}`, map[string]any{"ambiguous": true}},
		{"a placeholder for an id", `{"event":"call.missed","data":{"call_id":"0","from":"+14155550100"}}`, map[string]any{"ambiguous": true}},
		{"an id", `{"event":"call.missed","data":{"call_id":"c1"}}`, map[string]any{}},
		{"a time", `{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":{"from":"+14155550100"}}`, map[string]any{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			store := &tabletest.Memory{}
			if diff := cmp.Diff(map[string]any{}, logged(t, store, test.body)); diff != "" {
				t.Errorf("first (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.want, logged(t, store, test.body)); diff != "" {
				t.Errorf("again (-want +got):\n%s", diff)
			}
		})
	}
}

func completed(info string) string {
	return `{"type":"call.completed","data":{"call_sid":"s","call_info":{` + info + `}}}`
}

// logged posts a body and returns what its log line says nobody can tell.
func logged(t *testing.T, store ingest.Putter, body string) map[string]any {
	t.Helper()
	var log bytes.Buffer
	newHandler(t, store, valid(credential.Secret{Token: token}), &log).Handle(t.Context(), post(body))
	line := map[string]any{}
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, log.String())
	}
	for name := range line {
		if !slices.Contains([]string{"outcome", "outcomeWord", "ambiguous"}, name) {
			delete(line, name)
		}
	}
	return line
}
