package faultproxy_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/faultproxy"
)

// What the service did is seen, whatever the program is told of it.
func TestWhatIsPassedOnIsSeen(t *testing.T) {
	t.Parallel()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(append([]byte("done "), body...))
	}))
	t.Cleanup(service.Close)
	p := faultproxy.New(t, service.URL)
	seen := make(chan string, 2)
	for _, name := range []string{"inner", "outer"} {
		p.Through(func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				response, err := next.RoundTrip(r)
				if err != nil {
					return nil, err
				}
				body, err := io.ReadAll(response.Body)
				seen <- name + " " + string(body)
				response.Body = io.NopCloser(strings.NewReader(string(body)))
				return response, err
			})
		})
	}
	for _, tc := range []struct {
		name  string
		fault faultproxy.Fault
		want  []string
	}{
		{"none", faultproxy.Fault{}, []string{"inner done Action=Publish", "outer done Action=Publish"}},
		{"a cut", faultproxy.Fault{Cut: true}, nil},
		{"a cut although it is done", faultproxy.Fault{PassOn: true, Cut: true}, []string{"inner done Action=Publish", "outer done Action=Publish"}},
	} {
		p.Set(func(faultproxy.Request) faultproxy.Fault { return tc.fault })
		post(t, p.URL())
		var got []string
		for len(seen) > 0 {
			got = append(got, <-seen)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: seen (-want +got):\n%s", tc.name, diff)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
