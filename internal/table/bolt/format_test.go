package bolt_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ringback/ringback/internal/table/bolt"
)

// keyText draws short strings that are often prefixes of each other and often hold
// the bytes that the encoding escapes.
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
