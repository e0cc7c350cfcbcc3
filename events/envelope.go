package events

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is how deep a body's objects and arrays may nest, the body itself
// being level 1. Documented payloads need 5.
const MaxDepth = 64

// Envelope is a delivery whose data has not been read yet.
type Envelope struct {
	Format Format
	// Type is the event's name as sent. A probe may have none, and so may an event
	// whose members show that it is one.
	Type Type
	// Timestamp is format A's timestamp as sent, which the documents say is ISO
	// 8601 in UTC; nil where absent.
	Timestamp jsontext.Value
	// RequestID is format B's request_id, a ULID; empty where absent. Whether
	// a redelivery keeps it is not documented, so it identifies nothing.
	RequestID string
	// Data is the payload, nil where absent. It shares memory with the body, unless
	// that was damaged.
	Data jsontext.Value
	// Body is the whole body as given to [Open], or the one event in it if the body
	// is a list of one.
	Body []byte
	// Damage says what was odd about the body and was read all the same, in the
	// fixed words of [DamageWords] and in their order.
	Damage []string
	// NewFields are the top-level members that no document mentions.
	NewFields []string

	// typ is the member "type", whatever the format.
	typ Type
}

// SignedType returns the top-level member "type", which format B's signature covers.
// Format A has none; where it has one, somebody put an "event" into format B.
func (e *Envelope) SignedType() Type { return e.typ }

// Open reads the body of one delivery: a JSON object in valid UTF-8, without
// duplicate names at any level, nested at most [MaxDepth] deep. It finds out the
// wire format, but does not read the data.
//
// A body that is damaged, or has another form than documented, is read as far as it
// can be, and [Envelope.Damage] says what was odd; see repair.go and unwrap.go. Of a
// body with several events Open returns [ErrSeveral]: [Split] returns them.
//
// An empty body, and an object without data, open as a probe; see
// [Envelope.Probe]. Every error wraps [ErrPayload]. The envelope keeps the
// body: the caller must not change it afterwards.
func Open(body []byte) (*Envelope, error) {
	if e := openPlain(body); e != nil {
		return e, nil
	}
	switch all := Split(body); len(all) {
	case 1:
		return openOdd(all[0])
	default:
		return nil, ErrSeveral
	}
}

// openPlain opens a body that is as documented, and returns nil for any other. It
// reads the body once.
func openPlain(body []byte) *Envelope {
	if tooDeep(body) {
		return nil
	}
	top, err := readTop(body)
	if err != nil || top.Data.Kind() != '{' || isEmpty(top.Data) {
		return nil
	}
	known, ok := registry[top.Type]
	if !ok {
		return nil // it may be the name of a relay's own event
	}
	if _, ok := known.family.shape()[string(firstName(top.Data))]; !ok {
		return nil // there may be something inside
	}
	e := &top.Envelope
	e.Body = body
	return e
}

// top is what stands at the top level of an object.
type top struct {
	Envelope

	event Type
	// beside are the top-level members that have a value and are not envelope
	// members, in the order received: the new fields, metadata, and members of the
	// envelope that have another type than documented.
	beside []string
}

// readTop reads the members of the one object that the body must be. The error is that
// of members.
func readTop(body []byte) (*top, error) {
	t := &top{}
	err := members(body, func(name string, value jsontext.Value) {
		read := value.Kind() == '"' || isEmpty(value)
		switch name {
		case "event":
			t.event = Type(text(value))
		case "type":
			t.typ = Type(text(value))
		case "request_id":
			t.RequestID = text(value)
		case "timestamp":
			t.Timestamp, read = value, true
		case "data":
			t.Data, read = value, true
		case "webhook_url", "url_id":
			// Ignored: anyone can put a URL into a body. We verify against our own.
			read = true
		case "metadata":
			read = isEmpty(value)
		default:
			t.NewFields = append(t.NewFields, name)
			read = false
		}
		if !read {
			t.beside = append(t.beside, name)
		}
	})
	t.setType()
	return t, err
}

// setType sets the format and the type by the member that names the event. Where both
// do and only type has a name that tells something, event is no name.
func (t *top) setType() {
	t.Format, t.Type = FormatLegacy, ""
	switch {
	case t.event != "" && (t.typ == "" || t.event.tells() || !t.typ.tells()):
		t.Format, t.Type = FormatA, t.event
	case t.typ != "":
		t.Format, t.Type = FormatB, t.typ
	}
}

// Probe reports whether the delivery has nothing that could be lost: it has no
// body, or only an envelope with no data, empty data, or data that only says that
// this is a test. JustCall sends one when somebody saves a URL, and saves the URL
// only if the answer is 200.
func (e *Envelope) Probe() bool { return isEmpty(e.Data) || isTest(e.Data) }

// legacyType returns the type inside the data of the pre-2023 form.
func legacyType(data jsontext.Value) (typ Type) {
	if data.Kind() == '{' {
		eachMember(data, func(name string, value jsontext.Value) {
			if name == "type" {
				typ = Type(text(value))
			}
		})
	}
	return typ
}

// tooDeep reports whether objects and arrays nest more than [MaxDepth] deep. The
// decoder's own limit is 10 000 and cannot be set.
func tooDeep(body []byte) bool {
	depth, inString := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{', c == '[':
			if depth++; depth > MaxDepth {
				return true
			}
		case c == '}', c == ']':
			depth--
		}
	}
	return false
}

// members calls visit for every member of the one object that text must be.
// The value shares memory with text. The error is [io.EOF] for a text of nothing
// but white space; any other wraps [ErrPayload].
func members(text []byte, visit func(name string, value jsontext.Value)) error {
	dec := jsontext.NewDecoder(bytes.NewBuffer(text))
	if dec.PeekKind() != '{' {
		switch err := dec.SkipValue(); {
		case errors.Is(err, io.EOF):
			return io.EOF
		case err != nil:
			return syntaxError(err)
		}
		if err := atEnd(dec); err != nil {
			return err
		}
		return ErrNotObject
	}
	if _, err := dec.ReadToken(); err != nil {
		return syntaxError(err)
	}
	for dec.PeekKind() != '}' {
		raw, err := dec.ReadValue()
		if err != nil {
			return syntaxError(err)
		}
		name := unquote(raw)
		raw, err = dec.ReadValue()
		if err != nil {
			return syntaxError(err)
		}
		// The decoder's own value is good only until its next read.
		end := int(dec.InputOffset())
		visit(name, text[end-len(raw):end:end])
	}
	if _, err := dec.ReadToken(); err != nil {
		return syntaxError(err)
	}
	return atEnd(dec)
}

func atEnd(dec *jsontext.Decoder) error {
	switch _, err := dec.ReadToken(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return syntaxError(err)
	default:
		return fmt.Errorf("%w: more follows the end", ErrSyntax)
	}
}

// syntaxError translates the decoder's error. It drops the text, which quotes the
// body: that may hold personal data.
func syntaxError(err error) error {
	var at *jsontext.SyntacticError
	if errors.As(err, &at) {
		// guard 8 ingest: return fmt.Errorf("%w at byte %d: %w", ErrSyntax, at.ByteOffset, err)
		return fmt.Errorf("%w at byte %d", ErrSyntax, at.ByteOffset)
	}
	return ErrSyntax
}
