package table

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
	"time"
	"unicode"

	"github.com/ringback/ringback/events"
)

// Every key that is ever written or looked up is built in this file.

// Key is the primary key of an item.
type Key struct{ PK, SK string }

// timeLayout is UTC at a fixed width, so that times sort as text.
const timeLayout = "2006-01-02T15:04:05.000Z"

// noTime stands in a key for the time of an event whose data tells none. No
// clock and no request id may stand there, or a redelivery could make another
// key. The price: of two such events of one type with the same data, the second
// is taken for a redelivery of the first.
const noTime = "0000-00-00T00:00:00.000Z"

// What the SK of every event begins with, and the PK of those that belong to
// no call, message or contact.
const eventSort, eventPartition = "EVENT#", "EVENT#"

// Time writes at as it stands in keys and attributes.
func Time(at time.Time) string { return at.UTC().Format(timeLayout) }

// EventKey returns the key of a delivery's event, which is its dedupe key: the
// same for every delivery of the same event, whenever it arrives.
func EventKey(d *events.Delivery) Key {
	occurredAt := noTime
	if !d.OccurredAt.IsZero() && !d.FromRequestID {
		occurredAt = Time(d.OccurredAt)
	}
	return Key{
		PK: entityPartition(d),
		SK: eventSort + occurredAt + "#" + keyPart(string(d.Type)) + "#" + d.Digest,
	}
}

func entityPartition(d *events.Delivery) string {
	switch d.Entity {
	case events.EntityCall:
		return CallPartition(d.ID)
	case events.EntityMessage:
		return MessagePartition(d.ID)
	case events.EntityContact:
		return ContactPartition(d.ID)
	case events.EntityNone:
	}
	return eventPartition + keyPart(string(d.Type))
}

// CallPartition returns the PK of a call's events, its voicemail among them.
func CallPartition(callID string) string { return "CALL#" + keyPart(callID) }

// MessagePartition returns the PK of a message's events.
func MessagePartition(messageID string) string { return "MESSAGE#" + keyPart(messageID) }

// ContactPartition returns the PK of a contact's events.
func ContactPartition(contactID string) string { return "CONTACT#" + keyPart(contactID) }

// RejectedKey returns the key of a delivery that was refused.
func RejectedKey(receivedAt time.Time, body []byte) Key {
	return Key{PK: RejectedPartition(receivedAt), SK: Time(receivedAt) + "#" + BodyDigest(body)}
}

// RejectedPartition returns the PK of what was refused on a day.
func RejectedPartition(day time.Time) string { return "REJECTED#" + date(day) }

// PhonePartition returns the GSI1PK of everything with a number, as
// [events.PhoneNumber] writes it.
func PhonePartition(number string) string { return "PHONE#" + number }

// phoneSort returns the GSI1SK of an event.
func phoneSort(d *events.Delivery, at time.Time) string {
	return Time(at) + "#" + keyPart(string(d.Type))
}

// AlertPartition returns the GSI2PK of a day's missed calls and voicemails.
func AlertPartition(day time.Time) string { return "ALERT#" + date(day) }

// alertSort returns the GSI2SK of a missed call or voicemail.
func alertSort(d *events.Delivery, at time.Time) string {
	return Time(at) + "#" + keyPart(d.ID)
}

// AlertMark begins the SK of every mark; the kind follows.
const AlertMark = "ALERT#"

// AlertKey returns the key of the mark that says that an alert was published.
// It stands beside the event. A call has one mark for each kind of alert,
// however many events say that it was missed; what happened to no known call
// is marked event by event.
func AlertKey(event Key, kind events.Kind) Key {
	key := Key{PK: event.PK, SK: AlertMark + string(kind)}
	if strings.HasPrefix(event.PK, eventPartition) {
		key.SK += "#" + strings.TrimPrefix(event.SK, eventSort)
	}
	return key
}

// CallOf names the call of an event: alike for all of its events, and apart for
// each event of no known call.
func CallOf(event Key) string {
	mark := AlertKey(event, "")
	return mark.PK + " " + mark.SK
}

// AlertMarks returns the query for the marks beside an event that bear on its
// alerts.
func AlertMarks(event Key, kind events.Kind) Query {
	if strings.HasPrefix(event.PK, eventPartition) {
		return Query{Partition: event.PK, SortPrefix: AlertKey(event, kind).SK}
	}
	return Query{Partition: event.PK, SortPrefix: AlertMark}
}

// LogPartition returns a PK as it may be logged. It holds ids that JustCall
// made; but the name of a type that is not registered is the sender's, and
// stays out.
func LogPartition(pk string) string {
	if typ, ok := strings.CutPrefix(pk, eventPartition); ok && !events.Type(typ).Registered() {
		return eventPartition + "unregistered"
	}
	return pk
}

func date(at time.Time) string { return at.UTC().Format(time.DateOnly) }

// BodyDigest returns the first 16 hex digits of SHA-256 over a body as
// received: what names a delivery that could not be decoded.
func BodyDigest(body []byte) string {
	d := NewBodyDigest()
	_, _ = d.Write(body) // a hash takes every write
	return d.String()
}

// Digest makes a [BodyDigest] of what is written to it.
type Digest struct{ hash.Hash }

// NewBodyDigest returns the digest of nothing yet.
func NewBodyDigest() Digest { return Digest{sha256.New()} }

// String returns the digest of what was written so far.
func (d Digest) String() string { return hex.EncodeToString(d.Sum(nil)[:8]) }

// maxKeyPart is the longest text, in bytes, that a key takes as it is. Real ids
// and types have a tenth of it, and every key that holds two stays far below
// DynamoDB's 1024 bytes for a sort key.
const maxKeyPart = 400

// keyPart makes of any text a part of a key. Control characters, which no
// terminal or console shows, are percent-encoded; what is too long is named by
// its hash. Two texts never give the same part, unless one is itself written
// as such a hash.
func keyPart(text string) string {
	if strings.IndexFunc(text, needsEncoding) >= 0 {
		var b strings.Builder
		for _, r := range text {
			if needsEncoding(r) {
				fmt.Fprintf(&b, "%%%02X", r)
				continue
			}
			b.WriteRune(r)
		}
		text = b.String()
	}
	if len(text) > maxKeyPart {
		sum := sha256.Sum256([]byte(text))
		return "sha256-" + hex.EncodeToString(sum[:])
	}
	return text
}

func needsEncoding(r rune) bool { return unicode.IsControl(r) || r == '%' }
