package table_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

// decode reads a body that must be readable.
func decode(t require, body string) *events.Delivery {
	t.Helper()
	envelope, err := events.Open([]byte(body))
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return envelope.Decode()
}

// require is what [testing.T] and [rapid.T] have in common here.
type require interface {
	Helper()
	Fatalf(format string, args ...any)
}

// bodyA is a delivery of format A.
func bodyA(typ, timestamp, data string) string {
	return fmt.Sprintf(`{"event":%s,"timestamp":%s,"data":%s}`, quote(typ), quote(timestamp), data)
}

func TestKeysAreThoseOfTheTable(t *testing.T) {
	t.Parallel()
	const noon = "2026-03-12T12:00:00Z"
	for _, tc := range []struct {
		name, body, pk, sk string // sk without the digest
	}{
		{"a call", bodyA("call.completed", noon, `{"call_id":"call_8f3a2b1c"}`), "CALL#call_8f3a2b1c", "EVENT#2026-03-12T12:00:00.000Z#call.completed#"},
		{"a voicemail stands with its call", bodyA("voicemail.received", noon, `{"call_id":"call_8f3a2b1c"}`), "CALL#call_8f3a2b1c", "EVENT#2026-03-12T12:00:00.000Z#voicemail.received#"},
		{"a text", bodyA("sms.sent", noon, `{"message_id":"msg_1"}`), "MESSAGE#msg_1", "EVENT#2026-03-12T12:00:00.000Z#sms.sent#"},
		{"a contact", bodyA("contact.created", noon, `{"contact_id":98765}`), "CONTACT#98765", "EVENT#2026-03-12T12:00:00.000Z#contact.created#"},
		{"the same contact as text", bodyA("contact.created", noon, `{"contact_id":"98765"}`), "CONTACT#98765", "EVENT#2026-03-12T12:00:00.000Z#contact.created#"},
		{"format B's call_sid", `{"type":"call.missed","data":{"id":17,"call_sid":"CA01","call_date":"2026-03-12","call_time":"9:08:07"}}`, "CALL#CA01", "EVENT#2026-03-12T09:08:07.000Z#call.missed#"},
		{"else format B's id", `{"type":"call.missed","data":{"id":17,"call_sid":"","call_date":"2026-03-12","call_time":"09:08:07"}}`, "CALL#17", "EVENT#2026-03-12T09:08:07.000Z#call.missed#"},
		{"an unknown type with an id", bodyA("call.parked", noon, `{"call_id":"c1"}`), "CALL#c1", "EVENT#2026-03-12T12:00:00.000Z#call.parked#"},
		{"an unknown type without", bodyA("fax.received", noon, `{"pages":3}`), "EVENT#fax.received", "EVENT#2026-03-12T12:00:00.000Z#fax.received#"},
		{"a known type without an id", bodyA("call.missed", noon, `{"from":"+14155558765"}`), "EVENT#call.missed", "EVENT#2026-03-12T12:00:00.000Z#call.missed#"},
		{"data of another shape", bodyA("call.missed", noon, `["call_8f3a2b1c"]`), "EVENT#call.missed", "EVENT#2026-03-12T12:00:00.000Z#call.missed#"},
		{"# in an id", bodyA("call.missed", noon, `{"call_id":"a#b#"}`), "CALL#a#b#", "EVENT#2026-03-12T12:00:00.000Z#call.missed#"},
		{"# in a type", bodyA("x#y", noon, `{"a":1}`), "EVENT#x#y", "EVENT#2026-03-12T12:00:00.000Z#x#y#"},
		{"control characters", bodyA("call.missed", noon, `{"call_id":"a\u0000b\n\u007f\u001b"}`), "CALL#a%00b%0A%7F%1B", "EVENT#2026-03-12T12:00:00.000Z#call.missed#"},
		{"a percent sign", bodyA("call.missed", noon, `{"call_id":"a%00b"}`), "CALL#a%2500b", "EVENT#2026-03-12T12:00:00.000Z#call.missed#"},
		{"letters beyond ASCII", bodyA("call.missed", noon, `{"call_id":"čall😀"}`), "CALL#čall😀", "EVENT#2026-03-12T12:00:00.000Z#call.missed#"},
		{"no time in the body", `{"event":"call.missed","data":{"call_id":"c1"}}`, "CALL#c1", "EVENT#0000-00-00T00:00:00.000Z#call.missed#"},
		{"the first second that is a time", bodyA("call.missed", "2000-01-01T00:00:00Z", `{"call_id":"c1"}`), "CALL#c1", "EVENT#2000-01-01T00:00:00.000Z#call.missed#"},
		{"an epoch's zero", bodyA("call.missed", "1970-01-01T00:00:00Z", `{"call_id":"c1"}`), "CALL#c1", "EVENT#0000-00-00T00:00:00.000Z#call.missed#"},
		{"the last second", bodyA("call.missed", "9999-12-31T23:59:59.9999Z", `{"call_id":"c1"}`), "CALL#c1", "EVENT#9999-12-31T23:59:59.999Z#call.missed#"},
		{"before year 0", bodyA("call.missed", "0000-01-01T00:00:00+01:00", `{"call_id":"c1"}`), "CALL#c1", "EVENT#0000-00-00T00:00:00.000Z#call.missed#"},
		{"after year 9999", bodyA("call.missed", "9999-12-31T23:59:59-01:00", `{"call_id":"c1"}`), "CALL#c1", "EVENT#0000-00-00T00:00:00.000Z#call.missed#"},
		{"an offset", bodyA("call.missed", "2026-03-12T17:30:00+05:30", `{"call_id":"c1"}`), "CALL#c1", "EVENT#2026-03-12T12:00:00.000Z#call.missed#"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			d := decode(t, tc.body)
			want := table.Key{PK: tc.pk, SK: tc.sk + d.Digest}
			if diff := cmp.Diff(want, table.EventKey(d)); diff != "" {
				t.Errorf("key (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPartitionsAreNamedInOnePlace(t *testing.T) {
	t.Parallel()
	lateInNewYork := time.Date(2026, time.March, 12, 23, 30, 0, 0, time.FixedZone("EDT", -4*60*60))
	got := []string{
		table.CallPartition("c1"), table.MessagePartition("m1"), table.ContactPartition("98765"),
		table.PhonePartition("+14155558765"), table.CallerPartition("+14155558765"),
		table.AlertPartition(table.Key{PK: "CALL#c1"}, lateInNewYork), table.RejectedPartition(lateInNewYork),
		table.Time(lateInNewYork),
		table.WaitingPartition, table.WaitingSort(table.FollowUpKey("+14155558765"), lateInNewYork),
		table.FollowUpKey("+14155558765").PK, table.FollowUpKey("+14155558765").SK,
		table.FollowUpKey("call:c1").PK, table.FollowUpKey("call:c1").SK,
	}
	want := []string{
		"CALL#c1", "MESSAGE#m1", "CONTACT#98765",
		"PHONE#+14155558765", "CALLER#+14155558765",
		"ALERT#2026-03-13#1", "REJECTED#2026-03-13",
		"2026-03-13T03:30:00.000Z",
		"WAITING", "2026-03-13T03:30:00.000Z#+14155558765",
		"CALLER#+14155558765", "FOLLOWUP#default",
		"CALLER#call:c1", "FOLLOWUP#default",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestARejectionIsKeyedByArrivalAndBody(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.March, 12, 14, 32, 0, 123_456_789, time.UTC)
	got := table.RejectedKey(at, []byte("not JSON"))
	// printf 'not JSON' | sha256sum
	want := table.Key{PK: "REJECTED#2026-03-12", SK: "2026-03-12T14:32:00.123Z#62b8125a6f6d924e"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("key (-want +got):\n%s", diff)
	}
	if table.RejectedKey(at, []byte("not json")) == got {
		t.Error("two bodies, one key")
	}
}

func TestPromise2_NoClockAndNoRequestIDStandsInAKey(t *testing.T) {
	t.Parallel()
	const withDates = `{"type":"call.missed","request_id":%q,"webhook_url":"https://example.com/%[1]s","data":{"call_sid":"CA01","call_date":"2026-03-12","call_time":"09:08:07"}}`
	for _, body := range []string{
		withDates,
		`{"type":"jc.contact_status_updated","request_id":%q,"data":{"id":91177,"status":{"dnd":true}}}`,
		`{"type":"call.missed","request_id":%q,"call_sid":"CA01"}`,
		`{"type":"call.missed","request_id":%q,"data":{},"payload":{"call_sid":"CA01"}}`,
	} {
		first := decode(t, fmt.Sprintf(body, "01HSGYB2CQ8V0NSE0YA5ZG1V4K"))
		retry := decode(t, fmt.Sprintf(body, "01HSGZZZZZ8V0NSE0YA5ZG1V4K"))
		if diff := cmp.Diff(table.EventKey(first), table.EventKey(retry)); diff != "" {
			t.Errorf("%s: a retry with another request_id makes another key:\n%s", body, diff)
		}
	}

	// EventItem gets a header's time and the arrival: neither may reach the key,
	// even if the body has no time.
	for _, body := range []string{
		fmt.Sprintf(withDates, "01HSGYB2CQ8V0NSE0YA5ZG1V4K"),
		bodyA("call.missed", "2026-03-12T14:32:00Z", `{"call_id":"c1"}`),
		bodyA("call.missed", "soon", `{"call_id":"c1"}`),
		`{"event":"call.missed","data":{"call_id":"c1"}}`,
	} {
		d := decode(t, body)
		at := time.Date(2026, time.March, 12, 14, 32, 1, 0, time.UTC)
		one := table.EventItem(d, at, at)
		two := table.EventItem(d, at.Add(time.Minute), at.Add(111*time.Minute))
		for _, name := range []string{table.PK, table.SK} {
			if diff := cmp.Diff(plain(one[name]), plain(two[name])); diff != "" {
				t.Errorf("%s: arrival or header time in %s:\n%s", body, name, diff)
			}
		}
	}
}

func TestTheOrderOfMembersAndSpaceBetweenThemDoNotChangeAKey(t *testing.T) {
	t.Parallel()
	one := decode(t, `{"event":"sms.sent","timestamp":"2026-03-12T14:36:00Z","data":{"message_id":"m1","body":"é\/","n":1.0}}`)
	two := decode(t, `{ "data": {"n": 1, "body": "\u00e9/", "message_id": "m1"}, "timestamp": "2026-03-12T14:36:00.000+00:00", "event": "sms.sent" }`)
	if diff := cmp.Diff(table.EventKey(one), table.EventKey(two)); diff != "" {
		t.Errorf("key (-first +second):\n%s", diff)
	}
}

func TestTwoUpdatesWithinOneSecondDiffer(t *testing.T) {
	t.Parallel()
	const second = "2026-03-12T14:50:00Z"
	one := table.EventKey(decode(t, bodyA("contact.updated", second, `{"contact_id":98765,"company":"Acme"}`)))
	two := table.EventKey(decode(t, bodyA("contact.updated", second, `{"contact_id":98765,"company":"Acme Corp"}`)))
	if one.PK != two.PK || one.SK == two.SK {
		t.Errorf("keys %+v and %+v, want one partition and two sort keys", one, two)
	}
}

func TestIDsThatAFloatCannotTellApartDiffer(t *testing.T) {
	t.Parallel()
	const second = "2026-03-12T14:50:00Z"
	one := table.EventKey(decode(t, bodyA("contact.updated", second, `{"contact_id":9007199254740993}`)))
	two := table.EventKey(decode(t, bodyA("contact.updated", second, `{"contact_id":9007199254740992}`)))
	if one.PK == two.PK || one.SK == two.SK {
		t.Errorf("keys %+v and %+v, want two of each", one, two)
	}
}

// anyText is text as a sender may make it up, long enough to be cut, too.
func anyText() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.String(),
		rapid.StringOf(rapid.SampledFrom([]rune("#%0\x00\n\x7fé"))),
		rapid.Map(rapid.IntRange(390, 410), func(n int) string { return strings.Repeat("x", n) }),
		rapid.Map(rapid.IntRange(120, 140), func(n int) string { return strings.Repeat("\x00", n) }),
		rapid.SampledFrom([]string{strings.Repeat("ab#", 1000), strings.Repeat("é", 201), strings.Repeat("t", 100_000)}),
	)
}

func TestKeysOfAnyIDAndTypeAreUsable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := &events.Delivery{
			Envelope:  &events.Envelope{Format: events.FormatA, Type: events.Type("x" + anyText().Draw(t, "type")), Body: []byte("{}")},
			Kind:      rapid.SampledFrom([]events.Kind{events.KindCall, events.KindMissedCall, events.KindUnknown}).Draw(t, "kind"),
			Entity:    events.EntityCall,
			ID:        "x" + anyText().Draw(t, "id"),
			Digest:    "0123456789abcdef",
			Phone:     "+14155558765",
			StampedAt: time.UnixMilli(rapid.Int64Range(-62167219200000, 253402300799999).Draw(t, "at")).UTC(),
		}
		if rapid.Bool().Draw(t, "no id") {
			d.Entity, d.ID = events.EntityNone, ""
		}
		item := table.EventItem(d, d.StampedAt, d.StampedAt)
		if err := table.Check(item); err != nil {
			t.Errorf("the table refuses it: %v", err)
		}
		for _, name := range []string{table.PK, table.SK, table.GSI1PK, table.GSI2PK} {
			if strings.IndexFunc(plain(item[name]), unicode.IsControl) >= 0 {
				t.Errorf("control character in %s %q", name, plain(item[name]))
			}
		}
	})
}

func TestTwoIDsNeverShareAPartition(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		one, two := anyText().Draw(t, "one"), anyText().Draw(t, "two")
		same := one == two
		for _, partition := range []func(string) string{table.CallPartition, table.MessagePartition, table.ContactPartition} {
			if (partition(one) == partition(two)) != same {
				t.Errorf("%q and %q: %q and %q", one, two, partition(one), partition(two))
			}
		}
	})
	long := strings.Repeat("x", 3000)
	if table.CallPartition(long+"1") == table.CallPartition(long+"2") {
		t.Error("two long ids that begin alike share a partition")
	}
}

func TestSortKeysSortByTime(t *testing.T) {
	t.Parallel()
	first, last := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		times := rapid.SliceOfN(rapid.Int64Range(first.UnixMilli(), last.UnixMilli()), 2, 10).Draw(t, "times")
		slices.Sort(times)
		var keys []string
		for _, ms := range times {
			at := time.UnixMilli(ms)
			typ := rapid.SampledFrom([]string{"call.missed", "a", "z"}).Draw(t, "type")
			d := decode(t, bodyA(typ, at.UTC().Format(time.RFC3339Nano), `{"call_id":"c1","n":`+fmt.Sprint(ms)+`}`))
			if d.StampedAt.IsZero() {
				continue // too early to be a time
			}
			keys = append(keys, table.EventKey(d).SK[:len("EVENT#0000-00-00T00:00:00.000Z")])
		}
		if !slices.IsSorted(keys) {
			t.Errorf("sort keys out of order: %q", keys)
		}
	})
}

func TestAnEventWithoutATimeSortsBeforeAllOthers(t *testing.T) {
	t.Parallel()
	without := table.EventKey(decode(t, `{"event":"call.missed","data":{"call_id":"c1"}}`))
	first := table.EventKey(decode(t, bodyA("call.missed", "2000-01-01T00:00:00Z", `{"call_id":"c1"}`)))
	if without.SK >= first.SK {
		t.Errorf("%q does not sort before %q", without.SK, first.SK)
	}
}

func TestAMarkIsPerCallAndKind(t *testing.T) {
	t.Parallel()
	call := table.Key{PK: "CALL#1", SK: "EVENT#2026-03-12T14:32:00.000Z#call.missed#0123456789abcdef"}
	twin := table.Key{PK: "CALL#1", SK: "EVENT#2026-03-12T14:33:00.000Z#call.updated#fedcba9876543210"}
	stray := table.Key{PK: "EVENT#call.missed", SK: call.SK}
	later := table.Key{PK: "EVENT#call.missed", SK: strings.Replace(call.SK, "14:32", "14:33", 1)}
	for _, tc := range []struct {
		name  string
		event table.Key
		kind  events.Kind
		want  table.Key
	}{
		{"of a call", call, events.KindMissedCall, table.Key{PK: "CALL#1", SK: "ALERT#missed_call"}},
		{"of another event of the call", twin, events.KindMissedCall, table.Key{PK: "CALL#1", SK: "ALERT#missed_call"}},
		{"of another kind", call, events.KindVoicemail, table.Key{PK: "CALL#1", SK: "ALERT#voicemail"}},
		{
			"of no known call", stray, events.KindMissedCall,
			table.Key{PK: "EVENT#call.missed", SK: "ALERT#missed_call#2026-03-12T14:32:00.000Z#call.missed#0123456789abcdef"},
		},
		{
			"of no known call, a minute later", later, events.KindMissedCall,
			table.Key{PK: "EVENT#call.missed", SK: "ALERT#missed_call#2026-03-12T14:33:00.000Z#call.missed#0123456789abcdef"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := table.AlertKey(tc.event, tc.kind)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("key (-want +got):\n%s", diff)
			}
			if q := table.AlertMarks(tc.event, tc.kind); q.Partition != got.PK || !strings.HasPrefix(got.SK, q.SortPrefix) {
				t.Errorf("the query %+v does not find it", q)
			}
		})
	}
}

func TestACallersNumberIsNotLogged(t *testing.T) {
	t.Parallel()
	for pk, want := range map[string]string{
		table.CallerPartition("+14155558765"): "CALLER#",
		table.CallPartition("c1"):             "CALL#c1",
		table.ContactPartition("98765"):       "CONTACT#98765",
		"EVENT#sms.sent":                      "EVENT#sms.sent",
		"EVENT#of the sender's own":           "EVENT#unregistered",
	} {
		if got := table.LogPartition(pk); got != want {
			t.Errorf("LogPartition(%q) = %q, want %q", pk, got, want)
		}
	}
}

func TestASourceNamesACallOrAnEventOfNone(t *testing.T) {
	t.Parallel()
	for key, want := range map[table.Key]table.Key{
		{PK: "CALL#c 1", SK: "EVENT#2026-03-12T14:32:00.000Z#call.missed#00"}:            {PK: "CALL#c 1"},
		{PK: "EVENT#fax received", SK: "EVENT#2026-03-12T14:32:00.000Z#fax received#00"}: {PK: "EVENT#fax received", SK: "EVENT#2026-03-12T14:32:00.000Z#fax received#00"},
	} {
		if got := table.SourceKey(table.SourceOf(key)); got != want {
			t.Errorf("%v: %v, want %v", key, got, want)
		}
	}
}
