package local_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/escalate"
	"github.com/ringback/ringback/internal/justcall"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/proof/justcalltest"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/table"
)

const tokenInFile = "0123456789abcdefghij"

// withKeys writes a secret with JustCall's keys.
func withKeys(t *testing.T, folder string, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(folder, secretFile)
	text := fmt.Sprintf(`{"token": %q, "signing_secret": "", "api_key": %q, "api_secret": %q}`, tokenInFile, justcalltest.Key, justcalltest.Secret)
	writeFile(t, path, text)
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// withAccount returns the configuration of a stack that has the keys of an account, which
// posts missed calls to it.
func withAccount(t *testing.T) (c local.Config, account *justcalltest.Server) {
	t.Helper()
	c = local.Config{Folder: t.TempDir(), Address: anyPort, WebhookURL: "https://hooks.example.com/justcall"}
	withKeys(t, c.Folder, 0o600)
	account = justcalltest.New(t)
	account.AddHook("call.missed", c.WebhookURL+"/"+tokenInFile, "active")
	c.SetJustCall(justcalltest.Transport{Handler: account})
	return c, account
}

func TestWithKeysTheStackFindsWhatItsWebhookLost(t *testing.T) {
	t.Parallel()
	c, account := withAccount(t)
	account.AddCall(justcalltest.Call{Contact: "+12125550123", Line: "+12125550199", Type: "Missed", Start: time.Now().Add(-20 * time.Minute), Length: time.Minute})
	lines := logscan.Writer(t, "2125550123", justcalltest.Key, justcalltest.Secret)
	stack, err := local.Start(t.Context(), c, lines.Logger())
	if err != nil {
		t.Fatal(err)
	}
	if !stack.Reconciles {
		t.Error("it does not say that it reconciles")
	}
	eventually(t, func() bool { return strings.Contains(lines.String(), `"reconciled"`) })
	if err := stack.Settled(t.Context()); err != nil {
		t.Error(err)
	}
	found := ""
	for item, err := range stack.Scan(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if table.IsEvent(table.KeyOf(item)) {
			found += table.Text(item, table.FoundBy)
		}
	}
	if found != table.FoundByReconcile || !strings.Contains(lines.String(), "alert published") {
		t.Errorf("found by %q: %s", found, lines.String())
	}
	if err := stack.Close(); err != nil {
		t.Error(err)
	}
}

// What is too old for an alert is listed by the runs that remind people.
func TestWhatIsFoundTooLateIsListedOnce(t *testing.T) {
	t.Parallel()
	c, account := withAccount(t)
	for i := range 2 {
		account.AddCall(justcalltest.Call{
			Contact: fmt.Sprintf("+1212555012%d", i), Line: "+12125550199", Type: "Missed",
			Start: time.Now().Add(-20 * time.Minute), Length: time.Minute,
		})
	}
	var printed output
	lines := logscan.Writer(t, "212555012", justcalltest.Key, justcalltest.Secret)
	c.Alerts, c.Brief = &printed, true
	c.Rules = alert.DefaultRules()
	c.Rules.MaxAge = 10 * time.Minute
	var err error
	if c.Plan, c.Callers, err = (escalate.Settings{Zone: time.UTC}).Read(); err != nil {
		t.Fatal(err)
	}
	c.SetClock(time.Now, 50*time.Millisecond)
	stack, err := local.Start(t.Context(), c, lines.Logger())
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return strings.Contains(printed.String(), "2 callers found too late") })
	if err := stack.Close(); err != nil {
		t.Error(err)
	}
	if got := printed.String(); strings.Count(got, "found") != 1 {
		t.Errorf("printed:\n%s", got)
	}
}

// On AWS an alarm does.
func TestPeopleAreToldWhatJustCallDoesNotPost(t *testing.T) {
	t.Parallel()
	c, account := withAccount(t)
	for _, needed := range justcall.Needed[1:] {
		account.AddHook(needed.Type, c.WebhookURL+"/"+tokenInFile, "active")
	}
	account.Hooks[1].Status = "blacklisted"
	var printed output
	c.Alerts = &printed
	for range 2 { // the second time, it is no news
		lines := logscan.Writer(t, justcalltest.Key, justcalltest.Secret)
		stack, err := local.Start(t.Context(), c, lines.Logger())
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, func() bool { return strings.Contains(lines.String(), `"reconciled"`) })
		if err := stack.Close(); err != nil {
			t.Error(err)
		}
	}
	if got := printed.String(); strings.Count(got, "▶ JustCall does not post as it should: call.voicemail\n") != 1 {
		t.Errorf("printed:\n%s", got)
	}
}

func TestKeysThatOthersCanReadStopTheStart(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	withKeys(t, folder, 0o644)
	_, err := local.Start(t.Context(), local.Config{Folder: folder, Address: anyPort}, logscan.Logger(t))
	if err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("error %v", err)
	}
	if secret, err := local.ReadSecret(folder); err != nil || secret.Token != tokenInFile {
		t.Errorf("the secret for other commands: %v, %v", secret.Token != "", err)
	}
}
