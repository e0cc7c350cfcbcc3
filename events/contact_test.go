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
		{"none", `[]`, numbers()},
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
