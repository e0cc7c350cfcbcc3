package bolt

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/itemjson"
	"github.com/ringback/ringback/internal/table/schema"
)

// Until December 2026 the file had the items, as JSON, by their keys. The feed and the
// indexes referred to them by their keys.
var (
	formerItems   = []byte("items")
	formerIndexes = []byte("indexes")
)

// refusal is an index that a former version would delete, because its schema has none of
// that name. There is none to delete, so that version does not open the file, and says the
// name: it would take the file for an empty one.
const refusal = "of a newer version, which has to be used"

// stepBytes is how much one transaction of a takeover writes.
const stepBytes = 4 << 20

// errDiffers means that an item of the new file is not that of the former one.
var errDiffers = errors.New("an item was not copied right")

// refuseFormer keeps former versions from the file: those that had items as JSON by their
// keys, and those that had a row for each item and list their indexes elsewhere.
func refuseFormer(tx *bbolt.Tx) error {
	for _, name := range [][]byte{formerIndexes, schemaBucket} {
		indexes, err := tx.CreateBucketIfNotExists(name)
		if err != nil {
			return err
		}
		if err := indexes.Put([]byte(refusal), nil); err != nil {
			return err
		}
	}
	return nil
}

// isFormer reports whether a former version wrote the file.
func isFormer(db *bbolt.DB) (former bool) {
	_ = db.View(func(tx *bbolt.Tx) error { // it has just been opened
		former = tx.Bucket(formerItems) != nil
		return nil
	})
	return former
}

// takeOver copies all of a former version's file, which is open, into a new one, reads that
// again and compares, and then puts it in the place of the former one, which gets another
// name. It closes the former one. If it ends before that, by an error or a kill, the
// former one stays where it is.
//
// An earlier version that waits for the lock meanwhile has opened the former file, and would
// write into it. So the lock is held until it has given up.
func takeOver(former *bbolt.DB, path string, t schema.Table) (db *bbolt.DB, err error) {
	// guard 1 bolt (ATakeoverCanBe): fresh := path
	fresh := path + ".new"
	defer func() {
		err = errors.Join(err, former.Close())
		if err != nil {
			if db != nil {
				err = errors.Join(err, db.Close())
			}
			_ = os.Remove(fresh) // the next takeover does, too
		}
	}()
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if db, err = openFile(fresh); err != nil {
		return nil, err
	}
	slog.Info("the table of an earlier version is being copied, which may take minutes and needs its size on disk once more", "file", path)
	if err := copyAll(former, db, t); err != nil {
		return db, err
	}
	// guard 1 bolt (AFormerFile): if err := syncFolder(path); err != nil {
	if err := keepFormer(path); err != nil {
		return db, err
	}
	if err := os.Rename(fresh, path); err != nil {
		return db, err
	}
	if err := syncFolder(path); err != nil {
		return db, err
	}
	// guard 1 bolt (AnEarlierVersion): time.Sleep(0)
	time.Sleep(lockTimeout + lockTimeout/4)
	return db, nil
}

// copyAll copies a former version's file. It is durable when it returns.
func copyAll(former, db *bbolt.DB, t schema.Table) error {
	db.NoSync = true // until it is done: half a copy is of no use
	if err := db.Update(func(tx *bbolt.Tx) error { return prepare(tx, t) }); err != nil {
		return err
	}
	err := former.View(func(old *bbolt.Tx) error {
		items := old.Bucket(formerItems).Cursor()
		for key, text := items.First(); key != nil; {
			err := db.Update(func(tx *bbolt.Tx) (err error) {
				key, text, err = copySome(tx, t, items, key, text)
				return err
			})
			if err != nil {
				return err
			}
		}
		if err := db.Update(func(tx *bbolt.Tx) error { return copyFeed(old, tx) }); err != nil {
			return err
		}
		return db.View(func(tx *bbolt.Tx) error { return compare(old, tx) })
	})
	if err != nil {
		return err
	}
	db.NoSync = false
	return db.Sync()
}

// copySome copies items from a key on, and returns the next one; nil at the end.
func copySome(tx *bbolt.Tx, t schema.Table, items *bbolt.Cursor, key, text []byte) (nextKey, nextText []byte, err error) {
	tx.Bucket(keysBucket).FillPercent = rowsFill // they come in order
	for size := 0; key != nil && size < stepBytes; key, text = items.Next() {
		r := row{key: key, record: text} // what is damaged stays so
		if item, err := itemjson.Decode(text); err == nil {
			if whole, err := encode(item, t, true); err == nil {
				r = whole
				r.key = key
			}
		}
		if _, err := r.addRow(tx); err != nil {
			return nil, nil, err
		}
		size += len(r.record)
	}
	return key, text, nil
}

// copyFeed copies the feed and the consumers' checkpoints. A file from before there were any
// has none.
func copyFeed(old, tx *bbolt.Tx) error {
	if from := old.Bucket(feedBucket); from != nil {
		feed, keys := tx.Bucket(feedBucket), tx.Bucket(keysBucket)
		err := from.ForEach(func(sequence, key []byte) error {
			return feed.Put(sequence, keys.Get(key)) // of a damaged entry there is none
		})
		if err := errors.Join(err, feed.SetSequence(from.Sequence())); err != nil {
			return err
		}
	}
	if from := old.Bucket(consumersBucket); from != nil {
		return from.ForEach(tx.Bucket(consumersBucket).Put)
	}
	return nil
}

// readFormer reads a former version's item. ok is false if it is damaged.
func readFormer(text []byte) (item table.Item, ok bool) {
	item, err := itemjson.Decode(text)
	if err != nil {
		return nil, false
	}
	_, err = encodeRecord(item)
	return item, err == nil
}

// compare reads each item of both files. The error wraps [errDiffers].
func compare(old, tx *bbolt.Tx) error {
	keys, rows := tx.Bucket(keysBucket), tx.Bucket(rowsBucket)
	return old.Bucket(formerItems).ForEach(func(key, text []byte) error {
		record := rows.Get(keys.Get(key))
		was, ok := readFormer(text)
		if !ok {
			if !bytes.Equal(record, text) {
				return errDiffers
			}
			return nil
		}
		is, err := decodeRecord(record)
		if err != nil {
			return errDiffers
		}
		// As text, a number is the same however it was written.
		want, err := itemjson.Encode(was)
		if err != nil {
			return err
		}
		// guard 1 bolt (ACopy): if _, err := itemjson.Encode(is); err != nil || want == nil {
		if got, err := itemjson.Encode(is); err != nil || !bytes.Equal(got, want) {
			return errDiffers
		}
		return nil
	})
}

// FormerFiles returns the files that earlier versions wrote and that stores in the same
// file have taken over. Nothing uses them any more.
func FormerFiles(path string) (former []string) {
	files, _ := os.ReadDir(filepath.Dir(path)) // none in a folder that cannot be read
	for _, file := range files {
		if strings.HasPrefix(file.Name(), filepath.Base(path)+formerSuffix) {
			former = append(former, filepath.Join(filepath.Dir(path), file.Name()))
		}
	}
	return former
}

const formerSuffix = ".former"

// keepFormer gives a file a second name. Where the file system cannot, it makes a copy.
func keepFormer(path string) error {
	this, err := os.Stat(path)
	if err != nil {
		return err
	}
	name := path + formerSuffix
	for n := 2; ; n++ {
		there, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return err
		}
		if os.SameFile(this, there) {
			return nil // of a takeover that was killed
		}
		name = path + formerSuffix + strconv.Itoa(n)
	}
	if os.Link(path, name) == nil {
		return nil
	}
	return copyFile(path, name)
}

// copyFile copies a file. The copy has its name only when it is whole.
func copyFile(from, to string) (err error) {
	part := to + ".part"
	defer func() {
		if err != nil {
			_ = os.Remove(part)
		}
	}()
	source, err := os.Open(from) //nolint:gosec // G304: the store's own file
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	target, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // G304: as above
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	if err := errors.Join(err, target.Sync(), target.Close()); err != nil {
		return err
	}
	return os.Rename(part, to)
}

// syncFolder makes the names in a file's folder durable.
func syncFolder(path string) error {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
