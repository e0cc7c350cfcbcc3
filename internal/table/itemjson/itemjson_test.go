package itemjson_test

import (
	"errors"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/itemjson"
)

func str(text string) types.AttributeValue { return &types.AttributeValueMemberS{Value: text} }

// value draws a value of any kind, as the table hands it out.
func value(depth int) *rapid.Generator[types.AttributeValue] {
	number := rapid.StringMatching(`-?[1-9][0-9]{0,10}\.[0-9]{0,10}[1-9]`)
	binary := rapid.SliceOf(rapid.Byte())
	generators := []*rapid.Generator[types.AttributeValue]{
		rapid.Map(rapid.String(), str),
		rapid.Map(number, func(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }),
		rapid.Map(binary, func(b []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: b} }),
		rapid.Map(rapid.Bool(), func(b bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: b} }),
		rapid.Just[types.AttributeValue](&types.AttributeValueMemberNULL{Value: true}),
	}
	if depth > 0 {
		generators = append(generators,
			rapid.Map(rapid.SliceOfN(value(depth-1), 0, 3), func(l []types.AttributeValue) types.AttributeValue {
				return &types.AttributeValueMemberL{Value: l}
			}),
			rapid.Map(attributes(depth-1), func(m table.Item) types.AttributeValue {
				return &types.AttributeValueMemberM{Value: m}
			}),
		)
	}
	return rapid.OneOf(generators...)
}

func attributes(depth int) *rapid.Generator[table.Item] {
	return rapid.MapOfN(rapid.StringN(1, 10, -1), value(depth), 0, 4)
}

func TestItemsReadBackAsTheyWere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		item := table.Item{table.PK: str("P"), table.SK: str("S")}
		maps.Copy(item, attributes(3).Draw(t, "item"))
		if err := table.Check(item); err != nil {
			t.Skip(err)
		}
		text, err := itemjson.Encode(item)
		if err != nil {
			t.Fatal(err)
		}
		got, err := itemjson.Decode(text)
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if !reflect.DeepEqual(item, got) {
			t.Errorf("want %v, got %v from %s", item, got, text)
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"PK":{"S":"P"},"n":{"N":"1"},"b":{"B":"AA=="},"l":{"L":[{"NULL":true}]},"m":{"M":{}}}`,
		``, `{`, `[]`, `{"a":1}`, `{"a":{"X":1}}`, `{"a":{"SS":["a"]}}`, `{"a":{"S":1}}`, `{"a":{"B":"!"}}`, `{"a":{"S":"b","N":"1"}}`, `{"a":{"L":[`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := itemjson.Decode(text); err != nil && !errors.Is(err, itemjson.ErrSyntax) {
			t.Errorf("Decode: %v, want %v", err, itemjson.ErrSyntax)
		}
	})
}

// Errors are logged, and items hold persons.
func TestErrorsTellNothingOfTheText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"Pat Smith":{"S":"Pat Smith"},"Pat Smith":{"S":"b"}}`,
		`{"a":{"M":{"Pat Smith":{"S":"1"},"Pat Smith":{"S":"2"}}}}`,
		`{"Pat Smith":{"S`, `{"Pat Smith":{"S":Pat Smith}}`, `{"Pat Smith":{"Pat Smith":"Pat Smith"}}`, `Pat Smith`,
	} {
		_, err := itemjson.Decode([]byte(text))
		if !errors.Is(err, itemjson.ErrSyntax) || strings.Contains(err.Error(), "Smith") || strings.Contains(err.Error(), "'P'") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
