package ingest_test

import (
	"bytes"
	"compress/gzip"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
)

// private is in bad inputs where a person's words would be, but not in their ids:
// keys may be logged.
const private = "Pat-of-Globex"

// badInput is a body that no document mentions.
type badInput struct {
	name, body string
	// pk is the partition if it is stored as an event; "" means that it is
	// refused with 400 and stored as a rejection.
	pk string
	// sk is the beginning of the sort key, where it matters.
	sk string
	// fault is in the answer's text.
	fault string
}

// withID and withTime make a call.missed with any JSON for id or timestamp.
func withID(id string) string {
	return `{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":{"call_id":` + id + `,"notes":"` + private + `"}}`
}

func withTime(timestamp string) string {
	return `{"event":"call.missed","timestamp":` + timestamp + `,"data":{"call_id":"c1","notes":"` + private + `"}}`
}

func badInputs() []badInput {
	const (
		noTime = "EVENT#0000-00-00T00:00:00.000Z#call.missed#"
		syntax = "not valid JSON"
	)
	nested := func(levels int) string { // the body itself being level 1
		return `{"event":"call.missed","data":` + strings.Repeat("[", levels-1) + strings.Repeat("]", levels-1) + `}`
	}
	return []badInput{
		// Nesting.
		{name: "10 000 levels of lists", body: nested(10_000), fault: "nested deeper than 64 levels"},
		{name: "10 000 levels of objects", body: strings.Repeat(`{"data":`, 10_000) + "1" + strings.Repeat("}", 10_000), fault: "nested deeper than 64 levels"},
		{name: "10 000 levels that never close", body: strings.Repeat("[", 10_000), fault: "nested deeper than 64 levels"},
		{name: "100 000 levels that never close", body: strings.Repeat(`{"":`, 100_000), fault: "nested deeper than 64 levels"},
		{name: "65 levels", body: nested(65), fault: "nested deeper than 64 levels"},
		{name: "64 levels", body: nested(64), pk: "EVENT#call.missed"},
		{name: "brackets in a text do not nest", body: withID(`"c1","body":"\"` + strings.Repeat("[{", 100) + `"`), pk: "CALL#c1"},
		{name: "closing brackets only", body: strings.Repeat("]}", 100), fault: syntax},

		// Names.
		{name: "a name twice", body: `{"event":"call.missed","data":{"call_id":"c1"},"data":{"call_id":"c2","notes":"` + private + `"}}`, pk: "CALL#c2"},
		{name: "a name twice in the data", body: withID(`"c1","call_id":"c2"`), pk: "CALL#c2"},
		{name: "a name twice deep inside", body: withID(`"c1","tags":[[{"a":1,"a":2}]]`), pk: "CALL#c1"},
		{name: "a name twice, once escaped", body: withID(`"c1","call\u005fid":"c2"`), pk: "CALL#c2"},
		{name: "two names in two letter cases are two names", body: withID(`"c1","CALL_ID":"c2"`), pk: "CALL#c1"},
		{name: "an empty name", body: withID(`"c1","":"` + private + `","tags":[{"":1}]`), pk: "CALL#c1"},
		{name: "our own names", body: withID(`"c1","PK":"x","SK":1,"expires_at":1,"GSI1PK":"x"`), pk: "CALL#c1"},
		{name: "a name of 100 KB", body: withID(`"c1","` + strings.Repeat("n", 100<<10) + `":1`), pk: "CALL#c1"},
		{name: "10 000 members", body: withID(`"c1"` + manyMembers(10_000)), pk: "CALL#c1"},

		// Characters.
		{name: "not UTF-8", body: withID("\"c1\",\"notes2\":\"\xff\xfe\""), pk: "CALL#c1"},
		{name: "not UTF-8 in a name", body: withID("\"c1\",\"\xc3\":1"), pk: "CALL#c1"},
		{name: "overlong UTF-8", body: withID("\"c1\",\"x\":\"\xc0\xaf\""), pk: "CALL#c1"},
		{name: "UTF-8 cut short", body: withID("\"c\xe2\x82\""), pk: "CALL#c\uFFFD\uFFFD"},
		{name: "half a surrogate pair", body: withID(`"\ud800"`), pk: "CALL#\uFFFD"},
		{name: "Latin-1", body: withID("\"c1\",\"x\":\"Jos\xe9\""), pk: "CALL#c1"},
		{name: "UTF-16, cut short", body: "\xff\xfe{\x00\"\x00", fault: "not valid UTF-8"},
		{name: "a byte order mark", body: "\ufeff" + withID(`"c1"`), pk: "CALL#c1"},
		{name: "a control character in a text", body: withID("\"c\n1\""), pk: "CALL#c%0A1"},
		{name: "a NUL between members", body: "{\x00}", fault: syntax},
		{name: "NULs", body: strings.Repeat("\x00", 100), fault: syntax},
		{name: "gzip, cut short", body: packed(withID(`"c1"`))[:40], fault: "not valid UTF-8"},
		{name: "gzip", body: packed(withID(`"c1"`)), fault: "not valid UTF-8"},

		// What is not JSON.
		{name: "words", body: private, fault: syntax},
		{name: "a form", body: "event=call.missed&call_id=c1&notes=" + private, pk: "CALL#c1"},
		{name: "a form without an event", body: "a=1&notes=" + private, fault: syntax},
		{name: "a form without data", body: "event=call.missed", fault: syntax},
		{name: "XML", body: "<event>" + private + "</event>", fault: syntax},
		{name: "single quotes", body: `{'event':'call.missed'}`, fault: syntax},
		{name: "a comma at the end", body: withID(`"c1",`), pk: "CALL#c1"},
		{name: "a comment", body: `{} // ` + private, fault: syntax},
		{name: "NaN", body: withID(`NaN`), pk: "EVENT#call.missed"},
		{name: "a number with a zero before it", body: withID(`007`), pk: "CALL#007"},
		{name: "an object and a number", body: withID(`"c1"`) + "\n2", fault: syntax},
		{name: "single quotes", body: `{'event':'call.missed','data':{'call_id':'` + private + `'}}`, fault: syntax},
		{name: "names without quotes", body: `{event:"call.missed",data:{call_id:"c1"}}`, fault: syntax},
		{name: "HTML entities for quotes", body: `{&quot;event&quot;:&quot;call.missed&quot;}`, fault: syntax},
		{name: "cut short", body: withID(`"c1"`)[:80], fault: syntax},

		// What is not an object.
		{name: "null", body: `null`, fault: "not a JSON object"},
		{name: "a number", body: `1`, fault: "not a JSON object"},
		{name: "a text", body: `"` + private + `"`, fault: "not a JSON object"},
		{name: "an empty text", body: `""`, fault: "not a JSON object"},
		{name: "a list of numbers", body: `[1,2]`, fault: "not a JSON object"},
		{name: "a list of texts", body: `["` + private + `"]`, fault: "not a JSON object"},
		{name: "a list cut short", body: `[` + private, fault: syntax},

		// What has no type.
		{name: "no type", body: `{"data":{"a":"` + private + `"}}`, fault: "no event type"},
		{name: "no type, but a call", body: `{"data":{"call_id":"c1","notes":"` + private + `"}}`, pk: "CALL#c1"},
		{name: "an empty type", body: `{"event":"","type":"","data":{"type":"","call_id":"c1"}}`, pk: "CALL#c1"},
		{name: "a type that is null", body: `{"event":null,"data":{"call_id":"c1"}}`, pk: "CALL#c1"},
		{name: "a type that is a number", body: `{"event":7,"data":{"call_id":"c1"}}`, pk: "CALL#c1"},
		{name: "a type that is an object", body: `{"event":{"event":"call.missed"},"data":{"call_id":"c1"}}`, pk: "CALL#c1"},
		{name: "a type under a name in capitals", body: `{"Event":"call.missed","data":{"call_id":"c1"}}`, pk: "CALL#c1"},

		// Types.
		{name: "a type with control characters", body: `{"event":"a\u0000\n\u001b[31m","data":{"x":1}}`, pk: "EVENT#a%00%0A%1B[31m"},
		{name: "a type with #", body: `{"event":"a#b#","data":{"x":1}}`, pk: "EVENT#a#b#"},
		{name: "a type of white space", body: `{"event":" ","data":{"x":1}}`, pk: "EVENT# "},
		{name: "a type in capitals keeps them in its key", body: `{"event":"CALL.MISSED","data":{"x":1}}`, pk: "EVENT#CALL.MISSED"},
		{name: "a type that is somebody's number", body: `{"event":"+14155550177","data":{"x":1}}`, pk: "EVENT#+14155550177"},
		{name: "a type of 100 KB", body: `{"event":"` + strings.Repeat("t", 100<<10) + `","data":{"x":1}}`, pk: "EVENT#sha256-" + longHash(strings.Repeat("t", 100<<10))},
		{name: "both formats at once", body: `{"event":"call.missed","type":"call.completed","data":{"call_id":"c1"}}`, pk: "CALL#c1"},

		// Ids.
		{name: "an id with a NUL", body: withID(`"a\u0000b"`), pk: "CALL#a%00b"},
		{name: "an id that is a NUL", body: withID(`"\u0000"`), pk: "EVENT#call.missed"},
		{name: "an id with a NUL", body: withID(`"\u0000c1"`), pk: "CALL#%00c1"},
		{name: "an id with control characters", body: withID(`"\u0001\t\r\n\u001bc\u007f"`), pk: "CALL#%01%09%0D%0A%1Bc%7F"},
		{name: "an id with #", body: withID(`"CALL#c1#"`), pk: "CALL#CALL#c1#"},
		{name: "an id with %", body: withID(`"100%"`), pk: "CALL#100%25"},
		{name: "an id as number", body: withID(`98765`), pk: "CALL#98765"},
		{name: "an id as text", body: withID(`"98765"`), pk: "CALL#98765"},
		{name: "an id as float", body: withID(`98765.0`), pk: "CALL#98765"},
		{name: "an id with an exponent", body: withID(`9.8765e4`), pk: "CALL#98765"},
		{name: "an id that is no whole number", body: withID(`1.5`), pk: "CALL#1.5"},
		{name: "an id below zero", body: withID(`-1`), pk: "EVENT#call.missed"},
		{name: "an id of 40 digits", body: withID(strings.Repeat("9", 40)), pk: "CALL#" + strings.Repeat("9", 40)},
		{name: "an id beyond every float", body: withID(`1e400`), pk: "CALL#1e400"},
		{name: "an id of 3 000 digits", body: withID(strings.Repeat("9", 3000)), pk: "CALL#sha256-" + longHash(strings.Repeat("9", 3000))},
		{name: "a null id", body: withID(`null`), pk: "EVENT#call.missed"},
		{name: "an empty id", body: withID(`""`), pk: "EVENT#call.missed"},
		{name: "an id of white space", body: withID(`" \t"`), pk: "EVENT#call.missed"},
		{name: "an id that is true", body: withID(`true`), pk: "EVENT#call.missed"},
		{name: "an id that is a list", body: withID(`["c1"]`), pk: "EVENT#call.missed"},
		{name: "an id that is an object", body: withID(`{"id":"c1"}`), pk: "EVENT#call.missed"},
		{name: "an id of 3 000 characters", body: withID(`"` + strings.Repeat("x", 3000) + `"`), pk: "CALL#sha256-" + longHash(strings.Repeat("x", 3000))},
		{name: "an id of 3 000 NULs", body: withID(`"` + strings.Repeat(`\u0000`, 3000) + `c"`), pk: "CALL#sha256-" + longHash(strings.Repeat("%00", 3000)+"c")},
		{name: "an id beyond ASCII", body: withID(`"\ud83d\ude00é"`), pk: "CALL#😀é"},

		// Times.
		{name: "a time with an offset", body: withTime(`"2026-03-12T17:30:00+05:30"`), pk: "CALL#c1", sk: "EVENT#2026-03-12T12:00:00.000Z#"},
		{name: "a time with an offset that is tomorrow", body: withTime(`"2026-03-12T23:00:00-08:00"`), pk: "CALL#c1", sk: "EVENT#2026-03-13T07:00:00.000Z#"},
		{name: "a time without a zone", body: withTime(`"2026-03-12T14:32:00"`), pk: "CALL#c1", sk: "EVENT#2026-03-12T14:32:00.000Z#"},
		{name: "a time with an unpadded hour", body: withTime(`"2026-03-12 9:32:00"`), pk: "CALL#c1", sk: "EVENT#2026-03-12T09:32:00.000Z#"},
		{name: "a time with nanoseconds", body: withTime(`"2026-03-12T14:32:00.123999999Z"`), pk: "CALL#c1", sk: "EVENT#2026-03-12T14:32:00.123Z#"},
		{name: "seconds since 1970", body: withTime(`1773325920`), pk: "CALL#c1", sk: "EVENT#2026-03-12T14:32:00.000Z#"},
		{name: "milliseconds since 1970", body: withTime(`"1773325920000"`), pk: "CALL#c1", sk: "EVENT#2026-03-12T14:32:00.000Z#"},
		{name: "year 0", body: withTime(`"0000-01-01T00:00:00Z"`), pk: "CALL#c1", sk: "EVENT#0000-00-00T00:00:00.000Z#"},
		{name: "before year 0", body: withTime(`"0000-01-01T00:00:00+14:00"`), pk: "CALL#c1", sk: noTime},
		{name: "year 1", body: withTime(`"0001-01-01T00:00:00Z"`), pk: "CALL#c1", sk: noTime},
		{name: "year 9999", body: withTime(`"9999-12-31T23:59:59.999Z"`), pk: "CALL#c1", sk: "EVENT#9999-12-31T23:59:59.999Z#"},
		{name: "after year 9999", body: withTime(`"9999-12-31T23:59:59-01:00"`), pk: "CALL#c1", sk: noTime},
		{name: "year 10000", body: withTime(`"10000-01-01T00:00:00Z"`), pk: "CALL#c1", sk: noTime},
		{name: "the 30th of February", body: withTime(`"2026-02-30T00:00:00Z"`), pk: "CALL#c1", sk: noTime},
		{name: "not a time", body: withTime(`"yesterday, ` + private + `"`), pk: "CALL#c1", sk: noTime},
		{name: "an empty time", body: withTime(`""`), pk: "CALL#c1", sk: noTime},
		{name: "a time that is null", body: withTime(`null`), pk: "CALL#c1", sk: noTime},
		{name: "a time that is an object", body: withTime(`{"iso":"2026-03-12T14:32:00Z"}`), pk: "CALL#c1", sk: noTime},
		{name: "a number that is no time", body: withTime(`1e400`), pk: "CALL#c1", sk: noTime},
		{name: "a time that is far too long", body: withTime(`"` + strings.Repeat("9", 100_000) + `"`), pk: "CALL#c1", sk: noTime},
		{name: "format B's date that is none", body: `{"type":"call.missed","data":{"call_sid":"c1","call_date":"2026-13-45","call_time":"25:61:61"}}`, pk: "CALL#c1", sk: noTime},
		{name: "format B's date that is an object", body: `{"type":"call.missed","data":{"call_sid":"c1","call_date":{},"call_time":[]}}`, pk: "CALL#c1", sk: noTime},
		{name: "format B's request_id of another form", body: `{"type":"call.missed","request_id":"` + strings.Repeat("Z", 26) + `","data":{"call_sid":"c1"}}`, pk: "CALL#c1", sk: noTime},
		{name: "format B's request_id that is an object", body: `{"type":"call.missed","request_id":{},"data":{"call_sid":"c1"}}`, pk: "CALL#c1", sk: noTime},

		// Numbers and shapes.
		{name: "numbers beyond the table's", body: withID(`"c1","duration":1e400,"cost_incurred":` + strings.Repeat("9", 400) + `,"tags":[-1e-400]`), pk: "CALL#c1"},
		{name: "every member an object", body: `{"event":"call.missed","timestamp":{},"data":{"call_id":"c1","direction":{},"from":{},"to":{},"agent_id":{},"status":{}}}`, pk: "CALL#c1"},
		{name: "call_info that is a text", body: `{"type":"call.missed","data":{"call_sid":"c1","call_info":"` + private + `","call_duration":[]}}`, pk: "CALL#c1"},
		{name: "data that is a text", body: `{"event":"call.missed","data":"` + private + `"}`, pk: "EVENT#call.missed"},
		{name: "data that is false", body: `{"event":"call.missed","data":false}`, pk: "EVENT#call.missed"},
		{name: "data that is 0", body: `{"event":"call.missed","data":0}`, pk: "EVENT#call.missed"},
		{name: "data that is JSON in a text", body: `{"event":"call.missed","data":"{\"call_id\":\"c1\"}"}`, pk: "CALL#c1"},
		{name: "deeper than an attribute may be", body: withID(`"c1","tags":` + strings.Repeat("[", 60) + strings.Repeat("]", 60)), pk: "CALL#c1"},
	}
}

func manyMembers(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`,"m`)
		b.WriteString(strings.Repeat("x", i%7))
		b.WriteString(jsontext.Int(int64(i)).String())
		b.WriteString(`":1`)
	}
	return b.String()
}

func packed(body string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(body))
	_ = w.Close()
	return b.String()
}

func TestBadInputGetsAClearAnswerAndIsKept(t *testing.T) {
	t.Parallel()
	for _, tc := range badInputs() {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			store := &tabletest.Memory{}
			r := post(tc.body)
			got := newHandler(t, store, valid(credential.Secret{Token: token}), nil).Handle(t.Context(), r)
			item := store.One(t)
			if store.Puts() != 1 {
				t.Errorf("%d writes, want one", store.Puts())
			}
			if tc.pk == "" {
				if got.Status != http.StatusBadRequest || !strings.Contains(string(got.Body), tc.fault) {
					t.Errorf("response %d %s, want 400 with %q", got.Status, got.Body, tc.fault)
				}
				if strings.Contains(string(got.Body), private) {
					t.Errorf("the answer has content in it: %s", got.Body)
				}
				reason := strings.TrimSuffix(strings.TrimPrefix(string(got.Body), `{"error":"`), `"}`)
				if diff := cmp.Diff(rejected(r, reason), rejectionOf(t, item)); diff != "" {
					t.Errorf("rejection (-want +got):\n%s", diff)
				}
				return
			}
			if want := `{"status":"stored","key":` + quote(tc.pk) + `}`; got.Status != http.StatusOK || string(got.Body) != want {
				t.Errorf("response %d %.200s, want 200 %.200s", got.Status, got.Body, want)
			}
			if pk, sk := text(item[table.PK]), text(item[table.SK]); pk != tc.pk || !strings.HasPrefix(sk, tc.sk) {
				t.Errorf("key %q %q, want %q %q…", pk, sk, tc.pk, tc.sk)
			}
			if payload(t, item) != tc.body {
				t.Error("the payload is not the body")
			}
		})
	}
}

// noise is text of n letters that does not compress below three quarters.
func noise(n int) string {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // G404: the same every time
	letters := make([]byte, n)
	for i := range letters {
		letters[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[random.IntN(64)]
	}
	return string(letters)
}

func TestLargeBodies(t *testing.T) {
	t.Parallel()
	voicemail := func(size int, transcription func(n int) string) string {
		const before, after = `{"event":"voicemail.received","timestamp":"2026-03-12T14:40:00Z","data":{"call_id":"c1","transcription":"`, `"}}`
		return before + transcription(size-len(before)-len(after)) + after
	}
	words := func(n int) string { return strings.Repeat("Please call me back. ", n/21+1)[:n] }
	for _, tc := range []struct {
		name, body   string
		status, puts int
	}{
		{"5 MB of words are stored", voicemail(5<<20, words), 200, 1},
		{"just at the limit", voicemail(ingest.MaxBody, words), 200, 1},
		{"one over the limit", voicemail(ingest.MaxBody+1, words), 413, 0},
		{"500 KB of noise are stored", voicemail(500<<10, noise), 200, 1},
		{"1 MB of noise does not fit", voicemail(1<<20, noise), 413, 1},
		{"1 MB that is no JSON does not fit either", noise(1 << 20), 413, 1},
		{"5 MB that are no JSON, but fit, are kept", words(5 << 20), 400, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && len(tc.body) > 1<<20 && tc.puts > 0 {
				t.Skip("it takes seconds")
			}
			store, log := &tabletest.Memory{}, &bytes.Buffer{}
			got := newHandler(t, store, valid(credential.Secret{Token: token}), log).Handle(t.Context(), post(tc.body))
			if got.Status != tc.status || store.Puts() != tc.puts {
				t.Errorf("status %d after %d writes, want %d after %d", got.Status, store.Puts(), tc.status, tc.puts)
			}
			if tc.status == http.StatusRequestEntityTooLarge {
				if len(store.Items()) != 0 {
					t.Error("something is kept all the same")
				}
				if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(), digest([]byte(tc.body))) {
					t.Errorf("log has %d lines, want one with the digest:\n%s", lines, log)
				}
				return
			}
			if payload(t, store.One(t)) != tc.body {
				t.Error("the payload is not the body")
			}
		})
	}
}

// HTTP allows any byte but a line break in a header's value, and a client may
// send it to the one-machine server as it is.
func TestARejectionIsKeptWhateverItsHeadersHold(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"not UTF-8": "\xff\xfe",
		"Latin-1":   "Jos\xe9",
		"10 KB":     strings.Repeat("v", 10<<10),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, header := range []string{"x-justcall-signature", "x-justcall-signature-version", "x-justcall-request-timestamp", "content-type"} {
				store := &tabletest.Memory{}
				r := post(missedB)
				r.Headers[header] = value
				got := newHandler(t, store, valid(credential.Secret{Token: token, SigningSecret: signingSecret}), nil).Handle(t.Context(), r)
				if got.Status != http.StatusUnauthorized {
					t.Errorf("%s: status %d %s, want 401", header, got.Status, got.Body)
				}
				if payload(t, store.One(t)) != missedB {
					t.Error("the payload is not the body")
				}
			}
		})
	}
}
