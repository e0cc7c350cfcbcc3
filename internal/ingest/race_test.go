//go:build race

package ingest_test

import "flag"

// every is how many of the bodies that a test makes it tries: one in so many.
const every = 17

// Every check of the one property delivers about 50 bodies, which the race detector
// slows down fifteen times. The command line can still ask for more checks.
func init() {
	if err := flag.Set("rapid.checks", "20"); err != nil {
		panic(err)
	}
}
