package main_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ringback/ringback/internal/proof/awstest"
	"github.com/ringback/ringback/internal/proof/clitest"
)

var inboxLine = regexp.MustCompile(`(?m)^  (http://127\.0\.0\.1:[0-9]+/\?token=[A-Z0-9]+)$`)

// inboxIn returns the page's URL that was printed, on a line of its own.
func inboxIn(t *testing.T, printed string) string {
	t.Helper()
	match := inboxLine.FindStringSubmatch(printed)
	if match == nil {
		t.Fatalf("no URL of the page is printed:\n%s", printed)
	}
	return match[1]
}

// open returns the page at a URL, as a browser shows it.
func open(t *testing.T, url string) string {
	t.Helper()
	return openAt(t, url, "/")
}

// openAt returns another page, after the one at the URL that is printed.
func openAt(t *testing.T, url, path string) string {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := http.Client{Jar: jar}
	base, _, _ := strings.Cut(url, "/?")
	var page []byte
	for _, url := range []string{url, base + path} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		page, err = io.ReadAll(answer.Body)
		if err := errors.Join(err, answer.Body.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return string(page)
}

func TestServeHasAPageAndInboxSaysWhere(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	b := serve(t, data, "--demo", "--inbox-addr", anyPort)
	url := inboxIn(t, b.Stdout.Await(t, "Still serving"))
	clitest.Contains(t, "page", open(t, url), "1 caller waits", "this is Pat", "Claim")
	clitest.Contains(t, "page", openAt(t, url, "/health"), "<bdi>Alerts waiting</bdi></dt><dd><bdi>None</bdi>")

	found := program.Run(t, "inbox", "--data", data)
	found.Exits(t, 0)
	found.Says(t, url)
	if info, err := os.Stat(filepath.Join(data, "inbox.url")); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others can read the page's token: %v, %v", info, err)
	}
	got := b.Stop()
	got.Exits(t, 0)
	if _, token, _ := strings.Cut(url, "="); strings.Contains(got.Stderr, token) {
		t.Errorf("the page's token is logged: %s", got.Stderr)
	}
	if _, err := os.Stat(filepath.Join(data, "inbox.url")); err == nil {
		t.Error("the page's URL is left behind")
	}

	// What was left can be read without a running stack, and not changed.
	b = program.Start(t, "inbox", "--data", data, "--addr", anyPort)
	page := open(t, inboxIn(t, b.Stdout.Await(t, "Stop it with Ctrl-C")))
	clitest.Contains(t, "page", page, "1 caller waits", "Nothing is received here now.")
	if strings.Contains(page, `value="claim"`) {
		t.Error("the page has buttons, though nobody would work the acts off")
	}
	b.Stop().Exits(t, 0)
}

func TestHealthSaysThatAlertsWaitForTheirReceiver(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	b := serve(t, data, "--inbox-addr", anyPort, "--forward", "http://127.0.0.1:1/")
	printed := b.Stdout.Await(t, "?token=")
	url := inboxIn(t, printed)
	program.Run(t, "send", "--url", urlIn(t, printed), "--samples", samples(t), "call.missed").Exits(t, 0)
	clitest.Contains(t, "page", openAt(t, url, "/health"), "<bdi>Alerts waiting</bdi></dt><dd class=\"bad\"><bdi>1, for their receiver: the log says why")
	b.Stop().Exits(t, 0)

	b = serve(t, data, "--inbox-addr", anyPort)
	url = inboxIn(t, b.Stdout.Await(t, "?token="))
	clitest.Contains(t, "page", openAt(t, url, "/health"), "<bdi>1, for the URL of an earlier run: start “ringback serve” with --forward")
	b.Stop().Exits(t, 0)
}

func TestServeWithoutAPage(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	b := serve(t, data, "--inbox-addr", "off")
	if printed := b.Stdout.Await(t, "Stop it with Ctrl-C"); inboxLine.MatchString(printed) {
		t.Errorf("there is a page:\n%s", printed)
	}
	found := program.Run(t, "inbox", "--data", data)
	found.Exits(t, 1)
	found.Complains(t, "has no page", "--inbox-addr off")
}

func TestThePageIsForThisMachineOnly(t *testing.T) {
	t.Parallel()
	got := program.Run(t, "serve", "--data", t.TempDir(), "--addr", anyPort, "--inbox-addr", "0.0.0.0:0")
	got.Exits(t, 1)
	got.Complains(t, "--inbox-addr", "loopback", "ssh -L")
	got = program.Run(t, "inbox", "--data", t.TempDir())
	got.Exits(t, 5)
	got.Complains(t, "no stack has run")
}

func TestTheInboxOfADeployedStack(t *testing.T) {
	a := awstest.New(t, token)
	a.Parameters = map[string]string{"TimeZone": "Europe/Berlin", "DefaultCountry": "DE"}
	a.Alarms = []awstest.Alarm{
		{Name: "ringback-deliveries-failing", State: "ALARM", Actions: []string{awstest.OpsARN}},
		{Name: "ringback-alerts-late", State: "OK"},
		{Name: "ringback-silence", State: "OK", Actions: []string{awstest.OpsARN}},
		{Name: "ringback-prod-silence", State: "ALARM", Actions: []string{"arn:aws:sns:us-east-1:123456789012:ringback-prod-OpsTopic-1"}}, // another stack's
	}
	a.Queues = map[string]int{awstest.SpillURL: 3, awstest.DeadLetterURL: 1}
	b := program.Start(t, "inbox", "--stack", "ringback", "--region", "us-east-1", "--addr", anyPort)
	url := inboxIn(t, b.Stdout.Await(t, "Stop it with Ctrl-C"))
	clitest.Contains(t, "page", open(t, url), "Nobody waits", "Times in Europe/Berlin", "Read from the stack ringback.")
	clitest.Contains(t, "page", openAt(t, url, "/health"), "Alarm deliveries-failing", "Has gone off: see docs/operations.md#deliveries-failing",
		"Alarm alerts-late", "Quiet, and would tell nobody", "<bdi>1 is quiet</bdi>", "3 deliveries wait to be stored: see docs/operations.md#spill-age", "1 delivery could not be stored: see docs/operations.md#dead-letter")
	if strings.Contains(openAt(t, url, "/health"), "prod-silence") {
		t.Error("the page shows an alarm of another stack")
	}
	a.QueueFault = "AccessDenied"
	clitest.Contains(t, "page", openAt(t, url, "/health"), "Spill queue</bdi></dt><dd><bdi>Not known: your AWS credentials lack the right.", "1 is quiet")
	if page := open(t, url); strings.Contains(page, "may read the table and not write it") {
		t.Error("whoever may write is said to be a reader")
	}
	b.Stop().Exits(t, 0)

	a.WriteFault = "AccessDeniedException"
	b = program.Start(t, "inbox", "--stack", "ringback", "--region", "us-east-1", "--addr", anyPort)
	clitest.Contains(t, "page", open(t, inboxIn(t, b.Stdout.Await(t, "Stop it with Ctrl-C"))), "may read the table and not write it")
	b.Stop().Exits(t, 0)

	a.StackFault = "not authorized to perform cloudformation:DescribeStacks"
	got := program.Run(t, "inbox", "--stack", "ringback", "--region", "us-east-1", "--addr", anyPort)
	got.Exits(t, 1)
	got.Complains(t, "not authorized")
}
