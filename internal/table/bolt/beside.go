package bolt

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// A small item of no index that nobody is to be told of, such as a mark, has no row: its
// record stands beside its key, in place of a number. So what belongs to one call, or to one
// caller, is read together, while rows are all over the file. The record has neither PK nor
// SK, which are the key, and its sum is over the key, too. It never has the size of a number.

// maxBeside is how many bytes such a record has at most. A larger one would take more of the
// file than a row: pages of keys are half empty where keys come in between.
const maxBeside = 256

// isRow reports whether the value of a key is the number of a row. Otherwise it is a record.
func isRow(value []byte) bool { return len(value) == sequenceSize }

// encodeBeside returns the record of an item that stands beside its key; nil if the item is too
// large for that. The error is that of [encodeRecord].
func encodeBeside(key []byte, item table.Item) ([]byte, error) {
	for _, v := range item {
		if isLong(v) {
			return nil, nil
		}
	}
	record, err := encodeRecord(item, table.PK, table.SK)
	if err != nil || len(record) > maxBeside || isRow(record) {
		return nil, err
	}
	binary.BigEndian.PutUint32(record[1:], sumBeside(key, record))
	return record, nil
}

// isLong reports whether an item with a value takes too much to stand beside its key.
func isLong(v attr.Value) bool {
	switch v := v.(type) {
	case attr.String:
		return len(v) > maxBeside
	case attr.Binary:
		return len(v) > maxBeside
	}
	return false
}

func sumBeside(key, record []byte) uint32 {
	return crc32.Update(sumOf(record), castagnoli, key)
}

// decodeBeside returns the item of a record that stands beside a key. The error is
// [ErrDamaged] if it is none, or another key's.
func decodeBeside(key, record []byte) (table.Item, error) {
	partition, sort, ok := untuple(key)
	if !ok || !hasSum(record, func(record []byte) uint32 { return sumBeside(key, record) }) {
		return nil, ErrDamaged
	}
	item, err := readItem(record)
	if err != nil {
		return nil, err
	}
	item[table.PK], item[table.SK] = partition, sort
	return item, nil
}

// itemAt returns the item of a key, by the key's value, and the bytes that it takes. The
// error is [ErrDamaged] if the item cannot be read, or is that of another key.
func itemAt(tx *bbolt.Tx, key, value []byte) (item table.Item, size int, err error) {
	if !isRow(value) {
		item, err = decodeBeside(key, value)
		return item, len(value), err
	}
	record := tx.Bucket(rowsBucket).Get(value)
	item, err = decodeRecord(record)
	if err == nil && !bytes.Equal(keyOf(item), key) {
		return nil, 0, ErrDamaged
	}
	return item, len(record), err
}

// moveToRows gives a row to each item that stands beside its key and that a new index holds.
func moveToRows(tx *bbolt.Tx, holds func(table.Item) bool) error {
	var all []row // a bucket must not change during ForEach
	err := tx.Bucket(keysBucket).ForEach(func(key, value []byte) error {
		if isRow(value) {
			return nil
		}
		item, err := decodeBeside(key, value)
		if err != nil || !holds(item) {
			return nil //nolint:nilerr // whoever reads it by its key is told
		}
		record, err := encodeRecord(item)
		all = append(all, row{key: slices.Clone(key), record: record})
		return err
	})
	if err != nil {
		return err
	}
	for _, r := range all {
		if _, err := r.addRow(tx); err != nil {
			return err
		}
	}
	return nil
}
