package lookup

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// Entry is something that happened: a call, a text, a change of a contact, or a hand act.
type Entry struct {
	// Kind is what it is. Of a hand act it is "act".
	Kind events.Kind `json:"kind"`
	// ID is JustCall's of the call, text or contact; "" if there is none. Key is that of
	// the first event, for [Lookup.Event].
	ID  string    `json:"id,omitzero"`
	Key table.Key `json:"key,omitzero"`
	// At is when it happened; a call is dated by the first event that is known.
	At time.Time `json:"at"`
	// Type is the type of the latest event, Events how many there are.
	Type   string `json:"type,omitzero"`
	Events int    `json:"events,omitzero"`

	Direction events.Direction `json:"direction,omitzero"`
	Outcome   events.Outcome   `json:"outcome,omitzero"`
	Line      Line             `json:"line,omitzero"`
	Agent     string           `json:"agent,omitzero"`
	// Seconds is how long the call was; 0 if that is not known.
	Seconds int64 `json:"seconds,omitzero"`
	// Reason is why the call was missed.
	Reason string `json:"reason,omitzero"`
	// Text is that of a text message, or what somebody said with a hand act.
	Text      string    `json:"text,omitzero"`
	Voicemail Voicemail `json:"voicemail,omitzero"`
	// Recording is where to listen to the call.
	Recording string `json:"recording_url,omitzero"`
	// Name is the outside party's, as it came with the event.
	Name string `json:"name,omitzero"`
	// Act is claim, unclaim, done or snooze, By who did it, and Until when it ends.
	Act   string    `json:"act,omitzero"`
	By    string    `json:"by,omitzero"`
	Until time.Time `json:"until,omitzero"`

	// source names the call, text or contact.
	source string
}

// KindAct is the kind of an [Entry] that is a hand act.
const KindAct events.Kind = "act"

// sourceOf names what an event is about, so that the events of one call share it. A change
// of a contact is for itself.
func sourceOf(key table.Key) string {
	if strings.HasPrefix(key.PK, table.ContactSort) {
		return key.PK + " " + key.SK
	}
	return table.SourceOf(key)
}

// entry reads an event by its attributes, of which an index has those that lists show.
func (l *Lookup) entry(item table.Item) Entry {
	key := table.KeyOf(item)
	said := attributes{item}
	e := Entry{
		Kind: events.Kind(said.text(table.Kind)), Key: key, At: timeOf(item, table.OccurredAt), Events: 1,
		Type:      alert.OneLine(table.EventType(item), maxName),
		Direction: table.DirectionOf(item),
		Outcome:   events.Outcome(said.text(table.Outcome)),
		Agent:     alert.OneLine(said.text("agent_name"), maxName),
		Seconds:   cmp.Or(said.seconds("duration"), said.seconds("call_duration", "total_duration"), said.seconds("call_duration")),
		Reason:    alert.OneLine(said.text("call_info", "missed_call_reason"), maxName),
		Text:      alert.OneLine(cmp.Or(said.text("sms_info", "body"), said.text("body")), maxText),
		Recording: alert.Link(cmp.Or(said.text("recording_url"), said.text("call_info", "recording"))),
		Name: alert.OneLine(cmp.Or(said.text("contact_name"), said.text("name"),
			strings.TrimSpace(said.text("first_name")+" "+said.text("last_name"))), maxName),
		source: sourceOf(key),
	}
	line := said.text("justcall_number")
	if from, to := said.text("from"), said.text("to"); line == "" {
		if line = to; e.Direction == events.Outbound {
			line = from
		}
	}
	e.Line = l.line(line, said.text("justcall_line_name"))
	_, e.ID, _ = strings.Cut(key.PK, "#")
	if table.OfNoCall(key) {
		e.ID = ""
	}
	if e.Outcome == events.Voicemailed {
		e.Voicemail = voicemail(e.Seconds, cmp.Or(said.text("transcription"), said.text("call_info", "voicemail_transcription")), e.Recording)
		e.Seconds, e.Recording = 0, ""
	}
	return e
}

// with puts together two events of one call or text. later is not older.
func (e Entry) with(later Entry) Entry {
	e.Events += later.Events
	e.Type = later.Type
	if e.Kind != events.KindVoicemail && later.Kind.IsCall() {
		e.Kind = later.Kind
	}
	e.Direction = cmp.Or(e.Direction, later.Direction)
	e.Outcome = e.Outcome.Best(later.Outcome)
	e.Line = cmp.Or(e.Line, later.Line)
	e.Agent = cmp.Or(later.Agent, e.Agent)
	e.Seconds = max(e.Seconds, later.Seconds)
	e.Reason = cmp.Or(later.Reason, e.Reason)
	e.Text = cmp.Or(later.Text, e.Text)
	e.Voicemail = Voicemail{
		Seconds: cmp.Or(later.Voicemail.Seconds, e.Voicemail.Seconds),
		Words:   cmp.Or(later.Voicemail.Words, e.Voicemail.Words),
		URL:     cmp.Or(later.Voicemail.URL, e.Voicemail.URL),
	}
	e.Recording = cmp.Or(later.Recording, e.Recording)
	e.Name = cmp.Or(later.Name, e.Name)
	return e
}

// attributes reads what an item repeats of its payload. What has another type than
// documented is passed over.
type attributes struct{ item table.Item }

func (a attributes) value(path ...string) attr.Value {
	var v attr.Value = attr.Map(a.item)
	for _, name := range path {
		m, ok := v.(attr.Map)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

func (a attributes) text(path ...string) string {
	switch v := a.value(path...).(type) {
	case attr.String:
		return string(v)
	case attr.Number:
		return string(v)
	default:
		return ""
	}
}

func (a attributes) isTrue(name string) bool { return a.item[name] == attr.Value(attr.Bool(true)) }

func (a attributes) seconds(path ...string) int64 {
	n, err := strconv.ParseFloat(a.text(path...), 64)
	const longest = 7 * 24 * 60 * 60 // a longer call is a mistake
	if err != nil || n < 0 || n > longest {
		return 0
	}
	return int64(n)
}
