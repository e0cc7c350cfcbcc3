package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ringback/ringback/internal/proof/moto"
	"github.com/ringback/ringback/internal/proof/tabletest"
)

var (
	errNoGuard  = errors.New("there is no such guard")
	errBaseline = errors.New("the tests do not pass with every guard in its place")
	errUnseen   = errors.New("not seen failing")
)

func main() {
	promise := flag.String("promise", "", "take out the guards of this promise only")
	text := flag.String("guard", "", "take out only the guards whose place or code contains this")
	flag.Parse()
	if err := run(*promise, *text); err != nil {
		fmt.Fprintln(os.Stderr, "guards:", err)
		os.Exit(1)
	}
}

func run(promise, text string) error {
	for _, variable := range []string{tabletest.EndpointVariable, moto.EndpointVariable} {
		if os.Getenv(variable) == "" {
			return fmt.Errorf("%s is not set: the binaries are tested on stand-ins, which \"make guards\" starts", variable)
		}
	}
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	all, err := guards(root)
	if err != nil {
		return err
	}
	chosen := slices.DeleteFunc(slices.Clone(all), func(g guard) bool {
		return promise != "" && g.Promise != promise || !strings.Contains(g.String(), text)
	})
	return session{
		runner: runner{root: root, module: "github.com/ringback/ringback", binaries: "./functions/..."},
		folder: filepath.Join(root, ".build", "guards"),
		out:    os.Stdout,
		now:    time.Now,
		whole:  len(chosen) == len(all),
	}.run(chosen)
}

// session takes out guards, one after the other.
type session struct {
	runner runner
	folder string // for the overlays
	out    io.Writer
	now    func() time.Time
	// whole says that all guards are taken out, so that every test of a promise must
	// be seen failing.
	whole bool
}

// run takes out guards and prints what failed. An error names each guard that no test
// noticed, and each test that never failed.
func (s session) run(chosen []guard) error {
	if len(chosen) == 0 {
		return errNoGuard
	}
	start := s.now()
	passing, err := s.baseline(chosen)
	if err != nil {
		return err
	}
	s.printf("With every guard in its place %d tests pass.\n", len(passing))
	var unseen []string
	seen := map[string]bool{}
	for i, g := range chosen {
		found, err := s.without(g, filepath.Join(s.folder, fmt.Sprint(i)))
		trouble := found.Trouble
		if err != nil {
			trouble = err.Error()
		}
		if trouble == "" {
			trouble = survival(g, found)
		}
		s.printf("\npromise %s, %s\n", g.Promise, g)
		if trouble != "" {
			unseen = append(unseen, fmt.Sprintf("promise %s, %s: %s", g.Promise, g, trouble))
			s.printf("%s", indent(trouble+"\n"+found.Output[max(0, len(found.Output)-4<<10):]))
			continue
		}
		for _, test := range found.Failed {
			seen[test] = true
		}
		s.printf("%s", indent(strings.Join(found.Failed, "\n")))
	}
	for _, test := range passing {
		if s.whole && !seen[test] {
			unseen = append(unseen, test+" was never seen failing")
		}
	}
	s.printf("\n%d guards taken out, %d of %d tests seen failing, in %.1f seconds.\n", len(chosen), len(seen), len(passing), s.now().Sub(start).Seconds())
	if len(unseen) > 0 {
		return fmt.Errorf("%w:\n%s", errUnseen, indent(strings.Join(unseen, "\n")))
	}
	return nil
}

// baseline runs the tests of the guards' promises with nothing taken out. All of them
// must pass.
func (s session) baseline(chosen []guard) (passing []string, err error) {
	var folders []string
	var promises []string
	for _, g := range chosen {
		folders = append(folders, g.Tests...)
		promises = append(promises, g.Promise)
	}
	slices.Sort(folders)
	found, err := s.runner.test(nil, "^TestPromise("+strings.Join(promises, "|")+")_", slices.Compact(folders), 1)
	switch {
	case err != nil:
		return nil, err
	case found.Trouble != "" || len(found.Failed) > 0:
		return nil, fmt.Errorf("%w: %s %s\n%s", errBaseline, found.Trouble, strings.Join(found.Failed, ", "), indent(found.Output))
	}
	return found.Passed, nil
}

// without runs the tests of a guard without it, twice.
func (s session) without(g guard, folder string) (result, error) {
	environment, err := g.takeOut(s.runner.root, folder)
	if err != nil {
		return result{}, err
	}
	found, err := s.runner.test(environment, g.pattern(), g.Tests, 2)
	if err != nil || len(found.Failed) == 0 {
		return found, err
	}
	// A test also fails where it cannot build a program.
	if output, ok := s.runner.compile(environment); !ok {
		return result{Trouble: "the programs do not compile", Output: output}, nil
	}
	return found, nil
}

// survival names the guard's packages in which no test failed without it, or returns
// "" if there is none.
func survival(g guard, found result) string {
	silent := slices.DeleteFunc(slices.Clone(g.Tests), func(folder string) bool {
		return slices.ContainsFunc(found.Failed, func(test string) bool { return strings.HasPrefix(test, folder+" ") })
	})
	if len(silent) == 0 {
		return ""
	}
	text := "SURVIVES: no test fails without it in " + strings.Join(silent, ", ")
	if len(found.Flaky) > 0 {
		text += "; failed once and passed once: " + strings.Join(found.Flaky, ", ")
	}
	return text
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ") + "\n"
}

// printf prints to somebody who may be gone.
func (s session) printf(format string, args ...any) { _, _ = fmt.Fprintf(s.out, format, args...) }
