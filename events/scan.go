package events

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// eachMember calls visit for every member of an object that [Open] has checked.
// The value shares memory with the object. It stops at the first error, which only
// an envelope that was made by hand or changed later can have.
func eachMember(object jsontext.Value, visit func(name string, value jsontext.Value)) {
	// One copy holds all names. A copy of each would break the limit of allocations
	// that package gateway tests: it makes 24 more for an event of format B.
	text := string(object)
	eachRawMember(object, func(start, end int, value jsontext.Value) {
		name := text[start:end]
		if strings.Contains(name, `\`) {
			name = unquote(object[start-1 : end+1])
		}
		visit(name, value)
	})
}

// eachRawMember is eachMember for names as they are written: where they start and end
// in the object, without their quotes.
func eachRawMember(object jsontext.Value, visit func(start, end int, value jsontext.Value)) {
	// [Open] has made sure that no name is repeated.
	dec := jsontext.NewDecoder(bytes.NewBuffer(object), jsontext.AllowDuplicateNames(true))
	if _, err := dec.ReadToken(); err != nil {
		return
	}
	for dec.PeekKind() == '"' {
		raw, err := dec.ReadValue()
		if err != nil {
			return
		}
		end := int(dec.InputOffset())
		start := end - len(raw)
		if raw, err = dec.ReadValue(); err != nil {
			return
		}
		visit(start+1, end-1, lastRead(dec, object, raw))
	}
}

// eachElement calls visit for every element of an array, as [eachMember] does for
// the members of an object.
func eachElement(array jsontext.Value, visit func(value jsontext.Value)) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(array))
	if _, err := dec.ReadToken(); err != nil {
		return
	}
	for dec.PeekKind() != ']' {
		raw, err := dec.ReadValue()
		if err != nil {
			return
		}
		visit(lastRead(dec, array, raw))
	}
}

// lastRead returns the part of text that dec has just read as raw. The decoder
// overwrites raw itself at its next read.
func lastRead(dec *jsontext.Decoder, text, raw jsontext.Value) jsontext.Value {
	end := int(dec.InputOffset())
	return text[end-len(raw) : end : end]
}
