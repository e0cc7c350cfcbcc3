package events

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Optional is a scalar that the sender may give as null, or not at all. The
// zero value is absent. What arrives as an empty string where a number belongs
// counts as null: format B writes "nobody" that way.
type Optional[T any] struct {
	Value T
	State State
}

// State tells what an [Optional] was on the wire.
type State uint8

// The states of an [Optional].
const (
	Absent State = iota
	Null
	Set
)

// Get returns the value and whether there is one.
func (o Optional[T]) Get() (T, bool) { return o.Value, o.State == Set }

// The functions below read one member's value into place and report whether it
// fitted. What does not fit, and what says nothing, takes nothing away that
// another member said.

func readText(to *string, v jsontext.Value) bool {
	switch v.Kind() {
	case '"':
		if text := unquote(v); text != "" {
			*to = text
		}
	case 'n':
	default:
		return false
	}
	return true
}

// readNumberText also takes a number, as its own text: telephone numbers come
// either way.
func readNumberText(to *string, v jsontext.Value) bool {
	if v.Kind() == '0' {
		*to = integerText(string(v))
		return true
	}
	return readText(to, v)
}

func readTexts(to *[]string, v jsontext.Value) bool {
	if v.Kind() != '[' {
		return v.Kind() == 'n'
	}
	fits := true
	eachElement(v, func(element jsontext.Value) {
		var one string
		fits = readText(&one, element) && fits
		if one != "" {
			*to = append(*to, one)
		}
	})
	return fits
}

func readInteger(to *Optional[int64], v jsontext.Value) bool {
	number := string(v)
	switch v.Kind() {
	case 'n':
		number = ""
	case '"':
		number = strings.TrimSpace(unquote(v))
	case '0':
	default:
		return false
	}
	if number == "" {
		if to.State == Absent {
			to.State = Null
		}
		return true
	}
	n, err := strconv.ParseInt(integerText(number), 10, 64)
	if err != nil {
		return false
	}
	to.Value, to.State = n, Set
	return true
}

// readID reads an identifier, which arrives as a string or as a number; 98765,
// "98765" and 98765.0 give the same text. Null and empty give none.
func readID(to *string, v jsontext.Value) bool {
	switch v.Kind() {
	case '"':
		if id := unquote(v); strings.TrimSpace(id) != "" {
			*to = id
		}
	case '0':
		*to = integerText(string(v))
	case 'n':
	default:
		return false
	}
	return true
}

// maxExact is where float64 stops telling one integer from the next.
const maxExact = 1 << 53

// integerText rewrites a JSON number that is whole, but written as a float, as
// plain digits. Plain digits of any length, and anything else, stay.
func integerText(number string) string {
	if !strings.ContainsAny(number, ".eE") {
		return number
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || f <= -maxExact || f >= maxExact || f != float64(int64(f)) {
		return number
	}
	return strconv.FormatInt(int64(f), 10)
}

// text returns the text of a JSON string, and "" for any other value.
func text(v jsontext.Value) string {
	if v.Kind() != '"' {
		return ""
	}
	return unquote(v)
}

// unquote returns the text of a JSON string that has been checked before.
func unquote(v jsontext.Value) string {
	if len(v) >= 2 && bytes.IndexByte(v, '\\') < 0 {
		return string(v[1 : len(v)-1])
	}
	unquoted, _ := jsontext.AppendUnquote(nil, v)
	return string(unquoted)
}

// isEmpty reports whether a value says as much as its absence. An empty object
// may arrive as an empty array.
func isEmpty(v jsontext.Value) bool {
	switch v.Kind() {
	case 0, 'n':
		return true
	case '{', '[':
		return len(bytes.TrimSpace(v[1:max(1, len(v)-1)])) == 0
	case '"':
		return len(v) == len(`""`)
	default:
		return false
	}
}
