package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"sync"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// A record is an item in the file: a byte that says whether it has a time at which it
// expires, CRC-32C of what follows, and a map. All numbers but the sum are uvarints.
//
//	map     how many members; of each, its name and its value
//	name    its number; or 0, a length and text
//	value   length * 8 + kind, and what that kind has
//
// The length is that of a text, a number's text or binary data in bytes, and that of a
// list in values. It is 0 for a map, which follows, and for the others.
const (
	kept     = 1
	expiring = 2

	sumSize    = 4
	headerSize = 1 + sumSize
)

const (
	kindString = iota
	kindNumber
	kindBinary
	kindMap
	kindList
	kindTrue
	kindFalse
	kindNull
	kinds
)

// ErrDamaged says that an item in the file is not what was written. No error tells
// anything of its content.
var ErrDamaged = errors.New("damaged item")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ownNames are the names of attributes that are not members. Records depend on their
// numbers: new ones may only be added at the end.
var ownNames = strings.Fields(`
	PK SK GSI1PK GSI2PK GSI3PK GSI3SK expires_at version
	occurred_at received_at kind outcome event found_by new_fields packed payload payload_coding only_in_payload
	type_mismatches damage reason format alert alerted_at returned_at emptied_at call event_key
	blocked dnd company name other_numbers removed updated_at
	state since latest count attempts level claim claimed_until snoozed_until line line_name caller_name words
	recording_url other_number agent end facts act act_id by why until
	ended_at ended_since texted_at progress due_at done next_minute locked_until known_since
`)

// names has the number of each name: ownNames are even, members are odd.
var names = sync.OnceValue(func() map[string]uint64 {
	numbers := make(map[string]uint64)
	for i, name := range slices.Backward(table.MemberNames()) { // some are there twice
		numbers[name] = uint64(2*i + 1)
	}
	for i, name := range ownNames {
		numbers[name] = uint64(2*i + 2)
	}
	return numbers
})

// nameOf returns the name with a number.
func nameOf(number int) (name string, ok bool) {
	from, i := ownNames, number/2-1
	if number%2 == 1 {
		from, i = table.MemberNames(), number/2
	}
	if i < 0 || i >= len(from) {
		return "", false
	}
	return from[i], true
}

// encodeRecord returns the record of an item that table.Check accepts, without some of its
// attributes. The error wraps [attr.ErrValue].
func encodeRecord(item table.Item, without ...string) ([]byte, error) {
	record := make([]byte, headerSize, 512)
	record[0] = kept
	if _, expires := item[table.ExpiresAt]; expires {
		record[0] = expiring
	}
	record, err := appendMap(record, item, without...)
	if err != nil {
		return nil, fmt.Errorf("encode item: %w", err)
	}
	binary.BigEndian.PutUint32(record[1:], sumOf(record))
	return record, nil
}

func sumOf(record []byte) uint32 {
	return crc32.Checksum(record[headerSize:], castagnoli) ^ uint32(record[0])
}

// appendMap writes the members, without some, in the order of their names, so that an item
// always has the same record.
func appendMap(to []byte, m attr.Map, without ...string) (_ []byte, err error) {
	var room [64]string
	sorted := room[:0]
	for name := range m {
		if !slices.Contains(without, name) {
			sorted = append(sorted, name)
		}
	}
	slices.Sort(sorted)
	to = binary.AppendUvarint(to, uint64(len(sorted)))
	for _, name := range sorted {
		number := names()[name]
		to = binary.AppendUvarint(to, number)
		if number == 0 {
			to = append(binary.AppendUvarint(to, uint64(len(name))), name...)
		}
		if to, err = appendValue(to, m[name]); err != nil {
			return nil, err
		}
	}
	return to, nil
}

func appendValue(to []byte, v attr.Value) (_ []byte, err error) {
	switch v := v.(type) {
	case attr.String:
		return append(appendHead(to, kindString, len(v)), v...), nil
	case attr.Number:
		n, err := attr.Normal(string(v))
		return append(appendHead(to, kindNumber, len(n)), n...), err
	case attr.Binary:
		return append(appendHead(to, kindBinary, len(v)), v...), nil
	case attr.Map:
		return appendMap(append(to, kindMap), v)
	case attr.List:
		to = appendHead(to, kindList, len(v))
		for _, e := range v {
			if to, err = appendValue(to, e); err != nil {
				return nil, err
			}
		}
		return to, nil
	case attr.Bool:
		if v {
			return append(to, kindTrue), nil
		}
		return append(to, kindFalse), nil
	case attr.Null:
		return append(to, kindNull), nil
	}
	return nil, attr.ErrValue
}

func appendHead(to []byte, kind, length int) []byte {
	return binary.AppendUvarint(to, uint64(length)*kinds+uint64(kind)) //nolint:gosec // G115: neither is negative
}

// decodeRecord returns the item of a record. The error wraps [ErrDamaged].
func decodeRecord(record []byte) (table.Item, error) {
	if !hasSum(record, sumOf) {
		return nil, ErrDamaged
	}
	return readItem(record)
}

// hasSum reports whether a record is whole.
func hasSum(record []byte, sum func([]byte) uint32) bool {
	return len(record) >= headerSize && (record[0] == kept || record[0] == expiring) &&
		binary.BigEndian.Uint32(record[1:]) == sum(record)
}

// readItem returns the item of a record that is whole. The error is [ErrDamaged] if nobody
// can have written it.
func readItem(record []byte) (table.Item, error) {
	r := recordReader{rest: string(record[headerSize:])} // what it reads shares this one copy
	item := r.readMap()
	if r.damaged || r.rest != "" {
		return nil, ErrDamaged
	}
	return item, nil
}

// recordReader reads the map of a record. After damage it returns zero values.
type recordReader struct {
	rest    string
	damaged bool
}

// number reads a number below 1<<28. The longest text of an item needs less.
func (r *recordReader) number() (n int) {
	for i, shift := 0, 0; i < len(r.rest) && shift < 28; i, shift = i+1, shift+7 {
		c := r.rest[i]
		n |= int(c&0x7F) << shift
		if c < 0x80 {
			r.rest = r.rest[i+1:]
			return n
		}
	}
	r.damage()
	return 0
}

func (r *recordReader) damage() { r.rest, r.damaged = "", true }

// text reads a text of n bytes.
func (r *recordReader) text(n int) (text string) {
	if n > len(r.rest) {
		r.damage()
		return ""
	}
	text, r.rest = r.rest[:n], r.rest[n:]
	return text
}

func (r *recordReader) readMap() attr.Map {
	n := r.number()
	if n > len(r.rest) {
		r.damage()
		n = 0
	}
	m := make(attr.Map, n)
	for range n {
		name := r.name()
		m[name] = r.value()
	}
	return m
}

func (r *recordReader) name() string {
	number := r.number()
	if number == 0 {
		return r.text(r.number())
	}
	name, ok := nameOf(number)
	if !ok {
		r.damage()
	}
	return name
}

func (r *recordReader) value() attr.Value {
	head := r.number()
	switch kind, length := head%kinds, head/kinds; kind {
	case kindString:
		return attr.String(r.text(length))
	case kindNumber:
		return attr.Number(r.text(length))
	case kindBinary:
		return attr.Binary(r.text(length))
	case kindMap:
		return r.readMap()
	case kindList:
		return r.list(length)
	case kindTrue, kindFalse:
		return attr.Bool(kind == kindTrue)
	default:
		return attr.Null{}
	}
}

func (r *recordReader) list(length int) attr.List {
	if length > len(r.rest) {
		r.damage()
		length = 0
	}
	list := make(attr.List, length)
	for i := range list {
		list[i] = r.value()
	}
	return list
}
