package followup_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"reflect"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/ringback/ringback/internal/followup"
)

// drawFacts draws facts with any values, which need not make sense.
func drawFacts(t *rapid.T) followup.Facts {
	instant := rapid.Custom(func(t *rapid.T) time.Time {
		const first, last = -62135596800, 253402300799 // seconds of the years 1 to 9999
		second := rapid.Int64Range(first, last).Draw(t, "second")
		return time.Unix(second, rapid.SampledFrom([]int64{0, 0, 1e6, 999_999_999}).Draw(t, "nanoseconds")).UTC()
	})
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "opens", "answered", "+14155550101"}), rapid.String())
	return rapid.MakeCustom[followup.Facts](rapid.MakeConfig{Types: map[reflect.Type]*rapid.Generator[any]{
		reflect.TypeFor[time.Time](): rapid.OneOf(rapid.Just(time.Time{}), instant).AsAny(),
		reflect.TypeFor[string]():    text.AsAny(),
	}}).Draw(t, "facts")
}

func TestFactsReadBackAsTheyWere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := drawFacts(t)
		// As it is written now, and as JSON until December 2026.
		former, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		for _, stored := range []string{want.Encode(), strings.Replace(string(former), "{", `{"v":1,`, 1)} {
			got, err := followup.Decode(stored)
			if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
				t.Fatalf("%q: %v (-want +got):\n%s", stored, err, diff)
			}
			if again := got.Encode(); again != want.Encode() {
				t.Fatalf("%q: encoded again as %q", stored, again)
			}
		}
	})
}

// Damage is refused, or gives other facts; it ends nothing.
func TestDamagedFactsAreRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		stored := []byte(drawFacts(t).Encode())
		at := rapid.IntRange(0, len(stored)-1).Draw(t, "at")
		if _, err := followup.Decode(string(stored[:at])); !errors.Is(err, followup.ErrEncoding) {
			t.Fatalf("%d of %d bytes: %v", at, len(stored), err)
		}
		stored[at] = rapid.Byte().Draw(t, "byte")
		if _, err := followup.Decode(string(stored)); err != nil && !errors.Is(err, followup.ErrEncoding) {
			t.Fatal(err)
		}
	})
	for _, other := range []string{"", "{}", `{"v":0}`, `{"v":2}`, `{"v":1,"calls":1}`, "\x01", "\x03" + followup.Facts{}.Encode()[1:], followup.Facts{}.Encode() + "\x00"} {
		if _, err := followup.Decode(other); !errors.Is(err, followup.ErrEncoding) {
			t.Errorf("%q: %v", other, err)
		}
	}
}

// fill sets each field to a value of its own, and each list to two records.
func fill(v reflect.Value, n *int) {
	switch *n++; {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Unix(int64(*n)*1000, int64(*n)).UTC()))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case v.Kind() == reflect.String:
		v.SetString(fmt.Sprint("text ", *n))
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanInt():
		v.SetInt(int64(*n))
	default:
		v.SetUint(uint64(*n)) //nolint:gosec // G115: it is small
	}
}

// What is stored stays readable. Whoever changes the encoding, and so these sums, gives it
// another version, and goes on reading this one.
func TestTheEncodingStaysAsItIs(t *testing.T) {
	t.Parallel()
	var all followup.Facts
	n := 0
	fill(reflect.ValueOf(&all).Elem(), &n)
	var usual followup.Facts
	for _, word := range []string{
		"", "opens", "contact", "attempt", "answered", "voicemail", "missed", "abandoned", "unknown", "inbound", "outbound",
		"claim", "unclaim", "done", "snooze",
	} {
		usual.Calls = append(usual.Calls, followup.Call{Agent: word})
	}
	var many followup.Facts // more words than are looked through, the last ones twice
	for i := range 70 {
		many.Texts = append(many.Texts, followup.Text{Agent: fmt.Sprint(i)}, followup.Text{Agent: fmt.Sprint(i)})
	}
	var bits []followup.Facts
	for i := range 5 {
		var facts followup.Facts
		for j, bit := range []*bool{&facts.Person.Known, &facts.Person.Blocked, &facts.Person.DoNotDisturb, &facts.Person.Own} {
			*bit = i == j
		}
		bits = append(bits, facts)
	}
	for i, facts := range append([]followup.Facts{all, usual, many}, bits...) {
		want := []string{
			"d732f105", "2b040e36", "5094bae4",
			"14ccdb01", "0a07b7d0", "b379ba82", "aba0e1f4", "30d5bd6a",
		}[i]
		if got := fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(facts.Encode()))); got != want {
			t.Errorf("facts %d: encoded with sum %s, want %s", i, got, want)
		}
	}
}

// What was stored on 30 November 2026.
func TestStoredFactsStayReadable(t *testing.T) {
	t.Parallel()
	book := newBook(t).call(missed("a", 0)).call(out("b", 60, "Unanswered", 0, 30)).text("1", 70, "Outgoing", `,"medium":"App"`).
		text("2", 80, "Incoming", "").act(followup.ActClaim, 90, 900).person(followup.Person{At: "1", Name: "Pat"})
	const stored = "" +
		"02020643414c4c23620104070bb1c2a9e11a01000c2b3134313535353530313031010004496e6573000000000643414c4c23" +
		"610102070aef01011001010001000c2b3134313535353530313434010001000001094d455353414745233101040b99020100" +
		"000000002901056163743930290c11117265616368656420656c73657768657265a919000001013100035061740000000000"
	got, err := hex.DecodeString(stored)
	if err != nil {
		t.Fatal(err)
	}
	if want := book.facts.Encode(); want != string(got) {
		t.Errorf("encoded as %x", want)
	}
}
