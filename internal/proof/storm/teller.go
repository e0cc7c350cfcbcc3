package storm

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

// teller makes up stories. Everything in them is drawn from rng.
type teller struct {
	rng    *rand.Rand
	serial int // of the last call, message, contact and so on; from firstID
	story  string
	told   []draft
}

// firstDay is the day on which the stories begin. They go on for a week: no
// clock is read, so that a seed makes the same bytes on every day.
var firstDay = time.Date(2026, time.March, 9, 0, 0, 0, 0, time.UTC)

const week = 7 * 24 * time.Hour

// tell tells stories until there are n events.
func (t *teller) tell(n int) []draft {
	total := 0
	for _, s := range mix {
		total += s.share
	}
	for len(t.told) < n {
		left := t.rng.IntN(total)
		for _, s := range mix {
			if left -= s.share; left < 0 {
				t.story = s.name
				s.tell(t)
				break
			}
		}
	}
	return t.told[:n]
}

// chance is true in percent of a hundred cases.
func (t *teller) chance(percent int) bool { return t.rng.IntN(100) < percent }

// when returns a second of the week.
func (t *teller) when() time.Time {
	return firstDay.Add(time.Duration(t.rng.Int64N(int64(week))).Truncate(time.Second))
}

// next returns a number that no other call, message or contact has.
func (t *teller) next() int {
	t.serial++
	return t.serial
}

// Each seed has ids of its own, or two storms on one table could not be told
// apart. Their numbers have 16 digits, and JSON's floats still tell them apart.
const (
	seedIDs   = 1 << 25 // how many ids a seed has
	seeds     = 1 << 27 // how many seeds have different ones
	lowestID  = 1 << 52
	strayIDs  = 1 << 24            // the stories need fewer: see MaxDeliveries
	idsMixing = 0x9E3779B97F4A7C15 // odd, so that every product is different
)

// firstID returns the number below the first id of a seed. Two seeds below 2^27
// share no id; of all others two do once in as many cases.
func firstID(seed uint64) int {
	block := (seed + random(seed/seeds, naming).Uint64()) % seeds
	return lowestID + int(block)*seedIDs
}

// spread returns sixteen hex digits that no other number gives, and that are as
// far apart as the ids of format A.
func spread(n int) string {
	return fmt.Sprintf("%016x", uint64(n)*idsMixing) //nolint:gosec // G115: n is positive
}

// add adds an event to what is told.
func (t *teller) add(d draft) {
	d.story = t.story
	t.told = append(t.told, d)
}

// numericID writes the id of a number, which arrives either way.
func (t *teller) numericID(n int) any { return pick[any](t.rng, n, n, digits(n)) }

// call is one call. Both formats tell of it.
type call struct {
	// id is format A's call_id. In format B, sid is call_sid, "" where the
	// number alone names the call.
	id, sid string
	number  int
	at      time.Time
	who     person
	line    line
	agent   agent // zero: nobody took it
	out     bool
	// contact is how the outside number is written, in the format of the call.
	contact any
	ring    int
	length  int
}

func (t *teller) call() *call {
	n := t.next()
	c := &call{
		id:     "call_" + spread(n),
		number: n,
		at:     t.when(),
		who:    t.someone(),
		line:   t.line(),
		ring:   4 + t.rng.IntN(50),
		length: 10 + t.rng.IntN(600),
	}
	if !t.chance(15) {
		c.sid = fmt.Sprintf("CA%016x%016x", t.rng.Uint64(), t.rng.Uint64())
	}
	return c
}

func (c *call) taken(by agent) *call { c.agent = by; return c }

// withhold hides the caller's number, in one of the ways that occur.
func (t *teller) withhold(c *call) {
	c.who = person{}
	c.contact = pick[any](t.rng, "", "anonymous", "266696687", "+266696687", "Restricted", nil)
}

// partition returns the PK of the call's events in a format.
func (c *call) partition(f events.Format) string {
	switch {
	case f == events.FormatA:
		return table.CallPartition(c.id)
	case c.sid != "":
		return table.CallPartition(c.sid)
	default:
		return table.CallPartition(digits(c.number))
	}
}

// callA adds an event of format A, after seconds from the call's begin.
func (t *teller) callA(c *call, typ events.Type, kind events.Kind, after int, more ...member) {
	phone := c.contact
	if phone == nil && c.who.number != "" {
		phone = "+" + c.who.number
	}
	data := object{{"call_id", c.id}}
	if typ != events.TypeVoicemailReceived {
		data = append(data, member{"direction", map[bool]string{false: "inbound", true: "outbound"}[c.out]})
	}
	parties := []member{{"from", phone}, {"to", "+" + c.line.number}}
	if c.out {
		parties = []member{{"from", "+" + c.line.number}, {"to", phone}}
	}
	data = append(data, parties...)
	if c.agent.name != "" {
		data = append(data, member{"agent_id", t.numericID(c.agent.id)}, member{"agent_name", c.agent.name})
	} else {
		data = append(data, member{"agent_id", nil})
	}
	t.add(draft{
		form:      events.FormatA,
		typ:       typ,
		at:        c.at.Add(time.Duration(after) * time.Second),
		data:      append(data, more...),
		partition: c.partition(events.FormatA),
		kind:      kind,
	})
}

// info is what differs in format B's events of one call.
type info struct {
	outcome       string // call_info.type
	reason        string
	notes         string
	disposition   string
	recording     string
	transcription string
	tags          array
	ai            object
	more          []member
}

// callB adds an event of format B. All its events say when the call began.
func (t *teller) callB(c *call, typ events.Type, kind events.Kind, in info) {
	data := object{}
	if !strings.HasPrefix(string(typ), "sd.") {
		data = append(data, member{"id", t.numericID(c.number)})
	}
	phone := c.contact
	if phone == nil && c.who.number != "" {
		phone = pick[any](t.rng, c.who.number, c.who.number, "+"+c.who.number, number(c.who.number))
	}
	data = append(data,
		member{"call_sid", c.sid},
		member{"contact_number", phone},
		member{"contact_name", strings.TrimSpace(c.who.name())},
		member{"contact_email", c.who.email},
	)
	if strings.HasPrefix(string(typ), "sd.") {
		data = append(data, member{"contact_id", 550000 + c.number}, member{"sales_dialer_number", "+" + c.line.number},
			member{"campaign", object{{"id", "3307"}, {"name", "Renewals March"}, {"type", "Autodial"}}})
	} else {
		data = append(data, member{"justcall_number", c.line.number}, member{"justcall_line_name", c.line.name})
	}
	data = append(data, t.agentB(c.agent)...)
	total := c.ring
	if c.agent.name != "" {
		total += c.length
	}
	data = append(data,
		member{"call_date", c.at.Format(time.DateOnly)},
		member{"call_time", unpadded(c.at)},
		member{"call_user_date", c.at.Add(-7 * time.Hour).Format(time.DateOnly)},
		member{"call_user_time", c.at.Add(-7 * time.Hour).Format(time.TimeOnly)},
		member{"cost_incurred", pick[any](t.rng, 0, number("0.013"), number("0.021"))},
		member{"call_info", object{
			{"direction", map[bool]string{false: "Incoming", true: "Outgoing"}[c.out]},
			{"type", in.outcome},
			{"missed_call_reason", in.reason},
			{"status", "Unarchived"},
			{"disposition", in.disposition},
			{"notes", in.notes},
			{"rating", ""},
			{"recording", in.recording},
			{"voicemail_transcription", in.transcription},
			{"call_traits", array{}},
		}},
		member{"call_duration", object{
			{"total_duration", total}, {"conversation_time", max(0, total-c.ring)}, {"ring_time", c.ring}, {"hold_time", 0},
		}},
		member{"ivr_info", object{{"digit_pressed", ""}, {"content", ""}}},
	)
	if in.ai != nil {
		data = append(data, member{"justcall_ai", in.ai})
	}
	if in.tags != nil {
		data = append(data, member{"tags", in.tags})
	}
	t.add(draft{
		form:      events.FormatB,
		typ:       typ,
		at:        c.at,
		data:      append(data, in.more...),
		partition: c.partition(events.FormatB),
		kind:      kind,
	})
}

// agentB writes who took it; nobody is written in two ways.
func (t *teller) agentB(a agent) []member {
	if a.name != "" {
		return []member{{"agent_id", t.numericID(a.id)}, {"agent_name", a.name}, {"agent_email", a.email}}
	}
	nobody := pick[any](t.rng, "", nil)
	return []member{{"agent_id", nobody}, {"agent_name", nobody}, {"agent_email", nobody}}
}

// unpadded writes a time of day as format B does, the hour now and then with
// one digit.
func unpadded(at time.Time) string {
	return fmt.Sprintf("%d:%02d:%02d", at.Hour(), at.Minute(), at.Second())
}

// message is one text.
type message struct {
	id     string // format A's message_id
	number int    // format B's id
	at     time.Time
	who    person
	line   line
	agent  agent
	out    bool
	text   string
}

func (t *teller) message(out bool) *message {
	n := t.next()
	m := &message{
		id:     "msg_" + spread(n),
		number: n,
		at:     t.when(),
		who:    t.someone(),
		line:   t.line(),
		out:    out,
		text:   t.sentence(),
	}
	if out {
		m.agent = t.agent()
	}
	return m
}

// messageA adds an event of format A, after seconds from the message.
func (t *teller) messageA(m *message, typ events.Type, after int, more ...member) {
	from, to := "+"+m.who.number, "+"+m.line.number
	direction := "inbound"
	if m.out {
		from, to, direction = to, from, "outbound"
	}
	t.add(draft{
		form:      events.FormatA,
		typ:       typ,
		at:        m.at.Add(time.Duration(after) * time.Second),
		data:      append(object{{"message_id", m.id}, {"direction", direction}, {"from", from}, {"to", to}}, more...),
		partition: table.MessagePartition(m.id),
		kind:      events.KindMessage,
	})
}

// messageB adds an event of format B.
func (t *teller) messageB(m *message, typ events.Type, status string) {
	data := object{
		{"id", t.numericID(m.number)},
		{"contact_number", m.who.number},
		{"contact_name", m.who.name()},
		{"contact_email", m.who.email},
		{"justcall_number", m.line.number},
		{"justcall_line_name", m.line.name},
	}
	data = append(data, t.agentB(m.agent)...)
	medium := "App"
	if strings.HasPrefix(string(typ), "whatsapp.") {
		medium = "WhatsApp"
	}
	t.add(draft{
		form: events.FormatB,
		typ:  typ,
		at:   m.at,
		data: append(data, object{
			{"sms_date", m.at.Format(time.DateOnly)},
			{"sms_time", unpadded(m.at)},
			{"direction", map[bool]string{false: "Incoming", true: "Outgoing"}[m.out]},
			{"cost_incurred", number("0.0079")},
			{"sms_info", object{{"body", m.text}, {"is_mms", "No"}, {"mms", array{}}}},
			{"delivery_status", status},
			{"is_deleted", false},
			{"medium", medium},
		}...),
		partition: table.MessagePartition(digits(m.number)),
		kind:      events.KindMessage,
	})
}
