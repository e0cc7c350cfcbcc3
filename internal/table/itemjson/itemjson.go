// Package itemjson writes items in DynamoDB's own JSON, {"PK":{"S":"CALL#1"},…},
// which tells all kinds of values apart and keeps every digit of a number. The
// table's stream has its images in it, and the embedded store its items.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
package itemjson

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/internal/table"
)

// ErrSyntax says that a text is not an item in this JSON. No error that wraps it
// tells what stands in the text.
var ErrSyntax = errors.New("not an item in DynamoDB's JSON")

// Encode writes an item that [table.Check] has passed. The error wraps
// [table.ErrValue] for one that it would not pass.
func Encode(item table.Item) ([]byte, error) {
	var buf bytes.Buffer
	e := jsontext.NewEncoder(&buf)
	if err := encodeMap(e, item); err != nil {
		return nil, fmt.Errorf("encode item: %w", err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

func encodeMap(e *jsontext.Encoder, m table.Item) error {
	if err := e.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if err := e.WriteToken(jsontext.String(name)); err != nil {
			return err
		}
		if err := encodeValue(e, m[name]); err != nil {
			return err
		}
	}
	return e.WriteToken(jsontext.EndObject)
}

// encodeValue writes {"<kind>":<content>}.
func encodeValue(e *jsontext.Encoder, v types.AttributeValue) error {
	var kind string
	var content func() error
	token := func(t jsontext.Token) func() error {
		return func() error { return e.WriteToken(t) }
	}
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		kind, content = "S", token(jsontext.String(v.Value))
	case *types.AttributeValueMemberN:
		n, err := table.NormalNumber(v.Value)
		if err != nil {
			return err
		}
		kind, content = "N", token(jsontext.String(n))
	case *types.AttributeValueMemberB:
		kind, content = "B", token(jsontext.String(base64.StdEncoding.EncodeToString(v.Value)))
	case *types.AttributeValueMemberBOOL:
		kind, content = "BOOL", token(jsontext.Bool(v.Value))
	case *types.AttributeValueMemberNULL:
		kind, content = "NULL", token(jsontext.Bool(v.Value))
	case *types.AttributeValueMemberM:
		kind, content = "M", func() error { return encodeMap(e, v.Value) }
	case *types.AttributeValueMemberL:
		kind, content = "L", func() error { return encodeList(e, v.Value) }
	default:
		return table.ErrValue
	}

	if err := e.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	if err := e.WriteToken(jsontext.String(kind)); err != nil {
		return err
	}
	if err := content(); err != nil {
		return err
	}
	return e.WriteToken(jsontext.EndObject)
}

func encodeList(e *jsontext.Encoder, list []types.AttributeValue) error {
	if err := e.WriteToken(jsontext.BeginArray); err != nil {
		return err
	}
	for _, v := range list {
		if err := encodeValue(e, v); err != nil {
			return err
		}
	}
	return e.WriteToken(jsontext.EndArray)
}

// Decode reads an item. The error wraps [ErrSyntax]; nothing here holds a set,
// and so a set is one, too.
func Decode(text []byte) (table.Item, error) {
	item, err := decodeMap(jsontext.NewDecoder(bytes.NewReader(text)))
	if err != nil {
		return nil, fmt.Errorf("decode item: %w", err)
	}
	return item, nil
}

func decodeMap(d *jsontext.Decoder) (table.Item, error) {
	if err := expect(d, jsontext.KindBeginObject); err != nil {
		return nil, err
	}
	m := table.Item{}
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

func decodeList(d *jsontext.Decoder) ([]types.AttributeValue, error) {
	if err := expect(d, jsontext.KindBeginArray); err != nil {
		return nil, err
	}
	list := []types.AttributeValue{}
	for d.PeekKind() != jsontext.KindEndArray {
		v, err := decodeValue(d)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, expect(d, jsontext.KindEndArray)
}

func decodeValue(d *jsontext.Decoder) (types.AttributeValue, error) {
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

func decodeContent(d *jsontext.Decoder, kind string) (types.AttributeValue, error) {
	switch kind {
	case "S":
		s, err := readString(d)
		return &types.AttributeValueMemberS{Value: s}, err
	case "N":
		s, err := readString(d)
		return &types.AttributeValueMemberN{Value: s}, err
	case "B":
		b, err := readBinary(d)
		return &types.AttributeValueMemberB{Value: b}, err
	case "BOOL":
		b, err := readBool(d)
		return &types.AttributeValueMemberBOOL{Value: b}, err
	case "NULL":
		b, err := readBool(d)
		return &types.AttributeValueMemberNULL{Value: b}, err
	case "M":
		m, err := decodeMap(d)
		return &types.AttributeValueMemberM{Value: m}, err
	case "L":
		l, err := decodeList(d)
		return &types.AttributeValueMemberL{Value: l}, err
	}
	return nil, ErrSyntax
}

// syntaxError says where a text is at fault. The parser's own words would name
// members, which may be anything that a sender chose.
func syntaxError(err error) error {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
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
