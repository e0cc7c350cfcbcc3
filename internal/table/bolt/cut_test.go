package bolt_test

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table/bolt"
	"github.com/ringback/ringback/internal/table/schema"
)

func TestOpenRefusesAFileThatIsNoWholeTable(t *testing.T) {
	t.Parallel()
	path := storePath(t)
	s := tabletest.OpenBolt(t, path)
	putItems(t, s, "1", "2", "3")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	opened := func(body []byte) error {
		t.Helper()
		other := storePath(t)
		if err := os.WriteFile(other, body, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := bolt.Open(other, schema.Events())
		if err == nil {
			err = s.Close()
		}
		return err
	}
	if err := opened(whole); err != nil {
		t.Errorf("the whole file: %v", err)
	}
	page := os.Getpagesize()
	for size := 2 * page; size < len(whole)/2; size += page / 2 {
		if err := opened(whole[:size]); !errors.Is(err, bolt.ErrBroken) {
			t.Errorf("%d of %d bytes: %v, want that the file is damaged", size, len(whole), err)
		}
	}
	if err := opened(bytes.Repeat([]byte("no table\n"), page)); !errors.Is(err, bolt.ErrBroken) {
		t.Errorf("another file: %v, want that the file is damaged", err)
	}
}
