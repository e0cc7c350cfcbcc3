package events_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
)

func yes(said bool) events.Optional[bool] {
	return events.Optional[bool]{Value: said, State: events.Set}
}

// contact decodes the data of a contact's event.
func contact(t *testing.T, data string) *events.Contact {
	t.Helper()
	c, ok := decode(t, bodyB("jc.contact_status_updated", data)).Details().Event.(*events.Contact)
	if !ok {
		t.Fatal("not a contact")
	}
	return c
}

func TestOtherNumbersAreReadInAnyShape(t *testing.T) {
	t.Parallel()
	numbers := func(all ...string) events.Optional[[]string] {
		return events.Optional[[]string]{Value: all, State: events.Set}
	}
	two := numbers("+14155550101", "14155550102")
	for _, tc := range []struct {
		name, value string
		want        events.Optional[[]string]
	}{
		{"the documented list of objects", `[{"label":"Mobile","number":"+14155550101"},{"label":"Home","number":"14155550102"}]`, two},
		{"texts", `["+14155550101","14155550102"]`, two},
		{"a number that is a number", `["+14155550101",14155550102]`, two},
		{"one text, with a comma", `"+14155550101, 14155550102"`, two},
		{"one text, with a semicolon", `"+14155550101;14155550102;"`, two},
		{"one text, with line ends", `"+14155550101\r\n14155550102\n"`, two},
		{"other names of the number", `[{"phone":"+14155550101"},{"phone_number":14155550102}]`, two},
		{"name and value", `[{"type":"mobile","value":"+14155550101"},{"value":"14155550102"}]`, two},
		{"labels as names", `{"mobile":"+14155550101","Work":"14155550102"}`, two},
		{"labels that nobody knows", `{"summer cottage":"+14155550101","mobile":"14155550102","note":"call 5 times"}`, two},
		{"ids beside the numbers", `[{"id":12345678,"phone_number_id":87654321,"number":"+14155550101"},"14155550102"]`, two},
		{"lists in an object", `{"numbers":[{"number":"+14155550101"}],"more":["14155550102"]}`, two},
		{"JSON in a text", `"[{\"number\":\"+14155550101\"},\"14155550102\"]"`, two},
		{"nulls between them", `[null,"+14155550101",{"number":null},{"number":""},false,"14155550102"]`, two},
		{"one number", `"+14155550101"`, numbers("+14155550101")},
		{"an extension behind a comma", `["+14155550101,12"]`, numbers("+14155550101,12")},
		{"an extension in a list", `"+14155550101,12;14155550102"`, numbers("+14155550101,12", "14155550102")},
		{"an extension behind a word", `"+14155550101, ext. 12"`, numbers("+14155550101, ext. 12")},
		{"parameters", `"tel:415-555-0101;phone-context=+1"`, numbers("tel:415-555-0101;phone-context=+1")},
		{"slashes", `"+14155550101 / 14155550102"`, two},
		{"words between them", `"+14155550101 or 14155550102"`, two},
		{"names beside them", `["Home: +14155550101", "14155550102 (Jordan)"]`, numbers("Home: +14155550101", "14155550102")},
		{"slashes and extensions", `"(415) 555-0101 x12 / 415-555-0102"`, numbers("(415) 555-0101 x12", "415-555-0102")},
		{"one number in two spellings", `[{"number":"(415) 555-0101","e164":"+14155550101"},14155550102]`, two},
		{"none", `[]`, numbers()},
		{"one of them hidden", `"+14155550101; +44 7700 900 hidden"`, numbers("+14155550101", "+44 7700 900 hidden")},
		{"none, as an object", `{}`, numbers()},
		{"null", `null`, events.Optional[[]string]{State: events.Null}},
		{"an empty text", `""`, events.Optional[[]string]{State: events.Null}},
		{"neither yes nor no", `false`, events.Optional[[]string]{State: events.Null}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := contact(t, `{"id":7,"other_numbers":`+tc.value+`}`).OtherNumbers
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if got := contact(t, `{"id":7}`).OtherNumbers.State; got != events.Absent {
		t.Errorf("without the member: state %v, want absent", got)
	}
}

func TestAContactMayHaveSeveralNumbersInPlaceOfOne(t *testing.T) {
	t.Parallel()
	for phone, want := range map[string][]string{
		`"+14155550101"`:                           nil,
		`"+14155550101, ext. 12"`:                  nil,
		`["+14155550101"]`:                         nil,
		`{"number":"+14155550101","label":"work"}`: nil,
		`{"n":1}`:                         nil,
		`null`:                            nil,
		`["+14155550101","+14155550102"]`: {"+14155550102"},
		`"+14155550101, +14155550102"`:    {"+14155550102"},
		`"+14155550101;+14155550102;+14155550103"`:                                            {"+14155550102", "+14155550103"},
		`"+14155550101 / +14155550102"`:                                                       {"+14155550102"},
		`"+14155550101\n+14155550102"`:                                                        {"+14155550102"},
		`"+14155550101 or 415-555-0102"`:                                                      {"415-555-0102"},
		`"[\"+14155550101\",\"+14155550102\"]"`:                                               {"+14155550102"},
		`{"work":"+14155550101","home":14155550102}`:                                          {"14155550102"},
		`[{"number":"+14155550101","label":"work"},{"number":"+14155550102","label":"home"}]`: {"+14155550102"},
		`{"number":"(415) 555-0101","e164":"+14155550101"}`:                                   nil,
	} {
		for name, c := range map[string]*events.Contact{
			"phone":          contact(t, `{"id":7,"phone":`+phone+`}`),
			"contact_number": contact(t, `{"id":7,"contact_number":`+phone+`}`),
			"phoneNumber":    contact(t, `{"id":7,"phoneNumber":`+phone+`}`),
			"mobile":         contact(t, `{"id":7,"mobile":`+phone+`}`),
		} {
			if diff := cmp.Diff(want, c.MorePhones); diff != "" {
				t.Errorf("%s %s: (-want +got):\n%s", name, phone, diff)
			}
			if number := events.PhoneNumber(c.Phone); number != "+14155550101" && phone != `null` && phone != `{"n":1}` {
				t.Errorf("%s %s: phone %q", name, phone, c.Phone)
			}
		}
	}
	for _, name := range []string{"phones", "phone_numbers", "phoneNumbers", "numbers", "otherNumbers", "mobiles"} {
		if got := contact(t, `{"id":7,"`+name+`":["+14155550101"]}`).OtherNumbers.Value; len(got) != 1 {
			t.Errorf("%s: other numbers %q", name, got)
		}
	}
}

func TestPartsOfAContactsName(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`"first_name":"Ann","last_name":"Lee"`:            "Ann Lee",
		`"first_name":"Ann","last_name":"Null"`:           "Ann Null",
		`"first_name":"Ann","last_name":"Unknown"`:        "Ann Unknown",
		`"first_name":"Ann","last_name":"null"`:           "Ann ",
		`"first_name":"Ann","last_name":"NULL"`:           "Ann ",
		`"first_name":"Ann","last_name":"None"`:           "Ann ",
		`"first_name":"{{first_name}}","last_name":"Lee"`: " Lee",
		`"first_name":"null","last_name":"Null"`:          " ",
		`"first_name":"No","last_name":"Name"`:            " ",
		`"first_name":"WIRELESS","last_name":"CALLER"`:    " ",
		`"first_name":"John","last_name":"Private"`:       "John Private",
		`"first_name":["Ann"],"last_name":{"text":"Lee"}`: "Ann Lee",
		`"last_name":"0"`:                                 " 0",
	} {
		c := contact(t, `{"id":7,`+data+`}`)
		if got := c.FirstName + " " + c.LastName; got != want {
			t.Errorf("%s: %q, want %q", data, got, want)
		}
	}
	for name, want := range map[string]string{
		`{"first":"Ann","last":"Lee"}`:                    "Ann Lee",
		`{"lastName":"Lee","firstName":"Ann"}`:            "Ann Lee",
		`{"given":"Ann","family":null}`:                   "Ann",
		`{"full_name":"Ann Lee"}`:                         "Ann Lee",
		`{"name":"Ann","last":"Lee"}`:                     "Ann",
		`{"first":"Ann","last":"Lee","name":"null null"}`: "Ann Lee",
		`{"first":"null","last":"null"}`:                  "",
		`{"id":7}`:                                        "",
		`["Ann","Lee"]`:                                   "Ann Lee",
		`["Ann Lee","Bob Roe"]`:                           "Ann Lee, Bob Roe",
		`[{"name":"Ann Lee"},null]`:                       "Ann Lee",
		`"{\"first\":\"Ann\",\"last\":\"Lee\"}"`:          "Ann Lee",
		`"[\"Ann Lee\"]"`:                                 "Ann Lee",
		`"[Ann]"`:                                         "[Ann]",
		`12`:                                              "",
	} {
		if got := contact(t, `{"id":7,"name":`+name+`}`).Name; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestAContactsFlagsAreReadInAnySpelling(t *testing.T) {
	t.Parallel()
	null := events.Optional[bool]{State: events.Null}
	for value, want := range map[string]events.Optional[bool]{
		`true`: yes(true), `1`: yes(true), `1.0`: yes(true), `"1"`: yes(true), `"true"`: yes(true), `" TRUE "`: yes(true), `"Yes"`: yes(true),
		`false`: yes(false), `0`: yes(false), `"0"`: yes(false), `"false"`: yes(false), `"no"`: yes(false),
		`null`: null, `""`: null, `"perhaps"`: null, `2`: null, `[]`: null, `{"a":1}`: null,
	} {
		c := contact(t, `{"id":7,"status":{"blacklist":`+value+`,"dnm":true}}`)
		if diff := cmp.Diff([]events.Optional[bool]{want, {}}, []events.Optional[bool]{c.Blacklisted, c.DoNotDisturb}); diff != "" {
			t.Errorf("blacklist %s: flags (-want +got):\n%s", value, diff)
		}
		if got := contact(t, `{"id":7,"status":{"dnd":`+value+`}}`).DoNotDisturb; got != want {
			t.Errorf("dnd %s: %v, want %v", value, got, want)
		}
	}
	for status, want := range map[string]events.Optional[bool]{
		`{"Is_Blacklisted":1}`:               yes(true),
		`{"blacklist":true,"blocked":false}`: yes(true),
		`{"blacklist":false,"blocked":true}`: yes(true),
		`{"blacklist":null,"blocked":false}`: yes(false),
		`"{\"blacklist\":\"1\"}"`:            yes(true),
		`"Blacklisted"`:                      yes(true),
		`"active"`:                           yes(false),
		`"lead"`:                             {},
		`"{not JSON"`:                        {},
		`[]`:                                 {},
		`null`:                               {},
		`{}`:                                 {},
		`{"dnd":true}`:                       {},
	} {
		if got := contact(t, `{"id":7,"status":`+status+`}`).Blacklisted; got != want {
			t.Errorf("status %s: blacklisted %v, want %v", status, got, want)
		}
	}
}

func TestAContactsNameMayBeCalledAsInACall(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`{"id":7,"contact_name":"Jordan Lee"}`:                    "Jordan Lee",
		`{"id":7,"contact_name":"Jordan Lee","name":null}`:        "Jordan Lee",
		`{"id":7,"contact_name":"Jordan","name":"Jordan Lee"}`:    "Jordan Lee",
		`{"id":7,"name":"Jordan Lee","contact_name":"Jordan L."}`: "Jordan Lee",
	} {
		if got := contact(t, data).Name; got != want {
			t.Errorf("%s: name %q, want %q", data, got, want)
		}
	}
}

func TestADeletedContactIsRemoved(t *testing.T) {
	t.Parallel()
	for typ, want := range map[events.Type]bool{
		"contact.created": false, "contact.updated": false, "jc.contact_status_updated": false,
		"contact.deleted": true, "contact.removed": true,
	} {
		for _, body := range []string{bodyA(typ, `{"contact_id":7}`), bodyB(typ, `{"id":7}`)} {
			c, ok := decode(t, body).Details().Event.(*events.Contact)
			if !ok || c.Removed != want || c.ID != "7" {
				t.Errorf("%s: %+v, want contact 7, removed %t", typ, c, want)
			}
		}
	}
}
