package main_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	ringback "github.com/ringback/ringback/cmd/ringback"
	"github.com/ringback/ringback/internal/storm/target"
	"github.com/ringback/ringback/internal/table/tabletest"
)

func TestAStormWithKillsEndsWith0(t *testing.T) {
	t.Parallel()
	got := runStorm(t, "--deliveries", "200", "--faults", "10", "--kills", "1", "--seed", "3", "--concurrency", "8",
		"--minute", "1s") // or the stack is not back before JustCall gives up
	got.exits(t, 0)
	got.says(t, "OK: ", "lost                                0\n", "missing                             0\n",
		"distinct events                 140\n", "kills                               1\n", "strays                              4\n")
	contains(t, "stderr", got.stderr, "all 200 deliveries through", "killed the stack; after ")
	for _, some := range []string{"attempts failed", "lost on the way there", "lost on the way back"} {
		if regexp.MustCompile(some + ` +0\n`).MatchString(got.stdout) {
			t.Errorf("%s: none:\n%s", some, got.stdout)
		}
	}
}

func TestAStormKeepsItsTableWhereItIsTold(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	runStorm(t, "--deliveries", "20", "--data", data).exits(t, 0)
	if _, err := os.Stat(filepath.Join(data, "events.db")); err != nil {
		t.Error(err)
	}
	again := runStorm(t, "--deliveries", "20", "--data", data)
	again.exits(t, 1)
	again.complains(t, "has a table already", "--data")
}

func TestAStormLeavesNothingBehindUnlessItFails(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	runStorm(t, "--deliveries", "20").exits(t, 0)
	if left := glob(t, folder, "*"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	// One whose alerts are never taken.
	failed := runStorm(t, "--deliveries", "50", "--faults", "100", "--wait", "200ms")
	failed.exits(t, 1)
	failed.says(t, "NOT OK: ", "alerted                             0\n", "lost                                0\n", "  not alerted: ")
	kept := glob(t, folder, "*/events.db")
	if len(kept) != 1 {
		t.Fatalf("%d tables are kept, want that of the failed one", len(kept))
	}
	failed.complains(t, "not kept its promises", "not alerted", "still busy", "kept in "+filepath.Dir(kept[0]), target.LogName)
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
		{"minutes of no time", []string{"--minute", "0s"}, "--minute is"},
		{"fewer kills than none", []string{"--kills", "-1"}, "--kills is"},
		{"fewer repeats than none", []string{"--stack", "ringback-test", "--repeats", "-1"}, "--repeats is"},
		{"a URL alone", []string{"--url", "https://example.com/justcall/" + token}, "[table topic]"},
		{"a URL that is none", []string{"--url", "example.com", "--table", "t", "--topic", "a"}, "--url is not a URL"},
		{"a signed URL that is none", []string{"--url", "https://example.com", "--table", "t", "--topic", "a", "--signed-url", "a"}, "--signed-url is not a URL"},
		{"two stacks", []string{"--stack", "ringback-test", "--url", "https://example.com", "--table", "t", "--topic", "a"}, "[stack url]"},
		{"kills of another stack", []string{"--stack", "ringback-test", "--kills", "1"}, "[kills stack]"},
		{"another stack's table in a folder", []string{"--stack", "ringback-test", "--data", "folder"}, "[data stack]"},
		{"a region of its own stack", []string{"--region", "eu-central-1"}, "--region is for a stack that is not storm's own"},
		{"subscribers of its own stack", []string{"--alert-subscribers"}, "--alert-subscribers is for"},
		{"excuses for its own stack", []string{"--repeats", "10"}, "--repeats is for"},
		{"a wait into the past", []string{"--wait", "-1s"}, "--wait is"},
		{"no template", []string{"--deliveries", "1", "--template", "none.yaml"}, "--template"},
		{"an argument", []string{"now"}, `"now"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := runStorm(t, tc.args...)
			got.exits(t, 1)
			got.complains(t, tc.want)
			if got.stdout != "" {
				t.Errorf("stdout: %s", got.stdout)
			}
		})
	}
}

func TestStormsHelpNamesEveryFlagAndItsDefault(t *testing.T) {
	t.Parallel()
	got := run(t, "storm", "--help")
	got.exits(t, 0)
	run(t, "help").says(t, "storm")
	got.says(t, "--deliveries int", "(default 10000)", "--duplicates int", "(default 30)", "--faults int", "(default 5)",
		"--strays int", "(default 2)", "--seed uint", "(default 1)", "--concurrency int", "(default 32)", "--rate float",
		"--minute duration", "(default 500ms)", "--wait duration", "(default 1m0s)", "--kills int", "--data string",
		"--template string", `(default "template.yaml")`, "--stack string", "--url string", "--table string", "--topic string",
		"--signed-url string", "--region string", "--alert-subscribers ", "--repeats int", ringback.SigningSecretEnv, "Examples:")
}

func TestAProgressIsPrintedInLines(t *testing.T) {
	t.Parallel()
	var out output
	through, end := ringback.ShowProgress(&out, 3, time.Millisecond)
	through()
	out.await(t, "1 of 3 deliveries through\n")
	through()
	through()
	end()
	if got := out.String(); !strings.HasSuffix(got, "all 3 deliveries through, waiting for the alerts\n") {
		t.Errorf("printed:\n%s", got)
	}
}

// stormPatience is how long a test waits for a storm, whose retries take their
// time.
const stormPatience = 2 * time.Minute

func runStorm(t *testing.T, args ...string) result {
	t.Helper()
	return runWithin(t, stormPatience, append([]string{"storm", "--template", tabletest.TemplatePath(t), "--minute", "20ms"}, args...)...)
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
