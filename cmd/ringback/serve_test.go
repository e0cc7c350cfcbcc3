package main_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/proof/clitest"
)

func TestServeEndsWithItsContextAndReleasesTheFolder(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	b := serve(t, data, "--demo")
	printed := b.Stdout.Await(t, "Still serving")
	clitest.Contains(t, "stdout", printed, "9 of 9 samples stored, 9 of them new. 2 of 2 alerts sent just now.", "Stop it with Ctrl-C", data)
	if got := get(t, urlIn(t, printed)); got != http.StatusOK {
		t.Errorf("GET of the URL that is printed: %d, want 200", got)
	}
	got := b.Stop()
	got.Exits(t, 0)
	if strings.Contains(got.Stderr, "ringback: ") {
		t.Errorf("stderr: %s", got.Stderr)
	}

	again := demo(t, data, samples(t))
	again.Exits(t, 0)
	again.Says(t, "9 of 9 samples stored, 0 of them new")
}

func TestServePrintsAlertsAsTheyComeAndForwardsThem(t *testing.T) {
	t.Parallel()
	ids := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ids <- r.Header.Get(local.HeaderAlertID)
	}))
	t.Cleanup(receiver.Close)
	b := serve(t, t.TempDir(), "--forward", receiver.URL)
	url := urlIn(t, b.Stdout.Await(t, "Stop it with Ctrl-C"))
	program.Run(t, "send", "--url", url, "--samples", samples(t), "voicemail.received", "sms.received", "voicemail.received").Exits(t, 0)
	b.Stdout.Await(t, "▶ Voicemail\n  Number    +1 415-555-8765\n")
	got := b.Stop()
	got.Exits(t, 0)
	if want, id := "CALL#call_1d4e5f6a/voicemail", <-ids; id != want || len(ids) > 0 {
		t.Errorf("forwarded %s and %d more, want %s alone", id, len(ids), want)
	}
	if got := strings.Count(got.Stdout, "▶"); got != 1 {
		t.Errorf("%d alerts are printed, want 1", got)
	}
}

// A receiver that is away must get its alerts, whoever starts serve without it
// meanwhile.
func TestServeKeepsAlertsForAReceiverThatIsAwayAndSaysSo(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	nobody := httptest.NewServer(http.NotFoundHandler())
	nobody.Close()
	b := serve(t, data, "--forward", nobody.URL+"/HIDDEN")
	url := urlIn(t, b.Stdout.Await(t, "Stop it with Ctrl-C"))
	program.Run(t, "send", "--url", url, "--samples", samples(t), "call.missed").Exits(t, 0)
	b.Stderr.Await(t, "connection refused")
	got := b.Stop()
	got.Exits(t, 0)
	got.Hides(t, "HIDDEN")
	got.Hides(t, strings.TrimPrefix(nobody.URL, "http://"))
	got.Says(t, "▶ Missed call", "Kept in "+data+": 1 event, 1 alert waiting.")

	b = serve(t, data)
	url = urlIn(t, b.Stdout.Await(t, "1 alert waits for the URL of an earlier run. Start with --forward to send what waits."))
	program.Run(t, "send", "--url", url, "--samples", samples(t), "voicemail.received").Exits(t, 0)
	b.Stdout.Await(t, "▶ Voicemail")
	got = b.Stop()
	got.Exits(t, 0)
	got.Says(t, "Kept in "+data+": 2 events, 1 alert waiting.")
	if strings.Contains(got.Stdout, "▶ Missed call") {
		t.Errorf("printed, though it waits for its receiver:\n%s", got.Stdout)
	}

	ids := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ids <- r.Header.Get(local.HeaderAlertID)
	}))
	t.Cleanup(receiver.Close)
	b = serve(t, data, "--forward", receiver.URL)
	if id := <-ids; id != "CALL#call_1d4e5f6a/missed_call" {
		t.Errorf("forwarded %s", id)
	}
	got = b.Stop()
	got.Exits(t, 0)
	got.Says(t, "Kept in "+data+": 2 events, 0 alerts waiting.")
	if len(ids) > 0 {
		t.Errorf("forwarded %s too", <-ids)
	}
}

// The samples' alerts are two of them.
func TestADemoThatLeavesAlertsToTheirReceiverIsNoFailure(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	nobody := httptest.NewServer(http.NotFoundHandler())
	nobody.Close()
	b := serve(t, data, "--demo", "--forward", nobody.URL)
	b.Stderr.Await(t, "2 of 2 alerts were not accepted by the forward URL")
	b.Stop().Exits(t, 1)

	b = serve(t, data, "--demo")
	b.Stdout.Await(t, "Still serving at")
	got := b.Stop()
	got.Exits(t, 0)
	got.Says(t, "0 of 2 alerts sent.\n2 alerts wait for the URL of an earlier run.\n", "Kept in "+data+": 9 events, 2 alerts waiting.")
}

// What was not printed when it ended is printed first.
func TestServeSaysWhatItKeepsWhenItEnds(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	b := serve(t, data)
	b.Stdout.Await(t, "Stop it with Ctrl-C")
	got := b.Stop()
	got.Exits(t, 0)
	got.Says(t, "\nKept in "+data+": 0 events, 0 alerts waiting.\n")

	b = serve(t, data, "--demo")
	url := urlIn(t, b.Stdout.Await(t, "Still serving"))
	b.Stdout.Await(t, "Still serving at\n\n  "+url+"\n")
	got = b.Stop()
	got.Exits(t, 0)
	got.Says(t, "Kept in "+data+": 9 events, 0 alerts waiting.")
}

func TestServeRefusesToForwardToWhatIsNoURL(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"HIDDEN", "ftp://HIDDEN/", "https:HIDDEN", "http://HIDDEN%"} {
		got := program.Run(t, "serve", "--forward", url, "--data", t.TempDir())
		got.Exits(t, 1)
		got.Complains(t, "--forward", "https://hooks.example.com")
		got.Hides(t, "HIDDEN")
	}
}

func TestServeRefusesACountryThatDoesNotExist(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"serve", "demo"} {
		got := program.Run(t, command, "--default-country", "USA", "--data", t.TempDir())
		got.Exits(t, 1)
		got.Complains(t, "--default-country", "US")
	}
}

func TestServeLogsWhatItAnswersWithoutTheToken(t *testing.T) {
	t.Parallel()
	b := serve(t, t.TempDir())
	url := urlIn(t, b.Stdout.Await(t, "Stop it with Ctrl-C"))
	program.Run(t, "send", "--url", url, "--samples", samples(t), "call.missed").Exits(t, 0)
	b.Stderr.Await(t, "CALL#call_1d4e5f6a")
	got := b.Stop()
	got.Exits(t, 0)
	token := url[strings.LastIndexByte(url, '/')+1:]
	if strings.Contains(got.Stderr, token) || strings.Contains(got.Stderr, "4155558765") {
		t.Errorf("the log has the token or a number in it:\n%s", got.Stderr)
	}
	if strings.ContainsRune(got.Stderr, '\x1b') {
		t.Errorf("colours where no terminal is:\n%q", got.Stderr)
	}
}

var sendLine = regexp.MustCompile(`  ringback (send .*)`)

// With any flags, the command that serve suggests must reach it.
func TestTheCommandThatServeSuggestsReachesIt(t *testing.T) {
	t.Parallel()
	b := serve(t, t.TempDir(), "--demo")
	suggested := sendLine.FindStringSubmatch(b.Stdout.Await(t, "and see that it is kept once:\n\n  ringback send"))
	if suggested == nil {
		t.Fatalf("no command is suggested:\n%s", &b.Stdout)
	}
	got := program.Run(t, append(strings.Fields(suggested[1]), "--samples", samples(t))...)
	got.Exits(t, 0)
	got.Says(t, "CALL#call_1d4e5f6a")
}

// The error must be printed while it serves, not when it is stopped.
func TestServeSaysAtOnceThatItsDemoFailed(t *testing.T) {
	t.Parallel()
	b := program.Start(t, "serve", "--demo", "--data", t.TempDir(), "--addr", anyPort,
		"--samples", filepath.Join(t.TempDir(), "none"))
	b.Stderr.Await(t, "--samples")
	b.Stop().Exits(t, 1)
}

func TestServeSaysHowToMendWhatKeepsItFromStarting(t *testing.T) {
	t.Parallel()
	var listen net.ListenConfig
	listener, err := listen.Listen(t.Context(), "tcp", anyPort)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	used := listener.Addr().String()

	locked := t.TempDir()
	serve(t, locked).Stdout.Await(t, "Stop it with Ctrl-C")

	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "secret.json"), []byte(`{"token":"SHORT-PRIVATE"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	damaged := t.TempDir()
	if err := os.WriteFile(filepath.Join(damaged, "events.db"), []byte("no table"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"serve", "demo"} {
		for _, tc := range []struct {
			name          string
			data, address string
			want          []string
		}{
			{"the folder is in use", locked, anyPort, []string{locked, "another ringback", "--data"}},
			{"the port is in use", t.TempDir(), used, []string{used, "in use", "--addr"}},
			{"an address without a port", t.TempDir(), "localhost", []string{"localhost", "missing port"}},
			{"a secret that is none", broken, anyPort, []string{filepath.Join(broken, "secret.json"), "token"}},
			{"a table that is none", damaged, anyPort, []string{filepath.Join(damaged, "events.db"), "damaged", "a copy"}},
			{"a file for a folder", writeFile(t, "file", ""), anyPort, []string{"data folder"}},
		} {
			t.Run(command+": "+tc.name, func(t *testing.T) {
				t.Parallel()
				got := program.Run(t, command, "--data", tc.data, "--addr", tc.address, "--samples", samples(t))
				got.Exits(t, 1)
				got.Complains(t, tc.want...)
				got.Hides(t, "PRIVATE")
				if got.Stdout != "" {
					t.Errorf("stdout: %s", got.Stdout)
				}
			})
		}
	}
}

func TestServeKeepsItsTokenAcrossStarts(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	var tokens [2]string
	for i := range tokens {
		b := serve(t, data)
		url := urlIn(t, b.Stdout.Await(t, "Stop it with Ctrl-C"))
		tokens[i] = url[strings.LastIndexByte(url, '/')+1:]
		b.Stop().Exits(t, 0)
	}
	secret, err := local.ReadSecret(data)
	if err != nil {
		t.Fatal(err)
	}
	if tokens != [2]string{secret.Token, secret.Token} {
		t.Error("the tokens in the URLs are not the one in the folder")
	}
}

// serve starts "ringback serve" on a free port.
func serve(t *testing.T, data string, args ...string) *clitest.Background {
	t.Helper()
	return program.Start(t, append([]string{
		"serve", "--data", data, "--addr", anyPort, "--samples", samples(t), "--alert-max-age", "0",
	}, args...)...)
}

var webhookLine = regexp.MustCompile(`(?m)^  (http://127\.0\.0\.1:[0-9]+/justcall/[A-Za-z0-9]+)$`)

// urlIn returns the URL that serve has printed, on a line of its own.
func urlIn(t *testing.T, printed string) string {
	t.Helper()
	match := webhookLine.FindStringSubmatch(printed)
	if match == nil {
		t.Fatalf("no URL is printed:\n%s", printed)
	}
	return match[1]
}

func get(t *testing.T, url string) (status int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
	return resp.StatusCode
}

// A call of long ago is kept, and nobody is woken up for it.
func TestServeAlertsOfNoOldCall(t *testing.T) {
	t.Parallel()
	b := serve(t, t.TempDir(), "--alert-max-age", "24h")
	url := urlIn(t, b.Stdout.Await(t, "Stop it with Ctrl-C"))
	program.Run(t, "send", "--url", url, "--samples", samples(t), "call.missed").Exits(t, 0)
	b.Stderr.Await(t, "reason=old")
	if got := b.Stop(); strings.Contains(got.Stdout, "▶") {
		t.Errorf("alerted: %s", got.Stdout)
	}

	b = serve(t, t.TempDir(), "--alert-max-age", "24h")
	url = urlIn(t, b.Stdout.Await(t, "Stop it with Ctrl-C"))
	for _, want := range []string{"stored", "duplicate"} {
		got := program.Run(t, "send", "--today", "--url", url, "--samples", samples(t), "voicemail.received")
		got.Exits(t, 0)
		got.Says(t, want)
	}
	b.Stdout.Await(t, "▶ Voicemail")
	if got := b.Stop(); strings.Count(got.Stdout, "▶") != 1 {
		t.Errorf("not one alert: %s", got.Stdout)
	}
}

func TestServeRefusesRulesThatAreNone(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ flag, value string }{{"--alert-abandoned", "some"}, {"--retention-days", "30d"}, {"--retention-days", "-1"}, {"--alert-max-age", "-1h"}, {"--alert-pause", "-1h"}, {"--alert-pause", "an hour"}, {"--alert-max-age", "a day"}, {"--business-hours", "Mon-Fri 9-5"}, {"--holidays", "2027-02-29"}, {"--escalate-after", "60m"}, {"--escalate-again-after", "10m"}, {"--blind-after", "soon"}} {
		got := program.Run(t, "serve", "--data", t.TempDir(), "--addr", anyPort, tc.flag, tc.value)
		got.Exits(t, 1)
		got.Complains(t, tc.flag)
	}
}
