//go:build race

package escalate_test

// due is how many callers are due at once; "make check" has more, without the race detector.
const due = 1000
