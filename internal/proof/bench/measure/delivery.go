package measure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/proof/apigateway"
	"github.com/ringback/ringback/internal/proof/bench/standin"
	"github.com/ringback/ringback/internal/proof/eventsource"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/itemjson"
)

// The token in the webhook URL and the key of the signatures. Neither is a secret.
const (
	Token         = "token-of-the-benchmark-and-of-no-account-00"
	SigningSecret = "5a3c7e9012b4d6f8a0c2e4061728394a5b6c7d8e" //nolint:gosec // G101: made up
)

// Secret is both as Secrets Manager keeps them.
const Secret = `{"token":"` + Token + `","signing_secret":"` + SigningSecret + `"}`

// ErrWrong means that a contender does not do the job.
var ErrWrong = errors.New("measure: a contender does not do its job")

// samples are the files that deliveries are made from, in this order: calls, texts
// and contacts in both formats.
var samples = []string{
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

// Delivery is one event that a function is invoked with.
type Delivery struct {
	// Event is the HTTP API event.
	Event []byte
	// Forged are the same event with a wrong token and, in format B, with a wrong
	// signature. A function must refuse both.
	Forged [][]byte
	// Key is the item's. The answer must name its partition key.
	Key standin.Key

	members map[string]any // of the event's data
	item    map[string]any // the attributes that are compared
}

// compared are the attributes that are compared, besides the members and the payload,
// which ringback packs. All others are ringback's own.
// So is the list of answered calls.
var compared = []string{"PK", "SK", "GSI1PK", "GSI2PK", "occurred_at"}

// Make makes n deliveries from the samples under the repository's folder root,
// each with an id of its own, signed at now.
func Make(root string, n int, now time.Time) ([]Delivery, error) {
	all := make([]Delivery, n)
	for i := range all {
		name := samples[i%len(samples)]
		sample, err := os.ReadFile(filepath.Join(root, name)) //nolint:gosec // G304: a file of the repository
		if err == nil {
			all[i], err = newDelivery(string(sample), i, now)
		}
		if err != nil {
			return nil, fmt.Errorf("make a delivery from %s: %w", name, err)
		}
	}
	return all, nil
}

// newDelivery makes the nth delivery. The product's own functions make the item
// that must be stored.
func newDelivery(body string, n int, now time.Time) (d Delivery, err error) {
	sample, err := events.Open([]byte(body))
	if err != nil {
		return d, err
	}
	id := sample.Decode().ID
	numbered := fmt.Sprintf("%s%04d", id, n)
	body = strings.Replace(body, id, numbered, 1)
	envelope, err := events.Open([]byte(body))
	if err != nil {
		return d, err
	}
	event := envelope.Decode()
	item := table.EventItem(event, now, now)
	d.Key = standin.Key{PK: table.Text(item, table.PK), SK: table.Text(item, table.SK)}
	text, err := itemjson.Encode(item)
	if err != nil || event.ID != numbered {
		return d, fmt.Errorf("with id %s it has id %s: %w", numbered, event.ID, err)
	}
	if err := json.Unmarshal([]byte(body), &struct {
		Data *map[string]any `json:"data"`
	}{&d.members}); err != nil {
		return d, err
	}
	d.item, err = d.compare(text)
	timestamp, signature := now.UTC().Format(time.DateTime), ""
	if event.Format == events.FormatB {
		signature = events.Sign(SigningSecret, address, event.Type, timestamp)
	}
	d.Event = newEvent(body, timestamp, signature, now)
	d.Forged = [][]byte{bytes.ReplaceAll(d.Event, []byte(Token), bytes.Repeat([]byte("!"), len(Token)))}
	if signature != "" {
		d.Forged = append(d.Forged, bytes.ReplaceAll(d.Event, []byte(signature), bytes.Repeat([]byte("0"), len(signature))))
	}
	return d, err
}

const (
	domain  = "example.execute-api.us-east-1.amazonaws.com"
	address = "https://" + domain + "/justcall/" + Token
)

// newEvent returns a request as API Gateway hands it to a function. The request is
// signed if there is a signature.
func newEvent(body, timestamp, signature string, now time.Time) (event []byte) {
	api := apigateway.New("/justcall/{token+}", eventsource.InvokerFunc(func(_ context.Context, e []byte) ([]byte, error) {
		event = e
		return nil, nil
	}))
	api.Domain, api.Now = domain, func() time.Time { return now }
	request := httptest.NewRequest(http.MethodPost, address, strings.NewReader(body))
	if signature != "" {
		request.Header.Set(events.HeaderRequestTimestamp, timestamp)
		request.Header.Set(events.HeaderSignatureVersion, events.SignatureVersion)
		request.Header.Set(events.HeaderSignature, signature)
	}
	request.Header.Set("Accept", "application/json, text/plain, */*")
	request.Header.Set("Accept-Encoding", "gzip, compress, deflate, br")
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "axios/1.7.9")
	request.Header.Set("X-Forwarded-For", "192.0.2.1")
	api.ServeHTTP(httptest.NewRecorder(), request)
	return event
}

// compare returns what is compared of an item: attributes, and the payload as it was
// delivered.
func (d *Delivery) compare(item []byte) (attributes map[string]any, err error) {
	decoded, err := itemjson.Decode(item)
	if err != nil {
		return nil, err
	}
	payload, err := table.PayloadOf(decoded)
	if err != nil {
		return nil, err
	}
	err = json.Unmarshal(item, &attributes)
	maps.DeleteFunc(attributes, func(name string, _ any) bool {
		_, member := d.members[name]
		return !member && (!slices.Contains(compared, name) || name == table.GSI2PK && !table.IsAlertList(table.Text(decoded, name)))
	})
	attributes[table.Payload] = map[string]any{"S": string(payload)}
	return attributes, err
}

// CheckAnswer compares a function's answer with what it must be: the status code
// and, in a 200, the status and the key. The error wraps [ErrWrong].
func CheckAnswer(payload []byte, code int, status, key string) error {
	var response struct {
		StatusCode int    `json:"statusCode"`
		Body       string `json:"body"`
	}
	var body struct {
		Status string `json:"status"`
		Key    string `json:"key"`
	}
	err := json.Unmarshal(payload, &response)
	if code == http.StatusOK {
		err = errors.Join(err, json.Unmarshal([]byte(response.Body), &body))
	} else {
		status, key = "", ""
	}
	if err != nil || response.StatusCode != code || body.Status != status || body.Key != key {
		return fmt.Errorf("%w: answered %.300s, want status %d %s %s", ErrWrong, payload, code, status, key)
	}
	return nil
}

// CheckItems compares what is stored with what was delivered. Every event must be
// there once, with its keys, payload and members, and no other item may be there.
// The error wraps [ErrWrong].
func CheckItems(delivered []Delivery, stored map[standin.Key]jsontext.Value) error {
	for i := range delivered {
		d := &delivered[i]
		item, ok := stored[d.Key]
		if !ok {
			return fmt.Errorf("%w: %v is not stored; %d of %d items are", ErrWrong, d.Key, len(stored), len(delivered))
		}
		if got, err := d.compare(item); err != nil || !reflect.DeepEqual(got, d.item) {
			return fmt.Errorf("%w: stored\n%v\nwant\n%v", ErrWrong, got, d.item)
		}
	}
	if len(stored) > len(delivered) {
		return fmt.Errorf("%w: %d items of %d deliveries", ErrWrong, len(stored), len(delivered))
	}
	return nil
}
