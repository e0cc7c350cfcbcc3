package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/ringback/ringback/internal/proof/tabletest"
)

// template is the file that tests read while they run, and that no build reads.
const template = "template.yaml"

var (
	errMark = errors.New("unusable mark of a guard")

	// mark is a guard's mark. What it groups: the code before it, the promise, the
	// packages, the tests, what takes the line's place.
	mark = regexp.MustCompile(`^(.*?)\s*(?://|#) guard ([1-9][0-9]?)((?: [a-z0-9]+)*)(?: \(([\w|]+)\))?:\s*(.*)$`)

	// promiseTest is a test of a promise, in its source.
	promiseTest = regexp.MustCompile(`(?m)^func (TestPromise([1-9][0-9]?)_\w+)\(`)
)

// guard is a line that keeps a promise.
type guard struct {
	Promise string   // its number in the design
	File    string   // from the module's root
	Line    int      // from 0
	Text    string   // what stands there, without the mark
	Instead string   // what takes its place
	Tests   []string // folders
	Only    string   // chooses among the tests, by how their names go on behind the promise
}

func (g guard) String() string { return fmt.Sprintf("%s:%d: %s", g.File, g.Line+1, g.Text) }

// pattern chooses the guard's tests.
func (g guard) pattern() string { return "^TestPromise" + g.Promise + "_(" + g.Only + ")" }

// guards reads all marks in the module's code and template, in order. Errors wrap
// errMark.
func guards(root string) (found []guard, err error) {
	packages, err := promisePackages(root)
	if err != nil {
		return nil, err
	}
	err = walk(root, func(file, text string) error {
		lines := strings.Split(text, "\n")
		for i, line := range lines {
			parts := mark.FindStringSubmatch(line)
			if parts == nil {
				continue
			}
			code := parts[1]
			g := guard{Promise: parts[2], File: file, Line: i, Only: parts[4], Instead: parts[5]}
			for strings.TrimSpace(code) == "" && g.Line+1 < len(lines) { // it marks the line below
				g.Line++
				code = lines[g.Line]
				if marked := mark.FindStringSubmatch(code); marked != nil {
					code = marked[1]
				}
			}
			g.Text = strings.TrimSpace(code)
			names := strings.Fields(parts[3])
			if len(names) == 0 {
				names = []string{filepath.Base(filepath.Dir(file))}
			}
			for _, name := range names {
				in, ok := packages[g.Promise+name]
				if !ok || !slices.ContainsFunc(in.tests, regexp.MustCompile(g.pattern()).MatchString) {
					return fmt.Errorf("%w: %s: no test %s in a package %s", errMark, g, g.pattern(), name)
				}
				g.Tests = append(g.Tests, in.folder)
			}
			found = append(found, g)
		}
		return nil
	}, func(name string) bool {
		return name == template || strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && !strings.Contains(name, "internal/proof/")
	})
	slices.SortStableFunc(found, func(a, b guard) int { return strings.Compare(a.Promise, b.Promise) })
	return found, err
}

// promisePackage is a package with tests of a promise.
type promisePackage struct {
	folder string
	tests  []string
}

// promisePackages returns the packages that have tests of promises, by the promise's
// number and the package's last name.
func promisePackages(root string) (map[string]promisePackage, error) {
	packages := map[string]promisePackage{}
	err := walk(root, func(file, text string) error {
		folder := filepath.ToSlash(filepath.Dir(file))
		for _, test := range promiseTest.FindAllStringSubmatch(text, -1) {
			key := test[2] + filepath.Base(folder)
			p := packages[key]
			if p.folder != "" && p.folder != folder {
				return fmt.Errorf("%w: %s and %s have the same last name", errMark, p.folder, folder)
			}
			packages[key] = promisePackage{folder, append(p.tests, test[1])}
		}
		return nil
	}, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
	return packages, err
}

// walk visits the files below root that want chooses, except in hidden folders, in
// other modules and in testdata.
func walk(root string, visit func(file, text string) error, want func(name string) bool) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if entry.IsDir() {
			_, noModule := os.Stat(filepath.Join(path, "go.mod"))
			if name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" || noModule == nil) {
				return fs.SkipDir
			}
			return nil
		}
		if !want(name) {
			return nil
		}
		text, err := os.ReadFile(path) //nolint:gosec // G122, G304: a file of the module
		if err != nil {
			return err
		}
		return visit(name, string(text))
	})
}

// takeOut writes into folder what takes the place of the guard's file, and returns
// the environment in which builds and tests use it. root is absolute.
func (g guard) takeOut(root, folder string) (environment []string, err error) {
	path := filepath.Join(root, g.File)
	text, err := os.ReadFile(path) //nolint:gosec // G304: a file of the module
	if err != nil {
		return nil, err
	}
	lines := strings.Split(string(text), "\n")
	indent := lines[g.Line][:len(lines[g.Line])-len(strings.TrimLeft(lines[g.Line], " \t"))]
	lines[g.Line] = indent + g.Instead
	copied, list := filepath.Join(folder, filepath.Base(g.File)), filepath.Join(folder, "overlay.json")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: copied}})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(
		os.MkdirAll(folder, 0o750),
		os.WriteFile(copied, []byte(strings.Join(lines, "\n")), 0o600), //nolint:gosec // G703: the folder is ours
		os.WriteFile(list, overlay, 0o600),
	); err != nil {
		return nil, err
	}
	if g.File == template {
		return []string{tabletest.TemplateVariable + "=" + copied}, nil
	}
	return []string{"GOFLAGS=" + strings.TrimSpace(os.Getenv("GOFLAGS")+" '-overlay="+list+"'")}, nil
}
