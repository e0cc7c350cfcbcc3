package main_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	ringback "github.com/ringback/ringback/cmd/ringback"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
)

// argsVariable holds arguments, one a line. It makes the test binary run as the
// command line with them.
const argsVariable = "RINGBACK_TEST_ARGS"

func TestMain(m *testing.M) {
	if args := os.Getenv(argsVariable); args != "" {
		os.Args = append(os.Args[:1], strings.Split(args, "\n")...)
		ringback.Main()
		return
	}
	os.Exit(m.Run())
}

func TestHelpNamesEveryCommand(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"--help"}, {"help"}} {
		got := run(t, args...)
		got.exits(t, 0)
		got.says(t, "serve", "demo", "send", "call", "rebuild", "create-table", "deploy", "webhook-url", "make deploy", "serve --demo", "send call.missed")
		if got.stderr != "" {
			t.Errorf("stderr: %s", got.stderr)
		}
	}
}

func TestVersionNamesWhatWasBuilt(t *testing.T) {
	t.Parallel()
	got := run(t, "--version")
	got.exits(t, 0)
	if !regexp.MustCompile(`^ringback version \S+\n$`).MatchString(got.stdout) {
		t.Errorf("printed %q", got.stdout)
	}
}

func TestHelpNamesEveryFlagAndItsDefault(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		command string
		help    []string
	}{
		{"serve", []string{
			"--addr string", `(default "127.0.0.1:8080")`, "--data string", `(default ".ringback")`, "--demo ", "--time-zone string",
			"--samples string",
			"--alert-max-age duration", "--alert-abandoned string", "--alert-blocked",
			"--forward string", "docs/alerts.md", "Ringback-Alert-Id", "secret.json", "tunnel", "Examples:",
		}},
		{"demo", []string{
			"--addr string", `(default "127.0.0.1:0")`, "--default-country string", "--data string", `(default ".ringback/demo")`,
			"--samples string",
		}},
		{"send", []string{
			"Examples:", "SAMPLE|FILE…", "--addr string", `(default "127.0.0.1:8080")`, "--data string", `(default ".ringback")`,
			"--samples string", "--sign ", "--url string", ringback.SigningSecretEnv,
		}},
		{"create-table", []string{
			"--endpoint string", `(default "http://127.0.0.1:8000")`, "--name string", `(default "ringback-local")`,
			"Examples:",
		}},
		{"rebuild", []string{"--after string", "--default-country string", "--data string", "--stack string", "alerts nobody", "Examples:"}},
		{"deploy", []string{"--sam string", `(default "sam")`, "--config-env string", `(default "default")`, "--ask ", "CI", "Examples:"}},
		{"webhook-url", []string{"--region string", "--stack string", `(default "ringback")`, "password", "Examples:"}},
	} {
		t.Run(tc.command, func(t *testing.T) {
			t.Parallel()
			got := run(t, tc.command, "--help")
			got.exits(t, 0)
			got.says(t, tc.help...)
		})
	}
}

func TestWhatIsNoCommandLineIsRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		args []string
		want string
	}{
		{"an unknown command", []string{"replay"}, `"replay"`},
		{"a command with a slip", []string{"serv"}, "serve"},
		{"a time zone that does not exist", []string{"serve", "--time-zone", "Europe/Atlantis"}, `"Europe/Atlantis": no time zone`},
		{"an unknown flag", []string{"serve", "--port", "1"}, "--port"},
		{"an argument to serve", []string{"serve", "call.missed"}, `"call.missed"`},
		{"an argument to demo", []string{"demo", "call.missed"}, `"call.missed"`},
		{"an argument to deploy", []string{"deploy", "ringback"}, `"ringback"`},
		{"an argument to webhook-url", []string{"webhook-url", "ringback"}, `"ringback"`},
		{"nothing to send", []string{"send"}, "nothing to send"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := run(t, tc.args...)
			got.exits(t, 1)
			got.complains(t, tc.want)
			if got.stdout != "" {
				t.Errorf("stdout: %s", got.stdout)
			}
		})
	}
}

func TestTheProgramEndsWith0OnASignal(t *testing.T) {
	t.Parallel()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			var stdout, stderr output
			c := exec.CommandContext(t.Context(), executable)
			c.Env = append(os.Environ(), argsVariable+"="+strings.Join([]string{
				"serve", "--data", t.TempDir(), "--addr", anyPort,
			}, "\n"))
			c.Stdout, c.Stderr = &stdout, &stderr
			logscan.Watch(t, stderr.String)
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			stdout.await(t, "Stop it with Ctrl-C")
			if err := c.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if err := c.Wait(); err != nil {
				t.Errorf("%v\n%s", err, &stderr)
			}
		})
	}
}

// The user need not wait for a slow end.
func TestASecondSignalEndsTheProgramAtOnce(t *testing.T) {
	t.Parallel()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{}, 100)
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the end of the sender is not seen
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(hanging.Close)
	var stdout, stderr output
	c := exec.CommandContext(t.Context(), executable)
	c.Env = append(os.Environ(), argsVariable+"="+strings.Join([]string{
		"serve", "--data", t.TempDir(), "--addr", anyPort, "--forward", hanging.URL, "--alert-max-age", "0",
	}, "\n"))
	c.Stdout, c.Stderr = &stdout, &stderr
	logscan.Watch(t, stderr.String)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	url := urlIn(t, stdout.await(t, "Stop it with Ctrl-C"))
	run(t, "send", "--url", url, "--samples", samples(t), "call.missed").exits(t, 0)
	<-asked // now the end takes some seconds

	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	for {
		if err := c.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		select {
		case err := <-ended:
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != -1 { // ended by a signal
				t.Errorf("it ended with %v, want the signal", err)
			}
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

const anyPort = "127.0.0.1:0"

// patience is how long a test waits for what should come at once.
const patience = time.Minute

// result is the result of one run of the command line.
type result struct {
	code           int
	stdout, stderr string
}

func run(t *testing.T, args ...string) result {
	t.Helper()
	return runWithin(t, patience, args...)
}

func runWithin(t *testing.T, limit time.Duration, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var stdout, stderr output
	code := ringback.Run(ctx, args, &stdout, &stderr)
	logscan.Check(t, stderr.String())
	return result{code, stdout.String(), stderr.String()}
}

func (r result) exits(t *testing.T, code int) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", r.code, code, r.stdout, r.stderr)
	}
}

// says checks that each text is printed.
func (r result) says(t *testing.T, texts ...string) {
	t.Helper()
	contains(t, "stdout", r.stdout, texts...)
}

// complains checks that the program prints an error that has each text.
func (r result) complains(t *testing.T, texts ...string) {
	t.Helper()
	contains(t, "stderr", r.stderr, append(texts, "ringback: ")...)
}

// hides checks that the text is not printed.
func (r result) hides(t *testing.T, text string) {
	t.Helper()
	if strings.Contains(r.stdout+r.stderr, text) {
		t.Errorf("%s is printed\nstdout:\n%s\nstderr:\n%s", text, r.stdout, r.stderr)
	}
}

func contains(t *testing.T, name, printed string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(printed, text) {
			t.Errorf("%s does not say %q:\n%s", name, text, printed)
		}
	}
}

// background is a command line that runs until it is stopped.
type background struct {
	stdout, stderr output

	cancel context.CancelFunc
	code   chan int
}

func runInBackground(t *testing.T, args ...string) *background {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	b := &background{cancel: cancel, code: make(chan int, 1)}
	logscan.Watch(t, b.stderr.String)
	go func() {
		b.code <- ringback.Run(ctx, args, &b.stdout, &b.stderr)
		close(b.code)
	}()
	t.Cleanup(func() {
		cancel()
		<-b.code
	})
	return b
}

// stop interrupts the command line and returns its result.
func (b *background) stop() result {
	b.cancel()
	return result{<-b.code, b.stdout.String(), b.stderr.String()}
}

// output is printed text. It can be read while it is being written.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// await waits until text is printed, and returns all that is printed by then.
func (o *output) await(t *testing.T, text string) string {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if printed := o.String(); strings.Contains(printed, text) {
			return printed
		}
	}
	t.Fatalf("%q is not printed:\n%s", text, o)
	return ""
}

// root returns the folder of the source.
func root(t *testing.T) string {
	t.Helper()
	return filepath.Dir(tabletest.TemplatePath(t))
}

func samples(t *testing.T) string {
	t.Helper()
	return filepath.Join(root(t), "events-samples")
}

func sample(t *testing.T, name string) string {
	t.Helper()
	return readFile(t, filepath.Join(samples(t), name+".json"))
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// writeFile writes a file in a new folder and returns its path.
func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
