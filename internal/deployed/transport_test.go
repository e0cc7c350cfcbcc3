package deployed_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
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

func TestAnEndpointThatIsNoURLIsNamed(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_PROFILE", "")
	for endpoint, fails := range map[string]bool{
		"127.0.0.1:4566": true, "localhost:4566": true, "//127.0.0.1:4566": true, " ": true, "ftp://127.0.0.1": true,
		"": false, "http://127.0.0.1:4566": false, "https://emulator.example.com/": false,
	} {
		t.Setenv("AWS_ENDPOINT_URL", endpoint)
		_, err := deployed.Config(t.Context(), "us-east-1")
		if fails != (err != nil) || err != nil && !strings.Contains(err.Error(), "AWS_ENDPOINT_URL") {
			t.Errorf("%q: error %v, want one: %v", endpoint, err, fails)
		}
	}
}
