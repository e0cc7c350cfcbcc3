package storm

import (
	"fmt"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

// mix is what happens to an account, and how many of a hundred stories are
// this. Together they tell of every registered type.
var mix = []struct {
	name  string
	share int
	tell  func(*teller)
}{
	{"answered call", 17, answeredCall},
	{"outgoing call", 7, outgoingCall},
	{"missed call", 14, missedCall},
	{"missed call of a withheld number", 4, withheldCall},
	{"missed call under several names", 9, missedTwins},
	{"voicemail", 12, voicemail},
	{"call that left the queue", 3, queuedCall},
	{"sales dialer", 3, salesDialer},
	{"voice agent", 2, voiceAgent},
	{"text sent", 9, textSent},
	{"text received", 7, textReceived},
	{"WhatsApp", 3, whatsApp},
	{"contact", 4, contactChanged},
	{"appointment", 1, appointment},
	{"changed shape", 2, changedShape},
	{"unknown type", 3, unknownType},
}

func recordingOf(c *call) string {
	return fmt.Sprintf("https://recordings.example.com/%d.mp3", c.number)
}

func answeredCall(t *teller) {
	c := t.call()
	if t.chance(60) {
		c.taken(t.agent())
		t.callA(c, events.TypeCallAnswered, events.KindCall, c.ring, member{"status", "in-progress"})
		t.callA(c, events.TypeCallCompleted, events.KindCall, c.ring+c.length,
			member{"duration", c.length},
			member{"status", "completed"},
			member{"recording_url", recordingOf(c)},
			member{"notes", t.sentence()},
			member{"disposition", pick(t.rng, "", "Closed Won", "Call later")})
		return
	}
	t.callB(c, events.TypeCallIncoming, events.KindCall, info{})
	c.taken(t.agent())
	answered := info{outcome: "Answered", recording: recordingOf(c)}
	t.callB(c, events.TypeCallAnswered, events.KindCall, answered)
	t.callB(c, events.TypeCallCompleted, events.KindCall, answered)
	if t.chance(30) {
		answered.notes, answered.disposition = t.sentence(), "Appointment moved"
		t.callB(c, events.TypeCallUpdated, events.KindCall, answered)
	}
	if t.chance(20) {
		answered.ai = object{
			{"call_moments", array{"Appointment"}},
			{"customer_sentiment", "Positive"},
			{"call_score", 60 + t.rng.IntN(40)},
			{"call_summary", t.sentence()},
		}
		t.callB(c, events.TypeCallAIGenerated, events.KindCall, answered)
	}
}

func outgoingCall(t *teller) {
	c := t.call().taken(t.agent())
	c.out = true
	if t.chance(50) {
		t.callA(c, events.TypeCallCompleted, events.KindCall, c.length,
			member{"duration", c.length}, member{"status", pick(t.rng, "completed", "no-answer")})
		return
	}
	t.callB(c, events.TypeCallInitiated, events.KindCall, info{})
	t.callB(c, events.TypeCallCompleted, events.KindCall, info{outcome: pick(t.rng, "Answered", "Unanswered")})
}

func missedCall(t *teller) { t.missed(t.call()) }

func withheldCall(t *teller) {
	c := t.call()
	t.withhold(c)
	t.missed(c)
}

func (t *teller) missed(c *call) {
	if t.chance(60) {
		t.callA(c, events.TypeCallMissed, events.KindMissedCall, c.ring,
			member{"ring_duration", c.ring}, member{"status", "missed"})
		return
	}
	if t.chance(50) {
		t.callB(c, events.TypeCallIncoming, events.KindCall, info{})
	}
	t.callB(c, events.TypeCallMissed, events.KindMissedCall, t.notAnswered())
}

// notAnswered is what format B says of a missed call, in any letter case.
func (t *teller) notAnswered() info {
	return info{
		outcome: pick(t.rng, "Missed", "missed", "MISSED"),
		reason:  pick(t.rng, "After office hours", "Not picked by agent", "Abandoned in IVR", ""),
	}
}

// missedTwins tells of one missed call under several events' names, as format B
// does. It is one alert.
func missedTwins(t *teller) {
	c := t.call()
	in := t.notAnswered()
	t.callB(c, events.TypeCallMissed, events.KindMissedCall, in)
	t.callB(c, events.TypeCallCompleted, events.KindMissedCall, in)
	for range 1 + t.rng.IntN(2) {
		in.notes = fmt.Sprintf("%s (%d)", t.sentence(), t.next())
		in.tags = array{object{{"id", 911}, {"name", "Call back"}, {"color_code", "#2F80ED"}}}
		t.callB(c, events.TypeCallUpdated, events.KindMissedCall, in)
	}
}

func voicemail(t *teller) {
	c := t.call()
	if t.chance(10) {
		t.withhold(c)
	}
	said := t.sentence()
	if t.chance(3) {
		// Long enough that the body is kept compressed.
		said = strings.Repeat(said+" ", 9<<10/len(said))
	}
	if t.chance(60) {
		t.callA(c, events.TypeCallMissed, events.KindMissedCall, c.ring,
			member{"ring_duration", c.ring}, member{"status", "missed"})
		t.callA(c, events.TypeVoicemailReceived, events.KindVoicemail, c.ring+40,
			member{"duration", 3 + t.rng.IntN(90)},
			member{"recording_url", recordingOf(c)},
			member{"transcription", said})
		return
	}
	in := t.notAnswered()
	if t.chance(50) {
		t.callB(c, events.TypeCallMissed, events.KindMissedCall, in)
	}
	in.outcome, in.recording, in.transcription = pick(t.rng, "Voicemail", "voicemail"), recordingOf(c), said
	names := []events.Type{events.TypeCallVoicemail, events.TypeVoicemailReceived}
	t.callB(c, pick(t.rng, names...), events.KindVoicemail, in)
	if t.chance(40) {
		t.callB(c, events.TypeCallCompleted, events.KindVoicemail, in)
	}
}

func queuedCall(t *teller) {
	c := t.call()
	queue := object{{"callback_requested", ""}, {"callback_status", ""}}
	t.callB(c, events.TypeCallEntersQueue, events.KindCall, info{more: []member{{"queue_callback", queue}}})
	t.callB(c, events.TypeCallExitsQueue, events.KindCall, info{more: []member{{"queue_callback", queue}}})
	in := t.notAnswered()
	in.reason = "Abandoned in queue"
	t.callB(c, events.TypeCallMissed, events.KindMissedCall, in)
}

func salesDialer(t *teller) {
	c := t.call().taken(t.agent())
	c.out = true
	if c.sid == "" {
		c.sid = fmt.Sprintf("CA%032x", c.number) // the dialer has no other id
	}
	in := info{outcome: "Answered", recording: recordingOf(c)}
	t.callB(c, events.TypeSalesDialerCallCompleted, events.KindCall, in)
	if t.chance(40) {
		t.callB(c, events.TypeCallCompleted, events.KindCall, in)
	}
	in.disposition = "Interested"
	t.callB(c, events.TypeSalesDialerCallUpdated, events.KindCall, in)
	in.ai = object{{"call_score", 71}, {"call_summary", t.sentence()}}
	t.callB(c, events.TypeSalesDialerCallAIGenerated, events.KindCall, in)
}

func voiceAgent(t *teller) {
	c := t.call()
	t.callB(c, events.TypeCallAIVoiceAgent, events.KindCall, info{
		outcome: "Answered",
		ai:      object{{"customer_sentiment", "Neutral"}, {"call_score", nil}, {"call_summary", t.sentence()}},
	})
}

func textSent(t *teller) {
	m := t.message(true)
	if t.chance(60) {
		t.messageA(m, events.TypeSMSSent, 0,
			member{"body", m.text}, member{"media_url", nil}, member{"agent_id", t.numericID(m.agent.id)})
		if t.chance(8) {
			t.messageA(m, events.TypeSMSFailed, 4,
				member{"body", m.text}, member{"media_urls", array{"https://media.example.com/plan.pdf"}}, member{"status", "failed"})
			return
		}
		t.messageA(m, events.TypeSMSDelivered, 5,
			member{"status", "delivered"}, member{"delivered_at", m.at.Add(4 * time.Second).Format(time.RFC3339)})
		return
	}
	t.messageB(m, events.TypeSMSSent, "queued")
	if t.chance(50) {
		t.messageB(m, events.TypeSMSSentReceived, "sent")
	}
	for _, status := range []string{"sent", "delivered"} {
		t.messageB(m, events.TypeSMSStatusUpdated, status)
	}
}

func textReceived(t *teller) {
	m := t.message(false)
	if t.chance(60) {
		t.messageA(m, events.TypeSMSReceived, 0, member{"body", m.text}, member{"media_url", nil})
		switch {
		case t.chance(8):
			t.messageA(m, events.TypeSMSOptOut, 1, member{"contact_name", m.who.name()}, member{"body", "STOP"})
		case t.chance(5):
			t.messageA(m, events.TypeSMSOptIn, 1, member{"contact_name", m.who.name()}, member{"body", "START"})
		}
		return
	}
	t.messageB(m, events.TypeSMSReceived, "received")
	if t.chance(50) {
		t.messageB(m, events.TypeSMSSentReceived, "received")
	}
}

func whatsApp(t *teller) {
	m := t.message(t.chance(50))
	if !m.out {
		t.messageB(m, events.TypeWhatsAppMessageReceived, "received")
		return
	}
	t.messageB(m, events.TypeWhatsAppMessageSent, "sent")
	t.messageB(m, events.TypeWhatsAppMessageStatusUpdated, "delivered")
	t.messageB(m, events.TypeWhatsAppMessageStatusUpdated, "read")
}

// contactChanged tells of somebody who is put into the address book and changed
// there, now and then twice within one second.
func contactChanged(t *teller) {
	n, at, who := t.next(), t.when(), t.someone()
	contact := func(form events.Format, typ events.Type, at time.Time, data object) {
		t.add(draft{
			form: form, typ: typ, at: at, data: data,
			partition: table.ContactPartition(digits(n)), kind: events.KindContact,
		})
	}
	if t.chance(25) {
		contact(events.FormatB, events.TypeContactStatusUpdated, at, object{
			{"id", t.numericID(n)},
			{"name", who.name()},
			{"contact_number", who.number},
			{"other_numbers", array{}},
			{"email", who.email},
			{"extension", nil},
			{"company", who.company},
			{"status", object{{"blacklist", false}, {"dnd", true}, {"dnm", false}}},
			{"status_updated_at", at.Format(time.DateOnly)},
		})
		return
	}
	book := func(company, source string, more ...member) object {
		return append(object{
			{"contact_id", t.numericID(n)},
			{"first_name", who.first},
			{"last_name", who.last},
			{"phone", "+" + who.number},
			{"email", who.email},
			{"company", company},
			{"source", source},
		}, more...)
	}
	contact(events.FormatA, events.TypeContactCreated, at, book(who.company, "api"))
	for i := range t.rng.IntN(4) {
		at = at.Add(time.Duration(t.rng.IntN(3)) * time.Second)
		contact(events.FormatA, events.TypeContactUpdated, at,
			book(fmt.Sprintf("%s %d", who.company, i+2), "ui", member{"changed_fields", array{"company"}}))
	}
}

// appointment tells of one without a time that we read: only its content tells
// it from another.
func appointment(t *teller) {
	who := t.someone()
	t.add(draft{
		form: events.FormatB,
		typ:  events.TypeAppointmentScheduled,
		at:   t.when(),
		data: object{
			{"id", digits(t.next())},
			{"booked_via", "Calendar Link"},
			{"calendar_name", "First Visit"},
			{"customer_first_name", who.first},
			{"customer_last_name", who.last},
			{"customer_email", who.email},
			{"customer_number", who.number},
			{"slot_duration", "15"},
			{"type", "Call"},
			{"notes", t.sentence()},
		},
		partition: "EVENT#appointment.scheduled",
		kind:      events.KindUnknown,
	})
}

// changedShape tells of missed calls in a form that no document has. They are
// missed calls all the same.
func changedShape(t *teller) {
	c := t.call()
	if t.chance(70) {
		t.callA(c, events.TypeCallMissed, events.KindMissedCall, c.ring,
			member{"ring_duration", "thirty"},
			member{"status", object{{"code", 3}, {"text", "missed"}}},
			member{"sentiment_v2", number("0.25")},
			member{"legs", array{object{{"to", "+14155550190"}, {"result", "busy"}}}})
		return
	}
	// Of no known call: an alert of its own for each event.
	t.add(draft{
		form:      events.FormatA,
		typ:       events.TypeCallMissed,
		at:        c.at,
		data:      object{{"call_id", ""}, {"from", "+" + c.who.number}, {"to", "+" + c.line.number}, {"serial", c.number}},
		partition: "EVENT#call.missed",
		kind:      events.KindMissedCall,
	})
}

// unknownType tells of what no document mentions, of the form of before 2023
// among it.
func unknownType(t *teller) {
	c := t.call()
	switch t.rng.IntN(4) {
	case 0:
		t.callA(c, "call.transferred", events.KindUnknown, 30, member{"transferred_to", "Billing"})
	case 1:
		t.add(draft{
			form: events.FormatA, typ: "fax.received", at: c.at,
			data:      object{{"pages", 1 + t.rng.IntN(9)}, {"fax", c.number}, {"note", t.sentence()}},
			partition: "EVENT#fax.received", kind: events.KindUnknown,
		})
	case 2:
		// Missed, whatever the event is called.
		t.byCallSID(c)
		t.callB(c, "call.abandoned", events.KindMissedCall, t.notAnswered())
	default:
		t.byCallSID(c)
		t.add(draft{
			form: events.FormatLegacy, typ: "missed_call", at: c.at,
			data: object{
				{"call_sid", c.sid},
				{"contact_number", c.who.number},
				{"justcall_number", c.line.number},
				{"call_date", c.at.Format(time.DateOnly)},
				{"call_time", unpadded(c.at)},
				{"call_info", object{{"direction", "Incoming"}, {"type", "missed"}}},
			},
			partition: table.CallPartition(c.sid), kind: events.KindUnknown,
		})
	}
}

// byCallSID gives the call a call_sid: of an event whose type nobody knows, a
// bare id does not say of what.
func (t *teller) byCallSID(c *call) {
	if c.sid == "" {
		c.sid = fmt.Sprintf("CA%032x", c.number)
	}
}
