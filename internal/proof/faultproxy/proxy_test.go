package faultproxy_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/faultproxy"
)

func TestAFaultIsWhatItSays(t *testing.T) {
	t.Parallel()
	var then atomic.Int32
	for _, tc := range []struct {
		name   string
		fault  faultproxy.Fault
		answer string // "" where the connection is cut
		asked  int32  // of the service
	}{
		{"none", faultproxy.Fault{}, "200 done", 1},
		{"an answer in the service's place", faultproxy.Fault{Status: 500, Body: "broken"}, "500 broken", 0},
		{"an answer although it is done", faultproxy.Fault{Status: 500, Body: "broken", PassOn: true}, "500 broken", 1},
		{"a cut", faultproxy.Fault{Cut: true}, "", 0},
		{"a cut although it is done", faultproxy.Fault{Cut: true, PassOn: true}, "", 1},
		{"a delay", faultproxy.Fault{Delay: time.Millisecond}, "200 done", 1},
		{"something else before the answer", faultproxy.Fault{Then: func() { then.Add(1) }}, "200 done", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				if body, _ := io.ReadAll(r.Body); string(body) != "Action=Publish" {
					t.Errorf("the service got %q", body)
				}
				_, _ = io.WriteString(w, "done")
			}))
			t.Cleanup(service.Close)
			p := faultproxy.New(t, service.URL)
			p.Set(func(faultproxy.Request) faultproxy.Fault { return tc.fault })

			got := post(t, p.URL())
			if got != tc.answer || asked.Load() != tc.asked {
				t.Errorf("got %q with the service asked %d times, want %q and %d", got, asked.Load(), tc.answer, tc.asked)
			}
			want := []faultproxy.Request{{Operation: "Publish", Body: []byte("Action=Publish")}}
			if diff := cmp.Diff(want, p.Requests()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if tc.fault.Then != nil && then.Load() != 1 {
				t.Error("nothing else was done")
			}
		})
	}
}

func TestAProxyForgets(t *testing.T) {
	t.Parallel()
	p := faultproxy.New(t, "http://127.0.0.1:9") // is never asked
	decided := 0
	p.Set(func(faultproxy.Request) faultproxy.Fault {
		decided++
		return faultproxy.TableBroken
	})
	post(t, p.URL())
	before := len(p.Requests())
	p.Forget()
	post(t, p.URL())
	if after := len(p.Requests()); before != 1 || after != 0 || decided != 2 {
		t.Errorf("kept %d of the first request and %d of both, and decided on %d, want 1, 0 and 2", before, after, decided)
	}
}

// post returns the status and the body of the answer, or "" if there was none.
func post(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("Action=Publish"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(strings.TrimSuffix(response.Status, http.StatusText(response.StatusCode))) + " " + string(body)
}

// A program that does not notice the proxy sends the service what it would send
// without it.
func TestRequestsArePassedOnUnchanged(t *testing.T) {
	t.Parallel()
	// The service repeats the body and shows what else it was sent.
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// All of it first: once an answer has begun, a server of HTTP/1.1 drops
		// what is left of a body.
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Seen-Host", r.Host)
		w.Header().Set("Seen-Encoding", r.Header.Get("Accept-Encoding"))
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write(body)
	}))
	t.Cleanup(service.Close)
	p := faultproxy.New(t, service.URL)

	want := strings.Repeat("x", 300_000)
	response, got := send(t, client(t), p.URL(), want)
	if response.StatusCode != http.StatusTeapot || got != want {
		t.Errorf("got status %d and %d bytes, want %d and %d", response.StatusCode, len(got), http.StatusTeapot, len(want))
	}
	if got, want := response.Header.Get("Seen-Host"), strings.TrimPrefix(p.URL(), "http://"); got != want {
		t.Errorf("the service saw host %q, want %q, which the signature covers", got, want)
	}
	if got := response.Header.Get("Seen-Encoding"); got != "" {
		t.Errorf("the proxy asked for encoding %q", got)
	}
}

func TestRequestsAndConnectionsAreCounted(t *testing.T) {
	t.Parallel()
	service := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(service.Close)
	p := faultproxy.New(t, service.URL)

	kept := client(t)
	for range 3 {
		send(t, kept, p.URL(), "{}")
	}
	send(t, client(t), p.URL(), "{}")
	if requests, connections := len(p.Requests()), p.Connections(); requests != 4 || connections != 2 {
		t.Errorf("counted %d requests on %d connections, want 4 on 2", requests, connections)
	}
	send(t, kept, p.URL(), "{}")
	if requests, connections := len(p.Requests()), p.Connections(); requests != 5 || connections != 2 {
		t.Errorf("then counted %d requests on %d connections, want 5 on 2: the open one was reused", requests, connections)
	}
	for _, r := range p.Requests() {
		if r.Operation != "PutItem" {
			t.Errorf("operation %q, want PutItem", r.Operation)
		}
	}
}

func TestNoRequestIsLostUnderLoad(t *testing.T) {
	t.Parallel()
	service := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(service.Close)
	p := faultproxy.New(t, service.URL)

	var clients sync.WaitGroup
	for range 20 {
		c := client(t)
		clients.Go(func() {
			for range 20 {
				send(t, c, p.URL(), "{}")
			}
		})
	}
	clients.Wait()
	if requests, connections := len(p.Requests()), p.Connections(); requests != 400 || connections != 20 {
		t.Errorf("counted %d requests on %d connections, want 400 on 20", requests, connections)
	}
}

func TestADeadServiceIsABadGatewayAndTheTryCounts(t *testing.T) {
	t.Parallel()
	service := httptest.NewServer(http.NotFoundHandler())
	service.Close()
	p := faultproxy.New(t, service.URL)
	response, _ := send(t, client(t), p.URL(), "{}")
	if response.StatusCode != http.StatusBadGateway || len(p.Requests()) != 1 {
		t.Errorf("got status %d for %d requests, want %d for 1", response.StatusCode, len(p.Requests()), http.StatusBadGateway)
	}
}

// client has connections of its own.
func client(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 100}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// send posts a body as DynamoDB's PutItem, and reads the whole answer.
func send(t *testing.T, c *http.Client, url, body string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810.PutItem")
	response, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(got)
}

// stopped is a test that only remembers why it ended.
type stopped struct {
	testing.TB

	reason string
}

func (s *stopped) Helper() {}

func (s *stopped) Fatalf(format string, args ...any) {
	s.reason = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestATargetIsAURL(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"", "127.0.0.1", "127.0.0.1:8000", ":", "http://", "/path"} {
		s := &stopped{}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			faultproxy.New(s, target)
		}()
		if <-ended; !strings.Contains(s.reason, "not a URL") {
			t.Errorf("%q is taken for one", target)
		}
	}
}
