package bolt_test

import (
	"errors"
	"hash/crc32"
	"maps"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/bolt"
)

func TestItemsReadBackAsTheyWere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		item := table.Item{table.PK: attr.String("P"), table.SK: attr.String("S")}
		maps.Copy(item, tabletest.Attributes(3, `-?[1-9][0-9]{0,10}\.[0-9]{0,10}[1-9]`).Draw(t, "item"))
		if rapid.Bool().Draw(t, "expires") {
			item[table.ExpiresAt] = attr.Number("1")
		}
		if err := table.Check(item); err != nil {
			t.Skip(err)
		}
		record, err := bolt.EncodeRecord(item)
		if err != nil {
			t.Fatal(err)
		}
		got, err := bolt.DecodeRecord(record)
		if err != nil {
			t.Fatalf("%v in %x", err, record)
		}
		if !reflect.DeepEqual(item, got) {
			t.Errorf("want %v, got %v from %x", item, got, record)
		}
		if again, err := bolt.EncodeRecord(got); err != nil || string(again) != string(record) {
			t.Errorf("%x, %v, before %x", again, err, record)
		}
	})
}

func TestEveryByteOfARecordIsChecked(t *testing.T) {
	t.Parallel()
	record, err := bolt.EncodeRecord(table.Item{
		table.PK: attr.String("CALL#1"), table.SK: attr.String("1"),
		"unknown": attr.List{attr.Number("1"), attr.Map{"from": attr.Null{}}, attr.Bool(true), attr.Binary{0}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range record {
		if _, err := bolt.DecodeRecord(record[:i]); !errors.Is(err, bolt.ErrDamaged) {
			t.Errorf("the first %d bytes: %v", i, err)
		}
		for bit := range 8 {
			record[i] ^= 1 << bit
			if _, err := bolt.DecodeRecord(record); !errors.Is(err, bolt.ErrDamaged) {
				t.Errorf("bit %d of byte %d: %v", bit, i, err)
			}
			record[i] ^= 1 << bit
		}
	}
	if _, err := bolt.DecodeRecord(record); err != nil {
		t.Error(err)
	}
}

// Records refer to the names by number.
func TestTheNamesOfRecordsStayWhereTheyAre(t *testing.T) {
	t.Parallel()
	const count, sum = 68, 0xb1460c83
	if got := crc32.ChecksumIEEE([]byte(strings.Join(bolt.OwnNames[:min(count, len(bolt.OwnNames))], " "))); len(bolt.OwnNames) < count || got != sum {
		t.Errorf("the first %d of %d names have the sum %#x, want %#x: add new names at the end", count, len(bolt.OwnNames), got, sum)
	}
	for name, number := range bolt.Names() {
		if got, ok := bolt.NameOf(int(number)); !ok || got != name { //nolint:gosec // G115: there are few
			t.Errorf("%d is %q, not %q", number, got, name)
		}
	}
}

// FuzzReadMap: no record may crash a reader, even one whose sum is right.
func FuzzReadMap(f *testing.F) {
	record, err := bolt.EncodeRecord(table.Item{table.PK: attr.String("P"), "l": attr.List{attr.Map{"n": attr.Number("1")}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(record[bolt.HeaderSize:]))
	for _, text := range []string{"", "\x01", "\xff\xff\xff\xff\xff", "\x01\x00\xff\xff\xff\x7f", "\x01\x02\xfc\xff\xff\x7f", "\x01\xff\x7f\x00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if m := bolt.ReadMap(text); len(m) > len(text) {
			t.Errorf("%d members of %d bytes", len(m), len(text))
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	item := table.Item{}
	for _, name := range bolt.OwnNames[:20] {
		item[name] = attr.String(strings.Repeat("x", 20))
	}
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			if _, err := bolt.EncodeRecord(item); err != nil {
				b.Fatal(err)
			}
		}
	})
	record, err := bolt.EncodeRecord(item)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			if _, err := bolt.DecodeRecord(record); err != nil {
				b.Fatal(err)
			}
		}
	})
}
