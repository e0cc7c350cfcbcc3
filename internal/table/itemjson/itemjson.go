// Package itemjson reads and writes items in DynamoDB's own JSON,
// {"PK":{"S":"CALL#1"},…}, which keeps types and every digit of a number. The
// webhook's requests, the table's stream and the embedded store use it.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
package itemjson

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/internal/table/attr"
)

// ErrSyntax says that a text is not an item in this JSON. Errors never quote the
// text.
var ErrSyntax = errors.New("not an item in DynamoDB's JSON")

// Encode writes an item that table.Check accepts. The error wraps [attr.ErrValue]:
// the item has a value that Check rejects.
func Encode(item attr.Item) ([]byte, error) { return Append(nil, item) }

// Append is [Encode], appending to a slice. On an error it returns nil.
func Append(to []byte, item attr.Item) ([]byte, error) {
	text, err := appendMap(to, item)
	if err != nil {
		return nil, fmt.Errorf("encode item: %w", err)
	}
	return text, nil
}

// appendMap writes the members in the order of their names, so that an item always
// has the same text.
func appendMap(to []byte, m attr.Map) ([]byte, error) {
	names := make([]string, 0, 64)
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)

	to = append(to, '{')
	for i, name := range names {
		if i > 0 {
			to = append(to, ',')
		}
		var err error
		if to, err = appendString(to, name); err != nil {
			return nil, err
		}
		to = append(to, ':')
		if to, err = appendValue(to, m[name]); err != nil {
			return nil, err
		}
	}
	return append(to, '}'), nil
}

// appendValue writes {"<kind>":<content>}.
func appendValue(to []byte, v attr.Value) (_ []byte, err error) {
	switch v := v.(type) {
	case attr.String:
		to, err = appendString(append(to, `{"S":`...), string(v))
	case attr.Number:
		var n string
		n, err = attr.Normal(string(v))
		to = append(append(append(to, `{"N":"`...), n...), '"')
	case attr.Binary:
		to = append(base64.StdEncoding.AppendEncode(append(to, `{"B":"`...), v), '"')
	case attr.Bool:
		to = strconv.AppendBool(append(to, `{"BOOL":`...), bool(v))
	case attr.Null:
		to = append(to, `{"NULL":true`...)
	case attr.Map:
		to, err = appendMap(append(to, `{"M":`...), v)
	case attr.List:
		to, err = appendList(append(to, `{"L":`...), v)
	default:
		err = attr.ErrValue
	}
	if err != nil {
		return nil, err
	}
	return append(to, '}'), nil
}

func appendList(to []byte, list attr.List) (_ []byte, err error) {
	to = append(to, '[')
	for i, v := range list {
		if i > 0 {
			to = append(to, ',')
		}
		if to, err = appendValue(to, v); err != nil {
			return nil, err
		}
	}
	return append(to, ']'), nil
}

func appendString(to []byte, text string) ([]byte, error) {
	to, err := jsontext.AppendQuote(to, text)
	if err != nil {
		return nil, attr.ErrValue
	}
	return to, nil
}

// Decode reads an item. The error wraps [ErrSyntax]. A set, which only
// a person may have written, becomes the list of its members.
func Decode(text []byte) (attr.Item, error) {
	item, err := decodeMap(jsontext.NewDecoder(bytes.NewReader(text)))
	if err != nil {
		return nil, fmt.Errorf("decode item: %w", err)
	}
	return item, nil
}

func decodeMap(d *jsontext.Decoder) (attr.Map, error) {
	if err := expect(d, jsontext.KindBeginObject); err != nil {
		return nil, err
	}
	m := attr.Map{}
	for d.PeekKind() != jsontext.KindEndObject {
		name, err := readString(d)
		if err != nil {
			return nil, err
		}
		if m[name], err = decodeValue(d); err != nil {
			return nil, err
		}
	}
	return m, expect(d, jsontext.KindEndObject)
}

// decodeList reads an array, and each element with element.
func decodeList(d *jsontext.Decoder, element func(*jsontext.Decoder) (attr.Value, error)) (attr.Value, error) {
	if err := expect(d, jsontext.KindBeginArray); err != nil {
		return nil, err
	}
	list := attr.List{}
	for d.PeekKind() != jsontext.KindEndArray {
		v, err := element(d)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, expect(d, jsontext.KindEndArray)
}

func decodeValue(d *jsontext.Decoder) (attr.Value, error) {
	if err := expect(d, jsontext.KindBeginObject); err != nil {
		return nil, err
	}
	kind, err := readString(d)
	if err != nil {
		return nil, err
	}
	v, err := decodeContent(d, kind)
	if err != nil {
		return nil, err
	}
	return v, expect(d, jsontext.KindEndObject)
}

func decodeContent(d *jsontext.Decoder, kind string) (attr.Value, error) {
	switch kind {
	case "S":
		s, err := readString(d)
		return attr.String(s), err
	case "N":
		s, err := readString(d)
		return attr.Number(s), err
	case "B":
		b, err := readBinary(d)
		return attr.Binary(b), err
	case "BOOL":
		b, err := readBool(d)
		return attr.Bool(b), err
	case "NULL":
		b, err := readBool(d)
		if err == nil && !b {
			err = ErrSyntax // DynamoDB writes true only
		}
		return attr.Null{}, err
	case "M":
		m, err := decodeMap(d)
		return m, err
	case "L":
		return decodeList(d, decodeValue)
	case "SS", "NS", "BS":
		return decodeList(d, func(d *jsontext.Decoder) (attr.Value, error) { return decodeContent(d, kind[:1]) })
	}
	return nil, ErrSyntax
}

// syntaxError says where the fault is. The parser's own error would quote members'
// names, which a sender can choose.
func syntaxError(err error) error {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		// guard 8 e2e: return syntax
		return fmt.Errorf("%w: at byte %d", ErrSyntax, syntax.ByteOffset)
	}
	return ErrSyntax
}

func expect(d *jsontext.Decoder, kind jsontext.Kind) error {
	t, err := d.ReadToken()
	if err != nil {
		return syntaxError(err)
	}
	if t.Kind() != kind {
		return ErrSyntax
	}
	return nil
}

func readString(d *jsontext.Decoder) (string, error) {
	t, err := d.ReadToken()
	if err != nil {
		return "", syntaxError(err)
	}
	if t.Kind() != jsontext.KindString {
		return "", ErrSyntax
	}
	return t.String(), nil
}

func readBinary(d *jsontext.Decoder) ([]byte, error) {
	s, err := readString(d)
	if err != nil {
		return nil, err
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, ErrSyntax
	}
	return b, nil
}

func readBool(d *jsontext.Decoder) (bool, error) {
	t, err := d.ReadToken()
	if err != nil {
		return false, syntaxError(err)
	}
	if t.Kind() != jsontext.KindTrue && t.Kind() != jsontext.KindFalse {
		return false, ErrSyntax
	}
	return t.Bool(), nil
}
