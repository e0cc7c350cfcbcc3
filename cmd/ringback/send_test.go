package main_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	ringback "github.com/ringback/ringback/cmd/ringback"
	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/proof/clitest"
)

// token ends the URLs that the tests post to. No error may show it.
const token = "TOKEN-0123456789abcdef"

const (
	stored    = `{"status":"stored","key":"CALL#call_1d4e5f6a"}`
	duplicate = `{"status":"duplicate","key":"CALL#call_1d4e5f6a"}`
)

func TestSendPostsSamplesAndFiles(t *testing.T) {
	t.Parallel()
	event := `{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":{"call_id":"1"}}`
	file := writeFile(t, "my-event.json", event)
	for _, tc := range []struct {
		name string
		args []string
		want []string
	}{
		{"a sample by its name", []string{"call.missed"}, []string{sample(t, "call.missed")}},
		{"a sample by its file", []string{filepath.Join(samples(t), "sms.sent.json")}, []string{sample(t, "sms.sent")}},
		{"a file", []string{file}, []string{event}},
		{"several, in their order", []string{"voicemail.received", file, "call.missed"}, []string{sample(t, "voicemail.received"), event, sample(t, "call.missed")}},
		{"one twice", []string{"call.missed", "call.missed"}, []string{sample(t, "call.missed"), sample(t, "call.missed")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWebhook(t, http.StatusOK, stored)
			got := send(t, w, tc.args...)
			got.Exits(t, 0)
			got.Hides(t, token)
			if got.Stderr != "" {
				t.Errorf("stderr: %s", got.Stderr)
			}
			if diff := cmp.Diff(tc.want, w.bodies()); diff != "" {
				t.Errorf("bodies (-want +got):\n%s", diff)
			}
			lines := strings.Split(strings.TrimSpace(got.Stdout), "\n")
			if n := len(tc.args); n > 1 {
				clitest.Contains(t, "summary", lines[n], fmt.Sprintf("%d sent: %d stored, 0 duplicate, 0 probe, 0 refused", n, n))
				lines = lines[:n]
			}
			if len(lines) != len(tc.args) {
				t.Fatalf("%d lines for %d deliveries:\n%s", len(lines), len(tc.args), got.Stdout)
			}
			for i, line := range lines {
				name := strings.TrimSuffix(filepath.Base(tc.args[i]), ".json")
				clitest.Contains(t, "line", line, "200", "stored", strings.Replace(name, "my-event", "call.missed", 1), "CALL#call_1d4e5f6a")
			}
			for _, r := range w.requests() {
				if r.method != http.MethodPost || r.path != "/justcall/"+token || r.header.Get("Content-Type") != "application/json" {
					t.Errorf("%s %s, content type %q", r.method, r.path, r.header.Get("Content-Type"))
				}
				if r.header.Get(events.HeaderSignature) != "" {
					t.Error("signed without --sign")
				}
			}
		})
	}
}

func TestAFileGoesBeforeASampleOfItsName(t *testing.T) {
	event := `{"event":"call.missed","data":{"call_id":"mine"}}`
	where := samples(t)
	t.Chdir(filepath.Dir(writeFile(t, "call.missed", event)))
	w := newWebhook(t, http.StatusOK, stored)
	program.Run(t, "send", "--url", w.url(), "--samples", where, "call.missed").Exits(t, 0)
	if diff := cmp.Diff([]string{event}, w.bodies()); diff != "" {
		t.Errorf("bodies (-want +got):\n%s", diff)
	}
}

func TestSendPrintsEveryAnswer(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		status int
		body   string
		code   int
		want   []string
	}{
		{"stored", 200, stored, 0, []string{"200", "stored", "CALL#call_1d4e5f6a"}},
		{"duplicate", 200, duplicate, 0, []string{"200", "duplicate", "CALL#call_1d4e5f6a"}},
		{"spilled", 200, `{"status":"spilled"}`, 0, []string{"200", "spilled"}},
		{"wrong token", 401, `{"error":"unauthorized"}`, 1, []string{"401", "unauthorized"}},
		{"refused", 400, `{"error":"payload: not valid JSON at byte 0"}`, 1, []string{"400", "payload: not valid JSON at byte 0"}},
		{"too large", 413, `{"error":"delivery too large to store"}`, 1, []string{"413", "delivery too large to store"}},
		{"not stored", 500, `{"error":"not stored, internal error"}`, 1, []string{"500", "not stored, internal error"}},
		{"unavailable", 503, `{"error":"not stored, send it again"}`, 1, []string{"503", "not stored, send it again"}},
		{"any other than 200", 201, stored, 1, []string{"201"}},
		{"no JSON", 502, "<html><h1>Bad Gateway</h1></html>", 1, []string{"502", "not ringback's"}},
		{"no JSON, and 200", 200, "<html>welcome</html>", 1, []string{"200", "not ringback's"}},
		{"JSON of another kind", 404, `"not here"`, 1, []string{"404", "not ringback's"}},
		{"members of another kind", 500, `{"status":500,"error":{"code":1}}`, 1, []string{"500", "not ringback's"}},
		{"nothing", 500, "", 1, []string{"500", "not ringback's"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := send(t, newWebhook(t, tc.status, tc.body), "call.missed")
			got.Exits(t, tc.code)
			got.Says(t, append(tc.want, "call.missed")...)
			got.Hides(t, token)
			if tc.code != 0 {
				got.Complains(t, "1 of 1 deliveries did not get a 200")
			}
		})
	}
}

// A webhook answers 200 to a file that is no event, because JustCall's test of the URL
// looks like that. People must not take it for stored.
func TestWhatIsNoEventIsAnErrorThatSaysWhy(t *testing.T) {
	t.Parallel()
	b := serve(t, t.TempDir())
	url := urlIn(t, b.Stdout.Await(t, "Stop it with Ctrl-C"))
	for _, tc := range []struct{ name, body, why string }{
		{"an empty file", "", "nothing is in it"},
		{"blanks", " \n", "nothing is in it"},
		{"an object without anything", `{}`, "neither a type nor data"},
		{"other members", `{"a":1}`, "kept as a rejected delivery"},
		{"an event without data", `{"event":"call.missed"}`, "it has no data"},
		{"an event with empty data", `{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":{}}`, "it has no data"},
		{"a type without data", `{"type":"call.missed","webhook_url":"https://example.com"}`, "it has no data"},
		{"a test", `{"type":"call.missed","data":{"test":true}}`, "it has no data"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			file := writeFile(t, "my-event.json", tc.body)
			got := program.Run(t, "send", "--url", url, "--samples", samples(t), file)
			got.Exits(t, 1)
			got.Says(t, "200 probe")
			got.Complains(t, "1 of 1 deliveries stored no event", file, tc.why)
		})
	}
	got := program.Run(t, "send", "--url", url, "--samples", samples(t), "call.missed", "call.missed", writeFile(t, "empty.json", ""), writeFile(t, "bad.json", "{"))
	got.Exits(t, 1)
	got.Says(t, "4 sent: 1 stored, 1 duplicate, 1 probe, 1 refused")
	got.Complains(t, "1 of 4 deliveries stored no event", "1 of 4 deliveries did not get a 200")
	b.Stop().Exits(t, 0)
}

// Whatever answers that it is a probe has stored nothing.
func TestAProbeIsNoSuccess(t *testing.T) {
	t.Parallel()
	got := send(t, newWebhook(t, http.StatusOK, `{"status":"probe"}`), "call.missed")
	got.Exits(t, 1)
	got.Complains(t, "1 of 1 deliveries stored no event", "says that it is a probe")
}

func TestAByteOrderMarkIsNamedAndSent(t *testing.T) {
	t.Parallel()
	for encoding, body := range map[string]string{
		"UTF-8": "\uFEFF" + `{"event":"call.missed","data":{"call_id":"1"}}`, "UTF-16": "\xFF\xFE{\x00}\x00",
	} {
		w := newWebhook(t, http.StatusOK, stored)
		got := send(t, w, writeFile(t, "my-event.json", body))
		got.Exits(t, 0)
		got.Says(t, "my-event.json", "byte order mark ("+encoding+")")
		if diff := cmp.Diff([]string{body}, w.bodies()); diff != "" {
			t.Errorf("bodies (-want +got):\n%s", diff)
		}
	}
}

func TestAServerThatHangsIsNamed(t *testing.T) {
	t.Parallel()
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the end of the sender is not seen
		<-r.Context().Done()
	}))
	t.Cleanup(hanging.Close)
	err := ringback.PostWithin(t.Context(), hanging.URL+"/justcall/"+token, 10*time.Millisecond)
	if want := strings.TrimPrefix(hanging.URL, "http://") + ": no answer within 0.01 s"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if ringback.PostTime != 30*time.Second {
		t.Errorf("a delivery may take %v", ringback.PostTime)
	}
}

// API Gateway itself answers some requests, such as those for an unknown route or
// above the throttle.
func TestSendPrintsWhatAPIGatewayAnswersItself(t *testing.T) {
	t.Parallel()
	got := send(t, newWebhook(t, http.StatusTooManyRequests, `{"message":"Too Many Requests"}`), "call.missed")
	got.Exits(t, 1)
	got.Says(t, "429", "Too Many Requests")
}

// Most redirects turn the POST into a GET. A webhook takes that for a probe: it
// answers 200 and stores nothing. No provider follows a redirect with a delivery.
func TestARedirectIsTheAnswerAndNotFollowed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusPermanentRedirect} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			w := newWebhook(t, http.StatusOK, `{"status":"probe"}`)
			server := httptest.NewServer(http.RedirectHandler(w.url(), status))
			t.Cleanup(server.Close)
			got := program.Run(t, "send", "--url", server.URL+"/justcall/"+token, "--samples", samples(t), "call.missed")
			got.Exits(t, 1)
			got.Says(t, strconv.Itoa(status))
			got.Hides(t, token)
			if n := len(w.requests()); n != 0 {
				t.Errorf("%d requests where it leads to, want none", n)
			}
		})
	}
}

func TestSendGoesOnAfterARefusal(t *testing.T) {
	t.Parallel()
	w := newWebhook(t, http.StatusOK, stored)
	w.first = `{"error":"payload: no"}`
	got := send(t, w, "call.missed", "sms.sent", "call.answered")
	got.Exits(t, 1)
	got.Complains(t, "1 of 3 deliveries did not get a 200")
	got.Says(t, "400", "payload: no", "sms.sent", "call.answered", "3 sent: 2 stored, 0 duplicate, 0 probe, 1 refused")
	if n := len(w.requests()); n != 3 {
		t.Errorf("%d posted, want 3", n)
	}
}

func TestAnUnknownNameListsTheSamples(t *testing.T) {
	t.Parallel()
	w := newWebhook(t, http.StatusOK, stored)
	got := send(t, w, "call.mised")
	got.Exits(t, 1)
	got.Complains(t, "call.mised", "no sample", "call.answered call.completed call.missed contact.created contact.updated sms.delivered sms.received sms.sent voicemail.received")
	got.Hides(t, token)

	got = program.Run(t, "send", "--url", w.url(), "--samples", filepath.Join(t.TempDir(), "none"), "call.missed")
	got.Exits(t, 1)
	got.Complains(t, "call.missed", "--samples")

	got = send(t, w, t.TempDir())
	got.Exits(t, 1)
	got.Complains(t, "directory")
	if n := len(w.requests()); n != 0 {
		t.Errorf("%d posted, want nothing", n)
	}
}

func TestSendNeedsAStackOrAURL(t *testing.T) {
	t.Parallel()
	none := filepath.Join(t.TempDir(), "none")
	got := program.Run(t, "send", "--data", none, "--samples", samples(t), "call.missed")
	got.Exits(t, 1)
	got.Complains(t, none, "ringback serve", "--url")

	broken := filepath.Dir(writeFile(t, "secret.json", `{"token":"`+token))
	got = program.Run(t, "send", "--data", broken, "--samples", samples(t), "call.missed")
	got.Exits(t, 1)
	got.Complains(t, filepath.Join(broken, "secret.json"), "token")
	got.Hides(t, token)
}

func TestWhereNothingListensTheTokenIsNotShown(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	host := strings.TrimPrefix(server.URL, "http://")
	server.Close()

	got := program.Run(t, "send", "--url", server.URL+"/justcall/"+token, "--samples", samples(t), "call.missed")
	got.Exits(t, 1)
	got.Complains(t, host, "connection refused", "ringback serve", "--url")
	got.Hides(t, token)

	data := filepath.Dir(writeFile(t, "secret.json", `{"token":"`+token+`"}`))
	got = program.Run(t, "send", "--data", data, "--addr", host, "--samples", samples(t), "call.missed")
	got.Exits(t, 1)
	got.Complains(t, host, "connection refused")
	got.Hides(t, token)
}

func TestAConnectionThatBreaksIsAnErrorWithoutTheToken(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"before the answer":     "",
		"no HTTP":               "SSH-2.0-OpenSSH_9.6\r\n",
		"within the answer":     "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
		"a redirect to nowhere": "HTTP/1.1 301 Moved\r\nLocation: http://[" + token + "\r\nContent-Length: 0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				c, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.WriteString(c, answer)
				_ = c.Close()
			}))
			t.Cleanup(server.Close)
			got := program.Run(t, "send", "--url", server.URL+"/justcall/"+token, "--samples", samples(t), "call.missed")
			got.Exits(t, 1)
			got.Complains(t, "")
			got.Hides(t, token)
		})
	}
}

func TestWhatIsNoURLIsRefusedAndNotShown(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{
		"no scheme":         "example.com/justcall/" + token,
		"only the token":    token,
		"another scheme":    "ftp://example.com/justcall/" + token,
		"no host":           "https:///justcall/" + token,
		"a space":           "https://exa mple.com/justcall/" + token,
		"a bad escape":      "https://example.com/justcall/%zz" + token,
		"a control":         "https://example.com/justcall/" + token + "\n",
		"half an address":   "http://[::1/justcall/" + token,
		"a port that isn't": "http://127.0.0.1:port/justcall/" + token,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := program.Run(t, "send", "--url", url, "--samples", samples(t), "call.missed")
			got.Exits(t, 1)
			got.Complains(t, "whole webhook URL", "token")
			got.Hides(t, token)
		})
	}
}

// When make fails, --url "$(make -s webhook-url)" is empty. The delivery must not
// go to the local stack instead.
func TestAnEmptyURLIsNotTheLocalStack(t *testing.T) {
	t.Parallel()
	w := newWebhook(t, http.StatusOK, stored)
	data := filepath.Dir(writeFile(t, "secret.json", `{"token":"`+token+`"}`))
	got := program.Run(t, "send", "--url", "", "--data", data, "--addr", w.host(), "--samples", samples(t), "call.missed")
	got.Exits(t, 1)
	got.Complains(t, "--url")
	if n := len(w.requests()); n != 0 {
		t.Errorf("%d posted, want nothing", n)
	}
}

const missedB = `{"type":"call.missed","request_id":"01KKXGP6DQG3JM67BC8CAWYFAD","data":{"call_sid":"CA01"}}`

const signingSecret = "signing-secret-of-the-account"

func TestSignNeedsTheSecretInTheEnvironment(t *testing.T) {
	t.Setenv(ringback.SigningSecretEnv, "")
	w := newWebhook(t, http.StatusOK, stored)
	got := send(t, w, "--sign", writeFile(t, "event.json", missedB))
	got.Exits(t, 1)
	got.Complains(t, "--sign", ringback.SigningSecretEnv)
	if n := len(w.requests()); n != 0 {
		t.Errorf("%d posted, want nothing", n)
	}
}

func TestSignSignsForTheURLThatIsPostedTo(t *testing.T) {
	t.Setenv(ringback.SigningSecretEnv, signingSecret)
	w := newWebhook(t, http.StatusOK, stored)
	for _, url := range []string{w.url(), w.url() + "?source=just%20call&n=1"} {
		got := program.Run(t, "send", "--sign", "--url", url, "--samples", samples(t), writeFile(t, "event.json", missedB), "sms.sent")
		got.Exits(t, 0)
		got.Hides(t, signingSecret)
	}
	types := []events.Type{events.TypeCallMissed, events.TypeSMSSent, events.TypeCallMissed, events.TypeSMSSent}
	requests := w.requests()
	if len(requests) != len(types) {
		t.Fatalf("%d posted, want %d", len(requests), len(types))
	}
	for i, r := range requests {
		signature := events.Signature{
			Hex:       r.header.Get(events.HeaderSignature),
			Version:   r.header.Get(events.HeaderSignatureVersion),
			Timestamp: r.header.Get(events.HeaderRequestTimestamp),
		}
		within := events.Tolerance{Past: time.Minute, Ahead: time.Second}
		if err := events.Verify(signature, "http://"+r.host+r.uri, types[i], within, time.Now(), signingSecret); err != nil {
			t.Errorf("%s: %v", r.uri, err)
		}
		if signature.Version != events.SignatureVersion {
			t.Errorf("version %q, want %q", signature.Version, events.SignatureVersion)
		}
	}
}

func TestWhatIsNoJSONCannotBeSigned(t *testing.T) {
	t.Setenv(ringback.SigningSecretEnv, signingSecret)
	w := newWebhook(t, http.StatusOK, stored)
	got := send(t, w, "--sign", writeFile(t, "notes.txt", "not JSON"))
	got.Exits(t, 1)
	got.Complains(t, "notes.txt", "not valid JSON")
	got.Hides(t, token)
}

func TestSendReachesTheLocalStackSignedOrNot(t *testing.T) {
	data := t.TempDir()
	b := serve(t, data)
	b.Stdout.Await(t, "Stop it with Ctrl-C")
	b.Stop().Exits(t, 0)
	secret, err := local.ReadSecret(data)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(credential.Secret{Token: secret.Token, SigningSecret: signingSecret})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "secret.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}

	b = serve(t, data)
	url := urlIn(t, b.Stdout.Await(t, "Stop it with Ctrl-C"))
	address, _, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	post := func(args ...string) clitest.Result {
		t.Helper()
		return program.Run(t, append([]string{"send", "--data", data, "--addr", address, "--samples", samples(t)}, args...)...)
	}
	event := writeFile(t, "event.json", missedB)

	got := post("call.missed")
	got.Exits(t, 0)
	got.Says(t, "stored", "CALL#call_1d4e5f6a")
	got = post("call.missed")
	got.Exits(t, 0)
	got.Says(t, "duplicate")
	got = post(event)
	got.Exits(t, 1)
	got.Says(t, "401", "unauthorized")
	t.Setenv(ringback.SigningSecretEnv, "another")
	post("--sign", event).Exits(t, 1)
	t.Setenv(ringback.SigningSecretEnv, signingSecret)
	got = post("--sign", event)
	got.Exits(t, 0)
	got.Says(t, "stored", "CALL#CA01")
	b.Stop().Exits(t, 0)
}

// send posts to w.
func send(t *testing.T, w *webhook, args ...string) clitest.Result {
	t.Helper()
	return program.Run(t, append([]string{"send", "--url", w.url(), "--samples", samples(t)}, args...)...)
}

// webhook gives every request the same answer, and keeps the requests.
type webhook struct {
	server *httptest.Server
	first  string // answered 400 to the first request, if set

	mu  sync.Mutex
	got []request
}

type request struct {
	method, host, uri, path string
	header                  http.Header
	body                    string
}

func newWebhook(t *testing.T, status int, answer string) *webhook {
	t.Helper()
	w := &webhook{}
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.got = append(w.got, request{r.Method, r.Host, r.RequestURI, r.URL.Path, r.Header, string(body)})
		if w.first != "" && len(w.got) == 1 {
			rw.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(rw, w.first)
			return
		}
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, answer)
	}))
	t.Cleanup(w.server.Close)
	return w
}

func (w *webhook) url() string { return w.server.URL + "/justcall/" + token }

func (w *webhook) host() string { return strings.TrimPrefix(w.server.URL, "http://") }

func (w *webhook) requests() []request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.got
}

func (w *webhook) bodies() (bodies []string) {
	for _, r := range w.requests() {
		bodies = append(bodies, r.body)
	}
	return bodies
}

// A sample that is sent as new is another call, and a voicemail of the same run is its.
func TestASampleCanBeAnotherCall(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	running := serve(t, data, "--demo")
	url := urlIn(t, running.Stdout.Await(t, "Still serving"))
	got := program.Run(t, "send", "--new", "call.missed", "voicemail.received", "--url", url)
	got.Exits(t, 0)
	got.Says(t, "2 stored, 0 duplicate")
	watch := program.Start(t, "waiting", "--watch", "--every", "1s", "--data", data)
	watch.Stdout.Await(t, "min  +1 415-555-8765  1 ") // the sample's wait has expired long ago
	watch.Stdout.Await(t, `"Hi, this is Pat`)
	watch.Stop().Exits(t, 0)
	running.Stop().Exits(t, 0)
}
