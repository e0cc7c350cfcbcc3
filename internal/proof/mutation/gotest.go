package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// testTime bounds the tests of one package.
const testTime = "5m"

// result is what came of a run of tests.
type result struct {
	// Passed and Failed are the tests, without their subtests, as folder and
	// name. Flaky are those that did both, where they ran several times.
	Passed, Failed, Flaky []string
	// Trouble says why the run says nothing; "" if it does.
	Trouble string
	// Output is what failing packages printed.
	Output string
}

// runner runs the go command in a module.
type runner struct {
	root     string // of the module, absolute
	module   string // its path
	binaries string // the programs that tests build, as a pattern of packages
}

// command is the go command with a file of overlays; none if it is empty.
func (r runner) command(overlay string, args ...string) *exec.Cmd {
	c := exec.Command("go", args...) //nolint:gosec // G204: the arguments are ours
	c.Dir = r.root
	// Failures are what is looked for: rapid is not to keep them for later.
	c.Env = append(os.Environ(), "RAPID_NOFAILFILE=true")
	if overlay != "" {
		// The tests hand the environment on to the builds that they make.
		c.Env = append(c.Env, "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" '-overlay="+overlay+"'"))
	}
	return c
}

// compile builds the programs as tests do, so that most of it is done already.
func (r runner) compile(overlay string) (output string, ok bool) {
	c := r.command(overlay, "build", "-tags", "lambda.norpc", "-trimpath", "-ldflags", "-s -w", "-o", os.DevNull, r.binaries)
	c.Env = append(c.Env, "CGO_ENABLED=0")
	printed, err := c.CombinedOutput()
	return string(printed), err == nil
}

// test runs the tests of packages that a pattern chooses, each so many times.
func (r runner) test(overlay, pattern string, folders []string, times int) (result, error) {
	args := []string{"test", "-json", fmt.Sprintf("-count=%d", times), "-vet=off", "-timeout=" + testTime, "-run", pattern}
	c := r.command(overlay, append(args, local(folders)...)...)
	var errs bytes.Buffer
	c.Stderr = &errs
	output, err := c.StdoutPipe()
	if err != nil {
		return result{}, err
	}
	if err := c.Start(); err != nil {
		return result{}, err
	}
	found, err := read(output, r.module)
	if err != nil {
		_ = output.Close() // or go test waits for somebody who reads the rest
	}
	// That tests failed is in what was read.
	if waitErr := c.Wait(); err != nil {
		return result{}, fmt.Errorf("%w (%w)\n%s", err, waitErr, errs.String())
	}
	return found, nil
}

func local(folders []string) (paths []string) {
	for _, folder := range folders {
		paths = append(paths, "./"+folder)
	}
	return paths
}

// event is one of "go test -json". See "go doc test2json".
type event struct {
	Action, Package, Test, Output string
	ImportPath, FailedBuild       string
}

// read reads the events of a run. An error is one of the reading, and no test's.
func read(events io.Reader, module string) (result, error) {
	r := reading{
		module: module, passed: map[string]bool{}, failed: map[string]bool{},
		output: map[string]string{}, asserted: map[string]bool{},
	}
	decoder := jsontext.NewDecoder(events, jsontext.AllowInvalidUTF8(true))
	for {
		var e event
		err := json.UnmarshalDecode(decoder, &e)
		switch {
		case errors.Is(err, io.EOF):
			return r.result(), nil
		case err != nil:
			return result{}, fmt.Errorf("read the events of the tests: %w", err)
		}
		r.take(e)
	}
}

// reading is what the events have told so far.
type reading struct {
	module         string
	passed, failed map[string]bool // of the tests
	troubles       []string
	output         map[string]string // by package
	asserted       map[string]bool   // the packages of which a test has failed
}

func (r *reading) take(e event) {
	folder := cmp.Or(strings.TrimPrefix(strings.TrimPrefix(e.Package, r.module), "/"), ".")
	test, whole := folder+" "+e.Test, e.Test != "" && !strings.Contains(e.Test, "/")
	switch e.Action {
	case "output":
		r.output[folder] += e.Output
		// That is the test's own process: what functions print stands further in.
		if strings.HasPrefix(e.Output, "panic: ") || strings.HasPrefix(e.Output, "fatal error: ") {
			r.trouble(folder, "panics")
		}
	case "build-output":
		r.output[e.ImportPath] += e.Output
	case "build-fail":
		r.trouble(e.ImportPath, "does not compile")
	case "skip":
		if e.Test != "" {
			r.trouble(test, "is skipped")
		}
	case "pass":
		switch {
		case whole:
			r.passed[test] = true
		case e.Test == "":
			delete(r.output, folder)
		}
	case "fail":
		switch {
		case whole:
			r.failed[test] = true
			r.asserted[folder] = true
		case e.Test == "" && e.FailedBuild == "" && !r.asserted[folder]:
			r.trouble(folder, "fails without a test")
		}
	}
}

func (r *reading) trouble(who, what string) { r.troubles = append(r.troubles, who+" "+what) }

func (r *reading) result() result {
	slices.Sort(r.troubles)
	found := result{Trouble: strings.Join(slices.Compact(r.troubles), ", ")}
	if found.Trouble == "" && len(r.passed)+len(r.failed) == 0 {
		found.Trouble = "no test ran"
	}
	for _, test := range slices.Sorted(maps.Keys(r.passed)) {
		if r.failed[test] {
			found.Flaky = append(found.Flaky, test)
		} else {
			found.Passed = append(found.Passed, test)
		}
	}
	for _, test := range slices.Sorted(maps.Keys(r.failed)) {
		if !r.passed[test] {
			found.Failed = append(found.Failed, test)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.output)) {
		found.Output += r.output[name]
	}
	return found
}
