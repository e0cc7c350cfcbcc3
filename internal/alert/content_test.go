package alert_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/zone"
)

// seconds returns a number of seconds that an event gave.
func seconds(n int64) events.Optional[int64] {
	return events.Optional[int64]{State: events.Set, Value: n}
}

// winnipeg is how people in Winnipeg get alerts, with numbers as a library writes
// them.
func winnipeg(t *testing.T) alert.Style {
	t.Helper()
	location, err := zone.Load("America/Winnipeg")
	if err != nil {
		t.Fatal(err)
	}
	return alert.Style{
		Location: location,
		Show: func(number string) string {
			if len(number) <= len("+12345") {
				return number[1:] // a short code
			}
			return number[:2] + " " + number[2:5] + "-" + number[5:8] + "-" + number[8:]
		},
	}
}

// missedCall is a missed call with all that may be known of it.
func missedCall() alert.Alert {
	at := time.Date(2026, time.November, 29, 5, 32, 0, 0, time.UTC)
	return alert.Alert{
		ID: "CALL#CA1/missed_call", Kind: events.KindMissedCall, CallID: "CA1",
		Outcome: events.Abandoned, Queued: true, RingDuration: seconds(40), MissedReason: "Agents busy",
		StartedAt: at.Add(-time.Minute), OccurredAt: at, ReceivedAt: at.Add(time.Second),
		Line: "+14155551234", LineName: "Support",
		Caller: "+14155558765", Extension: "12", CallerName: "Pat Smith", Company: "Globex",
		Agents:      []events.Agent{{ID: seconds(7), Name: "Sam Chen"}, {ID: seconds(9)}, {Name: "Jordan Lee"}},
		MissedTimes: 3,
	}
}

func TestPeopleReadEverythingAboutAMissedCall(t *testing.T) {
	t.Parallel()
	m := winnipeg(t).Message(missedCall())
	const want = `Missed call

Caller    Pat Smith (Globex)
Number    +1 415-555-8765 ext. 12
Line      Support (+1 415-555-1234)
Time      29 November 2026, 00:32 EST
Began     29 November 2026, 00:31 EST
Outcome   Gave up in the queue after 40 s
Reason    Agents busy
Tried     Sam Chen, agent 9, Jordan Lee
Missed    3 times in the last 24 hours

Call id   CA1
`
	if diff := cmp.Diff(want, m.Email); diff != "" {
		t.Errorf("e-mail (-want +got):\n%s", diff)
	}
	if got, want := m.Subject, "Missed call, 3rd in 24 h: Pat Smith (Globex), +1 415-555-8765 ext. 12 on Support"; got != want {
		t.Errorf("subject %q, want %q", got, want)
	}
	if got, want := m.SMS, "Missed call, 3rd in 24 h: Pat Smith (Globex) +1 415-555-8765 ext. 12 on Support, 00:32 EST, gave up in the queue after 40 s"; got != want {
		t.Errorf("text message %q, want %q", got, want)
	}
	d := document(t, m)
	for name, want := range map[string]any{
		"outcome": "abandoned", "time_zone": "America/Winnipeg",
		"occurred_at": "2026-11-29T05:32:00.000Z", "started_at": "2026-11-29T05:31:00.000Z",
		"caller": map[string]any{"number": "+14155558765", "extension": "12", "name": "Pat Smith", "company": "Globex"},
		"line":   map[string]any{"number": "+14155551234", "name": "Support"},
		"agents": []any{map[string]any{"id": 7.0, "name": "Sam Chen"}, map[string]any{"id": 9.0}, map[string]any{"name": "Jordan Lee"}},
	} {
		if diff := cmp.Diff(want, d[name]); diff != "" {
			t.Errorf("document, %s (-want +got):\n%s", name, diff)
		}
	}
	if got, want := m.Attributes["agent_id"], `["7","9"]`; got != want {
		t.Errorf("agent_id %s, want %s", got, want)
	}
}

func TestTheOutcomeIsSaidInWords(t *testing.T) {
	t.Parallel()
	var unknown events.Optional[int64]
	for _, tc := range []struct {
		kind    events.Kind
		outcome events.Outcome
		queued  bool
		waited  events.Optional[int64]
		want    string // "" if the title says all
	}{
		{events.KindMissedCall, events.Missed, false, seconds(30), "No answer after 30 s"},
		{events.KindMissedCall, "", false, seconds(30), "No answer after 30 s"},
		{events.KindMissedCall, events.Missed, false, seconds(60), "No answer after 1 min"},
		{events.KindMissedCall, events.Missed, false, seconds(125), "No answer after 2 min 5 s"},
		{events.KindMissedCall, events.Missed, false, seconds(0), ""},
		{events.KindMissedCall, events.Missed, false, seconds(-5), ""},
		{events.KindMissedCall, events.Missed, false, unknown, ""},
		{events.KindMissedCall, events.Abandoned, true, seconds(40), "Gave up in the queue after 40 s"},
		{events.KindMissedCall, events.Abandoned, true, unknown, "Gave up in the queue"},
		{events.KindMissedCall, events.Abandoned, false, seconds(40), "Gave up after 40 s"},
		{events.KindMissedCall, events.Abandoned, false, unknown, "Gave up"},
		{events.KindVoicemail, events.Voicemailed, false, seconds(22), "Left a voicemail of 22 s"},
		{events.KindVoicemail, "", false, unknown, ""},
		{events.KindCorrection, "", false, unknown, "Answered"},
	} {
		a := alert.Alert{Kind: tc.kind, Outcome: tc.outcome, Queued: tc.queued, RingDuration: tc.waited, Duration: tc.waited}
		m := alert.Style{}.Message(a)
		row := ""
		for text := range strings.Lines(m.Email) {
			if after, ok := strings.CutPrefix(text, "Outcome   "); ok {
				row = strings.TrimSpace(after)
			}
		}
		if row != tc.want {
			t.Errorf("%s, %s, %v: %q, want %q", tc.kind, tc.outcome, tc.waited, row, tc.want)
		}
	}
}

// An alert is taken back for programs, under the same id, and corrected for people. The
// texts say why: not every caller of such an alert was served.
func TestAnAlertIsTakenBack(t *testing.T) {
	t.Parallel()
	s := documentSchema(t)
	for _, tc := range []struct {
		kind            events.Kind
		reason          string
		outcome         events.Outcome
		title, why, sms string
	}{
		{events.KindReturned, "answered", events.Answered, "Answered after all", "Somebody answered this call. There is no need to call back.", ". No need to call back."},
		{events.KindCorrection, "answered", events.Answered, "Answered after all", "Somebody answered this call. There is no need to call back.", ". No need to call back."},
		{events.KindReturned, "same_ring", events.Missed, "Same call as another alert", "Another alert tells of this call: see that one.", ". See that one."},
		{events.KindReturned, "old", events.Missed, "Call of an earlier day", "This call began too long ago for an alert.", ""},
		{events.KindReturned, "outgoing", events.Missed, "Not an incoming call", "This call went out. There is no need to call back.", ". No need to call back."},
		{events.KindReturned, "paused", events.Missed, "Told before", "Another alert tells of this caller: see that one.", ". See that one."},
		{events.KindReturned, "blocked", events.Missed, "Blocked", "The contact was blocked.", ". No need to call back."},
		{events.KindReturned, "returned", events.Missed, "Called back", "The caller was called back.", ". No need to call back."},
		{events.KindReturned, "queue", events.Missed, "Called back", "JustCall called back, and the caller answered.", ". No need to call back."},
		{events.KindReturned, "rescued", events.Missed, "Called again, and was answered", "The caller called again, and somebody answered.", ". No need to call back."},
		{events.KindReturned, "done", events.Missed, "Done", "Somebody said that there is no need to call back.", ". No need to call back."},
		{events.KindReturned, "contact", events.Missed, "Talked since", "You have talked with the caller since.", ". No need to call back."},
		{events.KindReturned, "", events.Missed, "Alert withdrawn", "This alert does not stand any more.", ""},
	} {
		t.Run(string(tc.kind)+" "+tc.reason, func(t *testing.T) {
			t.Parallel()
			a := missedCall()
			a.Kind, a.Outcome, a.Reason = tc.kind, tc.outcome, tc.reason
			m := winnipeg(t).Message(a)
			if got, want := m.Subject, tc.title+": Pat Smith (Globex), +1 415-555-8765 ext. 12 on Support"; got != want {
				t.Errorf("subject %q, want %q", got, want)
			}
			if got, want := m.SMS, tc.title+": Pat Smith (Globex) +1 415-555-8765 ext. 12 on Support, 00:32 EST"+tc.sms; got != want {
				t.Errorf("text message %q, want %q", got, want)
			}
			if want := tc.title + "\n\n" + tc.why + "\n"; !strings.HasPrefix(m.Email, want) || strings.Contains(m.Email, "Reason") {
				t.Errorf("e-mail, want %q and no reason:\n%s", want, m.Email)
			}
			d := document(t, m)
			if reason, _ := d["reason"].(string); d["id"] != a.ID || d["kind"] != string(tc.kind) || d["outcome"] != string(tc.outcome) || reason != a.Reason || m.Attributes["kind"] != string(tc.kind) {
				t.Errorf("document %v, attributes %v", d, m.Attributes)
			}
			validate(t, s, m.Document)
			if got := alert.Redacted(m).Subject; !strings.HasPrefix(got, tc.title) {
				t.Errorf("redacted: subject %q", got)
			}
		})
	}
}

// Nobody is called withheld who is not.
func TestACallerIsShownAsFarAsKnown(t *testing.T) {
	t.Parallel()
	s := documentSchema(t)
	for _, tc := range []struct {
		name   string
		a      alert.Alert
		number string
		caller any
	}{
		{"a number", alert.Alert{Caller: "+14155558765"}, "+1 415-555-8765", map[string]any{"number": "+14155558765"}},
		{"with an extension", alert.Alert{Caller: "+14155558765", Extension: "12"}, "+1 415-555-8765 ext. 12", map[string]any{"number": "+14155558765", "extension": "12"}},
		{"an address", alert.Alert{CallerText: "sip:reception@pbx.example.com"}, "sip:reception@pbx.example.com", map[string]any{"text": "sip:reception@pbx.example.com"}},
		{"an extension of our own", alert.Alert{Caller: "+101"}, "101", map[string]any{"text": "101"}},
		{"a short code with an extension", alert.Alert{Caller: "+12345", Extension: "6"}, "12345 ext. 6", map[string]any{"text": "12345 ext. 6"}},
		{"placeholders for names", alert.Alert{Caller: "+14155558765", ContactName: "{{name}}", CallerName: "WIRELESS CALLER"}, "+1 415-555-8765", map[string]any{"number": "+14155558765"}},
		{"a placeholder and a name", alert.Alert{Caller: "+14155558765", ContactName: "null null", CallerName: "Pat"}, "+1 415-555-8765", map[string]any{"number": "+14155558765", "name": "Pat"}},
		{"an encoded placeholder", alert.Alert{Caller: "+14155558765", CallerName: "&#123;&#123;name&#125;&#125;"}, "+1 415-555-8765", map[string]any{"number": "+14155558765"}},
		{"a name that is the number", alert.Alert{Caller: "+14155558765", CallerName: "(415) 555-8765"}, "+1 415-555-8765", map[string]any{"number": "+14155558765"}},
		{"a short number", alert.Alert{CallerText: "12"}, "12", map[string]any{"text": "12"}},
		{"a word, which is not a name", alert.Alert{CallerText: "JustCall", CallerName: "JustCall"}, "JustCall", map[string]any{"text": "JustCall"}},
		{"withheld", alert.Alert{Withheld: true}, "number withheld", map[string]any{"withheld": true}},
		{"withheld, with a name", alert.Alert{Withheld: true, CallerName: "Pat"}, "number withheld", map[string]any{"withheld": true, "name": "Pat"}},
		{"nothing", alert.Alert{}, "number not known", nil},
		{"a name only", alert.Alert{CallerName: "Pat"}, "number not known", map[string]any{"name": "Pat"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := tc.a
			a.ID, a.Kind = "CALL#CA1/missed_call", events.KindMissedCall
			m := winnipeg(t).Message(a)
			if !strings.Contains(m.Email, "\nNumber    "+tc.number+"\n") || !strings.HasSuffix(m.Subject, tc.number) || !strings.HasSuffix(m.SMS, tc.number) {
				t.Errorf("without %q:\n%s\n%s\n%s", tc.number, m.Subject, m.SMS, m.Email)
			}
			if diff := cmp.Diff(tc.caller, document(t, m)["caller"]); diff != "" {
				t.Errorf("caller (-want +got):\n%s", diff)
			}
			validate(t, s, m.Document)
		})
	}
}

func TestALongLinkIsWholeInTheDocument(t *testing.T) {
	t.Parallel()
	link := func(length int) string {
		start := "https://recordings.example.com/1.mp3?X-Amz-Security-Token="
		return start + strings.Repeat("a", length-len(start))
	}
	for _, tc := range []struct {
		name     string
		length   int
		id, mail string
	}{
		{"in one line", 980, "CA1", link(980)},
		{"the longest", 988, "CA1", link(988)},
		{"one byte more", 989, "CA1", "the link is too long for an e-mail: ringback call CA1"},
		{"signed", 1437, "CA1", "the link is too long for an e-mail: ringback call CA1"},
		{"of a call without an id", 1437, "", "the link is too long for an e-mail: it is in the table"},
		{"the longest in a document", 8 << 10, "CA1", "the link is too long for an e-mail: ringback call CA1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := alert.Style{}.Message(alert.Alert{Kind: events.KindVoicemail, CallID: tc.id, RecordingURL: link(tc.length)})
			v, _ := document(t, m)["voicemail"].(map[string]any)
			if v["recording_url"] != link(tc.length) {
				t.Errorf("document: %v", v)
			}
			if !strings.Contains(m.Email, "\nListen    "+tc.mail+"\n") {
				t.Errorf("e-mail without %q:\n%s", tc.mail, m.Email)
			}
			for row := range strings.Lines(m.Email) {
				if len(row) > 999 { // 998 and the line end
					t.Errorf("line of %d bytes", len(row))
				}
			}
		})
	}
}

func TestLongLinesAreFolded(t *testing.T) {
	t.Parallel()
	a := missedCall()
	a.Kind, a.Transcription = events.KindVoicemail, strings.Repeat("Number +1 900 555 0199 please. ", 30)
	for i := range 15 {
		a.Agents = append(a.Agents, events.Agent{Name: fmt.Sprintf("Maximiliana Number %d", i)})
	}
	m := alert.Style{}.Message(a)
	for row := range strings.Lines(m.Email) {
		if len(row) > 77 {
			t.Errorf("line of %d bytes: %s", len(row), row)
		}
		if strings.HasPrefix(row, "Number") && !strings.HasPrefix(row, "Number    +14155558765 ext. 12") {
			t.Errorf("a caller wrote a row: %s", row)
		}
	}
	if want := "\n          Number 1, Maximiliana Number 2"; !strings.Contains(m.Email, want) || !strings.Contains(m.Email, " 8 more\n") {
		t.Errorf("agents:\n%s", m.Email)
	}
}

// A time of day alone would be taken for today's.
func TestALateSMSTellsTheDay(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		occurred, sent, want string
	}{
		{"2026-11-29T05:32:00Z", "2026-11-29T05:33:00Z", ", 00:32 EST"},
		{"2026-11-29T04:32:00Z", "2026-11-29T04:33:00Z", ", 23:32 EST"},        // two days in UTC, one in Winnipeg
		{"2026-11-29T04:32:00Z", "2026-11-29T05:33:00Z", ", 28 Nov 23:32 EST"}, // and the other way round
		{"2026-07-01T12:00:00Z", "2026-07-02T12:00:00Z", ", 1 Jul 07:00 CDT"},
	} {
		a := alert.Alert{Kind: events.KindMissedCall, Caller: "+14155558765"}
		for text, at := range map[string]*time.Time{tc.occurred: &a.OccurredAt, tc.sent: &a.SentAt} {
			var err error
			if *at, err = time.Parse(time.RFC3339, text); err != nil {
				t.Fatal(err)
			}
		}
		if m := winnipeg(t).Message(a); !strings.HasSuffix(m.SMS, tc.want) {
			t.Errorf("%s: %q, want %q", tc.occurred, m.SMS, tc.want)
		}
	}
}
