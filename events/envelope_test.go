package events_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ringback/ringback/events"
)

// marker is part of every bad body. No error's text may contain it, because a body
// may hold personal data.
const marker = "Pat from Globex"

// badBodies are bodies that cannot be read as one JSON object with a type.
var badBodies = []struct {
	name string
	body string
	want error
}{
	{"not JSON", marker, events.ErrSyntax},
	{"cut off in a string", `{"event":"call.missed","data":{"a":"` + marker, events.ErrSyntax},
	{"cut off after a value", `{"event":"` + marker + `"`, events.ErrSyntax},
	{"cut off after a name", `{"` + marker + `"`, events.ErrSyntax},
	{"cut off after an opening brace", `{`, events.ErrSyntax},
	{"a comma for a colon", `{"event","` + marker + `","data":{"a":1}}`, events.ErrSyntax},
	{"no comma between members", `{"event":"` + marker + `" "data":{"a":1}}`, events.ErrSyntax},
	{"no colon", `{"` + marker + `" 1}`, events.ErrSyntax},
	{"a name that is a number", `{1:"` + marker + `"}`, events.ErrSyntax},
	{"a closing brace too many", `{"event":"` + marker + `","data":{"a":1}}}`, events.ErrSyntax},
	{"a brace closed by a bracket", `{"event":"` + marker + `","data":{"a":1]}`, events.ErrSyntax},
	{"single quotes", `{'event':'` + marker + `'}`, events.ErrSyntax},
	{"a comment", `{"event":"call.missed" /* ` + marker + ` */}`, events.ErrSyntax},
	{"a number with a leading zero and a fraction", `{"event":"` + marker + `","data":{"call_id":01.5}}`, events.ErrSyntax},
	{"a number with blanks", `{"event":"` + marker + `","data":{"from":+1 415 555 0123}}`, events.ErrSyntax},
	{"a form feed for white space", "\f", events.ErrSyntax},
	{"bytes after the end", `{"event":"call.missed","data":{"a":1}} ` + marker, events.ErrSyntax},
	{"two objects and more", `{"event":"call.missed","data":{"a":1}}{"event":"` + marker + `"} 1`, events.ErrSyntax},
	{"two objects, the second cut off", `{"event":"call.missed","data":{"a":1}}{"event":"` + marker + `"`, events.ErrSyntax},
	{"an array and more", `["` + marker + `"] 1`, events.ErrSyntax},

	{"bytes that look like gzip", "\x1f\x8b\x08\x00\x00\x00\x00\x00" + marker, events.ErrUTF8},

	{"65 levels", nested(65), events.ErrDepth},
	{"65 levels of arrays", strings.Repeat("[", 65) + strings.Repeat("]", 65), events.ErrDepth},
	{"10 000 levels of arrays", nested(10_000), events.ErrDepth},
	{"10 000 levels of objects", strings.Repeat(`{"`+marker+`":`, 10_000) + "1" + strings.Repeat("}", 10_000), events.ErrDepth},
	{"100 000 opening brackets", strings.Repeat("[", 100_000), events.ErrDepth},
	{"65 levels after a string that ends in a backslash", `{"a":"` + marker + `\\","data":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`, events.ErrDepth},

	{"base64 of words", "UGF0IGZyb20gR2xvYmV4IA==", events.ErrSyntax},
	{"base64 of JSON cut off", "eyJldmVudCI6ImNhbGwubWlzc2Vk", events.ErrSyntax},
	{"base64 of an empty object", "e30=", events.ErrSyntax},
	{"HTML cut off", "{&quot;event&quot;:&quot;" + marker, events.ErrSyntax},
	{"a backslash", `{\` + marker, events.ErrSyntax},
	{"a call cut off", `cb({"event":"` + marker + `","data":{"a":1}`, events.ErrSyntax},
	{"a call and more", `cb({"event":"call.missed","data":{"a":1}}) ` + marker, events.ErrSyntax},
	{"a sentence with an event in it", marker + ` got {"event":"call.missed","data":{"a":1}}`, events.ErrSyntax},
	{"a part that is cut off", "--b\r\nContent-Disposition: form-data; name=data\r\n\r\n" + `{"event":"call.missed","data":{"a":1}}`, events.ErrSyntax},
	{"a part's header that is cut off", "--b\r\nContent-Dispos", events.ErrSyntax},
	{"no parts", "--b\r\n--b--\r\n", events.ErrSyntax},

	{"a string", `"` + marker + `"`, events.ErrNotObject},
	{"an empty string", `""`, events.ErrNotObject},
	{"a string that is base64", `"UGF0IGZyb20gR2xvYmV4IA=="`, events.ErrNotObject},
	{"a number", `5`, events.ErrNotObject},
	{"true", `true`, events.ErrNotObject},
	{"null", `null`, events.ErrNotObject},

	{"data without a type", `{"data":{"a":"` + marker + `"}}`, events.ErrNoType},
	{"an event that is a number", `{"event":5,"data":{"a":"` + marker + `"}}`, events.ErrNoType},
	{"an event that is an object", `{"event":{"kind":"` + marker + `"},"data":{"a":1}}`, events.ErrNoType},
	{"an event that is null", `{"event":null,"data":{"a":"` + marker + `"}}`, events.ErrNoType},
	{"an event that is empty", `{"event":"","type":"","data":{"a":"` + marker + `"}}`, events.ErrNoType},
	{"a type that is an array of nothing", `{"type":["null"],"data":{"a":"` + marker + `"}}`, events.ErrNoType},
	{"a legacy type that is a number", `{"data":{"type":5,"a":"` + marker + `"}}`, events.ErrNoType},
	{"data that is an array and no type", `{"data":["` + marker + `"]}`, events.ErrNoType},
}

// nested returns a delivery whose objects and arrays nest to this many levels; the
// body is the first.
func nested(levels int) string {
	return `{"event":"` + marker + `","data":` +
		strings.Repeat("[", levels-1) + strings.Repeat("]", levels-1) + `}`
}

func TestOpenRefusesWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, test := range badBodies {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, around := range []string{"", " \r\n\t"} {
				e, err := events.Open([]byte(around + test.body + around))
				if !errors.Is(err, test.want) {
					t.Fatalf("got %v, want %v", err, test.want)
				}
				if !errors.Is(err, events.ErrPayload) {
					t.Errorf("%v does not wrap ErrPayload", err)
				}
				if errors.Is(err, events.ErrSignature) {
					t.Errorf("%v wraps ErrSignature", err)
				}
				if e != nil {
					t.Error("an envelope beside the error")
				}
				for _, word := range strings.Fields(marker) {
					if strings.Contains(err.Error(), word) {
						t.Errorf("the error's text holds the body's: %v", err)
					}
				}
			}
		})
	}
}

func TestOpenReadsTheEnvelope(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		body string
		want events.Envelope
	}{
		{
			"event makes format A",
			`{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":{"a":1}}`,
			events.Envelope{Format: events.FormatA, Type: "call.missed", Timestamp: []byte(`"2026-03-12T14:32:00Z"`), Data: []byte(`{"a":1}`)},
		},
		{
			"type makes format B",
			`{"type":"call.missed","request_id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","webhook_url":"https://example.com","url_id":17,"metadata":{},"data":{"a":1}}`,
			events.Envelope{Format: events.FormatB, Type: "call.missed", RequestID: "01ARZ3NDEKTSV4RRFFQ69G5FAV", Data: []byte(`{"a":1}`)},
		},
		{
			"url_id may be hex digits",
			`{"type":"call.missed","url_id":"65f1c0ffee65f1c0ffee65f1","data":{"a":1}}`,
			events.Envelope{Format: events.FormatB, Type: "call.missed", Data: []byte(`{"a":1}`)},
		},
		{
			"data alone is the legacy form, with the type inside",
			`{"data":{"a":1,"type":"call.missed"}}`,
			events.Envelope{Format: events.FormatLegacy, Type: "call.missed", Data: []byte(`{"a":1,"type":"call.missed"}`)},
		},
		{
			"event wins over type",
			`{"type":"call.completed","event":"call.missed","data":{"type":"x"}}`,
			events.Envelope{Format: events.FormatA, Type: "call.missed", Data: []byte(`{"type":"x"}`)},
		},
		{
			"an event that is null leaves the type",
			`{"event":null,"type":"call.missed","data":{"a":1}}`,
			events.Envelope{Format: events.FormatB, Type: "call.missed", Data: []byte(`{"a":1}`)},
		},
		{
			"an event of the wrong type leaves the type",
			`{"event":["call.completed"],"type":"call.missed","data":{"a":1}}`,
			events.Envelope{Format: events.FormatB, Type: "call.missed", Data: []byte(`{"a":1}`)},
		},
		{
			"names are case-sensitive",
			`{"Type":"call.completed","EVENT":"x","event":"call.missed","Data":{"b":2},"data":{"a":1}}`,
			events.Envelope{Format: events.FormatA, Type: "call.missed", Data: []byte(`{"a":1}`), NewFields: []string{"Type", "EVENT", "Data"}},
		},
		{
			"names and types may be escaped",
			`{"\u0065vent":"call\u002emissed","d\u0061ta":{"a":1}}`,
			events.Envelope{Format: events.FormatA, Type: "call.missed", Data: []byte(`{"a":1}`)},
		},
		{
			"a type is taken as it stands",
			`{"type":" Call.Missed\u0000#","data":{"a":1}}`,
			events.Envelope{Format: events.FormatB, Type: " Call.Missed\x00#", Data: []byte(`{"a":1}`)},
		},
		{
			"members that no document mentions are new, in the order sent",
			`{"zeta":1,"event":"x","alpha":{"data":2},"data":{"a":1},"":3}`,
			events.Envelope{Format: events.FormatA, Type: "x", Data: []byte(`{"a":1}`), NewFields: []string{"zeta", "alpha", ""}},
		},
		{
			"data stays as it was written",
			"{\"event\":\"x\",\"data\" : \n{ \"b\" : 1.0 ,\t\"a\":\"\\u0041\" } }",
			events.Envelope{Format: events.FormatA, Type: "x", Data: []byte("{ \"b\" : 1.0 ,\t\"a\":\"\\u0041\" }")},
		},
		{
			"64 levels are allowed",
			nested(events.MaxDepth),
			events.Envelope{
				Format: events.FormatA, Type: marker,
				Data: []byte(strings.Repeat("[", 63) + strings.Repeat("]", 63)),
			},
		},
		{
			"many objects beside each other are not deep",
			`{"event":"x","data":[` + strings.Repeat(`{},[],`, 200) + `{}]}`,
			events.Envelope{Format: events.FormatA, Type: "x", Data: []byte(`[` + strings.Repeat(`{},[],`, 200) + `{}]`)},
		},
		{
			"brackets inside strings do not count as depth",
			`{"event":"x","data":{"a":"` + strings.Repeat(`\"[{`, 100) + `"}}`,
			events.Envelope{Format: events.FormatA, Type: "x", Data: []byte(`{"a":"` + strings.Repeat(`\"[{`, 100) + `"}`)},
		},
		{
			"brackets inside names do not count as depth",
			`{"event":"x","data":{"` + strings.Repeat(`[`, 100) + `":"\\"}}`,
			events.Envelope{Format: events.FormatA, Type: "x", Data: []byte(`{"` + strings.Repeat(`[`, 100) + `":"\\"}`)},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, around := range []string{"", " \r\n\t"} {
				body := around + test.body + around
				got := open(t, body)
				want := test.want
				want.Body = []byte(body)
				if diff := cmp.Diff(&want, got, cmpopts.IgnoreUnexported(events.Envelope{})); diff != "" {
					t.Errorf("envelope (-want +got):\n%s", diff)
				}
				if got.Probe() {
					t.Error("taken for a probe")
				}
			}
		})
	}
}

func TestProbesSayNothingThatCouldBeLost(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		body string
		want bool
	}{
		{"an empty body", "", true},
		{"white space", " \r\n\t", true},
		{"an empty object", "{}", true},
		{"an empty object with space in it", " { } ", true},
		{"a type and no data", `{"type":"call.completed"}`, true},
		{"an event and no data", `{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z"}`, true},
		{"an envelope of format B without data", `{"type":"call.missed","request_id":"x","webhook_url":"https://example.com","url_id":1}`, true},
		{"an empty type and no data", `{"event":""}`, true},
		{"data that is null", `{"type":"call.completed","data":null}`, true},
		{"data that is null, and no type", `{"data":null}`, true},
		{"data that is an empty object", `{"event":"call.missed","data":{}}`, true},
		{"data that is an empty object with space in it", "{\"event\":\"call.missed\",\"data\":{ \n}}", true},
		{"data that is an empty object, and no type", `{"data":{}}`, true},
		{"data that is an empty array", `{"type":"call.missed","data":[]}`, true},
		{"data that is an empty string", `{"type":"call.missed","data":""}`, true},
		{"a mark of a test for data", `{"type":"call.missed","request_id":"x","webhook_url":"https://example.com","url_id":1,"data":{"test":true}}`, true},
		{"a mark of a test for data, in format A", `{"event":"call.missed","data":{"test":true}}`, true},
		{"a mark of a test for data, as text", `{"type":"call.missed","data":{"Test":"true"}}`, true},
		{"a mark of a test for data, as a number", `{"type":"call.missed","data":{ "test" : 1 }}`, true},
		{"a mark of a test without data", `{"type":"call.missed","test":true}`, true},
		{"a mark of a test and nothing else", `{"test":true}`, true},

		{"data that says it is a test", `{"type":"call.missed","data":{"test":true}}`, true},
		{"data that says so in words", `{"type":"call.missed","request_id":"x","data":{"ping":"pong","test":null}}`, true},
		{"a test without a type", `{"test":true}`, true},
		{"a challenge", `{"challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}`, true},
		{"an event that is a test at the top level", `{"event":"call.missed","test":1}`, true},
		{"an empty list", `[]`, true},
		{"a list of nothing", `[{}]`, true},
		{"a byte order mark", "\ufeff", true},
		{"a byte order mark before an empty object", "\ufeff{}", true},

		{"a test in capitals", `{"type":"call.missed","data":{"Test":"true"}}`, true},
		{"a test as a number", `{"type":"call.missed","data":{ "test" : 1 }}`, true},
		{"a test at the top and in the data", `{"test":true,"data":{"test":true}}`, true},

		{"a test beside a call at the top level", `{"type":"call.missed","call_sid":"CA01","data":{"test":true}}`, false},
		{"a test beside Data", `{"type":"call.missed","data":{"test":true},"Data":{"call_sid":"CA01"}}`, false},
		{"a test that is a number of a person", `{"type":"call.missed","data":{"test":"+1 415 555 0120"}}`, false},
		{"a test with something in it", `{"type":"call.missed","data":{"test":{"call_id":"c1"}}}`, false},
		{"a test with a call", `{"type":"call.missed","data":{"test":true,"call_id":"c1"}}`, false},
		{"a test with much text", `{"type":"call.missed","data":{"test":"` + strings.Repeat("x", 100) + `"}}`, false},
		{"a flat call without a type", `{"call_id":"c","from":"+14155550123","status":"missed"}`, false},
		{"a call in a wrapper", `{"payload":{"call_id":"c"}}`, false},
		{"a mark of a test and an id", `{"type":"call.missed","data":{"test":true,"call_sid":"CA01"}}`, false},
		{"a mark of a test and an id beside the data", `{"type":"call.missed","call_sid":"CA01","data":{"test":true}}`, false},
		{"a mark of a test that is an object", `{"type":"call.missed","data":{"test":{"call_sid":"CA01"}}}`, false},
		{"a mark of a test beside the data that is an object", `{"type":"call.missed","test":{"call_sid":"CA01"}}`, false},
		{"data with one member", `{"type":"call.missed","data":{"a":null}}`, false},
		{"data with an empty name", `{"type":"call.missed","data":{"":""}}`, false},
		{"data that is an array of nothing much", `{"type":"call.missed","data":[null]}`, false},
		{"data that is false", `{"type":"call.missed","data":false}`, false},
		{"data that is zero", `{"type":"call.missed","data":0}`, false},
		{"data that is text", `{"type":"call.missed","data":"missed"}`, false},
		{"a flat event without data", `{"event":"call.missed","call_id":"call_1","from":"+14155558765"}`, false},
		{"a flat event with empty data", `{"event":"call.missed","call_id":"call_1","data":{}}`, false},
		{"Data with a capital", `{"event":"call.missed","Data":{"call_id":"call_1"}}`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := open(t, test.body)
			if got := e.Probe(); got != test.want {
				t.Errorf("probe: got %v, want %v", got, test.want)
			}
			if e.Decode() == nil { // A caller may decode before it asks.
				t.Error("no delivery")
			}
		})
	}
}

func TestOpenAndDecodeLeaveTheBodyAlone(t *testing.T) {
	t.Parallel()
	for _, s := range samples(t) {
		body := bytes.Clone(s.body)
		e, err := events.Open(body)
		if err != nil {
			t.Fatal(err)
		}
		d := e.Decode()
		for _, f := range d.Fields {
			_ = append(f.Value, "overwritten"...)
		}
		_ = append(d.Data, "overwritten"...)
		_ = append(d.Timestamp, "overwritten"...)
		if !bytes.Equal(body, s.body) {
			t.Errorf("%s: the body has changed", s.name())
		}
		if &d.Body[0] != &body[0] || len(d.Body) != len(body) {
			t.Errorf("%s: Body is not the body as given", s.name())
		}
	}
}

func TestWhatStandsBesideEmptyDataIsNoProbe(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"event":"call.missed","metadata":{"call_id":"c1"}}`,
		`{"type":"call.missed","request_id":{"call_id":"c1"},"data":{}}`,
		`{"event":"call.missed","type":{"call_id":"c1"}}`,
		`{"event":"call.missed","call_id":"c1"}`,
	} {
		if open(t, body).Probe() {
			t.Errorf("%s is taken for a probe and lost", body)
		}
	}
}

func TestNeitherTypeNorDataButSomethingIsAnErrorOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"type":5}`, `{"a":"c1"}`, `{"test":true,"a":1,"data":{}}`} {
		if _, err := events.Open([]byte(body)); !errors.Is(err, events.ErrNoTypeNoData) || !errors.Is(err, events.ErrNoType) {
			t.Errorf("%s: got %v, want ErrNoTypeNoData, an ErrNoType", body, err)
		}
	}
}
