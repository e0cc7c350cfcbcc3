//go:build !race

package ingest_test

// every is how many of the bodies that a test makes it tries: one in so many.
const every = 1
