package events

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Event is what a delivery says: one of [*Call], [*Voicemail], [*Message],
// [*Contact] and [*Unknown].
type Event interface{ sealed() }

func (*Call) sealed()      {}
func (*Voicemail) sealed() {}
func (*Message) sealed()   {}
func (*Contact) sealed()   {}
func (*Unknown) sealed()   {}

// Unknown is an event of none of the other shapes: of a type that is not
// registered, or an appointment. Its payload is whole in [Envelope.Data].
type Unknown struct{}

// Delivery is one delivery, interpreted.
type Delivery struct {
	*Envelope

	Kind  Kind
	Event Event
	// Entity and ID name what the event belongs to. The same call, message or
	// contact has the same ID in every event and in either JSON spelling of
	// it. Without a usable id, Entity is EntityNone and ID is "".
	Entity Entity
	ID     string
	// OccurredAt is the event's time in UTC, truncated to milliseconds; zero
	// where the body holds none that can be read. Years run from 0 to 9999.
	OccurredAt time.Time
	// FromRequestID is true where OccurredAt could only be read from the
	// request id. Nobody says that a redelivery keeps it, so such a time must
	// not decide whether two deliveries are the same event.
	FromRequestID bool
	// Phone is the number of the outside party, normalised by [PhoneNumber];
	// "" where it is withheld, empty, or not there.
	Phone string
	// Digest is the first 16 hex digits of SHA-256 over the canonical data
	// (RFC 8785, with integers beyond 2⁵³ kept exact), or where the data is
	// empty over what stands beside it. A timestamp that cannot be read is
	// digested as well: it still tells two events apart. A redelivery has the
	// same.
	Digest string
	// Fields are the documented members of the data that are not null, in the
	// order received, with their values as received.
	Fields []Field
	// NewFields are the members that no document mentions, at the top level
	// and then in the data.
	NewFields []string
	// Misfits are the documented members whose value had another type than
	// documented, the envelope's before the data's, which are sorted. "data"
	// stands for data that is no object. Their values are in Fields all the
	// same.
	Misfits []string
}

// Field is one member of a payload.
type Field struct {
	Name  string
	Value jsontext.Value
}

// Decode interprets an opened envelope. It cannot fail: what it does not
// understand it names, in [Delivery.NewFields] and [Delivery.Misfits].
func (e *Envelope) Decode() *Delivery {
	d := &Delivery{
		Envelope:  e,
		Kind:      KindUnknown,
		NewFields: slices.Clip(e.NewFields),
	}
	at, readable := parseTimeValue(e.Timestamp)
	said := e.Data
	if isEmpty(said) {
		said = e.flatMembers()
	}
	if readable || isEmpty(e.Timestamp) {
		d.Digest = digest(said)
	} else {
		d.Digest = digest(said, e.Timestamp)
	}
	if e.Format == FormatA {
		d.OccurredAt = at
		if !readable {
			d.misfit("timestamp")
		}
	}

	decode := decodeUnknown
	if known, ok := registry[e.Type]; ok && e.Format != FormatLegacy {
		decode = known
	}
	decode(d)

	if d.OccurredAt.IsZero() {
		d.OccurredAt = at
	}
	if d.OccurredAt.IsZero() {
		d.OccurredAt, d.FromRequestID = ulidTime(e.RequestID)
	}
	return d
}

// flatMembers returns an object of what a flat event has in place of data.
func (e *Envelope) flatMembers() jsontext.Value {
	object := jsontext.Value{'{'}
	if left := e.flat; len(left) > 0 {
		eachMember(e.Body, func(name string, value jsontext.Value) {
			// Both are in the order received, and no name comes twice.
			if len(left) == 0 || name != left[0] {
				return
			}
			if left = left[1:]; len(object) > 1 {
				object = append(object, ',')
			}
			object, _ = jsontext.AppendQuote(object, name)
			object = append(append(object, ':'), value...)
		})
	}
	return append(object, '}')
}

func (d *Delivery) misfit(name string) { d.Misfits = append(d.Misfits, name) }

// identify sets the entity, by the first id that is usable.
func (d *Delivery) identify(entity Entity, ids ...string) {
	for _, id := range ids {
		if id != "" {
			d.Entity, d.ID = entity, id
			return
		}
	}
}

// digest returns the first 16 hex digits of SHA-256 over the canonical forms.
func digest(values ...jsontext.Value) string {
	h := sha256.New()
	for _, value := range values {
		canonical := value.Clone()
		// Integers stay as they are written: two ids beyond 2⁵³ that RFC 8785
		// rounds to one number would make one digest of two events. That no name
		// stands twice, [Open] has made sure of.
		if err := canonical.Canonicalize(jsontext.CanonicalizeRawInts(false), jsontext.AllowDuplicateNames(true)); err != nil {
			canonical = value
		}
		h.Write(canonical)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// decodeUnknown reads of an event of unknown shape what files it with its
// call, message or contact, its number and its time. One that says of a call
// that it was missed, or went to voicemail, is read as that call; not in the
// legacy form, where nobody knows what the words mean.
func decodeUnknown(d *Delivery) {
	before := *d
	in := d.read(unknownShape)
	if d.Format != FormatLegacy && kindOfCall("", in.outcome).Alerts() {
		*d = before
		decodeCall(d)
		return
	}
	d.NewFields = before.NewFields // every member is new, which says nothing
	d.file(in)
}

// decodeAppointment keeps an appointment's members under their own names. It
// is no call, message or contact, so it has no shape here.
func decodeAppointment(d *Delivery) { d.file(d.read(appointmentShape)) }

// file names what an event without a shape belongs to. A bare id does not say
// of what.
func (d *Delivery) file(in *data) {
	d.Event = &Unknown{}
	d.Phone = PhoneNumber(in.outsideParty(in.direction))
	switch {
	case in.callID != "" || in.callSID != "":
		d.identify(EntityCall, in.callID, in.callSID)
	case in.messageID != "":
		d.identify(EntityMessage, in.messageID)
	default:
		d.identify(EntityContact, in.contactID)
	}
}
