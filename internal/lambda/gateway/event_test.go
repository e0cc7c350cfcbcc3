package gateway_test

import (
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/lambda/gateway"
	"github.com/ringback/ringback/internal/proof/tabletest"
)

// missedCall is a sample as API Gateway passes it on.
func missedCall(t *testing.T) httpEvent {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(samplesFolder, "call.missed.json"))
	if err != nil {
		t.Fatal(err)
	}
	return delivered(t, body)
}

func TestParseRequest(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change func(e *httpEvent)
		want   func(r *ingest.Request)
	}{
		{
			"a delivery",
			func(*httpEvent) {},
			func(*ingest.Request) {},
		},
		{
			"any method",
			func(e *httpEvent) { e.RequestContext.HTTP.Method = http.MethodDelete },
			func(r *ingest.Request) { r.Method = http.MethodDelete },
		},
		{
			"a base64 body is unpacked",
			func(e *httpEvent) {
				e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte("\x00\xff{}")), true
			},
			func(r *ingest.Request) { r.Body = []byte("\x00\xff{}") },
		},
		{
			"an empty base64 body",
			func(e *httpEvent) { e.Body, e.IsBase64Encoded = "", true },
			func(r *ingest.Request) { r.Body = nil },
		},
		{
			"what looks like base64 and is not announced is the body",
			func(e *httpEvent) { e.Body = "e30=" },
			func(r *ingest.Request) { r.Body = []byte("e30=") },
		},
		{
			"a bad base64 body is kept as it came, with what is wrong",
			func(e *httpEvent) { e.Body, e.IsBase64Encoded = "e30=*", true },
			func(r *ingest.Request) { r.Body, r.BodyErr = []byte("e30=*"), ingest.ErrBodyEncoding },
		},
		{
			"a base64 body cut short",
			func(e *httpEvent) { e.Body, e.IsBase64Encoded = "e30", true },
			func(r *ingest.Request) { r.Body, r.BodyErr = []byte("e30"), ingest.ErrBodyEncoding },
		},
		{
			"header names in any letter case",
			func(e *httpEvent) {
				e.Headers = map[string]string{"X-JustCall-Signature": "abc", "X-JUSTCALL-REQUEST-TIMESTAMP": "2024-03-21 17:08:22", "x-justcall-signature-version": "v1"}
			},
			func(r *ingest.Request) {
				r.Headers = map[string]string{
					events.HeaderSignature:        "abc",
					events.HeaderRequestTimestamp: "2024-03-21 17:08:22",
					events.HeaderSignatureVersion: "v1",
				}
			},
		},
		{
			"a header value with commas stays one value",
			func(e *httpEvent) {
				e.Headers = map[string]string{"x-justcall-request-timestamp": "Thu, 21 Mar 2024, 17:08:22"}
			},
			func(r *ingest.Request) {
				r.Headers = map[string]string{"x-justcall-request-timestamp": "Thu, 21 Mar 2024, 17:08:22"}
			},
		},
		{
			"the query is a part of the URL that the sender signs, as it stands",
			func(e *httpEvent) { e.RawQueryString = "a=1%202&b=+" },
			func(r *ingest.Request) { r.Query = "a=1%202&b=+" },
		},
		{
			"the token in the query is no token in the path",
			func(e *httpEvent) {
				e.RawPath, e.PathParameters, e.RawQueryString = "/justcall", nil, "token="+sampleToken
			},
			func(r *ingest.Request) {
				r.Path = "/justcall"
				r.URL = "https://" + sampleDomain + "/justcall"
				r.Query = "token=" + sampleToken
			},
		},
		{
			"behind a custom domain the mapping's prefix is in the URL and not in the path",
			func(e *httpEvent) {
				e.RequestContext.DomainName, e.RawPath = "hooks.example.com", "/calls/v1"+samplePath
			},
			func(r *ingest.Request) { r.URL = "https://hooks.example.com/calls/v1" + samplePath },
		},
		{
			"without path parameters the path decides",
			func(e *httpEvent) { e.PathParameters = nil },
			func(*ingest.Request) {},
		},
		{
			"a path that no route matches",
			func(e *httpEvent) { e.PathParameters, e.RawPath = nil, "/favicon.ico" },
			func(r *ingest.Request) {
				r.Path, r.URL = "/favicon.ico", "https://"+sampleDomain+"/favicon.ico"
			},
		},
		{
			"path parameters of another name",
			func(e *httpEvent) { e.PathParameters = map[string]string{"proxy": "x"} },
			func(*ingest.Request) {},
		},
		{
			"an empty token",
			func(e *httpEvent) { e.PathParameters = map[string]string{"token": ""} },
			func(r *ingest.Request) { r.Path = "/justcall/" },
		},
		{
			"no body",
			func(e *httpEvent) { e.Body = "" },
			func(r *ingest.Request) { r.Body = nil },
		},
		{
			"characters of every kind in the body",
			func(e *httpEvent) { e.Body = "\x00\n\"\\/é😀\u2028<>&" },
			func(r *ingest.Request) { r.Body = []byte("\x00\n\"\\/é😀\u2028<>&") },
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			event := missedCall(t)
			want := ingest.Request{
				Method:  http.MethodPost,
				Path:    samplePath,
				URL:     "https://" + sampleDomain + samplePath,
				Headers: maps.Clone(event.Headers),
				Body:    []byte(event.Body),
			}
			tc.change(&event)
			tc.want(&want)
			got, err := gateway.ParseRequest(marshal(t, event))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateErrors()); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseRequestAcceptsMissingMembers(t *testing.T) {
	t.Parallel()
	const context = `"requestContext":{"domainName":"example.com","http":{"method":"POST"}}`
	want := ingest.Request{Method: "POST", Path: "/justcall/x", URL: "https://example.com/justcall/x"}
	for _, tc := range []struct{ name, event string }{
		{"no headers, no parameters, no body", `{"version":"2.0","rawPath":"/justcall/x",` + context + `}`},
		{"all of them null", `{"version":"2.0","rawPath":"/justcall/x","rawQueryString":null,"headers":null,"pathParameters":null,"body":null,"isBase64Encoded":null,` + context + `}`},
		{"the version last", `{` + context + `,"rawPath":"/justcall/x","version":"2.0"}`},
		{"members that are not read, of any kind", `{"version":"2.0","cookies":["a=b"],"stageVariables":{"version":"1.0"},"n":1e9,"rawPath":"/justcall/x","requestContext":{"authorizer":{"http":{"method":"GET"}},"timeEpoch":1,"domainName":"example.com","http":{"path":"/","method":"POST"}}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := gateway.ParseRequest([]byte(tc.event))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOtherEventsAreErrorsWithoutContent(t *testing.T) {
	t.Parallel()
	// The payload format 1.0 that REST APIs send.
	const v1 = `{"version":"1.0","resource":"/justcall/{token}","path":"/justcall/private","httpMethod":"POST","headers":{"x":"private"},` +
		`"requestContext":{"httpMethod":"POST","domainName":"private"},"body":"private","isBase64Encoded":false}`
	for _, tc := range []struct{ name, event string }{
		{"nothing", ""},
		{"not JSON", "private"},
		{"null", "null"},
		{"a text", `"private"`},
		{"a list", `[{"private":1}]`},
		{"an empty object", `{}`},
		{"payload format 1.0", v1},
		{"a test event of the console", `{"key1":"private","key2":"value2"}`},
		{"an SQS event", `{"Records":[{"body":"private","eventSource":"aws:sqs"}]}`},
		{"a scheduled event", `{"version":"0","detail-type":"Scheduled Event","detail":{}}`},
		{"another version", `{"version":"3.0","rawPath":"/justcall/private","requestContext":{"http":{"method":"POST"}}}`},
		{"no version", `{"rawPath":"/justcall/private","requestContext":{"http":{"method":"POST"}}}`},
		{"no method", `{"version":"2.0","rawPath":"/justcall/private","requestContext":{"http":{}}}`},
		{"no request context", `{"version":"2.0","rawPath":"/justcall/private"}`},
		{"a body that is an object", `{"version":"2.0","requestContext":{"http":{"method":"POST"}},"body":{"private":1}}`},
		{"headers that are a list", `{"version":"2.0","requestContext":{"http":{"method":"POST"}},"headers":["private"]}`},
		{"a header that is a list", `{"version":"2.0","requestContext":{"http":{"method":"POST"}},"headers":{"a":["private"]}}`},
		{"a method that is a number", `{"version":"2.0","requestContext":{"http":{"method":1}}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			answer, err := gateway.New(handler(t, &tabletest.Memory{})).Invoke(t.Context(), []byte(tc.event))
			if !errors.Is(err, gateway.ErrEvent) {
				t.Fatalf("Invoke: %s, %v, want ErrEvent", answer, err)
			}
			if strings.Contains(err.Error(), "private") {
				t.Errorf("error %q has content in it", err)
			}
			if answer != nil {
				t.Errorf("an answer beside an error: %s", answer)
			}
		})
	}
}

func TestATruncatedEventIsAnError(t *testing.T) {
	t.Parallel()
	whole := marshal(t, missedCall(t))
	whole = whole[:len(whole)-len("}\n")]
	for n := range whole {
		if _, err := gateway.ParseRequest(whole[:n]); !errors.Is(err, gateway.ErrEvent) {
			t.Fatalf("%d bytes: got error %v, want ErrEvent", n, err)
		}
	}
}

// API Gateway passes on what clients send. A client's mistake must get a 4xx, not an
// error of the function.
func TestNothingAClientSendsFailsTheEvent(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, event string }{
		{"a header twice, in two letter cases", `"headers":{"A":"1","a":"2"}`},
		{"a header twice", `"headers":{"a":"1","a":"2"}`},
		{"a header that is not UTF-8", "\"headers\":{\"a\":\"\xff\"}"},
		{"a header that has no name", `"headers":{"":"1"}`},
		{"a query that is not UTF-8", "\"rawQueryString\":\"\xff\""},
		{"a body that is not UTF-8", "\"body\":\"\xff\""},
		{"a body with half a surrogate pair", `"body":"\ud800"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			event := `{"version":"2.0","rawPath":"/justcall/x","requestContext":{"domainName":"example.com","http":{"method":"POST"}},` + tc.event + `}`
			if _, err := gateway.ParseRequest([]byte(event)); err != nil {
				t.Error(err)
			}
		})
	}
}

// Such a body cannot be decoded, so it is not accepted as an event, but it is not lost.
func TestABodyThatIsNotUTF8IsPassedOnUnchanged(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"a byte that is none":        "\"{\\\"event\\\":\\\"a\xff\\\"}\"",
		"half a surrogate pair":      `"{\"event\":\"a\ud800\"}"`,
		"said to be base64, as well": "\"\xff\"",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			event := `{"version":"2.0","rawPath":"/justcall/x","requestContext":{"domainName":"example.com","http":{"method":"POST"}},"isBase64Encoded":` +
				strconv.FormatBool(strings.Contains(name, "base64")) + `,"body":` + body + `}`
			got, err := gateway.ParseRequest([]byte(event))
			if err != nil {
				t.Fatal(err)
			}
			if !errors.Is(got.BodyErr, events.ErrPayload) || string(got.Body) != body {
				t.Errorf("got %q (%v), want the body as it stands and ErrPayload", got.Body, got.BodyErr)
			}
		})
	}
}

// No gateway sends these; a test event may, and must not fail or be read at random.
func TestOddSpellingsOfAnEventAreReadTheSameEachTime(t *testing.T) {
	t.Parallel()
	event := func(more string) []byte {
		return []byte(`{"version":"2.0","rawPath":"/justcall/x","requestContext":{"domainName":"example.com","http":{"method":"POST"}},"body":"{}",` + more + `}`)
	}
	for range 20 {
		got, err := gateway.ParseRequest(event(`"headers":{"CONTENT-TYPE":"a","content-type":"c","Content-Type":"b"}`))
		if err != nil || got.Headers["content-type"] != "c" || len(got.Headers) != 1 {
			t.Fatalf("headers %v (%v), want the name in lower case", got.Headers, err)
		}
	}
	for _, odd := range []string{`"true"`, `"false"`, `1`, `{}`, `null`, `false`} {
		got, err := gateway.ParseRequest(event(`"isBase64Encoded":` + odd))
		if err != nil || got.BodyErr != nil || string(got.Body) != "{}" {
			t.Errorf("isBase64Encoded %s: body %q, %v, %v", odd, got.Body, got.BodyErr, err)
		}
	}
}
