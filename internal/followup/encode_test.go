package followup_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
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

// What is stored stays readable: who changes the encoding has to give it another version.
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
