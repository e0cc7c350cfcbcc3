package alert

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

// ErrItem says that an item cannot be made into an alert, now or later.
var ErrItem = errors.New("item is no alert")

// Alert is one missed call or voicemail that people are to hear of.
type Alert struct {
	// ID names the alert, and is the same whenever it is sent again.
	ID   string
	Kind events.Kind
	// Event is the type of the event that tells of it.
	Event events.Type
	// Key is that of the event's item, and CallID what JustCall calls the call;
	// "" where the event names none.
	Key    table.Key
	CallID string
	// OccurredAt is when it happened, ReceivedAt when it arrived here.
	OccurredAt, ReceivedAt time.Time

	// Line is the number called, "+" and digits, or the text that was sent if
	// that is no number. LineName is its name in JustCall, where given.
	Line, LineName string
	// Caller is the caller's number, "+" and digits; "" if it is not known,
	// which Withheld says is the caller's wish. CallerName is the name that the
	// event gives.
	Caller, CallerName string
	Withheld           bool
	AgentID            events.Optional[int64]
	AgentName          string

	// RingDuration is how long it rang, in seconds. MissedReason says why
	// nobody answered. Both are of missed calls.
	RingDuration events.Optional[int64]
	MissedReason string

	// Duration is a voicemail's length in seconds.
	Duration      events.Optional[int64]
	RecordingURL  string
	Transcription string

	// ContactName and Company are those of the newest contact event with the
	// caller's number. MissedTimes is how many calls of the caller were missed
	// in the 24 hours up to this one, which counts; 0 if that is not known.
	ContactName, Company string
	MissedTimes          int
	// MissedAt is when the call that a voicemail was left on was missed; zero
	// where no event says so.
	MissedAt time.Time
}

// Read returns the alert of an event's item. The error wraps [ErrItem].
//
// The payload says most of it. Should it not read, the alert goes out with what
// the other attributes say: somebody called.
func Read(item table.Item) (Alert, error) {
	a := Alert{
		Kind: events.Kind(table.Text(item, table.Alert)),
		Key:  table.KeyOf(item),
	}
	if !a.Kind.Alerts() || a.Key.PK == "" || a.Key.SK == "" {
		return Alert{}, fmt.Errorf("read alert: %w", ErrItem)
	}
	mark := table.AlertKey(a.Key, a.Kind)
	a.ID = mark.PK + "/" + strings.TrimPrefix(mark.SK, table.AlertMark)
	a.OccurredAt = timeOf(item, table.OccurredAt)
	a.ReceivedAt = timeOf(item, table.ReceivedAt)
	a.Event = events.Type(table.Text(item, table.Event))
	if id, ok := strings.CutPrefix(a.Key.PK, table.CallPartition("")); ok {
		a.CallID = id
	}
	a.LineName = table.Text(item, "justcall_line_name")
	a.Caller = strings.TrimPrefix(table.Text(item, table.GSI1PK), table.PhonePartition(""))

	body, err := table.PayloadOf(item)
	if err != nil {
		return a, nil
	}
	envelope, err := events.Open(body)
	if err != nil {
		return a, nil
	}
	if d := envelope.Decode(); d.Kind == a.Kind {
		a.readEvent(d)
	}
	return a, nil
}

func (a *Alert) readEvent(d *events.Delivery) {
	a.Caller, a.Withheld = d.Phone, d.Phone == ""
	if d.Entity == events.EntityCall {
		a.CallID = d.ID
	}
	switch e := d.Event.(type) {
	case *events.Call:
		a.Line = lineOf(e.From, e.To, e.Direction)
		a.CallerName = e.ContactName
		a.AgentID, a.AgentName = e.AgentID, e.AgentName
		a.RingDuration = e.RingDuration
		a.MissedReason = e.MissedReason
	case *events.Voicemail:
		a.Line = lineOf(e.From, e.To, events.Inbound)
		a.CallerName = e.ContactName
		a.AgentID, a.AgentName = e.AgentID, e.AgentName
		a.Duration = e.Duration
		a.RecordingURL = e.RecordingURL
		a.Transcription = e.Transcription
	}
}

// retoldAfter is how old a call may be when an event that only adds to it
// arrives. What comes later is no news: somebody edits a note on a call that
// was missed last month.
const retoldAfter = 24 * time.Hour

// Retold reports whether the alert is of a call that was missed long ago and
// only comes up again: nobody is told.
func (a Alert) Retold() bool {
	switch a.Event {
	case events.TypeCallUpdated, events.TypeCallAIGenerated, events.TypeSalesDialerCallUpdated, events.TypeSalesDialerCallAIGenerated:
		return !a.OccurredAt.IsZero() && a.ReceivedAt.Sub(a.OccurredAt) > retoldAfter
	default:
		return false
	}
}

// lineOf returns the account's own line of a call.
func lineOf(from, to string, direction events.Direction) string {
	line := to
	if direction == events.Outbound {
		line = from
	}
	if number := events.PhoneNumber(line); number != "" {
		return number
	}
	return line
}

// timeOf reads a time; one that does not read is zero.
func timeOf(item table.Item, name string) time.Time {
	at, _ := events.ParseTime(table.Text(item, name))
	return at
}
