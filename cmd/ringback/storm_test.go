package main_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	ringback "github.com/ringback/ringback/cmd/ringback"
	"github.com/ringback/ringback/internal/table/tabletest"
)

func TestAStormOnALocalStackEndsWith0(t *testing.T) {
	t.Parallel()
	got := runStorm(t, "--deliveries", "400", "--publish-faults", "20", "--seed", "3", "--concurrency", "8")
	got.exits(t, 0)
	got.says(t, "OK: ", "lost                                0\n", "missing                             0\n",
		"alerted twice                       0\n", "answered 200                      400\n", "distinct events                 280\n")
	contains(t, "stderr", got.stderr, "all 400 deliveries through")
	if strings.Contains(got.stdout, "attempts failed             0\n") {
		t.Errorf("no publishing failed:\n%s", got.stdout)
	}
}

func TestAStormWhoseAlertsAreNeverTakenEndsWith1(t *testing.T) {
	t.Parallel()
	got := runStorm(t, "--deliveries", "50", "--publish-faults", "100", "--wait", "200ms", "--data", t.TempDir())
	got.exits(t, 1)
	got.says(t, "NOT OK: ", "alerted                             0\n", "lost                                0\n", "  not alerted: ")
	got.complains(t, "not kept its promises", "not alerted", "still busy")
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
	again.complains(t, "not empty", "--data")
}

func TestAStormLeavesNothingBehindUnlessItFails(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	runStorm(t, "--deliveries", "20").exits(t, 0)
	if left := glob(t, folder, "*"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	failed := runStorm(t, "--deliveries", "50", "--publish-faults", "100", "--wait", "100ms")
	failed.exits(t, 1)
	kept := glob(t, folder, "*/events.db")
	if len(kept) != 1 {
		t.Fatalf("%d tables are kept, want that of the failed one", len(kept))
	}
	failed.complains(t, filepath.Dir(kept[0]))
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
		{"more faults than tries", []string{"--publish-faults", "101"}, "--publish-faults"},
		{"fewer faults than none", []string{"--publish-faults", "-1"}, "--publish-faults"},
		{"nobody who posts", []string{"--concurrency", "0"}, "--concurrency"},
		{"a wait into the past", []string{"--wait", "-1s"}, "--wait"},
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
	got.says(t, "--deliveries int", "(default 10000)", "--duplicates int", "(default 30)", "--publish-faults int", "(default 5)",
		"--seed uint", "(default 1)", "--concurrency int", "(default 16)", "--wait duration", "(default 1m0s)",
		"--data string", "--template string", `(default "template.yaml")`, "Examples:")
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

func runStorm(t *testing.T, args ...string) result {
	t.Helper()
	return run(t, append([]string{"storm", "--template", tabletest.TemplatePath(t)}, args...)...)
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
