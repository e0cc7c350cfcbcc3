//go:build race

package events_test

import "flag"

// every is how many of the bodies that a test makes it tries: one in so many.
const every = 17

// The race detector slows a check down about ten times. The command line can still ask
// for more checks.
func init() {
	if err := flag.Set("rapid.checks", "40"); err != nil {
		panic(err)
	}
}
