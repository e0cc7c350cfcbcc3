package main

import (
	"io"
	"time"
)

// What the tests look at.
type (
	Guard  = guard
	Result = result
)

// Table returns the guards.
func Table() []Guard { return guards }

// StandIns names the variables that say where the stand-ins are.
func StandIns() []string { return standIns }

// Pattern chooses a guard's tests.
func Pattern(g Guard) string { return g.pattern() }

// Overlay writes what takes a guard out, and returns the list's path.
func Overlay(g Guard, root, folder string) (string, error) { return g.overlay(root, folder) }

// Read reads the events of a run of tests.
func Read(events io.Reader, module string) (Result, error) { return read(events, module) }

// Run takes guards out of the module at root and prints what was seen.
func Run(out io.Writer, root, module, folder string, whole bool, chosen []Guard) error {
	now := time.Now
	return session{runner{root, module, "."}, folder, out, now, whole}.run(chosen)
}
