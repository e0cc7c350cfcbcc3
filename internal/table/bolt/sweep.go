package bolt

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/ringback/ringback/internal/table"
)

// sweepStep is how many items one transaction of Sweep looks at, or deletes, so that
// nobody waits long for it.
const sweepStep = 4096

// Sweep deletes the items that have expired, and returns how many. Others may write
// meanwhile. A damaged item stays: nobody knows whether it has expired.
func (s *Store) Sweep(ctx context.Context) (deleted int, err error) {
	for _, bucket := range [][]byte{rowsBucket, keysBucket} {
		for next := []byte{}; next != nil; {
			if err := s.ready(ctx); err != nil {
				return deleted, fmt.Errorf("sweep: %w", err)
			}
			c := &removal{store: s, bucket: bucket, now: s.Now()}
			err := s.db.View(func(tx *bbolt.Tx) error {
				next = c.find(tx, next)
				return nil
			})
			if err == nil && len(c.keys) > 0 {
				if err = s.write(ctx, c, 0); err == nil {
					deleted += c.deleted
				}
			}
			if err != nil {
				return deleted, fmt.Errorf("sweep: %w", closed(err))
			}
		}
	}
	return deleted, nil
}

// removal deletes the items that stand at some keys of a bucket, the rows' or the keys',
// unless they have been written anew since.
type removal struct {
	store   *Store
	bucket  []byte
	keys    [][]byte
	now     time.Time
	deleted int
}

// find looks for expired items from a key on, and returns from where to go on; nil at the end.
func (r *removal) find(tx *bbolt.Tx, from []byte) (next []byte) {
	cursor := tx.Bucket(r.bucket).Cursor()
	looked := 0
	for key, value := cursor.Seek(from); key != nil; key, value = cursor.Next() {
		if looked++; looked > sweepStep {
			return bytes.Clone(key)
		}
		item, err := r.expired(key, value)
		switch {
		case err != nil && bytes.Equal(r.bucket, rowsBucket):
			r.store.report(nil, key)
		case err != nil:
			r.store.report(key, value)
		case item != nil:
			r.keys = append(r.keys, bytes.Clone(key))
		}
	}
	return nil
}

// expired returns the item of a record if it has expired, else nil.
func (r *removal) expired(key, record []byte) (table.Item, error) {
	atKey := bytes.Equal(r.bucket, keysBucket)
	if len(record) > 0 && record[0] == kept || atKey && isRow(record) {
		return nil, nil //nolint:nilnil // few items expire
	}
	decode := decodeRecord
	if atKey {
		decode = func(record []byte) (table.Item, error) { return decodeBeside(key, record) }
	}
	item, err := decode(record)
	if err != nil || !table.Expired(item, r.now) {
		return nil, err
	}
	return item, nil
}

func (r *removal) apply(tx *bbolt.Tx) error {
	r.deleted = 0
	bucket := tx.Bucket(r.bucket)
	for _, key := range r.keys {
		item, err := r.expired(key, bucket.Get(key))
		if err != nil || item == nil {
			continue
		}
		if bytes.Equal(r.bucket, rowsBucket) {
			err = removeRow(tx, key, keyOf(item), r.store.entries(item))
		} else {
			err = bucket.Delete(key)
		}
		if err != nil {
			return err
		}
		r.deleted++
	}
	return nil
}
