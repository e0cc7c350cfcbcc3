package lookup

import "testing"

// SetMaxNames has look-ups read so much of the address book, until the test ends.
func SetMaxNames(t *testing.T, n int) {
	t.Helper()
	was := maxNames
	maxNames = n
	t.Cleanup(func() { maxNames = was })
}
