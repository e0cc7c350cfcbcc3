//go:build race

package events_test

import "flag"

// The race detector slows a check down about ten times. The command line can still ask
// for more checks.
func init() {
	if err := flag.Set("rapid.checks", "40"); err != nil {
		panic(err)
	}
}
