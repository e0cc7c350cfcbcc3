package gateway

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/ingest"
)

// ErrEvent means that the function was invoked with something other than an HTTP
// API request. The text says what is wrong and quotes nothing.
var ErrEvent = errors.New("not an HTTP API event (payload format 2.0)")

// event has the members of an HTTP API event that we read. See
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html.
type event struct {
	Version        string            `json:"version"`
	RawPath        string            `json:"rawPath"`
	RawQueryString string            `json:"rawQueryString"`
	Headers        map[string]string `json:"headers"`
	PathParameters struct {
		Token *string `json:"token"` // nil unless the route matched a token
	} `json:"pathParameters"`
	RequestContext struct {
		DomainName string `json:"domainName"`
		HTTP       struct {
			Method string `json:"method"`
		} `json:"http"`
	} `json:"requestContext"`
	Body jsontext.Value `json:"body"`
	// Only true counts. Anything else, which no gateway sends, costs no delivery.
	IsBase64Encoded jsontext.Value `json:"isBase64Encoded"`
}

// ParseRequest reads an HTTP API event. The error wraps [ErrEvent]. A body that
// cannot be decoded does not make the event an error: see
// [ingest.Request.BodyErr].
func ParseRequest(text []byte) (ingest.Request, error) {
	var e event
	// API Gateway passes on what clients send. Duplicate headers and invalid UTF-8
	// must not fail the whole event: such a body is stored as a rejection.
	if err := json.Unmarshal(text, &e, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		return ingest.Request{}, fmt.Errorf("%w: malformed", ErrEvent) // err may quote the request
	}
	if e.Version != "2.0" || e.RequestContext.HTTP.Method == "" {
		return ingest.Request{}, ErrEvent
	}
	r := ingest.Request{
		Method:  e.RequestContext.HTTP.Method,
		Path:    e.RawPath,
		URL:     "https://" + e.RequestContext.DomainName + e.RawPath,
		Headers: lowerNames(e.Headers),
		Query:   e.RawQueryString,
	}
	if e.PathParameters.Token != nil {
		// API Gateway matched our one route. Behind a custom domain the raw path
		// also has the mapping's prefix.
		r.Path = ingest.Path + "/" + *e.PathParameters.Token
	}
	var err error
	r.Body, r.BodyErr, err = e.body()
	return r, err
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

// body decodes the body. bodyErr, which wraps [events.ErrPayload], says why it
// could not be decoded; the body is then returned as far as it was. err wraps
// [ErrEvent].
func (e *event) body() (body []byte, bodyErr, err error) {
	switch e.Body.Kind() {
	case jsontext.KindString:
	case jsontext.KindInvalid, jsontext.KindNull:
		return nil, nil, nil
	default:
		return nil, nil, fmt.Errorf("%w: the body is not a string", ErrEvent)
	}
	text, err := jsontext.AppendUnquote(nil, e.Body)
	if err != nil {
		return e.Body, events.ErrUTF8, nil
	}
	if string(e.IsBase64Encoded) != "true" {
		return text, nil, nil
	}
	body, err = base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return text, ingest.ErrBodyEncoding, nil
	}
	return body, nil, nil
}

// response is what API Gateway expects of a function.
type response struct {
	StatusCode      int             `json:"statusCode"`
	Headers         responseHeaders `json:"headers"`
	Body            string          `json:"body"`
	IsBase64Encoded bool            `json:"isBase64Encoded"`
}

type responseHeaders struct {
	ContentType string `json:"content-type"`
	Allow       string `json:"allow,omitempty"`
}

func formatResponse(r ingest.Response) ([]byte, error) {
	text, err := json.Marshal(response{
		StatusCode: r.Status,
		Headers:    responseHeaders{ContentType: "application/json", Allow: r.Allow},
		Body:       string(r.Body),
	})
	if err != nil {
		return nil, fmt.Errorf("format response: %w", err)
	}
	return text, nil
}
