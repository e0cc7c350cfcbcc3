package play

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

// step is one event of a story, and in how many percent of such stories it happens.
type step struct {
	typ     events.Type
	kind    events.Kind
	percent int
}

// of returns steps of one kind that all such stories have.
func of(kind events.Kind) func(types ...events.Type) []step {
	return func(types ...events.Type) (all []step) {
		for _, typ := range types {
			all = append(all, step{typ, kind, 100})
		}
		return all
	}
}

var (
	calls, missed, voicemails   = of(events.KindCall), of(events.KindMissedCall), of(events.KindVoicemail)
	messages, contacts, unknown = of(events.KindMessage), of(events.KindContact), of(events.KindUnknown)
)

func sometimes(percent int, steps []step) []step {
	for i := range steps {
		steps[i].percent = percent
	}
	return steps
}

// writer adds an event to the story, in one of the formats: the step with an index.
type writer func(t *teller, s *subject, i int, e step)

// story is what happens to one call or message.
type story struct {
	name  string
	share int // of a hundred stories
	write writer
	how   manner
	steps []step
}

// manner is how a call or message differs from one that comes in.
type manner int

const (
	incoming manner = iota
	answered
	outgoing
	withheld // the caller's number is
)

var (
	callA, callB, textA, textB    writer = (*teller).callA, (*teller).callB, (*teller).messageA, (*teller).messageB
	contact, appointment          writer = (*teller).contact, (*teller).appointment
	changedShape, nowhere, legacy writer = (*teller).changedShape, (*teller).nowhere, (*teller).legacy
)

// stories are what happens to an account. Together they have every registered type.
var stories = []story{
	{"answered call, format A", 10, callA, answered, calls(events.TypeCallAnswered, events.TypeCallCompleted)},
	{"answered call, format B", 7, callB, answered, slices.Concat(
		calls(events.TypeCallIncoming, events.TypeCallAnswered, events.TypeCallCompleted),
		sometimes(25, calls(events.TypeCallUpdated, events.TypeCallAIGenerated)))},
	{"outgoing call, format A", 4, callA, outgoing, calls(events.TypeCallCompleted)},
	{"outgoing call, format B", 3, callB, outgoing, calls(events.TypeCallInitiated, events.TypeCallCompleted)},
	{"missed call, format A", 8, callA, incoming, missed(events.TypeCallMissed)},
	{"missed call, format B", 6, callB, incoming, slices.Concat(sometimes(50, calls(events.TypeCallIncoming)), missed(events.TypeCallMissed))},
	{"missed call of a withheld number, format A", 2, callA, withheld, missed(events.TypeCallMissed)},
	{"missed call of a withheld number, format B", 2, callB, withheld, missed(events.TypeCallMissed)},
	// Format B reports one missed call in several events. It is one alert.
	{"missed call under several names", 9, callB, incoming, slices.Concat(
		missed(events.TypeCallMissed, events.TypeCallCompleted, events.TypeCallUpdated), sometimes(50, missed(events.TypeCallUpdated)))},
	{"voicemail, format A", 6, callA, incoming, slices.Concat(missed(events.TypeCallMissed), voicemails(events.TypeVoicemailReceived))},
	{"voicemail of a withheld number", 1, callA, withheld, voicemails(events.TypeVoicemailReceived)},
	{"voicemail, format B", 3, callB, incoming, slices.Concat(sometimes(50, missed(events.TypeCallMissed)),
		voicemails(events.TypeCallVoicemail), sometimes(40, voicemails(events.TypeCallCompleted)))},
	{"voicemail by its other name", 2, callB, incoming, slices.Concat(
		sometimes(50, missed(events.TypeCallMissed)), voicemails(events.TypeVoicemailReceived))},
	{"call that left the queue", 3, callB, incoming, slices.Concat(
		calls(events.TypeCallEntersQueue, events.TypeCallExitsQueue), missed(events.TypeCallMissed))},
	{"sales dialer", 3, callB, outgoing, calls(
		events.TypeSalesDialerCallCompleted, events.TypeSalesDialerCallUpdated, events.TypeSalesDialerCallAIGenerated)},
	{"voice agent", 2, callB, incoming, calls(events.TypeCallAIVoiceAgent)},
	{"text sent, format A", 4, textA, outgoing, messages(events.TypeSMSSent, events.TypeSMSDelivered)},
	{"text that failed", 1, textA, outgoing, messages(events.TypeSMSSent, events.TypeSMSFailed)},
	{"text sent, format B", 4, textB, outgoing, slices.Concat(
		messages(events.TypeSMSSent, events.TypeSMSStatusUpdated, events.TypeSMSStatusUpdated),
		sometimes(50, messages(events.TypeSMSSentReceived)))},
	{"text received, format A", 4, textA, incoming, slices.Concat(
		messages(events.TypeSMSReceived), sometimes(12, messages(events.TypeSMSOptOut, events.TypeSMSOptIn)))},
	{"text received, format B", 3, textB, incoming, slices.Concat(
		messages(events.TypeSMSReceived), sometimes(50, messages(events.TypeSMSSentReceived)))},
	{"WhatsApp received", 1, textB, incoming, messages(events.TypeWhatsAppMessageReceived)},
	{"WhatsApp sent", 2, textB, outgoing, messages(
		events.TypeWhatsAppMessageSent, events.TypeWhatsAppMessageStatusUpdated, events.TypeWhatsAppMessageStatusUpdated)},

	{"contact", 2, contact, incoming, slices.Concat(contacts(events.TypeContactCreated),
		sometimes(50, contacts(events.TypeContactUpdated, events.TypeContactUpdated, events.TypeContactUpdated)),
		sometimes(40, contacts(events.TypeContactDeleted, events.TypeContactRemoved)))},
	{"contact status", 1, contact, incoming, contacts(events.TypeContactStatusUpdated)},

	// What no document mentions, and what belongs to no call, message or contact.
	{"appointment", 1, appointment, incoming, unknown(events.TypeAppointmentScheduled)},
	{"missed call in a changed shape", 1, changedShape, incoming, missed(events.TypeCallMissed)},
	{"missed call of no known call", 1, nowhere, incoming, missed(events.TypeCallMissed)},
	{"missed call by an unknown name", 1, callB, incoming, missed("call.abandoned")},
	{"unknown type of a call", 1, callA, incoming, unknown("call.transferred")},
	{"unknown type", 1, nowhere, incoming, unknown("fax.received")},
	{"form of before 2023", 1, legacy, incoming, unknown("missed_call")},
}

// teller makes up stories. Everything in them is drawn from rng.
type teller struct {
	rng    *rand.Rand
	serial int // of the last call, message or contact; from firstID
	story  string
	told   []draft
}

// tell tells stories until there are n events.
func (t *teller) tell(n int) []draft {
	for len(t.told) < n {
		left, i := t.rng.IntN(100), 0
		for ; left >= stories[i].share; i++ {
			left -= stories[i].share
		}
		story := &stories[i]
		t.story = story.name
		about := t.subject(story.how)
		for i, e := range story.steps {
			if t.rng.IntN(100) < e.percent {
				story.write(t, about, i, e)
			}
		}
	}
	return t.told[:n]
}

// next returns a number that no other call, message or contact has.
func (t *teller) next() int {
	t.serial++
	return t.serial
}

// Each seed has its own ids, so that two storms on one table can be told apart. The numbers have 16 digits, which
// JSON's floats still represent exactly.
const (
	seedIDs   = 1 << 25 // how many ids a seed has
	seeds     = 1 << 27 // how many seeds have different ones
	lowestID  = 1 << 52
	strayIDs  = 1 << 24            // the stories need fewer: see MaxDeliveries
	idsMixing = 0x9E3779B97F4A7C15 // odd, so that every product is different
)

// firstID returns the number below the first id of a seed. Two seeds below 2^27 share no id; of all other pairs,
// one in 2^27 does.
func firstID(seed uint64) int {
	return lowestID + int((seed+random(seed/seeds, naming).Uint64())%seeds)*seedIDs
}

// person is somebody who calls, writes or is in the address book, or an agent of the account.
type person struct{ number, first, last, email string }

// name is the full name, as format B writes it.
func (p *person) name() string { return strings.TrimSpace(p.first + " " + p.last) }

// someone returns one of the people. A few of them call often.
func (t *teller) someone() person {
	n := min(t.rng.IntN(1600), t.rng.IntN(1600))
	number := fmt.Sprintf("1%s55501%02d", areaCodes[n%len(areaCodes)], n/len(areaCodes))
	return person{number, firstNames[n%len(firstNames)], lastNames[n%len(lastNames)], fmt.Sprintf("person%d@example.com", n)}
}

// subject is the call or message that a story is about.
type subject struct {
	id                string // names it in format B
	sid               string // of most calls, and then names them in format B
	callID, messageID string // name it in format A
	at                time.Time
	who, agent        person // no agent: nobody took it
	withheld          any    // what stands in place of a number that is withheld
	line              int    // of the account's numbers
	out               bool
	ring, talk        int // seconds
	text              string
}

// The stories begin on firstDay and go on for a week. No clock is read, so a seed makes the same bytes on every
// day.
var firstDay = time.Date(2026, time.March, 9, 0, 0, 0, 0, time.UTC)

func (t *teller) subject(how manner) *subject {
	n := t.next()
	spread := fmt.Sprintf("%016x", uint64(n)*idsMixing) //nolint:gosec // G115: n is positive
	s := &subject{
		id: strconv.Itoa(n), callID: "call_" + spread, messageID: "msg_" + spread,
		at:  firstDay.Add(time.Duration(t.rng.IntN(7*24*60*60)) * time.Second),
		who: t.someone(), line: t.rng.IntN(len(lineNames)), out: how == outgoing,
		ring: 4 + t.rng.IntN(50), talk: 10 + t.rng.IntN(600), text: t.sentence(),
	}
	if t.rng.IntN(100) == 0 { // so long that the body is kept compressed
		s.text = strings.Repeat(s.text+" ", 9<<10/len(s.text))
	}
	if t.rng.IntN(100) >= 15 {
		s.sid = fmt.Sprintf("CA%016x%016x", t.rng.Uint64(), t.rng.Uint64())
	}
	switch n := t.rng.IntN(12); how {
	case answered, outgoing:
		s.agent = person{strconv.Itoa(27150 + n), firstNames[n], lastNames[n+7], fmt.Sprintf("agent%d@example.org", n)}
	case withheld:
		s.who, s.withheld = person{}, pick[any](t.rng, "", "anonymous", "266696687", "+266696687", "Restricted", nil)
	case incoming:
	}
	return s
}

// withSID gives a call a call_sid if it has none.
func (s *subject) withSID() *subject {
	s.sid = cmp.Or(s.sid, "CA"+strings.Repeat("0", 16)+s.id)
	return s
}

// partition returns the PK of a call's events in format B.
func (s *subject) partition() string { return table.CallPartition(cmp.Or(s.sid, s.id)) }

func (s *subject) recording() string { return "https://recordings.example.com/" + s.id + ".mp3" }

func (s *subject) ours() string { return fmt.Sprintf("1415555019%d", s.line) }

func (s *subject) direction(in, out string) string {
	if s.out {
		return out
	}
	return in
}

// parties returns who called or wrote to whom, as format A writes it.
func (s *subject) parties() object {
	from, to := s.withheld, any("+"+s.ours())
	if s.who.number != "" {
		from = "+" + s.who.number
	}
	if s.out {
		from, to = to, from
	}
	return object{{"from", from}, {"to", to}}
}

// numeric writes an id that arrives as a number or as text.
func (t *teller) numeric(id string) any {
	n, _ := strconv.Atoi(id) // it is one
	return pick[any](t.rng, id, n, n)
}

// partiesB returns what format B says of the other party, the account's number and the agent. Where nobody took the
// call, one of two spellings says so.
func (t *teller) partiesB(s *subject) object {
	phone, nobody := s.withheld, pick[any](t.rng, "", nil)
	if s.who.number != "" {
		phone = pick[any](t.rng, s.who.number, "+"+s.who.number, number(s.who.number))
	}
	by := object{{"agent_id", nobody}, {"agent_name", nobody}, {"agent_email", nobody}}
	if s.agent.number != "" {
		by = object{{"agent_id", t.numeric(s.agent.number)}, {"agent_name", s.agent.name()}, {"agent_email", s.agent.email}}
	}
	return append(by, members(
		"contact_number", phone, "contact_name", s.who.name(), "contact_email", s.who.email, "id", t.numeric(s.id),
		"justcall_number", s.ours(), "justcall_line_name", lineNames[s.line],
	)...)
}

func (t *teller) add(form events.Format, e step, at time.Time, partition string, data object) {
	t.told = append(t.told, draft{Event{Story: t.story, Format: form, Type: e.typ, Kind: e.kind}, at, partition, data})
}

func (t *teller) callA(s *subject, i int, e step) {
	data := append(object{{"call_id", s.callID}, {"agent_id", nil}}, s.parties()...)
	if e.typ != events.TypeVoicemailReceived { // which says no direction
		data = append(data, member{"direction", s.direction("inbound", "outbound")})
	}
	if s.agent.number != "" {
		data[1].value = t.numeric(s.agent.number)
		data = append(data, member{"agent_name", s.agent.name()})
	}
	switch {
	case e.kind == events.KindMissedCall:
		data = append(data, object{{"ring_duration", s.ring}, {"status", "missed"}}...)
	case e.kind == events.KindVoicemail:
		data = append(data, object{{"duration", s.ring}, {"recording_url", s.recording()}, {"transcription", s.text}}...)
	case e.typ == events.TypeCallCompleted:
		data = append(data, members(
			"duration", s.talk, "status", pick(t.rng, "completed", "answered"), "recording_url", s.recording(),
			"notes", t.sentence(), "disposition", pick(t.rng, "", "Closed Won", "Call later"),
		)...)
	default:
		data = append(data, member{"status", "in-progress"})
	}
	t.add(events.FormatA, e, s.at.Add(time.Duration(i*s.ring)*time.Second), table.CallPartition(s.callID), data)
}

// callB adds an event of a call in format B. All of a call's events have the time at which it began.
func (t *teller) callB(s *subject, i int, e step) {
	data := t.partiesB(s)
	if strings.HasPrefix(string(e.typ), "sd.") { // the dialer has a call_sid only
		data = append(data[:len(data)-3], object{{"sales_dialer_number", "+" + s.ours()}, {"campaign", object{{"id", "3307"}}}}...)
	}
	if !e.typ.Registered() || strings.HasPrefix(string(e.typ), "sd.") {
		s.withSID() // without it, the id of such an event does not say what it is the id of
	}
	var outcome, reason, notes, recording, transcription string
	switch e.kind { // in any letter case
	case events.KindMissedCall:
		outcome = pick(t.rng, "Missed", "missed", "MISSED")
		reason = pick(t.rng, "After office hours", "Not picked by agent", "Abandoned in IVR", "Abandoned in queue", "")
	case events.KindVoicemail:
		outcome, recording, transcription = pick(t.rng, "Voicemail", "voicemail"), s.recording(), s.text
	default:
		if i > 0 && s.agent.number != "" { // somebody took it
			outcome, recording = "Answered", s.recording()
		}
	}
	if strings.HasSuffix(string(e.typ), "updated") {
		notes = fmt.Sprintf("%s (%d)", t.sentence(), t.next())
	}
	if strings.Contains(string(e.typ), "ai_") {
		data = append(data, member{"justcall_ai", object{{"call_score", pick[any](t.rng, 71, nil)}, {"call_summary", t.sentence()}}})
	}
	there := s.at.Add(-7 * time.Hour)
	t.add(events.FormatB, e, s.at, s.partition(), append(data, members(
		"call_sid", s.sid, "call_date", s.at.Format(time.DateOnly), "call_time", unpadded(s.at),
		"call_user_date", there.Format(time.DateOnly), "call_user_time", there.Format(time.TimeOnly),
		"cost_incurred", pick[any](t.rng, 0, number("0.013"), number("0.021")),
		"call_info", members(
			"direction", s.direction("Incoming", "Outgoing"), "type", outcome, "missed_call_reason", reason,
			"status", "Unarchived", "disposition", "", "notes", notes, "rating", "", "recording", recording,
			"voicemail_transcription", transcription, "call_traits", array{},
		),
		"call_duration", members("total_duration", s.ring+s.talk, "conversation_time", s.talk, "ring_time", s.ring),
	)...))
}

// unpadded writes a time of day as format B does, the hour sometimes with one digit.
func unpadded(at time.Time) string {
	return at.Format("15:04:05")[map[bool]int{true: 1}[at.Hour() < 10]:]
}

func (t *teller) messageA(s *subject, i int, e step) {
	at := s.at.Add(time.Duration(i) * time.Second)
	data := append(object{{"message_id", s.messageID}, {"direction", s.direction("inbound", "outbound")}}, s.parties()...)
	data = append(data, map[events.Type]object{
		events.TypeSMSDelivered: {{"status", "delivered"}, {"delivered_at", at.Format(time.RFC3339)}},
		events.TypeSMSFailed:    {{"status", "failed"}, {"media_urls", array{"https://media.example.com/plan.pdf"}}},
		events.TypeSMSOptIn:     {{"contact_name", s.who.name()}, {"body", "START"}},
		events.TypeSMSOptOut:    {{"contact_name", s.who.name()}, {"body", "STOP"}},
		events.TypeSMSReceived:  {{"body", s.text}, {"media_url", nil}},
		events.TypeSMSSent:      {{"body", s.text}, {"media_url", nil}},
	}[e.typ]...)
	t.add(events.FormatA, e, at, table.MessagePartition(s.messageID), data)
}

func (t *teller) messageB(s *subject, i int, e step) {
	t.add(events.FormatB, e, s.at, table.MessagePartition(s.id), append(t.partiesB(s), members(
		"sms_date", s.at.Format(time.DateOnly), "sms_time", unpadded(s.at),
		"direction", s.direction("Incoming", "Outgoing"), "cost_incurred", number("0.0079"),
		"sms_info", object{{"body", s.text}, {"is_mms", "No"}, {"mms", array{}}},
		"delivery_status", s.direction("received", []string{"queued", "sent", "delivered", "received"}[i]),
		"is_deleted", false,
	)...))
}

// contact adds a change in the address book, now and then two within one second.
func (t *teller) contact(s *subject, i int, e step) {
	place := table.ContactPartition(s.id)
	if e.typ == events.TypeContactStatusUpdated {
		t.add(events.FormatB, e, s.at, place, members(
			"id", t.numeric(s.id), "name", s.who.name(), "contact_number", s.who.number, "other_numbers", array{},
			"email", s.who.email, "extension", nil, "company", pick(t.rng, companies...),
			"status", object{{"blacklist", false}, {"dnd", true}, {"dnm", false}},
			"status_updated_at", s.at.Format(time.DateOnly),
		))
		return
	}
	t.add(events.FormatA, e, s.at.Add(time.Duration(i/2)*time.Second), place, members(
		"contact_id", t.numeric(s.id), "first_name", s.who.first, "last_name", s.who.last,
		"phone", "+"+s.who.number, "email", s.who.email,
		"company", fmt.Sprintf("%s %d", pick(t.rng, companies...), i), "source", "api",
	))
}

// appointment adds one without a time that we read: only its content tells it from another.
func (t *teller) appointment(s *subject, _ int, e step) {
	t.add(events.FormatB, e, s.at, "EVENT#"+string(e.typ), members(
		"id", s.id, "booked_via", "Calendar Link", "type", "Call", "notes", s.text, "customer_number", s.who.number,
		"customer_first_name", s.who.first, "customer_last_name", s.who.last, "customer_email", s.who.email,
	))
}

func (t *teller) changedShape(s *subject, _ int, e step) {
	t.add(events.FormatA, e, s.at, table.CallPartition(s.callID), append(s.parties(), members(
		"call_id", s.callID, "ring_duration", "thirty", "sentiment_v2", number("0.25"),
		"status", object{{"code", 3}, {"text", "missed"}},
		"legs", array{object{{"to", "+14155550190"}, {"result", "busy"}}},
	)...))
}

// nowhere adds an event of no known call. Each is an alert of its own, if it alerts.
func (t *teller) nowhere(s *subject, _ int, e step) {
	t.add(events.FormatA, e, s.at, "EVENT#"+string(e.typ), append(s.parties(), object{{"call_id", ""}, {"serial", number(s.id)}}...))
}

func (t *teller) legacy(s *subject, _ int, e step) {
	t.add(events.FormatLegacy, e, s.at, s.withSID().partition(), members(
		"call_sid", s.sid, "contact_number", s.who.number, "justcall_number", s.ours(),
		"call_date", s.at.Format(time.DateOnly), "call_time", unpadded(s.at),
		"call_info", object{{"direction", "Incoming"}, {"type", "missed"}},
	))
}

// The people, lines and words of the stories. None of them exists.
var (
	firstNames = []string{"Ada", "Bruno", "Chloé", "Dmitri", "Elif", "Gwen", "Hiro", "Ines", "Léa", "Mairéad", "Sören", "Tomás"}
	lastNames  = []string{
		"Abara", "Brandt", "Costa", "Delgado", "Eriksen", "Fontaine", "Greaves", "Haddad", "Ito", "Jansen", "Kaur",
		"Lindqvist", "Moreau", "Nakamura", "O'Sample", "Parry", "Quist", "Rossi", "Smith", "Tanaka", "Usman", "Vogel",
	}
	companies = []string{"Acme Corp", "Example & Sons", `"Fig" Leaf Ltd`, "Specimen / Partners", ""}
	sentences = []string{
		"Hi, this is about the order from last week.", "Please call me back about the contract.",
		"The boiler is leaking again, it is urgent.", "Could I move my appointment to Friday?",
		"Er sagte: \"morgen früh\", oder später.", "Line one\nline two\twith a tab",
		"Tom &amp; Rosa&#039;s reference is A\\/17", "Merci beaucoup 🙂 à demain", "ご連絡をお待ちしております。",
	}
	areaCodes = strings.Fields("202 206 212 213 303 305 312 404 415 503 512 602 617 702 713 808")
	lineNames = []string{"Main Line", "Support", "Sales", "Billing", "After Hours"}
)

func (t *teller) sentence() string { return pick(t.rng, sentences...) }
