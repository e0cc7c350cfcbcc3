package ingest_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
)

const missedB = `{"type":"call.missed","webhook_url":"https://attacker.example/hook","data":{"call_sid":"CA01","call_date":"2026-03-12","call_time":"14:58:00"}}`

// bothFormats is format B with a member that makes it format A.
const bothFormats = `{"event":"call.answered","type":"call.missed","data":{"call_sid":"CA01"}}`

// The vendor's own vector, through the whole handler. See
// https://developer.justcall.io/docs/webhook-signature.
func TestTheVendorsSignatureIsTaken(t *testing.T) {
	t.Parallel()
	const vendorToken = "3bcea770-370a-4b09-8b66-426f687e08a4"
	secret := credential.Secret{Token: vendorToken, SigningSecret: "ea39089c40790e9dc7a080ec95e849b8fa0fa5fb"}
	store := &tabletest.Memory{}
	h := newHandler(t, store, valid(secret), nil)
	h.WebhookURL = "https://webhook.site"
	h.Now = func() time.Time { return time.Date(2024, time.March, 21, 17, 8, 23, 0, time.UTC) }
	r := post(`{"type":"call.completed","webhook_url":"https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4","data":{"call_sid":"CA01"}}`)
	r.Path = "/justcall/" + vendorToken
	r.Headers[events.HeaderSignature] = "56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf"
	r.Headers[events.HeaderSignatureVersion] = "v1"
	r.Headers[events.HeaderRequestTimestamp] = "2024-03-21 17:08:22"
	if got := h.Handle(t.Context(), r); got.Status != http.StatusOK {
		t.Errorf("status %d: %s", got.Status, got.Body)
	}
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	const own = base + "/justcall/" + token
	current := credential.Secret{Token: token, SigningSecret: signingSecret}
	previous := credential.Secret{Token: previousToken, SigningSecret: previousSigningSecret}
	sign := func(secret, url string) ingest.Request {
		return signed(post(missedB), secret, url, "call.missed", now)
	}
	for _, tc := range []struct {
		name       string
		source     credentials
		webhookURL string
		request    ingest.Request
		reason     string // of the rejection; "" is stored
	}{
		{"the current secret", valid(current, previous), "", sign(signingSecret, own), ""},
		{"the previous secret", valid(current, previous), "", sign(previousSigningSecret, own), ""},
		{"the previous secret, when it is no longer valid", valid(current), "", sign(previousSigningSecret, own), "signature: mismatch"},
		{"the current secret with the previous token", valid(current, previous), "", func() ingest.Request {
			r := signed(post(missedB), signingSecret, base+"/justcall/"+previousToken, "call.missed", now)
			r.Path, r.URL = "/justcall/"+previousToken, base+"/justcall/"+previousToken
			return r
		}(), ""},
		{"hex in capitals", valid(current), "", func() ingest.Request {
			r := sign(signingSecret, own)
			r.Headers[events.HeaderSignature] = strings.ToUpper(r.Headers[events.HeaderSignature])
			return r
		}(), ""},
		{"no version", valid(current), "", func() ingest.Request {
			r := sign(signingSecret, own)
			delete(r.Headers, events.HeaderSignatureVersion)
			return r
		}(), ""},
		{"a timestamp in seconds since 1970", valid(current), "", func() ingest.Request {
			r := sign(signingSecret, own)
			r.Headers[events.HeaderRequestTimestamp] = fmt.Sprint(now.Unix())
			r.Headers[events.HeaderSignature] = events.Sign(signingSecret, own, "call.missed", fmt.Sprint(now.Unix()))
			return r
		}(), ""},

		{"never the body's URL", valid(current), "", sign(signingSecret, "https://attacker.example/hook"), "signature: mismatch"},
		{"never the body's URL, with a URL of our own", valid(current), "https://hooks.example.com/justcall", sign(signingSecret, "https://attacker.example/hook"), "signature: mismatch"},
		{"the URL of the setting, with the token behind it", valid(current), "https://hooks.example.com/justcall", sign(signingSecret, "https://hooks.example.com/justcall/"+token), ""},
		{"the URL of the setting with a slash at its end", valid(current), "https://hooks.example.com/justcall/", sign(signingSecret, "https://hooks.example.com/justcall/"+token), ""},
		{"the request's URL, where the setting says another", valid(current), "https://hooks.example.com/justcall", sign(signingSecret, own), ""},
		{"neither the setting's URL nor the request's", valid(current), "https://hooks.example.com/justcall", sign(signingSecret, "https://example.com/justcall/"+token), "signature: mismatch"},
		{"the URL of the setting, with the token of the request", valid(current, previous), "https://hooks.example.com/justcall", func() ingest.Request {
			r := sign(signingSecret, "https://hooks.example.com/justcall/"+previousToken)
			r.Path = "/justcall/" + previousToken
			return r
		}(), ""},
		{"a URL with a query", valid(current), "", func() ingest.Request {
			r := sign(signingSecret, own+"?team=a%20b")
			r.URL = own + "?team=a%20b"
			return r
		}(), ""},

		{"a header with another letter is another signature", valid(current), "", func() ingest.Request {
			r := sign(signingSecret, own)
			digits := []byte(r.Headers[events.HeaderSignature])
			digits[63] ^= 1
			r.Headers[events.HeaderSignature] = string(digits)
			return r
		}(), "signature: mismatch"},
		{"the header twice, joined by a comma", valid(current), "", func() ingest.Request {
			r := sign(signingSecret, own)
			r.Headers[events.HeaderSignature] += "," + r.Headers[events.HeaderSignature]
			return r
		}(), "signature: malformed"},
		{"a timestamp that is no time", valid(current), "", func() ingest.Request {
			r := sign(signingSecret, own)
			r.Headers[events.HeaderRequestTimestamp] = "now"
			return r
		}(), "signature: malformed"},

		{"unregistered types are signed as well", valid(current), "", func() ingest.Request {
			return signed(post(strings.Replace(missedB, "call.missed", "call.brand_new", 1)), signingSecret, own, "call.brand_new", now)
		}(), ""},
		{"an unregistered type without a signature", valid(current), "", post(strings.Replace(missedB, "call.missed", "call.brand_new", 1)), "signature: missing"},
		{"data of another shape without a signature", valid(current), "", post(`{"type":"call.missed","data":["CA01"]}`), "signature: missing"},

		{"format A has no signature", valid(current), "", post(sample(t, "call.missed")), ""},
		{"the legacy form without a signature", valid(current), "", post(`{"data":{"type":"missed","call_id":"c1"}}`), "signature: missing"},
		{"the legacy form, signed", valid(current), "", signed(post(`{"data":{"type":"missed","call_id":"c1"}}`), signingSecret, own, "missed", now), ""},
		{"the legacy form, and no signing secret", valid(credential.Secret{Token: token}), "", post(`{"data":{"type":"missed","call_id":"c1"}}`), ""},
		{"format B with an event, without a signature", valid(current), "", post(bothFormats), "signature: missing"},
		{"format B with an event, signed with another secret", valid(current), "", signed(post(bothFormats), "another", own, "call.missed", now), "signature: mismatch"},
		{"format B with an event, signed", valid(current), "", signed(post(bothFormats), signingSecret, own, "call.missed", now), ""},
		{"format B with an event, and no signing secret", valid(credential.Secret{Token: token}), "", post(bothFormats), ""},
		{"no signing secret: none is asked for", valid(credential.Secret{Token: token}), "", post(missedB), ""},
		{"no signing secret: a wrong one is no fault", valid(credential.Secret{Token: token}), "", sign("another", own), ""},
		{"no signing secret since the rotation", valid(credential.Secret{Token: token}, previous), "", post(missedB), ""},
		{"a signing secret since the rotation: an empty one signs nothing", valid(current, credential.Secret{Token: previousToken}), "", sign("", own), "signature: mismatch"},

		{"a newer secret, found on the miss", stale(credential.Secrets{{Token: newToken, SigningSecret: "newer"}, current}, nil, current), "", sign("newer", own), ""},
		{"a miss that finds nothing newer", stale(credential.Secrets{current}, nil, current), "", sign("newer", own), "signature: mismatch"},
		{"a miss too early to look again", valid(current), "", sign("newer", own), "signature: mismatch"},
		{"a newer secret does not make an old signature young", stale(credential.Secrets{{Token: token, SigningSecret: "newer"}}, nil, current), "", signed(post(missedB), "newer", own, "call.missed", now.Add(-4*time.Hour)), "signature: request timestamp outside the tolerance"},
		{"a newer secret that asks for no signatures", stale(credential.Secrets{{Token: token}}, nil, current), "", sign("another", own), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			store := &tabletest.Memory{}
			h := newHandler(t, store, tc.source, nil)
			h.WebhookURL = tc.webhookURL
			got := h.Handle(t.Context(), tc.request)
			item := store.One(t)
			if tc.reason == "" {
				if got.Status != http.StatusOK || text(item[table.Kind]) == "" {
					t.Errorf("status %d, kept because %q; want it stored", got.Status, text(item[table.Reason]))
				}
				return
			}
			if got.Status != http.StatusUnauthorized || string(got.Body) != refused {
				t.Errorf("response %d %s, want 401", got.Status, got.Body)
			}
			if diff := cmp.Diff(rejected(tc.request, tc.reason), rejectionOf(t, item)); diff != "" {
				t.Errorf("rejection (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOnlyAMissReadsTheSecretAgain(t *testing.T) {
	t.Parallel()
	const own = base + "/justcall/" + token
	current := credential.Secret{Token: token, SigningSecret: signingSecret}
	path := func(token string) ingest.Request {
		r := post(sample(t, "call.missed"))
		r.Path = "/justcall/" + token
		return r
	}
	for _, tc := range []struct {
		name    string
		request ingest.Request
		refresh int
		newer   credential.Secrets
		status  int
	}{
		{name: "a right token", request: path(token), status: 200},
		{name: "another path", request: request(http.MethodPost, "/"), status: 404},
		{name: "another method", request: request(http.MethodPut, "/justcall/"+wrongToken), status: 405},
		{name: "no token", request: request(http.MethodPost, "/justcall/"), status: 401},
		{name: "a wrong token", request: path(wrongToken), refresh: 1, newer: credential.Secrets{current}, status: 401},
		{name: "a newer token", request: path(newToken), refresh: 1, newer: credential.Secrets{{Token: newToken}, current}, status: 200},
		{name: "a right signature", request: signed(post(missedB), signingSecret, own, "call.missed", now), status: 200},
		{name: "a wrong signature", request: signed(post(missedB), "another", own, "call.missed", now), refresh: 1, newer: credential.Secrets{current}, status: 401},
		{name: "a stale signature", request: signed(post(missedB), signingSecret, own, "call.missed", now.Add(-4*time.Hour)), status: 401},
		{name: "a missing signature", request: post(missedB), status: 401},
		{name: "a newer token signed with a newer secret", request: func() ingest.Request {
			r := signed(post(missedB), "newer", own, "call.missed", now)
			r.Path = "/justcall/" + newToken
			return r
		}(), refresh: 1, newer: credential.Secrets{{Token: newToken, SigningSecret: "newer"}, current}, status: 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			refreshed := 0
			source := credentials{
				func(context.Context) credential.Secrets { return credential.Secrets{current} },
				func(context.Context) (credential.Secrets, error) { refreshed++; return tc.newer, nil },
			}
			got := newHandler(t, &tabletest.Memory{}, source, nil).Handle(t.Context(), tc.request)
			if got.Status != tc.status || refreshed != tc.refresh {
				t.Errorf("status %d after %d refreshes, want %d after %d", got.Status, refreshed, tc.status, tc.refresh)
			}
		})
	}
}

func TestASettingAcceptsWhatIsUnsigned(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, body string
		status     int
	}{
		{"the legacy form", `{"data":{"type":"missed","call_id":"c1"}}`, 200},
		{"format B with an event", bothFormats, 200},
		{"format A", sample(t, "call.missed"), 200},
		{"format B", missedB, 401},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := newHandler(t, &tabletest.Memory{}, valid(credential.Secret{Token: token, SigningSecret: signingSecret}), nil)
			h.AcceptUnsigned = true
			if got := h.Handle(t.Context(), post(tc.body)); got.Status != tc.status {
				t.Errorf("status %d, want %d", got.Status, tc.status)
			}
		})
	}
}

func TestPromise6_AnEventInFormatBIsNoWayAroundItsSignature(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"format B with an event": bothFormats,
		"the legacy form":        `{"data":{"type":"missed","call_id":"c1"}}`,
	} {
		store := &tabletest.Memory{}
		h := newHandler(t, store, valid(credential.Secret{Token: token, SigningSecret: signingSecret}), nil)
		if got := h.Handle(t.Context(), post(body)); got.Status != http.StatusUnauthorized {
			t.Errorf("%s: status %d, want 401", name, got.Status)
		}
		if item := store.One(t); text(item[table.Reason]) != "signature: missing" {
			t.Errorf("%s: kept because %q", name, text(item[table.Reason]))
		}
	}
}

// JustCall saves the URL only if its test is answered 200, and does not sign it.
func TestAnUnsignedTestIsAProbe(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"type":"call.missed","data":{"test":true}}`,
		`{"type":"call.missed","request_id":"x","webhook_url":"https://hooks.example.com","url_id":7,"data":{"test":true}}`,
		`{"type":"call.missed","webhook_url":"https://hooks.example.com","url_id":"65f1c0ffee65f1c0ffee65f1","data":{}}`,
		`{"type":"call.missed","test":true}`,
		`{"type":"call.completed"}`,
	} {
		store := &tabletest.Memory{}
		h := newHandler(t, store, valid(credential.Secret{Token: token, SigningSecret: signingSecret}), nil)
		if got := h.Handle(t.Context(), post(body)); got.Status != http.StatusOK || string(got.Body) != `{"status":"probe"}` {
			t.Errorf("%s: %d %s, want a probe", body, got.Status, got.Body)
		}
		if n := len(store.Items()); n != 0 {
			t.Errorf("%s: %d items kept, want none", body, n)
		}
	}
}

func TestASettingChangesTheTolerance(t *testing.T) {
	t.Parallel()
	h := newHandler(t, &tabletest.Memory{}, valid(credential.Secret{Token: token, SigningSecret: signingSecret}), nil)
	h.Tolerance = events.Tolerance{Past: time.Minute}
	old := signed(post(missedB), signingSecret, base+"/justcall/"+token, "call.missed", now.Add(-61*time.Second))
	if got := h.Handle(t.Context(), old); got.Status != http.StatusUnauthorized {
		t.Errorf("61 seconds old: status %d, want 401", got.Status)
	}
	young := signed(post(missedB), signingSecret, base+"/justcall/"+token, "call.missed", now.Add(-60*time.Second))
	if got := h.Handle(t.Context(), young); got.Status != http.StatusOK {
		t.Errorf("60 seconds old: status %d, want 200", got.Status)
	}
}

// A start without a token must not happen; if it does, nobody may post.
func TestPromise6_WithoutATokenNobodyMayPost(t *testing.T) {
	t.Parallel()
	for _, source := range []credentials{valid(), valid(credential.Secret{})} {
		store := &tabletest.Memory{}
		h := newHandler(t, store, source, nil)
		for _, path := range []string{"/justcall", "/justcall/", "/justcall/" + token} {
			r := post(sample(t, "call.missed"))
			r.Path = path
			if got := h.Handle(t.Context(), r); got.Status != http.StatusUnauthorized {
				t.Errorf("%s: status %d, want 401", path, got.Status)
			}
		}
		if len(store.Items()) != 0 {
			t.Error("stored all the same")
		}
	}
}
