// Package deliveries makes the deliveries that every contender of a benchmark
// gets: the documented samples of format A and signed ones of format B, each of
// an event of its own, as API Gateway hands them on. It knows what must be
// stored of each.
package deliveries

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/itemjson"
)

// What the events are signed with and posted to. It is no secret.
const (
	Token         = "token-of-the-benchmark-and-of-no-account-00"
	SigningSecret = "5a3c7e9012b4d6f8a0c2e4061728394a5b6c7d8e" //nolint:gosec // G101: made up
)

// Secret is both as Secrets Manager keeps them.
const Secret = `{"token":"` + Token + `","signing_secret":"` + SigningSecret + `"}`

// ErrSample says that a sample is not what the benchmark can make deliveries of.
var ErrSample = errors.New("deliveries: unusable sample")

// Samples is how many different deliveries there are, but for their ids.
const Samples = 14

// samples are the files that deliveries are made of, in the order in which they
// come: in both formats, calls, texts and contacts.
var samples = [Samples]string{
	"events-samples/call.completed.json",
	"events/testdata/b/call.completed.json",
	"events-samples/sms.received.json",
	"events/testdata/b/call.missed.json",
	"events-samples/call.answered.json",
	"events-samples/contact.created.json",
	"events/testdata/b/sms.sent.json",
	"events-samples/voicemail.received.json",
	"events-samples/sms.sent.json",
	"events/testdata/b/call.voicemail.json",
	"events-samples/call.missed.json",
	"events-samples/sms.delivered.json",
	"events/testdata/b/sms.received.json",
	"events-samples/contact.updated.json",
}

// request is the sample whose gateway event the others are made from.
const request = "events-samples/webhook/call.completed.json"

// Delivery is one event that a function is invoked with.
type Delivery struct {
	// Event is the HTTP API event, compact, as the gateway writes it.
	Event []byte
	// Key is what the answer must name: the item's partition key.
	Key string
	// Item is what must be stored, in DynamoDB's own JSON in canonical form,
	// without received_at.
	Item string
}

// Make makes n deliveries that are signed at now, from the samples in the
// repository's folder root. They are the same ones for every n, but for how
// many.
func Make(root string, n int, now time.Time) ([]Delivery, error) {
	text, err := os.ReadFile(filepath.Join(root, request)) //nolint:gosec // G304: a file of the repository
	if err != nil {
		return nil, fmt.Errorf("read sample: %w", err)
	}
	bodies := make([]string, len(samples))
	for i, name := range samples {
		body, err := os.ReadFile(filepath.Join(root, name)) //nolint:gosec // G304: a file of the repository
		if err != nil {
			return nil, fmt.Errorf("read sample: %w", err)
		}
		bodies[i] = string(body)
	}
	all := make([]Delivery, n)
	for i := range all {
		name := samples[i%len(samples)]
		body, err := renumber(bodies[i%len(samples)], i)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if all[i], err = newDelivery(text, body, now); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return all, nil
}

// renumber makes an event of its own of a sample: one with another id.
func renumber(body string, n int) (string, error) {
	d, err := decode(body)
	if err != nil {
		return "", err
	}
	id, digits := d.ID, fmt.Sprintf("%08d", n)
	switch prefix, tail, ok := strings.Cut(id, "_"); {
	case ok && len(tail) == len(digits):
		id = prefix + "_" + digits
	case strings.HasPrefix(id, "CA"):
		id = id[:len(id)-len(digits)] + digits
	default:
		id += digits
	}
	body = strings.Replace(body, d.ID, id, 1)
	if d, err = decode(body); err != nil {
		return "", err
	}
	if d.ID != id || len(d.Misfits) > 0 || len(d.NewFields) > 0 {
		return "", fmt.Errorf("%w: with id %q it is read as that of %q, misfits %v, new fields %v", ErrSample, id, d.ID, d.Misfits, d.NewFields)
	}
	return body, nil
}

func decode(body string) (*events.Delivery, error) {
	envelope, err := events.Open([]byte(body))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSample, err)
	}
	return envelope.Decode(), nil
}

func newDelivery(request []byte, body string, now time.Time) (Delivery, error) {
	d, err := decode(body)
	if err != nil {
		return Delivery{}, err
	}
	var e event
	if err := json.Unmarshal(request, &e); err != nil {
		return Delivery{}, fmt.Errorf("%w: %w", ErrSample, err)
	}
	path := "/justcall/" + Token
	e.RawPath = path
	e.Context.HTTP.Path = path
	e.Context.TimeEpoch = now.UnixMilli()
	e.Context.Time = now.UTC().Format("02/Jan/2006:15:04:05 -0700")
	e.PathParameters = map[string]string{"token": Token}
	e.Headers["content-length"] = fmt.Sprint(len(body))
	e.Body = body
	if d.Format == events.FormatB {
		timestamp := now.UTC().Format(time.DateTime)
		e.Headers[events.HeaderSignature] = events.Sign(SigningSecret, "https://"+e.Context.DomainName+path, d.Type, timestamp)
		e.Headers[events.HeaderSignatureVersion] = events.SignatureVersion
		e.Headers[events.HeaderRequestTimestamp] = timestamp
	}
	text, err := json.Marshal(e)
	if err != nil {
		return Delivery{}, fmt.Errorf("write event: %w", err)
	}
	stored := table.EventItem(d, now, now)
	item, err := itemjson.Encode(stored)
	if err != nil {
		return Delivery{}, fmt.Errorf("write item: %w", err)
	}
	canonical, err := Canonical(item)
	if err != nil {
		return Delivery{}, err
	}
	return Delivery{Event: text, Key: table.Text(stored, table.PK), Item: canonical}, nil
}

// WithToken returns the event with another token.
func (d Delivery) WithToken(token string) ([]byte, error) {
	return d.change(func(e *event) {
		e.RawPath = "/justcall/" + token
		e.Context.HTTP.Path = e.RawPath
		e.PathParameters = map[string]string{"token": token}
	})
}

// WithSignature returns the event with another signature.
func (d Delivery) WithSignature(hex string) ([]byte, error) {
	return d.change(func(e *event) { e.Headers[events.HeaderSignature] = hex })
}

// Signed reports whether the delivery has a signature.
func (d Delivery) Signed() bool {
	return bytes.Contains(d.Event, []byte(`"`+events.HeaderSignature+`":`))
}

func (d Delivery) change(change func(*event)) ([]byte, error) {
	var e event
	if err := json.Unmarshal(d.Event, &e); err != nil {
		return nil, fmt.Errorf("read event: %w", err)
	}
	change(&e)
	text, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("write event: %w", err)
	}
	return text, nil
}

// event is an HTTP API event, in the gateway's order. See
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html.
type event struct {
	Version  string            `json:"version"`
	RouteKey string            `json:"routeKey"`
	RawPath  string            `json:"rawPath"`
	RawQuery string            `json:"rawQueryString"`
	Headers  map[string]string `json:"headers"`
	Context  struct {
		AccountID    string `json:"accountId"`
		APIID        string `json:"apiId"`
		DomainName   string `json:"domainName"`
		DomainPrefix string `json:"domainPrefix"`
		HTTP         struct {
			Method    string `json:"method"`
			Path      string `json:"path"`
			Protocol  string `json:"protocol"`
			SourceIP  string `json:"sourceIp"`
			UserAgent string `json:"userAgent"`
		} `json:"http"`
		RequestID string `json:"requestId"`
		RouteKey  string `json:"routeKey"`
		Stage     string `json:"stage"`
		Time      string `json:"time"`
		TimeEpoch int64  `json:"timeEpoch"`
	} `json:"requestContext"`
	PathParameters map[string]string `json:"pathParameters"`
	Body           string            `json:"body"`
	Base64         bool              `json:"isBase64Encoded"`
}
