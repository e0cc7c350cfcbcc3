package events_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"github.com/ringback/ringback/events"
)

// outcomeWords are what telephone systems write, and how the call of each ended.
var outcomeWords = map[events.Outcome][]string{
	events.Answered: {
		"Answered", "answered", "ANSWERED", " Answered ", "Answered Call", "OUTGOING_ANSWERED", "INCOMING_ANSWERED",
		"human answered", "Outgoing human answered", "Answered by agent", "Picked up", "picked-up", "PickedUp",
		"Answered elsewhere", "Accepted", "Answered (no recording)", "Answered, not recorded", "Answered - no voicemail",
		"Answered: yes", "answered=1", "isAnswered: true", "answered: true; missed: false", "Missed: no, answered: yes", "Answered: Sam",
		"Missed - answered elsewhere", "Missed (answered by another agent)", "Call missed, picked up by someone else",
		"Not answered by you, answered by a colleague", "Answered, no message",
		"Answered during working hours", "Answered in opening hours", "Answered (holiday)", "Answered after agent offline", "Answered, callback requested",
		"Answered, no message left", "Answered, transferred", "Answered after hold", "Answered; recording failed",
		"Answered after hours", "Answered (after-hours)", "Answered outside business hours", "Answered outside office hours", "Answered by Rona",
	},
	events.Voicemailed: {
		"Voicemail", "voicemail", "VOICEMAIL", "Voice mail", "voice-mail", "VoiceMail", "INCOMING_VOICEMAIL", "Voicemail left",
		"machine answered", "Outgoing machine answered", "Answered by voicemail", "Answered by machine", "Answering machine",
		"msg left", "Answered elsewhere, left a voicemail", "Missed, answered elsewhere, left a voicemail",
		"Voicemail (no message transcription)", "Voicemail left, no message text", "Voicemail without message", "Voicemail, no message",
		"voicemail: yes", "answered: false, voicemail: true", "missed: 1 / voicemail: 1",
		"missed (voicemail)", "No answer, voicemail", "no-answer_voicemail", "Left a voice message", "vm", "Sent to voicemail",
		"Anrufbeantworter", "auf Anrufbeantworter gesprochen", "Buzón de voz", "buzon_de_voz", "Contestador automático", "Correo de voz",
		"Correio de voz", "Caixa postal", "Secretária eletrônica", "Répondeur", "Messagerie vocale", "boîte vocale", "Segreteria telefonica",
		"Antwoordapparaat", "Röstbrevlåda", "Telefonsvarer", "perdida (buzón de voz)",
	},
	events.Missed: {
		"Missed", "missed", "MISSED", "Missed Call", "missed_call", "missedCall", "missedcall", "CallMissed", "INCOMING_MISSED",
		"Unanswered", "unanswered", "un-answered", "UnAnswered", "Outgoing unanswered call", "Not answered", "not_answered",
		"No answer", "no-answer", "No-Answer", "noanswer", "NO_ANSWER", "didn't answer", "Never answered", "Nobody answered",
		"No agent answered", "no one picked up", "Not picked by agent", "missed - no agents", "Missed, no agent answered",
		"Missed. No voicemail", "missed - voicemail not left", "No voicemail left", "No agents available", "Agent unavailable",
		"All agents busy", "Busy", "INCOMING_BUSY", "Failed", "FAILED", "Declined", "Declined by agent", "Rejected",
		"Timed out", "timeout", "ring timeout", "nobody picked up", "No one answered",
		"Rang out", "RNA", "Switched off", "Queue full", "All agents offline", "Agents logged out", "Do not disturb", "DND", "Unserved",
		"Not responded", "Didn't pick", "Out of office", "Outside working hours", "Off hours", "Non-business hours", "Not served", "Holiday",
		"Unable to connect", "Missed, no message", "Missed, not answered elsewhere",
		"Answered by IVR, another agent busy", "Auto attendant answered, transferred to another agent, no answer", "Answered by bot, missed by colleague",
		"Another agent missed; answered by nobody", "Missed; answered by another agent's bot", "Answered elsewhere: no", "Answered by another agent: false",
		"answered_elsewhere=false", "Missed, answered elsewhere: no", "Missed, answered elsewhere, no answer",
		"Agent did not pick up", "Not pick up", "Nobody did pick up", "didn't pick up", "did_not_pick_up", "Agents did not pick-up the call",
		"Missed, no voice mail", "Missed - No Voice-mail", "Missed (no voice message)", "Missed without voice mail", "no message left",
		"Agent doesn't answer", "User don't answer", "Agent hasn't answered", "couldn't be answered", "wasn't answered",
		"Agents haven't answered", "can't answer", "did not answer", "Unable to answer", "Agent unable to answer", "Failed to answer",
		"Refused to answer", "No one available to answer", "Waiting, not answered", "not yet answered",
		"Answered: false", "Answered=0", "answered: n", "answered:F", "Answered? No", "answered: null", "Answered by: -", "type: answered: no",
		"answered: false, missed: true", "answered=0&missed=0", "missed: yes", "Missed=1", "is_missed: true", "unanswered: yes", "Missed: yes; Answered: yes", "answered: no (busy)", "Answered: no agent", "Answered: none of them. Busy.", "spam: no, answered: no", "Blocked; missed: yes", "Missed: no agents", "Missed: No answer", "Missed (no)", "answered :no", "Answered? 0",
		"Answered by IVR, no voicemail left", "Answered: No", "answered=none", "Answered by nobody", "Picked up by no one",
		"Answered by IVR after hours", "Answered by IVR, agents offline", "Completed after hours", "Blocked after hours", "Hung up after business hours",
		"603 Decline", "Call reject", "RONA", "CONGESTION", "CHANUNAVAIL", "SUBSCRIBER_ABSENT",
		"perdida", "Llamada perdida (sin respuesta)", "no contestada", "não atendida", "NÃO ATENDIDA", "Appel manqué", "non répondu",
		"verpasst", "Verpasster Anruf", "nicht angenommen", "chiamata persa", "gemiste oproep", "After office hours", "no response", "Missed\u00a0Call", "missed\u200b",
	},
	events.Abandoned: {
		"abandoned: yes", "missed: no; abandoned=true", "Abandoned after hours",
		"487 Request Terminated", "Callback scheduled", "Hung up, no message", "Caller left a message", "Callback requested", "Call back requested", "Requested callback",
		"Abandoned", "abandoned", "ABANDONED", "Abandoned before ringing", "Abandoned before answer", "INCOMING_ABANDONED",
		"Abandoned before agent picked up", "abandoned in queue", "Abandoned_Before_Ringing", "Caller abandoned", "OUTGOING_ABANDONED_CALL",
		"Cancelled", "Canceled", "OUTGOING_CANCELLED", "Hung up", "Caller hung up", "hang-up", "Hung up before voicemail",
		"Disconnected before answer", "disconnected_before_agent_answered", "Ended before connected", "Call dropped before pickup",
	},
	events.OutcomeUnknown: {
		"missed: no", "type: missed: no", "Missed=false", "is_missed: 0", "isMissed: false", "unanswered: no", "abandoned: false", "voicemail: no", "missed: none",
		"Not missed", "never missed", "not a missed call", "missed: no, voicemail: no",
		"", "In Progress", "in-progress", "IN_PROGRESS", "Ringing", "Queued", "On hold", "Blocked", "Restricted", "INCOMING_BLOCKED",
		"OUTGOING_RESTRICTED_CALL", "Completed", "Archived", "Unarchived", "Bridged", "not missed", "Answered by IVR",
		"answered by the AI assistant", "unmissed", "abandonedness", "дозвонились", "null", "0", "\x00", "Agent", "before",
		"Completed, recording in progress", "Completed; queued for transcription", "Completed - initiated by agent", "Disconnected on hold",
		"Ended while on hold", "Call ended, connecting survey", "Recorded message played", "Left the queue, message played", "Left a message",
		"Completed, no message", "No callback requested", "Call completed during working hours",
		"Transferred", "Disconnected", "Left queue", "Call ended", "Finished", "Dropped", "Ended by agent", "répondu", "contestada", "atendida",
		"no perdida", "angenommen", "beantwortet", "Recording failed",
		"blocked, answered: no", "answered: false; type: blocked", "spam: yes, answered: no",
		"Waiting for answer", "Waiting to be answered", "waiting_for_answer", "Awaiting answer", "Pending answer", "Answer pending", "Waiting", "×", "÷ é", "Closed",
	},
}

func TestEveryWordOfAnOutcome(t *testing.T) {
	t.Parallel()
	for want, words := range outcomeWords {
		for _, word := range words {
			t.Run(word, func(t *testing.T) {
				t.Parallel()
				data := `{"call_sid":"s","call_info":{"direction":"Incoming","type":` + quote(word) + `,"status":"Archived"}}`
				checkOutcome(t, decode(t, bodyB("call.completed", data)), want)
				if want != events.OutcomeUnknown {
					checkOutcome(t, decode(t, bodyB("call.incoming", data)), want)
					checkOutcome(t, decode(t, bodyA("call.completed", `{"call_id":"s","direction":"inbound","status":`+quote(word)+`}`)), want)
				}
			})
		}
	}
}

func checkOutcome(t *testing.T, d *events.Delivery, want events.Outcome) {
	t.Helper()
	if d.Outcome != want {
		t.Errorf("outcome: got %q, want %q", d.Outcome, want)
	}
	kind := map[events.Outcome]events.Kind{
		events.Missed: events.KindMissedCall, events.Abandoned: events.KindMissedCall, events.Voicemailed: events.KindVoicemail,
	}[want]
	if kind == "" || d.Direction == events.Outbound {
		kind = events.KindCall
	}
	if d.Kind != kind {
		t.Errorf("kind: got %s, want %s", d.Kind, kind)
	}
	if details := d.Details(); details.Outcome != d.Outcome || details.Direction != d.Direction {
		t.Errorf("details: %q %q", details.Outcome, details.Direction)
	}
}

// However a phrase is written, it says the same.
func TestOutcomesAreReadByTheirWordsOnly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		phrases := []string{"abandoned before ringing", "no answer", "missed no agents", "answered by voicemail", "human answered", "voice mail"}
		words := strings.Fields(rapid.SampledFrom(phrases).Draw(t, "phrase"))
		written := slices.Clone(words)
		for i, word := range written {
			written[i] = rapid.SampledFrom([]string{word, strings.ToUpper(word), strings.ToUpper(word[:1]) + word[1:]}).Draw(t, "word")
		}
		separator := rapid.SampledFrom([]string{" ", "_", "-", "/", ", ", " – ", ".", ":", "\u00a0"}).Draw(t, "separator")
		outcome := func(text string) events.Outcome {
			e, err := events.Open([]byte(bodyB("call.completed", `{"call_info":{"type":`+quote(text)+`}}`)))
			if err != nil {
				t.Fatal(err)
			}
			return e.Decode().Outcome
		}
		plain, other := outcome(strings.Join(words, " ")), outcome(strings.Join(written, separator))
		if plain != other {
			t.Errorf("%q is %q, %q is %q", words, plain, written, other)
		}
	})
}

func TestOutcomeOfAnEvent(t *testing.T) {
	t.Parallel()
	const none = events.Outcome("")
	for _, test := range []struct {
		name string
		body string
		want events.Outcome
	}{
		{"call.answered", bodyA("call.answered", `{"status":"in-progress"}`), events.Answered},
		{"call.answered that was missed by others", bodyB("call.answered", `{"call_info":{"type":"missed"}}`), events.Answered},
		{"format A's completed call", bodyA("call.completed", `{"status":"completed","direction":"inbound","agent_id":42}`), events.Answered},
		{"format A's completed call of a named agent", bodyA("call.completed", `{"status":"completed","direction":"inbound","agent_name":"Sam"}`), events.Answered},
		{"format A's completed call that no agent took", bodyA("call.completed", `{"status":"completed","direction":"inbound","agent_id":null}`), events.OutcomeUnknown},
		{"format A's missed call, completed", bodyA("call.missed", `{"status":"completed"}`), events.Missed},
		{"format A's voicemail, completed", bodyA("voicemail.received", `{"status":"completed"}`), events.Voicemailed},
		{"format A's completed call that took no time", bodyA("call.completed", `{"status":"completed","direction":"inbound","agent_id":42,"duration":0}`), events.OutcomeUnknown},
		{"format A's completed call that only rang", bodyA("call.completed", `{"status":"completed","direction":"inbound","agent_id":42,"duration":"0:25","ring_duration":25}`), events.OutcomeUnknown},
		{"format A's completed call that took longer", bodyA("call.completed", `{"status":"completed","direction":"inbound","agent_id":42,"duration":26,"ring_duration":25}`), events.Answered},
		{"format A's completed call with a call back to come", bodyA("call.completed", `{"status":"completed","direction":"inbound","agent_id":42,"duration":300,"outcome":"Callback scheduled"}`), events.Answered},
		{"the same without a duration", bodyA("call.completed", `{"status":"completed","direction":"inbound","agent_id":42,"outcome":"Callback requested"}`), events.Answered},
		{"format A's completed call that left a queue", bodyA("call.completed", `{"status":"completed","direction":"inbound","agent_id":42,"duration":300,"queue":{"exit_reason":"Caller abandoned"}}`), events.Answered},
		{"a call that an agent passed on after talking", bodyB("call.completed", `{"agent_id":4,"call_info":{"type":"Transferred"},"call_duration":{"conversation_time":85}}`), events.Answered},
		{"a call that was passed on by nobody", bodyB("call.completed", `{"agent_id":null,"call_info":{"type":"Transferred"},"call_duration":{"conversation_time":85}}`), events.OutcomeUnknown},
		{"a call that was passed on to a machine", bodyB("call.completed", `{"agent_id":4,"answered_by":"machine","call_info":{"type":"Transferred"},"call_duration":{"conversation_time":85}}`), events.OutcomeUnknown},
		{"a call that was passed on without a talk", bodyB("call.completed", `{"agent_id":4,"call_info":{"type":"Transferred"},"call_duration":{"conversation_time":0,"total_duration":85}}`), events.OutcomeUnknown},
		{"a word that is not known, beside a talk with an agent", bodyB("call.completed", `{"agent_name":"Kim","call_info":{"type":"contestada"},"call_duration":{"conversation_time":"1:25"}}`), events.Answered},
		{"no word, and a talk with an agent", bodyB("call.completed", `{"agent_id":4,"call_info":{"type":""},"call_duration":{"conversation_time":85}}`), events.Answered},
		{"a call in format A that an agent passed on after talking", bodyA("call.completed", `{"status":"transferred","direction":"inbound","agent_id":42,"duration":85,"ring_duration":9}`), events.Answered},
		{"a call in format A that was shorter than its ringing", bodyA("call.completed", `{"status":"transferred","direction":"inbound","agent_id":42,"duration":5,"ring_duration":9}`), events.OutcomeUnknown},
		{"a call in format A that was passed on and only rang", bodyA("call.completed", `{"status":"transferred","direction":"inbound","agent_id":42,"duration":9,"ring_duration":9}`), events.OutcomeUnknown},
		{"a mailbox, of a call of ours", bodyB("call.completed", `{"agent_id":4,"call_info":{"direction":"Outgoing","type":"Anrufbeantworter"},"call_duration":{"conversation_time":85}}`), events.Voicemailed},
		{"an agent's mailbox", bodyB("call.completed", `{"agent_id":4,"call_info":{"type":"Anrufbeantworter"},"call_duration":{"conversation_time":85}}`), events.Voicemailed},
		{"an agent's mailbox, which answered", bodyB("call.completed", `{"agent_id":4,"answered_by":"Anrufbeantworter","call_info":{"type":"Transferred"},"call_duration":{"conversation_time":85}}`), events.OutcomeUnknown},
		{"an agent whose name is a mailbox's elsewhere", bodyB("call.completed", `{"agent_id":4,"answered_by":"Maria Buzon","call_info":{"type":"Transferred"},"call_duration":{"conversation_time":85}}`), events.Answered},
		{"an agent's answer that is not a mailbox's", bodyB("call.completed", `{"agent_id":4,"answered_by":"Kim","call_info":{"type":"Transferred"},"call_duration":{"conversation_time":85}}`), events.Answered},
		{"a talk before the call was kept out", bodyB("call.completed", `{"agent_id":4,"call_info":{"type":"Blocked"},"call_duration":{"conversation_time":85}}`), events.OutcomeUnknown},
		{"a flag before a talk", bodyB("call.completed", `{"agent_id":4,"answered":false,"call_info":{"type":"Bridged"},"call_duration":{"conversation_time":85}}`), events.Missed},
		{"a caller who hung up after talking", bodyB("call.completed", `{"agent_id":42,"call_info":{"type":"Hung up, no message"},"call_duration":{"conversation_time":85}}`), events.Answered},
		{"format A's completed call that was missed", bodyA("call.completed", `{"status":"missed","direction":"inbound"}`), events.Missed},
		{"format A's completed call that was blocked", bodyA("call.completed", `{"status":"blocked"}`), events.OutcomeUnknown},
		{"format A's completed call without a status", bodyA("call.completed", `{"direction":"inbound"}`), events.OutcomeUnknown},
		{"format B's completed call without a word", bodyB("call.completed", `{"call_info":{"type":""}}`), events.OutcomeUnknown},
		{"format B's completed call without call_info", bodyB("call.completed", `{"id":1}`), events.OutcomeUnknown},
		{"format B's completed call whose word is no text", bodyB("call.completed", `{"call_info":{"type":5}}`), events.OutcomeUnknown},
		{"a Sales Dialer call without a word", bodyB("sd.call_completed", `{"id":1}`), events.OutcomeUnknown},
		{"the better of name and word", bodyB("call.missed", `{"call_info":{"type":"Abandoned"}}`), events.Missed},
		{"a voicemail of a missed call", bodyB("call.missed", `{"call_info":{"type":"Voicemail"}}`), events.Voicemailed},
		{"the better of two words", bodyB("call.completed", `{"call_info":{"type":"Abandoned"},"status":"missed"}`), events.Missed},
		{"a reason beside a word that is not known", bodyB("call.completed", `{"call_info":{"type":"Bridged","missed_call_reason":"After office hours"}}`), events.Missed},
		{"a reason that does not apply", bodyB("call.completed", `{"call_info":{"type":"","missed_call_reason":"Not applicable"}}`), events.OutcomeUnknown},
		{"a reason that says yes", bodyB("call.completed", `{"call_info":{"missed_call_reason":"yes"}}`), events.Missed},
		{"a reason that begins with no", bodyB("call.completed", `{"call_info":{"missed_call_reason":"No agents"}}`), events.Missed},
		{"a reason of a call that was answered", bodyB("call.completed", `{"call_info":{"type":"Answered","missed_call_reason":"Not picked by agent"}}`), events.Answered},
		{"a reason of a call that was abandoned", bodyB("call.completed", `{"call_info":{"type":"Abandoned","missed_call_reason":"Abandoned before ringing"}}`), events.Abandoned},

		{"the words of a voicemail of a call without a word", bodyB("call.completed", `{"call_info":{"direction":"Incoming","voicemail_transcription":"Call me back"}}`), events.Voicemailed},
		{"those of a completed call", bodyB("call.completed", `{"call_info":{"type":"Completed","voicemail_transcription":"Call me back"}}`), events.Voicemailed},
		{"those of a missed call", bodyB("call.missed", `{"agent_id":4,"call_info":{"type":"Missed","voicemail_transcription":"Call me back"}}`), events.Voicemailed},
		{"those that come with an update", bodyB("call.updated", `{"call_info":{"type":"","voicemail_transcription":"Call me back"}}`), events.Voicemailed},
		{"those of an answered call", bodyB("call.completed", `{"call_info":{"type":"Answered","voicemail_transcription":"Call me back"}}`), events.Answered},
		{"those of a call that an agent may have answered", bodyB("call.completed", `{"agent_id":4,"call_info":{"type":"","voicemail_transcription":"Call me back"}}`), events.OutcomeUnknown},
		{"those of a call whose only talk is the message", bodyB("call.completed", `{"agent_id":null,"call_info":{"type":"","voicemail_transcription":"Call me back"},"call_duration":{"total_duration":22,"conversation_time":22}}`), events.Voicemailed},
		{"those of a call that was kept out", bodyB("call.completed", `{"call_info":{"type":"Blocked","voicemail_transcription":"Buy now"}}`), events.OutcomeUnknown},
		{"those that we left", bodyB("call.completed", `{"call_info":{"direction":"Outgoing","type":"","voicemail_transcription":"Call us back"}}`), events.OutcomeUnknown},
		{"no words of a voicemail", bodyB("call.completed", `{"call_info":{"type":"Missed","voicemail_transcription":" none"}}`), events.Missed},
		{"word that there are none", bodyB("call.completed", `{"call_info":{"type":"Missed","voicemail_transcription":"Transcription not available"}}`), events.Missed},

		{"a call that comes in", bodyB("call.incoming", `{"call_info":{"type":""}}`), none},
		{"a call that comes in, with a word that is not known", bodyB("call.incoming", `{"call_info":{"type":"Bridged"}}`), none},
		{"a call that is made", bodyB("call.initiated", `{"id":1}`), none},
		{"a call in a queue", bodyB("call.enters_queue", `{"call_info":{"type":"Queued"}}`), none},
		{"a call that leaves a queue", bodyB("call.exits_queue", `{"id":1}`), none},
		{"a call that an AI agent took", bodyB("call.ai_voice_agent", `{"id":1}`), none},
		{"an update without a word", bodyB("call.updated", `{"id":1}`), none},
		{"an update with a word that is not known", bodyB("call.updated", `{"call_info":{"type":"Bridged"}}`), events.OutcomeUnknown},
		{"an update while the call goes on", bodyB("call.updated", `{"call_info":{"type":"In Progress"}}`), none},
		{"a summary without a word", bodyB("jc.call_ai_generated", `{"id":1}`), none},
		{"a text that failed", bodyB("sms.sent", `{"delivery_status":"failed","status":"missed"}`), none},
		{"a contact", bodyB("contact.created", `{"status":"missed"}`), none},
		{"call_info that is null", bodyB("call.completed", `{"call_info":null}`), events.OutcomeUnknown},
		{"call_info that is an array", bodyB("call.completed", `{"call_info":[]}`), events.OutcomeUnknown},
		{"call_info that is a number", bodyB("call.missed", `{"call_info":7}`), events.Missed},
		{"data that is null", `{"event":"call.missed","data":null,"x":1}`, events.Missed},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := decode(t, test.body)
			if d.Outcome != test.want {
				t.Errorf("got %q, want %q", d.Outcome, test.want)
			}
		})
	}
}

func TestPromise10_FlagsOfAnOutcome(t *testing.T) {
	t.Parallel()
	const none = events.Outcome("")
	yes, no := []string{`true`, `"yes"`, `1`, `"1"`, `"True"`, `"y"`, `"t"`}, []string{`false`, `"no"`, `0`, `"0"`, `"False"`, `"n"`, `"f"`}
	for name, want := range map[string][2]events.Outcome{ // for yes and for no
		"answered": {events.Answered, events.Missed}, "is_answered": {events.Answered, events.Missed}, "wasAnswered": {events.Answered, events.Missed},
		"call_answered": {events.Answered, events.Missed},
		"missed":        {events.Missed, events.OutcomeUnknown}, "is_missed": {events.Missed, events.OutcomeUnknown}, "isMissed": {events.Missed, events.OutcomeUnknown},
		"missed_call": {events.Missed, events.OutcomeUnknown}, "Missed": {events.Missed, events.OutcomeUnknown}, "unanswered": {events.Missed, events.OutcomeUnknown},
		"no_answer": {events.Missed, events.OutcomeUnknown}, "abandoned": {events.Abandoned, events.OutcomeUnknown}, "is_abandoned": {events.Abandoned, events.OutcomeUnknown},
		"voicemail": {events.Voicemailed, events.OutcomeUnknown}, "hasVoicemail": {events.Voicemailed, events.OutcomeUnknown},
	} {
		for i, values := range [][]string{yes, no} {
			for _, value := range values {
				flag := quote(name) + ":" + value
				for _, body := range []string{
					bodyB("call.completed", `{"call_sid":"s","call_info":{"direction":"Incoming","type":"",`+flag+`}}`),
					bodyB("call.completed", `{"call_sid":"s",`+flag+`,"call_info":{"direction":"Incoming","type":"Completed"}}`),
					bodyA("call.completed", `{`+flag+`,"call_id":"s","direction":"inbound","from":"+14155558765"}`),
				} {
					if d := decode(t, body); d.Outcome != want[i] {
						t.Errorf("%s: got %q, want %q", body, d.Outcome, want[i])
					}
				}
				untyped := want[i]
				if untyped == events.OutcomeUnknown {
					untyped = none // it may be no call at all
				}
				if d := decode(t, `{"call_id":"s","direction":"inbound",`+flag+`}`); d.Outcome != untyped {
					t.Errorf("%s without a type: got %q, want %q", flag, d.Outcome, untyped)
				}
			}
		}
	}
	for _, test := range []struct {
		typ        events.Type
		info, data string
		want       events.Outcome
	}{
		// On doubt, nobody was served.
		{"call.completed", `"type":"missed"`, `"answered":true`, events.Missed},
		{"call.completed", `"missed":true`, `"answered":true`, events.Missed},
		{"call.completed", `"missed":true`, `"outcome":"answered"`, events.Missed},
		{"call.completed", `"voicemail":true`, `"outcome":"missed"`, events.Voicemailed},
		{"call.completed", `"missed":false,"is_missed":true`, `"x":1`, events.Missed},
		{"call.completed", `"is_missed":true,"missed":false`, `"x":1`, events.Missed},
		{"call.missed", `"type":""`, `"answered":true`, events.Missed},
		{"call.completed", `"type":"Answered by IVR"`, `"answered":true`, events.OutcomeUnknown},
		{"call.completed", `"type":"Bridged"`, `"answered":true`, events.OutcomeUnknown},
		{"call.completed", `"type":"Blocked"`, `"answered":true`, events.OutcomeUnknown},
		{"call.completed", `"type":"Blocked"`, `"answered":false`, events.OutcomeUnknown},
		{"call.completed", `"type":""`, `"status":"spam","answered":false`, events.OutcomeUnknown},
		{"call.completed", `"type":""`, `"answered":true,"answered_by":"machine"`, events.OutcomeUnknown},
		{"call.completed", `"type":"","call_traits":["AI Voice Agent"]`, `"answered":true`, events.OutcomeUnknown},
		{"call.completed", `"type":"In Progress"`, `"answered":"yes"`, events.Answered},
		// Words in place of yes and no.
		{"call.completed", `"type":""`, `"missed":"Missed"`, events.Missed},
		{"call.completed", `"type":""`, `"missed":"not missed"`, events.OutcomeUnknown},
		{"call.completed", `"type":""`, `"answered":"not answered"`, events.Missed},
		{"call.completed", `"type":""`, `"answered":"nobody"`, events.Missed},
		{"call.completed", `"type":""`, `"answered":"Sam"`, events.OutcomeUnknown},
		{"call.completed", `"type":""`, `"answered":{"x":1},"missed":[true]`, events.OutcomeUnknown},
		// What documents name is believed.
		{"call.completed", `"type":"answered","missed":true`, `"x":1`, events.Answered},
		{"call.answered", `"type":""`, `"answered":false`, events.Answered},
		{"call.completed", `"type":"voicemail"`, `"answered":false`, events.Voicemailed},
		// It rings.
		{"call.incoming", `"type":""`, `"answered":false`, none},
		{"call.enters_queue", `"type":""`, `"answered":false,"missed":false`, none},
		{"call.ringing", `"type":""`, `"answered":false`, none},
		{"call.routed", `"type":""`, `"is_answered":false`, none},
		{"call.forwarded", `"type":""`, `"is_answered":false,"ended_at":null,"call_duration":{"total_duration":null}`, none},
		{"call.transferred", `"type":"Bridged"`, `"answered":"no"`, none},
		{"call.transferred", `"type":"Completed"`, `"answered":"no"`, events.Missed},
		{"call.transferred", `"type":"","missed_call_reason":"no agents"`, `"answered":"no"`, events.Missed},
		{"call.routed", `"type":""`, `"is_answered":false,"call_duration":{"total_duration":20}`, events.Missed},
		{"call.routed", `"type":""`, `"is_answered":false,"duration":20`, events.Missed},
		{"call.routed", `"type":""`, `"is_answered":false,"end_time":"2026-03-01 10:00:00"`, events.Missed},
		{"call.leg_ended", `"type":""`, `"is_answered":false`, events.Missed},
		{"x.y", `"type":"Ringing"`, `"answered":false`, none},
		{"x.y", `"type":""`, `"answered":false`, events.Missed},
		{"x.y", `"type":""`, `"answered":null`, none},
		{"call.completed", `"type":""`, `"answered":null,"missed":null,"voicemail":""`, events.OutcomeUnknown},
		{"call.completed", `"type":"","call_type":"INCOMING_MISSED"`, `"x":1`, events.Missed},
		{"call.completed", `"outcome":"no answer"`, `"x":1`, events.Missed},
		// Inside of an object in place of the word.
		{"call.completed", `"type":{"answered":false}`, `"x":1`, events.Missed},
		{"call.completed", `"type":"","status":{"is_missed":"yes"}`, `"x":1`, events.Missed},
		{"call.completed", `"type":""`, `"status":{"answered":true}`, events.Answered},
		{"call.completed", `"type":""`, `"call_result":{"voicemail":true,"answered":false}`, events.Voicemailed},
		{"call.completed", `"type":"answered","status":{"missed":true}`, `"status":{"missed":true}`, events.Answered},
		{"call.incoming", `"type":{"answered":false}`, `"x":1`, none},
		// How the caller left a queue.
		{"call.exits_queue", `"type":""`, `"queue":{"exit_reason":"Caller abandoned"}`, events.Abandoned},
		{"call.completed", `"type":""`, `"queue":{"exit_reason":"hung up"}`, events.Abandoned},
		{"call.completed", `"type":""`, `"queue_exit_reason":"hung up"`, events.Abandoned},
		{"call.completed", `"type":"","voicemail":true`, `"queue":{"exit_reason":"Caller abandoned"}`, events.Voicemailed},
		{"call.completed", `"type":"","answered":true`, `"queue":{"exit_reason":"Caller abandoned"}`, events.Answered},
		{"call.completed", `"type":""`, `"outcome":"answered","queue":{"exit_reason":"Caller abandoned"}`, events.Answered},
		{"call.completed", `"type":""`, `"queue":{"exit_reason":"Caller abandoned"},"agent_id":4,"call_duration":{"conversation_time":85}`, events.OutcomeUnknown},
		{"call.exits_queue", `"type":""`, `"queue":{"exit_reason":"Timed out"}`, none},
		{"call.exits_queue", `"type":""`, `"queue":{"exit_reason":"Agent answered"}`, none},
		{"call.exits_queue", `"type":""`, `"queue":"hung up"`, none},
		{"call.completed", `"type":"answered"`, `"queue":{"exit_reason":"hung up"}`, events.Answered},
		// The caller asked to be called back.
		{"call.completed", `"type":""`, `"queue_callback":{"callback_requested":"Yes"}`, events.Abandoned},
		{"call.completed", `"type":""`, `"queue_callback":{"callback_requested":"No"}`, events.OutcomeUnknown},
		{"call.exits_queue", `"type":""`, `"queue_callback":{"callback_requested":"Yes"}`, none},
		{"call.completed", `"type":""`, `"queue_callback":{"callback_requested":"Yes"},"call_duration":{"conversation_time":85}`, events.OutcomeUnknown},
		{"call.completed", `"type":""`, `"queue_callback":{"callback_requested":"Yes"},"agent_id":4`, events.OutcomeUnknown},
		{"call.completed", `"type":"Callback requested"`, `"call_duration":{"conversation_time":85}`, events.OutcomeUnknown},
		{"call.completed", `"type":"answered"`, `"queue_callback":{"callback_requested":"Yes"}`, events.Answered},
	} {
		if d := decode(t, bodyB(test.typ, `{"call_sid":"s",`+test.data+`,"call_info":{"direction":"Incoming",`+test.info+`}}`)); d.Outcome != test.want {
			t.Errorf("%s of %s %s: got %q, want %q", test.typ, test.info, test.data, d.Outcome, test.want)
		}
	}
}

func TestPromise10_AnOutgoingCallIsNeverMissed(t *testing.T) {
	t.Parallel()
	const ours, outside = "+14155551234", "+14155558765"
	for _, typ := range []events.Type{"call.missed", "call.completed", "call.voicemail", "voicemail.received", "sd.call_completed", "sd.call_missed", "x.y", "call.abandoned"} {
		for _, word := range []string{"Missed", "Voicemail", "Abandoned", "machine answered"} {
			for name, d := range map[string]*events.Delivery{
				"format B": decode(t, bodyB(typ, `{"call_sid":"s","contact_number":"14155558765","justcall_number":"14155551234","call_info":{"direction":"Outgoing","type":"`+word+`"}}`)),
				"format A": decode(t, bodyA(typ, `{"call_id":"s","direction":"outbound","from":"`+ours+`","to":"`+outside+`","status":"`+word+`"}`)),
			} {
				if d.Kind.Alerts() {
					t.Errorf("%s %s %s: kind %s", name, typ, word, d.Kind)
				}
				if d.Kind == events.KindUnknown {
					continue
				}
				call, ok := d.Details().Event.(*events.Call)
				if !ok {
					t.Errorf("%s %s %s: a %T", name, typ, word, d.Details().Event)
					continue
				}
				if d.Phone != outside || events.PhoneNumber(call.From) != ours || events.PhoneNumber(call.To) != outside {
					t.Errorf("%s %s %s: %s called %s, with %s", name, typ, word, call.From, call.To, d.Phone)
				}
			}
		}
	}
}

func TestTheDirectionOfACall(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		typ  events.Type
		data string
		want events.Direction
	}{
		{"the data's own", "call.completed", `{"direction":"outbound","call_info":{"direction":"Incoming"}}`, events.Outbound},
		{"call_info's", "sd.call_completed", `{"call_info":{"direction":"Incoming"}}`, events.Inbound},
		{"the word's", "call.completed", `{"call_info":{"type":"Outgoing unanswered call"}}`, events.Outbound},
		{"the REST API's word", "call.completed", `{"call_info":{"type":"INCOMING_ABANDONED"}}`, events.Inbound},
		{"the name's", "call.outgoing.no_answer", `{"call_sid":"s"}`, events.Outbound},
		{"the sales dialer's", "sd.call_completed", `{"call_info":{"type":"Missed"}}`, events.Outbound},
		{"the sales dialer's under a new name", "sd.call_missed", `{"call_sid":"s"}`, events.Outbound},
		{"the sales dialer's under another new name", "SalesDialer.call_missed", `{"call_sid":"s"}`, events.Outbound},
		{"the sales dialer's under a name in two words", "sales_dialer.call.completed", `{"call_info":{"type":"Missed"}}`, events.Outbound},
		{"another dialer's", "autodialer.call_completed", `{"call_info":{"type":"No answer"}}`, events.Outbound},
		{"the sales dialer's by its number", "call.completed", `{"sales_dialer_number":"14155551234","call_info":{"type":"Unanswered"}}`, events.Outbound},
		{"a missed call's that has the sales dialer's number", "call.missed", `{"sales_dialer_number":"14155551234"}`, events.Inbound},
		{"a call's that has both numbers", "call.completed", `{"sales_dialer_number":"14155551234","justcall_number":"14155551234","call_info":{"type":"Unanswered"}}`, events.Inbound},
		{"a call's with the sales dialer's number left open", "call.completed", `{"sales_dialer_number":"0","call_info":{"type":"Unanswered"}}`, events.Inbound},
		{"an unserved caller's", "call.missed", `{"direction":"sideways"}`, events.Inbound},
		{"a name that is one", "Outgoing", `{"call_sid":"s","status":"missed"}`, events.Outbound},
		{"another name that is one", "Incoming", `{"call_sid":"s","status":"missed"}`, events.Inbound},
		{"a name that has more than one", "outgoing.hook", `{"call_sid":"s","status":"missed"}`, events.Inbound},
		{"a name that has one", "outbound_call", `{"call_sid":"s","status":"busy"}`, events.Outbound},
		{"the data's before the name's", "Outgoing", `{"call_sid":"s","status":"missed","direction":"inbound"}`, events.Inbound},
		{"a dialer's voicemail", "voicemail_drop.sent", `{"call_sid":"s"}`, events.Outbound},
		{"a dialer's voicemail by its word", "call.voicemail", `{"call_info":{"type":"Voicemail Drop"}}`, events.Outbound},
		{"a voicemail that somebody dropped", "voicemail.dropped", `{"call_sid":"s"}`, events.Inbound},
		{"none", "call.completed", `{"call_info":{"type":"Answered"}}`, ""},
		{"a letter", "call.missed", `{"call_info":{"direction":"O"}}`, events.Outbound},
		{"a small letter", "call.completed", `{"direction":"i"}`, events.Inbound},
		{"two letters", "call.missed", `{"direction":"OB"}`, events.Outbound},
		{"a letter of a phrase is none", "call.completed", `{"direction":"O / B"}`, ""},
		{"a number is none", "call.completed", `{"direction":1}`, ""},
		{"another name in call_info", "call.missed", `{"call_info":{"call_direction":"Outgoing"}}`, events.Outbound},
		{"a type in call_info", "call.missed", `{"call_info":{"call_type":"outgoing"}}`, events.Outbound},
		{"outbound: yes", "call.missed", `{"outbound":"true"}`, events.Outbound},
		{"is_outbound: yes", "call.missed", `{"is_outbound":1}`, events.Outbound},
		{"isOutbound: yes, in call_info", "call.missed", `{"call_info":{"isOutbound":true}}`, events.Outbound},
		{"outgoing: yes", "call.voicemail", `{"outgoing":"Y"}`, events.Outbound},
		{"inbound: no", "call.missed", `{"inbound":false}`, events.Outbound},
		{"incoming: no, in call_info", "call.missed", `{"call_info":{"incoming":"no"}}`, events.Outbound},
		{"outbound: no", "call.completed", `{"outbound":false}`, events.Inbound},
		{"inbound: yes", "call.completed", `{"is_inbound":"1"}`, events.Inbound},
		{"a word before a yes", "call.completed", `{"direction":"inbound","outbound":true}`, events.Inbound},
		{"yes and yes", "call.completed", `{"inbound":true,"outbound":true}`, ""},
		{"no and no", "call.completed", `{"inbound":false,"outbound":"no"}`, ""},
		{"none is no no", "call.missed", `{"incoming":"none"}`, events.Inbound},
		{"nobody is no no", "call.missed", `{"call_info":{"is_inbound":"nobody"}}`, events.Inbound},
		{"neither yes nor no", "call.completed", `{"inbound":"maybe","outbound":null}`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := decode(t, bodyB(test.typ, test.data))
			if d.Direction != test.want {
				t.Errorf("got %q, want %q", d.Direction, test.want)
			}
			if d.Kind.Alerts() && d.Direction == events.Outbound {
				t.Errorf("a %s, outbound", d.Kind)
			}
		})
	}
}

func TestPromise3_NamesAreComparedByTheirLetters(t *testing.T) {
	t.Parallel()
	for name, want := range map[events.Type]events.Type{
		"CALL.MISSED": "call.missed", "call_missed": "call.missed", "call.missed ": "call.missed", "\tcall.missed\n": "call.missed",
		"jc.call_missed": "call.missed", "justcall.call.missed": "call.missed", "JustCall/Call Missed": "call.missed",
		"callMissed": "call.missed", "call-missed": "call.missed", "call:missed": "call.missed", "jcCallMissed": "call.missed",
		"call_ai_generated": "jc.call_ai_generated", "JC_CALL_AI_GENERATED": "jc.call_ai_generated",
		"contacts.deleted": "contact.deleted", "contact.update": "contact.updated", "jc.contacts_create": "contact.created", "contactRemove": "contact.removed",
		"contact.status.updated": "jc.contact_status_updated", "contacts_status_update": "jc.contact_status_updated", "sd.call.completed": "sd.call_completed", "jc.sd.call_completed": "sd.call_completed",
		"SMS_RECEIVED": "sms.received", "smsReceived": "sms.received", "voicemail_received": "voicemail.received",
		"": "", "call": "", "call.transferred": "", "sd.call_missed": "", "call.missed2": "", "cäll.missed": "", "call.misséd": "", "jc": "",
		events.Type("call.missed" + strings.Repeat(" ", 100)): "",
	} {
		if got := name.Name(); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
		if got := name.Registered(); got != (want != "") {
			t.Errorf("%q: registered %v", name, got)
		}
		if name.IsUpdate() != want.IsUpdate() {
			t.Errorf("%q: update %v", name, name.IsUpdate())
		}
		if want != "" {
			d := decode(t, bodyA(events.Type(strings.Trim(quote(string(name)), `"`)), `{"call_id":"x"}`))
			if d.Type != name {
				t.Errorf("%q is kept as %q", name, d.Type)
			}
		}
	}
	for _, typ := range events.Types() {
		if typ.Name() != typ {
			t.Errorf("%s is taken for %s", typ, typ.Name())
		}
	}
	if !events.Type("SD.Call.Updated").IsUpdate() || !events.Type("Call Updated").IsUpdate() {
		t.Error("an update in other letters is none")
	}
}

func TestNamesThatTellOfAnUnservedCaller(t *testing.T) {
	t.Parallel()
	for name, want := range map[events.Type]events.Kind{
		"call.abandoned": events.KindMissedCall, "call_unanswered": events.KindMissedCall, "missed_call": events.KindMissedCall,
		"call.no-answer": events.KindMissedCall, "call.not_answered": events.KindMissedCall, "callNoAnswer": events.KindMissedCall,
		"CALL.ABANDONED": events.KindMissedCall, "call.missed.v2": events.KindMissedCall, "missedcall": events.KindMissedCall,
		"jc.missed_call": events.KindMissedCall, "call.declined": events.KindMissedCall, "call.rejected": events.KindMissedCall,
		"call.failed": events.KindMissedCall, "call.busy": events.KindMissedCall, "incoming_call.missed": events.KindMissedCall,
		"call.abandoned_in_queue": events.KindMissedCall, "missed": events.KindMissedCall, "call.cancelled": events.KindMissedCall,
		"voicemail": events.KindVoicemail, "voicemail.created": events.KindVoicemail, "new_voicemail": events.KindVoicemail,
		"voicemail.transcription_ready": events.KindVoicemail, "call.voicemail.recording.completed": events.KindVoicemail,
		"transcript.voicemail.created": events.KindVoicemail, "voicemail_recording.failed": events.KindUnknown,
		"voice_message.received": events.KindVoicemail, "call.voice_mail": events.KindVoicemail, "VOICE-MAIL_LEFT": events.KindVoicemail,

		"call.picked_up": events.KindCall, "call.ended": events.KindCall, "jc.call_finished": events.KindCall, "call.hangup": events.KindCall,
		"call_hangup_before_answer": events.KindMissedCall, "call.disconnected_before_answer": events.KindMissedCall, "outbound_call.missed": events.KindCall, "sd.call_abandoned": events.KindCall,

		"call.transferred": events.KindUnknown, "call.hold_ended": events.KindUnknown, "call.recording_completed": events.KindUnknown, "call.recording_failed": events.KindUnknown,
		"call.missed.recording_ready": events.KindUnknown, "voicemail.transcription.deleted": events.KindUnknown, "sms.voicemail_transcript": events.KindUnknown,
		"payment.failed": events.KindUnknown, "message.failed": events.KindUnknown, "whatsapp.call_permission.rejected": events.KindUnknown,
		"whatsapp.call_missed": events.KindMissedCall, "whatsapp_call.missed": events.KindMissedCall, "whatsapp.missed_call": events.KindMissedCall,
		"whatsapp.failed": events.KindUnknown, "whatsapp.template_rejected": events.KindUnknown,
		"webhook.failed": events.KindUnknown, "webhook.call_failed": events.KindUnknown, "agent.offline": events.KindUnknown,
		"call.hangup_in_progress": events.KindCall, "call.onhold_hangup": events.KindCall, "call_back_requested": events.KindUnknown,
		"sms.rejected": events.KindUnknown, "contact.missed_call_note": events.KindUnknown, "x.y": events.KindUnknown, "": events.KindUnknown,
		"call.blocked": events.KindUnknown, "call.ringing": events.KindUnknown, "voicemail.deleted": events.KindUnknown,
		"recall.cancelled": events.KindUnknown,
	} {
		if name == "" {
			continue
		}
		t.Run(string(name), func(t *testing.T) {
			t.Parallel()
			for _, body := range []string{bodyA(name, `{"call_sid":"s","from":"+14155558765"}`), bodyB(name, `{"call_sid":"s","contact_number":"14155558765"}`)} {
				d := decode(t, body)
				if d.Kind != want {
					t.Errorf("kind: got %s, want %s", d.Kind, want)
				}
				if want.Alerts() && d.Phone != "+14155558765" {
					t.Errorf("phone: %q", d.Phone)
				}
			}
		})
	}
}

func TestBestOutcome(t *testing.T) {
	t.Parallel()
	order := []events.Outcome{"", events.OutcomeUnknown, events.Abandoned, events.Missed, events.Voicemailed, events.Answered}
	for i, one := range order {
		for j, two := range order {
			if got, want := one.Best(two), order[max(i, j)]; got != want {
				t.Errorf("%q and %q: got %q, want %q", one, two, got, want)
			}
		}
		if one.Known() != (i >= 2) {
			t.Errorf("%q known: %v", one, one.Known())
		}
	}
}

func quote(text string) string {
	quoted, err := jsontext.AppendQuote(nil, text)
	if err != nil {
		panic(err)
	}
	return string(quoted)
}
