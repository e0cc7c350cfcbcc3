package events_test

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ringback/ringback/events"
)

func TestHowABodyIsWrittenDoesNotMatter(t *testing.T) {
	t.Parallel()
	all := samples(t)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(all).Draw(t, "sample")
		e, err := events.Open(s.body)
		if err != nil {
			t.Fatal(err)
		}
		want := e.Decode()
		body := rewrite(t, s.body)
		if e, err = events.Open(body); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		got := e.Decode()
		if diff := cmp.Diff(keyOf(want), keyOf(got)); diff != "" {
			t.Fatalf("key (-as sent +rewritten):\n%s\n%s", diff, body)
		}
		if diff := cmp.Diff(want.Details().Event, got.Details().Event); diff != "" {
			t.Fatalf("event (-as sent +rewritten):\n%s\n%s", diff, body)
		}
		for _, lists := range [][2][]string{{want.NewFields, got.NewFields}, {want.TypeMismatches, got.TypeMismatches}} {
			for i := range lists {
				slices.Sort(lists[i])
			}
			if diff := cmp.Diff(lists[0], lists[1]); diff != "" {
				t.Fatalf("names (-as sent +rewritten):\n%s\n%s", diff, body)
			}
		}
	})
}

var wholeNumber = regexp.MustCompile(`^-?[1-9][0-9]{0,14}$`)

// rewrite writes the same JSON another way: members in another order, other
// white space, other escapes, whole numbers as floats.
func rewrite(t *rapid.T, v jsontext.Value) []byte {
	space := func() string { return rapid.SampledFrom([]string{"", "", " ", "\r\n\t"}).Draw(t, "space") }
	var parts [][]byte
	switch v.Kind() {
	case '{':
		dec := jsontext.NewDecoder(bytes.NewReader(v))
		skip(t, dec)
		for dec.PeekKind() != '}' {
			name := rewrite(t, read(t, dec))
			value := rewrite(t, read(t, dec))
			parts = append(parts, slices.Concat(name, []byte(":"), value))
		}
		if len(parts) > 1 {
			parts = rapid.Permutation(parts).Draw(t, "members")
		}
		v = slices.Concat([]byte("{"), bytes.Join(parts, []byte(",")), []byte(space()+"}"))
	case '[':
		dec := jsontext.NewDecoder(bytes.NewReader(v))
		skip(t, dec)
		for dec.PeekKind() != ']' {
			parts = append(parts, rewrite(t, read(t, dec)))
		}
		v = slices.Concat([]byte("["), bytes.Join(parts, []byte(",")), []byte(space()+"]"))
	case '"':
		if rapid.IntRange(0, 3).Draw(t, "escape") == 0 {
			v = escape(t, v)
		}
	case '0':
		if wholeNumber.Match(v) {
			v = append(v, rapid.SampledFrom([]string{"", "", ".0", "e0", ".00E+0"}).Draw(t, "spelling")...)
		}
	default: // null, true and false have one spelling.
	}
	return slices.Concat([]byte(space()), v, []byte(space()))
}

func skip(t *rapid.T, dec *jsontext.Decoder) {
	if _, err := dec.ReadToken(); err != nil {
		t.Fatal(err)
	}
}

func read(t *rapid.T, dec *jsontext.Decoder) jsontext.Value {
	value, err := dec.ReadValue()
	if err != nil {
		t.Fatal(err)
	}
	return value.Clone()
}

// escape writes every ASCII character of a JSON string as \u00xx.
func escape(t *rapid.T, v jsontext.Value) jsontext.Value {
	text, err := jsontext.AppendUnquote(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	escaped := []byte{'"'}
	for _, c := range text {
		if c < 0x80 {
			escaped = fmt.Appendf(escaped, `\u%04x`, c)
		} else {
			escaped = append(escaped, c)
		}
	}
	return append(escaped, '"')
}

func TestANumberAndItsTextAreOneID(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64Min(1).Draw(t, "id")
		digits := strconv.FormatUint(n, 10)
		spellings := []string{digits, `"` + digits + `"`}
		if n < 1<<53 {
			spellings = append(spellings, digits+".0", digits+"e0")
		}
		for _, spelling := range spellings {
			e, err := events.Open([]byte(bodyA("contact.created", `{"contact_id":`+spelling+`}`)))
			if err != nil {
				t.Fatal(err)
			}
			if d := e.Decode(); d.ID != digits || d.Entity != events.EntityContact {
				t.Fatalf("%s becomes %q %q", spelling, d.Entity, d.ID)
			}
		}
	})
}

func TestAnyTextIsKeptAsIDWithoutTheBlanksAround(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringN(1, -1, 200).Draw(t, "id")
		quoted, err := jsontext.AppendQuote(nil, id)
		if err != nil {
			t.Skip("not UTF-8")
		}
		e, err := events.Open([]byte(bodyB("call.missed", `{"call_sid":"x`+string(quoted[1:])+`}`)))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := e.Decode().ID, strings.TrimSpace("x"+id); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

func TestDepthIsCountedAsTheDecoderCounts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		// Text that is full of what could be taken for brackets.
		text := rapid.StringOf(rapid.SampledFrom([]rune(`[]{}"\/a`))).Draw(t, "text")
		quoted, err := jsontext.AppendQuote(nil, text)
		if err != nil {
			t.Fatal(err)
		}
		levels := rapid.IntRange(1, 2*events.MaxDepth).Draw(t, "levels")
		value := slices.Concat(
			bytes.Repeat([]byte("["), levels),
			quoted,
			bytes.Repeat([]byte("]"), levels),
		)
		_, err = events.Open([]byte(bodyA("x", string(value))))
		if fits := levels+1 <= events.MaxDepth; (err == nil) != fits {
			t.Fatalf("%d levels: %v", levels+1, err)
		}
	})
}
