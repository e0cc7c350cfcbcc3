package main_test

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/proof/clitest"
	"github.com/ringback/ringback/internal/proof/logscan"
	storm "github.com/ringback/ringback/internal/proof/storm"
	"github.com/ringback/ringback/internal/proof/storm/target"
	"github.com/ringback/ringback/internal/table/bolt"
)

func TestAStormWithKillsEndsWith0(t *testing.T) {
	t.Parallel()
	got := runStorm(t, "--deliveries", "200", "--faults", "10", "--kills", "1", "--seed", "3", "--concurrency", "8",
		"--minute", "1s") // as it is by default: or the stack is not back before JustCall gives up
	got.Exits(t, 0)
	got.Says(t, "OK: ", "\nlost, though answered 200            0\n", "\nnot alerted                          0\n",
		"\ndistinct events                    140\n", "\nkills                                1\n", "\nstrays                               4\n")
	clitest.Contains(t, "stderr", got.Stderr, "all 200 deliveries through", "killed the stack; it answers again\n")
	for _, some := range []string{"attempts failed", "lost on the way there", "lost on the way back"} {
		if regexp.MustCompile(some + ` +0\n`).MatchString(got.Stdout) {
			t.Errorf("%s: none:\n%s", some, got.Stdout)
		}
	}
}

// Whatever ended it: the table is all that is left of what was posted.
func TestAStormThatIsInterruptedKeepsItsTable(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	b := program.Start(t, "--ringback", ringback(t), "--deliveries", "1000", "--rate", "100")
	for end := time.Now().Add(clitest.Patience); !strings.Contains(logIn(folder), "stored"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("nothing is posted:\n%s", &b.Stderr)
		}
	}
	got := b.Stop()
	got.Exits(t, 1)
	kept := glob(t, folder, "*/events.db")
	if len(kept) != 1 {
		t.Fatalf("%d tables are kept, want 1", len(kept))
	}
	got.Complains(t, "canceled", "kept in "+filepath.Dir(kept[0]))
}

// A storm that is killed can end nothing, and its stack must not stay for ever.
func TestAStormThatIsKilledTakesItsStackWithIt(t *testing.T) {
	t.Parallel()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	c := exec.CommandContext(t.Context(), executable)
	c.Env = append(os.Environ(), "TMPDIR="+folder, argsVariable+"="+strings.Join([]string{
		"--ringback", ringback(t), "--deliveries", "500", "--rate", "20",
	}, "\n"))
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var url string
	for end := time.Now().Add(clitest.Patience); url == "" && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if log := logIn(folder); strings.Contains(log, "Ctrl-C") {
			url = regexp.MustCompile(`http://\S+`).FindString(log)
		}
	}
	_ = c.Process.Kill()
	_ = c.Wait()
	if url == "" {
		t.Fatal("the stack has not started")
	}
	for end := time.Now().Add(clitest.Patience); ; time.Sleep(5 * time.Millisecond) {
		resp, err := http.Get(url) //nolint:noctx,gosec // the stack's own URL, and it is over at once
		if err != nil {
			break
		}
		_ = resp.Body.Close()
		if time.Now().After(end) {
			t.Fatal("the stack is still running")
		}
	}
	// It ended as if it were told to: nothing is locked, and nothing is torn.
	data := filepath.Dir(glob(t, folder, "*/events.db")[0])
	stack, err := local.Start(t.Context(), local.Config{Folder: data, Address: "127.0.0.1:0"}, logscan.Logger(t))
	for end := time.Now().Add(clitest.Patience); errors.Is(err, bolt.ErrLocked) && time.Now().Before(end); {
		stack, err = local.Start(t.Context(), local.Config{Folder: data, Address: "127.0.0.1:0"}, logscan.Logger(t))
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := stack.Close(); err != nil {
		t.Error(err)
	}
}

// logIn returns what the stack of a storm has printed whose folder is in folder.
func logIn(folder string) string {
	paths, _ := filepath.Glob(filepath.Join(folder, "*", target.LogName))
	var printed strings.Builder
	for _, path := range paths {
		text, _ := os.ReadFile(path) // it may not be there yet
		printed.Write(text)
	}
	return printed.String()
}

func TestAStormLeavesNothingBehindUnlessItFails(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	runStorm(t, "--deliveries", "20").Exits(t, 0)
	if left := glob(t, folder, "*"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	// One whose alerts are never taken. The wait is also the time in which the process has to end, on a busy machine too.
	failed := runStorm(t, "--deliveries", "50", "--faults", "100", "--wait", "3s")
	failed.Exits(t, 1)
	failed.Says(t, "NOT OK: ", "\nalerted                              0\n", "\nlost, though answered 200            0\n", "  not alerted: ")
	kept := glob(t, folder, "*/events.db")
	if len(kept) != 1 {
		t.Fatalf("%d tables are kept, want that of the failed one", len(kept))
	}
	failed.Complains(t, "not kept its promises", "not alerted", "not settled", "kept in "+filepath.Dir(kept[0]), target.LogName)
}

func TestAStormThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		args []string
		want string
	}{
		{"no deliveries", []string{"--deliveries", "0"}, "0 deliveries"},
		{"nothing but duplicates", []string{"--duplicates", "100"}, "100 % duplicates"},
		{"more faults than tries", []string{"--faults", "101"}, "--faults is a percentage"},
		{"fewer faults than none", []string{"--faults", "-1"}, "--faults is a percentage"},
		{"more strays than deliveries", []string{"--strays", "101"}, "101 % strays"},
		{"nobody who posts", []string{"--concurrency", "0"}, "--concurrency is"},
		{"a rate into the past", []string{"--rate", "-1"}, "--rate is"},
		{"a rate that is no number", []string{"--rate", "NaN"}, "--rate is"},
		{"a rate without end", []string{"--rate", "+Inf"}, "--rate is"},
		{"a rate that never comes to an end", []string{"--rate", "1e-300"}, "--rate is"},
		{"a seed below all", []string{"--seed", "-1"}, `"--seed" flag`},
		{"a seed that is too large", []string{"--seed", "99999999999999999999"}, "out of range"},
		{"deliveries in words", []string{"--deliveries", "many"}, `"--deliveries" flag`},
		{"a rate in words", []string{"--rate", "fast"}, `"--rate" flag`},
		{"minutes of no time", []string{"--minute", "0s"}, "--minute and --wait are"},
		{"fewer kills than none", []string{"--kills", "-1"}, "--kills is"},
		{"more kills than there is room for", []string{"--deliveries", "10", "--kills", "9"}, "from 0 to 8 among 10 deliveries"},
		{"fewer repeats than none", []string{"--stack", "ringback-test", "--repeats", "-1"}, "--repeats is"},
		{"a URL alone", []string{"--url", "https://example.com/justcall/" + token}, "[table topic]"},
		{"a table alone", []string{"--table", "t"}, "[topic url]"},
		{"two stacks", []string{"--stack", "ringback-test", "--url", "https://example.com", "--table", "t", "--topic", "a"}, "[stack url]"},
		{"kills of another stack", []string{"--stack", "ringback-test", "--kills", "1"}, "[kills stack]"},
		{"kills at a URL", []string{"--url", "https://example.com", "--table", "t", "--topic", "a", "--kills", "1"}, "[kills url]"},
		{"another stack's program", []string{"--stack", "ringback-test", "--ringback", "p"}, "[ringback stack]"},
		// What a variable of the shell leaves that is not set.
		{"no name of a stack", []string{"--stack", ""}, "--stack is empty"},
		{"no URL", []string{"--url", " ", "--table", "t", "--topic", "a"}, "--url is empty"},
		{"no table", []string{"--url", "https://example.com", "--table", "", "--topic", "a"}, "--table is empty"},
		{"no topic", []string{"--url", "https://example.com", "--table", "t", "--topic="}, "--topic is empty"},
		{"no region", []string{"--stack", "ringback-test", "--region", ""}, "--region is empty"},
		{"no program", []string{"--ringback", ""}, "--ringback is empty"},
		{"a wait into the past", []string{"--wait", "-1s"}, "--minute and --wait are"},
		{"no wait", []string{"--wait", "0"}, "--minute and --wait are"},
		{"an argument", []string{"now"}, `"now"`},
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

func TestHelpNamesEveryFlagAndItsDefault(t *testing.T) {
	t.Parallel()
	got := program.Run(t, "--help")
	got.Exits(t, 0)
	got.Says(t, "--deliveries int", "(default 10000)", "--duplicates int", "(default 30)", "--faults int", "(default 5)",
		"--strays int", "(default 2)", "--seed uint", "(default 1)", "--concurrency int", "(default 32)", "--rate float",
		"--minute duration", "(default 1s)", "--wait duration", "(default 5m0s)", "--kills int", "--ringback string",
		"--stack string", "--url string", "--table string", "--topic string", "--region string", "--alert-subscribers ",
		"--repeats int", storm.SigningSecretEnv, "Examples:")
}

func TestAProgressIsPrintedInLines(t *testing.T) {
	t.Parallel()
	var out clitest.Output
	through := storm.Progress(&out, 4001)
	for done := range 4001 {
		through(done + 1)
	}
	const want = "2000 of 4001 deliveries through\n4000 of 4001 deliveries through\nall 4001 deliveries through, waiting for the alerts\n"
	if got := out.String(); got != want {
		t.Errorf("printed:\n%s", got)
	}
}

// stormPatience is how long a test waits for a storm, whose retries take their
// time.
const stormPatience = 2 * time.Minute

func runStorm(t *testing.T, args ...string) clitest.Result {
	t.Helper()
	return program.RunWithin(t, stormPatience, append([]string{"--ringback", ringback(t), "--minute", "20ms"}, args...)...)
}

func glob(t *testing.T, folder, pattern string) []string {
	t.Helper()
	found, err := fs.Glob(os.DirFS(folder), pattern)
	if err != nil {
		t.Fatal(err)
	}
	for i := range found {
		found[i] = filepath.Join(folder, found[i])
	}
	return found
}
