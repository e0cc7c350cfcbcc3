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
// meanwhile. A damaged item stays: nobody knows whether it has expired.
func (s *Store) Sweep(ctx context.Context) (deleted int, err error) {
	for next := sequenceKey(0); next != nil; {
		if err := s.ready(ctx); err != nil {
			return deleted, fmt.Errorf("sweep: %w", err)
		}
		var numbers [][]byte
		now := s.Now()
		err := s.db.View(func(tx *bbolt.Tx) error {
			numbers, next = s.findExpired(tx, next, now)
			return nil
		})
		if err == nil && len(numbers) > 0 {
			c := &removal{store: s, numbers: numbers, now: now}
			if err = s.write(ctx, c, 0); err == nil {
				deleted += c.deleted
			}
		}
		if err != nil {
			return deleted, fmt.Errorf("sweep: %w", closed(err))
		}
	}
	return deleted, nil
}

// findExpired returns the numbers of expired items among those from a number on, and from
// where to go on; nil at the end.
func (s *Store) findExpired(tx *bbolt.Tx, from []byte, now time.Time) (numbers [][]byte, next []byte) {
	cursor := tx.Bucket(rowsBucket).Cursor()
	looked := 0
	for number, record := cursor.Seek(from); number != nil; number, record = cursor.Next() {
		if looked++; looked > sweepStep {
			return numbers, bytes.Clone(number)
		}
		item, err := expiredItem(record, now)
		if err != nil {
			s.report(number)
			continue
		}
		if item != nil {
			numbers = append(numbers, slices.Clone(number))
		}
	}
	return numbers, nil
}

// removal deletes items, unless they have been written anew since.
type removal struct {
	store   *Store
	numbers [][]byte
	now     time.Time
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
		if err := remove(tx, number, keyOf(item), r.store.entries(item)); err != nil {
			return err
		}
		r.deleted++
	}
	return nil
}

// expiredItem returns the item of a record if it has expired, else nil.
func expiredItem(record []byte, now time.Time) (table.Item, error) {
	if len(record) > 0 && record[0] == kept {
		return nil, nil //nolint:nilnil // few items expire
	}
	item, err := decodeRecord(record)
	if err != nil || !table.Expired(item, now) {
		return nil, err
	}
	return item, nil
}
