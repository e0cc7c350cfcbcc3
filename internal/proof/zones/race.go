//go:build race

package zones

func init() { every = false }
