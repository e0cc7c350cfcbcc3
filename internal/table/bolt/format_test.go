package bolt_test

import (
	"bytes"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/bolt"
)

// keyText draws short strings that are likely to be prefixes of each other and
// to hold the bytes that the encoding treats apart.
func keyText() *rapid.Generator[string] {
	return rapid.StringOfN(rapid.SampledFrom([]rune("\x00\x01\x02ab\u00ff😀")), 0, 4, -1)
}

func TestTuplesSortAsTheirParts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(keyText(), 3, 3)
		a, b := parts.Draw(t, "a"), parts.Draw(t, "b")
		want, got := slices.Compare(a, b), bytes.Compare(bolt.Tuple(a...), bolt.Tuple(b...))
		if want != got {
			t.Errorf("order of %q and %q: want %d, got %d", a, b, want, got)
		}
	})
}

func TestSortRangeHoldsWhatTheQueryMatches(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		partition, sort := keyText().Draw(t, "partition"), keyText().Draw(t, "sort")
		inPartition := rapid.OneOf(rapid.Just(partition), keyText()).Draw(t, "in partition")
		var prefix, from, to string
		if rapid.Bool().Draw(t, "by prefix") {
			prefix = keyText().Draw(t, "prefix")
		} else {
			from, to = keyText().Draw(t, "from"), keyText().Draw(t, "to")
		}
		want := partition == inPartition && strings.HasPrefix(sort, prefix) && sort >= from && (to == "" || sort <= to)
		if got := bolt.InSortRange(partition, prefix, from, to, inPartition, sort, "PK", "SK"); got != want {
			t.Errorf("%q %q in partition %q, prefix %q, from %q to %q: want %t, got %t",
				inPartition, sort, partition, prefix, from, to, want, got)
		}
	})
}

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
		text, err := bolt.EncodeItem(item)
		if err != nil {
			t.Fatal(err)
		}
		got, err := bolt.DecodeItem(text)
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if !reflect.DeepEqual(item, got) {
			t.Errorf("want %v, got %v from %s", item, got, text)
		}
	})
}

func FuzzDecodeItem(f *testing.F) {
	for _, s := range []string{
		`{"PK":{"S":"P"},"n":{"N":"1"},"b":{"B":"AA=="},"l":{"L":[{"NULL":true}]},"m":{"M":{}}}`,
		``, `{`, `[]`, `{"a":1}`, `{"a":{"X":1}}`, `{"a":{"SS":["a"]}}`, `{"a":{"S":1}}`, `{"a":{"B":"!"}}`, `{"a":{"S":"b","N":"1"}}`, `{"a":{"L":[`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := bolt.DecodeItem(text); err != nil && !errors.Is(err, bolt.ErrStored) {
			t.Errorf("DecodeItem: %v, want %v", err, bolt.ErrStored)
		}
	})
}
