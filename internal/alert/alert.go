package alert

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
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
	// Event is the type of the event that the alert is made of.
	Event events.Type
	// Key is the key of the event's item, and CallID JustCall's id of the call; ""
	// if the event has none.
	Key    table.Key
	CallID string
	// OccurredAt is when the call was missed or the voicemail left, StartedAt when
	// the call began, zero if it is not known, and ReceivedAt when the event
	// arrived.
	OccurredAt, StartedAt, ReceivedAt time.Time

	// Line is the number called, "+" and digits, or, if it is not a number, the
	// text as sent. LineName is its name in JustCall, if given.
	Line, LineName string
	// Caller is the caller's number, "+" and digits; "" if it is not known.
	// Extension is what to dial after it. CallerText is what was sent as the caller
	// where no number can be told, and Withheld is set if the caller hid the number.
	// CallerName is the name in the event.
	Caller, Extension, CallerText, CallerName string
	Withheld                                  bool
	// Agents are those whose phones rang, in order.
	Agents []Agent

	// RingDuration is how long the caller of a missed call waited, in seconds, and
	// Queued is set if that was in a queue. MissedReason is why nobody answered.
	RingDuration events.Optional[int64]
	Queued       bool
	MissedReason string

	// Duration is a voicemail's length in seconds.
	Duration      events.Optional[int64]
	RecordingURL  string
	Transcription string

	// ContactName and Company come from the newest contact event with the
	// caller's number. MissedTimes is how many calls of the caller were missed in
	// the last 24 hours, this one included; 0 if that is not known.
	ContactName, Company string
	MissedTimes          int
	// MissedAt is when the call on which a voicemail was left was missed; zero if
	// no event says so.
	MissedAt time.Time
}

// Agent is a person of the account whose phone rang.
type Agent struct {
	ID   events.Optional[int64]
	Name string
}

// Read returns the alert of an event's item. The error wraps [ErrItem].
//
// Kind, key and times come from the item's own attributes, everything else about
// the call from the payload. If the payload cannot be read, the alert goes out with
// what the attributes repeat of it: somebody called.
func Read(item table.Item) (Alert, error) {
	a := Alert{
		Kind:       events.Kind(table.Text(item, table.Alert)),
		Event:      events.Type(table.Text(item, table.Event)),
		Key:        table.KeyOf(item),
		OccurredAt: timeOf(item, table.OccurredAt),
		ReceivedAt: timeOf(item, table.ReceivedAt),
	}
	if !a.Kind.Alerts() || a.Key.PK == "" || a.Key.SK == "" {
		return Alert{}, fmt.Errorf("read alert: %w", ErrItem)
	}
	mark := table.AlertKey(a.Key, a.Kind)
	// guard 4 alert e2e: a.ID = mark.PK + "/" + strings.TrimPrefix(mark.SK, table.AlertMark) + a.Key.SK
	a.ID = mark.PK + "/" + strings.TrimPrefix(mark.SK, table.AlertMark)
	if details, err := detailsOf(item); err == nil && details.Kind == a.Kind {
		a.readDetails(details)
	} else {
		a.readAttributes(item)
	}
	return a, nil
}

// detailsOf reads an item's payload.
func detailsOf(item table.Item) (events.Details, error) {
	body, err := table.PayloadOf(item)
	if err != nil {
		return events.Details{}, err
	}
	envelope, err := events.Open(body)
	if err != nil {
		return events.Details{}, fmt.Errorf("open payload: %w", err)
	}
	return envelope.Details(), nil
}

func (a *Alert) readDetails(d events.Details) {
	a.CallID = d.ID
	a.Caller, a.Withheld = d.Phone, d.Withheld
	a.LineName = d.LineName
	switch e := d.Event.(type) {
	case *events.Call:
		a.Line = lineOf(e.From, e.To, e.Direction)
		a.CallerName = e.ContactName
		a.Agents = agents(e.AgentID, e.AgentName)
		a.RingDuration = e.RingDuration
		a.MissedReason = e.MissedReason
	case *events.Voicemail:
		a.Line = lineOf(e.From, e.To, events.Inbound)
		a.CallerName = e.ContactName
		a.Agents = agents(e.AgentID, e.AgentName)
		a.Duration = e.Duration
		a.RecordingURL = e.RecordingURL
		a.Transcription = e.Transcription
	}
}

// agents returns the agent of an event, if it names one.
func agents(id events.Optional[int64], name string) []Agent {
	if _, ok := id.Get(); !ok && name == "" {
		return nil
	}
	return []Agent{{ID: id, Name: name}}
}

func (a *Alert) readAttributes(item table.Item) {
	if id, ok := strings.CutPrefix(a.Key.PK, table.CallPartition("")); ok {
		a.CallID = id
	}
	a.Caller = strings.TrimPrefix(table.Text(item, table.GSI1PK), table.PhonePartition(""))
	a.LineName = table.Text(item, "justcall_line_name")
}

// staleAfter is how old a call may be when an update of it arrives. A later update
// is no news: somebody edits a note on a call that was missed last month.
const staleAfter = 24 * time.Hour

// IsStaleUpdate reports whether the event only adds to a call that was missed long
// ago, so that it alerts nobody.
func (a Alert) IsStaleUpdate() bool {
	return a.Event.IsUpdate() && !a.OccurredAt.IsZero() && a.ReceivedAt.Sub(a.OccurredAt) > staleAfter
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

// timeOf reads a time, zero if it cannot be read.
func timeOf(item table.Item, name string) time.Time {
	at, _ := events.ParseTime(table.Text(item, name))
	return at
}
