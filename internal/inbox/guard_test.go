package inbox_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/ringback/ringback/internal/inbox"
	"github.com/ringback/ringback/internal/proof/inboxtest"
	"github.com/ringback/ringback/internal/proof/logscan"
)

// ask sends a request with headers, and returns the status. A header "Host" is the host.
func (v *visitor) ask(method, path string, headers map[string]string) (status int, page string) {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, strings.NewReader(""))
	if err != nil {
		v.t.Fatal(err)
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	r.Host = headers["Host"]
	if r.Host == "" {
		r.Host = r.URL.Host
	}
	return v.do(r)
}

// status returns how a request is answered, and does not wait for the answer's end.
func (v *visitor) status(path string) int {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, v.base+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	answer, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// A page elsewhere may have its own name lead to this machine. The browser then takes ours
// for that page's own.
func TestPromise6_ARequestForAnotherHostIsRefused(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	w.Post(inboxtest.Day()...)
	v := visit(t, w)
	_, port, _ := strings.Cut(strings.TrimPrefix(v.base, "http://"), ":")
	for _, host := range []string{"evil.example", "evil.example:" + port, "127.0.0.1.evil.example:" + port, "localhost.evil.example", "10.0.0.1:" + port, "0.0.0.0:" + port, "localhost@evil.example", "evil.example:127.0.0.1"} {
		if status, page := v.ask(http.MethodGet, "/", map[string]string{"Host": host}); status != http.StatusMisdirectedRequest || strings.Contains(page, "Rosa") {
			t.Errorf("host %s: %d", host, status)
		}
	}
	// Those of this machine, a tunnel's port among them, are only without a cookie.
	for _, host := range []string{"localhost:" + port, "127.0.0.1:9000", "[::1]:" + port, "LOCALHOST"} {
		if status, _ := v.ask(http.MethodGet, "/", map[string]string{"Host": host}); status == http.StatusMisdirectedRequest {
			t.Errorf("host %s: %d", host, status)
		}
	}
}

func TestPromise6_ARequestThatAnotherSiteCausesIsRefused(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	w.Post(inboxtest.Day()...)
	v := visit(t, w)
	for from, want := range map[string]int{
		"cross-site": http.StatusForbidden, "same-site": http.StatusForbidden, "anything": http.StatusForbidden,
		"same-origin": http.StatusOK, "none": http.StatusOK, "": http.StatusOK,
	} {
		headers := map[string]string{}
		if from != "" {
			headers["Sec-Fetch-Site"] = from
		}
		if status, page := v.ask(http.MethodGet, "/", headers); status != want || want != http.StatusOK && strings.Contains(page, "Rosa") {
			t.Errorf("from %q: %d, want %d", from, status, want)
		}
	}
}

// Browsers that do not say from which kind of site a form comes say which one it is.
func TestPromise6_AFormOfAnotherSiteIsRefused(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	v := visit(t, w)
	for origin, want := range map[string]int{
		"https://evil.example": http.StatusForbidden, "null": http.StatusForbidden, "http://localhost:3000": http.StatusForbidden, v.base: http.StatusOK,
	} {
		if status, _ := v.ask(http.MethodPost, "/name", map[string]string{"Origin": origin}); status != want {
			t.Errorf("origin %s: %d, want %d", origin, status, want)
		}
	}
}

func TestPromise6_ThePageNeedsTheTokenOnce(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	w.Post(inboxtest.Day()...)
	base, _, _ := strings.Cut(w.URL, "/?")
	v := &visitor{t, base, &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	for _, path := range []string{"/", "/today", "/health", "/assets/style.css", "/?token=", "/?token=wrong"} {
		if status, page := v.get(path); status != http.StatusForbidden || strings.Contains(page, "Rosa") {
			t.Errorf("%s without the token: %d", path, status)
		}
	}
	if status := v.status("/live"); status != http.StatusForbidden {
		t.Errorf("the changes without the token: %d", status)
	}
	if status, _ := v.post("/act", "caller", inboxtest.Tom, "kind", "claim"); status != http.StatusForbidden {
		t.Errorf("a form without the cookie: %d", status)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := v.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	cookies := answer.Cookies()
	if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != "/" || len(cookies) != 1 {
		t.Fatalf("the token: %d to %q with %d cookies", answer.StatusCode, answer.Header.Get("Location"), len(cookies))
	}
	c := cookies[0]
	_, token, _ := strings.Cut(w.URL, "=")
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Value == "" || c.Value == token {
		t.Errorf("the cookie can be read or sent elsewhere, or is the token: %v, %v", c.HttpOnly, c.SameSite)
	}
	if status, _ := v.ask(http.MethodGet, "/", map[string]string{"Cookie": c.Name + "=" + c.Value}); status != http.StatusOK {
		t.Errorf("with the cookie: %d", status)
	}
	if status, _ := v.ask(http.MethodGet, "/", map[string]string{"Cookie": c.Name + "=" + token}); status != http.StatusForbidden {
		t.Errorf("with the token as the cookie: %d", status)
	}
}

func TestPromise6_TheBrowserRunsAndKeepsNothingElse(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	v := visit(t, w)
	for _, path := range []string{"/", "/today", "/nope", "/call?id=x"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, v.base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := v.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		policy := answer.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: the policy has no %s: %s", path, part, policy)
			}
		}
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY",
			"Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := answer.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		if got := answer.Header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s may be read by %s", path, got)
		}
	}
}

func TestPromise6_OnlyThisMachineListens(t *testing.T) {
	t.Parallel()
	w := inboxtest.Open(t, nil)
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0"} {
		page, err := inbox.Start(t.Context(), address, inbox.Config{Look: w.Look}, logscan.Logger(t))
		if !errors.Is(err, inbox.ErrAddress) {
			t.Errorf("%s: error %v, want %v", address, err, inbox.ErrAddress)
		}
		if err == nil {
			page.Close()
		}
	}
	if _, err := inbox.Start(t.Context(), "8081", inbox.Config{Look: w.Look}, logscan.Logger(t)); err == nil {
		t.Error("an address without a host is taken")
	}
}
