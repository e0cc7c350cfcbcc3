package logscan

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// Lines keeps what is written to it until the test ends and scans it then.
// Its methods may be called from several goroutines.
type Lines struct {
	mu      sync.Mutex
	text    strings.Builder
	secrets []string
}

// Writer returns an empty [Lines]. The secrets are looked for beside the
// samples' contents.
func Writer(t testing.TB, secrets ...string) *Lines {
	t.Helper()
	l := &Lines{secrets: secrets}
	t.Cleanup(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		report(t, l.text.String(), l.secrets)
	})
	return l
}

// Logger returns a logger of all levels whose lines are scanned when the test
// ends, for the secrets beside the samples' contents.
func Logger(t testing.TB, secrets ...string) *slog.Logger {
	t.Helper()
	return Writer(t, secrets...).Logger()
}

// Watch scans what logs returns when the test ends. Called before the cleanup
// that ends a process is registered, it sees all that the process printed:
//
//	logscan.Watch(t, process.Logs, token)
//	t.Cleanup(func() { process.Kill() })
func Watch(t testing.TB, logs func() string, secrets ...string) {
	t.Helper()
	t.Cleanup(func() { report(t, logs(), secrets) })
}

// Check scans a text now.
func Check(t testing.TB, text string, secrets ...string) {
	t.Helper()
	report(t, text, secrets)
}

// Logger returns a logger of all levels that writes lines of JSON to l and, as
// they are, to others.
func (l *Lines) Logger(others ...io.Writer) *slog.Logger {
	w := io.MultiWriter(append([]io.Writer{l}, others...)...)
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Write keeps p.
func (l *Lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns what was written so far.
func (l *Lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Forbid adds secrets that were not known when l was made, such as a token that
// the code under test makes.
func (l *Lines) Forbid(secrets ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.secrets = append(l.secrets, secrets...)
}

// report fails the test for each kind of value that a line holds.
func report(t testing.TB, text string, secrets []string) {
	t.Helper()
	if text == "" {
		return
	}
	known, err := samples()
	if err != nil {
		t.Errorf("leak: %v", err)
		return
	}
	wanted := known
	for _, secret := range secrets {
		if secret != "" {
			wanted = append(wanted[:len(wanted):len(wanted)], value{kind: Secret, text: secret})
		}
	}
	// Nearly always nothing is found, and one look at everything is enough.
	if len(find(text, wanted)) == 0 {
		return
	}
	reported := false
	for line := range strings.Lines(text) {
		for _, found := range find(line, wanted) {
			reported = true
			t.Errorf("log line %q holds a %s (%q): %s", message(line), found.kind, found.text, line)
		}
	}
	if !reported { // it goes over several lines
		for _, found := range find(text, wanted) {
			t.Errorf("the log holds a %s (%q):\n%s", found.kind, found.text, text)
		}
	}
}

// inText finds the message in a line of slog's text, under both of its names:
// Lambda has one of its own.
var inText = regexp.MustCompile(`\b(?:msg|message)=("[^"]*"|\S+)`)

// message is the constant that says which log call made a line, or the start of
// a line of another form.
func message(line string) string {
	var entry struct {
		Message string `json:"msg"`
		Lambda  string `json:"message"`
	}
	if err := json.Unmarshal([]byte(line), &entry); err == nil {
		return cmp.Or(entry.Message, entry.Lambda)
	}
	if found := inText.FindStringSubmatch(line); found != nil {
		return strings.Trim(found[1], `"`)
	}
	return fmt.Sprintf("%.40s", strings.TrimSpace(line))
}
