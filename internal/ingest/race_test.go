//go:build race

package ingest_test

import "flag"

// Every check of the one property delivers about 50 bodies, which the race detector
// slows down fifteen times. The command line can still ask for more checks.
func init() {
	if err := flag.Set("rapid.checks", "20"); err != nil {
		panic(err)
	}
}
