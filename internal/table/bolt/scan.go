package bolt

import (
	"context"
	"fmt"
	"iter"

	"go.etcd.io/bbolt"

	"github.com/ringback/ringback/internal/table"
)

// Scan yields every item of the table in key order. Items that are put meanwhile
// may be included or not. Scan stops after the first error, which it yields with
// a nil item and which wraps [table.ErrUnavailable] once the store is closed.
func (s *Store) Scan(ctx context.Context) iter.Seq2[table.Item, error] {
	return func(yield func(table.Item, error) bool) {
		// Every key is in this range: keys hold UTF-8, which never begins with 0xFF.
		r := reader{keys: keyRange{low: []byte{zero}, high: []byte{0xFF}}}
		for {
			// One transaction per page, so that the caller may put items.
			var page table.Page
			err := s.db.View(func(tx *bbolt.Tx) (err error) {
				page, err = r.page(ctx, tx)
				return err
			})
			if err != nil {
				yield(nil, fmt.Errorf("scan: %w", closed(timeout(err))))
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			last := table.KeyOf(page.Items[len(page.Items)-1])
			r.keys.low = append(tuple(last.PK, last.SK), zero)
		}
	}
}
