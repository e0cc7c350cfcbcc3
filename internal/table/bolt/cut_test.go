package bolt_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table/attr"
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
	for size := page / 2; size < len(whole)/2; size += page / 2 {
		if err := opened(whole[:size]); !errors.Is(err, bolt.ErrBroken) {
			t.Errorf("%d of %d bytes: %v, want that the file is damaged", size, len(whole), err)
		}
	}
	if err := opened(bytes.Repeat([]byte("no table\n"), page)); !errors.Is(err, bolt.ErrBroken) {
		t.Errorf("another file: %v, want that the file is damaged", err)
	}
	later := bytes.Clone(whole) // of bbolt's next format: its number stands in each of the first two pages
	for _, at := range []int{20, page + 20} {
		later[at]++
	}
	if err := opened(later); err == nil || errors.Is(err, bolt.ErrBroken) {
		t.Errorf("a file of a later version: %v, want another error than that it is damaged", err)
	}
}

// Whoever has waited for the lock of a file that is replaced meanwhile holds a whole one.
func TestAFileThatIsReplacedByAShorterOneIsNotDamaged(t *testing.T) {
	t.Parallel()
	for {
		path, other := storePath(t), storePath(t)
		s := tabletest.OpenBolt(t, path)
		item := indexed("1")
		item["long"] = attr.String(strings.Repeat("x", 300_000))
		if _, err := s.Put(t.Context(), item); err != nil {
			t.Fatal(err)
		}
		if err := tabletest.OpenBolt(t, other).Close(); err != nil {
			t.Fatal(err)
		}
		opened := make(chan error)
		go func() {
			waited, err := bolt.Open(path, schema.Events())
			if err == nil {
				err = waited.Close()
			}
			opened <- err
		}()
		time.Sleep(100 * time.Millisecond) // it is to open the file meanwhile
		if err := errors.Join(os.Rename(other, path), s.Close()); err != nil {
			t.Fatal(err)
		}
		switch err := <-opened; {
		case err == nil: // it was late, and has the other file
		case errors.Is(err, bolt.ErrLocked) && !errors.Is(err, bolt.ErrBroken):
			return
		default:
			t.Fatalf("%v, want %v", err, bolt.ErrLocked)
		}
	}
}
