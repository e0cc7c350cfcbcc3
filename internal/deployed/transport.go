package deployed

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// NewTransport returns a transport like [http.DefaultTransport] that finds every name
// below localhost on this machine, where emulators of AWS serve what API Gateway would.
// Not every system's resolver knows that these names are local:
// https://www.rfc-editor.org/rfc/rfc6761#section-6.3
func NewTransport() *http.Transport {
	t := &http.Transport{}
	if standard, ok := http.DefaultTransport.(*http.Transport); ok {
		t = standard.Clone()
	}
	proxy, dialer := http.ProxyFromEnvironment, &net.Dialer{}
	t.Proxy = func(r *http.Request) (*url.URL, error) {
		if isLocal(r.URL.Hostname()) {
			return nil, nil //nolint:nilnil // no proxy
		}
		return proxy(r)
	}
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if host, port, err := net.SplitHostPort(address); err == nil && isLocal(host) {
			address = net.JoinHostPort("localhost", port)
		}
		return dialer.DialContext(ctx, network, address)
	}
	return t
}

func isLocal(host string) bool { return strings.HasSuffix(strings.ToLower(host), ".localhost") }
