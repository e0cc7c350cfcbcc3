package alert

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

// documentVersion is the version of the JSON document. It changes when a member is
// removed or changes its meaning, not when one is added. docs/alerts.md and
// docs/alert.schema.json describe the document.
const documentVersion = 1

// Limits of the texts for people, in characters. SNS accepts subjects of less than
// 100 characters, and sends 140 ASCII characters as one text message. With other
// letters it can become two or three.
// See https://docs.aws.amazon.com/sns/latest/api/API_Publish.html.
const (
	MaxSubject = 99
	MaxSMS     = 140
)

// Message is an alert in the forms that people and programs receive.
type Message struct {
	ID   string
	Kind events.Kind
	// Call identifies the call. Alerts of one call must stay in order.
	Call string
	// Subject and Email are for people. SMS is one line of at most [MaxSMS]
	// characters.
	Subject, Email, SMS string
	// Document is the JSON document, for programs.
	Document []byte
	// Attributes are for filter policies: kind, line, agent_id and caller, where
	// known.
	Attributes map[string]string

	// redact renders the message without names and texts, which a caller can
	// choose, for a topic that refuses the whole message. It is nil in a redacted
	// message.
	redact func() Message
}

// document is docs/alert.schema.json.
type document struct {
	Version     int         `json:"version"`
	ID          string      `json:"id"`
	Kind        events.Kind `json:"kind"`
	OccurredAt  string      `json:"occurred_at,omitzero"`
	ReceivedAt  string      `json:"received_at,omitzero"`
	CallID      string      `json:"call_id,omitzero"`
	Line        party       `json:"line,omitzero"`
	Caller      party       `json:"caller,omitzero"`
	Agent       agent       `json:"agent,omitzero"`
	RingSeconds *int64      `json:"ring_seconds,omitzero"`
	Reason      string      `json:"missed_reason,omitzero"`
	Missed24h   int         `json:"missed_24h,omitzero"`
	Voicemail   *voicemail  `json:"voicemail,omitzero"`
	MissedCall  *missedCall `json:"missed_call,omitzero"`
	Key         tableKey    `json:"key"`
	Cut         bool        `json:"cut,omitzero"`
}

type party struct {
	Number   string `json:"number,omitzero"`
	Name     string `json:"name,omitzero"`
	Company  string `json:"company,omitzero"`
	Withheld bool   `json:"withheld,omitzero"`
}

type agent struct {
	ID   *int64 `json:"id,omitzero"`
	Name string `json:"name,omitzero"`
}

type voicemail struct {
	Seconds          *int64 `json:"duration_seconds,omitzero"`
	RecordingURL     string `json:"recording_url,omitzero"`
	Transcription    string `json:"transcription,omitzero"`
	TranscriptionCut bool   `json:"transcription_cut,omitzero"`
}

type missedCall struct {
	CallID     string `json:"call_id"`
	OccurredAt string `json:"occurred_at,omitzero"`
}

type tableKey struct {
	PK string `json:"PK"`
	SK string `json:"SK"`
}

// Message renders the alert, whatever the event holds.
func (a Alert) Message() Message {
	w := a.words()
	return Message{
		ID:         a.ID,
		Kind:       a.Kind,
		Call:       table.CallOf(a.Key),
		Subject:    w.subject(),
		Email:      w.email(),
		SMS:        w.sms(),
		Document:   encode(w.document()),
		Attributes: w.attributes(w.line),
		redact:     w.redacted,
	}
}

// attributes returns the message attributes that are known: SNS accepts no empty
// ones.
func (w words) attributes(line string) map[string]string {
	known := map[string]string{"kind": string(w.Kind)}
	for name, value := range map[string]string{"line": line, "agent_id": w.agentID(), "caller": w.Caller} {
		if value != "" {
			known[name] = value
		}
	}
	return known
}

// redacted renders kind, times and keys only, with the numbers as attributes for
// filter policies.
func (w words) redacted() Message {
	a := w.Alert
	key := line(a.Key.PK, maxID)
	return Message{
		ID:      a.ID,
		Kind:    a.Kind,
		Call:    table.CallOf(a.Key),
		Subject: title(a.Kind) + ", details in the table",
		Email: title(a.Kind) + "\n\nThe details could not be sent. They are in the events table, under\n\n" +
			key + "\n",
		SMS: line(title(a.Kind)+", details in the table under "+key, MaxSMS),
		Document: encode(document{
			Version: documentVersion, ID: line(a.ID, 2*maxID), Kind: a.Kind,
			OccurredAt: stamp(a.OccurredAt), ReceivedAt: stamp(a.ReceivedAt),
			Key: tableKey{PK: key, SK: line(a.Key.SK, 2*maxID)}, Cut: true,
		}),
		Attributes: w.attributes(events.PhoneNumber(a.Line)),
	}
}

// words holds the texts of an alert, cleaned and shortened.
type words struct {
	Alert
	line, lineName   string
	name, company    string
	agentName        string
	reason           string
	recording        string
	transcription    string
	transcriptionCut bool
}

func (a Alert) words() words {
	w := words{
		Alert:     a,
		line:      line(a.Line, maxName),
		lineName:  line(a.LineName, maxName),
		name:      line(cmp.Or(a.ContactName, a.CallerName), maxName),
		company:   line(a.Company, maxName),
		agentName: line(a.AgentName, maxName),
		reason:    line(a.MissedReason, maxReason),
		recording: link(a.RecordingURL),
	}
	if events.PhoneNumber(w.name) != "" {
		w.name = "" // JustCall names an unnamed contact by its number
	}
	var whole bool
	w.transcription, whole = clean(a.Transcription, maxTranscription)
	w.transcriptionCut = !whole
	return w
}

func (w words) agentID() string {
	if id, ok := w.AgentID.Get(); ok {
		return strconv.FormatInt(id, 10)
	}
	return ""
}

// who returns the caller's name and company, as far as they are known.
func (w words) who(most int) string {
	name, company := line(w.name, most), line(w.company, most)
	if name != "" && company != "" {
		return name + " (" + company + ")"
	}
	return cmp.Or(name, company)
}

func (w words) number() string {
	switch {
	case w.Caller != "":
		return w.Caller
	case w.Withheld:
		return "number withheld"
	default:
		return "number not known"
	}
}

func title(kind events.Kind) string {
	if kind == events.KindVoicemail {
		return "Voicemail"
	}
	return "Missed call"
}

// heading returns the title. For a repeated missed call it adds the count.
func (w words) heading() string {
	if w.MissedTimes > 1 && w.Kind == events.KindMissedCall {
		return fmt.Sprintf("%s, %s in 24 h", title(w.Kind), ordinal(w.MissedTimes))
	}
	return title(w.Kind)
}

func ordinal(n int) string {
	ending := "th"
	switch {
	case n%100 >= 11 && n%100 <= 13:
	case n%10 == 1:
		ending = "st"
	case n%10 == 2:
		ending = "nd"
	case n%10 == 3:
		ending = "rd"
	}
	return strconv.Itoa(n) + ending
}

// call says what a person needs to call back: who called, on which line.
func (w words) call(separator string) string {
	text := w.heading() + ": "
	if who := w.who(20); who != "" {
		text += who + separator
	}
	text += w.number()
	if on := line(cmp.Or(w.lineName, w.line), 20); on != "" {
		text += " on " + on
	}
	return text
}

// subject counts in UTF-16, as SNS may do: an emoji counts as two.
func (w words) subject() string {
	letters := []rune(line(w.call(", "), MaxSubject))
	for len(utf16.Encode(letters)) > MaxSubject {
		letters = letters[:len(letters)-1]
	}
	return strings.TrimRight(string(letters), " ")
}

func (w words) sms() string {
	text := w.call(" ")
	if !w.OccurredAt.IsZero() {
		text += w.OccurredAt.UTC().Format(", 15:04 UTC")
	}
	if w.transcription != "" {
		text += ": " + w.transcription
	}
	// The alphabet of text messages has no ellipsis: it would turn one message into
	// three.
	const dots = "..."
	text = strings.ReplaceAll(text, "…", dots)
	if letters := []rune(text); len(letters) > MaxSMS {
		text = strings.TrimRight(string(letters[:MaxSMS-len(dots)]), " .") + dots
	}
	return text
}

func (w words) email() string {
	var b strings.Builder
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-10s%s\n", name, value)
		}
	}
	b.WriteString(title(w.Kind) + "\n\n")
	row("Caller", w.who(maxName))
	row("Number", w.number())
	row("Line", w.lineText())
	if !w.OccurredAt.IsZero() {
		row("Time", clock(w.OccurredAt))
	}
	row("Rang for", seconds(w.RingDuration))
	row("Reason", w.reason)
	row("Agent", w.agentText())
	if w.MissedTimes > 1 && w.Kind == events.KindMissedCall {
		row("Missed", fmt.Sprintf("%d times in the last 24 hours", w.MissedTimes))
	}
	if w.Kind == events.KindVoicemail {
		row("Length", seconds(w.Duration))
		row("Listen", w.recording)
		if !w.MissedAt.IsZero() {
			row("Call", "missed "+clock(w.MissedAt))
		}
		if w.transcription != "" {
			b.WriteString("\n\"" + w.transcription + "\"\n")
		}
	}
	b.WriteString("\n")
	row("Call id", line(w.CallID, maxID))
	row("Kept as", line(w.Key.PK, maxID))
	return b.String()
}

func (w words) lineText() string {
	if w.lineName != "" && w.line != "" {
		return w.lineName + " (" + w.line + ")"
	}
	return cmp.Or(w.lineName, w.line)
}

func (w words) agentText() string {
	if id := w.agentID(); id != "" && w.agentName != "" {
		return w.agentName + " (" + id + ")"
	}
	return cmp.Or(w.agentName, w.agentID())
}

func (w words) document() document {
	d := document{
		Version:    documentVersion,
		ID:         w.ID,
		Kind:       w.Kind,
		OccurredAt: stamp(w.OccurredAt),
		ReceivedAt: stamp(w.ReceivedAt),
		CallID:     w.callID(),
		Line:       party{Number: w.line, Name: w.lineName},
		Caller:     party{Number: w.Caller, Name: w.name, Company: w.company, Withheld: w.Withheld},
		Agent:      agent{ID: pointer(w.AgentID), Name: w.agentName},
		Missed24h:  w.MissedTimes,
		Key:        tableKey{PK: w.Key.PK, SK: w.Key.SK},
	}
	if w.Kind != events.KindVoicemail {
		d.RingSeconds, d.Reason = pointer(w.RingDuration), w.reason
		return d
	}
	d.Voicemail = &voicemail{
		Seconds:          pointer(w.Duration),
		RecordingURL:     w.recording,
		Transcription:    w.transcription,
		TranscriptionCut: w.transcriptionCut,
	}
	if id := w.callID(); id != "" {
		d.MissedCall = &missedCall{CallID: id, OccurredAt: stamp(w.MissedAt)}
	}
	return d
}

func encode(v any) []byte {
	text, _ := json.Marshal(v, jsontext.AllowInvalidUTF8(true)) // a document holds nothing else that fails
	return text
}

// callID returns the call's ID, or "" if it is absurdly long. The key then
// identifies the call.
func (w words) callID() string {
	if len(w.CallID) > maxID {
		return ""
	}
	return w.CallID
}

func stamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return table.Time(at)
}

func seconds(n events.Optional[int64]) string {
	switch value, ok := n.Get(); {
	case !ok:
		return ""
	case value == 1:
		return "1 second"
	default:
		return strconv.FormatInt(value, 10) + " seconds"
	}
}

func pointer(n events.Optional[int64]) *int64 {
	if value, ok := n.Get(); ok {
		return &value
	}
	return nil
}
