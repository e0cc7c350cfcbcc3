package callcount_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/callcount"
)

const (
	putItem = "DynamoDB_20120810.PutItem"
	query   = "DynamoDB_20120810.Query"
)

// echo answers with the request's body and shows the host that it was asked for.
func echo(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// All of it first: once an answer has begun, a server of HTTP/1.1 drops what is
		// left of a body.
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Seen-Host", r.Host)
		w.Header().Set("Seen-Encoding", r.Header.Get("Accept-Encoding"))
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)

	return server
}

func tap(t *testing.T, target string) *callcount.Tap {
	t.Helper()
	wire, err := callcount.New(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := wire.Close(); err != nil {
			t.Error(err)
		}
	})

	return wire
}

// client has connections of its own.
func client(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 100}
	t.Cleanup(transport.CloseIdleConnections)

	return &http.Client{Transport: transport}
}

func post(t *testing.T, c *http.Client, url, operation, body string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if operation != "" {
		r.Header.Set("X-Amz-Target", operation)
	}
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

func TestTap_passesRequestsOnUnchanged(t *testing.T) {
	t.Parallel()
	wire := tap(t, echo(t).URL)

	want := strings.Repeat("x", 300_000)
	response, got := post(t, client(t), wire.URL()+"/", putItem, want)
	if response.StatusCode != http.StatusTeapot || got != want {
		t.Errorf("got status %d and %d bytes, want %d and %d", response.StatusCode, len(got), http.StatusTeapot, len(want))
	}
	if got, want := response.Header.Get("Seen-Host"), strings.TrimPrefix(wire.URL(), "http://"); got != want {
		t.Errorf("the target saw host %q, want %q, which the signature covers", got, want)
	}
	if got := response.Header.Get("Seen-Encoding"); got != "" {
		t.Errorf("the tap asked for encoding %q", got)
	}
}

func TestTap_countsRequestsAndConnections(t *testing.T) {
	t.Parallel()
	wire := tap(t, echo(t).URL)

	kept := client(t)
	for range 3 {
		post(t, kept, wire.URL()+"/", putItem, "{}")
	}
	post(t, kept, wire.URL()+"/", query, "{}")
	post(t, client(t), wire.URL()+"/topic", "", "Action=Publish")

	want := map[string]int{putItem: 3, query: 1, "POST /topic": 1}
	if diff := cmp.Diff(want, wire.Operations()); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
	if got := wire.Connections(); got != 2 {
		t.Errorf("got %d connections, want 2", got)
	}

	wire.Reset()
	post(t, kept, wire.URL()+"/", query, "{}")
	if diff := cmp.Diff(map[string]int{query: 1}, wire.Operations()); diff != "" {
		t.Errorf("operations after a reset (-want +got):\n%s", diff)
	}
	if got := wire.Connections(); got != 0 {
		t.Errorf("got %d connections after a reset, want none: the open one was reused", got)
	}
}

func TestTap_losesNoCountUnderLoad(t *testing.T) {
	t.Parallel()
	wire := tap(t, echo(t).URL)

	var clients sync.WaitGroup
	for range 20 {
		c := client(t)
		clients.Go(func() {
			for range 20 {
				post(t, c, wire.URL()+"/", putItem, "{}")
			}
		})
	}
	clients.Wait()

	if got := wire.Operations()[putItem]; got != 400 {
		t.Errorf("got %d requests, want 400", got)
	}
	if got := wire.Connections(); got != 20 {
		t.Errorf("got %d connections, want 20", got)
	}
}

func TestTap_answersBadGatewayForADeadTargetAndCountsTheTry(t *testing.T) {
	t.Parallel()
	target := echo(t)
	target.Close()
	wire := tap(t, target.URL)

	response, _ := post(t, client(t), wire.URL()+"/", putItem, "{}")
	if response.StatusCode != http.StatusBadGateway {
		t.Errorf("got status %d, want %d", response.StatusCode, http.StatusBadGateway)
	}
	if got := wire.Operations()[putItem]; got != 1 {
		t.Errorf("got %d requests, want 1", got)
	}
}

func TestNew_refusesATargetWithoutAHost(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"", "127.0.0.1", "http://", ":", "/path"} {
		if wire, err := callcount.New(target); err == nil {
			t.Errorf("New(%q) gave no error", target)
			_ = wire.Close()
		}
	}
}
