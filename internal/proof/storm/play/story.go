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
	outcome events.Outcome // "" for what the kind says
}

// of returns steps of one kind that all such stories have.
func of(kind events.Kind) func(types ...events.Type) []step {
	return func(types ...events.Type) (all []step) {
		for _, typ := range types {
			all = append(all, step{typ, kind, 100, outcomes[kind]})
		}
		return all
	}
}

var (
	calls, missed, voicemails   = of(events.KindCall), of(events.KindMissedCall), of(events.KindVoicemail)
	messages, contacts, unknown = of(events.KindMessage), of(events.KindContact), of(events.KindUnknown)
)

var outcomes = map[events.Kind]events.Outcome{events.KindMissedCall: events.Missed, events.KindVoicemail: events.Voicemailed}

func ends(outcome events.Outcome, steps []step) []step {
	for i := range steps {
		steps[i].outcome = outcome
	}
	return steps
}

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
	untold   // no number can be told of what is sent in its place
	rung     // several agents' phones, one after the other or at the same time
)

var (
	callA, callB, textA, textB    writer = (*teller).callA, (*teller).callB, (*teller).messageA, (*teller).messageB
	leg, twoIDs                   writer = (*teller).leg, (*teller).twoIDs
	contact, appointment          writer = (*teller).contact, (*teller).appointment
	changedShape, nowhere, legacy writer = (*teller).changedShape, (*teller).nowhere, (*teller).legacy
)

// stories are what happens to an account. Together they have every registered type.
var stories = []story{
	{"answered call, format A", 6, callA, answered, calls(events.TypeCallAnswered, events.TypeCallCompleted)},
	{"answered call, format B", 5, callB, answered, slices.Concat(
		calls(events.TypeCallIncoming, events.TypeCallAnswered, events.TypeCallCompleted),
		sometimes(25, calls(events.TypeCallUpdated, events.TypeCallAIGenerated)))},
	{"outgoing call, format A", 2, callA, outgoing, calls(events.TypeCallCompleted)},
	{"outgoing call, format B", 2, callB, outgoing, calls(events.TypeCallInitiated, events.TypeCallCompleted)},
	{"missed call, format A", 6, callA, incoming, missed(events.TypeCallMissed)},
	{"missed call, format B", 4, callB, incoming, slices.Concat(sometimes(50, calls(events.TypeCallIncoming)), missed(events.TypeCallMissed))},
	{"missed call of a withheld number, format A", 1, callA, withheld, missed(events.TypeCallMissed)},
	{"missed call of a withheld number, format B", 1, callB, withheld, missed(events.TypeCallMissed)},
	// Format B reports one missed call in several events. It is one alert.
	{"missed call under several names", 6, callB, incoming, slices.Concat(
		missed(events.TypeCallMissed, events.TypeCallCompleted, events.TypeCallUpdated), sometimes(50, missed(events.TypeCallUpdated)))},
	{"voicemail, format A", 5, callA, incoming, slices.Concat(missed(events.TypeCallMissed), voicemails(events.TypeVoicemailReceived))},
	{"voicemail of a withheld number", 1, callA, withheld, voicemails(events.TypeVoicemailReceived)},
	{"voicemail, format B", 3, callB, incoming, slices.Concat(sometimes(50, missed(events.TypeCallMissed)),
		voicemails(events.TypeCallVoicemail), sometimes(40, voicemails(events.TypeCallCompleted)))},
	{"voicemail by its other name", 2, callB, incoming, slices.Concat(
		sometimes(50, missed(events.TypeCallMissed)), voicemails(events.TypeVoicemailReceived))},
	{"call that left the queue", 2, callB, incoming, slices.Concat(
		calls(events.TypeCallEntersQueue, events.TypeCallExitsQueue), missed(events.TypeCallMissed))},
	{"caller who gave up in a queue", 3, callB, incoming, slices.Concat(
		calls(events.TypeCallIncoming, events.TypeCallEntersQueue, events.TypeCallExitsQueue),
		ends(events.Abandoned, missed(events.TypeCallCompleted)))},
	{"abandoned call, format A", 1, callA, incoming, ends(events.Abandoned, missed(events.TypeCallCompleted))},
	{"abandoned call, format B", 2, callB, incoming, ends(events.Abandoned, missed(events.TypeCallCompleted))},
	{"missed call of a caller without a number, format A", 1, callA, untold, missed(events.TypeCallMissed)},
	{"missed call of a caller without a number, format B", 1, callB, untold, missed(events.TypeCallMissed)},

	// One ring, with several phones.
	{"ring group", 3, leg, rung, slices.Concat(missed(events.TypeCallMissed, events.TypeCallMissed),
		sometimes(50, missed(events.TypeCallMissed)), sometimes(20, voicemails(events.TypeCallVoicemail)))},
	{"ring group, one answers", 2, leg, rung, slices.Concat(
		missed(events.TypeCallMissed, events.TypeCallMissed), ends(events.Answered, calls(events.TypeCallCompleted)))},
	{"answered by one after others, format A", 3, callA, rung, slices.Concat(
		missed(events.TypeCallMissed, events.TypeCallMissed), ends(events.Answered, calls(events.TypeCallAnswered)))},
	{"answered by one after others, format B", 3, callB, rung, slices.Concat(
		missed(events.TypeCallMissed), sometimes(50, missed(events.TypeCallMissed)), ends(events.Answered, calls(events.TypeCallCompleted)))},
	{"call by two ids", 2, twoIDs, rung, missed(events.TypeCallMissed, events.TypeCallCompleted)},
	{"call by two ids, answered", 1, twoIDs, rung, slices.Concat(
		missed(events.TypeCallMissed), ends(events.Answered, calls(events.TypeCallCompleted)))},

	// Calls that nobody is to be alerted of.
	{"outgoing call that nobody took, format A", 1, callA, outgoing, ends(events.Missed, calls(events.TypeCallMissed))},
	{"outgoing call that nobody took, format B", 1, callB, outgoing, ends(events.Missed, calls(events.TypeCallCompleted))},
	{"voicemail that we left", 1, callB, outgoing, ends(events.Voicemailed, calls(events.TypeCallCompleted))},
	{"call whose end nobody knows", 2, callB, incoming, ends(events.OutcomeUnknown, calls(events.TypeCallCompleted))},
	{"sales dialer", 2, callB, outgoing, calls(
		events.TypeSalesDialerCallCompleted, events.TypeSalesDialerCallUpdated, events.TypeSalesDialerCallAIGenerated)},
	{"voice agent", 1, callB, incoming, calls(events.TypeCallAIVoiceAgent)},
	{"text sent, format A", 3, textA, outgoing, messages(events.TypeSMSSent, events.TypeSMSDelivered)},
	{"text that failed", 1, textA, outgoing, messages(events.TypeSMSSent, events.TypeSMSFailed)},
	{"text sent, format B", 3, textB, outgoing, slices.Concat(
		messages(events.TypeSMSSent, events.TypeSMSStatusUpdated, events.TypeSMSStatusUpdated),
		sometimes(50, messages(events.TypeSMSSentReceived)))},
	{"text received, format A", 3, textA, incoming, slices.Concat(
		messages(events.TypeSMSReceived), sometimes(12, messages(events.TypeSMSOptOut, events.TypeSMSOptIn)))},
	{"text received, format B", 2, textB, incoming, slices.Concat(
		messages(events.TypeSMSReceived), sometimes(50, messages(events.TypeSMSSentReceived)))},
	{"WhatsApp received", 1, textB, incoming, messages(events.TypeWhatsAppMessageReceived)},
	{"WhatsApp sent", 1, textB, outgoing, messages(
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
	{"form of before 2023", 1, legacy, incoming, missed("missed_call")},
}

// teller makes up stories. Everything in them is drawn from rng.
type teller struct {
	rng    *rand.Rand
	serial int // of the last call, message or contact; from firstID
	story  string
	about  *subject
	told   []draft
	rings  set[string] // their callers, lines and seconds: two of one are one ring
	plain  bool        // nothing is odd
	town   int         // which of ten sets of people; who talks in one storm is not to be called back in another
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
		t.about = t.subject(story.how)
		for i, e := range story.steps {
			if t.rng.IntN(100) < e.percent {
				story.write(t, t.about, i, e)
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

// Callers returns how the numbers of some of a seed's people begin, without the code of their
// country.
func Callers(seed uint64) string { return areaCodes[townOf(seed)*16] + "55501" }

func townOf(seed uint64) int { return int(seed % 10) }

// someone returns one of the people. A few of them call often.
func (t *teller) someone() person {
	n := min(t.rng.IntN(1600), t.rng.IntN(1600))
	number := fmt.Sprintf("1%s55501%02d", areaCodes[t.town*16+n%16], n/16)
	if n%16 == 15 {
		number = fmt.Sprintf("%s%d%02d", london, t.town, n/16)
	}
	return person{number, firstNames[n%len(firstNames)], lastNames[n%len(lastNames)], fmt.Sprintf("person%d@example.com", n)}
}

// subject is the call or message that a story is about.
type subject struct {
	ring              int    // a number of its own
	id                string // names it in format B
	sid               string // of most calls, and then names them in format B
	callID, messageID string // name it in format A
	at                time.Time
	who, agent        person // no agent: nobody took it
	caller            Caller // as an alert must say
	withheld          any    // what stands in place of a number
	rung              bool   // each event is of another agent
	line              int    // of the account's numbers
	out               bool
	ringing, talk     int // seconds
	text              string
}

// The stories begin on firstDay and go on for a week. No clock is read, so a seed makes the same bytes on every
// day.
var firstDay = time.Date(2026, time.March, 9, 0, 0, 0, 0, time.UTC)

func (t *teller) subject(how manner) *subject {
	n := t.next()
	spread := fmt.Sprintf("%016x", uint64(n)*idsMixing) //nolint:gosec // G115: n is positive
	s := &subject{
		ring: n, id: strconv.Itoa(n), callID: "call_" + spread, messageID: "msg_" + spread,
		at:  firstDay.Add(time.Duration(t.rng.IntN(7*24*60*60)) * time.Second),
		who: t.someone(), line: t.rng.IntN(len(lineNames)), out: how == outgoing,
		ringing: 4 + t.rng.IntN(50), talk: 10 + t.rng.IntN(600), text: t.sentence(),
	}
	if t.rng.IntN(100) == 0 { // so long that the body is kept compressed
		s.text = strings.Repeat(s.text+" ", 9<<10/len(s.text))
	}
	if t.rng.IntN(100) >= 15 {
		s.sid = fmt.Sprintf("CA%016x%016x", t.rng.Uint64(), t.rng.Uint64())
	}
	switch agent := t.agent(); how {
	case answered, outgoing:
		s.agent = agent
	case withheld:
		s.who, s.withheld = person{}, pick[any](t.rng, "", "anonymous", "266696687", "+266696687", "Restricted", "Private Number", "-1", nil)
	case untold:
		s.caller.Text = pick(t.rng, "12", "41555501234155550", "JustCall", "sip:reception@pbx.example.com")
		s.who, s.withheld = person{}, s.caller.Text
	case rung:
		s.rung = true
	case incoming:
	}
	if s.who.number != "" {
		s.caller.Number = "+" + s.who.number
		t.alone(s)
	}
	return s
}

// alone moves a call to a second in which nobody else calls the same line from the same number.
func (t *teller) alone(s *subject) {
	for ring := ""; ring == "" || t.rings[ring]; {
		s.at = s.at.Add(time.Second)
		ring = fmt.Sprint(s.who.number, s.line, s.at)
		if !t.rings[ring] {
			t.rings[ring] = true
			return
		}
	}
}

func (t *teller) agent() person {
	n := t.rng.IntN(12)
	return person{strconv.Itoa(27150 + n), firstNames[n], lastNames[n+7], fmt.Sprintf("agent%d@example.org", n)}
}

// withSID gives a call a call_sid if it has none.
func (s *subject) withSID() *subject {
	s.sid = cmp.Or(s.sid, "CA"+strings.Repeat("0", 16)+s.id)
	return s
}

// partition returns the PK of a call's events in format B.
func (s *subject) partition() string { return table.CallPartition(cmp.Or(s.sid, s.id)) }

func (s *subject) recording() string { return "https://recordings.example.com/" + s.id + ".mp3" }

// ours is the number of the line. No caller has one with that area code.
func (s *subject) ours() string { return fmt.Sprintf("1628555019%d", s.line) }

func (s *subject) direction(in, out string) string {
	if s.out {
		return out
	}
	return in
}

// parties returns who called or wrote to whom, as format A writes it.
func (t *teller) parties(s *subject) object {
	from, to := s.withheld, any("+"+s.ours())
	if s.who.number != "" {
		from = t.dialled(s.who.number)
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
		phone = pick[any](t.rng, s.who.number, t.dialled(s.who.number), raw(s.who.number))
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
	d := draft{
		Event: Event{
			Story: t.story, Format: form, Type: e.typ, Kind: e.kind,
			Ring: t.about.ring, Answered: e.outcome == events.Answered, Caller: t.about.caller,
			Began: at, Ended: at, Talk: e.outcome == events.Answered, Talked: -1, Out: t.about.out,
		},
		at: at, partition: partition, data: data,
	}
	switch isCall := e.kind == events.KindCall || e.kind.Alerts(); {
	case !isCall:
		d.Talk = false
	case form == events.FormatA && e.outcome == "" && t.about.agent.number != "":
		d.Talk = true // it is in progress, or completed
		if e.typ == events.TypeCallCompleted {
			d.Talked = t.about.talk
		}
	case form == events.FormatB:
		d.Talked, d.Ended = t.about.talk, at.Add(time.Duration(t.about.ringing+t.about.talk)*time.Second)
	}
	t.makeOdd(&d)
	t.told = append(t.told, d)
}

// words are what JustCall writes for the ends of calls, in any letter case.
var words = map[events.Outcome][]string{
	events.Answered:       {"Answered", "answered", "ANSWERED"},
	events.Voicemailed:    {"Voicemail", "voicemail", "VOICEMAIL", "Voice mail", "voice_mail"},
	events.Missed:         {"Missed", "missed", "MISSED", "Missed Call", "Unanswered", "Declined", "no-answer", "No Answer", "Busy"},
	events.Abandoned:      {"Abandoned before ringing", "abandoned", "ABANDONED", "Abandoned", "abandoned_in_queue", "Gave up", "Cancelled", "canceled"},
	events.OutcomeUnknown: {"", "Zephyred"},
}

func (t *teller) callA(s *subject, i int, e step) {
	if s.rung {
		s.agent = t.agent()
	}
	data := append(object{{"call_id", s.callID}, {"agent_id", nil}}, t.parties(s)...)
	if e.typ != events.TypeVoicemailReceived { // which says no direction
		data = append(data, member{"direction", s.direction("inbound", "outbound")})
	}
	if s.agent.number != "" {
		data[1].value = t.numeric(s.agent.number)
		data = append(data, member{"agent_name", s.agent.name()})
	}
	switch {
	case e.outcome == events.Missed || e.outcome == events.Abandoned:
		data = append(data, object{{"ring_duration", s.ringing}, {"status", pick(t.rng, words[e.outcome]...)}}...)
	case e.kind == events.KindVoicemail:
		data = append(data, object{{"duration", s.ringing}, {"recording_url", s.recording()}, {"transcription", s.text}}...)
	case e.typ == events.TypeCallCompleted:
		data = append(data, members(
			"duration", s.talk, "status", pick(t.rng, "completed", "answered"), "recording_url", s.recording(),
			"notes", t.sentence(), "disposition", pick(t.rng, "", "Closed Won", "Call later"),
		)...)
	default:
		data = append(data, member{"status", "in-progress"})
	}
	t.add(events.FormatA, e, s.at.Add(time.Duration(i*s.ringing)*time.Second), table.CallPartition(s.callID), data)
}

// callB adds an event of a call in format B. All of a call's events have the time at which it began.
func (t *teller) callB(s *subject, i int, e step) {
	if s.rung {
		s.agent = t.agent()
	}
	data := t.partiesB(s)
	if strings.HasPrefix(string(e.typ), "sd.") { // the dialer has a call_sid only
		data = append(data[:len(data)-3], object{{"sales_dialer_number", "+" + s.ours()}, {"campaign", object{{"id", "3307"}}}}...)
	}
	if !e.typ.Registered() || strings.HasPrefix(string(e.typ), "sd.") {
		s.withSID() // without it, the id of such an event does not say what it is the id of
	}
	var outcome, reason, notes, recording, transcription string
	if e.outcome == "" && i > 0 && s.agent.number != "" { // somebody took it
		e.outcome = events.Answered
	}
	if e.outcome != "" {
		outcome = pick(t.rng, words[e.outcome]...)
	}
	switch e.outcome {
	case events.Missed:
		reason = pick(t.rng, "After office hours", "Not picked by agent", "Abandoned in IVR", "Abandoned in queue", "")
		if reason != "" && t.rng.IntN(10) == 0 {
			outcome = "" // the reason says it
		}
	case events.Voicemailed:
		recording, transcription = s.recording(), s.text
	case events.Answered:
		recording = s.recording()
	case events.Abandoned, events.OutcomeUnknown:
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
		"cost_incurred", pick[any](t.rng, 0, raw("0.013"), raw("0.021")),
		"call_info", members(
			"direction", s.direction("Incoming", "Outgoing"), "type", outcome, "missed_call_reason", reason,
			"status", "Unarchived", "disposition", "", "notes", notes, "rating", "", "recording", recording,
			"voicemail_transcription", transcription, "call_traits", array{},
		),
		"call_duration", members("total_duration", s.ringing+s.talk, "conversation_time", s.talk, "ring_time", s.ringing),
	)...))
}

// leg adds an event of one phone of a ring group, as a call of its own.
func (t *teller) leg(s *subject, i int, e step) {
	leg := *s
	leg.id, leg.sid = strconv.Itoa(t.next()), ""
	t.callB(leg.withSID(), i, e)
}

// twoIDs adds an event of a call that is known by its id first, and by its call_sid from then on.
func (t *teller) twoIDs(s *subject, i int, e step) {
	known := *s
	if known.sid = ""; i > 0 {
		known.withSID()
	}
	t.callB(&known, i, e)
}

// unpadded writes a time of day as format B does, the hour sometimes with one digit.
func unpadded(at time.Time) string {
	return at.Format("15:04:05")[map[bool]int{true: 1}[at.Hour() < 10]:]
}

func (t *teller) messageA(s *subject, i int, e step) {
	at := s.at.Add(time.Duration(i) * time.Second)
	data := append(object{{"message_id", s.messageID}, {"direction", s.direction("inbound", "outbound")}}, t.parties(s)...)
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
		"direction", s.direction("Incoming", "Outgoing"), "cost_incurred", raw("0.0079"),
		"sms_info", object{{"body", s.text}, {"is_mms", "No"}, {"mms", array{}}},
		"delivery_status", s.direction("received", []string{"queued", "sent", "delivered", "received"}[i]),
		"is_deleted", false, "medium", s.direction("", mediums[s.line%len(mediums)]),
	)...))
}

// mediums say who writes: a person, or a program.
var mediums = []string{"One-To-One via App", "One-To-One via API", "Bulk SMS"}

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
	t.add(events.FormatA, e, s.at, table.CallPartition(s.callID), append(t.parties(s), members(
		"call_id", s.callID, "ring_duration", "thirty", "sentiment_v2", raw("0.25"),
		"status", object{{"code", 3}, {"text", "missed"}},
		"legs", array{object{{"to", "+14155550190"}, {"result", "busy"}}},
	)...))
}

// nowhere adds an event of no known call. Each is an alert of its own, if it alerts.
func (t *teller) nowhere(s *subject, _ int, e step) {
	t.add(events.FormatA, e, s.at, "EVENT#"+string(e.typ), append(t.parties(s), object{{"call_id", ""}, {"serial", raw(s.id)}}...))
}

func (t *teller) legacy(s *subject, _ int, e step) {
	t.add(events.FormatLegacy, e, s.at, s.withSID().partition(), members(
		"call_sid", s.sid, "contact_number", s.who.number, "justcall_number", s.ours(),
		"call_date", s.at.Format(time.DateOnly), "call_time", unpadded(s.at),
		"call_info", object{{"direction", "Incoming"}, {"type", "missed"}},
	))
}

const london = "442079460" // and three digits: numbers for fiction as well

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
	areaCodes = strings.Fields(`
		202 206 212 213 303 305 312 404 415 503 512 602 617 702 713 808 201 203 205 207 208 209 210 214 215 216 217 218 219 224 225 228
		229 231 234 239 240 248 251 252 253 254 256 260 262 267 269 270 276 281 301 302 304 307 308 309 310 313 314 315 316 317 318 319
		320 321 323 325 330 331 334 336 337 339 347 351 352 360 361 386 401 402 405 406 407 408 409 410 412 413 414 417 419 423 424 425
		430 432 434 435 440 443 469 478 479 480 484 501 502 504 505 507 508 509 513 515 516 517 518 520 530 540 541 551 559 561 562 563
		567 570 571 573 574 580 585 586 601 603 605 606 607 608 609 610 612 614 615 616 618 619 620 623 626 630 631 636 641 646 650 651`)
	lineNames = []string{"Main Line", "Support", "Sales", "Billing", "After Hours"}
)

func (t *teller) sentence() string { return pick(t.rng, sentences...) }
