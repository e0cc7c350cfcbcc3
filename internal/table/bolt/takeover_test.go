package bolt_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/bolt"
	"github.com/ringback/ringback/internal/table/itemjson"
	"github.com/ringback/ringback/internal/table/schema"
)

// openerVariable names a file. With it, the test binary opens the store in that file.
const openerVariable = "RINGBACK_TEST_OPENER"

// formerFile writes testdata/former.db.gz to a folder, and returns its path. The version
// before records wrote it: serve was killed after the samples and a delivery that is no
// JSON had been posted.
func formerFile(t *testing.T) (path string) {
	t.Helper()
	packed, err := os.Open(filepath.Join("testdata", "former.db.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = packed.Close() }()
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	path = storePath(t)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(unpacked)
	if err == nil {
		err = os.WriteFile(path, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// formerItems reads the items of a former version's file.
func formerItems(t *testing.T, path string) map[table.Key]table.Item {
	t.Helper()
	items := make(map[table.Key]table.Item)
	tamper(t, path, func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("items")).ForEach(func(_, text []byte) error {
			item, err := itemjson.Decode(text)
			items[table.KeyOf(item)] = item
			return err
		})
	})
	return items
}

func scanned(t *testing.T, s table.Store) map[table.Key]table.Item {
	t.Helper()
	items := make(map[table.Key]table.Item)
	for item, err := range table.ScanAll(t.Context(), s, "", "") {
		if err != nil {
			t.Fatal(err)
		}
		items[table.KeyOf(item)] = item
	}
	return items
}

func TestPromise1_AFormerFileIsTakenOver(t *testing.T) {
	t.Parallel()
	path := formerFile(t)
	tamper(t, path, func(tx *bbolt.Tx) error { // a number as no version writes it
		return tx.Bucket([]byte("items")).Put(bolt.Tuple("CALL#1", "1"), []byte(`{"PK":{"S":"CALL#1"},"SK":{"S":"1"},"cost":{"N":"01.50"}}`))
	})
	want := formerItems(t, path)
	want[table.Key{PK: "CALL#1", SK: "1"}]["cost"] = attr.Number("1.5")
	if len(want) < 20 {
		t.Fatalf("%d items", len(want))
	}
	var fed []string
	tamper(t, path, func(tx *bbolt.Tx) error { // not all of the feed was consumed
		feed := tx.Bucket([]byte(feedBucket))
		for key := range want {
			if len(fed) == 3 {
				break
			}
			fed = append(fed, key.SK)
			sequence, err := feed.NextSequence()
			if err := errors.Join(err, feed.Put(bolt.SequenceKey(sequence), bolt.Tuple(key.PK, key.SK))); err != nil {
				return err
			}
		}
		return tx.Bucket([]byte(consumersBucket)).Put([]byte(alerts), bolt.SequenceKey(9))
	})
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	s := tabletest.OpenBolt(t, path)
	if diff := cmp.Diff(want, scanned(t, s)); diff != "" {
		t.Errorf("items (-before +after):\n%s", diff)
	}
	for _, index := range table.Indexes() {
		partition, _ := index.Attributes()
		for key, item := range want {
			if p := table.Text(item, partition); p != "" {
				found := false
				for got, err := range table.All(t.Context(), s, table.Query{Index: index, Partition: p}) {
					found = found || err == nil && table.KeyOf(got) == key
				}
				if !found {
					t.Errorf("%s has no %v", index, key)
				}
			}
		}
	}
	if diff := cmp.Diff(fed, keysOf(read(t, s, 0, 0))); diff != "" {
		t.Errorf("feed (-before +after):\n%s", diff)
	}
	wantCheckpoint(t, s, alerts, 9)
	if end, err := s.End(); end != 12 || err != nil { // of nine events
		t.Errorf("the feed ends at %d, %v", end, err)
	}

	names := []string{path + ".former"}
	if diff := cmp.Diff(names, bolt.FormerFiles(path)); diff != "" {
		t.Errorf("former files (-want +got):\n%s", diff)
	}
	if kept, err := os.ReadFile(names[0]); err != nil || !bytes.Equal(before, kept) {
		t.Errorf("the former file is another: %v", err)
	}
	if _, err := s.Put(t.Context(), indexed("new")); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = tabletest.OpenBolt(t, path)
	if got := scanned(t, s); len(got) != len(want)+1 {
		t.Errorf("opened again it has %d items, want %d", len(got), len(want)+1)
	}
	if diff := cmp.Diff(names, bolt.FormerFiles(path)); diff != "" {
		t.Errorf("former files of a file that is opened again (-want +got):\n%s", diff)
	}
}

func TestWhatIsDamagedIsTakenOverAsItIs(t *testing.T) {
	t.Parallel()
	path := formerFile(t)
	damaged := table.Key{PK: "CALL#1", SK: "1"}
	tamper(t, path, func(tx *bbolt.Tx) error {
		feed := tx.Bucket([]byte(feedBucket))
		return errors.Join(
			tx.Bucket([]byte("items")).Put(bolt.Tuple(damaged.PK, damaged.SK), []byte("{PRIVATE")),
			feed.Put(bolt.SequenceKey(8), bolt.Tuple(damaged.PK, damaged.SK)),
			feed.Put(bolt.SequenceKey(9), []byte("nothing")),
		)
	})
	s := tabletest.OpenBolt(t, path)
	for _, r := range read(t, s, 0, 0) {
		if !errors.Is(r.Err, bolt.ErrRecord) {
			t.Errorf("record %d: %v, want %v", r.Sequence, r.Err, bolt.ErrRecord)
		}
	}
	// Nothing of it is left to read, so the same delivery is new.
	if created, err := s.Put(t.Context(), indexed(damaged.SK)); !created || err != nil {
		t.Errorf("Put = %t, %v", created, err)
	}
	if n, err := s.CountSorted(table.EventMark); n != 9 || err != nil {
		t.Errorf("%d events, %v", n, err)
	}
}

func TestATakeoverThatFailsLeavesTheFormerFile(t *testing.T) {
	t.Parallel()
	path := formerFile(t)
	before := formerItems(t, path)
	if err := os.MkdirAll(filepath.Join(path+".new", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := bolt.Open(path, schema.Events()); err == nil {
		t.Fatal("it is opened")
	}
	if diff := cmp.Diff(before, formerItems(t, path)); diff != "" {
		t.Errorf("items (-before +after):\n%s", diff)
	}
}

func TestPromise1_ACopyIsComparedWithTheFormerFile(t *testing.T) {
	t.Parallel()
	path := formerFile(t)
	if err := tabletest.OpenBolt(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	other, err := bolt.EncodeRecord(indexed("1"))
	if err != nil {
		t.Fatal(err)
	}
	number := bolt.SequenceKey(3)
	for _, tc := range []struct {
		name   string
		change func(rows *bbolt.Bucket) error
		wrong  bool
	}{
		{"all is copied", func(*bbolt.Bucket) error { return nil }, false},
		{"another item", func(rows *bbolt.Bucket) error { return rows.Put(number, other) }, true},
		{"no item", func(rows *bbolt.Bucket) error { return rows.Delete(number) }, true},
	} {
		tamper(t, path+".former", func(old *bbolt.Tx) error {
			tamper(t, path, func(tx *bbolt.Tx) error {
				if err := tc.change(tx.Bucket([]byte(rowsBucket))); err != nil {
					return err
				}
				if err := bolt.Compare(old, tx); tc.wrong != (err != nil) {
					t.Errorf("%s: %v", tc.name, err)
				}
				return nil
			})
			return nil
		})
	}
}

// Whoever waits for the lock during a takeover gets that of the former file.
func TestAFileThatWasReplacedIsNotUsed(t *testing.T) {
	t.Parallel()
	path := formerFile(t)
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if !bolt.IsAt(path, file) {
		t.Error("it is another before the takeover")
	}
	tabletest.OpenBolt(t, path)
	if bolt.IsAt(path, file) {
		t.Error("it is the same after the takeover")
	}
}

// A former version would take a file whose items it does not find for an empty one.
func TestAFormerVersionRefusesTheFile(t *testing.T) {
	t.Parallel()
	path := storePath(t)
	s := tabletest.OpenBolt(t, path)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// Each lists its indexes somewhere else.
	for _, list := range []string{"indexes", "schema"} {
		refused := false
		tamper(t, path, func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte(list)).ForEach(func(name, _ []byte) error {
				// It deletes the index of each name that it does not know, or says that it cannot.
				refused = refused || tx.Bucket(fmt.Appendf(nil, "index %s", name)) == nil
				return nil
			})
		})
		if !refused {
			t.Errorf("%s: it can delete what it does not know", list)
		}
	}
}

// Whenever it is killed, all items are in one file or the other.
func TestPromise1_ATakeoverCanBeKilled(t *testing.T) {
	t.Parallel()
	path := formerFile(t)
	tamper(t, path, func(tx *bbolt.Tx) error {
		for i := range 3000 {
			item := indexed(fmt.Sprint(i))
			text, err := itemjson.Encode(item)
			if err != nil {
				return err
			}
			if err := tx.Bucket([]byte("items")).Put(bolt.Tuple("CALL#1", fmt.Sprint(i)), text); err != nil {
				return err
			}
		}
		return nil
	})
	want := formerItems(t, path)
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for round := range 8 {
		opener := exec.CommandContext(t.Context(), executable)
		opener.Env = append(os.Environ(), openerVariable+"="+path)
		if err := opener.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(round) * 20 * time.Millisecond)
		_ = opener.Process.Kill() // it may have ended
		_ = opener.Wait()
	}
	s := tabletest.OpenBolt(t, path)
	if got := scanned(t, s); len(got) != len(want) {
		t.Errorf("%d items, want %d", len(got), len(want))
	}
	files, err := filepath.Glob(path + "*")
	if diff := cmp.Diff([]string{path, path + ".former"}, files); diff != "" || err != nil {
		t.Errorf("files (-want +got): %v\n%s", err, diff)
	}
}

// It would write where nobody looks again.
func TestPromise1_AnEarlierVersionThatWaitsDoesNotGetTheFormerFile(t *testing.T) {
	t.Parallel()
	path := formerFile(t)
	opened, waited := make(chan bool), make(chan error)
	go func() {
		db, err := bbolt.Open(path, 0o600, &bbolt.Options{
			Timeout: bolt.LockTimeout,
			OpenFile: func(path string, flag int, mode os.FileMode) (*os.File, error) {
				file, err := os.OpenFile(path, flag, mode)
				close(opened)
				for len(bolt.FormerFiles(path)) == 0 { // it is about to be replaced
					time.Sleep(time.Millisecond)
				}
				return file, err
			},
		})
		if err == nil {
			_ = db.Close()
		}
		waited <- err
	}()
	<-opened
	tabletest.OpenBolt(t, path)
	if err := <-waited; !errors.Is(err, bbolterrors.ErrTimeout) {
		t.Errorf("it opens the former file: %v", err)
	}
}

func TestACopyThatFailsHasNoName(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	whole, copied := filepath.Join(folder, "file"), filepath.Join(folder, "copy")
	if err := bolt.CopyFile(folder, copied); err == nil { // it opens, and cannot be read
		t.Error("a folder is copied")
	}
	if files, err := os.ReadDir(folder); len(files) > 0 || err != nil {
		t.Errorf("%v are left, %v", files, err)
	}
	// Half a copy of one that was killed is in nobody's way.
	if err := errors.Join(os.WriteFile(whole, []byte("text"), 0o600), os.WriteFile(copied+".part", []byte("longer text"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := bolt.CopyFile(whole, copied); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(copied); string(text) != "text" || err != nil {
		t.Errorf("the copy is %q, %v", text, err)
	}
}

func TestATakeoverBeginsAnewAfterOneThatWasKilled(t *testing.T) {
	t.Parallel()
	path := formerFile(t)
	kept := path + ".former"
	if err := errors.Join(os.Link(path, kept), os.WriteFile(path+".new", []byte("half a file"), 0o600)); err != nil {
		t.Fatal(err)
	}
	tabletest.OpenBolt(t, path)
	if diff := cmp.Diff([]string{kept}, bolt.FormerFiles(path)); diff != "" {
		t.Errorf("former files (-want +got):\n%s", diff)
	}
}

func TestAnotherFormerFileIsKept(t *testing.T) {
	t.Parallel()
	path := formerFile(t)
	kept := path + ".former"
	if err := os.WriteFile(kept, []byte("of another time"), 0o600); err != nil {
		t.Fatal(err)
	}
	tabletest.OpenBolt(t, path)
	if diff := cmp.Diff([]string{kept, kept + "2"}, bolt.FormerFiles(path)); diff != "" {
		t.Errorf("former files (-want +got):\n%s", diff)
	}
	if text, err := os.ReadFile(kept); string(text) != "of another time" || err != nil {
		t.Errorf("it is %q, %v", text, err)
	}
}

// openStore opens a store and ends.
func openStore(path string) error {
	s, err := bolt.Open(path, schema.Events())
	if err != nil {
		return err
	}
	return s.Close()
}
