//go:build race

package followup_test

// callers is how many callers a test makes up; "make check" has more, without the race detector.
const callers = 200
