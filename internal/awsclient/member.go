package awsclient

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// Member returns the member of that name of a JSON object, as it stands there, or
// nil if there is none or text is no object.
func Member(text []byte, name string) jsontext.Value {
	dec := jsontext.NewDecoder(bytes.NewBuffer(text))
	if start, err := dec.ReadToken(); err != nil || start.Kind() != '{' {
		return nil
	}
	for dec.PeekKind() == '"' {
		found, err := dec.ReadToken()
		if err != nil {
			return nil
		}
		if found.String() == name {
			value, err := dec.ReadValue()
			if err != nil {
				return nil
			}
			return value.Clone()
		}
		if dec.SkipValue() != nil {
			return nil
		}
	}
	return nil
}

// Text returns the text of a [Member] that is a string, or "".
func Text(text []byte, name string) string {
	value := Member(text, name)
	if value.Kind() != '"' {
		return ""
	}
	unquoted, _ := jsontext.AppendUnquote(nil, value) // it was read before
	return string(unquoted)
}
