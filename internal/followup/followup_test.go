package followup_test

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/followup"
)

// start is when the stories of these tests begin. It is the second 0.
var start = time.Date(2026, time.November, 28, 9, 0, 0, 0, time.UTC)

func at(second int) time.Time { return start.Add(time.Duration(second) * time.Second) }

// said is what one event of a call or text says.
type said struct {
	id        string
	typ       string // call.completed
	second    int
	direction string // Incoming
	outcome   string
	talk      int // seconds; below 0 for unknown
	ring      int
	line      string
	agent     string
	info      string // more members of call_info
	members   string // and of the data
}

// partsOf returns the events as the fold takes them. Each arrives a minute after it
// happened.
func partsOf(t fatal, all ...said) []events.Part {
	t.Helper()
	parts := make([]events.Part, len(all))
	for i, s := range all {
		parts[i] = s.part(t)
	}
	return parts
}

type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

func (s said) part(t fatal) events.Part {
	t.Helper()
	begin := at(s.second)
	members := s.members
	if s.agent != "" {
		members += fmt.Sprintf(`,"agent_id":7,"agent_name":%q`, s.agent)
	}
	ended := begin
	if s.talk >= 0 {
		members += fmt.Sprintf(`,"call_duration":{"total_duration":%d,"conversation_time":%d,"ring_time":%d}`, s.talk, s.talk, s.ring)
		ended = begin.Add(time.Duration(s.talk+s.ring) * time.Second)
	}
	body := fmt.Sprintf(`{"type":%q,"data":{"call_sid":%q,"contact_number":"14155550144","justcall_number":%q,
		"call_date":%q,"call_time":%q,"call_info":{"direction":%q,"type":%q%s}%s}}`,
		cmp.Or(s.typ, "call.completed"), s.id, cmp.Or(s.line, "14155550101"), begin.Format(time.DateOnly), begin.Format(time.TimeOnly),
		cmp.Or(s.direction, "Incoming"), s.outcome, s.info, members)
	return partOf(t, body, ended.Add(time.Minute))
}

func partOf(t fatal, body string, received time.Time) events.Part {
	t.Helper()
	envelope, err := events.Open([]byte(body))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	d := envelope.Decode()
	return events.Part{
		Details: envelope.Details(), Key: fmt.Sprint(d.KeyTime().UnixMilli(), d.Type, d.Digest), Type: d.Type, Format: d.Format,
		At: d.OccurredAt(time.Time{}, received), Own: !d.KeyTime().IsZero(), ReceivedAt: received,
	}
}

// text returns an event of a text.
func text(t fatal, id string, second int, direction, members string) events.Part {
	t.Helper()
	when := at(second)
	return partOf(t, fmt.Sprintf(`{"type":"sms.sent_received","data":{"id":%q,"contact_number":"14155550144","justcall_number":"14155550101",
		"sms_date":%q,"sms_time":%q,"direction":%q,"sms_info":{"body":"Hello"}%s}}`,
		id, when.Format(time.DateOnly), when.Format(time.TimeOnly), direction, members), when.Add(time.Second))
}

// book is what happened to one caller.
type book struct {
	t      fatal
	policy followup.Policy
	facts  followup.Facts
}

func newBook(t fatal) *book { return &book{t: t, policy: followup.Default()} }

// call adds a call, of which each event is said.
func (b *book) call(all ...said) *book {
	b.facts = followup.Merge(b.facts, b.policy.Call("CALL#"+all[0].id, events.Fold(partsOf(b.t, all...)...)).Of())
	return b
}

func (b *book) text(id string, second int, direction, members string) *book {
	b.facts = followup.Merge(b.facts, b.policy.Text("MESSAGE#"+id, text(b.t, id, second, direction, members)).Of())
	return b
}

func (b *book) act(kind followup.ActKind, second, until int) *book {
	act := followup.Act{ID: fmt.Sprint("act", second), At: at(second), Kind: kind, By: "Ines", Why: "reached elsewhere", Until: at(until)}
	b.facts = followup.Merge(b.facts, act.Of())
	return b
}

func (b *book) person(p followup.Person) *book {
	b.facts = followup.Merge(b.facts, followup.Facts{Person: p})
	return b
}

func (b *book) state() followup.State { return b.facts.State(b.policy) }

// Calls of the rows.
func missed(id string, second int) said {
	return said{id: id, second: second, typ: "call.missed", outcome: "Missed", ring: 25}
}

func in(id string, second int, outcome string, talk int) said {
	return said{id: id, second: second, outcome: outcome, talk: talk, ring: 8, agent: "Kim"}
}

func out(id string, second int, outcome string, talk, ring int) said {
	return said{id: id, second: second, outcome: outcome, direction: "Outgoing", talk: talk, ring: ring, agent: "Ines"}
}

// want is what a state is to be at the end of a row.
type want struct {
	open     bool
	since    int // the second
	count    int
	attempts int
	reason   followup.Reason
	by       string
}

// Otherwise people would be reminded of them anew each day.
func TestAWaitOfManyCallsIsOne(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	for day := range 60 {
		b.call(missed(fmt.Sprint("a", day), day*86400))
		if s := b.state(); day > 20 && (s.EpisodeID() != "first" || !s.Since().Equal(start)) {
			t.Errorf("day %d: %s, since %v", day, s.EpisodeID(), s.Since())
		}
	}
}

func TestFalseHandled_EachRowOpensClosesOrDoesNothing(t *testing.T) {
	t.Parallel()
	minute := func(n int) int { return 60 * n }
	waits := want{open: true, count: 1}
	for _, tc := range []struct {
		name  string
		story func(*book)
		want  want
	}{
		{"a missed call", func(b *book) { b.call(missed("a", 0)) }, waits},
		{"a missed call and its voicemail", func(b *book) {
			b.call(missed("a", 0), said{id: "a", typ: "call.voicemail", outcome: "Voicemail"})
		}, waits},
		{"a voicemail whose event is later than the call back", func(b *book) {
			b.call(missed("a", 0), said{id: "a", typ: "call.voicemail", outcome: "Voicemail", second: 0})
			b.call(out("b", 240, "Answered", 60, 9))
		}, want{reason: followup.Returned, by: "Ines"}},
		{"a caller who gave up before it rang", func(b *book) { b.call(in("a", 0, "Abandoned before ringing", 0)) }, waits},
		{"unanswered", func(b *book) { b.call(in("a", 0, "Unanswered", 0)) }, waits},
		{"busy", func(b *book) { b.call(in("a", 0, "Busy", 0)) }, waits},
		{"failed", func(b *book) { b.call(in("a", 0, "Failed", 0)) }, waits},
		{"a word that nobody knows", func(b *book) { b.call(in("a", 0, "Zonked", 0)) }, want{}},
		{"a call that rings", func(b *book) { b.call(said{id: "a", typ: "call.incoming", talk: -1}) }, want{}},

		{"we call back and talk", func(b *book) { b.call(missed("a", 0)).call(out("b", 60, "Answered", 20, 9)) }, want{reason: followup.Returned, by: "Ines"}},
		{"they call again and somebody answers", func(b *book) { b.call(missed("a", 0)).call(in("b", 60, "Answered", 20)) }, want{reason: followup.Rescued, by: "Kim"}},
		{"one leg is missed, another answered", func(b *book) {
			b.call(missed("a", 0), said{id: "a", typ: "call.answered", outcome: "Answered", agent: "Kim", talk: 45})
		}, want{reason: followup.Rescued, by: "Kim"}},
		{"legs with ids of their own", func(b *book) {
			b.call(missed("a", 0)).call(missed("b", 0)).call(missed("c", 0))
		}, waits},
		{"legs with ids of their own, and one answered for a moment", func(b *book) {
			b.call(missed("a", 0)).call(missed("b", 0)).call(in("c", 0, "Answered", 5))
		}, want{}},
		{"they talk again, but not for long", func(b *book) { b.call(missed("a", 0)).call(in("b", 60, "Answered", 19)) }, waits},
		{"the callee's mailbox", func(b *book) { b.call(missed("a", 0)).call(out("b", 60, "Answered", 19, 9)) }, want{open: true, count: 1, attempts: 1}},
		{"an answer whose length nobody knows yet", func(b *book) {
			b.call(missed("a", 0)).call(said{id: "b", typ: "call.answered", second: 60, direction: "Outgoing", outcome: "Answered", talk: -1})
		}, want{open: true, count: 1, attempts: 1}},
		{"an agent answers, and nobody knows yet for how long", func(b *book) {
			b.call(missed("a", 0)).call(said{id: "b", typ: "call.answered", second: 60, outcome: "Answered", talk: -1, agent: "Kim"})
		}, want{reason: followup.Rescued, by: "Kim"}},
		{"nobody knows who answered, nor for how long", func(b *book) {
			b.call(missed("a", 0)).call(said{id: "b", typ: "call.answered", second: 60, outcome: "Answered", talk: -1})
		}, waits},
		{"ours rings for ten seconds", func(b *book) { b.call(missed("a", 0)).call(out("b", 60, "Unanswered", 0, 10)) }, want{open: true, count: 1, attempts: 1}},
		{"ours rings for nine seconds", func(b *book) { b.call(missed("a", 0)).call(out("b", 60, "Unanswered", 0, 9)) }, waits},
		{"ours is cancelled", func(b *book) { b.call(missed("a", 0)).call(out("b", 60, "Cancelled", 0, 2)) }, waits},
		{"ours fails", func(b *book) { b.call(missed("a", 0)).call(out("b", 60, "Failed", 0, 0)) }, waits},
		{"ours is still ringing", func(b *book) {
			b.call(missed("a", 0)).call(said{id: "b", typ: "call.initiated", second: 60, direction: "Outgoing", talk: -1})
		}, waits},
		{"we leave a voicemail", func(b *book) { b.call(missed("a", 0)).call(out("b", 60, "Voicemail", 40, 20)) }, want{open: true, count: 1, attempts: 1}},
		{"an attempt before the call is none", func(b *book) { b.call(out("b", 0, "Unanswered", 0, 30)).call(missed("a", 60)) }, want{open: true, since: 60, count: 1}},

		{"the dialer hears a human", func(b *book) {
			b.call(missed("a", 0)).call(said{id: "b", typ: "sd.call_completed", second: 60, direction: "Outgoing", outcome: "Outgoing human answered", talk: 5, agent: "Ines"})
		}, want{reason: followup.Returned, by: "Ines"}},
		{"the dialer hears a machine", func(b *book) {
			b.call(missed("a", 0)).call(said{id: "b", typ: "sd.call_completed", second: 60, direction: "Outgoing", outcome: "Outgoing machine answered", talk: 50})
		}, want{open: true, count: 1, attempts: 1}},
		{"the dialer hears a machine and says answered", func(b *book) {
			b.call(missed("a", 0)).call(said{id: "b", typ: "sd.call_completed", second: 60, direction: "Outgoing", outcome: "Answered", talk: 50, info: `,"call_answered_by":"machine"`})
		}, want{open: true, count: 1, attempts: 1}},

		{"an AI agent takes a message", func(b *book) {
			b.call(missed("a", 0)).call(said{id: "b", second: 60, outcome: "Answered", talk: 90, info: `,"call_traits":["voice_agent"]`})
		}, waits},
		{"an AI agent passes the call on to a person", func(b *book) {
			b.call(missed("a", 0)).call(said{id: "b", second: 60, outcome: "Answered", talk: 90, agent: "Kim", info: `,"call_traits":["VOICE_AGENT"]`})
		}, want{reason: followup.Rescued, by: "Kim"}},

		{"an AI agent answers, and the person it passes the call on to does not", func(b *book) {
			b.call(said{id: "a", outcome: "Answered", talk: 40, info: `,"call_traits":["VOICE_AGENT"]`}, missed("a", 0))
		}, waits},
		{"a call back of which a word that is not known says who answered", func(b *book) {
			b.call(missed("a", 0)).call(said{id: "b", second: 60, direction: "Outgoing", outcome: "Zonked", talk: 60, agent: "Kim"})
		}, waits},
		{"a call back that a mailbox answers, in another language", func(b *book) {
			b.call(missed("a", 0)).call(said{id: "b", second: 60, direction: "Outgoing", outcome: "Anrufbeantworter", talk: 60, agent: "Kim"})
		}, want{open: true, count: 1, attempts: 1}},
		{"an AI agent calls back", func(b *book) {
			b.call(missed("a", 0)).call(said{id: "b", second: 60, direction: "Outgoing", outcome: "Answered", talk: 90, info: `,"call_traits":["VOICE_AGENT"],"call_answered_by":"human"`})
		}, want{open: true, count: 1, attempts: 1}},
		{"an AI agent calls back, and passes the call on to a person", func(b *book) {
			b.call(missed("a", 0)).call(said{id: "b", second: 60, direction: "Outgoing", outcome: "Answered", talk: 90, agent: "Kim", info: `,"call_traits":["VOICE_AGENT"]`})
		}, want{reason: followup.Returned, by: "Kim"}},

		{"JustCall is to call back", func(b *book) {
			b.call(said{id: "a", outcome: "Abandoned", members: `,"queue_callback":{"callback_requested":"Yes"}`})
		}, waits},
		{"JustCall called back and reached only our agent", func(b *book) {
			b.call(said{id: "a", outcome: "Abandoned", members: `,"queue_callback":{"callback_requested":"Yes","callback_attempted":"Yes","callback_reached":"Yes"}`})
		}, waits},
		{"JustCall called back and reached the caller", func(b *book) {
			b.call(said{id: "a", outcome: "Abandoned", members: `,"queue_callback":{"callback_requested":"Yes","callback_attempted":"Yes","callback_reached":"Yes","callback_status":"Yes"}`})
		}, want{reason: followup.Queue}},

		{"a person writes", func(b *book) {
			b.call(missed("a", 0)).text("1", 60, "Outgoing", `,"medium":"One-To-One via App","agent_name":"Ines"`)
		}, want{open: true, count: 1, attempts: 1}},
		{"a program writes", func(b *book) {
			b.call(missed("a", 0)).text("1", 60, "Outgoing", `,"medium":"One-To-One via API","agent_name":"Ines"`)
			b.text("2", 61, "Outgoing", `,"medium":"Zapier Automation","agent_name":"Ines"`).text("3", 62, "Outgoing", `,"medium":"Bulk SMS","agent_name":"Ines"`)
			b.text("4", 63, "Outgoing", `,"medium":"HubSpot Automation App","agent_name":"Ines"`).text("5", 64, "Outgoing", "")
			b.text("6", 65, "Outgoing", `,"medium":"Auto-reply via App","agent_name":"Ines"`).text("7", 66, "Outgoing", `,"medium":"SMS bot (App)","agent_name":"Ines"`)
		}, waits},
		{"a text that did not arrive", func(b *book) {
			b.call(missed("a", 0))
			for i, status := range []string{"undelivered", "Failed", "filtered", "carrier_violation", "Opted out", "unsubscribed", "Invalid number", "landline", "Unreachable", "spam", "rejected", "Not Delivered", "not_sent", "blocked", "Expired", "error", "cancelled", "bounced"} {
				b.text(fmt.Sprint(i), 60+i, "Outgoing", `,"medium":"App","delivery_status":"`+status+`"`)
			}
		}, waits},
		{"a text of which only the event's name says that it failed", func(b *book) {
			b.call(missed("a", 0))
			sent := `{"event":"sms.sent","timestamp":"2026-11-28T09:01:00Z","data":{"message_id":"1","direction":"outbound","from":"+14155550101","to":"+14155550144","agent_id":7}}`
			failed := strings.NewReplacer("sms.sent", "sms.failed", "agent_id", "error_code").Replace(sent)
			b.facts = followup.Merge(b.facts, b.policy.Text("MESSAGE#1", partOf(b.t, sent, at(61)), partOf(b.t, failed, at(62))).Of())
		}, waits},
		{"WhatsApp is no app of a person's", func(b *book) {
			b.call(missed("a", 0)).text("1", 60, "Outgoing", `,"medium":"WhatsApp"`).text("2", 61, "Outgoing", `,"medium":"WhatsApp template","agent_name":"Ines"`)
		}, waits},
		{"a person writes by WhatsApp", func(b *book) {
			b.call(missed("a", 0)).text("1", 60, "Outgoing", `,"medium":"WhatsApp","agent_name":"Ines"`).text("2", 61, "Outgoing", `,"medium":"WhatsApp via App"`)
		}, want{open: true, count: 1, attempts: 2}},
		{"they write", func(b *book) { b.call(missed("a", 0)).text("1", 60, "Incoming", "") }, waits},
		{"they write after they were called back", func(b *book) {
			b.call(missed("a", 0)).call(out("b", 60, "Answered", 60, 9)).text("1", 300, "Incoming", "")
		}, want{reason: followup.Returned, by: "Ines"}},

		{"a blocked contact", func(b *book) { b.call(missed("a", 0)).person(followup.Person{At: "1", Known: true, Blocked: true}) }, want{reason: followup.IsBlocked}},
		{"a contact that is blocked no longer", func(b *book) {
			b.call(missed("a", 0)).person(followup.Person{At: "2", Known: true}).person(followup.Person{At: "1", Known: true, Blocked: true})
		}, waits},
		{"a contact not to be disturbed", func(b *book) {
			b.call(missed("a", 0)).person(followup.Person{At: "1", Known: true, DoNotDisturb: true})
		}, waits},
		{"one of us", func(b *book) { b.call(missed("a", 0)).person(followup.Person{Own: true}) }, want{reason: followup.IsOwn}},
		{"one of us, who is blocked, too", func(b *book) {
			b.call(missed("a", 0)).person(followup.Person{At: "1", Known: true, Blocked: true, Own: true})
		}, want{reason: followup.IsOwn}},
		{"done", func(b *book) { b.call(missed("a", 0)).act(followup.ActDone, 60, 60) }, want{reason: followup.ByHand, by: "Ines"}},
		{"done, and they call again", func(b *book) { b.call(missed("a", 0)).act(followup.ActDone, 60, 60).call(missed("b", 61)) }, want{open: true, since: 61, count: 1}},
		{"a claim closes nothing", func(b *book) { b.call(missed("a", 0)).act(followup.ActClaim, 60, 600) }, waits},
		{"a claim reopens nothing", func(b *book) {
			b.call(missed("a", 0)).call(out("b", 60, "Answered", 60, 9)).act(followup.ActClaim, 600, 6000)
		}, want{reason: followup.Returned, by: "Ines"}},
		{"history", func(b *book) {
			b.call(missed("a", 0))
			b.facts = followup.Merge(b.facts, followup.Facts{Baseline: at(1)})
		}, want{reason: followup.History}},

		{"both call each other at the same moment", func(b *book) {
			b.call(missed("a", minute(10))).call(out("b", minute(10)-5, "Answered", 30, 12))
		}, want{reason: followup.Returned, by: "Ines"}},
		{"they call again when seven days are over", func(b *book) {
			b.call(missed("a", 0)).call(missed("b", 3*86400)).call(missed("c", 7*86400)).call(missed("d", 7*86400+60))
		}, want{open: true, since: 7 * 86400, count: 2}},
		{"they call again just before that", func(b *book) {
			b.call(missed("a", 0)).call(missed("b", 7*86400-1))
		}, want{open: true, count: 2}},
		{"they call every day, twenty times", func(b *book) {
			for day := range 20 {
				b.call(missed(fmt.Sprint("a", day), day*86400))
			}
		}, want{open: true, since: 14 * 86400, count: 6}},
		{"they call again when seven days are over, and are called back", func(b *book) {
			b.call(missed("a", 0)).call(missed("b", 8*86400)).call(out("c", 8*86400+60, "Answered", 60, 9))
		}, want{reason: followup.Returned, by: "Ines"}},
		{"they call while we still ring them, and again when we have talked", func(b *book) {
			b.call(out("b", 0, "Answered", 30, 12)).call(missed("a", 42)).call(missed("c", 43))
		}, want{open: true, since: 43, count: 1}},
		{"since is the first of the episode, not of all", func(b *book) {
			b.call(missed("a", 0)).call(out("b", 60, "Answered", 60, 9)).call(missed("c", 600)).call(missed("d", 700))
		}, want{open: true, since: 600, count: 2}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newBook(t)
			tc.story(b)
			s := b.state()
			count, more := s.Count()
			got := want{open: s.Open(), count: count, attempts: len(s.Attempts())}
			if s.Open() {
				got.since = int(s.Since().Sub(start) / time.Second)
			} else if c, ok := s.Closing(); ok {
				got.reason, got.by = c.Reason, c.By
			}
			if got != tc.want || more {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestOwnNumbersAreThoseOfTheListAndTheLineItself(t *testing.T) {
	t.Parallel()
	policy := followup.Policy{Own: map[string]bool{"+14155550150": true}}
	for _, tc := range []struct {
		number, line string
		ended        events.Outcome
		want         bool
	}{
		{"+14155550150", "+14155550101", events.Missed, true},
		{"+14155550150", "+14155550101", events.Voicemailed, true},
		{"+14155550101", "+14155550101", events.Missed, true},
		{"+14155550101", "+14155550101", events.Voicemailed, false},
		{"+14155550144", "+14155550101", events.Missed, false},
		{"call:a", "", events.Missed, false},
		{"", "", events.Missed, false},
	} {
		if got := policy.IsOwn(tc.number, tc.line, tc.ended); got != tc.want {
			t.Errorf("%q on %q: %t", tc.number, tc.line, got)
		}
	}
}

func TestSubjectIsTheNumberOrTheCall(t *testing.T) {
	t.Parallel()
	canonical := func(text string) string { return events.PhoneNumber(text) }
	of := func(number string, all ...said) string {
		parts := partsOf(t, all...)
		for i := range parts {
			parts[i].Phone, parts[i].CallerText, parts[i].Withheld = "", "", false
			switch {
			case number == "":
				parts[i].Withheld = true
			case events.PhoneNumber(number) == "":
				parts[i].CallerText = number
			default:
				parts[i].Phone = number
			}
		}
		return followup.Subject(events.Fold(parts...), "CALL#a", canonical)
	}
	voicemail := said{id: "a", typ: "call.voicemail", outcome: "Voicemail"}
	for _, tc := range []struct{ name, got, want string }{
		{"a number", of("+14155550144", missed("a", 0)), "+14155550144"},
		{"withheld and missed", of("", missed("a", 0)), ""},
		{"withheld, with a voicemail", of("", missed("a", 0), voicemail), "call:a"},
		{"no number, but something", of("sip:reception@pbx.example.com", missed("a", 0)), "call:a"},
		{"ours to nobody", of("", out("a", 0, "Voicemail", 0, 0)), ""},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, tc.got, tc.want)
		}
	}
}

func TestPausesEndByThemselves(t *testing.T) {
	t.Parallel()
	const hour = 3600
	for _, tc := range []struct {
		name  string
		story func(*book)
		now   int
		until int // 0 for none
		by    string
	}{
		{"nothing", func(*book) {}, 60, 0, ""},
		{"a claim", func(b *book) { b.act(followup.ActClaim, 60, 600) }, 599, 600, "Ines"},
		{"a claim that has ended", func(b *book) { b.act(followup.ActClaim, 60, 600) }, 600, 0, ""},
		{"a claim given up", func(b *book) { b.act(followup.ActClaim, 60, 600).act(followup.ActUnclaim, 61, 61) }, 70, 0, ""},
		{"a claim of an earlier episode", func(b *book) { b.act(followup.ActClaim, -290, 600) }, 70, 0, ""},
		{"an attempt", func(b *book) { b.call(out("b", 60, "Unanswered", 0, 40)) }, 200, 60 + hour/2, "Ines"},
		{"an attempt half an hour ago", func(b *book) { b.call(out("b", 60, "Unanswered", 0, 40)) }, 60 + hour/2, 0, ""},
		{"an attempt by one, a claim by another", func(b *book) {
			b.call(said{id: "b", second: 60, direction: "Outgoing", outcome: "Unanswered", ring: 40, agent: "Kim"}).act(followup.ActClaim, 50, hour)
		}, 200, hour, "Ines"},
		{"a snooze", func(b *book) { b.act(followup.ActSnooze, 60, hour) }, 200, hour, ""},
		{"a snooze, and they call again", func(b *book) { b.act(followup.ActSnooze, 60, hour).call(missed("b", 61)) }, 200, 0, ""},
		{"a snooze, and it is over", func(b *book) { b.act(followup.ActSnooze, 60, hour).act(followup.ActSnooze, 90, 90) }, 200, 0, ""},
		{"JustCall is to call back", func(b *book) {
			b.call(said{id: "b", second: 60, outcome: "Abandoned", members: `,"queue_callback":{"callback_requested":"Yes"}`})
		}, 200, 60 + hour, ""},
		{"JustCall has tried", func(b *book) {
			b.call(said{id: "b", second: 60, outcome: "Abandoned", members: `,"queue_callback":{"callback_requested":"Yes","callback_attempted":"Yes"}`})
		}, 200, 0, ""},
		{"whoever waits no longer is not paused", func(b *book) { b.act(followup.ActClaim, 60, 600).act(followup.ActDone, 70, 70) }, 80, 0, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newBook(t).call(out("z", -300, "Answered", 60, 5)).call(missed("a", 0))
			tc.story(b)
			var until time.Time
			if tc.until != 0 {
				until = at(tc.until)
			}
			s := b.state()
			if got := s.PausedUntil(at(tc.now)); !got.Equal(until) {
				t.Errorf("paused until %v, want %v", got, until)
			}
			if claim, _ := s.Claim(at(tc.now)); claim.By != tc.by {
				t.Errorf("claimed by %q, want %q", claim.By, tc.by)
			}
		})
	}
}

func TestEscalatesOnlyWhereSomebodyMayWait(t *testing.T) {
	t.Parallel()
	const hour = 3600
	tries := func(b *book, seconds ...int) {
		for _, second := range seconds {
			b.call(out(fmt.Sprint("try", second), second, "Unanswered", 0, 30))
		}
	}
	gaveUp := func(id string, second int) said { return in(id, second, "Abandoned", 0) }
	for _, tc := range []struct {
		name                 string
		story                func(*book)
		escalates, unreached bool
	}{
		{"a missed call", func(b *book) { b.call(missed("a", 0)) }, true, false},
		{"somebody unknown who gave up", func(b *book) { b.call(gaveUp("a", 0)) }, false, false},
		{"a contact who gave up", func(b *book) { b.call(gaveUp("a", 0)).person(followup.Person{At: "1", Known: true}) }, true, false},
		{"somebody who gave up, with whom we talked", func(b *book) { b.call(in("z", -hour, "Answered", 60)).call(gaveUp("a", 0)) }, true, false},
		{"somebody who gave up twice in an hour", func(b *book) { b.call(gaveUp("a", 0)).call(gaveUp("b", hour-1)) }, true, false},
		{"somebody who gave up twice", func(b *book) { b.call(gaveUp("a", 0)).call(gaveUp("b", hour)) }, false, false},
		{"three attempts", func(b *book) { tries(b.call(missed("a", 0)), 60, 120, 60+hour) }, false, true},
		{"three attempts at once", func(b *book) { tries(b.call(missed("a", 0)), 60, 120, 180) }, true, false},
		{"two attempts", func(b *book) { tries(b.call(missed("a", 0)), 60, 60+hour) }, true, false},
		{"three attempts, and they call again", func(b *book) {
			tries(b.call(missed("a", 0)), 60, 120, 60+hour)
			b.call(missed("b", 2*hour))
		}, true, false},
		{"closed", func(b *book) { b.call(missed("a", 0)).act(followup.ActDone, 1, 1) }, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newBook(t)
			tc.story(b)
			if s := b.state(); s.Escalates() != tc.escalates || s.Unreached() != tc.unreached {
				t.Errorf("escalates %t, want %t; unreached %t, want %t", s.Escalates(), tc.escalates, s.Unreached(), tc.unreached)
			}
		})
	}
	s := newBook(t).call(missed("a", 0)).state()
	if s.Expired(at(7*24*hour-1)) || !s.Expired(at(7*24*hour)) {
		t.Error("not expired exactly after seven days")
	}
}

func TestClosedTellsWhoAndHowLong(t *testing.T) {
	t.Parallel()
	b := newBook(t).call(missed("a", 0)).call(missed("b", 60))
	before := b.state()
	after := b.call(out("c", 300, "Answered", 60, 9)).state()
	c, waited, ok := followup.Closed(before, after)
	if !ok || c.Reason != followup.Returned || c.By != "Ines" || waited != 5*time.Minute || !c.At.Equal(at(369)) {
		t.Errorf("closed %t: %+v after %v", ok, c, waited)
	}
	for _, pair := range [][2]followup.State{{before, before}, {after, after}, {after, before}} {
		if _, _, ok := followup.Closed(pair[0], pair[1]); ok {
			t.Error("closed where nothing was")
		}
	}
}

func TestTheEpisodeKeepsItsName(t *testing.T) {
	t.Parallel()
	b := newBook(t).call(missed("b", 600))
	first := b.state().EpisodeID()
	if again := b.call(missed("a", 300)).call(missed("c", 900)).state().EpisodeID(); again != first {
		t.Errorf("%q became %q with calls before and after", first, again)
	}
	if next := b.call(out("d", 1000, "Answered", 60, 9)).call(missed("e", 2000)).state().EpisodeID(); next == first {
		t.Errorf("the next episode is %q as well", next)
	}
}

// Format A's duration contains the ringing.
func TestFalseHandled_RingingIsNoTalk(t *testing.T) {
	t.Parallel()
	for members, want := range map[string]followup.Effect{
		`"duration":35,"ring_duration":30`: followup.Attempt,
		`"duration":50,"ring_duration":30`: followup.Contact,
		`"duration":35,"ring_duration":40`: followup.Contact, // it has no room for the ringing
		`"duration":35`:                    followup.Contact,
	} {
		part := partOf(t, `{"event":"call.completed","timestamp":"2026-11-28T09:00:00Z","data":{"call_id":"a","direction":"outbound",
			"from":"+14155550101","to":"+14155550144","agent_id":7,"status":"completed",`+members+`}}`, at(60))
		if got := followup.Default().Call("CALL#a", events.Fold(part)).Effect; got != want {
			t.Errorf("%s: %q, want %q", members, got, want)
		}
	}
}

// Times that cannot be: nobody may be hidden by them, nor wait for ever.
func TestFalseHandled_TimesThatCannotBe(t *testing.T) {
	t.Parallel()
	fold := func(s said, change func(*events.Part)) events.Folded {
		part := s.part(t)
		change(&part)
		return events.Fold(part)
	}
	policy := followup.Default()
	add := func(b *book, id string, f events.Folded) {
		b.facts = followup.Merge(b.facts, policy.Call(id, f).Of())
	}
	t.Run("a contact from the future hides nobody", func(t *testing.T) {
		t.Parallel()
		b := newBook(t).call(missed("b", 600))
		add(b, "CALL#a", fold(out("a", 0, "Answered", 60, 5), func(p *events.Part) { p.At = p.At.AddDate(30, 0, 0) }))
		if !b.state().Open() {
			t.Error("closed by a contact in thirty years")
		}
	})
	t.Run("a contact that lasts a week hides nobody", func(t *testing.T) {
		t.Parallel()
		b := newBook(t).call(missed("b", 600))
		long := out("a", 0, "Answered", 6*24*3600, 5)
		add(b, "CALL#a", fold(long, func(p *events.Part) { p.ReceivedAt = at(60) }))
		if !b.state().Open() {
			t.Error("closed by a contact that ended after it arrived")
		}
	})
	t.Run("a miss from the future can be returned", func(t *testing.T) {
		t.Parallel()
		b := newBook(t)
		add(b, "CALL#a", fold(missed("a", 0), func(p *events.Part) { p.At = p.At.AddDate(30, 0, 0) }))
		if b.call(out("b", 600, "Answered", 60, 5)); b.state().Open() {
			t.Error("waits for thirty years")
		}
	})
	t.Run("a miss without a time began when it arrived", func(t *testing.T) {
		t.Parallel()
		b := newBook(t).call(out("b", 0, "Answered", 10, 5))
		add(b, "CALL#a", fold(missed("a", 600), func(p *events.Part) { p.Own = false }))
		if !b.state().Since().Equal(at(600 + 25 + 60)) {
			t.Errorf("since %v", b.state().Since())
		}
	})
	t.Run("an end before the start is the start", func(t *testing.T) {
		t.Parallel()
		f := fold(out("b", 600, "Answered", 60, 5), func(*events.Part) {})
		f.End = at(0)
		if c := policy.Call("CALL#b", f); !c.End.Equal(c.Start) {
			t.Errorf("ends %v, began %v", c.End, c.Start)
		}
	})
}

// Ten thousand calls in a minute make a row, and not a large one.
func TestFactsStaySmall(t *testing.T) {
	t.Parallel()
	policy := followup.Default()
	fold := events.Fold(partsOf(t, missed("a", 0))...)
	var facts followup.Facts
	for i := range 10_000 {
		c := policy.Call(fmt.Sprintf("CALL#CA%032d", i), fold)
		c.Start = c.Start.Add(time.Duration(i) * 6 * time.Millisecond)
		c.Line, c.Agent = "+14155550101", "Somebody With A Name"
		facts = followup.Merge(facts, c.Of())
	}
	s := facts.State(policy)
	if n, more := s.Count(); !s.Since().Equal(start) || n == 0 || !more {
		t.Errorf("%d since %v, more: %t", n, s.Since(), more)
	}
	if size := len(facts.Encode()); size > 4<<10 {
		t.Errorf("%d bytes", size)
	}
}

// What is known of calls that are older than the twenty newest.
func TestOlderCallsStillCount(t *testing.T) {
	t.Parallel()
	const hour = 3600
	for _, tc := range []struct {
		name  string
		story func(*book)
		since int
	}{
		{"the first of sixty hours", func(b *book) {
			for i := range 60 {
				b.call(missed(fmt.Sprint("m", i), i*hour))
			}
		}, 0},
		{"the one after a contact, in the minute of one before it", func(b *book) {
			b.call(missed("a", 0)).call(in("b", 2, "Answered", 20)).call(missed("c", 45))
			for i := range 20 {
				b.call(missed(fmt.Sprint("m", i), 100+i))
			}
		}, 45},
		{"a contact that turns out to be none", func(b *book) {
			machine := said{id: "b", second: 60, typ: "sd.call_updated", direction: "Outgoing", outcome: "Outgoing machine answered", talk: -1}
			contact := out("b", 60, "Answered", 60, 9)
			b.call(missed("a", 0)).call(contact)
			for i := range 25 {
				b.call(missed(fmt.Sprint("m", i), 1000+i))
			}
			if got := b.state().Since(); !got.Equal(at(1000)) {
				b.t.Fatalf("since %v before", got)
			}
			b.call(contact, machine)
		}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := newBook(t)
			tc.story(b)
			s := b.state()
			if n, more := s.Count(); !s.Since().Equal(at(tc.since)) || !more || n != 20 {
				t.Errorf("%d since %v, more: %t; want 20 since %v", n, s.Since(), more, at(tc.since))
			}
		})
	}
}
