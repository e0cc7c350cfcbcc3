package table

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/ringback/ringback/events"
)

// This file builds every key that is written or looked up.

// Key is the primary key of an item.
type Key struct{ PK, SK string }

// timeLayout is UTC at a fixed width, so that times sort as text.
const timeLayout = "2006-01-02T15:04:05.000Z"

// noTime is the time in the key of an event that gives none of its own. The price:
// of two such events of one type with the same data, the second is taken for a
// redelivery of the first.
const noTime = "0000-00-00T00:00:00.000Z"

// The SK of every event begins with eventSort; the PK of one that belongs to no
// call, message or contact with eventPartition.
const eventSort, eventPartition = "EVENT#", "EVENT#"

// EventMark begins the SK of every event, as [AlertMark] that of an alert's mark.
const EventMark = eventSort

// WarmPartition is the PK and SK of an item that is never written: whoever starts reads it,
// to open a connection.
const WarmPartition = "WARM"

// Time returns at as keys and attributes have it.
func Time(at time.Time) string { return at.UTC().Format(timeLayout) }

// EventKey returns the key of a delivery's event, which is its dedupe key: the
// same for every delivery of the same event, whenever it arrives.
func EventKey(d *events.Delivery) Key {
	at := noTime
	if own := d.KeyTime(); !own.IsZero() {
		at = Time(own)
	}
	return Key{
		PK: entityPartition(d),
		SK: eventSort + at + "#" + keyPart(string(d.Type)) + "#" + d.Digest,
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
func ContactPartition(contactID string) string { return ContactSort + keyPart(contactID) }

// RejectedKey returns the key of a delivery that was refused.
func RejectedKey(receivedAt time.Time, body []byte) Key {
	return Key{PK: RejectedPartition(receivedAt), SK: Time(receivedAt) + "#" + BodyDigest(body)}
}

// RejectedPartition returns the PK of the deliveries refused on a day.
func RejectedPartition(day time.Time) string { return "REJECTED#" + date(day) }

// PhonePartition returns the GSI1PK of everything with a number, in the form of
// [events.PhoneNumber].
func PhonePartition(number string) string { return "PHONE#" + number }

// callerPartition begins the PK of everything about a person's number.
const callerPartition = "CALLER#"

// CallerPartition returns the PK of what is known of an outside number, in its
// canonical form: see package phone.
func CallerPartition(number string) string { return callerPartition + number }

// ContactSort begins the SK of a contact in a caller's partition. It is the
// contact's own partition.
const ContactSort = "CONTACT#"

// ContactKey returns the key of a contact in a caller's partition. contact is the
// PK of the contact's events.
func ContactKey(number, contact string) Key { return Key{PK: CallerPartition(number), SK: contact} }

// alertShards is how many partitions a day's list has, so that no partition's limit
// bounds how many missed calls can be stored. It never changes: what is stored stays
// where it is.
const alertShards = 4

const alertList, answeredList = "ALERT#", "ANSWERED#"

// AlertPartition returns the GSI2PK of an item with a key, which is one of those in
// [AlertPartitions]. All events of a call have the same.
func AlertPartition(key Key, day time.Time) string { return shardOf(alertList+date(day), key) }

// shardOf returns the shard of a list that has an item.
func shardOf(list string, key Key) string {
	return list + "#" + strconv.Itoa(int(crc32.ChecksumIEEE([]byte(key.PK))%alertShards))
}

// shards returns all shards of a list.
func shards(list string) (all []string) {
	for shard := range alertShards {
		all = append(all, list+"#"+strconv.Itoa(shard))
	}
	return all
}

// AlertPartitions returns the GSI2PKs of all missed calls and voicemails of a day, and
// of calls of unknown outcome. The last is of those that were stored before there were
// shards.
func AlertPartitions(day time.Time) []string {
	list := alertList + date(day)
	return append(shards(list), list)
}

// AnsweredPartitions returns the GSI2PKs of all incoming calls of a day that somebody
// answered.
func AnsweredPartitions(day time.Time) []string { return shards(answeredList + date(day)) }

// ListPartition returns the GSI2PK of an event, or "" if it is in none of its day's lists.
func ListPartition(d *events.Delivery, key Key, day time.Time) string {
	switch {
	// guard 3 table (ACallOfUnknown): case d.Kind.Alerts():
	case d.Kind.Alerts() && !d.Type.IsUpdate() || d.Unclear():
		return AlertPartition(key, day)
	// That a call was picked up is said again when it has ended.
	case d.Served() && !d.Type.IsUpdate() && d.Type.Name() != events.TypeCallAnswered:
		return shardOf(answeredList+date(day), key)
	}
	return ""
}

// IsAlertList reports whether a GSI2PK is one of those in [AlertPartitions].
func IsAlertList(partition string) bool { return strings.HasPrefix(partition, alertList) }

// followUpSort is the SK of a follow-up. Behind the "#" there is room for groups of lines.
const followUpSort = "FOLLOWUP#default"

// FollowUpKey returns the key of what is known of a caller who may wait to be called
// back: a canonical number, or a call whose number nobody knows.
func FollowUpKey(caller string) Key { return Key{PK: CallerPartition(caller), SK: followUpSort} }

// WaitingPartition is the GSI3PK of every follow-up that is open.
const WaitingPartition = "WAITING"

// NamesPartition is the GSI3PK of contacts that have a name or a company.
const NamesPartition = "NAMES"

// maxNameSort is how long a [NameSort] is, in bytes.
const maxNameSort = 500

// NameSort returns the GSI3SK of a contact: its name and company in small letters, "" if it
// has neither.
func NameSort(name, company string) string {
	text := strings.ToLower(strings.Join(strings.Fields(name+" "+company), " "))
	return strings.ToValidUTF8(text[:min(len(text), maxNameSort)], "")
}

// WaitingSince returns the query for the callers who have waited since a time or later,
// those first who wait longest.
func WaitingSince(at time.Time) Query {
	return Query{Index: GSI3, Partition: WaitingPartition, From: Time(at)}
}

// WaitingSort returns the GSI3SK of a follow-up with a key that has been open since a
// time.
func WaitingSort(followUp Key, since time.Time) string {
	return Time(since) + "#" + CallerOf(followUp)
}

// AlertMark begins the SK of every mark; the kind of alert follows.
const AlertMark = "ALERT#"

// AlertKey returns the key of the mark that records a published alert. It is in
// the event's partition. A call has one mark for each kind of alert, however many
// events report it; an event of no known call has a mark of its own.
func AlertKey(event Key, kind events.Kind) Key {
	// guard 2 alert alerts e2e (EventsOf|StoredOnceAlerted): key := Key{PK: event.PK, SK: AlertMark + string(kind) + event.SK}
	key := Key{PK: event.PK, SK: AlertMark + string(kind)}
	if strings.HasPrefix(event.PK, eventPartition) {
		key.SK += "#" + strings.TrimPrefix(event.SK, eventSort)
	}
	return key
}

// CallOf names the call of an event. The events of one call share the name; an
// event of no known call has one of its own.
func CallOf(event Key) string {
	mark := AlertKey(event, "")
	return mark.PK + " " + mark.SK
}

// Marks that stand beside the mark of an alert begin with its key.
const (
	publishingMark = "#publishing"
	returnedMark   = "#returned"
	returningMark  = "#returning"
	skippedMark    = "#skipped"
	twinMark       = "#twin"
)

// PublishingKey returns the key of the mark that names who publishes an alert, before
// it is published.
func PublishingKey(event Key, kind events.Kind) Key { return beside(event, kind, publishingMark) }

// ReturnedKey returns the key of the mark that records that an alert was taken back.
func ReturnedKey(event Key, kind events.Kind) Key { return beside(event, kind, returnedMark) }

// ToldKey returns the key of the mark that records that one of the messages by which
// an alert is taken back was sent, while another was not.
func ToldKey(event Key, kind, message events.Kind) Key {
	return beside(event, kind, returnedMark+"#"+string(message))
}

// ReturningKey returns the key of the mark that names who takes an alert back, before
// it is taken back.
func ReturningKey(event Key, kind events.Kind) Key { return beside(event, kind, returningMark) }

// SkippedKey returns the key of the mark that records that an alert was not published,
// for a reason that is no other call's.
func SkippedKey(event Key, kind events.Kind, reason string) Key {
	return beside(event, kind, skippedMark+"#"+reason)
}

// TwinKey returns the key of the mark that records that another call of the same
// ring speaks for this one, which therefore alerts nobody.
func TwinKey(event Key, kind events.Kind) Key { return beside(event, kind, twinMark) }

func beside(event Key, kind events.Kind, mark string) Key {
	key := AlertKey(event, kind)
	key.SK += mark
	return key
}

// AlertKind returns the kind of alert that a mark's key records.
func AlertKind(mark Key) events.Kind {
	kind, _, _ := strings.Cut(strings.TrimPrefix(mark.SK, AlertMark), "#")
	return events.Kind(kind)
}

// AlertMarks returns the query for the marks that matter to the alerts of an
// event: all those of its call.
func AlertMarks(event Key, kind events.Kind) Query {
	if OfNoCall(event) {
		return Query{Partition: event.PK, SortPrefix: AlertKey(event, kind).SK}
	}
	return Query{Partition: event.PK, SortPrefix: AlertMark}
}

// OfNoCall reports whether an event belongs to no known call, message or contact.
// Its partition has all such events of its type.
func OfNoCall(event Key) bool { return strings.HasPrefix(event.PK, eventPartition) }

// SourceOf names what an event is about, as follow-ups do: by the partition of its call,
// message or contact, or, if it is of none, by its own key.
func SourceOf(event Key) string {
	if OfNoCall(event) {
		return event.PK + " " + event.SK
	}
	return event.PK
}

// SourceKey returns what [SourceOf] names: the partition, and of an event of no call its SK
// as well.
func SourceKey(source string) Key {
	key := Key{PK: source}
	if at := strings.Index(source, " "+EventMark); at > 0 && OfNoCall(key) {
		key = Key{PK: source[:at], SK: source[at+1:]}
	}
	return key
}

// EventType returns the type of an event as it was sent, but of one that is absurdly
// long its hash.
func EventType(item Item) string {
	if typ := Text(item, Event); typ != "" {
		return typ
	}
	// The digest at the end has no "#".
	rest := strings.TrimPrefix(Text(item, SK), eventSort)
	if at, end := len(timeLayout)+1, strings.LastIndexByte(rest, '#'); at < end {
		return rest[at:end]
	}
	return ""
}

// IsEvent reports whether an item's key is that of an event.
func IsEvent(key Key) bool { return strings.HasPrefix(key.SK, eventSort) }

// IsNews reports whether a new item with this key is for the consumers of the stream: an
// event, or a hand act. template.yaml says the same.
func IsNews(key Key) bool { return IsEvent(key) || IsAct(key) }

// KeyTime returns the time in an event's key, which the event itself gives, or zero
// if it gives none.
func KeyTime(event Key) time.Time {
	text := strings.TrimPrefix(event.SK, eventSort)
	at, err := time.Parse(timeLayout, text[:min(len(text), len(timeLayout))])
	if err != nil {
		return time.Time{}
	}
	return at
}

const (
	ringSort     = "RING#"
	spellingSort = "SPELLING#"
)

// SpellingKey returns the key of the item that names another [PhonePartition] of a
// caller.
func SpellingKey(caller, phone string) Key {
	return Key{PK: CallerPartition(caller), SK: spellingSort + phone}
}

// Ring names the calls that are one: the phones of a ring group, each with a call of
// its own, or a call that JustCall names by two ids. They have the caller, in
// canonical form, the line, and the second in which they began in common.
type Ring struct {
	Caller, Line string
	Start        time.Time
}

// Known reports whether anything is missing, so that nothing can be said about other
// calls.
func (r Ring) Known() bool { return r.Caller != "" && r.Line != "" && !r.Start.IsZero() }

// Written returns the ring as its items' keys have it, and so as [ReadSeat] returns it:
// two rings are one if that is equal. It is the zero Ring if the ring is not known.
func (r Ring) Written() Ring {
	if !r.Known() {
		return Ring{}
	}
	s, _ := ReadSeat(Seat{Ring: r}.Key())
	return s.Ring
}

// Expires returns when the table may delete the ring's items.
func (r Ring) Expires() time.Time { return r.Start.Add(ringKeptFor) }

// prefix returns what the keys of the ring's items have in common.
func (r Ring) prefix() Key {
	return Key{
		PK: CallerPartition(r.Caller),
		SK: ringSort + keyPart(r.Line) + "#" + r.Start.UTC().Format(ringLayout) + "#",
	}
}

// Recent returns the query for the items of the caller's rings on this line in the span
// up to this one, the newest first.
func (r Ring) Recent(span time.Duration) Query {
	line := ringSort + keyPart(r.Line) + "#"
	return Query{
		Partition:   CallerPartition(r.Caller),
		From:        line + r.Start.Add(-span).UTC().Format(ringLayout),
		To:          line + r.Start.UTC().Format(ringLayout) + "#~",
		NewestFirst: true,
		Limit:       historyPage,
	}
}

// Until returns the query for the items of the rings of the same caller and line that
// began at the ring's start, or later and not after last.
func (r Ring) Until(last time.Time) Query {
	first := r.prefix()
	r.Start = last
	return Query{Partition: first.PK, From: first.SK, To: max(first.SK, r.prefix().SK) + "~"}
}

const ringLayout = "2006-01-02T15:04:05Z"

// Seat is a call's place in a ring: it is the N-th, from 1, of the calls that do
// something, which What names.
type Seat struct {
	Ring

	What string
	N    int
}

// Key returns the key of the item that names the call.
func (s Seat) Key() Key {
	key := s.prefix()
	key.SK += fmt.Sprintf("%s#%03d", s.What, s.N)
	return key
}

// ReadSeat reads the key of a seat. ok is false if it is another item's.
func ReadSeat(key Key) (s Seat, ok bool) {
	rest, ok := strings.CutPrefix(key.SK, ringSort)
	var parts [3]string // start, what and number; the line may hold anything
	for i := len(parts) - 1; i >= 0; i-- {
		at := strings.LastIndexByte(rest, '#')
		if at < 0 {
			return Seat{}, false
		}
		rest, parts[i] = rest[:at], rest[at+1:]
	}
	start, err := time.Parse(ringLayout, parts[0])
	n, numErr := strconv.Atoi(parts[2])
	if !ok || err != nil || numErr != nil {
		return Seat{}, false
	}
	return Seat{Ring{strings.TrimPrefix(key.PK, callerPartition), rest, start}, parts[1], n}, true
}

// historyPage is how many items of a caller are read at once. Hardly anybody has more. For
// somebody who calls all the time, alerts would otherwise cost more with each call.
const historyPage = 100

// CallerHistory returns the query for a caller's contacts, follow-up and rings, in pages.
func CallerHistory(caller string) Query {
	return Query{Partition: CallerPartition(caller), From: ContactSort, To: ringSort + "~", Limit: historyPage}
}

// CallerState returns the query for what stands behind the contacts in [CallerHistory].
func CallerState(caller string) Query {
	return Query{Partition: CallerPartition(caller), From: followUpSort, To: ringSort + "~", Limit: historyPage}
}

// LogPartition returns a PK in the form that may be logged. Ids are JustCall's
// own; but the name of an unregistered type is the sender's, and is left out. So is
// a caller's number.
func LogPartition(pk string) string {
	if strings.HasPrefix(pk, callerPartition) {
		return callerPartition
	}
	// guard 8 ingest e2e: if typ, ok := strings.CutPrefix(pk, eventPartition); ok && typ == "" {
	if typ, ok := strings.CutPrefix(pk, eventPartition); ok && !events.Type(typ).Registered() {
		return eventPartition + "unregistered"
	}
	return pk
}

func date(at time.Time) string { return at.UTC().Format(time.DateOnly) }

// BodyDigest returns the first 16 hex digits of SHA-256 over a body as received.
// It names a delivery that could not be decoded.
func BodyDigest(body []byte) string {
	d := NewBodyDigest()
	_, _ = d.Write(body) // a hash takes every write
	return d.String()
}

// Digest is a hash whose String is a [BodyDigest] of what was written to it.
type Digest struct{ hash.Hash }

// NewBodyDigest returns a Digest to which nothing was written yet.
func NewBodyDigest() Digest { return Digest{sha256.New()} }

// String returns the digest of what was written so far.
func (d Digest) String() string { return hex.EncodeToString(d.Sum(nil)[:8]) }

// maxKeyPart is the longest text, in bytes, that a key contains as it is. Real ids
// and types have a tenth of it, and a key that contains two stays far below
// DynamoDB's 1024 bytes for a sort key.
const maxKeyPart = 400

// keyPart returns text as a part of a key. Control characters, which no terminal
// or console shows, are percent-encoded; a text that is too long is replaced by its
// hash. Two texts never give the same part, unless one is itself such a hash.
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
