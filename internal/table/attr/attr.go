// Package attr has the types of an item's attribute values, in DynamoDB's terms.
// They are not the SDK's: importing the SDK's types allocates 0.7 MB before main
// (docs/benchmarks.md).
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
package attr

import (
	"bytes"
	"errors"
)

// Value is one of [String], [Number], [Binary], [Bool], [Null], [List] and
// [Map]. There are no sets: no item here needs one.
type Value interface{ sealed() }

type (
	// String is text in UTF-8.
	String string
	// Number is decimal text, so that every digit is kept.
	Number string
	// Binary is any bytes.
	Binary []byte
	// Bool is true or false.
	Bool bool
	// Null is DynamoDB's NULL. It holds JSON null.
	Null struct{}
	// List is values in order.
	List []Value
	// Map is values by name.
	Map map[string]Value
)

func (String) sealed() {}
func (Number) sealed() {}
func (Binary) sealed() {}
func (Bool) sealed()   {}
func (Null) sealed()   {}
func (List) sealed()   {}
func (Map) sealed()    {}

// Equal reports whether two values are the same. Neither is a [List] or a [Map].
func Equal(a, b Value) bool {
	if a, ok := a.(Binary); ok {
		b, ok := b.(Binary)
		return ok && bytes.Equal(a, b)
	}
	return a == b
}

// Item is one row: attribute names and their values.
type Item = map[string]Value

// ErrValue says that an item has a value that the table cannot hold, such as a
// number of more than 38 digits or nesting of more than 32 levels.
var ErrValue = errors.New("unusable value")
