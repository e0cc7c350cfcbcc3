package bolt

import (
	"bytes"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/ringback/ringback/internal/consumer"
)

// Registered reports whether a consumer was registered the last time.
func (s *Store) Registered(name string) (registered bool, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		registered = tx.Bucket(consumersBucket).Get([]byte(name)) != nil
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("read consumers: %w", closed(err))
	}
	return registered, nil
}

// Backlog returns what [Store.Feed] does, but does not wait: no records if there are
// none.
func (s *Store) Backlog(after uint64, limit int) (records []consumer.Record, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		records = readFeed(tx, after, limit)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read feed: %w", closed(err))
	}
	return records, nil
}

// CountSorted counts the items whose sort keys begin with a prefix. It reads every
// key, and no row.
func (s *Store) CountSorted(prefix string) (count int, err error) {
	sort := appendEscaped([]byte{zero, terminator}, prefix)
	err = s.db.View(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(keysBucket).Cursor()
		for key, _ := cursor.First(); key != nil; key, _ = cursor.Next() {
			// The first terminator ends the partition key.
			if i := bytes.Index(key, sort[:2]); i >= 0 && bytes.HasPrefix(key[i:], sort) {
				count++
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("count items: %w", closed(err))
	}
	return count, nil
}
