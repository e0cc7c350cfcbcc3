package events_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
)

// told is what [events.Details] says of the two parties.
type told struct {
	Phone, Extension, CallerText string
	Withheld                     bool
	Outside, Line                string
}

func toldBy(d events.Details) told {
	return told{d.Phone, d.Extension, d.CallerText, d.Withheld, d.Outside, d.Line}
}

func TestDetailsTellWhoCalled(t *testing.T) {
	t.Parallel()
	const number = "+14155558765"
	for _, test := range []struct {
		name, json string
		want       told
	}{
		{"E.164", `"+14155558765"`, told{Phone: number, Outside: number}},
		{"a JSON number", `14155558765`, told{Phone: number, Outside: "14155558765"}},
		{"an extension", `"+1 415 555 8765 ext. 12"`, told{Phone: number, Extension: "12", Outside: "+1 415 555 8765 ext. 12"}},
		{"SIP", `"sip:+14155558765@pbx.example.com"`, told{Phone: number, Outside: "sip:+14155558765@pbx.example.com"}},
		{"a short code", `"12345"`, told{Phone: "+12345", Outside: "12345"}},

		{"two digits", `"12"`, told{CallerText: "12", Outside: "12"}},
		{"two digits as a number", `12`, told{CallerText: "12", Outside: "12"}},
		{"sixteen digits", `"1234567890123456"`, told{CallerText: "1234567890123456", Outside: "1234567890123456"}},
		{"seventeen digits as a number", `12345678901234567`, told{CallerText: "12345678901234567", Outside: "12345678901234567"}},
		{"a name", `"JustCall"`, told{CallerText: "JustCall", Outside: "JustCall"}},
		{"a SIP name", `"sip:reception@pbx.example.com"`, told{CallerText: "sip:reception@pbx.example.com", Outside: "sip:reception@pbx.example.com"}},
		{"true", `true`, told{CallerText: "true", Outside: "true"}},

		{"an object with a number", `{"phoneNumber":"+14155558765"}`, told{Phone: number, Outside: number}},
		{"an object with a JSON number", `{"number":14155558765}`, told{Phone: number, Outside: "14155558765"}},
		{"an object with an extension", `{"number":"+14155558765 x12"}`, told{Phone: number, Extension: "12", Outside: "+14155558765 x12"}},
		{"a national number", `{"country_code":"+44","national_number":"2079460117"}`, told{Phone: "+442079460117", Outside: "+442079460117"}},
		{"a national number beside a whole one", `{"national_number":"2079460117","uri":"tel:+442079460117"}`, told{Phone: "+442079460117", Outside: "tel:+442079460117"}},
		{"an object with id and number", `{"id":5551234,"name":"Jane","phone_number":"+14155558765"}`, told{Phone: number, Outside: number}},
		{"the better of two members", `{"raw":"4155558765","e164":"+14155558765"}`, told{Phone: number, Outside: number}},
		{"an international form beside a national one", `{"nationalNumber":"(415) 555-8765","internationalNumber":"+1 415-555-8765"}`, told{Phone: number, Outside: "+1 415-555-8765"}},
		{"a format of either kind", `{"nationalNumber":"(415) 555-8765","international":"+1 415-555-8765"}`, told{Phone: number, Outside: "+1 415-555-8765"}},
		{"an unknown member with a plus", `{"n":"+14155558765"}`, told{Phone: number, Outside: number}},
		{"an unknown member with eleven digits", `{"n":"14155558765"}`, told{Phone: number, Outside: "14155558765"}},
		{"an object in an object", `{"caller":{"phone":{"value":"+14155558765"}}}`, told{Phone: number, Outside: number}},
		{"an array", `["+14155558765"]`, told{Phone: number, Outside: number}},
		{"an array with a name first", `["Jane", "+14155558765"]`, told{Phone: number, Outside: number}},
		{"an array of objects", `[{"number":"+14155558765"}]`, told{Phone: number, Outside: number}},
		{"a number before a withheld one", `["anonymous","+14155558765"]`, told{Phone: number, Outside: number}},
		{"an object without a number", `{ "n" : 1 }`, told{CallerText: `{"n":1}`, Outside: `{"n":1}`}},
		{"an object with a zero", `{"n":0}`, told{CallerText: `{"n":0}`, Outside: `{"n":0}`}},
		{"an object with an id and a time", `{"id":41234567890,"at":1773325920}`, told{CallerText: `{"id":41234567890,"at":1773325920}`, Outside: `{"id":41234567890,"at":1773325920}`}},
		{"an array without a number", `["Jane", 12]`, told{CallerText: `["Jane",12]`, Outside: `["Jane",12]`}},
		{"deeper than we look", `{"a":{"a":{"a":{"a":{"a":"+14155558765"}}}}}`, told{CallerText: `{"a":{"a":{"a":{"a":{"a":"+14155558765"}}}}}`, Outside: `{"a":{"a":{"a":{"a":{"a":"+14155558765"}}}}}`}},
		{"a country's code beside the number", `{"country_code":"+1","number":"415 555-8765"}`, told{Phone: number, Outside: number}},
		{"a code that the number has", `{"countryCode":1,"number":"14155558765"}`, told{Phone: number, Outside: number}},
		{"a code before a zero", `{"dial_code":"0044","number":"020 7946 0148"}`, told{Phone: "+442079460148", Outside: "+442079460148"}},
		{"a code before a zero that stays", `{"calling_code":"39","number":"06 5550 0148"}`, told{Phone: "+390655500148", Outside: "+390655500148"}},
		{"a code, an area and a number", `{"number":"5558765","area_code":"415","country_code":"1"}`, told{Phone: number, Outside: number}},
		{"another code than the number's", `{"country_code":"44","number":"+14155558765"}`, told{Phone: number, Outside: number}},
		{"a country's letters", `{"country_code":"US","number":"(415) 555-8765"}`, told{Phone: "+4155558765", Outside: "(415) 555-8765"}},
		{"a code alone", `{"country_code":"1"}`, told{CallerText: `{"country_code":"1"}`, Outside: `{"country_code":"1"}`}},
		{"a code and withheld", `{"country_code":"1","number":"Anonymous"}`, told{Withheld: true, Outside: "Anonymous"}},
		{"withheld in an object", `{"number":"Anonymous"}`, told{Withheld: true, Outside: "Anonymous"}},

		{"anonymous", `"Anonymous"`, told{Withheld: true, Outside: "Anonymous"}},
		{"no caller id", `"No Caller ID"`, told{Withheld: true, Outside: "No Caller ID"}},
		{"keys", `"+266696687"`, told{Withheld: true, Outside: "+266696687"}},
		{"minus one", `-1`, told{Withheld: true, Outside: "-1"}},
		{"minus one as text", `"-1"`, told{Withheld: true, Outside: "-1"}},
		{"zero", `0`, told{Withheld: true, Outside: "0"}},
		{"empty", `""`, told{Withheld: true}},
		{"null", `null`, told{Withheld: true}},
		{"an empty object", `{}`, told{Withheld: true}},
		{"an empty array", `[]`, told{Withheld: true}},
		{"false", `false`, told{Withheld: true, Outside: "false"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.want.Line = "+1 415 555 1234"
			for name, body := range map[string]string{
				"from":           bodyA("call.missed", `{"call_id":"c","from":`+test.json+`,"to":"+1 415 555 1234"}`),
				"voicemail":      bodyA("voicemail.received", `{"call_id":"c","from":`+test.json+`,"to":"+1 415 555 1234"}`),
				"to":             bodyA("call.completed", `{"call_id":"c","direction":"outbound","to":`+test.json+`,"from":"+1 415 555 1234"}`),
				"contact_number": bodyB("call.missed", `{"call_sid":"c","contact_number":`+test.json+`,"justcall_number":"+1 415 555 1234","call_info":{"direction":"Incoming"}}`),
			} {
				delivery := decode(t, body)
				got := toldBy(delivery.Details())
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
				if delivery.Phone != got.Phone {
					t.Errorf("%s: the delivery has %q", name, delivery.Phone)
				}
			}
		})
	}
}

func TestNobodyIsWithheldWhereNothingIsSaid(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		bodyA("call.missed", `{"call_id":"c","to":"+14155551234"}`),
		bodyB("call.missed", `{"call_sid":"c","justcall_number":"14155551234"}`),
	} {
		if d := decode(t, body).Details(); d.Withheld || d.CallerText != "" {
			t.Errorf("%s: %+v", body, toldBy(d))
		}
	}
}
