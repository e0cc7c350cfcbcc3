package events

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Delivery is what an event's key and kind depend on. [Details] is what an alert
// shows.
type Delivery struct {
	*Envelope

	Kind Kind
	// Outcome is how a call ended, as far as this event says: by its type's name or by
	// a word in its data, whichever says more. OutcomeWord is that
	// word, as sent, where the outcome is unknown.
	Outcome     Outcome
	OutcomeWord string
	// Direction is the call's or message's; "" if nothing tells it.
	Direction Direction
	// Entity and ID name what the event belongs to. A call, message or contact has
	// the same ID in all its events, whether they send it as a string or as a number.
	// Without a usable id, Entity is EntityNone and ID is "".
	Entity Entity
	ID     string
	// StampedAt is the envelope's timestamp and DatedAt the data's own date and
	// time, by [ParseTime]; zero if absent or unreadable. [Delivery.OccurredAt]
	// chooses between them.
	StampedAt, DatedAt time.Time
	// Phone is the number of the outside party, normalised by [PhoneNumber];
	// "" if it is withheld, empty or absent.
	Phone string
	// Digest is the first 16 hex digits of SHA-256 over the canonical data
	// (RFC 8785, but with integers beyond 2⁵³ kept exact). It includes an unreadable timestamp, which still
	// distinguishes events. A redelivery has the same digest.
	Digest string
	// Fields are the documented members of the data that are not null, in the
	// order received, with their values as received.
	Fields []Field
	// NewFields are the members that no document mentions, those of the top
	// level before those of the data.
	NewFields []string
	// TypeMismatches are the documented members whose value has another type than
	// documented: first the envelope's, then the data's, sorted, then an unreadable
	// date. "data" means that the data is not an object. Fields includes these
	// members.
	TypeMismatches []string
}

// Field is one member of a payload.
type Field struct {
	Name  string
	Value jsontext.Value
}

// Decode reads what an event's key and kind depend on. It cannot fail: it names what
// it does not understand in [Delivery.NewFields] and [Delivery.TypeMismatches].
func (e *Envelope) Decode() *Delivery {
	r := e.read()
	d := &Delivery{
		Envelope:  e,
		Kind:      r.kind,
		Outcome:   r.outcome,
		Direction: r.direction,
		Phone:     r.phone(),
		Fields:    slices.DeleteFunc(r.fields, func(f Field) bool { return f.Value.Kind() == 'n' }),
		NewFields: append(slices.Clip(e.NewFields), r.undocumented...),
	}
	d.Entity, d.ID = r.id()
	if d.Outcome == OutcomeUnknown {
		d.OutcomeWord = r.outcomeWord()
	}

	var readable bool
	d.StampedAt, readable = parseTimeValue(e.Timestamp)
	if !readable && e.Format == FormatA {
		d.TypeMismatches = append(d.TypeMismatches, "timestamp")
	}
	d.TypeMismatches = append(d.TypeMismatches, r.mismatched...)
	// A timestamp of format A takes precedence; then the data's own time is not
	// checked.
	if !readable || e.Format != FormatA {
		var unreadable string
		if d.DatedAt, unreadable = r.date(); unreadable != "" && !slices.Contains(r.mismatched, unreadable) {
			d.TypeMismatches = append(d.TypeMismatches, unreadable)
		}
	}

	if readable || isEmpty(e.Timestamp) {
		// guard 3 ingest e2e: d.Digest = digest(nil)
		d.Digest = digest(e.Data)
	} else {
		// guard 3 e2e: d.Digest = digest(e.Data)
		d.Digest = digest(e.Data, e.Timestamp)
	}
	return d
}

// Unclear reports whether a call ended that was not ours to somebody else, and nothing
// we know says how: perhaps a caller whom nobody served.
func (d *Delivery) Unclear() bool { return d.Outcome == OutcomeUnknown && d.Direction != Outbound }

// Served reports whether an incoming call ended, and somebody answered it.
func (d *Delivery) Served() bool { return d.Outcome == Answered && d.Direction == Inbound }

// digest returns the first 16 hex digits of SHA-256 over the canonical forms.
func digest(values ...jsontext.Value) string {
	var canonical []byte
	for _, value := range values {
		// Integers stay as they are written: RFC 8785 would round two ids beyond
		// 2⁵³ to one number, and two events would share a digest. [Open] has
		// taken out duplicate names and invalid values.
		canonical, _ = jsontext.AppendFormat(canonical, value,
			// guard 3 ingest: jsontext.ReorderRawObjects(true), jsontext.CanonicalizeRawFloats(true), jsontext.CanonicalizeRawInts(true), jsontext.AllowDuplicateNames(true))
			// guard 4 e2e: jsontext.AllowDuplicateNames(true), jsontext.PreserveRawStrings(true))
			jsontext.ReorderRawObjects(true), jsontext.CanonicalizeRawFloats(true), jsontext.AllowDuplicateNames(true))
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:8])
}
