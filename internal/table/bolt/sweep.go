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
	for next := sequenceKey(0); next != nil; {
		if err := s.ready(ctx); err != nil {
			return deleted, fmt.Errorf("sweep: %w", err)
		}
		var numbers [][]byte
		now := s.Now()
		err := s.db.View(func(tx *bbolt.Tx) error {
			numbers, next = findExpired(tx, next, now)
			return nil
		})
		if err == nil && len(numbers) > 0 {
			c := &removal{numbers: numbers, now: now, index: s.entries}
			err = s.write(ctx, c, 0)
			deleted += c.deleted
		}
		if err != nil {
			return deleted, fmt.Errorf("sweep: %w", closed(err))
		}
	}
	return deleted, nil
}

// findExpired returns the numbers of expired items among those from a number on, and from
// where to go on; nil at the end.
func findExpired(tx *bbolt.Tx, from []byte, now time.Time) (numbers [][]byte, next []byte) {
	cursor := tx.Bucket(rowsBucket).Cursor()
	looked := 0
	for number, record := cursor.Seek(from); number != nil; number, record = cursor.Next() {
		if looked++; looked > sweepStep {
			return numbers, bytes.Clone(number)
		}
		item, err := expiredItem(record, now)
		if err != nil {
			continue // damage: it is found when it is read
		}
		if item != nil {
			numbers = append(numbers, slices.Clone(number))
		}
	}
	return numbers, nil
}

// removal deletes items, unless they have been written anew since.
type removal struct {
	numbers [][]byte
	now     time.Time
	index   func(table.Item) (index map[string][]byte)
	deleted int
}

func (r *removal) apply(tx *bbolt.Tx) error {
	r.deleted = 0
	rows := tx.Bucket(rowsBucket)
	for _, number := range r.numbers {
		item, err := expiredItem(rows.Get(number), r.now)
		if err != nil || item == nil {
			continue
		}
		key := table.KeyOf(item)
		if err := remove(tx, number, tuple(key.PK, key.SK), r.index(item)); err != nil {
			return err
		}
		r.deleted++
	}
	return nil
}
