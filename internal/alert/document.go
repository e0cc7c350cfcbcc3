package alert

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

// documentVersion is the version of the JSON document. It changes when a member is
// removed or changes its meaning, not when one is added. docs/alerts.md and
// docs/alert.schema.json describe the document.
const documentVersion = 2

// document is docs/alert.schema.json.
type document struct {
	Version     int         `json:"version"`
	ID          string      `json:"id"`
	Kind        events.Kind `json:"kind"`
	Outcome     string      `json:"outcome,omitzero"`
	OccurredAt  string      `json:"occurred_at,omitzero"`
	StartedAt   string      `json:"started_at,omitzero"`
	ReceivedAt  string      `json:"received_at,omitzero"`
	FoundLate   bool        `json:"found_late,omitzero"`
	TimeZone    string      `json:"time_zone,omitzero"`
	CallID      string      `json:"call_id,omitzero"`
	Line        party       `json:"line,omitzero"`
	Caller      party       `json:"caller,omitzero"`
	Agents      []agent     `json:"agents,omitzero"`
	RingSeconds *int64      `json:"ring_seconds,omitzero"`
	Missed      string      `json:"missed_reason,omitzero"`
	Reason      string      `json:"reason,omitzero"`
	Missed24h   int         `json:"missed_24h,omitzero"`
	Voicemail   *voicemail  `json:"voicemail,omitzero"`
	MissedCall  *missedCall `json:"missed_call,omitzero"`
	Since       string      `json:"since,omitzero"`
	Count       int         `json:"count,omitzero"`
	More        bool        `json:"more,omitzero"`
	Attempts    int         `json:"attempts,omitzero"`
	Silenced    int         `json:"silenced,omitzero"`
	ClaimedBy   string      `json:"claimed_by,omitzero"`
	ClaimedTo   string      `json:"claimed_until,omitzero"`
	Served      served      `json:"served,omitzero"`
	Level       int         `json:"level,omitzero"`
	Callers     int         `json:"callers,omitzero"`
	AsOf        string      `json:"as_of,omitzero"`
	Waiting     []waiting   `json:"waiting,omitzero"`
	Unposted    []Unposted  `json:"unposted,omitzero"`
	Key         tableKey    `json:"key"`
	Cut         bool        `json:"cut,omitzero"`
}

type party struct {
	Number    string `json:"number,omitzero"`
	Extension string `json:"extension,omitzero"`
	Text      string `json:"text,omitzero"`
	Name      string `json:"name,omitzero"`
	Company   string `json:"company,omitzero"`
	Withheld  bool   `json:"withheld,omitzero"`
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

// served is how a caller was served after the call.
type served struct {
	At            string `json:"at,omitzero"`
	By            string `json:"by,omitzero"`
	Why           string `json:"why,omitzero"`
	WaitedSeconds *int64 `json:"waited_seconds,omitzero"`
}

// waiting is a caller whom nobody has called back.
type waiting struct {
	CallID   string `json:"call_id,omitzero"`
	Line     party  `json:"line,omitzero"`
	Caller   party  `json:"caller,omitzero"`
	Outcome  string `json:"outcome,omitzero"`
	Since    string `json:"since,omitzero"`
	Unserved int    `json:"unserved,omitzero"`
	More     bool   `json:"more,omitzero"`
	Attempts int    `json:"attempts,omitzero"`

	OtherNumber  string `json:"other_number,omitzero"`
	DoNotDisturb bool   `json:"do_not_disturb,omitzero"`
}

type tableKey struct {
	PK string `json:"PK"`
	SK string `json:"SK"`
}

func (w words) document() document {
	d := document{
		Version:    documentVersion,
		ID:         w.ID,
		Kind:       w.Kind,
		Outcome:    string(w.ended()),
		OccurredAt: stamp(w.OccurredAt),
		StartedAt:  stamp(w.StartedAt),
		ReceivedAt: stamp(w.ReceivedAt),
		FoundLate:  w.FoundLate,
		TimeZone:   w.style.zone(),
		CallID:     w.callID(),
		Line:       party{Number: w.line, Name: w.lineName},
		Caller:     w.caller(),
		Reason:     w.reason,
		Missed24h:  w.MissedTimes,
		Since:      stamp(w.Since),
		Count:      w.Count,
		More:       w.More,
		Attempts:   w.Attempts,
		Silenced:   w.Silenced,
		ClaimedBy:  w.claimedBy,
		ClaimedTo:  stamp(w.ClaimedUntil),
		Served:     w.served(),
		Key:        tableKey{PK: w.Key.PK, SK: w.Key.SK},
	}
	for _, a := range w.agents {
		d.Agents = append(d.Agents, agent{ID: pointer(a.ID), Name: a.Name})
	}
	if w.Kind != events.KindVoicemail {
		d.RingSeconds, d.Missed = pointer(w.RingDuration), w.missedReason
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

// served says what served the caller. The wait ends when the conversation begins.
func (w words) served() (s served) {
	if w.Served.ID == "" {
		return s
	}
	s = served{At: stamp(w.Served.At), By: w.servedBy, Why: w.servedWhy}
	if !w.StartedAt.IsZero() {
		waited := int64(max(0, w.Served.Start.Sub(w.StartedAt)) / time.Second)
		s.WaitedSeconds = &waited
	}
	return s
}

func (w words) caller() party {
	p := party{Name: w.name, Company: w.company}
	switch {
	case w.Caller != "":
		p.Number, p.Extension = w.Caller, w.extension
	case w.callerText != "":
		p.Text = w.callerText
	default:
		p.Withheld = w.Withheld
	}
	return p
}

// zone returns the name of the zone in the IANA database, or "" if only the machine
// knows it.
func (s Style) zone() string {
	switch s.Location {
	case nil:
		return time.UTC.String()
	case time.Local:
		return ""
	default:
		return s.Location.String()
	}
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

func pointer(n events.Optional[int64]) *int64 {
	if value, ok := n.Get(); ok {
		return &value
	}
	return nil
}
