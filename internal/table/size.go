package table

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/ringback/ringback/internal/table/attr"
)

// Size returns the bytes that DynamoDB counts for item, names included.
// Numbers are counted as one byte per pair of significant digits and one more,
// which the documentation calls approximate.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func Size(item Item) int {
	size := 0
	for name, v := range item {
		size += len(name) + sizeOf(v)
	}
	return size
}

// containerSize is what a list or map costs beyond its content.
const containerSize = 3

func sizeOf(v attr.Value) int {
	size := 0
	switch v := v.(type) {
	case attr.String:
		size = len(v)
	case attr.Number:
		size = attr.NumberSize(string(v))
	case attr.Binary:
		size = len(v)
	case attr.Bool, attr.Null:
		size = 1
	case attr.Map:
		size = containerSize + len(v) + Size(v)
	case attr.List:
		size = containerSize + len(v)
		for _, e := range v {
			size += sizeOf(e)
		}
	}
	return size
}

// Check returns why the table would refuse item: an error that wraps ErrKey,
// ErrValue or ErrTooLarge, or nil. Every Store checks every item with it before
// it sends or writes anything, whoever made the item, so that all of them refuse
// the same ones.
func Check(item Item) error {
	if err := checkKeys(item); err != nil {
		return err
	}
	if err := checkMap(item, 0); err != nil {
		return err
	}
	if size := Size(item); size > MaxItemSize {
		return fmt.Errorf("%w: %d bytes", ErrTooLarge, size)
	}
	return nil
}

// CheckUpdate is [Check] for an item that replaces the version was. The error may
// also wrap ErrVersion.
func CheckUpdate(item Item, was int64) error {
	if was < Unversioned || item[Version] != attr.Value(attr.Number(strconv.FormatInt(max(was, 0)+1, 10))) {
		return fmt.Errorf("%w: not one more than what it replaces", ErrVersion)
	}
	return Check(item)
}

func checkKeys(item Item) error {
	if err := checkKeyPair(item, Base); err != nil {
		return err
	}
	for _, index := range Indexes() {
		if err := checkKeyPair(item, index); err != nil {
			return err
		}
	}
	return nil
}

// checkKeyPair checks the two key attributes of an index. An item must have those
// of the table; one without those of an index is not in that index.
func checkKeyPair(item Item, index Index) error {
	partition, sort := index.Attributes()
	if err := checkKey(item, partition, MaxPartitionKey, index == Base); err != nil {
		return err
	}
	return checkKey(item, sort, MaxSortKey, index == Base)
}

func checkKey(item Item, name string, limit int, required bool) error {
	v, ok := item[name]
	if !ok && !required {
		return nil
	}
	s, isString := v.(attr.String)
	switch {
	case !ok:
		return fmt.Errorf("%w: no %s", ErrKey, name)
	case !isString:
		return fmt.Errorf("%w: %s is not a string", ErrKey, name)
	case s == "":
		return fmt.Errorf("%w: %s is empty", ErrKey, name)
	case len(s) > limit:
		return fmt.Errorf("%w: %s has %d bytes, at most %d", ErrKey, name, len(s), limit)
	case !utf8.ValidString(string(s)):
		return fmt.Errorf("%w: %s is not UTF-8", ErrKey, name)
	}
	return nil
}

const (
	maxDepth = 32       // lists and maps within each other
	maxName  = 64 << 10 // bytes of an attribute name
)

func checkMap(m Item, depth int) error {
	for name, v := range m {
		switch {
		case name == "":
			return fmt.Errorf("%w: attribute without a name", ErrValue)
		case len(name) > maxName:
			return fmt.Errorf("%w: attribute name over 64 KB", ErrValue)
		case !utf8.ValidString(name):
			return fmt.Errorf("%w: attribute name is not UTF-8", ErrValue)
		}
		if err := checkValue(v, depth); err != nil {
			return err
		}
	}
	return nil
}

func checkValue(v attr.Value, depth int) error {
	switch v := v.(type) {
	case attr.String:
		return checkText(string(v))
	case attr.Number:
		return attr.CheckNumber(string(v))
	case attr.Binary, attr.Bool, attr.Null:
		return nil
	case attr.Map:
		if depth == maxDepth {
			return fmt.Errorf("%w: more than %d levels", ErrValue, maxDepth)
		}
		return checkMap(v, depth+1)
	case attr.List:
		if depth == maxDepth {
			return fmt.Errorf("%w: more than %d levels", ErrValue, maxDepth)
		}
		for _, e := range v {
			if err := checkValue(e, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("%w: kind %T", ErrValue, v)
}

func checkText(s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("%w: string is not UTF-8", ErrValue)
	}
	return nil
}
