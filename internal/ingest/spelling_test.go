package ingest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/proof/tabletest"
)

const (
	publicURL  = "https://hooks.example.com/justcall"
	gatewayURL = base + "/justcall"
)

// signedFor returns the answer to a delivery that is signed for a URL, by a handler
// with a configured one.
func signedFor(t *testing.T, configured, url string, change func(*ingest.Request)) int {
	t.Helper()
	h := newHandler(t, &tabletest.Memory{}, valid(credential.Secret{Token: token, SigningSecret: signingSecret}), nil)
	h.WebhookURL = configured
	r := signed(post(missedB), signingSecret, url, "call.missed", now)
	r.Headers["host"] = strings.TrimPrefix(base, "https://")
	if change != nil {
		change(&r)
	}
	return h.Handle(t.Context(), r).Status
}

// JustCall signs a URL as somebody typed it.
func TestPromise7_EverySpellingOfAURLVerifies(t *testing.T) {
	t.Parallel()
	const host, gatewayHost = "hooks.example.com", "example.execute-api.us-east-1.amazonaws.com"
	path := "/justcall/" + token
	for _, url := range []string{
		"https://" + host + path,
		"https://" + host + path + "/",
		"https://" + host + path + " ",
		"https://" + host + path + "%20",
		"https://" + host + path + "\n",
		"https://" + host + path + "\t",
		"https://" + host + path + "\r\n",
		"https://" + host + path + "  ",
		"https://" + host + path + "\u00a0",
		"https://" + host + path + "%09",
		"https://" + host + path + "%0A",
		"https://" + host + path + "//",
		"https://" + host + path + "/\t",
		"https://" + host + path + "#",
		"https://" + host + path + "?",
		"https://" + host + path + "/#",
		"https://" + host + ":443" + path,
		"https://" + host + ":443" + path + "/",
		"HTTPS://" + host + path,
		"Https://" + host + path,
		"https://HOOKS.EXAMPLE.COM" + path,
		"https://Hooks.example.com" + path,
		"https://Hooks.Example.com" + path,
		"https://Hooks.Example.Com" + path,
		"HTTPS://Hooks.Example.com:443" + path + "/ ",
		"https://" + gatewayHost + path,
		"https://" + gatewayHost + path + "/",
		"https://" + gatewayHost + ":443" + path,
		"HTTPS://" + strings.ToUpper(gatewayHost) + path + " ",
	} {
		if got := signedFor(t, publicURL, url, nil); got != http.StatusOK {
			t.Errorf("signed for %q: %d, want 200", url, got)
		}
		// Without a setting, only the request's own URL is ours.
		want := http.StatusUnauthorized
		if strings.Contains(strings.ToLower(url), gatewayHost) {
			want = http.StatusOK
		}
		if got := signedFor(t, "", url, nil); got != want {
			t.Errorf("without a setting, signed for %q: %d, want %d", url, got, want)
		}
	}
}

func TestPromise7_TheSettingMayBeSpelledInAnyWay(t *testing.T) {
	t.Parallel()
	for _, configured := range []string{
		publicURL, publicURL + "/", publicURL + " ", publicURL + "#", publicURL + "?",
		"HTTPS://hooks.example.com/justcall", "https://hooks.example.com:443/justcall",
		"https://Hooks.Example.COM/justcall", "HTTPS://hOOks.example.com:443/justcall/ ",
	} {
		for _, url := range []string{publicURL + "/" + token, "https://hooks.example.com:443/justcall/" + token + "/"} {
			if got := signedFor(t, configured, url, nil); got != http.StatusOK {
				t.Errorf("%q, signed for %q: %d, want 200", configured, url, got)
			}
		}
	}
	// As it is configured, however odd.
	if got := signedFor(t, "https://hOOks.example.com/justcall", "https://hOOks.example.com/justcall/"+token, nil); got != http.StatusOK {
		t.Errorf("as configured: %d, want 200", got)
	}
}

func TestTheQueryMayBeSignedOrNot(t *testing.T) {
	t.Parallel()
	query := func(r *ingest.Request) { r.Query = "team=a%20b&n=1" }
	for url, want := range map[string]int{
		publicURL + "/" + token + "?team=a%20b&n=1":   200,
		publicURL + "/" + token + "/?team=a%20b&n=1":  200,
		publicURL + "/" + token:                       200,
		publicURL + "/" + token + "/":                 200,
		gatewayURL + "/" + token + "?team=a%20b&n=1 ": 200,
		publicURL + "/" + token + "?team=c":           401,
	} {
		if got := signedFor(t, publicURL, url, query); got != want {
			t.Errorf("signed for %q: %d, want %d", url, got, want)
		}
	}
}

// What the client sends of a slash, a blank or a fragment at the end is no part of
// the token.
func TestARequestMayHaveMoreBehindTheToken(t *testing.T) {
	t.Parallel()
	for _, more := range []string{"", "/", " ", "/ ", " /", "#", "#webhook", "\n", "\t", "\r\n", "\u00a0", "//", "/\t"} {
		change := func(r *ingest.Request) { r.Path += more; r.URL += more }
		if got := signedFor(t, publicURL, gatewayURL+"/"+token, change); got != http.StatusOK {
			t.Errorf("%q behind the token: %d, want 200", more, got)
		}
	}
}

// The letter case of a host is the typist's, if the request still has it.
func TestTheHostMayBeSpelledAsInTheRequest(t *testing.T) {
	t.Parallel()
	const odd = "eXample.Execute-Api.us-east-1.amazonaws.com"
	url := "https://" + odd + "/justcall/" + token
	if got := signedFor(t, "", url, func(r *ingest.Request) { r.Headers["host"] = odd }); got != http.StatusOK {
		t.Errorf("the request's spelling: %d, want 200", got)
	}
	if got := signedFor(t, "", url, nil); got != http.StatusUnauthorized {
		t.Errorf("a spelling that is nowhere: %d, want 401", got)
	}
}

func TestPromise6_NoSpellingMakesAnotherHostOrTokenOurs(t *testing.T) {
	t.Parallel()
	const foreign = "attacker.example"
	for name, url := range map[string]string{
		"the host of a header":  "https://" + foreign + "/justcall/" + token,
		"a host that ends so":   "https://evil-hooks.example.com/justcall/" + token,
		"a host below":          "https://hooks.example.com.attacker.example/justcall/" + token,
		"another port":          "https://hooks.example.com:8443/justcall/" + token,
		"http's port":           "https://hooks.example.com:80/justcall/" + token,
		"another path":          "https://hooks.example.com/hooks/" + token,
		"a path in capitals":    "https://hooks.example.com/JUSTCALL/" + token,
		"the token in capitals": "https://hooks.example.com/justcall/" + strings.ToUpper(token),
		"another token":         "https://hooks.example.com/justcall/" + previousToken,
		"a user":                "https://me@hooks.example.com/justcall/" + token,
	} {
		change := func(r *ingest.Request) {
			r.Headers["host"] = foreign
			r.Body = []byte(strings.Replace(missedB, "https://attacker.example/hook", url, 1))
		}
		if got := signedFor(t, publicURL, url, change); got != http.StatusUnauthorized {
			t.Errorf("%s, signed for %q: %d, want 401", name, url, got)
		}
	}
}

// However a signature is forged, it costs so many HMACs, and a right one costs one.
func TestSpellingsAreFewAndTheLikeliestIsFirst(t *testing.T) {
	t.Parallel()
	h := newHandler(t, &tabletest.Memory{}, valid(), nil)
	r := post(missedB)
	r.Query, r.Headers["host"] = "a=1", "EXAMPLE.execute-api.us-east-1.amazonaws.com"
	for configured, first := range map[string]string{
		"":        gatewayURL + "/" + token + "?a=1",
		publicURL: publicURL + "/" + token + "?a=1",
	} {
		h.WebhookURL = configured
		var all []string
		for url := range h.Spellings(r, token) {
			all = append(all, url)
		}
		if all[0] != first {
			t.Errorf("the first is %s, want %s", all[0], first)
		}
		if len(all) > 3000 {
			t.Errorf("%d spellings", len(all))
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	for name, url := range map[string]string{
		"likely": publicURL + "/" + token,
		"odd":    "HTTPS://Hooks.Example.com:443/justcall/" + token + "/ ",
		"forged": "https://example.com/",
	} {
		b.Run(name, func(b *testing.B) {
			h := newHandler(b, &tabletest.Memory{}, valid(credential.Secret{Token: token, SigningSecret: signingSecret}), nil)
			h.WebhookURL = publicURL
			r := signed(post(missedB), signingSecret, url, "call.missed", now)
			b.ReportAllocs()
			for b.Loop() {
				h.Handle(b.Context(), r)
			}
		})
	}
}
