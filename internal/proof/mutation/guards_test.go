package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/proof/moto"
	guards "github.com/ringback/ringback/internal/proof/mutation"
	"github.com/ringback/ringback/internal/proof/tabletest"
)

// root is the folder of the module.
func root(t *testing.T) string {
	t.Helper()
	return filepath.Dir(tabletest.TemplatePath(t))
}

func TestTheTableIsTrue(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	count := map[int]int{}
	for i, g := range guards.Table() {
		name := fmt.Sprint(g.Promise, ": ", g.Name)
		if names[name] || g.Name == "" || g.Promise < 1 || g.Promise > 9 {
			t.Errorf("%s: want a name that no other has, and a promise", name)
		}
		names[name] = true
		count[g.Promise]++
		if g.Text == g.Instead {
			t.Errorf("%s: nothing is taken out", name)
		}
		if _, err := guards.Overlay(g, root(t), filepath.Join(t.TempDir(), fmt.Sprint(i))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		pattern := regexp.MustCompile(guards.Pattern(g))
		for _, folder := range g.Tests {
			if !slices.ContainsFunc(promiseTests(t, folder), pattern.MatchString) {
				t.Errorf("%s: no test in %s matches %s", name, folder, pattern)
			}
		}
	}
	for promise := 1; promise <= 9; promise++ {
		if count[promise] < 2 {
			t.Errorf("promise %d has %d guards, want two at least", promise, count[promise])
		}
	}
}

var promiseTestsOf sync.Map

var ofPromise = regexp.MustCompile(`(?m)^func (TestPromise\w+)\(`)

// promiseTests are the tests of promises in a folder, read once.
func promiseTests(t *testing.T, folder string) (names []string) {
	t.Helper()
	if known, ok := promiseTestsOf.Load(folder); ok {
		return known.([]string)
	}
	defer func() { promiseTestsOf.Store(folder, names) }()
	files, err := filepath.Glob(filepath.Join(root(t), folder, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no tests (%v)", folder, err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range ofPromise.FindAllSubmatch(source, -1) {
			names = append(names, string(found[1]))
		}
	}
	return names
}

// And each of the nine promises has one that runs the functions' binaries.
func TestEveryTestOfAPromiseHasAGuard(t *testing.T) {
	t.Parallel()
	for promise := 1; promise <= 9; promise++ {
		prefix := fmt.Sprintf("TestPromise%d_", promise)
		if !slices.ContainsFunc(promiseTests(t, "internal/proof/e2e"), func(name string) bool { return strings.HasPrefix(name, prefix) }) {
			t.Errorf("no %s… in internal/proof/e2e", prefix)
		}
	}
	var folders []string
	for _, pattern := range []string{"cmd/*", "events", "functions/*", "internal/*", "internal/*/*"} {
		found, err := filepath.Glob(filepath.Join(root(t), pattern, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range found {
			folder, err := filepath.Rel(root(t), filepath.Dir(file))
			if err != nil {
				t.Fatal(err)
			}
			folders = append(folders, filepath.ToSlash(folder))
		}
	}
	slices.Sort(folders)
	tests := 0
	for _, folder := range slices.Compact(folders) {
		for _, name := range promiseTests(t, folder) {
			tests++
			if !slices.ContainsFunc(guards.Table(), func(g guards.Guard) bool {
				return slices.Contains(g.Tests, folder) && regexp.MustCompile(guards.Pattern(g)).MatchString(name)
			}) {
				t.Errorf("%s %s has no guard", folder, name)
			}
		}
	}
	if tests < 30 {
		t.Errorf("only %d tests found", tests)
	}
}

func TestTheStandInsAreThoseOfTheTests(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff([]string{tabletest.EndpointVariable, moto.EndpointVariable}, guards.StandIns()); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
}

// The functions' binaries are built by tests, and the template is read by them.
func TestAnOverlayTakesOutOneText(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	replaced := func(g guards.Guard) map[string]string {
		t.Helper()
		list, err := guards.Overlay(g, root(t), filepath.Join(folder, g.Name))
		if err != nil {
			t.Fatal(err)
		}
		var overlay struct {
			Replace map[string]string `json:"Replace"`
		}
		if err := json.Unmarshal([]byte(read(list)), &overlay); err != nil {
			t.Fatal(err)
		}
		return overlay.Replace
	}

	handler := filepath.Join(root(t), "internal/lambda/stream/handler.go")
	got := replaced(guards.Guard{Name: "code", File: "internal/lambda/stream/handler.go", Text: "package stream", Instead: "package river"})
	if len(got) != 1 || read(got[handler]) != strings.Replace(read(handler), "package stream", "package river", 1) {
		t.Errorf("in place of the file: %v", got)
	}

	got = replaced(guards.Guard{Name: "template", File: "template.yaml", Text: "Runtime: provided.al2023", Instead: "Runtime: none"})
	teller := got[filepath.Join(root(t), "internal/proof/tabletest/dynamodb.go")]
	if len(got) != 1 || !strings.Contains(read(teller), `"`+filepath.Join(folder, "template", "template.yaml")+`"`) {
		t.Errorf("in place of what tells the template's path: %v", got)
	}
	if text := read(filepath.Join(folder, "template", "template.yaml")); !strings.Contains(text, "Runtime: none") {
		t.Error("the template is as it was")
	}

	for _, text := range []string{"func noSuchFunction", "return"} { // nowhere, and often
		if _, err := guards.Overlay(guards.Guard{File: "internal/lambda/stream/handler.go", Text: text}, root(t), filepath.Join(folder, "no")); err == nil || !strings.Contains(err.Error(), "exactly once") {
			t.Errorf("%q: %v, want an error that says how often it is there", text, err)
		}
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
		want   guards.Result
	}{
		{"nothing is said of a run without tests", []string{event("start", "", ""), event("pass", "", "")}, guards.Result{Trouble: "no test ran"}},
		{"a test passes", []string{event("run", "TestA", ""), event("pass", "TestA", ""), event("pass", "", "")}, guards.Result{Passed: []string{"p TestA"}}},
		{
			"a subtest's assertion fails",
			[]string{
				event("pass", "TestB", ""), output("TestA/one", "    a_test.go:1: got 1"), event("fail", "TestA/one", ""),
				event("fail", "TestA", ""), event("fail", "", ""),
			},
			guards.Result{Passed: []string{"p TestB"}, Failed: []string{"p TestA"}, Output: "    a_test.go:1: got 1\n"},
		},
		{
			"a test passes and fails where it runs twice",
			[]string{
				event("fail", "TestA", ""), event("fail", "TestB", ""), event("pass", "TestA", ""), event("fail", "TestB", ""),
				event("fail", "", ""),
			},
			guards.Result{Failed: []string{"p TestB"}, Flaky: []string{"p TestA"}},
		},
		{
			"a function's panic is told by an assertion",
			[]string{output("TestA", "    a_test.go:1: the function ended:"), output("TestA", "        panic: nil"), event("fail", "TestA", ""), event("fail", "", "")},
			guards.Result{Failed: []string{"p TestA"}, Output: "    a_test.go:1: the function ended:\n        panic: nil\n"},
		},
		{
			"a test panics, or runs out of time",
			[]string{output("TestA", "panic: test timed out after 5m0s"), event("fail", "TestA", ""), event("fail", "", "")},
			guards.Result{Failed: []string{"p TestA"}, Trouble: "p panics", Output: "panic: test timed out after 5m0s\n"},
		},
		{"a test is skipped", []string{event("skip", "TestA", ""), event("pass", "", "")}, guards.Result{Trouble: "p TestA is skipped"}},
		{
			"it fails before any test, as where a function does not compile",
			[]string{output("", "FAIL"), event("fail", "", "")},
			guards.Result{Trouble: "p fails without a test", Output: "FAIL\n"},
		},
		{
			"it does not compile",
			[]string{
				`{"ImportPath":"example.com/m/q","Action":"build-output","Output":"q.go:1:1: undefined\n"}`,
				`{"ImportPath":"example.com/m/q","Action":"build-fail"}`,
				event("fail", "", `,"FailedBuild":"example.com/m/q"`),
			},
			guards.Result{Trouble: "example.com/m/q does not compile", Output: "q.go:1:1: undefined\n"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := guards.Read(strings.NewReader(strings.Join(tc.events, "\n")), "example.com/m")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := guards.Read(strings.NewReader("FAIL"), "example.com/m"); err == nil {
		t.Error("what is no event is read")
	}
}

func TestASurvivorIsAnError(t *testing.T) {
	t.Parallel()
	module := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.26\n",
		"a.go":   "package m\n\n// Sum adds.\nfunc Sum(a, b int) int { return a + b }\n",
		"a_test.go": "package m\n\nimport \"testing\"\n\nfunc TestPromise1_Adds(t *testing.T) {\n" +
			"\tif Sum(1, 2) != 3 {\n\t\tt.Error(\"no\")\n\t}\n}\n\nfunc TestPromise1_Nothing(*testing.T) {}\n",
		"b/b_test.go": "package b_test\n\nimport (\n\t\"testing\"\n\n\t\"example.com/m\"\n)\n\nvar runs int\n\nfunc TestPromise1_Flakes(t *testing.T) {\n" +
			"\tif runs++; runs > 1 && m.Sum(1, 2) != 3 {\n\t\tt.Error(\"no\")\n\t}\n}\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(module, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(module, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	err := guards.Run(&out, module, "example.com/m", filepath.Join(module, "overlays"), true, []guards.Guard{
		{Promise: 1, Name: "it adds", File: "a.go", Text: "a + b", Instead: "a - b", Tests: []string{"."}},
		{Promise: 1, Name: "it is explained", File: "a.go", Text: "// Sum adds.", Instead: "", Tests: []string{"."}},
		{Promise: 1, Name: "it adds, now and then", File: "a.go", Text: "a + b", Instead: "a - b", Tests: []string{".", "b"}},
		{Promise: 1, Name: "it multiplies", File: "a.go", Text: "a * b", Instead: "a", Tests: []string{"."}},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"it is explained (a.go): SURVIVES: no test fails without it in .\n",
		"it adds, now and then (a.go): SURVIVES: no test fails without it in b; failed once, and passed once: b TestPromise1_Flakes", "it multiplies (a.go)", "exactly once", "TestPromise1_Nothing was never seen failing",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "it adds (") {
		t.Errorf("the error names what was seen failing: %v", err)
	}
	if row := regexp.MustCompile(`(?m)^1 +it adds +\S+ TestPromise1_Adds +\d+\.\d$`); !row.Match(out.Bytes()) {
		t.Errorf("the table lacks what was seen failing:\n%s", &out)
	}
	if text, err := os.ReadFile(filepath.Join(module, "a.go")); err != nil || !strings.Contains(string(text), "a + b") {
		t.Errorf("the code is %s (%v), want it as it was", text, err)
	}
}
