package events_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
)

// An envelope may be made by hand, of data that nobody has checked.
func TestDecodeCannotFail(t *testing.T) {
	t.Parallel()
	decode := func(format events.Format, typ events.Type, data []byte) {
		defer func() {
			if r := recover(); r != nil {
				t.Errorf("%s %s: panic %v on data %q", format, typ, r, data)
			}
		}()
		(&events.Envelope{Format: format, Type: typ, Data: data, Timestamp: data}).Decode()
	}
	for _, s := range samples(t) {
		data := open(t, string(s.body)).Data
		for n := range data {
			// Of one sample all, of the others enough to be quick.
			if s.event == "call.completed" || n%9 == len(s.event)%9 {
				decode(s.format, s.event, data[:n:n])
			}
		}
	}
	for _, data := range []string{
		"{", "[", `"`, " ", ` {`, `{x}`, `{"id"}`, `{"id":}`, `{"id",}`, `{"id" "x"}`, `{,}`, `{"tags":[}`, `{"tags":[,]}`,
		`{"tags":[}}`, `{"id":"\`, `{"id":"\"`, `{"\`, `{]}`, `[}`, `}`, `xxxxxxxx`, `{"a":{"b":[}]}}`, `{"id":1 2}`,
	} {
		for _, typ := range []events.Type{"call.completed", "sms.received", "contact.created", "odd"} {
			for _, format := range []events.Format{events.FormatA, events.FormatB, events.FormatLegacy} {
				decode(format, typ, []byte(data))
			}
		}
	}
}

// A body that its owner changed is none that was checked either.
func TestDecodeOfABodyThatWasReusedDoesNotPanic(t *testing.T) {
	t.Parallel()
	for _, over := range []byte(`x"\{}[]:, `) {
		for _, s := range samples(t) {
			body := bytes.Clone(s.body)
			e := open(t, string(body))
			for _, b := range [][]byte{e.Data, e.Body} {
				copy(b, bytes.Repeat([]byte{over}, len(b)/2))
				e.Decode()
			}
		}
	}
}

// generated returns JSON with whatever may stand in it.
func generated(r *rand.Rand, depth int) string {
	pick := func(texts ...string) string { return texts[r.IntN(len(texts))] }
	space := func() string { return strings.Repeat(pick(" ", "\t", "\r", "\n"), r.IntN(3)) }
	text := func() (s string) {
		for range r.IntN(6) {
			s += pick(`\"`, `\\`, `\u0041`, `\u005c`, `\u0022`, `\ud83d\ude00`, `\n`, `\/`, "é", "日", "a", "{", "}", "[", "]", ",", ":", " ", "\u2028", "\x7f")
		}
		return s
	}
	kind := r.IntN(9)
	if depth > 5 {
		kind = r.IntN(6)
	}
	if kind < 6 {
		return pick(`"`+text()+`"`, `""`, "null", "true", "false", "0", "-0", "-1.5e+10", "1E-7", "123456789012345678901234567890")
	}
	var parts []string
	for n := range r.IntN(4) {
		part := space() + generated(r, depth+1) + space()
		if kind > 6 {
			part = fmt.Sprintf(`%s"%s%d"%s:%s`, space(), text(), n, space(), part)
		}
		parts = append(parts, part)
	}
	if kind > 6 {
		return "{" + space() + strings.Join(parts, ",") + "}"
	}
	return "[" + space() + strings.Join(parts, ",") + "]"
}

func TestMembersAndElementsAreThoseOfTheDecoder(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // G404: a test's own
	compared := 0
	for range 20_000 {
		text := jsontext.Value(generated(r, 0))
		if kind := text.Kind(); kind != '{' && kind != '[' {
			continue
		}
		var want []string
		dec := jsontext.NewDecoder(bytes.NewReader(text))
		_, err := dec.ReadToken()
		for err == nil && dec.PeekKind() != '}' && dec.PeekKind() != ']' {
			var value jsontext.Value
			if text.Kind() == '{' {
				var name jsontext.Token
				if name, err = dec.ReadToken(); err == nil {
					want = append(want, name.String())
				}
			}
			if value, err = dec.ReadValue(); err == nil {
				want = append(want, string(value))
			}
		}
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		compared++
		if diff := cmp.Diff(want, events.Inside(text)); diff != "" {
			t.Fatalf("%s (-decoder +scan):\n%s", text, diff)
		}
	}
	if compared < 5000 {
		t.Errorf("compared %d only", compared)
	}
}
