package gobuild_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringback/ringback/internal/proof/gobuild"
)

// The go command tells a test binary where to write down what it reads. Here the test tells itself.
func TestTheGoCommandNoticesWhatAProgramIsBuiltFrom(t *testing.T) {
	t.Parallel()
	const variable = "GOBUILD_TEST_PROGRAM"
	if path := os.Getenv(variable); path != "" {
		if err := gobuild.Build(t.Context(), "testdata/program", path, nil); err != nil {
			t.Fatal(err)
		}
		return
	}
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, log := filepath.Join(t.TempDir(), "program"), filepath.Join(t.TempDir(), "log")
	itself := exec.CommandContext(t.Context(), executable, "-test.run=^"+t.Name()+"$", "-test.testlogfile="+log)
	itself.Env = append(os.Environ(), variable+"="+program)
	if output, err := itself.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if output, err := exec.CommandContext(t.Context(), program).Output(); err != nil || string(output) != "word\n" {
		t.Errorf("the program says %q, %v", output, err)
	}

	noticed, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"../../../go.mod", "../../../go.sum",
		"testdata/program", "testdata/program/main.go",
		"testdata/program/part", "testdata/program/part/part.go", "testdata/program/part/other.go",
		"testdata/program/part/words", "testdata/program/part/words/word.txt",
	} {
		path, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(noticed), "\nstat "+path+"\n") {
			t.Errorf("not noticed: %s", path)
		}
	}
}

func TestAProgramThatDoesNotBuildSaysWhy(t *testing.T) {
	t.Parallel()
	err := gobuild.Build(t.Context(), t.TempDir(), filepath.Join(t.TempDir(), "program"), nil)
	if err == nil || !strings.Contains(err.Error(), "go.mod") {
		t.Errorf("got %v, want that there is no module", err)
	}
}
