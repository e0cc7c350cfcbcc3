package tabletest

import (
	"pgregory.net/rapid"

	"github.com/ringback/ringback/internal/table/attr"
)

// Attributes draws attributes of every kind, with lists and maps nested to a
// depth. The numbers match a regular expression.
func Attributes(depth int, number string) *rapid.Generator[map[string]attr.Value] {
	return attributes(depth, 12, number)
}

func attributes(depth, most int, number string) *rapid.Generator[map[string]attr.Value] {
	return rapid.MapOfN(rapid.StringN(1, 20, 60), value(depth, number), 0, most)
}

func value(depth int, number string) *rapid.Generator[attr.Value] {
	kinds := []*rapid.Generator[attr.Value]{
		rapid.Map(rapid.String(), func(s string) attr.Value { return attr.String(s) }),
		rapid.Map(rapid.StringMatching(number), func(n string) attr.Value { return attr.Number(n) }),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) attr.Value { return attr.Binary(b) }),
		rapid.Map(rapid.Bool(), func(b bool) attr.Value { return attr.Bool(b) }),
		rapid.Just[attr.Value](attr.Null{}),
	}
	if depth > 0 {
		const few = 4
		kinds = append(kinds,
			rapid.Map(rapid.SliceOfN(value(depth-1, number), 0, few), func(l []attr.Value) attr.Value { return attr.List(l) }),
			rapid.Map(attributes(depth-1, few, number), func(m map[string]attr.Value) attr.Value { return attr.Map(m) }),
		)
	}
	return rapid.OneOf(kinds...)
}
