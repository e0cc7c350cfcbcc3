package bolt

import (
	"bytes"
	"context"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/ringback/ringback/internal/table"
)

// Scan implements [table.Store]. The items come in the order of their keys.
func (s *Store) Scan(ctx context.Context, prefix string, from table.Cursor) (page table.Page, err error) {
	start, err := table.ScanStart(prefix, from)
	if err != nil {
		return table.Page{}, fmt.Errorf("scan: %w", err)
	}
	// Every key is in this range: keys hold UTF-8, which never begins with 0xFF.
	keys := keyRange{low: []byte{zero}, high: []byte{0xFF}}
	if prefix != "" {
		keys.low = appendEscaped(nil, prefix)
		keys.high = after(keys.low)
	}
	if first := append(tuple(start.PK, start.SK), zero); start != (table.Key{}) && bytes.Compare(first, keys.low) > 0 {
		keys.low = first
	}
	r := reader{store: s, now: s.Now(), keys: keys}
	err = s.db.View(func(tx *bbolt.Tx) (err error) {
		page, err = r.page(ctx, tx)
		return err
	})
	if err != nil {
		return table.Page{}, fmt.Errorf("scan: %w", closed(timeout(err)))
	}
	return page, nil
}
