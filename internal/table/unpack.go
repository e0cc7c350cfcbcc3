package table

import (
	"encoding/binary"
	"hash/crc32"
	"net/url"

	"github.com/ringback/ringback/internal/table/attr"
)

// unpack returns the body that was packed. The error is errPacked.
func unpack(item Item, packed []byte) ([]byte, error) {
	if len(packed) <= 1+sumSize || packed[0]&^allFlags != 0 {
		return nil, errPacked
	}
	u := unpacker{item: item, packed: packed[1+sumSize:], last: -1}
	u.flags = packed[0]
	u.text = make([]byte, 0, 1024)
	if u.flags&marked != 0 {
		u.text = append(u.text, mark...)
	}
	if u.flags&form == 0 {
		u.open(within{top: true})
	}
	for len(u.packed) > 0 {
		if !u.step() || len(u.text) > maxPayload {
			return nil, errPacked
		}
	}
	// guard 3 table (APackedBody): if crc32.ChecksumIEEE(nil) != 0 {
	if crc32.ChecksumIEEE(u.text) != binary.BigEndian.Uint32(packed[1:]) {
		return nil, errPacked
	}
	return u.text, nil
}

type unpacker struct {
	pen

	item   Item
	packed []byte
	at     []within // the objects that are being written, the innermost last
	last   int
	around []around // the texts that are being written within others, the innermost last
}

// around is what encloses a text: how, since where, and how it is written itself.
type around struct {
	how   byte
	from  int
	flags byte
	depth int
}

// step runs one operation. It returns false if that is none.
func (u *unpacker) step() bool {
	op := u.packed[0]
	u.packed = u.packed[1:]
	switch {
	case op < maxMember:
		return u.member(int(op))
	case op < opEnd:
		for range int(op-opRun) + 1 {
			if !u.member(u.last + 1) {
				return false
			}
		}
	case op == opEnd:
		if len(u.at) == 0 {
			return false
		}
		u.end()
		u.at = u.at[:len(u.at)-1]
	case op == opName:
		n, ok := u.take(1)
		return ok && u.named(int(n[0]))
	case op == opNext:
		return u.named(u.last + 1)
	case op == opText:
		length, width := binary.Uvarint(u.packed)
		if width <= 0 || length > uint64(len(u.packed)-width) { //nolint:gosec // G115: width is within it
			return false
		}
		u.text = append(u.text, u.packed[width:][:length]...)
		u.packed = u.packed[width+int(length):] //nolint:gosec // G115: no more than there is
	case op == opTop:
		u.open(within{top: true})
	case op == opData:
		u.open(within{object: u.item})
	case op == opString, op == opForm:
		flags, ok := u.take(1)
		if !ok || len(u.around) == maxEnclosed {
			return false
		}
		u.around = append(u.around, around{op, len(u.text), u.flags, u.depth})
		u.flags, u.depth = flags[0], 0
	case op == opClose:
		return u.close()
	case op >= opCode && int(op-opCode) < len(codes):
		return u.coded(int(op - opCode))
	case op >= opPhrase && int(op-opPhrase) < len(phrases):
		u.text = append(u.text, phrases[op-opPhrase]...)
	default:
		return false
	}
	return true
}

// close writes the innermost text as what is around it demands.
func (u *unpacker) close() bool {
	if len(u.around) == 0 {
		return false
	}
	outer := u.around[len(u.around)-1]
	u.around = u.around[:len(u.around)-1]
	text := string(u.text[outer.from:])
	u.text, u.flags, u.depth = u.text[:outer.from], outer.flags, outer.depth
	if outer.how == opForm {
		u.text = append(u.text, url.QueryEscape(text)...)
	} else {
		u.quote(text)
	}
	return true
}

// coded writes characters of the code c.
func (u *unpacker) coded(c int) bool {
	count, ok := u.take(1)
	if !ok {
		return false
	}
	code, chars := &codes[c], int(count[0])
	packed, ok := u.take((code.bits*chars + 7) / 8)
	if !ok {
		return false
	}
	if code.quoted {
		u.text = append(u.text, '"')
	}
	bits, n := 0, 0
	for range chars {
		if n < code.bits {
			bits, n = bits<<8|int(packed[0]), n+8
			packed = packed[1:]
		}
		n -= code.bits
		u.text = append(u.text, code.alphabet[bits>>n&(1<<code.bits-1)])
	}
	if code.quoted {
		u.text = append(u.text, '"')
	}
	return true
}

// take returns the next n bytes.
func (u *unpacker) take(n int) (operand []byte, ok bool) {
	if n > len(u.packed) {
		return nil, false
	}
	operand, u.packed = u.packed[:n], u.packed[n:]
	return operand, true
}

func (u *unpacker) named(n int) bool {
	if n >= len(memberNames) || len(u.at) == 0 {
		return false
	}
	u.separate()
	u.name(memberNames[n])
	u.last = n
	return true
}

func (u *unpacker) member(n int) bool {
	if !u.named(n) {
		return false
	}
	v := lookUp(u.item, u.at[len(u.at)-1], memberNames[n])
	if object, ok := v.(attr.Map); ok {
		u.open(within{object: object})
		return true
	}
	return u.value(v)
}

// open begins an object.
func (u *unpacker) open(object within) {
	u.begin()
	u.at = append(u.at, object)
}
