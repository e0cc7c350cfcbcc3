package alert

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/table"
)

// ErrItem means that no alert can be made of an item, now or later.
var ErrItem = errors.New("item is no alert")

// Alert is a missed call or voicemail to tell people about, or takes one back.
type Alert struct {
	// ID names the alert, and stays the same if it is sent again or taken back.
	ID   string
	Kind events.Kind
	// Outcome is how the call ended; "" stands for what Kind says. Reason is why an
	// alert is taken back.
	Outcome events.Outcome
	Reason  string
	// Unserved is the outcome that the alert tells of, whatever became of the call: a
	// voicemail, missed, or abandoned if nothing says missed. "" if that is not known.
	Unserved events.Outcome
	// Key is the key of the event's item, and CallID JustCall's id of the call; ""
	// if the event has none.
	Key    table.Key
	CallID string
	// OccurredAt is when the call was missed or the voicemail left, StartedAt when
	// the call began, zero if it is not known, ReceivedAt when the event arrived, and
	// SentAt when people are told.
	OccurredAt, StartedAt, ReceivedAt, SentAt time.Time

	// FoundLate is set if no webhook brought the event, and it was found in JustCall's own
	// list.
	FoundLate bool

	// Line is the number called, by [events.NumberText], or, if it is not a number, the
	// text as sent. LineName is its name in JustCall, if given.
	Line, LineName string
	// Caller is the caller's number, by [events.NumberText]; "" if it is not known.
	// Extension is what to dial after it. CallerText is what was sent as the caller
	// where no number can be told, and Withheld is set if the caller hid the number.
	// CallerName is the name in the event.
	Caller, Extension, CallerText, CallerName string
	Withheld                                  bool
	// Agents are those whose phones rang, in order.
	Agents []events.Agent

	// RingDuration is how long the caller of a missed call waited, in seconds, and
	// Queued is set if that was in a queue. MissedReason is why nobody answered.
	RingDuration events.Optional[int64]
	Queued       bool
	MissedReason string

	// Duration is a voicemail's length in seconds.
	Duration      events.Optional[int64]
	RecordingURL  string
	Transcription string

	// ContactName and Company come from the address book: of the contacts with the
	// caller's number that have a name, the one changed last. MissedTimes is how many of
	// the caller's missed calls of the last 24 hours were to alert, each ring once and this
	// one included; 0 if that is not known.
	ContactName, Company string
	MissedTimes          int
	// Since is when the first call began that nobody served, Count its place among those
	// calls, with More set if there were more than are known, and Attempts how
	// often somebody tried to call back. They are zero if that is not known.
	Since           time.Time
	Count, Attempts int
	More            bool
	// ClaimedBy takes care of the caller, until then; "" if nobody is known to.
	ClaimedBy    string
	ClaimedUntil time.Time
	// Silenced is how many calls since the last alert made none, because of [Rules].
	Silenced int
	// Served is why the caller does not wait any more, if the alert is taken back for
	// that.
	Served followup.Closing
	// MissedAt is when the call on which a voicemail was left was missed; zero if
	// no event says so.
	MissedAt time.Time
}

// Read returns the alert that the event of an item asks for by itself. The error
// wraps [ErrItem] if it asks for none. What other events say of the call is not in
// it.
func Read(item table.Item) (Alert, error) {
	kind, err := asksFor(item)
	if err != nil {
		return Alert{}, err
	}
	part := PartOf(item)
	c := call{key: table.KeyOf(item), parts: []events.Part{part}, Folded: events.Fold(part)}
	if !c.Owes(kind) {
		return Alert{}, fmt.Errorf("read alert: %w", ErrItem)
	}
	return c.alert(kind), nil
}

// asksFor returns the kind of alert that an item's own attribute asks for.
func asksFor(item table.Item) (events.Kind, error) {
	key, kind := table.KeyOf(item), table.AlertOf(item)
	if !kind.Alerts() || key.PK == "" || key.SK == "" {
		return "", fmt.Errorf("read alert: %w", ErrItem)
	}
	return kind, nil
}

// alert returns an alert of a call.
func (c *call) alert(kind events.Kind) Alert {
	event := c.Missed
	if kind == events.KindVoicemail {
		event = c.Left
	}
	if event == nil { // it was deleted after its alert was sent
		event = &events.Part{Key: c.key.SK}
	}
	outcome := c.Outcome
	if kind == events.KindMissedCall && outcome == events.Voicemailed {
		outcome = event.Outcome // what happened before the message was left
	}
	a := Alert{
		ID:            c.alertID(kind),
		Kind:          kind,
		Outcome:       outcome,
		Unserved:      c.unserved(kind),
		Key:           table.Key{PK: c.key.PK, SK: event.Key},
		CallID:        c.ID,
		OccurredAt:    event.At,
		StartedAt:     c.Start,
		ReceivedAt:    event.ReceivedAt,
		SentAt:        event.ReceivedAt, // or later
		FoundLate:     event.FoundLate,
		Line:          c.Line,
		LineName:      c.LineName,
		Caller:        c.Phone,
		Extension:     c.Extension,
		CallerText:    c.CallerText,
		CallerName:    c.ContactName,
		Withheld:      c.Withheld,
		Agents:        c.Agents,
		Queued:        c.Queued,
		Duration:      c.VoicemailTime,
		RecordingURL:  c.RecordingURL,
		Transcription: c.Transcription,
	}
	switch {
	case kind != events.KindVoicemail:
		a.RingDuration, a.MissedReason = c.RingTime, c.MissedReason
	case c.Missed != nil:
		a.MissedAt = c.Missed.At
	}
	return a
}

// unserved returns the outcome that an alert of a kind tells of.
func (c *call) unserved(kind events.Kind) (outcome events.Outcome) {
	if kind == events.KindVoicemail {
		return events.Voicemailed
	}
	for _, p := range c.parts {
		if p.Outcome == events.Missed || p.Outcome == events.Abandoned {
			outcome = outcome.Best(p.Outcome)
		}
	}
	return outcome
}

// alertID returns the ID of an alert: the same whenever it is sent.
func (c *call) alertID(kind events.Kind) string {
	mark := table.AlertKey(c.key, c.round(kind))
	// guard 4 alert e2e: return mark.PK + "/" + strings.TrimPrefix(mark.SK, table.AlertMark) + c.key.SK
	return mark.PK + "/" + strings.TrimPrefix(mark.SK, table.AlertMark)
}

// timeOf reads a time, zero if it cannot be read.
func timeOf(item table.Item, name string) time.Time {
	at, _ := events.ParseTime(table.Text(item, name))
	return at
}
