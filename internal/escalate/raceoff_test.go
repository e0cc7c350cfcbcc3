//go:build !race

package escalate_test

// due is how many callers are due at once.
const due = 5000
