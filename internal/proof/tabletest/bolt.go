package tabletest

import (
	"path/filepath"
	"testing"

	"github.com/ringback/ringback/internal/table/bolt"
	"github.com/ringback/ringback/internal/table/schema"
)

// NewBolt opens an embedded store in a new folder until the test ends.
func NewBolt(t testing.TB) *bolt.Store {
	t.Helper()
	return OpenBolt(t, filepath.Join(t.TempDir(), "events.db"))
}

// OpenBolt opens the embedded store of a file until the test ends.
func OpenBolt(t testing.TB, path string) *bolt.Store {
	t.Helper()
	s, err := bolt.Open(path, schema.Events())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
