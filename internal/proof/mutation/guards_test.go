package main_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	mutation "github.com/ringback/ringback/internal/proof/mutation"
	"github.com/ringback/ringback/internal/proof/tabletest"
)

// root is the folder of the module.
func root(t *testing.T) string {
	t.Helper()
	return filepath.Dir(tabletest.TemplatePath(t))
}

// Each promise has two guards at least, and one that a test of the functions' binaries
// keeps. That each test of a promise has a guard, "make guards" finds.
func TestEachPromiseHasGuards(t *testing.T) {
	t.Parallel()
	all, err := mutation.Guards(root(t))
	if err != nil {
		t.Fatal(err)
	}
	count, onBinaries := map[string]int{}, map[string]int{}
	for _, g := range all {
		count[g.Promise]++
		for _, folder := range g.Tests {
			if strings.HasPrefix(folder, "functions/") || strings.HasSuffix(folder, "/e2e") {
				onBinaries[g.Promise]++
			}
		}
		if g.Text == g.Instead {
			t.Errorf("%s: nothing is taken out", g)
		}
	}
	for _, promise := range strings.Split("123456789", "") {
		if count[promise] < 2 || onBinaries[promise] < 1 {
			t.Errorf("promise %s has %d guards, %d of them with tests of the binaries", promise, count[promise], onBinaries[promise])
		}
	}
	if len(all) < 80 {
		t.Errorf("%d guards, want 80 at least", len(all))
	}
}

func TestOnlyAFailedAssertionIsAFailure(t *testing.T) {
	t.Parallel()
	// event is a line of "go test -json" of a package in the folder p.
	event := func(action, test, more string) string {
		if test != "" {
			more += `,"Test":"` + test + `"`
		}
		return `{"Time":"2026-03-12T14:32:00Z","Action":"` + action + `","Package":"example.com/m/p"` + more + `}`
	}
	output := func(test, text string) string { return event("output", test, `,"Output":"`+text+`\n"`) }
	for _, tc := range []struct {
		name   string
		events []string
		want   mutation.Result
	}{
		{"nothing is said of a run without tests", []string{event("start", "", ""), event("pass", "", "")}, mutation.Result{Trouble: "no test ran"}},
		{"a test passes", []string{event("run", "TestA", ""), event("pass", "TestA", ""), event("pass", "", "")}, mutation.Result{Passed: []string{"p TestA"}}},
		{
			"a subtest's assertion fails",
			[]string{
				event("pass", "TestB", ""), output("TestA/one", "    a_test.go:1: got 1"), event("fail", "TestA/one", ""),
				event("fail", "TestA", ""), event("fail", "", ""),
			},
			mutation.Result{Passed: []string{"p TestB"}, Failed: []string{"p TestA"}, Output: "    a_test.go:1: got 1\n"},
		},
		{
			"a test passes and fails where it runs twice",
			[]string{
				event("fail", "TestA", ""), event("fail", "TestB", ""), event("pass", "TestA", ""), event("fail", "TestB", ""),
				event("fail", "", ""),
			},
			mutation.Result{Failed: []string{"p TestB"}, Flaky: []string{"p TestA"}},
		},
		{
			"a function's panic is told by an assertion",
			[]string{output("TestA", "    a_test.go:1: the function ended:"), output("TestA", "        panic: nil"), event("fail", "TestA", ""), event("fail", "", "")},
			mutation.Result{Failed: []string{"p TestA"}, Output: "    a_test.go:1: the function ended:\n        panic: nil\n"},
		},
		{
			"a test panics, or runs out of time",
			[]string{output("TestA", "panic: test timed out after 5m0s"), event("fail", "TestA", ""), event("fail", "", "")},
			mutation.Result{Failed: []string{"p TestA"}, Trouble: "p panics", Output: "panic: test timed out after 5m0s\n"},
		},
		{"a test is skipped", []string{event("skip", "TestA", ""), event("pass", "", "")}, mutation.Result{Trouble: "p TestA is skipped"}},
		{
			"it fails before any test, as where a function does not compile",
			[]string{output("", "FAIL"), event("fail", "", "")},
			mutation.Result{Trouble: "p fails without a test", Output: "FAIL\n"},
		},
		{
			"it does not compile",
			[]string{
				`{"ImportPath":"example.com/m/q","Action":"build-output","Output":"q.go:1:1: undefined\n"}`,
				`{"ImportPath":"example.com/m/q","Action":"build-fail"}`,
				event("fail", "", `,"FailedBuild":"example.com/m/q"`),
			},
			mutation.Result{Trouble: "example.com/m/q does not compile", Output: "q.go:1:1: undefined\n"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := mutation.Read(strings.NewReader(strings.Join(tc.events, "\n")), "example.com/m")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := mutation.Read(strings.NewReader("FAIL"), "example.com/m"); err == nil {
		t.Error("what is no event is read")
	}
}

// module makes a module of the files and returns its folder.
func module(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	files["go.mod"] = "module example.com/m\n\ngo 1.26\n"
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestASurvivorIsAnError(t *testing.T) {
	t.Parallel()
	code := "package m\n\n// Sum adds. // guard 1 m:\nfunc Sum(a, b int) int {\n" +
		"\t// guard 1 m b: return a - b\n\treturn a + b // guard 1 m: return a * b\n}\n"
	folder := module(t, map[string]string{
		"m/a.go": code,
		"m/a_test.go": "package m\n\nimport \"testing\"\n\nfunc TestPromise1_Adds(t *testing.T) {\n" +
			"\tif Sum(1, 2) != 3 {\n\t\tt.Error(\"no\")\n\t}\n}\n\nfunc TestPromise1_Nothing(*testing.T) {}\n",
		"b/b_test.go": "package b_test\n\nimport (\n\t\"testing\"\n\n\t\"example.com/m/m\"\n)\n\nvar runs int\n\nfunc TestPromise1_Flakes(t *testing.T) {\n" +
			"\tif runs++; runs > 1 && m.Sum(1, 2) != 3 {\n\t\tt.Error(\"no\")\n\t}\n}\n",
	})
	var out bytes.Buffer
	err := mutation.Run(&out, folder, "example.com/m")
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"m/a.go:3: // Sum adds.: SURVIVES: no test fails without it in m\n",
		"m/a.go:6: return a + b: SURVIVES: no test fails without it in b; failed once and passed once: b TestPromise1_Flakes",
		"TestPromise1_Nothing was never seen failing",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	if n := strings.Count(err.Error(), "a.go:6"); n != 1 {
		t.Errorf("the error names what was seen failing: %v", err)
	}
	if row := regexp.MustCompile(`(?m)^promise 1, m/a.go:6: return a \+ b\n    m TestPromise1_Adds$`); !row.Match(out.Bytes()) {
		t.Errorf("what was seen failing is not printed:\n%s", &out)
	}
	if text, err := os.ReadFile(filepath.Join(folder, "m/a.go")); err != nil || string(text) != code {
		t.Errorf("the code is %s (%v), want it as it was", text, err)
	}
}

func TestAMarkNamesAPackageWithATestOfItsPromise(t *testing.T) {
	t.Parallel()
	test := "package a\n\nimport \"testing\"\n\nfunc TestPromise1_A(*testing.T) {}\n"
	for name, files := range map[string]map[string]string{
		"no such package":      {"a/a.go": "package a // guard 1 b: package b", "a/a_test.go": test},
		"of another promise":   {"a/a.go": "package a // guard 2: package b", "a/a_test.go": test},
		"two of the same name": {"a/a_test.go": test, "b/a/a_test.go": test},
	} {
		if found, err := mutation.Guards(module(t, files)); err == nil || !strings.Contains(err.Error(), "a") {
			t.Errorf("%s: %v, %v, want an error", name, found, err)
		}
	}
}

// Tests read the template and build the functions' binaries.
func TestTakingOutChangesNoFile(t *testing.T) {
	t.Parallel()
	folder := module(t, map[string]string{
		"template.yaml":   "a: 1\n  b: 2 # guard 1 m: b: 3\n",
		"m/m_test.go":     "package m\n\nfunc TestPromise1_A() {}\n",
		"m/m.go":          "package m // guard 1: package n\n",
		"m/testdata/a.go": "package m // guard 9: package n\n",
	})
	all, err := mutation.Guards(folder)
	if err != nil || len(all) != 2 {
		t.Fatalf("%v (%v), want two guards", all, err)
	}
	want := []string{"package n\n", "a: 1\n  b: 3\n"}
	for i, g := range all {
		out := filepath.Join(t.TempDir(), "out")
		environment, err := mutation.TakeOut(g, folder, out)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(out, filepath.Base(g.File)))
		if err != nil || string(got) != want[i] {
			t.Errorf("%s: %q (%v), want %q", g, got, err, want[i])
		}
		if says := strings.Join(environment, ""); !strings.Contains(says, out) {
			t.Errorf("%s: %s does not name the copy", g, says)
		}
	}
}
