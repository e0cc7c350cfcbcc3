package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/lambda/gateway"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
)

const signingSecret = "sample-signing-secret"

func handler(t testing.TB, store ingest.Putter) *ingest.Handler {
	t.Helper()
	return ingest.New(store, credential.Fixed{Token: sampleToken, SigningSecret: signingSecret}, logscan.Logger(t, sampleToken, signingSecret))
}

// response is what API Gateway expects of a function.
type response struct {
	StatusCode      int               `json:"statusCode"`
	Headers         map[string]string `json:"headers"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

func wantResponse(t *testing.T, answer []byte, want response) {
	t.Helper()
	var got response
	if err := json.Unmarshal(answer, &got, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("response %s: %v", answer, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("response (-want +got):\n%s", diff)
	}
}

var jsonHeaders = map[string]string{"content-type": "application/json"}

func TestResponses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change func(e *httpEvent)
		want   response
	}{
		{
			"stored",
			func(*httpEvent) {},
			response{http.StatusOK, jsonHeaders, `{"status":"stored","key":"CALL#call_1d4e5f6a"}`, false},
		},
		{
			"a key with every kind of character",
			func(e *httpEvent) {
				e.Body = `{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":{"call_id":"\"\\\u0000\u2028<é😀"}}`
			},
			response{http.StatusOK, jsonHeaders, `{"status":"stored","key":"CALL#\"\\%00` + "\u2028" + `<é😀"}`, false},
		},
		{
			"a base64 body",
			func(e *httpEvent) {
				e.Body, e.IsBase64Encoded = "eyJldmVudCI6ImNhbGwubWlzc2VkIiwiZGF0YSI6eyJjYWxsX2lkIjoiYzEifX0=", true
			},
			response{http.StatusOK, jsonHeaders, `{"status":"stored","key":"CALL#c1"}`, false},
		},
		{
			"a bad base64 body",
			func(e *httpEvent) { e.Body, e.IsBase64Encoded = "***", true },
			response{http.StatusBadRequest, jsonHeaders, `{"error":"payload: not valid base64"}`, false},
		},
		{
			"no body",
			func(e *httpEvent) { e.Body = "" },
			response{http.StatusOK, jsonHeaders, `{"status":"probe"}`, false},
		},
		{
			"HEAD has no body",
			func(e *httpEvent) { e.RequestContext.HTTP.Method = http.MethodHead },
			response{http.StatusOK, jsonHeaders, "", false},
		},
		{
			"another token",
			func(e *httpEvent) { e.PathParameters["token"] = "another-token-0123456789" },
			response{http.StatusUnauthorized, jsonHeaders, `{"error":"unauthorized"}`, false},
		},
		{
			"another method",
			func(e *httpEvent) { e.RequestContext.HTTP.Method = http.MethodPut },
			response{
				http.StatusMethodNotAllowed,
				map[string]string{"content-type": "application/json", "allow": "GET, HEAD, POST"},
				`{"error":"method not allowed: use POST"}`, false,
			},
		},
		{
			"another path",
			func(e *httpEvent) { e.PathParameters, e.RawPath = nil, "/" },
			response{http.StatusNotFound, jsonHeaders, `{"error":"no such path: webhooks are posted to /justcall/{token}"}`, false},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			event := missedCall(t)
			tc.change(&event)
			answer, err := gateway.New(handler(t, &tabletest.Memory{})).Invoke(t.Context(), marshal(t, event))
			if err != nil {
				t.Fatal(err)
			}
			wantResponse(t, answer, tc.want)
		})
	}
}

func TestSignaturesAreVerifiedThroughTheGateway(t *testing.T) {
	t.Parallel()
	now := time.Date(2024, time.March, 21, 17, 8, 30, 0, time.UTC)
	const timestamp = "2024-03-21 17:08:22"
	for _, tc := range []struct {
		name   string
		url    string // what JustCall was told to post to
		change func(e *httpEvent, signature string)
	}{
		{
			"names in lower case",
			"https://" + sampleDomain + samplePath,
			func(e *httpEvent, signature string) {
				e.Headers[events.HeaderSignature] = signature
				e.Headers[events.HeaderSignatureVersion] = "v1"
				e.Headers[events.HeaderRequestTimestamp] = timestamp
			},
		},
		{
			"names in any letter case",
			"https://" + sampleDomain + samplePath,
			func(e *httpEvent, signature string) {
				e.Headers["X-JUSTCALL-SIGNATURE"] = signature
				e.Headers["X-Justcall-Signature-Version"] = "v1"
				e.Headers["x-JustCall-Request-Timestamp"] = timestamp
			},
		},
		{
			"a query in the URL",
			"https://" + sampleDomain + samplePath + "?team=a%20b,c",
			func(e *httpEvent, signature string) {
				e.RawQueryString = "team=a%20b,c"
				e.Headers[events.HeaderSignature] = signature
				e.Headers[events.HeaderRequestTimestamp] = timestamp
			},
		},
		{
			"a custom domain with a prefix",
			"https://hooks.example.com/v1" + samplePath,
			func(e *httpEvent, signature string) {
				e.RequestContext.DomainName, e.RawPath = "hooks.example.com", "/v1"+samplePath
				e.Headers[events.HeaderSignature] = signature
				e.Headers[events.HeaderRequestTimestamp] = timestamp
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			event := missedCall(t)
			event.Body = `{"type":"call.missed","webhook_url":"https://attacker.example","data":{"call_sid":"CA01"}}`
			tc.change(&event, events.Sign(signingSecret, tc.url, "call.missed", timestamp))
			h := handler(t, &tabletest.Memory{})
			h.Now = func() time.Time { return now }
			answer, err := gateway.New(h).Invoke(t.Context(), marshal(t, event))
			if err != nil {
				t.Fatal(err)
			}
			wantResponse(t, answer, response{http.StatusOK, jsonHeaders, `{"status":"stored","key":"CALL#CA01"}`, false})
		})
	}
}

func TestInvokeGivesUpBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	hangs := tabletest.PutFunc(func(ctx context.Context, _ table.Item) (bool, error) {
		<-ctx.Done()
		return false, fmt.Errorf("put item: %w", ctx.Err())
	})
	for _, tc := range []struct {
		name       string
		remaining  time.Duration
		after      time.Duration
		wantAnswer response
	}{
		{"half a second before the deadline", 10 * time.Second, 9500 * time.Millisecond, unavailable},
		{"at once, if less than that is left", 200 * time.Millisecond, 0, unavailable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), tc.remaining)
				defer cancel()
				start := time.Now()
				answer, err := gateway.New(handler(t, hangs)).Invoke(ctx, marshal(t, missedCall(t)))
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(start); took != tc.after {
					t.Errorf("answered after %v, want %v", took, tc.after)
				}
				wantResponse(t, answer, tc.wantAnswer)
			})
		})
	}
}

var unavailable = response{http.StatusServiceUnavailable, jsonHeaders, `{"error":"not stored, send it again"}`, false}

func TestWithoutADeadlineInvokeWaitsForTheStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := tabletest.PutFunc(func(ctx context.Context, _ table.Item) (bool, error) {
			select {
			case <-ctx.Done():
				return false, ctx.Err()
			case <-time.After(time.Hour):
				return true, nil
			}
		})
		answer, err := gateway.New(handler(t, slow)).Invoke(t.Context(), marshal(t, missedCall(t)))
		if err != nil {
			t.Fatal(err)
		}
		wantResponse(t, answer, response{http.StatusOK, jsonHeaders, `{"status":"stored","key":"CALL#call_1d4e5f6a"}`, false})
	})
}

// Lambda accepts 6 MB, API Gateway's JSON around the body included.
func TestALargeDeliveryIsStored(t *testing.T) {
	t.Parallel()
	event := missedCall(t)
	event.Body = `{"event":"voicemail.received","timestamp":"2026-03-12T14:40:00Z","data":{"call_id":"c1","transcription":"` +
		strings.Repeat("call me back ", 5<<20/13) + `"}}`
	store := &tabletest.Memory{}
	answer, err := gateway.New(handler(t, store)).Invoke(t.Context(), marshal(t, event))
	if err != nil {
		t.Fatal(err)
	}
	wantResponse(t, answer, response{http.StatusOK, jsonHeaders, `{"status":"stored","key":"CALL#c1"}`, false})
	kept, err := table.PayloadOf(store.Items()[0])
	if err != nil {
		t.Fatal(err)
	}
	if string(kept) != event.Body {
		t.Error("the payload is not the body")
	}
}
