package conformance_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

var valueChecks = []check{
	{"keys may hold any characters", func(t *testing.T, s table.Store) {
		keys := []string{
			"#", "##", "CALL#1#EVENT#2", "a b", "\"", `\"`, "'", "`", "a\nb", "a\r\nb", "\t", "\x00", "a\x00b", "\x01\x1f\x7f",
			"😀", "e\u0301", "é", "\u2028", "\uFFFD", "\U0010FFFF", "%00", "{\"S\":\"x\"}", "<&>", "://?#[]@", "null",
			strings.Repeat("😀", table.MaxSortKey/4),
		}
		for _, key := range keys {
			put(t, s, newItem(key, key, inGSI1(key, key)))
		}
		for _, key := range keys {
			want := newItem(key, key, inGSI1(key, key))
			wantItems(t, s, table.Query{Partition: key}, want)
			wantItems(t, s, table.Query{Partition: key, SortPrefix: key}, want)
			wantItems(t, s, table.Query{Partition: key, From: key, To: key}, want)
			wantItems(t, s, table.Query{Index: table.GSI1, Partition: key, Limit: 1}, want)
		}
	}},

	{"values of every kind come back", func(t *testing.T, s table.Store) {
		deep := str("end")
		for range 32 {
			deep = attr.Map{"in": deep}
		}
		item := newItem("CALL#1", "EVENT#1", table.Item{
			"string":       str("text with \" \\ \n \x00 \x7f 😀 \u2028"),
			"empty string": str(""),
			"binary":       bin("\x00\xff\x80 bytes"),
			"empty binary": bin(""),
			"true":         attr.Bool(true),
			"false":        attr.Bool(false),
			"null":         attr.Null{},
			"list": attr.List{
				str("first"), num("2"),
				attr.Null{},
				attr.List{},
				attr.Map{"k": bin("v")},
			},
			"map":             attr.Map{"a#b.c d\"": str("odd name"), "S": str("kind as name")},
			"empty list":      attr.List{},
			"empty map":       attr.Map{},
			"deep":            deep,
			"odd \" \n name😀": str("x"),
		})
		put(t, s, item)
		wantItems(t, s, table.Query{Partition: "CALL#1"}, item)
	}},

	{"numbers keep 38 digits and lose nothing but their spelling", func(t *testing.T, s table.Store) {
		for i, c := range []struct{ put, want string }{
			{"0", "0"},
			{"-0", "0"},
			{"0.000", "0"},
			{"1", "1"},
			{"-1", "-1"},
			{"1.50", "1.5"},
			{"100", "100"},
			{"007", "7"},
			{"1e3", "1000"},
			{"1.25E+1", "12.5"},
			{"125e-2", "1.25"},
			{"-0.001", "-0.001"},
			{"12345678901234567890123456789012345678", "12345678901234567890123456789012345678"},
			{"0.12345678901234567890123456789012345678", "0.12345678901234567890123456789012345678"},
			{"-1234567890123456789.0123456789012345678", "-1234567890123456789.0123456789012345678"},
			{"9007199254740993", "9007199254740993"},
			{"1e125", "1" + strings.Repeat("0", 125)},
			{"1e-130", "0." + strings.Repeat("0", 129) + "1"},
		} {
			pk := fmt.Sprintf("CALL#%d", i)
			put(t, s, newItem(pk, "EVENT#1", table.Item{"n": num(c.put)}))
			wantItems(t, s, table.Query{Partition: pk}, newItem(pk, "EVENT#1", table.Item{"n": num(c.want)}))
		}
	}},
}
