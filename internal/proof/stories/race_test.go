//go:build race

package stories_test

func init() { orders = 2 }
