//go:build !race

package followup_test

// callers is how many callers a test makes up.
const callers = 1000
