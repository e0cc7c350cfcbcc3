package deployed_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/ringback/ringback/internal/deployed"
)

func TestNamesBelowLocalhostAreOnThisMachine(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Host) //nolint:gosec // G705: nobody renders it
	}))
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1") // nobody listens there
	transport := deployed.NewTransport()
	t.Cleanup(transport.CloseIdleConnections)
	for _, name := range []string{"abc123.execute-api.localhost", "ABC123.Localhost"} {
		host := name + ":" + at.Port()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := transport.RoundTrip(request)
		if err != nil {
			t.Error(err)
			continue
		}
		got, err := io.ReadAll(response.Body)
		if err != nil || string(got) != host {
			t.Errorf("%s reached %q, %v", host, got, err)
		}
		_ = response.Body.Close()
	}
}
