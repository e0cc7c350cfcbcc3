package gateway

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/ingest"
)

// ErrEvent means that the function was invoked with something other than an HTTP
// API request. The text says what is wrong and quotes nothing.
var ErrEvent = errors.New("not an HTTP API event (payload format 2.0)")

// event has the members of an HTTP API event that we read. See
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html.
//
// It is read token by token. json.Unmarshal into a struct cost 3 % of an event's
// instructions, and 8 % of a cold start's over HTTP (callgrind, November 2026).
type event struct {
	version, rawPath, rawQuery string
	method, domain             string
	token                      *string // nil unless the route matched a token
	headers                    map[string]string
	body                       []byte
	bodyErr                    error
	base64                     bool
}

// ParseRequest reads an HTTP API event. The error wraps [ErrEvent]. A body that
// cannot be decoded does not make the event an error: see
// [ingest.Request.BodyErr].
func ParseRequest(text []byte) (ingest.Request, error) {
	// API Gateway passes on what clients send. Duplicate headers and invalid UTF-8
	// must not fail the whole event: such a body is stored as a rejection.
	d := decoder{jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
	var e event
	if err := d.event(&e); err != nil {
		return ingest.Request{}, err
	}
	if e.version != "2.0" || e.method == "" {
		return ingest.Request{}, ErrEvent
	}
	r := ingest.Request{
		Method:  e.method,
		Path:    e.rawPath,
		URL:     "https://" + e.domain + e.rawPath,
		Headers: lowerNames(e.headers),
		Query:   e.rawQuery,
		Body:    e.body,
		BodyErr: e.bodyErr,
	}
	if e.token != nil {
		// API Gateway matched our one route. Behind a custom domain the raw path
		// also has the mapping's prefix.
		r.Path = ingest.Path + "/" + *e.token
	}
	if e.base64 && e.bodyErr == nil {
		body, err := base64.StdEncoding.AppendDecode(nil, e.body)
		if err != nil {
			r.BodyErr = ingest.ErrBodyEncoding
		} else {
			r.Body = body
		}
	}
	return r, nil
}

// decoder reads the parts of an event. Its errors wrap [ErrEvent] and quote nothing.
type decoder struct{ *jsontext.Decoder }

var errJSON = fmt.Errorf("%w: not valid JSON", ErrEvent)

func (d decoder) event(e *event) error {
	return d.object(func(name []byte) error {
		switch string(name) {
		case "version":
			return d.text(&e.version)
		case "rawPath":
			return d.text(&e.rawPath)
		case "rawQueryString":
			return d.text(&e.rawQuery)
		case "headers":
			e.headers = make(map[string]string, 16)
			return d.object(func(quoted []byte) error {
				name, value := string(quoted), ""
				err := d.text(&value)
				e.headers[name] = value
				return err
			})
		case "pathParameters":
			return d.object(func(name []byte) error {
				if string(name) != "token" {
					return d.skip()
				}
				e.token = new(string)
				return d.text(e.token)
			})
		case "requestContext":
			return d.context(e)
		case "body":
			return d.body(e)
		case "isBase64Encoded":
			// Only true counts. Anything else, which no gateway sends, costs no delivery.
			value, err := d.ReadValue()
			if err != nil {
				return errJSON
			}
			e.base64 = value.Kind() == jsontext.KindTrue
			return nil
		default:
			return d.skip()
		}
	})
}

func (d decoder) context(e *event) error {
	return d.object(func(name []byte) error {
		switch string(name) {
		case "domainName":
			return d.text(&e.domain)
		case "http":
			return d.object(func(name []byte) error {
				if string(name) != "method" {
					return d.skip()
				}
				return d.text(&e.method)
			})
		default:
			return d.skip()
		}
	})
}

// body reads the body. If it cannot be decoded, it is kept as API Gateway wrote it.
func (d decoder) body(e *event) error {
	value, err := d.ReadValue()
	switch {
	case err != nil:
		return errJSON
	case value.Kind() == jsontext.KindNull:
		return nil
	case value.Kind() != jsontext.KindString:
		return fmt.Errorf("%w: the body is not a string", ErrEvent)
	}
	if e.body, err = jsontext.AppendUnquote(nil, value); err != nil {
		e.body, e.bodyErr = value.Clone(), events.ErrUTF8
	}
	return nil
}

// object calls visit for each member of the next object; visit reads or skips the
// value. The name, unquoted, is valid until then. Null counts as an object without members.
func (d decoder) object(visit func(name []byte) error) error {
	switch token, err := d.ReadToken(); {
	case err != nil:
		return errJSON
	case token.Kind() == jsontext.KindNull:
		return nil
	case token.Kind() != jsontext.KindBeginObject:
		return fmt.Errorf("%w: a member is not an object", ErrEvent)
	}
	for d.PeekKind() != jsontext.KindEndObject {
		quoted, err := d.ReadValue()
		if err != nil {
			return errJSON
		}
		name := quoted[1 : len(quoted)-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			name, _ = jsontext.AppendUnquote(nil, quoted) // invalid UTF-8 is none of our names
		}
		if err := visit(name); err != nil {
			return err
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return errJSON
	}
	return nil
}

func (d decoder) text(to *string) error {
	switch token, err := d.ReadToken(); {
	case err != nil:
		return errJSON
	case token.Kind() == jsontext.KindNull:
	case token.Kind() != jsontext.KindString:
		return fmt.Errorf("%w: a member is not a string", ErrEvent)
	default:
		*to = token.String()
	}
	return nil
}

func (d decoder) skip() error {
	if d.SkipValue() != nil {
		return errJSON
	}
	return nil
}

// lowerNames returns headers with names in lower case, as API Gateway sends them; a
// test event may not. Of two spellings of a name, the one in lower case wins.
func lowerNames(headers map[string]string) map[string]string {
	isLower := true
	for name := range headers {
		isLower = isLower && strings.ToLower(name) == name
	}
	if isLower {
		return headers
	}
	lower := make(map[string]string, len(headers))
	for _, name := range slices.Sorted(maps.Keys(headers)) { // capital letters come first
		lower[strings.ToLower(name)] = headers[name]
	}
	return lower
}

// formatResponse writes a response as API Gateway expects it of a function. By hand it
// costs 7 % less of a cold start's instructions over HTTP (callgrind, November 2026).
func formatResponse(r ingest.Response) []byte {
	out := make([]byte, 0, 160+2*len(r.Body))
	out = fmt.Appendf(out, `{"statusCode":%d,"headers":{"content-type":"application/json"`, r.Status)
	if r.Allow != "" {
		out = append(out, `,"allow":`...)
		out, _ = jsontext.AppendQuote(out, r.Allow)
	}
	out = append(out, `},"body":`...)
	out, _ = jsontext.AppendQuote(out, r.Body)
	return append(out, `,"isBase64Encoded":false}`...)
}
