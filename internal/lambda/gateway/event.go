package gateway

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/ingest"
)

// ErrEvent says that the function was invoked with something else than an HTTP API
// request. The text says what is wrong, without content.
var ErrEvent = errors.New("not an HTTP API event (payload format 2.0)")

// event is what is read of an HTTP API request. See
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html.
type event struct {
	version, rawPath, rawQuery string
	method, domain             string
	token                      string
	hasToken                   bool // whether the route matched a token
	headers                    map[string]string
	body                       []byte
	bodyErr                    error
	base64                     bool
}

// ParseRequest reads an HTTP API event as a request. The error wraps
// [ErrEvent]; a body that cannot be unpacked is not an error of the event, but
// [ingest.Request.BodyErr].
func ParseRequest(text []byte) (ingest.Request, error) {
	// The gateway is trusted to write JSON, and what it passes on from outside
	// is not to fail here: a body that is not UTF-8 is kept as a rejection.
	dec := jsontext.NewDecoder(bytes.NewBuffer(text),
		jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	var e event
	if err := e.decode(dec); err != nil {
		return ingest.Request{}, err
	}
	if e.version != "2.0" || e.method == "" {
		return ingest.Request{}, ErrEvent
	}
	return e.request(), nil
}

func (e *event) decode(dec *jsontext.Decoder) error {
	return object(dec, func(name string) error {
		switch name {
		case "version":
			return readString(dec, &e.version)
		case "rawPath":
			return readString(dec, &e.rawPath)
		case "rawQueryString":
			return readString(dec, &e.rawQuery)
		case "headers":
			e.headers = make(map[string]string, 16)
			return object(dec, func(name string) error {
				var value string
				err := readString(dec, &value)
				// The gateway lower-cases names; a test event may not.
				e.headers[strings.ToLower(name)] = value
				return err
			})
		case "pathParameters":
			return object(dec, func(name string) error {
				if name != "token" {
					return skip(dec)
				}
				e.hasToken = true
				return readString(dec, &e.token)
			})
		case "requestContext":
			return e.decodeContext(dec)
		case "body":
			return e.decodeBody(dec)
		case "isBase64Encoded":
			token, err := dec.ReadToken()
			if err != nil {
				return fmt.Errorf("%w: not valid JSON", ErrEvent)
			}
			e.base64 = token.Kind() == 't'
			return nil
		default:
			return skip(dec)
		}
	})
}

func (e *event) decodeBody(dec *jsontext.Decoder) error {
	value, err := dec.ReadValue()
	switch {
	case err != nil:
		return fmt.Errorf("%w: not valid JSON", ErrEvent)
	case value.Kind() == 'n':
		return nil
	case value.Kind() != '"':
		return fmt.Errorf("%w: a member is not a string", ErrEvent)
	}
	if e.body, err = jsontext.AppendUnquote(nil, value); err != nil {
		// What it stands for cannot be told: it is kept as the gateway wrote it.
		e.body, e.bodyErr = value.Clone(), events.ErrUTF8
	}
	return nil
}

func (e *event) decodeContext(dec *jsontext.Decoder) error {
	return object(dec, func(name string) error {
		switch name {
		case "domainName":
			return readString(dec, &e.domain)
		case "http":
			return object(dec, func(name string) error {
				if name != "method" {
					return skip(dec)
				}
				return readString(dec, &e.method)
			})
		default:
			return skip(dec)
		}
	})
}

func (e *event) request() ingest.Request {
	r := ingest.Request{
		Method:  e.method,
		Path:    e.rawPath,
		URL:     "https://" + e.domain + e.rawPath,
		Headers: e.headers,
		Query:   e.rawQuery,
		Body:    e.body,
		BodyErr: e.bodyErr,
	}
	if e.hasToken {
		// The gateway matched our one route. Behind a custom domain the raw
		// path begins with the mapping's own prefix.
		r.Path = ingest.Path + "/" + e.token
	}
	if e.base64 && e.bodyErr == nil {
		body, err := base64.StdEncoding.AppendDecode(nil, e.body)
		if err != nil {
			r.BodyErr = ingest.ErrBodyEncoding
		} else {
			r.Body = body
		}
	}
	return r
}

// formatResponse writes a response as the gateway wants it.
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

// object calls visit for every member of the object that comes next; visit
// reads or skips the value. Null counts as an object without members.
func object(dec *jsontext.Decoder, visit func(name string) error) error {
	token, err := dec.ReadToken()
	switch {
	case err != nil:
		return fmt.Errorf("%w: not valid JSON", ErrEvent)
	case token.Kind() == 'n':
		return nil
	case token.Kind() != '{':
		return fmt.Errorf("%w: a member is not an object", ErrEvent)
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadValue()
		if err != nil {
			return fmt.Errorf("%w: not valid JSON", ErrEvent)
		}
		if err := visit(nameIn(name)); err != nil {
			return err
		}
	}
	_, err = dec.ReadToken()
	if err != nil {
		return fmt.Errorf("%w: not valid JSON", ErrEvent)
	}
	return nil
}

// nameIn returns the text of a member's name, which is nearly always one that
// every event has.
func nameIn(quoted jsontext.Value) string {
	if name, ok := names[string(quoted)]; ok {
		return name
	}
	name, _ := jsontext.AppendUnquote(nil, quoted) // what is no UTF-8 is none of ours
	return string(name)
}

// names are the members of every event, as they stand in it: those that are read,
// and those that would have to be made for nothing.
var names = func(all ...string) map[string]string {
	quoted := make(map[string]string, len(all))
	for _, name := range all {
		quoted[`"`+name+`"`] = name
	}
	return quoted
}(
	"body", "headers", "isBase64Encoded", "pathParameters", "rawPath", "rawQueryString", "requestContext", "routeKey", "version",
	"accountId", "apiId", "domainName", "domainPrefix", "http", "requestId", "stage", "time", "timeEpoch",
	"method", "path", "protocol", "sourceIp", "userAgent", "token",
	"accept", "accept-encoding", "content-length", "content-type", "host", "user-agent",
	"x-amzn-trace-id", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto",
	events.HeaderRequestTimestamp, events.HeaderSignature, events.HeaderSignatureVersion,
)

func readString(dec *jsontext.Decoder, to *string) error {
	token, err := dec.ReadToken()
	switch {
	case err != nil:
		return fmt.Errorf("%w: not valid JSON", ErrEvent)
	case token.Kind() == 'n':
	case token.Kind() != '"':
		return fmt.Errorf("%w: a member is not a string", ErrEvent)
	default:
		*to = token.String()
	}
	return nil
}

func skip(dec *jsontext.Decoder) error {
	if err := dec.SkipValue(); err != nil {
		return fmt.Errorf("%w: not valid JSON", ErrEvent)
	}
	return nil
}
