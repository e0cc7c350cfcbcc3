package lookup

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// Event is one stored event.
type Event struct {
	Key  table.Key   `json:"key"`
	Type string      `json:"type"`
	Kind events.Kind `json:"kind"`
	// At is when it happened, and ReceivedAt when it arrived.
	At         time.Time        `json:"at"`
	ReceivedAt time.Time        `json:"received_at,omitzero"`
	Direction  events.Direction `json:"direction,omitzero"`
	Outcome    events.Outcome   `json:"outcome,omitzero"`
	Agent      string           `json:"agent,omitzero"`
	// Odd says what was not as documented, in words such as "damage: utf-8", or that the event
	// was erased.
	Odd []string `json:"odd,omitzero"`

	// Item is the whole item, as the table has it: nothing in it is cleaned.
	Item table.Item `json:"-"`
}

// Payload returns the body of the event, as it was received.
func (e Event) Payload() ([]byte, error) {
	body, err := table.PayloadOf(e.Item)
	if err != nil {
		return nil, fmt.Errorf("read an event's body: %w", err)
	}
	return body, nil
}

// Attributes returns the names of the item's attributes, sorted.
func (e Event) Attributes() []string { return slices.Sorted(maps.Keys(e.Item)) }

func (l *Lookup) event(item table.Item) Event {
	entry := l.entry(item)
	e := Event{
		Key: entry.Key, Type: entry.Type, Kind: entry.Kind, At: entry.At, ReceivedAt: timeOf(item, table.ReceivedAt),
		Direction: entry.Direction, Outcome: entry.Outcome, Agent: entry.Agent, Item: item,
	}
	for _, odd := range []struct{ attribute, what string }{
		{table.Damage, "damage"}, {table.TypeMismatches, "other type"}, {table.NewFields, "new"}, {table.PayloadOnly, "only in the body"},
	} {
		list, _ := item[odd.attribute].(attr.List)
		for _, name := range list {
			if text, ok := name.(attr.String); ok {
				e.Odd = append(e.Odd, odd.what+": "+alert.OneLine(string(text), maxName))
			}
		}
	}
	if table.IsEmptied(item) {
		e.Odd = append(e.Odd, "erased")
	}
	return e
}

// Event returns the event with a key. It makes one query. The error wraps [ErrNotFound].
func (l *Lookup) Event(ctx context.Context, key table.Key) (Event, error) {
	if checkID(key.PK) != nil || !table.IsEvent(key) {
		return Event{}, ErrID
	}
	item, err := table.Get(ctx, l.store, key)
	switch {
	case err != nil:
		return Event{}, fmt.Errorf("look up an event: %w", err)
	case item == nil:
		return Event{}, ErrNotFound
	}
	return l.event(item), nil
}

// Call is a call as all of its events together describe it.
type Call struct {
	// ID is JustCall's.
	ID string `json:"id"`
	// Caller is the outside party, who was called if the call went out.
	Caller Party `json:"caller"`
	// FollowUp is what became of the call if nobody served it.
	FollowUp FollowUp `json:"follow_up"`

	Direction events.Direction `json:"direction,omitzero"`
	Outcome   events.Outcome   `json:"outcome,omitzero"`
	Line      Line             `json:"line,omitzero"`
	Start     time.Time        `json:"start,omitzero"`
	End       time.Time        `json:"end,omitzero"`
	// Agents are those who were offered the call, and AnsweredBy is who answered.
	Agents     []string `json:"agents,omitzero"`
	AnsweredBy string   `json:"answered_by,omitzero"`
	// RingSeconds, TalkSeconds and Seconds are how long it rang, people talked, and all of
	// it lasted; 0 if that is not known.
	RingSeconds int64     `json:"ring_seconds,omitzero"`
	TalkSeconds int64     `json:"talk_seconds,omitzero"`
	Seconds     int64     `json:"seconds,omitzero"`
	Queued      bool      `json:"queued,omitzero"`
	Reason      string    `json:"reason,omitzero"`
	Voicemail   Voicemail `json:"voicemail,omitzero"`

	// Events are in the order in which they happened, and so are Alerts.
	Events []Event `json:"events"`
	Alerts []Alert `json:"alerts,omitzero"`
}

// Alert is something that was done about an alert of a call.
type Alert struct {
	Kind events.Kind `json:"kind"`
	// Did is sent, returned, not_sent, or, where a process may have ended in the
	// middle, sending and returning.
	Did string    `json:"did"`
	At  time.Time `json:"at,omitzero"`
	// Reason says why it was returned or not sent.
	Reason string `json:"reason,omitzero"`
	// OtherCall is the id of the call that speaks for this one.
	OtherCall string `json:"other_call,omitzero"`
}

// Call returns the call with JustCall's id: call_id in format A, call_sid in format B. It may
// begin with "CALL#", as the table has it. The error wraps [ErrNotFound] or [ErrID].
//
// It makes two queries: the second is for the caller. An id that is not found, and begins so,
// costs another one.
func (l *Lookup) Call(ctx context.Context, id string) (c Call, err error) {
	items, id, err := l.partition(ctx, "look up a call", id, table.CallPartition)
	if err != nil {
		return Call{}, err
	}
	c.ID = id
	var parts []events.Part
	marks := make(map[string]bool)
	for _, item := range items {
		if key := table.KeyOf(item); table.IsEvent(key) {
			parts = append(parts, alert.PartOf(item))
			c.Events = append(c.Events, l.event(item))
		} else {
			marks[key.SK] = true
		}
	}
	if len(c.Events) == 0 {
		return Call{}, ErrNotFound
	}
	sortEvents(c.Events)
	for _, item := range items {
		if a, ok := alertOf(item, marks); ok {
			c.Alerts = append(c.Alerts, a)
		}
	}
	slices.SortStableFunc(c.Alerts, func(a, b Alert) int { return a.At.Compare(b.At) })
	f := events.Fold(parts...)
	c.fold(l, f)
	subject := followup.Subject(f, table.CallPartition(id), l.numbers.Canonical)
	c.Caller = l.party(subject)
	if subject != "" {
		stored, err := l.load(ctx, subject)
		if err != nil {
			return Call{}, fmt.Errorf("look up a call: %w", err)
		}
		c.Caller = c.Caller.person(stored.Person)
		c.FollowUp, _ = l.became(stored, table.CallPartition(id), f.Start)
	}
	c.Caller = c.Caller.named(f.ContactName)
	c.Caller.Withheld, c.Caller.Text = f.Withheld, alert.OneLine(f.CallerText, maxName)
	return c, nil
}

func (c *Call) fold(l *Lookup, f events.Folded) {
	seconds := func(n events.Optional[int64]) int64 { return max(0, n.Value) }
	c.Direction, c.Outcome, c.Start, c.End = f.Direction, f.Outcome, f.Start, f.End
	c.Line = l.line(f.Line, f.LineName)
	for _, a := range f.Agents {
		c.Agents = append(c.Agents, agentName(a))
	}
	c.AnsweredBy = agentName(f.AnsweredAgent)
	c.RingSeconds, c.TalkSeconds, c.Seconds = seconds(f.RingTime), seconds(f.TalkTime), seconds(f.Duration)
	c.Queued, c.Reason = f.Queued, alert.OneLine(f.MissedReason, maxName)
	recorded := seconds(f.VoicemailTime)
	if c.Outcome == events.Voicemailed { // what JustCall calls conversation is the recording
		recorded, c.TalkSeconds = cmp.Or(recorded, c.TalkSeconds), 0
	}
	c.Voicemail = voicemail(recorded, f.Transcription, f.RecordingURL)
}

func agentName(a events.Agent) string {
	name := alert.OneLine(a.Name, maxName)
	if id, ok := a.ID.Get(); ok && name == "" {
		return "agent " + strconv.FormatInt(id, 10)
	}
	return name
}

// alertOf reads a mark. What was about to be done is left out if it was done. marks are the
// SKs of all marks.
func alertOf(item table.Item, marks map[string]bool) (Alert, bool) {
	key := table.KeyOf(item)
	if !strings.HasPrefix(key.SK, table.AlertMark) {
		return Alert{}, false
	}
	a := Alert{Kind: table.AlertKind(key), Reason: alert.OneLine(table.Text(item, table.Reason), maxName)}
	begun := strings.TrimSuffix(strings.TrimSuffix(key.SK, "#publishing"), "#returning")
	switch {
	case table.Text(item, table.AlertedAt) != "":
		a.Did, a.At = "sent", timeOf(item, table.AlertedAt)
	case strings.HasSuffix(key.SK, "#returned"):
		a.Did, a.At = "returned", timeOf(item, table.ReturnedAt)
	case strings.HasSuffix(key.SK, "#twin"):
		a.Did, a.OtherCall = "not_sent", callID(table.Text(item, table.Call))
	case strings.HasSuffix(key.SK, "#publishing") && !marks[begun]:
		a.Did = "sending"
	case strings.HasSuffix(key.SK, "#returning") && !marks[begun+"#returned"]:
		a.Did = "returning"
	default:
		return Alert{}, false
	}
	return a, true
}

// Message is a text message.
type Message struct {
	ID        string           `json:"id"`
	Party     Party            `json:"party"`
	Direction events.Direction `json:"direction,omitzero"`
	Line      Line             `json:"line,omitzero"`
	At        time.Time        `json:"at"`
	Agent     string           `json:"agent,omitzero"`
	// Status is the state of the delivery, as JustCall says.
	Status string   `json:"status,omitzero"`
	Text   string   `json:"text,omitzero"`
	Media  []string `json:"media_urls,omitzero"`
	Events []Event  `json:"events"`
}

// Message returns the text with JustCall's id. It makes two queries: the second is for who
// has the number. The errors are those of [Lookup.Call].
func (l *Lookup) Message(ctx context.Context, id string) (m Message, err error) {
	items, id, err := l.partition(ctx, "look up a text", id, table.MessagePartition)
	if err != nil {
		return Message{}, err
	}
	m.ID = id
	for _, item := range items {
		if !table.IsEvent(table.KeyOf(item)) {
			continue
		}
		m.Events = append(m.Events, l.event(item))
	}
	if len(m.Events) == 0 {
		return Message{}, ErrNotFound
	}
	sortEvents(m.Events)
	m.At = m.Events[0].At
	for _, e := range m.Events {
		entry, part := l.entry(e.Item), alert.PartOf(e.Item)
		m.Direction = cmp.Or(m.Direction, part.Direction, entry.Direction)
		m.Line = cmp.Or(m.Line, entry.Line)
		if m.Party.Key == "" {
			m.Party = l.party(l.numbers.Canonical(part.Phone))
		}
		m.Party = m.Party.named(entry.Name)
		said, ok := part.Event.(*events.Message)
		if !ok {
			continue
		}
		m.Agent = cmp.Or(alert.OneLine(said.AgentName, maxName), m.Agent)
		m.Status = cmp.Or(alert.OneLine(said.Status, maxName), m.Status)
		m.Text = cmp.Or(alert.OneLine(said.Body, maxText), m.Text)
		for _, url := range said.MediaURLs {
			if url = alert.Link(url); url != "" && !slices.Contains(m.Media, url) {
				m.Media = append(m.Media, url)
			}
		}
	}
	if m.Party.Key != "" {
		stored, err := l.load(ctx, m.Party.Key)
		if err != nil {
			return Message{}, fmt.Errorf("look up a text: %w", err)
		}
		m.Party = m.Party.person(stored.Person)
	}
	return m, nil
}

// ContactCard is a contact of the address book.
type ContactCard struct {
	ID string `json:"id"`
	// Name, Company and the flags are what all of its events come to.
	Name         string `json:"name,omitzero"`
	Company      string `json:"company,omitzero"`
	Blocked      bool   `json:"blocked,omitzero"`
	DoNotDisturb bool   `json:"dnd,omitzero"`
	Removed      bool   `json:"removed,omitzero"`
	// Numbers are those that it has, and Former those that it had.
	Numbers []Party   `json:"numbers,omitzero"`
	Former  []Party   `json:"former_numbers,omitzero"`
	At      time.Time `json:"updated_at,omitzero"`
	Events  []Event   `json:"events"`
}

// Contact returns the contact with JustCall's id. It makes one query. The errors are those of
// [Lookup.Call].
func (l *Lookup) Contact(ctx context.Context, id string) (c ContactCard, err error) {
	items, id, err := l.partition(ctx, "look up a contact", id, table.ContactPartition)
	if err != nil {
		return ContactCard{}, err
	}
	for _, item := range items {
		if table.IsEvent(table.KeyOf(item)) {
			c.Events = append(c.Events, l.event(item))
		}
	}
	if len(c.Events) == 0 {
		return ContactCard{}, ErrNotFound
	}
	sortEvents(c.Events)
	now := addressbook.ReadContact(items)
	c.ID, c.At = id, c.Events[len(c.Events)-1].At
	c.Name, c.Company = alert.OneLine(now.Name, maxName), alert.OneLine(now.Company, maxName)
	c.Blocked, c.DoNotDisturb, c.Removed = now.Blocked, now.DoNotDisturb, now.Removed
	c.Numbers, c.Former = l.parties(now.Numbers), l.parties(now.Former)
	return c, nil
}

// parties returns numbers as they were sent.
func (l *Lookup) parties(numbers []string) (all []Party) {
	for _, number := range numbers {
		p := l.party(l.numbers.Canonical(number))
		if p.Key == "" {
			p.Text = alert.OneLine(number, maxName)
		}
		all = append(all, p)
	}
	return all
}

// partition reads all that is kept under an id, which may be given as the table has it.
func (l *Lookup) partition(ctx context.Context, doing, id string, of func(id string) string) (items []table.Item, found string, err error) {
	if err := checkID(id); err != nil {
		return nil, "", err
	}
	for _, id := range []string{id, strings.TrimPrefix(id, of(""))} {
		if id == "" || id == found {
			break
		}
		found = id
		items, err = l.read(ctx, doing, table.Query{Partition: of(id)})
		if err != nil || len(items) > 0 {
			return items, id, err
		}
	}
	return nil, "", ErrNotFound
}

func sortEvents(all []Event) {
	slices.SortStableFunc(all, func(a, b Event) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Key.SK, b.Key.SK)) })
}
