package main_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	ringback "github.com/ringback/ringback/cmd/ringback"
	"github.com/ringback/ringback/internal/proof/clitest"
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
		got := program.Run(t, args...)
		got.Exits(t, 0)
		got.Says(t, "serve", "demo", "send", "connect", "doctor", "waiting", "today", "caller", "call", "message", "contact", "tail", "rejected", "replay", "erase", "stats", "rebuild", "create-table", "deploy", "webhook-url", "make deploy", "serve --demo", "send call.missed")
		if got.Stderr != "" {
			t.Errorf("stderr: %s", got.Stderr)
		}
	}
}

func TestHelpFitsEightyColumns(t *testing.T) {
	t.Parallel()
	var fits func(c *cobra.Command)
	fits = func(c *cobra.Command) {
		var help strings.Builder
		c.SetOut(&help)
		if err := c.Help(); err != nil {
			t.Error(err)
		}
		for line := range strings.Lines(help.String()) {
			if wide := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); wide > 80 {
				t.Errorf("%s: a line of %d columns: %s", c.CommandPath(), wide, line)
			}
		}
		for _, below := range c.Commands() {
			fits(below)
		}
	}
	fits(ringback.NewRoot())
}

func TestVersionNamesWhatWasBuilt(t *testing.T) {
	t.Parallel()
	got := program.Run(t, "--version")
	got.Exits(t, 0)
	if !regexp.MustCompile(`^ringback version \S+\n$`).MatchString(got.Stdout) {
		t.Errorf("printed %q", got.Stdout)
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
			"--alert-max-age duration", "--alert-abandoned string", "--alert-blocked", "--alert-pause duration", "--retention-days string",
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
		{"rebuild", []string{"--after string", "--default-country string", "--own-numbers string", "--data string", "--stack string", "alerts nobody", "Examples:"}},
		{"deploy", []string{"--sam string", `(default "sam")`, "--config-env string", `(default "default")`, "--ask ", "CI", "Examples:"}},
		{"webhook-url", []string{"--region string", "--stack string", `(default "ringback")`, "password", "Examples:"}},
	} {
		t.Run(tc.command, func(t *testing.T) {
			t.Parallel()
			got := program.Run(t, tc.command, "--help")
			got.Exits(t, 0)
			got.Stdout = strings.Join(strings.Fields(got.Stdout), " ") // wherever its lines end
			got.Says(t, tc.help...)
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
		{"an unknown command", []string{"rewind"}, `"rewind"`},
		{"a command with a slip", []string{"serv"}, "serve"},
		{"a time zone that does not exist", []string{"serve", "--time-zone", "Europe/Atlantis"}, `"Europe/Atlantis": no time zone`},
		{"an unknown flag", []string{"serve", "--port", "1"}, "--port"},
		{"an argument to serve", []string{"serve", "call.missed"}, `"call.missed"`},
		{"an argument to demo", []string{"demo", "call.missed"}, `"call.missed"`},
		{"an argument to deploy", []string{"deploy", "ringback"}, `"ringback"`},
		{"an argument to webhook-url", []string{"webhook-url", "ringback"}, `"ringback"`},
		{"an argument to a look-up", []string{"waiting", "+14155550120"}, "\"+14155550120\" is not expected here"},
		{"a command of another that is none", []string{"rejected", "lst"}, "\"lst\" is not expected here\n\"ringback rejected --help\""},
		{"where the commands are listed", []string{"rewind"}, "\"ringback --help\" lists the commands"},
		{"a number that is none", []string{"waiting", "--limit", "ten"}, "--limit \"ten\": no whole number\n"},
		{"a length of time that is none", []string{"claim", "+14155550120", "--for", "5"}, "--for \"5\": no length of time, such as 30m or 2h\n"},
		{"a switch that is neither on nor off", []string{"today", "--all=perhaps"}, "--all \"perhaps\": neither true nor false\n"},
		{"a form that is none", []string{"waiting", "--output", "xml"}, "--output \"xml\": not one of table, json or csv\n"},
		{"flags that exclude each other", []string{"today", "--day", "2026-03-12", "--since", "1h"}, "give --day or --since, not both"},
		{"no reason", []string{"done", "+14155550120"}, "--why is empty: say what happened"},
		{"no time", []string{"snooze", "+14155550120"}, "--until is no time: write 14:30"},
		{"nothing to send", []string{"send"}, "nothing to send"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := program.Run(t, tc.args...)
			got.Exits(t, 1)
			got.Complains(t, tc.want)
			if got.Stdout != "" {
				t.Errorf("stdout: %s", got.Stdout)
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
			var stdout, stderr clitest.Output
			c := exec.CommandContext(t.Context(), executable)
			c.Env = append(os.Environ(), argsVariable+"="+strings.Join([]string{
				"serve", "--data", t.TempDir(), "--addr", anyPort,
			}, "\n"))
			c.Stdout, c.Stderr = &stdout, &stderr
			logscan.Watch(t, stderr.String)
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			stdout.Await(t, "Stop it with Ctrl-C")
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
	var stdout, stderr clitest.Output
	c := exec.CommandContext(t.Context(), executable)
	c.Env = append(os.Environ(), argsVariable+"="+strings.Join([]string{
		"serve", "--data", t.TempDir(), "--addr", anyPort, "--forward", hanging.URL, "--alert-max-age", "0",
	}, "\n"))
	c.Stdout, c.Stderr = &stdout, &stderr
	logscan.Watch(t, stderr.String)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	url := urlIn(t, stdout.Await(t, "Stop it with Ctrl-C"))
	program.Run(t, "send", "--url", url, "--samples", samples(t), "call.missed").Exits(t, 0)
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

// program is the command line.
var program = clitest.Program{Name: "ringback", Main: ringback.Run}

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
