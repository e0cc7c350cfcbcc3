//go:build race

package gateway_test

// Under the race detector sync.Pool drops items at random.
func init() { allowance = 1.1 }
