package events_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
)

// The missed call that every body here has in it: plainA and plainB as they are
// documented, callA and callB their data.
const (
	callA  = `{"call_id":"c1","direction":"inbound","from":"+14155550123","to":"+14155551234","status":"missed"}`
	plainA = `{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":` + callA + `}`
	callB  = `{"call_sid":"c1","contact_number":"14155550123","justcall_number":"14155551234","call_date":"2026-03-12","call_time":"14:32:00","call_info":{"direction":"Incoming","type":"missed"}}`
	plainB = `{"type":"call.missed","request_id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","data":` + callB + `}`
)

// named returns a missed call whose contact_name is the JSON string.
func named(quoted string) string {
	return `{"event":"call.missed","data":{"call_id":"c1","contact_name":` + quoted + `,"from":"+14155550123","direction":"inbound"}}`
}

// in16 returns text as UTF-16 in one of the byte orders.
func in16(text string, bigEndian, mark bool) string {
	units := utf16.Encode([]rune(text))
	if mark {
		units = append([]uint16{0xFEFF}, units...)
	}
	var b []byte
	for _, u := range units {
		if bigEndian {
			b = binary.BigEndian.AppendUint16(b, u)
		} else {
			b = binary.LittleEndian.AppendUint16(b, u)
		}
	}
	return string(b)
}

func in64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// multi returns a multipart body of names and values.
func multi(fields ...string) string {
	var body strings.Builder
	for field := range slices.Chunk(fields, 2) {
		fmt.Fprintf(&body, "--b0\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", field[0], field[1])
	}
	return body.String() + "--b0--\r\n"
}

// damaged are bodies with the missed call c1 in them.
var damaged = []struct {
	name, body string
	damage     []string
	contact    string // the contact's name, where it matters
}{
	// Characters.
	{"half an emoji at the end of a name", named(`"Pat \ud83d"`), []string{"surrogate"}, "Pat \uFFFD"},
	{"the other half", named(`"\udc00 Pat"`), []string{"surrogate"}, "\uFFFD Pat"},
	{"half an emoji before a whole one", named(`"\ud83d\ud83d\ude00"`), []string{"surrogate"}, "\uFFFD😀"},
	{"halves in the wrong order", named(`"\ude00\ud83d"`), []string{"surrogate"}, "\uFFFD\uFFFD"},
	{"half an emoji before another escape", named(`"\uD83D\n\u0041"`), []string{"surrogate"}, "\uFFFD\nA"},
	{"half an emoji in a name", `{"event":"call.missed","data":{"\ud83d":1,"call_id":"c1","from":"+14155550123"}}`, []string{"surrogate"}, ""},
	{"Latin-1", named("\"Andr\xe9\""), []string{"utf-8"}, "Andr\uFFFD"},
	{"Windows-1252", named("\"O\x92Brien\""), []string{"utf-8"}, "O\uFFFDBrien"},
	{"UTF-8 cut short", named("\"Pat \xe2\x82\""), []string{"utf-8"}, "Pat \uFFFD\uFFFD"},
	{"overlong UTF-8", named("\"Pat\xc0\x80\""), []string{"utf-8"}, "Pat\uFFFD\uFFFD"},
	{"a surrogate as UTF-8", named("\"\xed\xa0\xbd\""), []string{"utf-8"}, "\uFFFD\uFFFD\uFFFD"},
	{"no UTF-8 in a name", "{\"event\":\"call.missed\",\"data\":{\"n\xffx\":1,\"call_id\":\"c1\",\"from\":\"+14155550123\"}}", []string{"utf-8"}, ""},
	{"a raw newline", named("\"Pat\nGlobex\""), []string{"control character"}, "Pat\nGlobex"},
	{"a raw tab", named("\"Pat\tGlobex\""), []string{"control character"}, "Pat\tGlobex"},
	{"a raw NUL", named("\"Pat\x00Globex\""), []string{"control character"}, "Pat\x00Globex"},
	{"a raw escape character", named("\"\x1b[31mPat\""), []string{"control character"}, "\x1b[31mPat"},
	{"an escape that JSON does not have", named(`"O\'Brien"`), []string{"escape"}, `O\'Brien`},
	{"a short escape", named(`"\u12 Pat\x41"`), []string{"escape"}, `\u12 Pat\x41`},
	{"a line that goes on", named("\"Pat \\\nGlobex\""), []string{"control character", "escape"}, "Pat \\\nGlobex"},
	{"a byte order mark", "\ufeff" + plainA, []string{"bom"}, ""},
	{"a byte order mark in white space", "\n\ufeff\r\n" + plainB, []string{"bom"}, ""},
	{"a byte order mark that was encoded once more", "\u00ef\u00bb\u00bf" + plainA, []string{"bom"}, ""},
	{"marks without width", "\u200b\u2060\u200e\u200f\n" + plainB, []string{"bom"}, ""},
	{"a no-break space", "\u00a0" + plainA, []string{"bom"}, ""},
	{"two byte order marks", "\ufeff\ufeff" + plainB, []string{"bom"}, ""},
	{"UTF-16, little-endian", in16(named(`"Zoë 😀"`), false, true), []string{"utf-16"}, "Zoë 😀"},
	{"UTF-16, big-endian", in16(named(`"Zoë 😀"`), true, true), []string{"utf-16"}, "Zoë 😀"},
	{"UTF-16 without a mark", in16(plainA, false, false), []string{"utf-16"}, ""},
	{"UTF-16 of brackets' bytes", in16(named(`"`+strings.Repeat("\u5b5b", 100)+`"`), true, true), []string{"utf-16"}, strings.Repeat("\u5b5b", 100)},
	{"a NUL at the end", plainA + "\x00", []string{"nul"}, ""},
	{"NULs and white space at the end", plainA + " \x00\x00\r\n", []string{"nul"}, ""},
	{"an uncleared buffer", plainA + "\x00" + plainA[40:], []string{"nul"}, ""},
	{"blanks around", " \r\n\t" + plainA + "  \n", nil, ""},

	// Values and names.
	{"NaN", strings.Replace(plainA, `"status":`, `"cost_incurred":NaN,"status":`, 1), []string{"nan"}, ""},
	{"nan in a list", strings.Replace(plainA, `"status":`, `"tags":[nan,-Infinity , +inf,undefined],"status":`, 1), []string{"nan"}, ""},
	{"Infinity", strings.Replace(plainB, `"call_info":`, `"cost_incurred":Infinity,"call_info":`, 1), []string{"nan"}, ""},
	{"-Infinity", strings.Replace(plainB, `"call_info":`, `"cost_incurred":-Infinity,"call_info":`, 1), []string{"nan"}, ""},
	{"event twice: the last counts", `{"event":"call.completed",` + plainA[1:], []string{"duplicate name"}, ""},
	{"data twice: the last counts", `{"data":{"call_id":"other"},` + plainA[1:], []string{"duplicate name"}, ""},
	{"an id twice: the last counts", strings.Replace(plainA, `{"call_id":`, `{"call_id":"other","call_id":`, 1), []string{"duplicate name"}, ""},
	{"an id three times, once escaped", strings.Replace(plainA, `{"call_id":`, `{"call_id":1,"call\u005fid":[{"a":1,"a":2}],"call_id":`, 1), []string{"duplicate name"}, ""},
	{"a name twice, deep", strings.Replace(plainA, `"status":`, `"tags":[{"a":{"b":1,"c":2,"b":3}}],"status":`, 1), []string{"duplicate name"}, ""},
	{"all at once", "\ufeff" + `{"event":"x",` + strings.Replace(plainA[1:], `"status":`, "\"contact_name\":\"\\ud83d \xff \n\",\"n\":NaN,\"status\":", 1) + "\x00", []string{"bom", "utf-8", "surrogate", "control character", "nan", "nul", "duplicate name"}, "\uFFFD \uFFFD \n"},

	{"an empty event behind", strings.Replace(plainA, `"data":`, `"event":"","data":`, 1), []string{"duplicate name"}, ""},
	{"no data behind", plainA[:len(plainA)-1] + `,"data":null}`, []string{"duplicate name"}, ""},
	{"empty data behind", plainA[:len(plainA)-1] + ` , "data" : { } }`, []string{"duplicate name"}, ""},
	{"a test behind", plainA[:len(plainA)-1] + `,"data":{"test":true,"ping":1},"data":[],"x":1}`, []string{"duplicate name"}, ""},
	{"a placeholder behind", strings.Replace(plainA, `"status":`, `"call_id":"null","from":"","status":`, 1), []string{"duplicate name"}, ""},
	{"nothing behind, twice and deep", `{"data":{"data":{"x":{"a":{"b":1},"a":null,"a":""},"x":null,` + callA[1:] + `,"data":null,"data":{}},"event":"call.missed"}`, []string{"duplicate name", "wrapped"}, ""},

	{"True, False and None", strings.Replace(plainA, `"status":`, `"tags":[True,FALSE,None,NULL,nil,true],"status":`, 1), []string{"nan"}, ""},
	{"a number with a plus", strings.Replace(plainA, `"+14155550123"`, `+14155550123`, 1), []string{"number"}, ""},
	{"numbers with zeros in front", strings.Replace(plainA, `"status":`, `"agent_id":007,"tags":[ 00, 01 ,0,0.5,10],"status":`, 1), []string{"number"}, ""},
	{"a comma before the end", plainA[:len(plainA)-1] + " , \n}", []string{"comma"}, ""},
	{"commas before the end of data and behind all", strings.Replace(plainA, `}}`, `,},},`, 1), []string{"comma"}, ""},
	{"commas in front and twice", `{,` + strings.Replace(plainA[1:], `"status":`, `"tags":[,1,,2,,],,"status":`, 1), []string{"comma"}, ""},
	{"no values", strings.Replace(plainA, `"status":`, `"agent_id":,"agent_name": ,"status":`, 1)[:len(plainA)+len(`"agent_id":,"agent_name": ,`)-1] + `,"metadata":}`, []string{"comma"}, ""},

	// Envelopes in another letter case.
	{"Event and Data", `{"Event":"call.missed","Timestamp":"2026-03-12T14:32:00Z","Data":` + callA + `}`, []string{"letter case"}, ""},
	{"EVENT and DATA", `{"EVENT":"call.missed","DATA":` + callA + `}`, []string{"letter case"}, ""},
	{"Type, Request_ID and Data", `{"Type":"call.missed","Request_ID":"01ARZ3NDEKTSV4RRFFQ69G5FAV","Data":` + callB + `}`, []string{"letter case"}, ""},
	{"event and Data", `{"event":"call.missed","Data":` + callA + `}`, []string{"letter case"}, ""},
	{"Event and data", `{"Event":"call.missed","data":` + callA + `}`, []string{"letter case"}, ""},
	{"an event that is an object", `{"event":{"id":"e1","name":"call.missed"},"data":` + callA + `}`, []string{"letter case"}, ""},
	{"an event that is a list", `{"event":["call.missed"],"data":` + callA + `}`, []string{"letter case"}, ""},
	{"a type that is an object", `{"type":{"value":"call.missed"},"data":` + callB + `}`, []string{"letter case"}, ""},
	{"an event that is an object with the data", `{"event":{"name":"call.missed","data":` + callA + `}}`, []string{"wrapped", "letter case"}, ""},
	{"an event that is an object beside the call", `{"event":{"name":"call.missed","id":"e1"},"call":` + callA + `}`, []string{"wrapped", "letter case"}, ""},
	{"an action", `{"action":"call.missed","data":` + callA + `}`, []string{"letter case"}, ""},
	{"a topic and an id", `{"id":"5","topic":"call_missed","payload":` + callA + `}`, []string{"wrapped", "letter case"}, ""},
	{"a hook", `{"hook":{"id":"5","event":"call.missed"},"data":` + callA + `}`, []string{"letter case"}, ""},
	{"a bus's detail type", `{"detail-type":"call.missed","source":"relay","detail":` + callA + `}`, []string{"wrapped", "letter case"}, ""},
	{"an event that says nothing, and a type", `{"event":"null","type":"call.missed","data":` + callB + `}`, nil, ""},
	{"an event that names nothing, and a type", `{"event":"webhook","type":"call.missed","data":` + callB + `}`, nil, ""},
	{"an empty event and Event", `{"event":"","Event":"call.missed","data":` + callA + `}`, []string{"letter case"}, ""},

	// Wrappers.
	{"body", `{"body":` + plainA + `}`, []string{"wrapped"}, ""},
	{"payload", `{"payload":` + plainB + `}`, []string{"wrapped"}, ""},
	{"data", `{"data":` + plainA + `}`, []string{"wrapped"}, ""},
	{"data around format B", `{"data":` + plainB + `}`, []string{"wrapped"}, ""},
	{"Body in capitals", `{"BODY":` + plainA + `}`, []string{"wrapped"}, ""},
	{"event", `{"event":` + plainA + `}`, []string{"wrapped"}, ""},
	{"two wrappers", `{"webhook":{"payload":` + plainA + `}}`, []string{"wrapped"}, ""},
	{"a relay's request", `{"headers":{"host":"example.com"},"params":{},"query":{},"body":` + plainA + `,"isBase64Encoded":false}`, []string{"wrapped"}, ""},
	{"a request with the body as text", `{"version":"2.0","headers":{"a":"b"},"body":` + quote(plainB) + `}`, []string{"json in string", "wrapped"}, ""},
	{"a notification", `{"Type":"Notification","MessageId":"m","TopicArn":"arn","Message":` + quote(plainA) + `}`, []string{"json in string", "wrapped"}, ""},
	{"a bus's event", `{"version":"0","id":"i","detail-type":"call","source":"relay","detail":` + plainA + `}`, []string{"wrapped"}, ""},
	{"a flat call in a wrapper", `{"body":{"event":"call.missed",` + callA[1:] + `}`, []string{"wrapped", "flat"}, ""},
	{"a call without a type in a wrapper", `{"body":` + callA + `}`, []string{"wrapped", "flat", "no type"}, ""},
	{"payload in place of data", `{"event":"call.missed","payload":` + callA + `}`, []string{"wrapped"}, ""},
	{"payload as text in place of data", `{"event":"call.missed","payload":` + quote(callA) + `,"data":null}`, []string{"json in string", "wrapped"}, ""},
	{"data in data", `{"event":"call.missed","data":{"data":` + callA + `}}`, []string{"wrapped"}, ""},
	{"call in data", `{"event":"call.missed","data":{"call":` + callA + `}}`, []string{"wrapped"}, ""},

	{"a call beside its agent", `{"event":"call.missed","data":{"agent":{"id":4},"call":` + callA + `}}`, []string{"wrapped"}, ""},
	{"data in a list with a key", `{"event":"call.missed","data":{"0":` + callA + `}}`, []string{"wrapped"}, ""},
	{"a member that nobody knows", `{"event":"call.missed","thing":` + callA + `,"x":1}`, []string{"wrapped", "flat"}, ""},
	{"a delivery in a member that nobody knows", `{"thing":{"other":` + plainA + `}}`, []string{"wrapped"}, ""},
	{"a relay's own event", `{"event":"webhook.received","timestamp":"2026-03-12T14:33:00Z","data":` + plainA + `}`, []string{"wrapped"}, ""},
	{"a relay's own type", `{"type":"request","id":"r1","data":{"headers":{},"body":` + quote(plainB) + `}}`, []string{"json in string", "wrapped"}, ""},
	{"a queue's record of a notification", `{"Record":{"Sns":{"Type":"Notification","Message":` + quote(plainA) + `}}}`, []string{"json in string", "wrapped"}, ""},
	{"an event of one level with single underscores", `{"event":"call.missed","data_call_id":"c1","data_from":"+14155550123","data_direction":"inbound"}`, []string{"flat"}, ""},
	{"an event of one level", `{"event":"call.missed","data__call_id":"c1","data__from":"+14155550123","data__direction":"inbound"}`, []string{"flat"}, ""},
	{"an event of one level with single underscores and capitals", `{"event":"call.missed","Data_Call_Id":"c1","Data_From":"+14155550123","Data_Direction":"inbound"}`, []string{"flat"}, ""},
	{"an event of one level, with dots", `{"body.event":"call.missed","body.data.call_id":"c1","body.data.from":"+14155550123"}`, []string{"letter case", "flat"}, ""},

	// JSON in strings, lists of one.
	{"data as JSON text", `{"event":"call.missed","data":` + quote(callA) + `}`, []string{"json in string"}, ""},
	{"data as JSON text, twice", `{"event":"call.missed","data":` + quote(quote(callA)) + `}`, []string{"json in string"}, ""},
	{"data as JSON text of a list", `{"type":"call.missed","data":` + quote(" ["+callB+"]") + `}`, []string{"json in string", "list"}, ""},
	{"data as damaged JSON text", `{"event":"call.missed","data":` + quote(strings.Replace(callA, `"status"`, "\"contact_name\":\"Pat\n\",\"status\"", 1)) + `}`, []string{"control character", "json in string"}, "Pat\n"},
	{"data as a list of one", `{"event":"call.missed","data":[` + callA + `]}`, []string{"list"}, ""},
	{"data of format B as a list of one", `{"type":"call.missed","data":[ ` + callB + ` ]}`, []string{"list"}, ""},
	{"data as a list of one JSON text", `{"event":"call.missed","data":[` + quote(callA) + `]}`, []string{"json in string", "list"}, ""},
	{"the body as JSON text", quote(plainA), []string{"json in string"}, ""},
	{"the body as JSON text, twice", " " + quote(quote(plainB)), []string{"json in string"}, ""},
	{"a list of one as JSON text", quote("[" + plainA + "]"), []string{"json in string", "list"}, ""},

	// Flat.
	{"flat, of format A", `{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z",` + callA[1:], []string{"flat"}, ""},
	{"flat, of format B", `{"type":"call.missed",` + callB[1:], []string{"flat"}, ""},
	{"flat, beside empty data", `{"event":"call.missed","data":{},` + callA[1:], []string{"flat"}, ""},
	{"flat, with Event", `{"Event":"call.missed",` + callA[1:], []string{"letter case", "flat"}, ""},
	{"flat, without a type", callA, []string{"flat", "no type"}, ""},
	{"flat, of format B, without a type", callB, []string{"flat", "no type"}, ""},
	{"an empty type", `{"event":"","data":` + callA + `}`, []string{"no type"}, ""},
	{"no type", `{"data":` + callB + `}`, []string{"no type"}, ""},
	{"no type, data as JSON text", `{"data":` + quote(callA) + `}`, []string{"json in string", "no type"}, ""},

	// Forms.
	{"payload in a form", "payload=" + url.QueryEscape(plainA), []string{"form", "json in string", "wrapped"}, ""},
	{"data in a form", "token=x&data=" + url.QueryEscape(plainB), []string{"form", "json in string", "wrapped"}, ""},
	{"body in a form, blanks as %20", "body=" + url.PathEscape(plainA), []string{"form", "json in string", "wrapped"}, ""},
	{"json in a form", "json=" + url.QueryEscape(plainA) + "\r\n", []string{"form", "json in string", "wrapped"}, ""},
	{"not encoded in a form", "payload=" + plainA, []string{"form", "json in string", "wrapped"}, ""},
	{"a form that is JSON", url.QueryEscape(plainA), []string{"form"}, ""},
	{"a form that is the name", url.QueryEscape(plainA) + "=", []string{"form"}, ""},
	{"an event and data as JSON in a form", "event=call.missed&data=" + url.QueryEscape(callA), []string{"form", "json in string"}, ""},
	{"fields with brackets", "event=call.missed&data[call_id]=c1&data[from]=%2B14155550123&data%5Bdirection%5D=inbound", []string{"form"}, ""},
	{"fields", "type=call.missed&call_sid=c1&contact_number=14155550123&call_info[direction]=Incoming&call_info[type]=missed", []string{"form", "flat"}, ""},
	{"a gateway's request", `{"version":"2.0","rawPath":"/","headers":{"a":"b"},"requestContext":{"http":{"method":"POST"}},"body":` + quote(in64(plainB)) + `,"isBase64Encoded":true}`, []string{"base64", "json in string", "wrapped"}, ""},
	{"a gateway's request whose body is text all the same", `{"isBase64Encoded":true,"body":` + quote(plainA) + `}`, []string{"json in string", "wrapped"}, ""},
	{"a gateway's request with a form", `{"isBase64Encoded":false,"body":` + quote("payload="+url.QueryEscape(plainA)) + `}`, []string{"form", "json in string", "wrapped"}, ""},
	{"a gateway's request with a form in base64", `{"isBase64Encoded":true,"body":` + quote(in64("payload="+url.QueryEscape(plainA))) + `}`, []string{"form", "base64", "json in string", "wrapped"}, ""},
	{"a gateway's request in a notification", `{"Message":` + quote(`{"isBase64Encoded":true,"body":`+quote(in64(plainA))+`}`) + `}`, []string{"base64", "json in string", "wrapped"}, ""},
	{"a subscription's message", `{"message":{"data":` + quote(in64(plainA)) + `,"messageId":"m","attributes":{}},"subscription":"s"}`, []string{"base64", "json in string", "wrapped"}, ""},
	{"a stream's record", `{"kinesis":{"data":` + quote(in64(plainA)) + `},"eventName":"aws:kinesis:record"}`, []string{"base64", "json in string", "wrapped"}, ""},
	{"a cloud event", `{"specversion":"1.0","type":"com.example.webhook","data_base64":` + quote(in64(plainB)) + `}`, []string{"base64", "json in string", "wrapped"}, ""},
	{"a relay's own type and a member that nobody knows", `{"type":"request","requestBody":` + quote(plainA) + `}`, []string{"json in string", "wrapped"}, ""},
	{"data in base64", `{"event":"call.missed","data":` + quote(in64(callA)) + `}`, []string{"base64", "json in string"}, ""},
	{"data as a form", `{"event":"call.missed","data":"call_id=c1&from=%2B14155550123"}`, []string{"form", "json in string"}, ""},
	{"base64", in64(plainA), []string{"base64"}, ""},
	{"base64 in lines", in64(plainB)[:76] + "\r\n" + in64(plainB)[76:] + "\r\n", []string{"base64"}, ""},
	{"base64 for URLs", base64.RawURLEncoding.EncodeToString([]byte(named(`"Pat ÿ>?~"`))), []string{"base64"}, "Pat ÿ>?~"},
	{"base64 whose plus a form took", strings.ReplaceAll(in64(named(`"Pat ÿ>>>~~~"`)), "+", " "), []string{"base64"}, "Pat ÿ>>>~~~"},
	{"base64 as JSON text", quote(in64(plainA)), []string{"base64", "json in string"}, ""},

	{"HTML", html.EscapeString(named(`"Se&aacute;n \"<b>\" O'Brien"`)), []string{"escaped"}, `Se&aacute;n "<b>" O'Brien`},
	{"HTML, twice", "\n" + html.EscapeString(html.EscapeString(plainB)), []string{"escaped"}, ""},
	{"HTML, quotes only", strings.ReplaceAll(plainB, `"`, "&#x22;"), []string{"escaped"}, ""},
	{"HTML in a wrapper", `{"body":` + quote(html.EscapeString(plainB)) + `}`, []string{"escaped", "json in string", "wrapped"}, ""},
	{"backslashes", strings.Trim(quote(named(`"Pat \n \"x\""`)), `"`), []string{"escaped"}, "Pat \n \"x\""},
	{"backslashes, twice", strings.Trim(quote(strings.Trim(quote(plainB), `"`)), `"`), []string{"escaped"}, ""},
	{"backslashes before quotes only", "{\n  " + strings.ReplaceAll(plainB[1:], `"`, `\"`), []string{"escaped"}, ""},

	{"a script's call", "callback(" + plainA + ");", []string{"wrapped"}, ""},
	{"a script's call behind a comment", "/**/ cb.call_1( " + plainB + " )\n", []string{"wrapped"}, ""},
	{"an event of a stream", "event: message\ndata: " + plainA + "\n\n", []string{"wrapped"}, ""},

	{"multipart", multi("token", "x", "payload", plainA), []string{"form", "json in string", "wrapped"}, ""},
	{"multipart without carriage returns", strings.ReplaceAll(multi("payload", plainB), "\r", ""), []string{"form", "json in string", "wrapped"}, ""},
	{"multipart with a file", strings.Replace(multi("f", plainB), `name="f"`, `filename="x.json"`, 1), []string{"form", "json in string", "wrapped"}, ""},
	{"multipart with fields", multi("event", "call.missed", "data[call_id]", "c1", "data[from]", "+14155550123"), []string{"form"}, ""},
	{"multipart with a field twice", multi("event", "call.missed", "call_id", "c1", "call_id", "0", "from", "+14155550123"), []string{"duplicate name", "form", "flat"}, ""},

	{"a form in Latin-1", "event=call.missed&call_id=c1&from=%2B14155550123&contact_name=Andr%E9", []string{"form", "flat"}, "Andr\uFFFD"},
}

func TestDamagedBodiesAreReadAllTheSame(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, test := range damaged {
		for _, word := range test.damage {
			used[word] = true
		}
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := open(t, test.body)
			if diff := cmp.Diff(test.damage, e.Damage); diff != "" {
				t.Errorf("damage (-want +got):\n%s", diff)
			}
			if string(e.Body) != test.body || e.Probe() {
				t.Errorf("body %q, probe %v", e.Body, e.Probe())
			}
			d := e.Decode()
			got := []any{d.Entity, d.ID, d.Phone}
			if diff := cmp.Diff([]any{events.EntityCall, "c1", "+14155550123"}, got); diff != "" {
				t.Errorf("call (-want +got):\n%s", diff)
			}
			if !slices.Contains(test.damage, "no type") && d.Kind != events.KindMissedCall {
				t.Errorf("kind %q", d.Kind)
			}
			if call, ok := e.Details().Event.(*events.Call); test.contact != "" && (!ok || call.ContactName != test.contact) {
				t.Errorf("event %+v, want the contact %q", e.Details().Event, test.contact)
			}
		})
	}
	for _, word := range events.DamageWords() {
		if !used[word] {
			t.Errorf("no body here is damaged as %q", word)
		}
	}
}

// Whatever stands around a delivery, it has the key that it has without.
func TestWhatStandsAroundADeliveryDoesNotChangeItsKey(t *testing.T) {
	t.Parallel()
	for _, plain := range []string{plainA, plainB} {
		want := keyOf(open(t, plain).Decode())
		data := string(open(t, plain).Data)
		for _, body := range []string{
			"\ufeff" + plain, plain + "\x00", in16(plain, true, true),
			`[` + plain + `]`, `{"events":[` + plain + `]}`, `{"body":` + plain + `}`, `{"payload":` + quote(plain) + `}`, quote(plain),
			`{"items":[` + plain + `],"count":1}`, "payload=" + url.QueryEscape(plain),
			strings.Replace(plain, data, quote(data), 1), strings.Replace(plain, data, "["+data+"]", 1),
			in64(plain), `{"isBase64Encoded":true,"body":` + quote(in64(plain)) + `}`, html.EscapeString(plain), strings.Trim(quote(plain), `"`),
			"cb(" + plain + ")", multi("payload", plain),
			strings.Replace(plain, `"data":`+data, data[1:len(data)-1], 1), strings.Replace(plain, `"data"`, `"Data"`, 1),
		} {
			if diff := cmp.Diff(want, keyOf(open(t, body).Decode())); diff != "" {
				t.Errorf("%s (-want +got):\n%s", body, diff)
			}
		}
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	a, b := plainA, plainB
	for _, test := range []struct {
		name, body string
		want       []string
	}{
		{"a list of one", `[` + a + `]`, []string{a}},
		{"a list of two", ` [ ` + a + ` , ` + b + "]\n", []string{a, b}},
		{"a byte order mark", "\ufeff[" + a + "," + b + "]", []string{a, b}},
		{"a NUL at the end", "[" + a + "," + b + "]\x00\x00", []string{a, b}},
		{"damage in one", "[" + named("\"\xff\n\\'\"") + "," + b + "]", []string{named("\"\xff\n\\'\""), b}},
		{"lists in a list", `[[` + a + `],[` + b + `,` + a + `]]`, []string{a, b, a}},
		{"wrappers in a list", `[{"body":` + a + `},{"body":` + b + `}]`, []string{`{"body":` + a + `}`, `{"body":` + b + `}`}},
		{"JSON texts in a list", `[` + quote(a) + `,` + quote(b) + `]`, []string{quote(a), quote(b)}},
		{"what is no event beside one", `[1,` + a + `,null,"x"]`, []string{"1", a, "null", `"x"`}},
		{"events", `{"events":[` + a + `,` + b + `]}`, []string{a, b}},
		{"items, webhooks, data", `{"Items":[` + a + `,` + b + `],"data":null,"error":""}`, []string{a, b}},
		{"webhooks", `{"webhooks":[` + a + `,` + b + `]}`, []string{a, b}},
		{"data", `{"data":[` + a + `,` + b + `]}`, []string{a, b}},
		{"something beside the list", `{"events":[` + a + `,` + b + `],"count":2}`, []string{`{"events":` + a + `,"count":2}`, `{"events":` + b + `,"count":2}`}},
		{"a list in two wrappers", `{"body":{"events":[` + a + `,` + b + `]}}`, []string{a, b}},
		{"a list as JSON text in a wrapper", `{"body":` + quote(`[`+a+`,`+b+`]`) + `}`, []string{a, b}},
		{"a list as JSON text", quote(`[` + a + `,` + b + `]`), []string{a, b}},
		{"a list in a form", "payload=" + url.QueryEscape(`[`+a+`,`+b+`]`), []string{a, b}},
		{"a list in base64", in64(`[` + a + `,` + b + `]`), []string{a, b}},
		{"a list in a gateway's request", `{"body":` + quote(in64(`[`+a+`,`+b+`]`)) + `,"isBase64Encoded":true}`, []string{`{"body":` + a + `,"isBase64Encoded":true}`, `{"body":` + b + `,"isBase64Encoded":true}`}},
		{"requests in a list", `[{"body":` + quote(in64(a)) + `},{"body":` + quote(in64(b)) + `}]`, []string{`{"body":` + quote(in64(a)) + `}`, `{"body":` + quote(in64(b)) + `}`}},
		{"records of a stream", `{"Records":[{"kinesis":{"data":` + quote(in64(a)) + `}},{"kinesis":{"data":` + quote(in64(b)) + `}}]}`, []string{`{"kinesis":{"data":` + quote(in64(a)) + `}}`, `{"kinesis":{"data":` + quote(in64(b)) + `}}`}},
		{"a list in HTML", html.EscapeString(`[` + a + `,` + b + `]`), []string{html.EscapeString(a), html.EscapeString(b)}},
		{"a list with backslashes", strings.Trim(quote(`[`+a+`,`+b+`]`), `"`), []string{a, b}},
		{"lines in base64", in64(a + "\n" + b), []string{a, b}},
		{"a list in a script's call", "cb([" + a + "," + b + "]);", []string{a, b}},
		{"a list in a part", multi("payload", `[`+a+`,`+b+`]`), []string{a, b}},
		{"a list in UTF-16", in16(`[`+a+`,`+b+`]`, false, true), []string{a, b}},
		{"data of two calls", `{"event":"call.missed","data":[` + callA + `,{"call_id":"c2"}]}`, []string{`{"event":"call.missed","data":` + callA + `}`, `{"event":"call.missed","data":{"call_id":"c2"}}`}},
		{"data of two calls as JSON text", `{"event":"call.missed","data":` + quote(`[`+callA+`,{"call_id":"c2"}]`) + `}`, []string{`{"event":"call.missed","data":` + callA + `}`, `{"event":"call.missed","data":{"call_id":"c2"}}`}},

		{"a line for each", a + "\n" + b + "\n", []string{a, b}},
		{"one behind the other", "\ufeff" + a + b + ", " + a + "\x00", []string{a, b, a}},
		{"a damaged line", a + "\n{\"event\":\"call.missed\",}", []string{a, `{"event":"call.missed",}`}},
		{"a line that is no object", a + "\n" + b + "\nend", nil},
		{"a list behind an object", a + "[" + b + "]", nil},

		{"no list", a, nil},
		{"data of one", `{"event":"call.missed","data":[` + callA + `]}`, nil},
		{"data that is a list of other things", `{"event":"call.missed","data":[{"a":1},{"a":2}]}`, nil},
		{"a list inside the data", `{"event":"call.missed","data":{"call_id":"c1","items":[` + a + `,` + b + `]}}`, nil},
		{"a list beside the data", `{"event":"call.missed","data":` + callA + `,"events":[` + a + `,` + b + `]}`, nil},
		{"a list of numbers", `[1,2]`, nil},
		{"a list of texts", `["a","{x"]`, []string{`"a"`, `"{x"`}},
		{"an empty list", `[]`, nil},
		{"a list cut short", `[` + a + `,` + b, nil},
		{"a list cut short in a string", `[` + a + `,{"event":"call.mis`, nil},
		{"a list cut short in an escape", `[` + a + `,{"event":"call.mis\`, nil},
		{"more behind the list", `[` + a + `,` + b + `]x`, nil},
		{"no comma", `[` + a + b + `]`, nil},
		{"65 levels", strings.Repeat("[", 65) + strings.Repeat("]", 65), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if test.want == nil {
				test.want = []string{test.body}
			}
			var got []string
			for _, part := range events.Split([]byte(test.body)) {
				got = append(got, string(part))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("parts (-want +got):\n%s", diff)
			}
			e, err := events.Open([]byte(test.body))
			switch {
			case len(test.want) > 1:
				if e != nil || !errors.Is(err, events.ErrSeveral) {
					t.Errorf("Open: %v, want ErrSeveral", err)
				}
			case err == nil && string(e.Body) != test.want[0]:
				t.Errorf("Open: body %s, want %s", e.Body, test.want[0])
			}
		})
	}
}

// every is how many of the bodies that a test makes it tries: one in so many.
func every() int {
	if testing.Short() {
		return 17
	}
	return 1
}

// A body cut anywhere is no JSON: it must not be taken for a probe or another event.
func TestACutBodyIsRefused(t *testing.T) {
	t.Parallel()
	for _, s := range samples(t) {
		body := bytes.TrimRight(s.body, " \r\n")
		for n := 1; n < len(body); n += every() {
			if e, err := events.Open(body[:n:n]); err == nil {
				t.Fatalf("%s, %d bytes: %+v", s.name(), n, e)
			}
		}
	}
}

func TestAFlippedBitNeitherPanicsNorMakesAnInvalidEvent(t *testing.T) {
	t.Parallel()
	for _, s := range samples(t) {
		for i := 0; i < len(s.body); i += every() {
			body := bytes.Clone(s.body)
			body[i] ^= 1 << (i % 8)
			e, err := events.Open(body)
			if err != nil {
				continue
			}
			if d := e.Decode(); !utf8.ValidString(d.ID+string(d.Type)) || !d.Data.IsValid() && d.Data != nil {
				t.Errorf("%s, byte %d: %q", s.name(), i, d.ID)
			}
		}
	}
}

func TestAnyBodyTakesLinearTime(t *testing.T) { //nolint:paralleltest // it measures CPU time
	members := 100_000 / every()
	for name, body := range map[string][]byte{
		"one name":                    repeated(members, func(int) string { return `"a":0` }),
		"two of each":                 repeated(members, func(i int) string { return fmt.Sprintf(`"%d":0`, i/2) }),
		"nested objects":              repeated(members, func(int) string { return `"a":{"b":1,"b":[{"c":1,"c":2}]}` }),
		"lists in lists":              []byte(strings.Repeat("[", 60) + strings.Repeat(`{"event":"x","data":[1]},`, members) + `{}` + strings.Repeat("]", 60)),
		"wrappers":                    []byte(strings.Repeat(`{"body":{"data":[`, 15) + strings.Repeat(`{"event":"","payload":"{}"},`, members) + `{}` + strings.Repeat("]}}", 15)),
		"a form":                      []byte("event=x" + strings.Repeat("&a[b][c]=1&d=%ff", members)),
		"base64":                      []byte(`{"body":` + quote(in64(`{"body":`+quote(in64(strings.Repeat(`{"body":"eyJhIjoxfQ=="}`, members)))+`}`)) + `}`),
		"HTML":                        []byte("{" + strings.Repeat("&amp;amp;quot;", members)),
		"backslashes":                 []byte("{" + strings.Repeat(`\\\\\\\\`, members)),
		"calls":                       []byte(strings.Repeat("a(", members) + "{"),
		"parts":                       []byte("--b" + strings.Repeat("\r\nContent-Disposition: form-data; name=a[b]\r\n\r\n{\r\n--b", members) + "--"),
		"escapes":                     nameOf(strings.Repeat(`\x\ud800`+"\n\xff", members)),
		"one wrapper":                 []byte("{" + strings.Repeat(`"data":[{"from":"x"}],`, members) + `"x":1}`),
		"wrappers in any letter case": inAnyCase(`{"event":"call.missed"`, "notification", "deliveries", "attributes", "missed_call_reason"),
	} {
		before := cpuTime(t)
		_, _ = events.Open(body)
		if took := cpuTime(t) - before; took > 8*time.Second {
			t.Errorf("%s: %v of the CPU", name, took)
		}
	}
}

func TestAnyEventTakesLinearTime(t *testing.T) { //nolint:paralleltest // it measures CPU time
	members := 100_000 / every()
	for name, body := range map[string][]byte{
		"capitals":          []byte(`{"type":"call.missed","data":{"call_info":` + string(inAnyCase(`{"x":1`, "missed_call_reason")) + `}}`),
		"codes of a number": []byte(`{"event":"call.missed","data":{"from":"` + strings.Repeat("*67 ", members) + `4155558765"}}`),
		"words of a caller": []byte(`{"event":"call.missed","data":{"from":"` + strings.Repeat("caller ", members) + `"}}`),
		"other numbers":     []byte(`{"event":"contact.updated","data":{"contact_id":1,"other_numbers":"` + strings.Repeat("*67 ", members) + `4155558765"}}`),
	} {
		e := open(t, string(body))
		before := cpuTime(t)
		e.Decode()
		e.Details()
		if took := cpuTime(t) - before; took > 8*time.Second {
			t.Errorf("%s: %v of the CPU", name, took)
		}
	}
}

// inAnyCase returns an object that begins as given, with members under all names that are these
// words in another letter case.
func inAnyCase(begin string, words ...string) []byte {
	object := []byte(begin)
	for _, word := range words {
		for capitals := 1; capitals < min(1<<len(word), 80_000); capitals++ {
			name := []byte(word)
			for i := range name {
				if capitals>>i&1 == 1 {
					copy(name[i:], bytes.ToUpper(name[i:i+1]))
				}
			}
			object = fmt.Appendf(object, `,"%s":0`, name)
		}
	}
	return append(object, '}')
}

func nameOf(text string) []byte { return []byte(named(`"` + text + `"`)) }

func repeated(n int, member func(int) string) []byte {
	b := []byte(`{"event":"x","data":{"z":0`)
	for i := range n {
		b = append(append(b, ','), member(i)...)
	}
	return append(b, `}}`...)
}

// Each part of a list repeats what stands beside it.
func TestAListBesideALongTextIsNotSplit(t *testing.T) {
	t.Parallel()
	const n = 1000
	list := `{"event":"call.missed","data":[` + strings.Repeat(`{"call_id":"c"},`, n-1) + `{"call_id":"c"}],"x":"`
	if got := len(events.Split([]byte(list + `"}`))); got != n {
		t.Errorf("beside a short text: %d parts", got)
	}
	body := []byte(list + strings.Repeat("x", 1<<20) + `"}`)
	if got := len(events.Split(body)); got != 1 {
		t.Errorf("beside a long text: %d parts", got)
	}
	if e, err := events.Open(body); err != nil || e.Type != events.TypeCallMissed || e.Probe() {
		t.Errorf("opened as %+v, %v", e, err)
	}
}

// What somebody wrote is no delivery, even if it looks like one.
func TestATextIsNoDelivery(t *testing.T) {
	t.Parallel()
	for _, typ := range []string{"sms.received", "chat.received"} {
		d := decode(t, `{"event":"`+typ+`","data":{"message_id":"m1","from":"+14155550123","body":`+quote(plainA)+`}}`)
		if string(d.Type) != typ || d.ID != "m1" || d.Kind.Alerts() {
			t.Errorf("a %s %q of %s", d.Kind, d.Type, d.ID)
		}
	}
}

func TestPromise3_NothingIsLostForAnEmptyBehind(t *testing.T) {
	t.Parallel()
	for _, empty := range []string{`null`, `{}`, `[]`, `""`, `"null"`, `{"test":true}`} {
		e := open(t, plainA[:len(plainA)-1]+`,"data":`+empty+`}`)
		if e.Probe() || e.Decode().ID != "c1" {
			t.Errorf("%s: probe %v, data %s", empty, e.Probe(), e.Data)
		}
	}
}
