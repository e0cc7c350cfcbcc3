package table

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table/attr"
)

// The attributes of an item, other than its keys and the documented members of
// its data, which keep their names. Adding one takes a constant here, a line in
// [EventItem], and a line in docs/table.md.
const (
	Alert          = "alert"           // of an earlier version: see AlertOf
	AlertedAt      = "alerted_at"      // UTC, milliseconds; on marks only
	Damage         = "damage"          // what was odd about the body; see events.DamageWords
	Call           = "call"            // PK of another call's events; on marks and ring items only
	EmptiedAt      = "emptied_at"      // UTC, milliseconds; on events that were erased
	Direction      = "direction"       // as sent, or events.Direction; see DirectionOf
	Event          = "event"           // the event type as sent, if it is another than in the key; see EventType
	EventSort      = "event_key"       // SK of the event that was published, or of the other call; on marks and ring items only
	Format         = "format"          // of an earlier version: the wire format, which the payload tells
	FoundBy        = "found_by"        // what brought the event, if no webhook did: see FoundByReconcile
	Kind           = "kind"            // events.Kind
	NewFields      = "new_fields"      // members that no document mentions
	OccurredAt     = "occurred_at"     // UTC, milliseconds
	Outcome        = "outcome"         // events.Outcome, of calls that ended
	Packed         = "packed"          // the body as received, as far as the members do not say it; see PayloadOf
	Payload        = "payload"         // the body as received, where it is not packed; see PayloadOf
	PayloadCoding  = "payload_coding"  // "gzip" where payload is compressed
	PayloadOnly    = "only_in_payload" // documented members too large or too deep for an attribute
	Reason         = "reason"          // why a delivery was rejected, or an alert not sent or taken back
	ReceivedAt     = "received_at"     // UTC, milliseconds
	ReturnedAt     = "returned_at"     // UTC, milliseconds; on marks only
	TypeMismatches = "type_mismatches" // documented members of another type than documented
)

// The attributes of a contact in the partition of a caller, beside [Version].
const (
	Blocked      = "blocked"
	Company      = "company"
	DoNotDisturb = "dnd"
	Name         = "name"
	OtherNumbers = "other_numbers" // the contact's, in the form that all spellings share, with blanks between them
	Removed      = "removed"       // the contact no longer has this number
	UpdatedAt    = "updated_at"    // when the contact last changed: its latest event's OccurredAt
)

// The attributes of a follow-up, beside [Name], [Company], [Outcome] of the latest call,
// [Call], and others that are in no index. GSI3 has all of these, and no index can be
// changed: what an open follow-up is listed with must be one of them.
const (
	State        = "state"
	Since        = "since"         // when the first unserved call began
	Latest       = "latest"        // when the latest one began
	Count        = "count"         // how many there are
	Attempts     = "attempts"      // how often we have called back in vain
	Level        = "level"         // the last reminder that people were sent, from 1
	Claim        = "claim"         // who has claimed it
	ClaimedUntil = "claimed_until" // and until when
	SnoozedUntil = "snoozed_until"
	Line         = "line"          // the first call's
	LineName     = "line_name"     // the first call's
	CallerName   = "caller_name"   // JustCall's for the caller, if no contact has one
	Words        = "words"         // the latest voicemail's
	RecordingURL = "recording_url" // the latest voicemail's
	OtherNumber  = "other_number"  // of the same contact, which has talked with us since
)

// Agent is who ended the wait, on a follow-up of which nobody waits.
const Agent = "agent"

// What brings events that no webhook did. What is imported is history: no consumer sees
// it.
const (
	FoundByReconcile = "reconcile"
	FoundByImport    = "import"
)

// End is when a call ended, on items about a whole call. GSI2 has room for it.
const End = "end"

const (
	// inlinePayload is the largest payload, in bytes, that is kept as text.
	inlinePayload = 8 << 10
	codingGzip    = "gzip"
	// maxPayload bounds what a stored payload may unpack to. Lambda passes on no
	// body of more than 6 MB.
	maxPayload = 16 << 20
	// maxNamed bounds how many names TypeMismatches and NewFields list.
	maxNamed = 32
	// rejectedFor is how long a rejected delivery is kept.
	rejectedFor = 30 * 24 * time.Hour
	// ringKeptFor is how long the calls of a ring are known to be one. A delivery may
	// wait fourteen days in the spill queue.
	ringKeptFor = 15 * 24 * time.Hour
)

// EventItem returns the item of a delivery. sent is the time in the request's
// timestamp header, or zero; [events.Delivery.OccurredAt] says when it counts. The
// item may still be too large for the table, if its payload is: [Store.Put]
// refuses it then.
func EventItem(d *events.Delivery, sent, received time.Time) Item {
	occurred := d.OccurredAt(sent, received)
	key := EventKey(d)
	item := make(Item, len(d.Fields)+16)
	var payloadOnly []string
	for _, field := range d.Fields {
		if v, ok := attribute(field.Value); ok {
			item[field.Name] = v
		} else {
			payloadOnly = append(payloadOnly, field.Name)
		}
	}
	item[PK] = str(key.PK)
	item[SK] = str(key.SK)
	if name := eventName(d.Type); name != keyPart(string(d.Type)) {
		item[Event] = str(name)
	}
	item[Kind] = str(string(d.Kind))
	item[OccurredAt] = str(Time(occurred))
	item[ReceivedAt] = str(Time(received))
	if d.Phone != "" {
		item[GSI1PK] = str(PhonePartition(d.Phone))
	}
	if d.Outcome != "" {
		item[Outcome] = str(string(d.Outcome))
	}
	addDirection(item, d)
	if list := ListPartition(d, key, occurred); list != "" {
		item[GSI2PK] = str(list)
	}
	// guard 3 ingest e2e:
	addNames(item, TypeMismatches, d.TypeMismatches)
	// guard 3 ingest e2e:
	addNames(item, NewFields, d.NewFields)
	addNames(item, Damage, d.Damage)
	addNames(item, PayloadOnly, payloadOnly)
	// guard 1 ingest e2e (200Means):
	addBody(item, d)
	// The item is sized here to be cut, and once more by [Check], which must not trust
	// that it was.
	if size := Size(item); size > largestItem {
		delete(item, Packed) // with members in it that are not attributes any more
		addPayload(item, d.Body, isText(d))
		addNames(item, PayloadOnly, append(payloadOnly, dropLargest(item, d.Fields)...))
		addDirection(item, d) // what told it may be gone
	}
	return item
}

// callInfo is the member of format B that tells the direction of a call, and that the
// indexes have, too.
const callInfo = "call_info"

// addDirection adds the direction to an item that does not tell it.
func addDirection(item Item, d *events.Delivery) {
	if _, sent := item[Direction]; !sent && DirectionOf(item) != d.Direction {
		item[Direction] = str(string(d.Direction))
	}
}

// DirectionOf returns the direction of an event, "" if its item does not tell it.
func DirectionOf(item Item) events.Direction {
	text := Text(item, Direction) // guard 3 table (AnItemOfAnEarlier): text := ""
	if text == "" {
		info, _ := item[callInfo].(attr.Map)
		text = Text(Item(info), Direction)
	}
	switch {
	case len(text) >= len("in") && strings.EqualFold(text[:len("in")], "in"):
		return events.Inbound
	case len(text) >= len("out") && strings.EqualFold(text[:len("out")], "out"):
		return events.Outbound
	}
	return ""
}

// largestItem leaves space for the list of what is [PayloadOnly].
const largestItem = MaxItemSize - 4<<10

// isText reports whether a body is UTF-8. Only a damaged one may not be.
func isText(d *events.Delivery) bool { return len(d.Damage) == 0 || utf8.Valid(d.Body) }

// addBody adds the body of an event to an item that has all else.
func addBody(item Item, d *events.Delivery) {
	if packed := pack(item, d.Body); packed != nil && len(packed) <= inlinePayload {
		item[Packed] = attr.Binary(packed)
		return
	}
	addPayload(item, d.Body, isText(d))
}

// AlertOf returns the kind of alert that an event asks for, "" if it asks for none.
func AlertOf(item Item) events.Kind {
	if alert, ok := item[Alert]; ok { // of an earlier version
		text, _ := alert.(attr.String)
		return events.Kind(text)
	}
	if kind := events.Kind(Text(item, Kind)); kind.Alerts() {
		return kind
	}
	return ""
}

// eventName returns the type as sent, or, of one that is absurdly long, its hash
// as in the key. The payload has it whole.
func eventName(t events.Type) string {
	if len(t) > maxKeyPart {
		return keyPart(string(t))
	}
	return string(t)
}

// Rejection is a delivery that came with the right token and was refused.
type Rejection struct {
	// Reason says why, in our own words and without content.
	Reason string
	// Body is what arrived, whatever it is.
	Body []byte
	// Headers are those that show an operator why: signature, timestamp, content
	// type. Their values are UTF-8, and none is empty.
	Headers map[string]string
}

// RejectedItem returns the item that keeps a rejection for 30 days.
func RejectedItem(r Rejection, received time.Time) Item {
	key := RejectedKey(received, r.Body)
	item := Item{
		PK:         str(key.PK),
		SK:         str(key.SK),
		Reason:     str(r.Reason),
		ReceivedAt: str(Time(received)),
		ExpiresAt:  num(strconv.FormatInt(received.Add(rejectedFor).Unix(), 10)),
	}
	if len(r.Headers) > 0 {
		headers := make(attr.Map, len(r.Headers))
		for name, value := range r.Headers {
			headers[name] = str(value)
		}
		item["headers"] = headers
	}
	// guard 5 ingest e2e: addPayload(item, nil, utf8.Valid(r.Body))
	addPayload(item, r.Body, utf8.Valid(r.Body))
	return item
}

// AlertedItem returns the mark that records that the alert of an event was
// published.
func AlertedItem(event Key, kind events.Kind, occurred, published time.Time) Item {
	key := AlertKey(event, kind)
	mark := Item{
		PK:        str(key.PK),
		SK:        str(key.SK),
		EventSort: str(event.SK),
		AlertedAt: str(Time(published)),
	}
	if !occurred.IsZero() {
		mark[OccurredAt] = str(Time(occurred))
		// What only adds to a call is not in the day's list itself. If there was nothing
		// else to alert of, the mark is.
		if events.Type(EventType(Item{SK: str(event.SK)})).IsUpdate() {
			listMark(mark, event, occurred)
		}
	}
	return mark
}

// listMark puts a mark into the list of the day of its event.
func listMark(mark Item, event Key, occurred time.Time) {
	mark[OccurredAt] = str(Time(occurred))
	mark[GSI2PK] = str(AlertPartition(event, occurred))
}

// PublishingItem returns the mark that names the call on whose account an alert is
// published.
func PublishingItem(event Key, kind events.Kind, by Key) Item {
	return accountItem(PublishingKey(event, kind), by)
}

// ReturningItem returns the mark that names the call on whose account an alert is taken
// back, and says why and since when.
func ReturningItem(event Key, kind events.Kind, reason string, by Key, at time.Time) Item {
	item := accountItem(ReturningKey(event, kind), by)
	item[Reason], item[ReturnedAt] = str(reason), str(Time(at))
	return item
}

func accountItem(key, by Key) Item {
	return Item{PK: str(key.PK), SK: str(key.SK), Call: str(by.PK), EventSort: str(by.SK)}
}

// ReturnedItem returns the mark that records that an alert was taken back, and why. It
// is in the list of the event's day, if the event gives its time.
func ReturnedItem(event Key, kind events.Kind, reason string, at time.Time) Item {
	mark := returnedItem(ReturnedKey(event, kind), reason, at)
	if occurred := KeyTime(event); !occurred.IsZero() {
		listMark(mark, event, occurred)
	}
	return mark
}

// SettledItem returns the mark that records that an alert was taken back because the
// caller was served since. It is in no list: the call was missed all the same.
func SettledItem(event Key, kind events.Kind, reason string, at time.Time) Item {
	return returnedItem(ReturnedKey(event, kind), reason, at)
}

// ToldItem returns the mark with a [ToldKey].
func ToldItem(event Key, kind, message events.Kind, reason string, at time.Time) Item {
	return returnedItem(ToldKey(event, kind, message), reason, at)
}

func returnedItem(key Key, reason string, at time.Time) Item {
	return Item{PK: str(key.PK), SK: str(key.SK), Reason: str(reason), ReturnedAt: str(Time(at))}
}

// SkippedItem returns the mark with a [SkippedKey].
func SkippedItem(event Key, kind events.Kind, reason string) Item {
	key := SkippedKey(event, kind, reason)
	return Item{PK: str(key.PK), SK: str(key.SK), Reason: str(reason)}
}

// TwinItem returns the mark that records which other call of the ring speaks for the
// event's, and why that one does. It is in the list of the event's day as well.
func TwinItem(event Key, kind events.Kind, reason string, other Key) Item {
	item := accountItem(TwinKey(event, kind), other)
	item[Reason] = str(reason)
	if occurred := KeyTime(event); !occurred.IsZero() {
		listMark(item, event, occurred)
	}
	return item
}

// SeatItem returns the item that gives a call a seat, at a time. The call is named by
// one of its events.
func SeatItem(s Seat, event Key, at time.Time) Item {
	key := s.Key()
	if at.Before(s.Start) { // its clock is ahead
		at = s.Start
	}
	return Item{
		PK:        str(key.PK),
		SK:        str(key.SK),
		Call:      str(event.PK),
		EventSort: str(event.SK),
		ExpiresAt: num(strconv.FormatInt(at.Add(ringKeptFor).Unix(), 10)),
	}
}

// Other returns the key of the event by which a mark or a ring's item names a call.
func Other(item Item) Key { return Key{PK: Text(item, Call), SK: Text(item, EventSort)} }

// SpellingItem returns the item with a [SpellingKey], which says all there is to say.
func SpellingItem(key Key) Item {
	return Item{PK: str(key.PK), SK: str(key.SK)}
}

// EnvelopeOf opens the body of an item. It wraps the errors of [PayloadOf] and
// [events.Open].
func EnvelopeOf(item Item) (*events.Envelope, error) {
	body, err := PayloadOf(item)
	if err != nil {
		return nil, err
	}
	envelope, err := events.Open(body)
	if err != nil {
		return nil, fmt.Errorf("open payload: %w", err)
	}
	return envelope, nil
}

// EmptiedItem returns an event of which only the key is left, and when it was emptied, in place
// of the version was, for [Store.Update]. A delivery of the same event finds it there, and is
// taken for a redelivery.
func EmptiedItem(event Item, at time.Time) (item Item, was int64) {
	key := KeyOf(event)
	if was = VersionOf(event); was == 0 {
		was = Unversioned
	}
	item = Item{
		PK: str(key.PK), SK: str(key.SK), EmptiedAt: str(Time(at)), Version: num(strconv.FormatInt(max(was, 0)+1, 10)),
	}
	if expires, ok := event[ExpiresAt]; ok {
		item[ExpiresAt] = expires
	}
	return item, was
}

// UnlistedItem returns a mark that is in no list any more, in place of the version was.
func UnlistedItem(mark Item) (item Item, was int64) {
	if was = VersionOf(mark); was == 0 {
		was = Unversioned
	}
	item = maps.Clone(mark)
	delete(item, GSI2PK)
	item[Version] = num(strconv.FormatInt(max(was, 0)+1, 10))
	return item, was
}

// PayloadOf returns the body of an item as it was received.
func PayloadOf(item Item) ([]byte, error) {
	if packed, ok := item[Packed].(attr.Binary); ok {
		body, err := unpack(item, packed)
		if err != nil {
			return nil, fmt.Errorf("unpack payload: %w", err)
		}
		return body, nil
	}
	var payload []byte
	switch v := item[Payload].(type) {
	case attr.String:
		payload = []byte(v)
	case attr.Binary:
		payload = v
	}
	if Text(item, PayloadCoding) != codingGzip {
		return payload, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(payload))
	if err != nil {
		return nil, fmt.Errorf("unpack payload: %w", err)
	}
	payload, err = io.ReadAll(io.LimitReader(r, maxPayload))
	if err != nil {
		return nil, fmt.Errorf("unpack payload: %w", err)
	}
	return payload, nil
}

// addPayload adds the body: compressed if it is large, else as a string if it is
// text, which is UTF-8.
func addPayload(item Item, body []byte, text bool) {
	switch {
	case len(body) > inlinePayload:
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		_, _ = w.Write(body) // a buffer takes every write
		_ = w.Close()
		item[Payload] = attr.Binary(packed.Bytes())
		item[PayloadCoding] = str(codingGzip)
	case text:
		item[Payload] = str(string(body))
	default:
		item[Payload] = attr.Binary(body)
	}
}

// dropLargest takes the largest documented members out of an item that is too
// large for the table, until it fits, and returns their names. They stay whole in
// the payload, which compresses where attributes do not.
func dropLargest(item Item, fields []events.Field) (names []string) {
	size := Size(item)
	bySize := slices.Clone(fields)
	slices.SortStableFunc(bySize, func(a, b events.Field) int { return cmp.Compare(len(b.Value), len(a.Value)) })
	for _, field := range bySize {
		v, ok := item[field.Name]
		if !ok {
			continue
		}
		if size <= largestItem {
			break
		}
		size -= len(field.Name) + sizeOf(v)
		delete(item, field.Name)
		names = append(names, field.Name)
	}
	return names
}

func addNames(item Item, attribute string, names []string) {
	if len(names) == 0 {
		return
	}
	names = names[:min(len(names), maxNamed)]
	list := make(attr.List, len(names))
	for i, name := range names {
		const longest = 64 // bytes; a name is for a person to read
		if len(name) > longest {
			name = string(bytes.ToValidUTF8([]byte(name[:longest]), nil)) + "…"
		}
		list[i] = str(name)
	}
	item[attribute] = list
}

// attribute converts a JSON value to an attribute of the same type. It reports
// false for what no attribute can hold, such as nesting of more than 32 levels or
// an empty name.
func attribute(value jsontext.Value) (attr.Value, bool) {
	switch value.Kind() {
	case '"':
		if bytes.IndexByte(value, '\\') < 0 {
			return str(string(value[1 : len(value)-1])), true
		}
	case '0':
		return number(string(value)), true
	case 't', 'f':
		return attr.Bool(value.Kind() == 't'), true
	default:
	}
	// [events.Open] has made sure that no name is repeated.
	v, err := decodeAttribute(jsontext.NewDecoder(bytes.NewBuffer(value), jsontext.AllowDuplicateNames(true)), 0)
	return v, err == nil
}

// decodeAttribute reads a value at a depth of lists and maps. The error is the
// decoder's, or wraps [ErrValue] for what [Check] would refuse.
func decodeAttribute(dec *jsontext.Decoder, depth int) (attr.Value, error) {
	token, err := dec.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case '"':
		return str(token.String()), nil
	case '0':
		return number(token.String()), nil
	case 't', 'f':
		return attr.Bool(token.Bool()), nil
	case '{':
		if depth == maxDepth {
			return nil, ErrValue
		}
		members := attr.Map{}
		for dec.PeekKind() != '}' {
			name, err := dec.ReadToken()
			if err != nil {
				return nil, err
			}
			text := name.String() // the token is good only until the next read
			if text == "" || len(text) > maxName {
				return nil, ErrValue
			}
			if members[text], err = decodeAttribute(dec, depth+1); err != nil {
				return nil, err
			}
		}
		_, err := dec.ReadToken()
		return members, err
	case '[':
		if depth == maxDepth {
			return nil, ErrValue
		}
		elements := attr.List{}
		for dec.PeekKind() != ']' {
			element, err := decodeAttribute(dec, depth+1)
			if err != nil {
				return nil, err
			}
			elements = append(elements, element)
		}
		_, err := dec.ReadToken()
		return elements, err
	default:
		return attr.Null{}, nil
	}
}

// number returns a number if the table can hold it exactly, else a string: JSON
// has no limits, DynamoDB has 38 digits.
func number(text string) attr.Value {
	if attr.CheckNumber(text) != nil {
		return str(text)
	}
	return num(text)
}

func str(text string) attr.Value { return attr.String(text) }

func num(text string) attr.Value { return attr.Number(text) }
