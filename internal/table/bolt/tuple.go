package bolt

import (
	"bytes"

	"github.com/ringback/ringback/internal/table/attr"
)

// Keys in the file are encoded tuples of strings that sort like the tuples. Each
// string ends with 0x00 0x01, and 0x00 within a string becomes 0x00 0xFF: "a"
// sorts before "a\x00", which sorts before "ab".
const (
	zero       = 0x00
	terminator = 0x01
	escaped    = 0xFF
)

// tuple encodes strings as one key.
func tuple(parts ...string) []byte {
	size := 0
	for _, p := range parts {
		size += len(p) + 2
	}
	key := make([]byte, 0, size)
	for _, p := range parts {
		key = append(appendEscaped(key, p), zero, terminator)
	}
	return key
}

func appendEscaped(key []byte, s string) []byte {
	for i := range len(s) {
		key = append(key, s[i])
		if s[i] == zero {
			key = append(key, escaped)
		}
	}
	return key
}

// untuple returns the strings of a key of two. ok is false if it is none.
func untuple(key []byte) (partition, sort attr.String, ok bool) {
	first := bytes.Index(key, end)
	if first < 0 || !bytes.HasSuffix(key[first+len(end):], end) {
		return "", "", false
	}
	return unescaped(key[:first]), unescaped(key[first+len(end) : len(key)-len(end)]), true
}

var end = []byte{zero, terminator}

func unescaped(text []byte) attr.String {
	if bytes.IndexByte(text, zero) >= 0 {
		text = bytes.ReplaceAll(text, []byte{zero, escaped}, []byte{zero})
	}
	return attr.String(text)
}

// keyRange includes low and excludes high.
type keyRange struct {
	low, high []byte
}

// sortRange returns the range of tuples whose first string is partition and whose
// second has a prefix or lies within inclusive bounds. Empty means unbounded.
func sortRange(partition, prefix, from, to string) keyRange {
	base := tuple(partition)
	r := keyRange{low: base, high: after(base)}
	if prefix != "" {
		r.low = appendEscaped(bytes.Clone(base), prefix)
		r.high = after(r.low)
	}
	if from != "" {
		r.low = append(appendEscaped(bytes.Clone(base), from), zero, terminator)
	}
	if to != "" {
		r.high = append(appendEscaped(bytes.Clone(base), to), zero, terminator+1)
	}
	return r
}

// after returns the first key behind all keys with a prefix. The prefix is not
// empty and does not begin with 0xFF, because it is UTF-8.
func after(prefix []byte) []byte {
	key := bytes.Clone(bytes.TrimRight(prefix, "\xFF"))
	key[len(key)-1]++
	return key
}

// contains reports whether key is in r.
func (r keyRange) contains(key []byte) bool {
	return bytes.Compare(key, r.low) >= 0 && bytes.Compare(key, r.high) < 0
}
