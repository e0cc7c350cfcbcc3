package events_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ringback/ringback/events"
)

// partOf returns what an event says of its call. It arrived so many minutes after noon.
func partOf(t fatal, body string, arrival int) events.Part {
	t.Helper()
	envelope, err := events.Open([]byte(body))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	d := envelope.Decode()
	received := time.Date(2026, time.November, 28, 12, arrival, 0, 0, time.UTC)
	return events.Part{
		Details: envelope.Details(), Key: fmt.Sprint(d.KeyTime().UnixMilli(), d.Type, d.Digest), Type: d.Type, Format: d.Format,
		At: d.OccurredAt(time.Time{}, received), Own: !d.KeyTime().IsZero(), ReceivedAt: received,
	}
}

type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

func partsOf(t fatal, bodies ...string) []events.Part {
	t.Helper()
	parts := make([]events.Part, len(bodies))
	for i, body := range bodies {
		parts[i] = partOf(t, body, i)
	}
	return parts
}

// eventOfA returns an event of the call c1 in format A, at so many seconds after noon.
func eventOfA(typ string, second int, members string) string {
	return fmt.Sprintf(`{"event":%q,"timestamp":"2026-11-28T12:%02d:%02dZ","data":{"call_id":"c1","direction":"inbound","from":"+14155550144","to":"+14155550101"%s}}`,
		typ, second/60, second%60, members)
}

// eventOfB returns an event of the call s1 in format B that began at noon.
func eventOfB(typ, outcome, info, members string) string {
	return fmt.Sprintf(`{"type":%q,"data":{"call_sid":"s1","contact_number":"14155550144","justcall_number":"14155550101",
		"call_date":"2026-11-28","call_time":"12:00:00","call_info":{"direction":"Incoming","type":%q%s}%s}}`, typ, outcome, info, members)
}

const (
	owesMissed    = "missed_call"
	owesVoicemail = "voicemail"
)

func TestPromise4_FoldSaysWhatACallOwes(t *testing.T) {
	t.Parallel()
	outgoing := func(typ, outcome string) string {
		return fmt.Sprintf(`{"type":%q,"data":{"call_sid":"s1","contact_number":"14155550144","justcall_number":"14155550101",
			"call_date":"2026-11-28","call_time":"12:00:00","call_info":{"direction":"Outgoing","type":%q}}}`, typ, outcome)
	}
	for _, tc := range []struct {
		name    string
		bodies  []string
		outcome events.Outcome
		owes    []string
	}{
		{"nothing", nil, "", nil},
		{"a call that rings", []string{eventOfB("call.incoming", "", "", "")}, "", nil},
		{"a missed call", []string{eventOfA("call.missed", 0, "")}, events.Missed, []string{owesMissed}},
		{"a missed call under several names", []string{eventOfB("call.missed", "Missed", "", ""), eventOfB("call.completed", "missed", "", "")}, events.Missed, []string{owesMissed}},
		{"a voicemail", []string{eventOfA("voicemail.received", 0, "")}, events.Voicemailed, []string{owesVoicemail}},
		{
			"a missed call and its voicemail",
			[]string{eventOfA("call.missed", 0, ""), eventOfA("voicemail.received", 40, "")},
			events.Voicemailed,
			[]string{owesMissed, owesVoicemail},
		},
		{
			"answered by one agent, missed by another",
			[]string{eventOfA("call.answered", 8, `,"agent_id":4`), eventOfA("call.missed", 20, `,"agent_id":2`)},
			events.Answered, nil,
		},
		{
			"missed by three agents, then answered by the fourth",
			[]string{
				eventOfA("call.missed", 10, `,"agent_id":1`), eventOfA("call.missed", 11, `,"agent_id":2`),
				eventOfA("call.missed", 12, `,"agent_id":3`), eventOfA("call.answered", 20, `,"agent_id":4`),
			},
			events.Answered, nil,
		},
		{
			"completed with an agent, and a voicemail",
			[]string{eventOfA("call.completed", 50, `,"status":"completed","agent_id":4`), eventOfA("voicemail.received", 60, "")},
			events.Answered, nil,
		},
		{
			"answered, completed, and a voicemail",
			[]string{eventOfA("call.answered", 8, `,"agent_id":4`), eventOfA("call.completed", 50, `,"status":"completed","agent_id":4`), eventOfA("voicemail.received", 60, "")},
			events.Answered, nil,
		},
		{
			"completed with an agent, and missed by another",
			[]string{eventOfA("call.completed", 50, `,"status":"completed","agent_id":4`), eventOfA("call.missed", 20, `,"agent_id":2`)},
			events.Answered, nil,
		},
		{"a voicemail that turns out to be answered", []string{eventOfB("call.voicemail", "Voicemail", "", ""), eventOfB("call.updated", "Answered", "", "")}, events.Answered, nil},
		{
			"answered by an AI agent, and by nobody to whom it passed the call on",
			[]string{eventOfB("call.ai_voice_agent", "Answered", "", ""), eventOfB("call.completed", "Abandoned", "", ""), eventOfB("call.missed", "Missed", "", "")},
			events.Missed,
			[]string{owesMissed},
		},
		{
			"answered by an AI agent, and a voicemail",
			[]string{eventOfB("call.completed", "Answered", `,"call_traits":["voice_agent"]`, ""), eventOfB("call.voicemail", "Voicemail", "", "")},
			events.Voicemailed,
			[]string{owesVoicemail},
		},
		{
			"missed by one, answered by an AI agent and by a person",
			[]string{eventOfB("call.missed", "Missed", "", ""), eventOfB("call.ai_voice_agent", "Answered", "", ""), eventOfB("call.completed", "Answered", "", `,"agent_id":4`)},
			events.Answered, nil,
		},
		{"answered by an AI agent alone", []string{eventOfB("call.ai_voice_agent", "Answered", "", "")}, events.Answered, nil},
		{
			"a missed call that rang a telephone of ours as well",
			[]string{eventOfB("call.missed", "Missed", "", ""), outgoing("call.completed", "Unanswered"), outgoing("call.initiated", "")},
			events.Missed,
			[]string{owesMissed},
		},
		{"an outgoing call that nobody answered", []string{outgoing("call.completed", "Missed")}, "", nil},
		{"a call that a text belongs to", []string{`{"event":"sms.received","timestamp":"2026-11-28T12:00:00Z","data":{"message_id":"m1","from":"+14155550144"}}`}, "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := events.Fold(partsOf(t, tc.bodies...)...)
			var owes []string
			for _, kind := range []events.Kind{events.KindCall, events.KindMissedCall, events.KindVoicemail} {
				if f.Owes(kind) {
					owes = append(owes, string(kind))
				}
			}
			if diff := cmp.Diff(tc.owes, owes); diff != "" {
				t.Errorf("owes (-want +got):\n%s", diff)
			}
			if tc.outcome != "" && f.Outcome != tc.outcome {
				t.Errorf("outcome %q, want %q", f.Outcome, tc.outcome)
			}
			if f.Served() != (f.Direction == events.Inbound && f.Outcome == events.Answered) {
				t.Errorf("served: %t", f.Served())
			}
		})
	}
}

func TestFoldTakesEachFactFromTheEventThatKnowsIt(t *testing.T) {
	t.Parallel()
	parts := partsOf(t,
		eventOfB("call.updated", "voicemail", `,"voicemail_transcription":"Call me back."`, `,"agent_name":"Kim Novak"`),
		eventOfB("call.missed", "Missed", `,"missed_call_reason":"Not picked by agent"`, `,"agent_id":42,"contact_name":"Pat","justcall_line_name":"Support","call_duration":{"total_duration":50,"ring_time":40,"conversation_time":0}`),
		eventOfB("call.voicemail", "Voicemail", `,"recording":"https://example.com/r"`, `,"agent_id":7,"agent_name":"Ines"`),
	)
	got := events.Fold(parts...)
	noon := time.Date(2026, time.November, 28, 12, 0, 0, 0, time.UTC)
	number := func(n int64) events.Optional[int64] { return events.Optional[int64]{Value: n, State: events.Set} }
	want := events.Folded{
		ID: "s1", Direction: events.Inbound, Outcome: events.Voicemailed,
		Start: noon, End: noon.Add(50 * time.Second), FirstArrival: noon, LastArrival: noon.Add(2 * time.Minute), Events: 3,
		Line: "+14155550101", LineName: "Support", Phone: "+14155550144", ContactName: "Pat",
		Agents:   []events.Agent{{Name: "Kim Novak"}, {ID: number(7), Name: "Ines"}, {ID: number(42)}},
		RingTime: number(40), TalkTime: number(0), Duration: number(50), MissedReason: "Not picked by agent",
		RecordingURL: "https://example.com/r", Transcription: "Call me back.",
		Missed: &parts[1], Left: &parts[0],
	}
	want.Left = &parts[slices.IndexFunc(parts, func(p events.Part) bool { return p.Key == got.Left.Key })]
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("folded (-want +got):\n%s", diff)
	}
}

// Of two that disagree, the first that happened knows who called, and the last what
// was written since. The order of arrival is another one.
func TestFoldDecidesBetweenEventsThatDisagree(t *testing.T) {
	t.Parallel()
	f := events.Fold(partsOf(t,
		eventOfA("voicemail.received", 90, `,"transcription":"the corrected text","agent_name":"B"`),
		eventOfA("voicemail.received", 60, `,"transcription":"the first text","agent_name":"A"`),
		eventOfA("call.missed", 30, `,"justcall_line_name":"Old","ring_duration":30`),
		eventOfA("call.missed", 31, `,"justcall_line_name":"New","ring_duration":20`),
		`{"event":"call.missed","data":{"call_id":"c1","direction":"inbound","from":"+14155550199","to":"front desk","justcall_line_name":"No time"}}`,
	)...)
	if f.Transcription != "the corrected text" || f.LineName != "New" || f.Phone != "+14155550144" || f.Line != "+14155550101" {
		t.Errorf("believed the wrong event: %+v", f)
	}
	if diff := cmp.Diff([]events.Agent{{Name: "A"}, {Name: "B"}}, f.Agents); diff != "" {
		t.Errorf("agents (-want +got):\n%s", diff)
	}
	if f.RingTime.Value != 30 || f.Start.Second() != 30 || f.Left.At.Minute() != 1 || f.Left.At.Second() != 0 {
		t.Errorf("rang %v from %v, voicemail of %v", f.RingTime, f.Start, f.Left.At)
	}
}

// A call that is passed on to a number of one of us comes from the caller.
func TestFoldBelievesTheIncomingLegAboutWhoCalled(t *testing.T) {
	t.Parallel()
	missed := eventOfB("call.missed", "Missed", "", "")
	out := strings.NewReplacer("Incoming", "Outgoing", "call.missed", "call.completed", "0144", "0166", "0101", "0102").Replace(missed)
	if f := events.Fold(partsOf(t, out, missed)...); f.Direction != events.Inbound || f.Phone != "+14155550144" || f.Line != "+14155550101" {
		t.Errorf("%s of %s to %s", f.Direction, f.Phone, f.Line)
	}
}

// Only a time that the event gives is the call's: another one depends on when it was
// delivered.
func TestFoldStartsACallByNoTimeOfArrival(t *testing.T) {
	t.Parallel()
	without := partOf(t, `{"event":"call.missed","data":{"call_id":"c1","direction":"inbound","from":"+14155550144","to":"+14155550101"}}`, 0)
	if f := events.Fold(without); !f.Start.IsZero() || !f.End.IsZero() || f.Missed == nil {
		t.Errorf("folded: %+v", f)
	}
	if f := events.Fold(without, partOf(t, eventOfA("call.missed", 70, ""), 5)); f.Start.Minute() != 1 || f.FirstArrival.Minute() != 0 {
		t.Errorf("starts %v, first arrival %v", f.Start, f.FirstArrival)
	}
}

// No order, and no repetition, changes what a call's events say together.
func TestPromise4_FoldDoesNotDependOnTheOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pick := func(name string, from ...string) string { return rapid.SampledFrom(from).Draw(t, name) }
		var parts []events.Part
		for i := range rapid.IntRange(0, 7).Draw(t, "events") {
			members := pick("agent", "", `,"agent_id":1`, `,"agent_id":2,"agent_name":"Kim"`, `,"agent_name":"Kim"`, `,"agent_id":null`) +
				pick("name", "", `,"contact_name":"Pat"`, `,"contact_name":"Sam"`) +
				pick("line", "", `,"justcall_line_name":"Support"`, `,"justcall_line_name":"Sales"`)
			body := eventOfB(pick("type", "call.missed", "call.completed", "call.voicemail", "call.updated", "call.incoming", "call.answered"),
				pick("outcome", "", "Missed", "Voicemail", "Answered"), pick("text", "", `,"voicemail_transcription":"a"`, `,"voicemail_transcription":"b"`), members)
			if rapid.Bool().Draw(t, "format A") {
				second := rapid.IntRange(0, 3).Draw(t, "second")
				body = eventOfA(pick("type", "call.missed", "call.completed", "call.answered", "voicemail.received"), second,
					members+pick("ring", "", `,"ring_duration":7`, `,"ring_duration":9`))
			}
			part := partOf(t, body, i)
			if rapid.IntRange(0, 3).Draw(t, "timed") == 0 {
				part.Own, part.Key = false, "untimed "+part.Key
			}
			parts = append(parts, part)
		}
		want := events.Fold(parts...)
		again := slices.Clone(parts)
		if len(parts) > 0 {
			again = append(again, rapid.SliceOfN(rapid.SampledFrom(parts), 0, 5).Draw(t, "repeated")...)
		}
		got := events.Fold(rapid.Permutation(again).Draw(t, "order")...)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("folded (-in one order +in another):\n%s", diff)
		}
	})
}

func TestFoldKnowsWhoTalkedAndForHowLong(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, time.November, 28, 12, 0, 0, 0, time.UTC)
	dialer := func(typ, outcome, info string) string {
		return strings.Replace(eventOfB(typ, outcome, info, ""), `"Incoming"`, `"Outgoing"`, 1)
	}
	traits := func(list string) string { return `,"call_traits":` + list }
	callback := func(members string) string { return `,"queue_callback":{` + members + `}` }
	lengths := func(total, talk, ring int) string {
		return fmt.Sprintf(`,"call_duration":{"total_duration":%d,"conversation_time":%d,"ring_time":%d}`, total, talk, ring)
	}
	type folded struct {
		End      time.Time
		Agent    string
		AI       bool
		By       events.AnsweredBy
		Callback events.Callback
	}
	for _, tc := range []struct {
		name   string
		bodies []string
		want   folded
	}{
		{"the total contains the ringing", []string{eventOfB("call.completed", "Answered", "", lengths(100, 80, 20))}, folded{End: noon.Add(100 * time.Second)}},
		{"the total does not contain the ringing", []string{eventOfB("call.completed", "Answered", "", lengths(80, 80, 20))}, folded{End: noon.Add(100 * time.Second)}},
		{"the ringing is unknown", []string{eventOfB("call.completed", "Answered", "", `,"call_duration":{"total_duration":80}`)}, folded{End: noon.Add(80 * time.Second)}},
		{
			"the agent who answered, not the one who was tried first",
			[]string{eventOfA("call.missed", 5, `,"agent_name":"Kim"`), eventOfA("call.answered", 9, `,"agent_name":"Ines"`)},
			folded{End: noon.Add(9 * time.Second), Agent: "Ines"},
		},
		{"an AI agent", []string{eventOfB("call.completed", "Answered", traits(`["ivr","VOICE_AGENT"]`), "")}, folded{End: noon, AI: true}},
		{"an AI agent in a text", []string{eventOfB("call.completed", "Answered", traits(`"Voice Agent"`), "")}, folded{End: noon, AI: true}},
		{"an AI agent by the event's name", []string{eventOfB("call.ai_voice_agent", "", "", ""), eventOfB("call.completed", "Answered", "", "")}, folded{End: noon, AI: true}},
		{"a trait of another kind", []string{eventOfB("call.completed", "Answered", traits(`["agent","voice"]`), "")}, folded{End: noon}},
		{"a human answered", []string{dialer("sd.call_completed", "Outgoing human answered", "")}, folded{End: noon, By: events.ByHuman}},
		{"a machine answered", []string{dialer("sd.call_completed", "Outgoing machine answered", "")}, folded{End: noon, By: events.ByMachine}},
		{"who answered has a member", []string{dialer("sd.call_completed", "Answered", `,"call_answered_by":"Machine"`)}, folded{End: noon, By: events.ByMachine}},
		{"a menu answered", []string{dialer("call.completed", "Answered", `,"call_answered_by":"IVR menu"`)}, folded{End: noon, By: events.ByMachine}},
		{"a mailbox answered", []string{dialer("call.completed", "Answered", `,"call_answered_by":"Anrufbeantworter"`)}, folded{End: noon, By: events.ByMachine}},
		{"a fax answered", []string{dialer("call.completed", "Answered", `,"call_answered_by":"fax"`)}, folded{End: noon, By: events.ByMachine}},
		{
			"once a machine, always a machine",
			[]string{dialer("sd.call_completed", "Outgoing machine answered", ""), dialer("sd.call_updated", "Outgoing human answered", "")},
			folded{End: noon, By: events.ByMachine},
		},
		{"nobody asked to be called back", []string{eventOfB("call.completed", "Abandoned", "", callback(`"callback_requested":"","callback_attempted":"0","callback_status":"No"`))}, folded{End: noon}},
		{"a call back requested", []string{eventOfB("call.completed", "Abandoned", "", callback(`"callback_requested":"Yes","callback_attempted":"No"`))}, folded{End: noon, Callback: events.CallbackRequested}},
		{"a call back that reached only the agent", []string{eventOfB("call.completed", "Abandoned", "", callback(`"callback_requested":"Yes","callback_attempted":"Yes","callback_reached":"Yes","callback_status":"No"`))}, folded{End: noon, Callback: events.CallbackAttempted}},
		{"a call back whose end nobody understands", []string{eventOfB("call.completed", "Abandoned", "", callback(`"callback_requested":"Yes","callback_attempted":"12:04:11","callback_status":"pending"`))}, folded{End: noon, Callback: events.CallbackAttempted}},
		{"a call back that reached the caller", []string{eventOfB("call.completed", "Abandoned", "", callback(`"callback_requested":"Yes","callback_status":"Yes"`)), eventOfB("call.updated", "Abandoned", "", callback(`"callback_requested":"Yes"`))}, folded{End: noon, Callback: events.CallbackReached}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := events.Fold(partsOf(t, tc.bodies...)...)
			got := folded{f.End, f.AnsweredAgent.Name, f.VoiceAgent, f.AnsweredBy, f.Callback}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("folded (-want +got):\n%s", diff)
			}
		})
	}
}
