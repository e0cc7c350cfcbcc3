// Package logscan finds people's data and secrets in the logs of tests.
//
// Every test that logs has its lines scanned here: those of our own code through
// [Logger], those of a program through [Watch] or [Check]. The test fails at its
// end if a line holds a phone number, a name, an address, a text or a recording of
// the samples in events-samples/ and events/testdata/, or a token or secret,
// however it is spelled: quoted for JSON, for HTML or for a URL, in base64 or
// hexadecimal, or as a list of bytes.
//
// The keys of items are allowed: they hold the provider's ids. So are the names of
// lines, campaigns and calendars, which are the business's own.
package logscan

import (
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// Lines keeps what is written to it and scans it when the test ends. Its methods
// may be called from several goroutines.
type Lines struct {
	mu      sync.Mutex
	text    strings.Builder
	secrets []string
}

// Writer returns empty [Lines]. They may hold neither the samples' contents nor
// the secrets.
func Writer(t testing.TB, secrets ...string) *Lines {
	t.Helper()
	l := &Lines{secrets: secrets}
	t.Cleanup(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		Check(t, l.text.String(), l.secrets...)
	})
	return l
}

// Logger returns a logger of all levels whose lines are scanned like [Writer]'s.
func Logger(t testing.TB, secrets ...string) *slog.Logger {
	t.Helper()
	return Writer(t, secrets...).Logger()
}

// Watch scans what logs returns when the test ends. Call it before registering the
// cleanup that ends a process, so that it sees all that the process printed:
//
//	logscan.Watch(t, process.Logs, token)
//	t.Cleanup(func() { process.Kill() })
func Watch(t testing.TB, logs func() string, secrets ...string) {
	t.Helper()
	t.Cleanup(func() { Check(t, logs(), secrets...) })
}

// Check scans a text now. It fails the test once for each kind of value that a
// line holds.
func Check(t testing.TB, text string, secrets ...string) {
	t.Helper()
	if text == "" {
		return
	}
	known, err := samples()
	if err != nil {
		t.Errorf("logscan: %v", err)
		return
	}
	wanted := known[:len(known):len(known)]
	for _, secret := range secrets {
		if secret != "" {
			wanted = append(wanted, value{Secret, secret})
		}
	}
	// Nearly always there is nothing, and one look at the whole text is enough.
	everywhere := find(text, wanted)
	if len(everywhere) == 0 {
		return
	}
	reported := false
	for line := range strings.Lines(text) {
		for _, found := range find(line, wanted) {
			reported = true
			t.Errorf("a log line holds a %s (%q): %s", found.kind, found.text, line)
		}
	}
	if !reported { // the value spans several lines
		for _, found := range everywhere {
			t.Errorf("the log holds a %s (%q):\n%s", found.kind, found.text, text)
		}
	}
}

// Logger returns a logger of all levels that writes lines of JSON to l and to
// others.
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
