//go:build race

package hours_test

func init() { everyZone = false }
