//go:build race

package gateway_test

// The race detector keeps less of what pools hold.
func init() { allowance = 1.1 }
