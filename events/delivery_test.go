package events_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
)

func TestIDs(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 3000)
	for _, test := range []struct {
		name string
		json string
		want string
		fits bool
	}{
		{"a string", `"call_1"`, "call_1", true},
		{"a number", `98765`, "98765", true},
		{"a number as a string", `"98765"`, "98765", true},
		{"a whole number written as a float", `98765.0`, "98765", true},
		{"a whole number written with an exponent", `9.8765e4`, "98765", true},
		{"a whole number written with a capital exponent", `987650E-1`, "98765", true},
		{"the largest exact float", `9007199254740991.0`, "9007199254740991", true},
		{"2⁵³+1", `9007199254740993`, "9007199254740993", true},
		{"thirty digits", `123456789012345678901234567890`, "123456789012345678901234567890", true},
		{"thirty digits as a string", `"123456789012345678901234567890"`, "123456789012345678901234567890", true},
		{"an escaped string", `"c\u0061ll_1\/2"`, "call_1/2", true},
		{"a hash", `"call#1#"`, "call#1#", true},
		{"NUL and control characters", `"a\u0000b\u001f\n\u007f"`, "a\x00b\x1f\n\x7f", true},
		{"blanks around it", `" call_1\n"`, "call_1", true},
		{"a letter beyond the basic plane", `"\ud83d\ude00"`, "😀", true},
		{"3 000 letters", `"` + long + `"`, long, true},
		{"a fraction is no other number", `98765.5`, "98765.5", true},

		{"null", `null`, "", true},
		{"an empty string", `""`, "", true},
		{"white space", `" \t\r\n"`, "", true},
		{"zero", `0`, "", true},
		{"zero as a string", `"0"`, "", true},
		{"zero as a float", `0.0`, "", true},
		{"nothing but zeros", `"00000000-0000-0000-0000-000000000000"`, "", true},
		{"minus one", `-1`, "", true},
		{"minus one as a string", `" -1 "`, "", true},
		{"minus one as a float", `"-1.0"`, "", true},
		{"a dash", `"-"`, "", true},
		{"the word null", `"null"`, "", true},
		{"the word NULL", `"NULL"`, "", true},
		{"the word None", `"None"`, "", true},
		{"the word undefined", `"undefined"`, "", true},
		{"the word nil", `"<nil>"`, "", true},
		{"the word NaN", `"NaN"`, "", true},
		{"n/a", `"n/a"`, "", true},
		{"the word false", `"false"`, "", true},
		{"an object as text", `"[object Object]"`, "", true},
		{"a word in brackets", `"(none)"`, "", true},
		{"a word that only begins like a placeholder", `"null7"`, "null7", true},
		{"a letter before zeros", `"c0"`, "c0", true},
		{"zeros and a one", `"0001"`, "0001", true},

		{"a bool", `true`, "", false},
		{"an object", `{"id":"call_1"}`, "", false},
		{"an array", `["call_1"]`, "", false},
	} {
		for _, member := range []struct {
			typ    events.Type
			name   string
			entity events.Entity
		}{
			{events.TypeCallMissed, "call_id", events.EntityCall},
			{events.TypeCallMissed, "call_sid", events.EntityCall},
			{events.TypeCallMissed, "id", events.EntityCall},
			{events.TypeVoicemailReceived, "call_id", events.EntityCall},
			{events.TypeSMSSent, "message_id", events.EntityMessage},
			{events.TypeSMSSent, "id", events.EntityMessage},
			{events.TypeContactCreated, "contact_id", events.EntityContact},
			{events.TypeContactCreated, "id", events.EntityContact},
			{"call.transferred", "call_id", events.EntityCall},
			{"call.transferred", "call_sid", events.EntityCall},
			{"sms.scheduled", "message_id", events.EntityMessage},
			{"contact.deleted", "contact_id", events.EntityContact},
		} {
			t.Run(test.name+"/"+string(member.typ)+"/"+member.name, func(t *testing.T) {
				t.Parallel()
				d := decode(t, bodyA(member.typ, `{"`+member.name+`":`+test.json+`}`))
				if d.ID != test.want {
					t.Errorf("id: got %q, want %q", d.ID, test.want)
				}
				entity := member.entity
				if test.want == "" {
					entity = events.EntityNone
				}
				if d.Entity != entity {
					t.Errorf("entity: got %q, want %q", d.Entity, entity)
				}
				var mismatches []string
				if !test.fits {
					mismatches = []string{member.name}
				}
				if diff := cmp.Diff(mismatches, d.TypeMismatches); diff != "" {
					t.Errorf("type mismatches (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestTheFirstUsableIDCounts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		typ    events.Type
		data   string
		entity events.Entity
		id     string
	}{
		{"call_sid before id", "call.missed", `{"id":7,"call_sid":"CA1"}`, events.EntityCall, "CA1"},
		{"id where call_sid is empty", "call.missed", `{"id":7,"call_sid":""}`, events.EntityCall, "7"},
		{"id where call_sid is null", "call.missed", `{"call_sid":null,"id":"7"}`, events.EntityCall, "7"},
		{"id where call_sid does not fit", "call.missed", `{"call_sid":{},"id":7}`, events.EntityCall, "7"},
		{"call_sid where id is empty", "sd.call_completed", `{"id":"","call_sid":"CA1"}`, events.EntityCall, "CA1"},
		{"call_sid before all", "call.missed", `{"id":7,"call_id":"call_1","call_sid":"CA1"}`, events.EntityCall, "CA1"},
		{"call_id before id", "call.missed", `{"id":7,"call_sid":"null","call_id":"call_1"}`, events.EntityCall, "call_1"},
		{"a text's id is not its contact's", "sms.sent", `{"contact_id":5,"id":7}`, events.EntityMessage, "7"},
		{"a text's id is not its call's", "sms.sent", `{"call_id":"call_1"}`, events.EntityNone, ""},
		{"contact_id before id", "contact.updated", `{"id":7,"contact_id":98765}`, events.EntityContact, "98765"},
		{"a bare id does not say of what", "call.transferred", `{"id":7}`, events.EntityNone, ""},
		{"an unknown event with several ids is its call's", "x.y", `{"contact_id":5,"message_id":"m","call_sid":"CA1"}`, events.EntityCall, "CA1"},
		{"an unknown event's message before its contact", "x.y", `{"contact_id":5,"message_id":"m"}`, events.EntityMessage, "m"},
		{"an unknown event without ids", "x.y", `{"a":1}`, events.EntityNone, ""},
		{"a registered event without ids", "call.missed", `{"a":1}`, events.EntityNone, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, body := range []string{bodyA(test.typ, test.data), bodyB(test.typ, test.data)} {
				d := decode(t, body)
				if d.Entity != test.entity || d.ID != test.id {
					t.Errorf("got %q %q, want %q %q", d.Entity, d.ID, test.entity, test.id)
				}
			}
		})
	}
}

func TestIDsBeyondExactFloatsStayApart(t *testing.T) {
	t.Parallel()
	one := decode(t, bodyA("contact.created", `{"contact_id":9007199254740992}`))
	two := decode(t, bodyA("contact.created", `{"contact_id":9007199254740993}`))
	if one.ID == two.ID {
		t.Errorf("two contacts have the ID %q", one.ID)
	}
	if one.Digest == two.Digest {
		t.Errorf("two contacts have the digest %q", one.Digest)
	}

	// As a float64, 2⁵³+1 would become its neighbour.
	one = decode(t, bodyA("contact.created", `{"contact_id":9007199254740992.0}`))
	two = decode(t, bodyA("contact.created", `{"contact_id":9007199254740993.0}`))
	if one.ID == two.ID {
		t.Errorf("two contacts, written as floats, have the ID %q", one.ID)
	}
}

func TestAMissedCallAndItsVoicemailAreOneCall(t *testing.T) {
	t.Parallel()
	seen := map[events.Type]*events.Delivery{}
	for _, s := range samples(t) {
		if s.format == events.FormatA {
			seen[s.event] = decode(t, string(s.body))
		}
	}
	for _, pair := range [][2]events.Type{
		{events.TypeCallMissed, events.TypeVoicemailReceived},
		{events.TypeSMSSent, events.TypeSMSDelivered},
		{events.TypeContactCreated, events.TypeContactUpdated},
	} {
		one, two := seen[pair[0]], seen[pair[1]]
		if one.Entity != two.Entity || one.ID != two.ID || one.ID == "" {
			t.Errorf("%v: %q %q and %q %q", pair, one.Entity, one.ID, two.Entity, two.ID)
		}
		if one.Phone != two.Phone || one.Phone == "" {
			t.Errorf("%v: phones %q and %q", pair, one.Phone, two.Phone)
		}
		if one.Digest == two.Digest {
			t.Errorf("%v: one digest for both", pair)
		}
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		one, two string
		same     bool
	}{
		{"the order of members does not matter", `{"a":1,"b":{"c":2,"d":3}}`, `{"b":{"d":3,"c":2},"a":1}`, true},
		{"white space does not matter", `{"a":[1,2]}`, "{ \"a\" :\n[ 1,\t2 ] }", true},
		{"escapes do not matter", `{"a":"é/"}`, `{"\u0061":"\u00e9\/"}`, true},
		{"1.0 is 1", `{"a":1.0}`, `{"a":1}`, true},
		{"9.8765e4 is 98765", `{"a":9.8765e4}`, `{"a":98765}`, true},
		{"-0 is 0", `{"a":-0}`, `{"a":0}`, true},

		{"another value", `{"a":1}`, `{"a":2}`, false},
		{"another name", `{"a":1}`, `{"b":1}`, false},
		{"a letter's case", `{"a":"x"}`, `{"a":"X"}`, false},
		{"composed and decomposed letters", `{"a":"é"}`, `{"a":"e\u0301"}`, false},
		{"the order of an array", `{"a":[1,2]}`, `{"a":[2,1]}`, false},
		{"a string is not its number", `{"a":"1"}`, `{"a":1}`, false},
		{"null is not absent", `{"a":1,"b":null}`, `{"a":1}`, false},
		{"text with space is not text without", `{"a":"x y"}`, `{"a":"xy"}`, false},
		{"0.1 is not 0.10000000000000002", `{"a":0.1}`, `{"a":0.10000000000000002}`, false},
		{"2⁵³ is not 2⁵³+1", `{"a":9007199254740992}`, `{"a":9007199254740993}`, false},
		{"-2⁵³ is not -2⁵³-1", `{"a":-9007199254740992}`, `{"a":-9007199254740993}`, false},
		{"an array is not an object", `[1]`, `{"1":1}`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			one := decode(t, bodyA("call.missed", test.one)).Digest
			two := decode(t, bodyA("call.missed", test.two)).Digest
			if (one == two) != test.same {
				t.Errorf("same: got %v, want %v (%s, %s)", one == two, test.same, one, two)
			}
		})
	}
}

func TestDigestIsSHA256OverTheCanonicalData(t *testing.T) {
	t.Parallel()
	canonical := `{"":[],"a":"é\n","z":{"n":1,"x":0.001},"€":1e+30,"😀":true}`
	sum := sha256.Sum256([]byte(canonical))
	want := hex.EncodeToString(sum[:])[:16]
	d := decode(t, bodyA("x.y", `{ "z":{"x":1.0e-3,"n":1.0}, "\ud83d\ude00":true, "€":1000000000000000000000000000000.0, "a":"\u00e9\u000a", "":[ ] }`))
	if d.Digest != want {
		t.Errorf("got %s, want %s", d.Digest, want)
	}
}

func TestARedeliveryHasTheSameKey(t *testing.T) {
	t.Parallel()
	const data = `{"call_sid":"CA1","contact_number":"14155558765","call_date":"2024-03-21","call_time":"9:08:22"}`
	want := keyOf(decode(t, `{"type":"call.missed","request_id":"01ARZ3NDEKTSV4RRFFQ69G5FAV","data":`+data+`}`))
	for _, again := range []string{
		`{"type":"call.missed","request_id":"01HSGYXYZ0ABCDEFGHJKMNPQRS","data":` + data + `}`,
		`{"data":` + data + `,"url_id":"17","webhook_url":"https://example.org","type":"call.missed"}`,
		"\n{ \"metadata\": {\"attempt\": 2}, \"type\": \"call.missed\", \"attempt\": 2, \"data\": " + data + " }\n",
	} {
		if diff := cmp.Diff(want, keyOf(decode(t, again))); diff != "" {
			t.Errorf("%s (-first +again):\n%s", again, diff)
		}
	}
}

func TestDifferentEventsNeverShareADigest(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		one, two string
	}{
		{
			"two updates within one second",
			bodyA("contact.updated", `{"contact_id":98765,"company":"Acme"}`),
			bodyA("contact.updated", `{"contact_id":98765,"company":"Globex"}`),
		},
		{
			"flat events without data",
			`{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","call_id":"call_1"}`,
			`{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","call_id":"call_2"}`,
		},
		{
			"flat events with null data",
			`{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":null,"call_id":"call_1"}`,
			`{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":null,"call_id":"call_2"}`,
		},
		{
			"flat events with an empty object for data",
			`{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":{},"call_id":"call_1"}`,
			`{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":{},"call_id":"call_2"}`,
		},
		{
			"flat events with empty text for data",
			`{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":"","call_id":"call_1"}`,
			`{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":"","call_id":"call_2"}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			one, two := decode(t, test.one), decode(t, test.two)
			if one.Probe() || two.Probe() {
				t.Fatal("taken for probes")
			}
			if one.Digest == two.Digest {
				t.Errorf("both have the digest %s: the second would be taken for a duplicate and lost", one.Digest)
			}
		})
	}
}

// The digest does not depend on the order of members, so no other part of the key
// may: two deliveries of equal data are one event.
func TestTheOrderOfMembersDoesNotMatter(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		typ      events.Type
		one, two string
	}{
		{
			"a direction in the data and another in call_info", "call.completed",
			`{"call_id":"c","from":"+14155558765","to":"+14155551234","direction":"inbound","call_info":{"direction":"Outgoing"}}`,
			`{"call_id":"c","from":"+14155558765","to":"+14155551234","call_info":{"direction":"Outgoing"},"direction":"inbound"}`,
		},
		{
			"a direction in the data and an empty one in call_info", "call.completed",
			`{"call_id":"c","from":"+14155558765","to":"+14155551234","direction":"inbound","call_info":{"direction":""}}`,
			`{"call_id":"c","from":"+14155558765","to":"+14155551234","call_info":{"direction":""},"direction":"inbound"}`,
		},
		{
			"a call's date and a text's", "call.missed",
			`{"call_id":"c","call_date":"2024-03-21","call_time":"17:08:22","sms_date":"2024-03-22","sms_time":"18:00:00"}`,
			`{"call_id":"c","sms_date":"2024-03-22","sms_time":"18:00:00","call_date":"2024-03-21","call_time":"17:08:22"}`,
		},
		{
			"three ids", "call.missed",
			`{"id":1,"call_sid":"CA1","call_id":"call_1"}`,
			`{"call_id":"call_1","call_sid":"CA1","id":1}`,
		},
		{
			"the outside party under two names", "contact.created",
			`{"contact_id":1,"phone":"+14155558765","contact_number":"14155559876"}`,
			`{"contact_id":1,"contact_number":"14155559876","phone":"+14155558765"}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			one, two := decode(t, bodyB(test.typ, test.one)), decode(t, bodyB(test.typ, test.two))
			if diff := cmp.Diff(keyOf(one), keyOf(two)); diff != "" {
				t.Errorf("key (-one +two):\n%s", diff)
			}
			if diff := cmp.Diff(one.Details().Event, two.Details().Event); diff != "" {
				t.Errorf("event (-one +two):\n%s", diff)
			}
		})
	}
}

func TestWhatSaysNothingTakesNothingAway(t *testing.T) {
	t.Parallel()
	for _, info := range []string{`null`, `""`, `{}`, `[]`, `{"direction":null}`, `{"direction":""}`, `{"direction":"sideways"}`, `{"direction":5}`} {
		t.Run(info, func(t *testing.T) {
			t.Parallel()
			d := decode(t, bodyA("call.completed", `{"call_id":"c","direction":"inbound","from":"+14155558765","to":"+14155551234","call_info":`+info+`}`))
			if want := "+14155558765"; d.Phone != want {
				t.Errorf("phone: got %q, want %q", d.Phone, want)
			}
		})
	}
}

func TestOccurredAt(t *testing.T) {
	t.Parallel()
	const (
		ulid     = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
		dateTime = `"call_date":"2024-03-21","call_time":"17:08:22"`
	)
	var (
		ulidTime = time.UnixMilli(1469922850259).UTC() // the time in the ULID specification's example
		callTime = time.Date(2024, 3, 21, 17, 8, 22, 0, time.UTC)
		none     time.Time
	)
	for _, test := range []struct {
		name       string
		body       string
		want       time.Time
		mismatches []string
	}{
		{"format A's timestamp", `{"event":"x","timestamp":"2026-03-12T14:32:00Z","data":{"a":1}}`, time.Date(2026, 3, 12, 14, 32, 0, 0, time.UTC), nil},
		{"format A's timestamp before the data's own", `{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":{` + dateTime + `}}`, time.Date(2026, 3, 12, 14, 32, 0, 0, time.UTC), nil},
		{"an offset becomes UTC", `{"event":"x","timestamp":"2026-03-12T14:32:00.5+05:30","data":{"a":1}}`, time.Date(2026, 3, 12, 9, 2, 0, 500_000_000, time.UTC), nil},
		{"epoch seconds as a number", `{"event":"x","timestamp":1711040902,"data":{"a":1}}`, callTime, nil},
		{"epoch milliseconds as a number", `{"event":"x","timestamp":1711040902123,"data":{"a":1}}`, callTime.Add(123 * time.Millisecond), nil},
		{"epoch seconds with a fraction", `{"event":"x","timestamp":1711040902.123,"data":{"a":1}}`, callTime.Add(123 * time.Millisecond), nil},
		{"epoch seconds with a fraction and an exponent", `{"event":"x","timestamp":1.711040902123e9,"data":{"a":1}}`, callTime.Add(123 * time.Millisecond), nil},
		{"a number beyond every time", `{"event":"x","timestamp":1e300,"data":{"a":1}}`, none, []string{"timestamp"}},
		{"epoch seconds as a float", `{"event":"x","timestamp":1.711040902e9,"data":{"a":1}}`, callTime, nil},
		{"the data's own time where the timestamp is no time", `{"event":"call.missed","timestamp":"yesterday","data":{` + dateTime + `}}`, callTime, []string{"timestamp"}},
		{"a timestamp that is no time", `{"event":"call.missed","timestamp":"yesterday","data":{"a":1}}`, none, []string{"timestamp"}},
		{"a timestamp that is an object", `{"event":"call.missed","timestamp":{"at":1},"data":{"a":1}}`, none, []string{"timestamp"}},
		{"a timestamp that is a bool", `{"event":"call.missed","timestamp":true,"data":{"a":1}}`, none, []string{"timestamp"}},
		{"a timestamp beyond year 9999", `{"event":"call.missed","timestamp":"9999-12-31T23:59:59-01:00","data":{"a":1}}`, none, []string{"timestamp"}},
		{"a timestamp in year 0", `{"event":"call.missed","timestamp":"0000-01-01T00:00:00Z","data":{"a":1}}`, none, []string{"timestamp"}},
		{"a date's digits as a timestamp", `{"event":"call.missed","timestamp":20260312,"data":{"a":1}}`, none, []string{"timestamp"}},

		{"a call's date and time", bodyB("call.missed", `{`+dateTime+`}`), callTime, nil},
		{"a time before its date", bodyB("call.missed", `{"call_time":"17:08:22","call_date":"2024-03-21"}`), callTime, nil},
		{"an unpadded hour", bodyB("call.missed", `{"call_date":"2024-03-21","call_time":"9:08:22"}`), callTime.Add(-8 * time.Hour), nil},
		{"a text's date and time", bodyB("sms.received", `{"sms_date":"2024-03-21","sms_time":"17:08:22"}`), callTime, nil},
		{"an unknown event's date and time", bodyB("call.transferred", `{`+dateTime+`}`), callTime, nil},
		{"an appointment's date and time", bodyB("appointment.scheduled", `{`+dateTime+`}`), callTime, nil},
		{"the user's own date is never used", bodyB("call.missed", `{"call_user_date":"2024-03-22","call_user_time":"01:08:22"}`), none, nil},
		{"a text's user date is never used", bodyB("sms.sent", `{"sms_user_date":"2024-03-22","sms_user_time":"01:08:22"}`), none, nil},
		{"a date with its time, and the time beside it", bodyB("call.missed", `{"call_date":"2024-03-21 17:08:22","call_time":"17:08:22"}`), callTime, nil},
		{"a date with its time alone", bodyB("call.missed", `{"call_date":"2024-03-21T17:08:22Z"}`), callTime, nil},
		{"a time with its date", bodyB("call.missed", `{"call_date":"2024-03-21","call_time":"2024-03-21 17:08:22"}`), callTime, nil},
		{"a date in epoch seconds", bodyB("call.missed", `{"call_date":"1711040902"}`), callTime, nil},
		{"midnight in epoch seconds, and a time", bodyB("call.missed", `{"call_date":"1710979200","call_time":"17:08:22"}`), callTime, nil},
		{"a date in epoch seconds as a number", bodyB("call.missed", `{"call_date":1711040902}`), callTime, []string{"call_date"}},
		{"the old datetime as a number", bodyB("call.missed", `{"datetime":1711040902}`), callTime, nil},
		{"a date with a month's name", bodyB("call.missed", `{"call_date":"Mar 21, 2024","call_time":"5:08:22 PM"}`), callTime, nil},
		{"a date without separators is no time since 1970", bodyB("call.missed", `{"call_date":"20240321"}`), none, []string{"call_date"}},
		{"a date without separators, and a time", bodyB("call.missed", `{"call_date":"20240321","call_time":"170822"}`), none, []string{"call_date"}},
		{"a text's date with its time", bodyB("sms.received", `{"sms_date":"2024-03-21 17:08:22","sms_time":"17:08:22"}`), callTime, nil},
		{"a 12-hour clock", bodyB("call.missed", `{"call_date":"2024-03-21","call_time":"5:08:22 PM"}`), callTime, nil},
		{"a time of 24:00:00", bodyB("call.missed", `{"call_date":"2024-03-20","call_time":"24:00:00"}`), time.Date(2024, 3, 21, 0, 0, 0, 0, time.UTC), nil},
		{"a time with a zone", bodyB("call.missed", `{"call_date":"2024-03-21","call_time":"17:08:22 UTC"}`), callTime, nil},
		{"slashes", bodyB("call.missed", `{"call_date":"2024/03/21","call_time":"17:08:22"}`), callTime, nil},
		{"the old datetime", bodyB("call.missed", `{"datetime":"2024-03-21 17:08:22"}`), callTime, nil},
		{"the old datetime of the legacy form", `{"data":{"type":"1","datetime":"2024-03-21 17:08:22"}}`, callTime, nil},
		{"the old datetime where the date is no date", bodyB("call.missed", `{"call_date":"0000-00-00","call_time":"00:00:00","datetime":"2024-03-21 17:08:22"}`), callTime, nil},
		{"a date before the old datetime", bodyB("call.missed", `{"datetime":"2023-01-01 00:00:00",`+dateTime+`}`), callTime, nil},
		{"an old datetime that is no time", bodyB("call.missed", `{"datetime":"lately"}`), none, []string{"datetime"}},
		{"a date that is no date", bodyB("call.missed", `{"call_date":"the 21st","call_time":"17:08:22"}`), none, []string{"call_date"}},
		{"a date that is a number", bodyB("call.missed", `{"call_date":20240321,"call_time":"17:08:22"}`), none, []string{"call_date"}},
		{"a date that is null", bodyB("call.missed", `{"call_date":null,"call_time":null}`), none, nil},
		{"a date that is empty", bodyB("call.missed", `{"call_date":"","call_time":""}`), none, nil},

		{"the data's own time before the ULID", `{"type":"call.missed","request_id":"` + ulid + `","data":{` + dateTime + `}}`, callTime, nil},
		{"the ULID where the data has no time", `{"type":"jc.contact_status_updated","request_id":"` + ulid + `","data":{"id":7}}`, ulidTime, nil},
		{"the ULID of an unknown event", `{"type":"x.y","request_id":"` + ulid + `","data":{"a":1}}`, ulidTime, nil},
		{"the ULID where the data's time is none", `{"type":"call.missed","request_id":"` + ulid + `","data":{"call_date":"0000-00-00","call_time":"00:00:00"}}`, ulidTime, []string{"call_date"}},
		{"a ULID in lower case", `{"type":"x.y","request_id":"` + strings.ToLower(ulid) + `","data":{"a":1}}`, ulidTime, nil},
		{"the last ULID that fits year 9999", `{"type":"x.y","request_id":"76EZ91ZPZZ0000000000000000","data":{"a":1}}`, time.Date(9999, 12, 31, 23, 59, 59, 999_000_000, time.UTC), nil},
		{"a ULID of year 10000", `{"type":"x.y","request_id":"76EZ91ZQ000000000000000000","data":{"a":1}}`, none, nil},
		{"the last ULID", `{"type":"x.y","request_id":"7ZZZZZZZZZZZZZZZZZZZZZZZZZ","data":{"a":1}}`, none, nil},
		{"a ULID that overflows", `{"type":"x.y","request_id":"8ZZZZZZZZZZZZZZZZZZZZZZZZZ","data":{"a":1}}`, none, nil},
		{"a ULID that is too short", `{"type":"x.y","request_id":"` + ulid[1:] + `","data":{"a":1}}`, none, nil},
		{"a ULID that is too long", `{"type":"x.y","request_id":"` + ulid + `0","data":{"a":1}}`, none, nil},
		{"a ULID with a letter that Crockford left out", `{"type":"x.y","request_id":"01ARZ3NDEUTSV4RRFFQ69G5FAV","data":{"a":1}}`, none, nil},
		{"a ULID with such a letter in its random part", `{"type":"x.y","request_id":"01ARZ3NDEKTSV4RRFFQ69G5FAI","data":{"a":1}}`, none, nil},
		{"a ULID with a letter that only its upper case makes valid", `{"type":"x.y","request_id":"01ARZ3NDEKTSV4RRFFQ69G5Fſ","data":{"a":1}}`, none, nil},
		{"such a letter across the end of its time", `{"type":"x.y","request_id":"000000000ſ000000000000000","data":{"a":1}}`, none, nil},
		{"a request_id that is a UUID", `{"type":"x.y","request_id":"8c5cbe4e-6a3a-4c1f-9f0a-0c4f2d1c1a11","data":{"a":1}}`, none, nil},
		{"a request_id that is a number", `{"type":"x.y","request_id":12345678901234567890123456,"data":{"a":1}}`, none, nil},
		{"no time at all", bodyB("x.y", `{"a":1}`), none, nil},
		{"the legacy form's timestamp", `{"timestamp":"2024-03-21T17:08:22Z","data":{"type":"x"}}`, callTime, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := decode(t, test.body)
			if !occurredAt(d).Equal(test.want) {
				t.Errorf("got %s, want %s", occurredAt(d), test.want)
			}
			if !occurredAt(d).IsZero() && occurredAt(d).Location() != time.UTC {
				t.Errorf("not in UTC, but in %s", occurredAt(d).Location())
			}
			if diff := cmp.Diff(test.mismatches, d.TypeMismatches); diff != "" {
				t.Errorf("type mismatches (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTypeMismatchesKeepKindAndID(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		typ        events.Type
		data       string
		kind       events.Kind
		entity     events.Entity
		mismatches []string
	}{
		{"every scalar of a missed call", "call.missed", `{"call_id":"x","direction":1,"from":true,"to":{},"agent_id":[],"ring_duration":"long","status":0}`, events.KindMissedCall, events.EntityCall, []string{"agent_id", "direction", "from", "ring_duration", "status", "to"}},
		{"a voicemail", "voicemail.received", `{"call_id":"x","transcription":["Hi"],"recording_url":7,"duration":true}`, events.KindVoicemail, events.EntityCall, []string{"duration", "recording_url", "transcription"}},
		{"call_info that is text", "call.missed", `{"call_sid":"x","call_info":"missed"}`, events.KindMissedCall, events.EntityCall, []string{"call_info"}},
		{"members of call_info", "call.missed", `{"call_sid":"x","call_info":{"type":5,"direction":true,"notes":{}}}`, events.KindMissedCall, events.EntityCall, []string{"call_info"}},
		{"call_duration that is a number", "call.completed", `{"call_sid":"x","call_duration":17}`, events.KindCall, events.EntityCall, []string{"call_duration"}},
		{"a direction that is no direction", "call.completed", `{"call_id":"x","direction":"sideways"}`, events.KindCall, events.EntityCall, []string{"direction"}},
		{"a text", "sms.received", `{"message_id":"x","body":{"text":"Hi"},"media_urls":[5],"media_url":5,"sms_info":[1]}`, events.KindMessage, events.EntityMessage, []string{"body", "media_url", "media_urls", "sms_info"}},
		{"a contact", "contact.updated", `{"contact_id":"x","first_name":1,"changed_fields":"company","phone":[]}`, events.KindContact, events.EntityContact, []string{"changed_fields", "first_name", "phone"}},
		{"data that is an array", "call.missed", `["x"]`, events.KindMissedCall, events.EntityNone, []string{"data"}},
		{"data that is text", "voicemail.received", `"call_1"`, events.KindVoicemail, events.EntityNone, []string{"data"}},
		{"data that is a number", "sms.received", `5`, events.KindMessage, events.EntityNone, []string{"data"}},
		{"data that is false", "contact.created", `false`, events.KindContact, events.EntityNone, []string{"data"}},
		{"an unknown event with data that is an array", "x.y", `[1]`, events.KindUnknown, events.EntityNone, []string{"data"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, body := range []string{bodyA(test.typ, test.data), bodyB(test.typ, test.data)} {
				d := decode(t, body)
				if d.Kind != test.kind {
					t.Errorf("kind: got %s, want %s", d.Kind, test.kind)
				}
				if d.Entity != test.entity || (d.Entity != "" && d.ID != "x") {
					t.Errorf("got %q %q, want %q", d.Entity, d.ID, test.entity)
				}
				if diff := cmp.Diff(test.mismatches, d.TypeMismatches); diff != "" {
					t.Errorf("type mismatches (-want +got):\n%s", diff)
				}
				for _, f := range d.Fields {
					if !strings.Contains(test.data, `"`+f.Name+`":`+string(f.Value)) {
						t.Errorf("%s is not kept as received: %s", f.Name, f.Value)
					}
				}
			}
		})
	}
}

func TestFieldsAreTheDocumentedMembersThatAreNotNull(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		body      string
		fields    []string
		newFields []string
	}{
		{
			"null is left out, empty is not",
			bodyA("call.missed", `{"call_id":"x","agent_id":null,"notes":"","tags":[],"ring_duration":0}`),
			[]string{"call_id", "notes", "tags", "ring_duration"},
			nil,
		},
		{
			"what is new is named, at the top level first",
			`{"later":1,"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":{"mood":"calm","call_id":"x","Call_ID":"y"},"earlier":2}`,
			[]string{"call_id"},
			[]string{"later", "earlier", "mood", "Call_ID"},
		},
		{
			"an escaped name is the name",
			bodyA("call.missed", `{"c\u0061ll_id":"x","mo\u006fd":1}`),
			[]string{"call_id"},
			[]string{"mood"},
		},
		{
			"what is inside a documented object is not new",
			bodyB("call.missed", `{"id":7,"call_info":{"mood":1},"tags":[{"a":1}]}`),
			[]string{"id", "call_info", "tags"},
			nil,
		},
		{
			"a missed call whose name is not registered is read once",
			bodyB("call.abandoned", `{"call_sid":"x","call_info":{"type":"Missed"},"mood":1}`),
			[]string{"call_sid", "call_info"},
			[]string{"mood"},
		},
		{
			"of other events whose name is not registered, only the top level is new",
			`{"type":"call.transferred","later":1,"data":{"call_sid":"x","mood":1}}`,
			[]string{"call_sid"},
			[]string{"later"},
		},
		{
			"what is null and new is new",
			bodyA("contact.created", `{"contact_id":1,"mood":null}`),
			[]string{"contact_id"},
			[]string{"mood"},
		},
		{
			"a text's members are new in a contact",
			bodyA("contact.created", `{"contact_id":1,"body":"Hi"}`),
			[]string{"contact_id"},
			[]string{"body"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := decode(t, test.body)
			var fields []string
			for _, f := range d.Fields {
				fields = append(fields, f.Name)
			}
			if diff := cmp.Diff(test.fields, fields); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.newFields, d.NewFields); diff != "" {
				t.Errorf("new fields (-want +got):\n%s", diff)
			}
			if len(d.TypeMismatches) > 0 {
				t.Errorf("type mismatches: %q", d.TypeMismatches)
			}
		})
	}
}

func TestUnknownTypesAreKept(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		body string
		want key
	}{
		{
			"with a call's id",
			bodyA("call.transferred", `{"call_id":"call_1","direction":"outbound","from":"+14155551234","to":"+14155558765","mood":1}`),
			key{Kind: events.KindUnknown, Direction: events.Outbound, Entity: events.EntityCall, ID: "call_1", Phone: "+14155558765"},
		},
		{
			"with a call_sid and the outside party's number",
			bodyB("call.transferred", `{"call_sid":"CA1","contact_number":14155558765,"justcall_number":14155551234}`),
			key{Kind: events.KindUnknown, Entity: events.EntityCall, ID: "CA1", Phone: "+14155558765"},
		},
		{
			"with no id",
			bodyA("account.suspended", `{"id":1,"reason":"unpaid"}`),
			key{Kind: events.KindUnknown},
		},
		{
			"with a name that is registered but for one letter",
			bodyA("call.misssed", `{"call_id":"call_1"}`),
			key{Kind: events.KindUnknown, Entity: events.EntityCall, ID: "call_1"},
		},
		{
			"a flat one, beside an object with such names",
			`{"event":"account.call","id":7,"meta":{"from":"web","call_id":"x"}}`,
			key{Kind: events.KindUnknown},
		},
		{
			"the legacy form of a call that tells nothing",
			`{"data":{"type":"1","call_sid":"CA1","call_info":{"type":"Bridged"}}}`,
			key{Kind: events.KindUnknown, Entity: events.EntityCall, ID: "CA1"},
		},
		{
			"the legacy form with a type of its own",
			`{"data":{"type":"1","id":7}}`,
			key{Kind: events.KindUnknown},
		},
		{
			"a registered type whose data no document describes",
			bodyB("appointment.scheduled", `{"id":7,"contact_id":5}`),
			key{Kind: events.KindUnknown, Entity: events.EntityContact, ID: "5"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := decode(t, test.body)
			got := keyOf(d)
			got.Digest, got.OccurredAt = "", time.Time{}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("key (-want +got):\n%s", diff)
			}
			if _, ok := d.Details().Event.(*events.Unknown); !ok {
				t.Errorf("event: got %T, want *Unknown", d.Details().Event)
			}
			if len(d.Data) == 0 {
				t.Error("the data is not kept")
			}
		})
	}
}

// Under -race this also shows that deliveries of one envelope share no memory that
// is written.
func TestAnEnvelopeDecodesTheSameEveryTime(t *testing.T) {
	t.Parallel()
	// Three members leave room for a fourth behind the slice.
	e := open(t, `{"event":"call.missed","one":1,"two":2,"three":3,"data":{"call_id":"x","four":4,"five":5}}`)
	deliveries := make([]*events.Delivery, 8)
	var group sync.WaitGroup
	for i := range deliveries {
		group.Go(func() { deliveries[i] = e.Decode() })
	}
	group.Wait()
	want := []string{"one", "two", "three", "four", "five"}
	for _, d := range deliveries {
		if diff := cmp.Diff(want, d.NewFields); diff != "" {
			t.Errorf("new fields (-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff([]string{"one", "two", "three"}, e.NewFields); diff != "" {
		t.Errorf("the envelope's own (-want +got):\n%s", diff)
	}
}

func TestWhatTellsTwoEventsApartIsInTheDigest(t *testing.T) {
	t.Parallel()
	for name, pair := range map[string][2]string{
		"timestamps that cannot be read": {
			`{"event":"contact.updated","timestamp":"Thu, 12 Mar 2026 14:32:00 CST","data":{"contact_id":1}}`,
			`{"event":"contact.updated","timestamp":"Fri, 13 Mar 2026 15:32:00 CST","data":{"contact_id":1}}`,
		},
		"timestamps that cannot be read, of flat events": {
			`{"type":"x","timestamp":"Thu, 12 Mar 2026 14:32:00 CST","foo":1}`,
			`{"type":"x","timestamp":"Thu, 12 Mar 2026 15:32:00 CST","foo":1}`,
		},
		"metadata of flat events":            {`{"type":"x","metadata":{"id":1},"foo":1}`, `{"type":"x","metadata":{"id":2},"foo":1}`},
		"an event that is an object, beside": {`{"type":"x","event":{"id":1},"foo":1}`, `{"type":"x","event":{"id":2},"foo":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if one, two := decode(t, pair[0]), decode(t, pair[1]); one.Digest == two.Digest {
				t.Errorf("both have the digest %s: the second would be taken for a duplicate", one.Digest)
			}
		})
	}
}
