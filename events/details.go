package events

// Details is what people want to know about an event.
type Details struct {
	// Kind, ID and Phone are those of the [Delivery].
	Kind  Kind
	ID    string
	Phone string
	// LineName is the name of the account's line in JustCall, if given.
	LineName string
	Event    Event
}

// Event is one of [*Call], [*Voicemail], [*Message], [*Contact] and [*Unknown].
type Event interface{ sealed() }

func (*Call) sealed()      {}
func (*Voicemail) sealed() {}
func (*Message) sealed()   {}
func (*Contact) sealed()   {}
func (*Unknown) sealed()   {}

// Unknown is an event of none of the other shapes: of a type that is not
// registered, or an appointment. [Envelope.Data] has all that it says.
type Unknown struct{}

func newUnknown(*reading) Event { return &Unknown{} }

// Details reads what people want to know about an event. Like [Envelope.Decode] it
// cannot fail; unlike it, it computes no digest.
func (e *Envelope) Details() Details {
	r := e.read()
	_, id := r.id()
	return Details{
		Kind:     r.kind,
		ID:       id,
		Phone:    r.phone(),
		LineName: r.said.text(slotLineName),
		Event:    r.event(r),
	}
}
