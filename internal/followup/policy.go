package followup

import (
	"fmt"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
)

// Policy is how calls are to be understood. Use [Default] and change it.
type Policy struct {
	// MinTalk is how long two people talk at least: what is shorter was probably a
	// mailbox, or cut off.
	MinTalk time.Duration
	// MinRing is how long a call of ours rings at least, to be an attempt.
	MinRing time.Duration
	// AttemptPause is how long nobody is reminded after an attempt. Meanwhile, who made
	// it has claimed the caller.
	AttemptPause time.Duration
	// MaxAttempts is after how many of them the caller counts as unreached, if the first
	// and the last are an hour apart.
	MaxAttempts int
	// CallbackPause is how long nobody is reminded because JustCall is to call back.
	CallbackPause time.Duration
	// ExpireAfter is after how long a caller is no longer called waiting.
	ExpireAfter time.Duration
	// Own are our own numbers and those of our people, in canonical form.
	Own map[string]bool
}

// IsOwn reports whether whoever called is one of us: their number is in the list, or the line
// called itself. Nobody has to call them back. Both numbers are in canonical form.
func (p Policy) IsOwn(number, line string, ended events.Outcome) bool {
	return p.Own[number] || CalledItself(number, line, ended)
}

// CalledItself reports whether a caller's number is that of the line that was called. Whoever
// leaves a voicemail is somebody, whatever number JustCall shows.
func CalledItself(number, line string, ended events.Outcome) bool {
	return number != "" && number == line && ended != events.Voicemailed
}

// Default returns what suits most.
func Default() Policy {
	return Policy{
		MinTalk:       20 * time.Second,
		MinRing:       10 * time.Second,
		AttemptPause:  30 * time.Minute,
		MaxAttempts:   3,
		CallbackPause: time.Hour,
		ExpireAfter:   7 * 24 * time.Hour,
	}
}

// Effect is what a call or a text means for who waits.
type Effect string

// The effects; "" is none.
const (
	// Opens: nobody served the caller.
	Opens Effect = "opens"
	// Contact: the two people talked.
	Contact Effect = "contact"
	// Attempt: we tried to reach the caller.
	Attempt Effect = "attempt"
)

// Call is a folded call.
type Call struct {
	// ID names the call: the partition of its events.
	ID string `json:"id"`
	// Events is of how many events the record is made.
	Events    int              `json:"n"`
	Effect    Effect           `json:"effect,omitzero"`
	Outcome   events.Outcome   `json:"outcome,omitzero"`
	Direction events.Direction `json:"dir,omitzero"`
	Start     time.Time        `json:"start"`
	End       time.Time        `json:"end"`
	// Line is our own number, LineName its name in JustCall.
	Line     string `json:"line,omitzero"`
	LineName string `json:"line_name,omitzero"`
	// Agent is who talked, or tried to.
	Agent    string          `json:"agent,omitzero"`
	Callback events.Callback `json:"callback,omitzero"`
	// Who is who called, if nobody served the call.
	Who Who `json:"who,omitzero"`
	// Words are the beginning of what the caller left on the voicemail, as sent, and
	// Recording is where to listen to it; "" if that is long.
	Words     string `json:"words,omitzero"`
	Recording string `json:"recording,omitzero"`
}

// Who is what a call says of the caller. Without a Phone, the number is the one that the
// facts are about.
type Who struct {
	// Phone is the number as received. To call back, it may take another form than the one
	// that all spellings share.
	Phone string `json:"phone,omitzero"`
	// Text is what was sent in place of a number. Withheld is set if that is hidden.
	Text     string `json:"text,omitzero"`
	Withheld bool   `json:"withheld,omitzero"`
	// Name is JustCall's name for the caller.
	Name string `json:"name,omitzero"`
}

const (
	maxWords     = 120 // letters
	maxRecording = 300 // bytes
)

// skew is how far JustCall's clock may be ahead of ours.
const skew = 5 * time.Minute

// Call returns the record of a call.
func (p Policy) Call(id string, f events.Folded) Call {
	c := Call{
		ID: id, Events: f.Events, Outcome: f.Outcome, Direction: f.Direction, Callback: f.Callback,
		Start: f.Start, End: f.End, Line: f.Line, LineName: f.LineName, Agent: agentOf(f),
	}
	// A call from the future would wait, or be a contact, for as long.
	if c.Start.IsZero() || c.Start.After(f.FirstArrival.Add(skew)) {
		c.Start = f.FirstArrival
	}
	if c.End.After(f.LastArrival.Add(skew)) {
		c.End = f.LastArrival
	}
	if c.End.Before(c.Start) {
		c.End = c.Start
	}
	c.Start, c.End = c.Start.UTC(), c.End.UTC()
	c.Effect = p.effect(f)
	if c.Effect == Opens {
		c.Who = Who{Phone: f.Phone, Text: f.CallerText, Withheld: f.Withheld, Name: f.ContactName}
		c.Words = beginning(f.Transcription, maxWords)
		if len(f.RecordingURL) <= maxRecording {
			c.Recording = strings.ToValidUTF8(f.RecordingURL, "")
		}
	}
	return c
}

// beginning returns the first letters of a text.
func beginning(text string, letters int) string {
	text = strings.ToValidUTF8(text, "\ufffd")
	for i := range text {
		if letters--; letters < 0 {
			return text[:i] + "…"
		}
	}
	return text
}

func (p Policy) effect(f events.Folded) Effect {
	talk, known := f.TalkTime.Get()
	if !known {
		talk, known = f.Duration.Get()
	}
	talked := known && time.Duration(talk)*time.Second >= p.MinTalk
	rang := time.Duration(f.RingTime.Value)*time.Second >= p.MinRing
	named := f.AnsweredAgent != events.Agent{}
	// An AI agent that talks, or takes a message, has not helped the caller yet.
	robot := f.VoiceAgent && !named
	switch {
	case f.Direction == events.Outbound:
		return outgoing(f, talked, rang, robot)
	case f.Callback == events.CallbackReached:
		return Contact
	case f.Outcome == events.Answered:
		if !robot && (talked || !known && named) {
			return Contact
		}
	case f.Outcome == events.Missed, f.Outcome == events.Voicemailed, f.Outcome == events.Abandoned:
		return Opens
	}
	return ""
}

// outgoing returns the effect of a call of ours. As long as nobody says how long it was,
// an answer may be that of a mailbox. A robot on our side only tries.
func outgoing(f events.Folded, talked, rang, robot bool) Effect {
	switch f.Outcome {
	case events.Answered:
		if !robot && f.AnsweredBy != events.ByMachine && (talked || f.AnsweredBy == events.ByHuman) {
			return Contact
		}
		return Attempt
	case events.Voicemailed:
		return Attempt
	case events.Missed, events.Abandoned:
		if rang {
			return Attempt
		}
	default:
	}
	return ""
}

func agentOf(f events.Folded) string {
	a := f.AnsweredAgent
	if a == (events.Agent{}) && len(f.Agents) > 0 {
		a = f.Agents[len(f.Agents)-1]
	}
	return nameOf(a.Name, a.ID)
}

func nameOf(name string, id events.Optional[int64]) string {
	if n, ok := id.Get(); ok && name == "" {
		return fmt.Sprintf("agent %d", n)
	}
	return name
}

// Text is a text message that we sent, or the time of one that we got.
type Text struct {
	ID     string           `json:"id"`
	Events int              `json:"n"`
	Effect Effect           `json:"effect,omitzero"`
	Sent   events.Direction `json:"dir,omitzero"`
	At     time.Time        `json:"at"`
	Agent  string           `json:"agent,omitzero"`
}

// Text returns the record of a text, from all of its events.
func (p Policy) Text(id string, parts ...events.Part) Text {
	t := Text{ID: id}
	var medium string
	var failed bool
	seen := make(map[string]bool, len(parts))
	for _, part := range parts {
		m, ok := part.Event.(*events.Message)
		if !ok || seen[part.Key] {
			continue
		}
		seen[part.Key] = true
		t.Events++
		at := part.At
		if latest := part.ReceivedAt.Add(skew); at.IsZero() || at.After(latest) {
			at = part.ReceivedAt
		}
		if t.At.IsZero() || at.Before(t.At) {
			t.At = at.UTC()
		}
		t.Sent = max(t.Sent, m.Direction) // what is said of both is ours
		medium = max(medium, m.Medium)
		t.Agent = max(t.Agent, nameOf(m.AgentName, m.AgentID))
		failed = failed || isFailure(m.Status) || isFailure(string(part.Type))
	}
	if t.Sent == events.Outbound && !failed && byPerson(medium, t.Agent) {
		t.Effect = Attempt // a text is no talk
	}
	return t
}

// byPerson reports whether a person wrote a text. Automatic texts must not look like
// somebody's care.
func byPerson(medium, agent string) bool {
	medium = strings.TrimSpace(strings.ReplaceAll(strings.ToLower(medium), "whatsapp", "")) // a channel, not an app
	if medium == "" {
		return agent != "" // format A does not tell
	}
	for _, machine := range []string{"api", "auto", "bot", "broadcast", "bulk", "campaign", "sequence", "workflow", "zap", "schedul"} {
		if strings.Contains(medium, machine) {
			return false
		}
	}
	return strings.Contains(medium, "app") || strings.Contains(medium, "one-to-one")
}

func isFailure(status string) bool {
	status = strings.ToLower(status)
	for _, word := range []string{
		"block", "bounce", "cancel", "error", "expire", "fail", "filter", "invalid", "landline", "not deliver", "not sent", "not_deliver", "not_sent",
		"opted", "reject", "spam", "undeliver", "unreach", "unsent", "unsubscribe", "violation",
	} {
		if strings.Contains(status, word) {
			return true
		}
	}
	return false
}
