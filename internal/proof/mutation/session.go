package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

var (
	errNoGuard  = errors.New("there is no such guard")
	errBaseline = errors.New("the tests do not pass with every guard in its place")
	errUnseen   = errors.New("not seen")
)

// session takes out guards, one after the other.
type session struct {
	runner runner
	folder string // for the overlays
	out    io.Writer
	now    func() time.Time
	// whole says that every guard there is is taken out, so that every test of a
	// promise is to be seen failing.
	whole bool
}

// run takes out guards and prints what was seen. The error says that something
// was not.
func (s session) run(chosen []guard) error {
	if len(chosen) == 0 {
		return errNoGuard
	}
	start := s.now()
	passing, err := s.baseline(chosen)
	if err != nil {
		return err
	}
	s.printf("With every guard in its place %d tests pass, in %s seconds.\n\n%s", len(passing), s.since(start), heading)

	var unseen []string // with why
	seen := map[string]bool{}
	for i, g := range chosen {
		began := s.now()
		found, err := s.takeOut(g, filepath.Join(s.folder, fmt.Sprint(i)))
		switch {
		case err != nil:
			found = result{Trouble: err.Error()}
		case found.Trouble == "":
			found.Trouble = survival(g, found)
		}
		if found.Trouble != "" {
			unseen = append(unseen, fmt.Sprintf("promise %d, %s (%s): %s", g.Promise, g.Name, g.File, found.Trouble))
			found.Failed = []string{found.Trouble}
		} else {
			for _, test := range found.Failed {
				seen[test] = true
			}
			found.Output = "" // that is how they are to fail
		}
		s.printf("%s%s", row(g, found.Failed, s.since(began)), indent(tail(found.Output)))
	}
	if s.whole {
		for _, test := range passing {
			if !seen[test] {
				unseen = append(unseen, test+" was never seen failing")
			}
		}
	}
	s.printf("\n%d guards taken out, %d of %d tests seen failing, in %s seconds.\n", len(chosen), len(seen), len(passing), s.since(start))
	if len(unseen) > 0 {
		return fmt.Errorf("%w:\n%s", errUnseen, indent(strings.Join(unseen, "\n")))
	}
	return nil
}

// survival says which of a guard's packages did not notice that it was taken out;
// "" if all did.
func survival(g guard, found result) string {
	var silent []string
	for _, folder := range g.Tests {
		in := func(test string) bool { return strings.HasPrefix(test, folder+" ") }
		if !slices.ContainsFunc(found.Failed, in) {
			silent = append(silent, folder)
		}
	}
	if len(silent) == 0 {
		return ""
	}
	text := "SURVIVES: no test fails without it in " + strings.Join(silent, ", ")
	if len(found.Flaky) > 0 {
		text += "; failed once, and passed once: " + strings.Join(found.Flaky, ", ")
	}
	return text
}

// baseline runs the tests of the guards' promises with nothing taken out, and
// returns those that pass: all of them, or it is an error.
func (s session) baseline(chosen []guard) (passing []string, err error) {
	var folders []string
	promises := ""
	for _, g := range chosen {
		folders = append(folders, g.Tests...)
		promises += fmt.Sprint(g.Promise)
	}
	pattern := "^TestPromise[" + promises + "]_"
	if len(chosen) == 1 {
		pattern = chosen[0].pattern()
	}
	slices.Sort(folders)
	found, err := s.runner.test("", pattern, slices.Compact(folders), 1)
	switch {
	case err != nil:
		return nil, err
	case found.Trouble != "" || len(found.Failed) > 0:
		return nil, fmt.Errorf("%w: %s %s\n%s", errBaseline, found.Trouble, strings.Join(found.Failed, ", "), indent(tail(found.Output)))
	}
	return found.Passed, nil
}

// takeOut runs the tests of a guard without it, twice.
func (s session) takeOut(g guard, folder string) (result, error) {
	overlay, err := g.overlay(s.runner.root, folder)
	if err != nil {
		return result{}, err
	}
	found, err := s.runner.test(overlay, g.pattern(), g.Tests, 2)
	if err != nil || len(found.Failed) == 0 {
		return found, err
	}
	// A test fails as well where it cannot build a program.
	if output, ok := s.runner.compile(overlay); !ok {
		return result{Trouble: "the programs do not compile", Output: output}, nil
	}
	return found, nil
}
