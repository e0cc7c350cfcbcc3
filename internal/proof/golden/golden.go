// Package golden compares a test's result with a file in the repository, and
// rewrites the file if the test runs with -update.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Check reports the differences between the file and got.
func Check(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file) //nolint:gosec // G304: the test names it
	if err != nil {
		t.Fatalf("%v (the same test with -update writes it)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s has drifted; -update rewrites it (-want +got):\n%s", file, diff)
	}
}

// NoOthers reports the files that match a pattern but are not expected.
func NoOthers(t *testing.T, pattern string, expected map[string]bool) {
	t.Helper()
	written, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range written {
		if !expected[file] {
			t.Errorf("%s belongs to no sample", file)
		}
	}
}
