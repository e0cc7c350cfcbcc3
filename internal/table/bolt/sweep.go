package bolt

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/ringback/ringback/internal/table"
)

// sweepStep is how many items one transaction of Sweep looks at, or deletes, so that
// nobody waits long for it.
const sweepStep = 4096

// Sweep deletes the items that have expired, and returns how many. Others may write
// meanwhile.
func (s *Store) Sweep(ctx context.Context) (deleted int, err error) {
	for next := []byte{zero}; next != nil; {
		if err := s.ready(ctx); err != nil {
			return deleted, fmt.Errorf("sweep: %w", err)
		}
		var keys [][]byte
		now := s.Now()
		err := s.db.View(func(tx *bbolt.Tx) error {
			keys, next = findExpired(tx, next, now)
			return nil
		})
		if err == nil && len(keys) > 0 {
			c := &removal{keys: keys, now: now, index: s.entries}
			err = s.write(ctx, c, 0)
			deleted += c.deleted
		}
		if err != nil {
			return deleted, fmt.Errorf("sweep: %w", closed(err))
		}
	}
	return deleted, nil
}

// findExpired returns the keys of expired items among those from a key on, and from
// where to go on; nil at the end.
func findExpired(tx *bbolt.Tx, from []byte, now time.Time) (keys [][]byte, next []byte) {
	cursor := tx.Bucket(itemsBucket).Cursor()
	looked := 0
	for key, text := cursor.Seek(from); key != nil; key, text = cursor.Next() {
		if looked++; looked > sweepStep {
			return keys, bytes.Clone(key)
		}
		item, err := expiredItem(text, now)
		if err != nil {
			continue // damage: it is found when it is read
		}
		if item != nil {
			keys = append(keys, slices.Clone(key))
		}
	}
	return keys, nil
}

// removal deletes items, unless they have been written anew since.
type removal struct {
	keys    [][]byte
	now     time.Time
	index   func(table.Item) (index map[string][]byte)
	deleted int
}

func (r *removal) apply(tx *bbolt.Tx) error {
	r.deleted = 0
	items := tx.Bucket(itemsBucket)
	for _, key := range r.keys {
		item, err := expiredItem(items.Get(key), r.now)
		if err != nil || item == nil {
			continue
		}
		if err := removeEntries(tx, r.index(item)); err != nil {
			return err
		}
		if err := items.Delete(key); err != nil {
			return err
		}
		r.deleted++
	}
	return nil
}
