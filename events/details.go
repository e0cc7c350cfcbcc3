package events

import "cmp"

// Details is what an alert shows of an event.
type Details struct {
	// Kind, Outcome, Direction, ID and Phone are those of the [Delivery].
	Kind      Kind
	Outcome   Outcome
	Direction Direction
	// Implied is set if no member of the data gives the direction.
	Implied bool
	ID      string
	Phone   string
	// Outside is what the event says of the outside party, and Line of the account's
	// own line, both as sent.
	Outside, Line string
	// Extension is the extension in Outside, if it has one.
	Extension string
	// Withheld is set if Outside says that there is no number, see [Withheld]. It is
	// not set if the event says nothing of the party.
	Withheld bool
	// CallerText is Outside if no number can be told and it is not withheld.
	CallerText string
	// LineName is the name of the account's line in JustCall, if given.
	LineName string
	// TalkTime is how long two people talked, in seconds
	// [call_duration.conversation_time]. Format A does not say so: there it is the
	// duration without the ringing, if both are given.
	TalkTime Optional[int64]
	Event    Event
}

// Number returns the outside number by [NumberText], as far as it is known how it was
// written.
func (d *Details) Number() string {
	if d.Phone == "" {
		return ""
	}
	return cmp.Or(NumberText(d.Outside), d.Phone)
}

// Event is one of [*Call], [*Voicemail], [*Message], [*Contact] and [*Unknown].
type Event interface{ sealed() }

func (*Call) sealed()      {}
func (*Voicemail) sealed() {}
func (*Message) sealed()   {}
func (*Contact) sealed()   {}
func (*Unknown) sealed()   {}

// Unknown is an event without a shape of its own: a type that is not registered, and
// tells of no call, or an appointment. [Envelope.Data] has all of its data.
type Unknown struct{}

func newUnknown(*reading) Event { return &Unknown{} }

// Details reads what an alert shows of an event. Like [Envelope.Decode] it cannot
// fail. Unlike Decode, it computes no digest.
func (e *Envelope) Details() Details {
	r := e.read()
	_, id := r.id()
	d := Details{
		Kind:      r.kind,
		Outcome:   r.outcome,
		Direction: r.direction,
		Implied:   r.statedDirection() == "",
		ID:        id,
		Line:      r.line(),
		LineName:  r.said.text(slotLineName),
		TalkTime:  r.talked(),
		Event:     r.event(r),
	}
	var said bool
	d.Outside, said = r.outside()
	d.Phone, d.Extension = SplitNumber(d.Outside)
	if d.Phone == "" {
		if d.Withheld = said && Withheld(d.Outside); !d.Withheld {
			d.CallerText = d.Outside
		}
	}
	return d
}
