package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// runner runs the go command in a module.
type runner struct {
	root     string // of the module, absolute
	module   string // its path
	binaries string // the programs that tests build, as a pattern of packages
}

// result is what came of a run of tests.
type result struct {
	// Passed and Failed are tests, without their subtests, as folder and name. Flaky
	// are those that ran several times and did both.
	Passed, Failed, Flaky []string
	// Trouble says why the run proves nothing.
	Trouble string
	// Output is what failing packages printed.
	Output string
}

func (r runner) command(environment []string, args ...string) *exec.Cmd {
	c := exec.Command("go", args...) //nolint:gosec // G204: the arguments are ours
	c.Dir = r.root
	// Failures are what we want: rapid must not keep them.
	c.Env = append(append(os.Environ(), "RAPID_NOFAILFILE=true"), environment...)
	return c
}

// compile builds the programs as tests do, so that the build cache has most of it.
func (r runner) compile(environment []string) (output string, ok bool) {
	c := r.command(append(environment, "CGO_ENABLED=0"), "build", "-tags", "lambda.norpc", "-trimpath", "-ldflags", "-s -w", "-o", os.DevNull, r.binaries)
	printed, err := c.CombinedOutput()
	return string(printed), err == nil
}

// test runs the tests in folders that a pattern chooses, each so many times.
func (r runner) test(environment []string, pattern string, folders []string, times int) (result, error) {
	args := []string{"test", "-json", fmt.Sprintf("-count=%d", times), "-vet=off", "-timeout=5m", "-run", pattern}
	for _, folder := range folders {
		args = append(args, "./"+folder)
	}
	c := r.command(environment, args...)
	var errs bytes.Buffer
	c.Stderr = &errs
	output, _ := c.Output() // that tests failed is in the output
	found, err := read(bytes.NewReader(output), r.module)
	if err != nil {
		return result{}, fmt.Errorf("%w\n%s", err, errs.String())
	}
	return found, nil
}

// read reads the output of "go test -json"; see "go doc test2json". The error is one
// of reading, not of a test.
func read(events io.Reader, module string) (found result, err error) {
	passed, failed, asserted := map[string]bool{}, map[string]bool{}, map[string]bool{}
	output := map[string]string{} // by package
	var troubles []string
	for decoder := json.NewDecoder(events); ; {
		var e struct{ Action, Package, Test, Output, ImportPath, FailedBuild string }
		//nolint:musttag // the members are named like the fields
		if err := decoder.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return result{}, fmt.Errorf("read the events of the tests: %w", err)
		}
		folder := cmp.Or(strings.TrimPrefix(strings.TrimPrefix(e.Package, module), "/"), ".")
		test, whole := folder+" "+e.Test, e.Test != "" && !strings.Contains(e.Test, "/")
		switch e.Action {
		case "output":
			output[folder] += e.Output
			// This is the test's own process: what functions print is indented.
			if strings.HasPrefix(e.Output, "panic: ") || strings.HasPrefix(e.Output, "fatal error: ") {
				troubles = append(troubles, folder+" panics")
			}
		case "build-output":
			output[e.ImportPath] += e.Output
		case "build-fail":
			troubles = append(troubles, e.ImportPath+" does not compile")
		case "skip":
			if e.Test != "" {
				troubles = append(troubles, test+" is skipped")
			}
		case "pass":
			if whole {
				passed[test] = true
			} else if e.Test == "" {
				delete(output, folder)
			}
		case "fail":
			if whole {
				failed[test], asserted[folder] = true, true
			} else if e.Test == "" && e.FailedBuild == "" && !asserted[folder] {
				troubles = append(troubles, folder+" fails without a test")
			}
		}
	}
	slices.Sort(troubles)
	if found.Trouble = strings.Join(slices.Compact(troubles), ", "); found.Trouble == "" && len(passed)+len(failed) == 0 {
		found.Trouble = "no test ran"
	}
	for _, test := range slices.Sorted(maps.Keys(passed)) {
		if failed[test] {
			found.Flaky = append(found.Flaky, test)
		} else {
			found.Passed = append(found.Passed, test)
		}
	}
	for _, test := range slices.Sorted(maps.Keys(failed)) {
		if !passed[test] {
			found.Failed = append(found.Failed, test)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(output)) {
		found.Output += output[name]
	}
	return found, nil
}
