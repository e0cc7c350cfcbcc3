//go:build !race

package alert_test

// switches is how often a test goes from one process to another that is ready as well.
// With any number of them the test takes three minutes, and finds nothing more.
const switches = 3
