// Package clitest runs a command line in a test, and checks what it prints.
//
// What it prints to stderr is scanned for people's data, see package logscan.
package clitest

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/proof/logscan"
)

// Patience is how long a test waits for what should come at once, on a machine that may be busy.
const Patience = 5 * time.Minute

// Program is a command line.
type Program struct {
	// Name begins its errors.
	Name string
	// Main runs it until it ends or ctx does, and returns the exit code.
	Main func(ctx context.Context, args []string, stdout, stderr io.Writer) int
}

// Run runs the program to its end, within [Patience].
func (p Program) Run(t *testing.T, args ...string) Result {
	t.Helper()
	return p.RunWithin(t, Patience, args...)
}

// RunWithin runs the program to its end, and interrupts it after a time.
func (p Program) RunWithin(t *testing.T, limit time.Duration, args ...string) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var stdout, stderr Output
	code := p.Main(ctx, args, &stdout, &stderr)
	logscan.Check(t, stderr.String())
	return Result{p.Name, code, stdout.String(), stderr.String()}
}

// RunUntil runs the program, and interrupts it as it prints text to stderr.
func (p Program) RunUntil(t *testing.T, text string, args ...string) Result {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stdout Output
	stderr := until{text: text, do: cancel}
	code := p.Main(ctx, args, &stdout, &stderr)
	logscan.Check(t, stderr.String())
	return Result{p.Name, code, stdout.String(), stderr.String()}
}

// Start runs the program in the background until the test ends, at the latest.
func (p Program) Start(t *testing.T, args ...string) *Background {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	b := &Background{name: p.Name, cancel: cancel, code: make(chan int, 1)}
	logscan.Watch(t, b.Stderr.String)
	go func() {
		b.code <- p.Main(ctx, args, &b.Stdout, &b.Stderr)
		close(b.code)
	}()
	t.Cleanup(func() {
		cancel()
		<-b.code
	})
	return b
}

// Background is a program that runs until it is stopped.
type Background struct {
	Stdout, Stderr Output

	name   string
	cancel context.CancelFunc
	code   chan int
}

// Stop interrupts the program and returns its result.
func (b *Background) Stop() Result {
	b.cancel()
	return Result{b.name, <-b.code, b.Stdout.String(), b.Stderr.String()}
}

// Result is the result of one run.
type Result struct {
	Name           string // of the program
	Code           int
	Stdout, Stderr string
}

// Exits checks the exit code.
func (r Result) Exits(t *testing.T, code int) {
	t.Helper()
	if r.Code != code {
		t.Errorf("exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", r.Code, code, r.Stdout, r.Stderr)
	}
}

// Fails checks that the exit code is that of an error, whichever.
func (r Result) Fails(t *testing.T) {
	t.Helper()
	if r.Code == 0 {
		t.Errorf("exit code 0\nstdout:\n%s\nstderr:\n%s", r.Stdout, r.Stderr)
	}
}

// Says checks that each text is printed.
func (r Result) Says(t *testing.T, texts ...string) {
	t.Helper()
	Contains(t, "stdout", r.Stdout, texts...)
}

// Complains checks that the program prints an error of its own that has each text.
func (r Result) Complains(t *testing.T, texts ...string) {
	t.Helper()
	Contains(t, "stderr", r.Stderr, append(texts, r.Name+": ")...)
}

// Hides checks that a text is printed nowhere.
func (r Result) Hides(t *testing.T, text string) {
	t.Helper()
	folder := filepath.Dir(t.TempDir()) // its name has random digits
	if strings.Contains(strings.ReplaceAll(r.Stdout+r.Stderr, folder, ""), text) {
		t.Errorf("%s is printed\nstdout:\n%s\nstderr:\n%s", text, r.Stdout, r.Stderr)
	}
}

// Contains checks that each text is in what was printed, where name says.
func Contains(t *testing.T, name, printed string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(printed, text) {
			t.Errorf("%s does not say %q:\n%s", name, text, printed)
		}
	}
}

// Output is printed text. It can be read while it is being written.
type Output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// until does something when text is printed.
type until struct {
	Output

	text string
	do   func()
}

func (u *until) Write(p []byte) (int, error) {
	n, err := u.Output.Write(p)
	if strings.Contains(u.String(), u.text) {
		u.do()
	}
	return n, err
}

// Await waits until text is printed, and returns all that is printed by then.
func (o *Output) Await(t *testing.T, text string) string {
	t.Helper()
	const pause = 5 * time.Millisecond
	for range Patience / pause {
		if printed := o.String(); strings.Contains(printed, text) {
			return printed
		}
		time.Sleep(pause)
	}
	t.Fatalf("%q is not printed:\n%s", text, o)
	return ""
}
