package apigateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/apigateway"
	"github.com/ringback/ringback/internal/proof/eventsource"
)

const path = "/justcall/{token}"

// serve starts an API and returns its URL.
func serve(t *testing.T, to eventsource.Invoker, change func(*apigateway.API)) string {
	t.Helper()
	api := apigateway.New(path, to)
	api.Now = func() time.Time { return time.Date(2026, 3, 12, 14, 32, 0, 0, time.UTC) }
	if change != nil {
		change(api)
	}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	return server.URL
}

// answering is a function that always answers the same.
func answering(answer string, err error) eventsource.Invoker {
	return eventsource.InvokerFunc(func(context.Context, []byte) ([]byte, error) { return []byte(answer), err })
}

func do(t *testing.T, method, url, body string, headers ...string) (status int, answer string, header http.Header) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text), response.Header
}

func TestTheFunctionGetsTheRequest(t *testing.T) {
	t.Parallel()
	const utf8 = "application/json; charset=utf-8"
	for _, tc := range []struct {
		name, method, target, body string
		headers                    []string
		want                       map[string]any // by member, those of requestContext.http behind a dot
	}{
		{
			"a delivery", http.MethodPost, "/justcall/abc", `{"event":"é ☎"}`,
			[]string{"Content-Type", utf8, "X-JustCall-Signature", "00ff", "X-Twice", "a", "X-Twice", "b"},
			map[string]any{
				"version": "2.0", "routeKey": "ANY /justcall/{token}", "rawPath": "/justcall/abc", "rawQueryString": "",
				"body": `{"event":"é ☎"}`, "isBase64Encoded": false, "pathParameters": map[string]any{"token": "abc"},
				"queryStringParameters": nil,
				".method":               "POST", ".path": "/justcall/abc",
				"x-justcall-signature": "00ff", "x-twice": "a,b", "content-type": utf8, "host": "hooks.example.com",
				"X-Twice": nil,
			},
		},
		{"a probe", http.MethodGet, "/justcall/abc", "", nil, map[string]any{".method": "GET", "body": nil, "isBase64Encoded": false}},
		{
			"a query", http.MethodPost, "/justcall/abc?a=1&b=x%20y&a=2", "{}", nil,
			map[string]any{
				"rawQueryString": "a=1&b=x%20y&a=2", "rawPath": "/justcall/abc",
				"queryStringParameters": map[string]any{"a": "1,2", "b": "x y"},
			},
		},
		{"percent signs", http.MethodPost, "/justcall/a%21c", "{}", nil, map[string]any{"rawPath": "/justcall/a!c", "pathParameters": map[string]any{"token": "a!c"}}},
		{"no UTF-8", http.MethodPost, "/justcall/abc", "a\xff", []string{"Content-Type", utf8}, map[string]any{"body": "Yf8=", "isBase64Encoded": true}},
		{"no text", http.MethodPost, "/justcall/abc", "abc", []string{"Content-Type", "application/octet-stream"}, map[string]any{"body": "YWJj", "isBase64Encoded": true}},
		{"a form", http.MethodPost, "/justcall/abc", "a=b", []string{"Content-Type", "application/x-www-form-urlencoded"}, map[string]any{"body": "YT1i", "isBase64Encoded": true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			events := make(chan []byte, 1)
			url := serve(t, eventsource.InvokerFunc(func(_ context.Context, event []byte) ([]byte, error) {
				events <- event
				return []byte(`{"statusCode":200}`), nil
			}), func(a *apigateway.API) { a.Domain = "hooks.example.com" })
			do(t, tc.method, url+tc.target, tc.body, tc.headers...)

			var got map[string]any
			if err := json.Unmarshal(<-events, &got); err != nil {
				t.Fatal(err)
			}
			requestContext, _ := got["requestContext"].(map[string]any)
			inner, _ := requestContext["http"].(map[string]any)
			headers, _ := got["headers"].(map[string]any)
			for member, want := range tc.want {
				value, isMember := got[member]
				if name, ok := strings.CutPrefix(member, "."); ok {
					value = inner[name]
				} else if !isMember {
					value = headers[member]
				}
				if diff := cmp.Diff(want, value); diff != "" {
					t.Errorf("%s (-want +got):\n%s", member, diff)
				}
			}
			if requestContext["domainName"] != "hooks.example.com" || requestContext["time"] != "12/Mar/2026:14:32:00 +0000" {
				t.Errorf("context: %v", requestContext)
			}
		})
	}
}

func TestTheSenderGetsTheAnswer(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, answer string
		err          error
		status       int
		body         string
		faults       int
	}{
		{"a response", `{"statusCode":503,"headers":{"content-type":"application/json"},"body":"{\"error\":\"later\"}","isBase64Encoded":false}`, nil, 503, `{"error":"later"}`, 0},
		{"in base64", `{"statusCode":200,"body":"YWJj","isBase64Encoded":true}`, nil, 200, "abc", 0},
		{"no status code", `{"status":"stored"}`, nil, 200, `{"status":"stored"}`, 0},
		{"nothing", "", nil, 200, "", 0},
		{"no object", `null`, nil, 200, "null", 0},
		{"a status code that is none", `{"statusCode":"OK"}`, nil, 500, `{"message":"Internal Server Error"}`, 0},
		{"base64 that is none", `{"statusCode":200,"body":"?","isBase64Encoded":true}`, nil, 500, `{"message":"Internal Server Error"}`, 0},
		{"a failed function", "", fmt.Errorf("killed: %w", eventsource.ErrFunction), 500, `{"message":"Internal Server Error"}`, 0},
		{"no function", "", errors.New("no such file"), 500, `{"message":"Internal Server Error"}`, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			faults := 0
			url := serve(t, answering(tc.answer, tc.err), func(a *apigateway.API) {
				a.Fault = func(error) {
					mu.Lock()
					defer mu.Unlock()
					faults++
				}
			})
			status, body, _ := do(t, http.MethodPost, url+"/justcall/abc", "{}")
			if status != tc.status || body != tc.body {
				t.Errorf("got %d %s, want %d %s", status, body, tc.status, tc.body)
			}
			mu.Lock()
			defer mu.Unlock()
			if faults != tc.faults {
				t.Errorf("%d faults told, want %d", faults, tc.faults)
			}
		})
	}
}

func TestNobodyNeedsToKnowOfFaults(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*apigateway.API){"as it is made": nil, "nil": func(a *apigateway.API) { a.Fault = nil }} {
		url := serve(t, answering("", errors.New("no such file")), set)
		if status, body, _ := do(t, http.MethodPost, url+"/justcall/abc", "{}"); status != http.StatusInternalServerError || body == "" {
			t.Errorf("%s: got %d %q, want 500 and a message", name, status, body)
		}
	}
}

func TestHeadersOfAnAnswer(t *testing.T) {
	t.Parallel()
	url := serve(t, answering(`{"statusCode":405,"headers":{"allow":"GET"},"cookies":["a=1","b=2"]}`, nil), nil)
	status, _, header := do(t, http.MethodPut, url+"/justcall/abc", "")
	want := []string{"GET", "a=1 b=2", "text/plain; charset=utf-8"}
	got := []string{header.Get("Allow"), strings.Join(header.Values("Set-Cookie"), " "), header.Get("Content-Type")}
	if diff := cmp.Diff(want, got); diff != "" || status != http.StatusMethodNotAllowed {
		t.Errorf("status %d, headers (-want +got):\n%s", status, diff)
	}
}

func TestWhatTheFunctionIsNotAsked(t *testing.T) {
	t.Parallel()
	asked := eventsource.InvokerFunc(func(context.Context, []byte) ([]byte, error) {
		t.Error("the function was asked")
		return []byte(`{"statusCode":200}`), nil
	})
	url := serve(t, asked, nil)
	for _, tc := range []struct {
		name, path, body string
		status           int
	}{
		{"the root", "/", "{}", 404},
		{"no token", "/justcall", "{}", 404},
		{"a path before it", "/api/justcall/abc", "{}", 404},
		{"an empty token", "/justcall/", "{}", 404},
		{"a longer path", "/justcall/abc/def", "{}", 404},
		{"another path", "/other/abc", "{}", 404},
		{"a body that is too large", "/justcall/abc", strings.Repeat(" ", apigateway.MaxBody+1), 413},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			status, body, _ := do(t, http.MethodPost, url+tc.path, tc.body)
			if want := fmt.Sprintf(`{"message":%q}`, http.StatusText(tc.status)); status != tc.status || body != want {
				t.Errorf("got %d %s, want %d %s", status, body, tc.status, want)
			}
		})
	}
}

// Neither a gateway that waits no longer nor a sender that is gone stops a
// function.
func TestAnInvocationGoesOn(t *testing.T) {
	t.Parallel()
	for name, senderLeaves := range map[string]bool{"the gateway's time is over": false, "the sender is gone": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began, release, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
			url := serve(t, eventsource.InvokerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
				close(began)
				<-release
				ended <- ctx.Err()
				return []byte(`{"statusCode":200}`), nil
			}), func(a *apigateway.API) {
				if !senderLeaves {
					a.Timeout = time.Millisecond
				}
			})
			if senderLeaves {
				ctx, leave := context.WithCancel(t.Context())
				request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/justcall/abc", strings.NewReader("{}"))
				if err != nil {
					t.Fatal(err)
				}
				go func() {
					<-began
					leave()
				}()
				if response, err := http.DefaultClient.Do(request); err == nil {
					_ = response.Body.Close()
					t.Errorf("answered %s", response.Status)
				}
			} else if status, body, _ := do(t, http.MethodPost, url+"/justcall/abc", "{}"); status != 503 || body != `{"message":"Service Unavailable"}` {
				t.Errorf("got %d %s", status, body)
			}
			close(release)
			if err := <-ended; err != nil {
				t.Errorf("the invocation was ended: %v", err)
			}
		})
	}
}
