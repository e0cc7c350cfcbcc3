//go:build race

package alert_test

import "flag"

// switches is how often a test goes from one process to another that is ready as well.
const switches = 2

// The race detector slows a check down about ten times; "make check" does without it, and
// checks more. The command line can still ask for more checks.
func init() {
	if err := flag.Set("rapid.checks", "20"); err != nil {
		panic(err)
	}
}
