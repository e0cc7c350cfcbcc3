package main_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/justcall"
	"github.com/ringback/ringback/internal/proof/clitest"
	"github.com/ringback/ringback/internal/proof/justcalltest"
)

// justCall is a JustCall account with two lines, and flags that reach it.
func justCall(t *testing.T) (*justcalltest.Server, []string) {
	t.Helper()
	s := justcalltest.New(t)
	s.Limits = justcall.Limits{PerHour: 10_000, PerMinute: 1_000} // several runs within a minute are one too many
	s.AddUser("Owner", "America/New_York")
	s.AddUser("Agent", "America/New_York")
	s.AddUser("Agent", "Europe/Atlantis")
	s.AddLine("+12125550199", "Front desk", "Custom Hours")
	s.AddLine("+12125550198", "Billing", "Always Open")
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	keys := writeFile(t, "keys.json", `{"key": "`+justcalltest.Key+`", "secret": "`+justcalltest.Secret+`"}`)
	return s, []string{"--api", server.URL, "--keys", keys}
}

// serving starts a local stack, and returns the flags that find it and its URL.
func serving(t *testing.T) (flags []string, url string, b *clitest.Background) {
	t.Helper()
	data := t.TempDir()
	b = program.Start(t, "serve", "--data", data, "--addr", anyPort)
	url = urlIn(t, b.Stdout.Await(t, "Stop it with Ctrl-C"))
	return []string{"--data", data, "--webhook-url", url[:strings.LastIndexByte(url, '/')]}, url, b
}

func subscribed(s *justcalltest.Server, url string) (types []events.Type) {
	s.Change(func() {
		for _, h := range s.Hooks {
			if h.URL == url && h.Status == justcall.WebhookActive {
				types = append(types, h.Type)
			}
		}
	})
	slices.Sort(types)
	return types
}

func needed() (types []events.Type) {
	for _, n := range justcall.Needed {
		types = append(types, n.Type)
	}
	slices.Sort(types)
	return types
}

func TestConnectSubscribesWhatIsMissing(t *testing.T) {
	t.Parallel()
	s, account := justCall(t)
	local, url, b := serving(t)
	s.AddHook(events.TypeCallMissed, "https://crm.example.com/hook", justcall.WebhookActive)
	s.AddHook(events.TypeCallMissed, strings.ToUpper(url[:7])+url[7:]+"/", justcall.WebhookActive) // as somebody typed it
	s.AddHook(events.TypeCallAnswered, url, justcall.WebhookBlacklisted)

	args := slices.Concat([]string{"connect"}, local, account)
	dry := program.Run(t, append(args, "--dry-run")...)
	dry.Exits(t, 0)
	dry.Says(t, "Front desk", "12125550199", "3 users", "2 lines", "call.completed", "will be added", "removed and added again", "America/New_York, that of 2 of 3", "hours: JustCall's API does not have them. It shows only that 1 of 2 lines has custom hours.", "--business-hours", "nothing was changed")
	if got := subscribed(s, url); got != nil {
		t.Fatalf("a dry run subscribed %v", got)
	}

	asks := program.Run(t, args...) // without a terminal
	asks.Exits(t, 1)
	asks.Complains(t, "nothing was changed", "--yes")

	got := program.Run(t, append(args, "--yes")...)
	got.Exits(t, 0)
	got.Says(t, "JustCall posts all 7 types", "A sample went through: 200 stored", "1 webhook to other addresses", "Signatures: are not checked")
	want := slices.DeleteFunc(needed(), func(t events.Type) bool { return t == events.TypeCallMissed })
	if got := subscribed(s, url); !slices.Equal(got, want) {
		t.Errorf("subscribed %v, want %v", got, want)
	}
	for _, r := range []clitest.Result{dry, asks, got} {
		r.Hides(t, justcalltest.Key)
		r.Hides(t, justcalltest.Secret)
		r.Hides(t, url[strings.LastIndexByte(url, '/')+1:])
	}

	again := program.Run(t, append(args, "--all")...) // and nobody to ask
	again.Exits(t, 1)
	again.Says(t, "whatsapp.message_received", "will be added")
	again = program.Run(t, args...)
	again.Exits(t, 0)
	again.Says(t, "200 duplicate")
	if n := len(subscribed(s, url)); n != len(want) {
		t.Errorf("%d webhooks after a second run, want %d", n, len(want))
	}
	s.Change(func() { s.AddLine("+12125550197", "Sales", "Custom Hours") })
	program.Run(t, append(args, "--dry-run")...).Says(t, "only that 2 of 3 lines have custom hours.")
	s.Change(func() { s.Lines = s.Lines[1:2] })
	program.Run(t, append(args, "--dry-run")...).Says(t, "does not have them; no line is set to Custom Hours.\n")
	if stopped := b.Stop(); strings.Contains(stopped.Stdout, "MISSED") {
		t.Errorf("somebody was alerted:\n%s", stopped.Stdout)
	}
}

func TestConnectLooksWhetherJustCallDidWhatItSays(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		// with responds to a request that adds a webhook; nil: JustCall does.
		with func(s *justcalltest.Server) http.Handler
		code int
		says []string
	}{
		{"added, but the response is lost", func(s *justcalltest.Server) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				s.Add(r)
				http.Error(w, "", http.StatusBadGateway)
			})
		}, 0, nil},
		{"not added, though the response says so", func(*justcalltest.Server) http.Handler {
			return justcalltest.Respond(http.StatusOK, "{}")
		}, 1, []string{"does not post call.missed, call.voicemail", "APIs and Webhooks"}},
		{"refused", func(*justcalltest.Server) http.Handler {
			return justcalltest.Respond(http.StatusForbidden, "{}")
		}, 1, []string{"add a webhook for call.missed", "Team plan", "APIs and Webhooks"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, account := justCall(t)
			local, _, _ := serving(t)
			s.Before = func(r *http.Request) http.Handler {
				if r.Method != http.MethodPost {
					return nil
				}
				return test.with(s)
			}
			got := program.Run(t, slices.Concat([]string{"connect", "--yes"}, local, account)...)
			got.Exits(t, test.code)
			clitest.Contains(t, "stderr", got.Stderr, test.says...)
		})
	}
}

func TestConnectChangesNothingThatCannotWork(t *testing.T) {
	t.Parallel()
	others := writeFile(t, "keys.json", `{"key": "PRIVATE-1", "secret": "PRIVATE-2"}`)
	open := writeFile(t, "open.json", `{"key": "PRIVATE-1", "secret": "PRIVATE-2"}`)
	if err := os.Chmod(open, 0o644); err != nil { //nolint:gosec // G302: that is the test
		t.Fatal(err)
	}
	broken := writeFile(t, "broken.json", `{"key": "PRIVATE-1", "token": "PRIVATE-2"}`)
	for _, test := range []struct {
		name string
		args []string
		want []string
	}{
		{"keys of another account", []string{"--keys", others}, []string{"API key or the API secret is wrong"}},
		{"keys that others can read", []string{"--keys", open}, []string{"chmod 600"}},
		{"keys in another form", []string{"--keys", broken}, []string{`{"key"`}},
		{"no such file", []string{"--keys", "nowhere.json"}, []string{"nowhere.json"}},
		{"no keys", []string{"--keys", ""}, []string{"JUSTCALL_API_KEY", "--keys"}},
		{"nobody listens", []string{"--webhook-url", "http://127.0.0.1:1/justcall"}, []string{"nothing was changed", "does not answer"}},
		{"another token", []string{"--webhook-url", "http://127.0.0.1:1/x/"}, []string{"nothing was changed"}},
		{"no URL", []string{"--webhook-url", "my-tunnel"}, []string{"--webhook-url"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, account := justCall(t)
			local, url, _ := serving(t)
			got := program.Run(t, slices.Concat([]string{"connect", "--yes"}, local, account, test.args)...)
			got.Exits(t, 1)
			got.Complains(t, test.want...)
			got.Hides(t, "PRIVATE")
			if types := subscribed(s, url); types != nil {
				t.Errorf("subscribed %v", types)
			}
		})
	}
}

func TestConnectTakesKeysFromTheEnvironment(t *testing.T) {
	_, account := justCall(t)
	local, _, _ := serving(t)
	t.Setenv("JUSTCALL_API_KEY", justcalltest.Key)
	args := slices.Concat([]string{"connect", "--dry-run"}, local, account[:2])
	half := program.Run(t, args...)
	half.Exits(t, 1)
	half.Complains(t, "JUSTCALL_API_SECRET is not")
	t.Setenv("JUSTCALL_API_SECRET", justcalltest.Secret)
	program.Run(t, args...).Exits(t, 0)
}
