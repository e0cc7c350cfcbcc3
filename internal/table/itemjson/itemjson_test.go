package itemjson_test

import (
	"errors"
	"maps"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/itemjson"
)

func str(text string) attr.Value { return attr.String(text) }

func TestItemsReadBackAsTheyWere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		item := table.Item{table.PK: str("P"), table.SK: str("S")}
		maps.Copy(item, tabletest.Attributes(3, `-?[1-9][0-9]{0,10}\.[0-9]{0,10}[1-9]`).Draw(t, "item"))
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

func TestASetIsReadAsAList(t *testing.T) {
	t.Parallel()
	got, err := itemjson.Decode([]byte(`{"s":{"SS":["a","b"]},"n":{"NS":["1"]},"b":{"BS":["AA=="]}}`))
	want := attr.Item{"s": attr.List{str("a"), str("b")}, "n": attr.List{attr.Number("1")}, "b": attr.List{attr.Binary{0}}}
	if err != nil || !reflect.DeepEqual(want, got) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"PK":{"S":"P"},"n":{"N":"1"},"b":{"B":"AA=="},"l":{"L":[{"NULL":true}]},"m":{"M":{}}}`,
		``, `{`, `[]`, `{"a":1}`, `{"a":{"X":1}}`, `{"a":{"SS":"a"}}`, `{"a":{"SS":[1]}}`, `{"a":{"BS":["!"]}}`, `{"a":{"LS":[]}}`, `{"a":{"S":1}}`, `{"a":{"B":"!"}}`, `{"a":{"S":"b","N":"1"}}`, `{"a":{"L":[`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := itemjson.Decode(text); err != nil && !errors.Is(err, itemjson.ErrSyntax) {
			t.Errorf("Decode: %v, want %v", err, itemjson.ErrSyntax)
		}
	})
}

// Errors are logged, and items hold personal data.
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
