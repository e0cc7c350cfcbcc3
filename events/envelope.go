package events

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is how deep a body's objects and arrays may nest, the body itself
// being level 1. Documented payloads need 5.
const MaxDepth = 64

// Envelope is a delivery whose data has not been read yet.
type Envelope struct {
	Format Format
	// Type is the event's name as sent; only a probe may have none.
	Type Type
	// Timestamp is format A's timestamp as sent, which the documents say is ISO
	// 8601 in UTC; nil where absent.
	Timestamp jsontext.Value
	// RequestID is format B's request_id, a ULID; empty where absent. Whether
	// a redelivery keeps it is not documented, so it identifies nothing.
	RequestID string
	// Data is the payload, nil where absent. It shares memory with the body.
	Data jsontext.Value
	// Body is the whole body as given to [Open].
	Body []byte
	// NewFields are the top-level members that no document mentions.
	NewFields []string

	// flat are the top-level members that have a value and are not envelope
	// members, in the order received: the new fields, metadata, and members of the
	// envelope that have another type than documented.
	flat []string
}

// Open reads the body of one delivery: one JSON object in valid UTF-8, without
// duplicate names at any level, nested at most [MaxDepth] deep. It finds out the
// wire format, but does not read the data.
//
// An empty body, and an object without data, open as a probe; see
// [Envelope.Probe]. Every error wraps [ErrPayload]. The envelope keeps the
// body: the caller must not change it afterwards.
func Open(body []byte) (*Envelope, error) {
	e := &Envelope{Body: body}
	if deeperThan(body, MaxDepth) {
		return nil, ErrDepth
	}

	var event, typ Type
	err := members(body, func(name string, value jsontext.Value) {
		read := value.Kind() == '"' || isEmpty(value)
		switch name {
		case "event":
			event = Type(text(value))
		case "type":
			typ = Type(text(value))
		case "request_id":
			e.RequestID = text(value)
		case "timestamp":
			e.Timestamp, read = value, true
		case "data":
			e.Data, read = value, true
		case "webhook_url", "url_id":
			// Ignored: anyone can put a URL into a body. We verify against our own.
			read = true
		case "metadata":
			read = isEmpty(value)
		default:
			e.NewFields = append(e.NewFields, name)
			read = false
		}
		if !read {
			e.flat = append(e.flat, name)
		}
	})
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		return e, nil // nothing, or white space
	case !utf8.Valid(body):
		// Prefer ErrUTF8 over the decoder's own error.
		return nil, ErrUTF8
	default:
		return nil, err
	}

	switch {
	case event != "":
		e.Format, e.Type = FormatA, event
	case typ != "":
		e.Format, e.Type = FormatB, typ
	default:
		e.Format, e.Type = FormatLegacy, legacyType(e.Data)
	}
	switch {
	case e.Type != "" || e.Probe():
		return e, nil
	case isEmpty(e.Data):
		return nil, ErrNoTypeNoData
	default:
		return nil, ErrNoType
	}
}

// Probe reports whether the delivery has nothing that could be lost: it has no
// body, or only an envelope with no data or empty data. JustCall sends one when
// somebody saves a URL, and saves the URL only if the answer is 200.
func (e *Envelope) Probe() bool { return len(e.flat) == 0 && isEmpty(e.Data) } // guard 3 ingest e2e: func (e *Envelope) Probe() bool { return isEmpty(e.Data) }

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

// deeperThan reports whether objects and arrays nest more than limit deep. The
// decoder's own limit is 10 000 and cannot be set.
func deeperThan(body []byte, limit int) bool {
	depth, inString := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{', c == '[':
			if depth++; depth > limit {
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
	fault := ErrSyntax
	if errors.Is(err, jsontext.ErrDuplicateName) {
		fault = ErrDuplicateName
	}
	var at *jsontext.SyntacticError
	if errors.As(err, &at) {
		// guard 8 ingest e2e: return fmt.Errorf("%w at byte %d: %w", fault, at.ByteOffset, err)
		return fmt.Errorf("%w at byte %d", fault, at.ByteOffset)
	}
	return fault
}
