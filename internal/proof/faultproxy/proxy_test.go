package faultproxy_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
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
			p, err := faultproxy.New(service.URL)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = p.Close() })
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
	p, err := faultproxy.New("http://127.0.0.1:9") // is never asked
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
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

func TestATargetIsAURL(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"", "127.0.0.1:8000", ":", "http://"} {
		if _, err := faultproxy.New(target); err == nil {
			t.Errorf("%q is taken for one", target)
		}
	}
}
