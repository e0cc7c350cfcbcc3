// Command plain is the webhook function as most would write it in Go: the SDK's
// default configuration, encoding/json, attributevalue, and no settings.
//
// For each delivery it checks the token and the signature, decodes the body, makes
// one conditional write of an item with the same keys, payload and members as that
// of functions/webhook, logs one line, and gives the same answer. It has no spill
// queue, reads no previous secret and keeps no rejections.
package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// handler answers deliveries.
type handler struct {
	table  *dynamodb.Client
	name   string
	secret struct {
		Token         string `json:"token"`
		SigningSecret string `json:"signing_secret"`
	}
	log *slog.Logger
}

func main() {
	ctx := context.Background()
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		panic(err)
	}
	out, err := secretsmanager.NewFromConfig(cfg).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId: aws.String(os.Getenv("SECRET_ARN")),
	})
	if err != nil {
		panic(err)
	}
	h := &handler{table: dynamodb.NewFromConfig(cfg), name: os.Getenv("TABLE_NAME"), log: lambdacontext.NewLogger()}
	if err := json.Unmarshal([]byte(aws.ToString(out.SecretString)), &h.secret); err != nil {
		panic(err)
	}
	lambda.Start(h.handle)
}

func (h *handler) handle(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	token := request.PathParameters["token"]
	if subtle.ConstantTimeCompare([]byte(token), []byte(h.secret.Token)) != 1 {
		return respond(http.StatusUnauthorized, map[string]string{"error": "unauthorized"})
	}
	body := request.Body
	if request.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(body)
		if err != nil {
			return respond(http.StatusBadRequest, map[string]string{"error": "body is not base64"})
		}
		body = string(decoded)
	}
	d := decode(body)
	if d == nil {
		return respond(http.StatusBadRequest, map[string]string{"error": "not a JSON object with a type and data"})
	}
	url := "https://" + request.RequestContext.DomainName + request.RawPath
	if d.Event == "" && !h.verify(url, d.Type, request.Headers) {
		return respond(http.StatusUnauthorized, map[string]string{"error": "unauthorized"})
	}
	return h.store(ctx, d)
}

func (h *handler) store(ctx context.Context, d *delivery) (events.APIGatewayV2HTTPResponse, error) {
	item, err := d.item()
	if err != nil {
		return respond(http.StatusBadRequest, map[string]string{"error": err.Error()})
	}
	attributes, err := attributevalue.MarshalMap(item)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, fmt.Errorf("marshal item: %w", err)
	}
	_, err = h.table.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:           aws.String(h.name),
		Item:                attributes,
		ConditionExpression: aws.String("attribute_not_exists(PK)"),
	})
	status := "stored"
	var exists *types.ConditionalCheckFailedException
	switch {
	case errors.As(err, &exists):
		status = "duplicate"
	case err != nil:
		h.log.ErrorContext(ctx, "delivery failed", "error", err)
		return respond(http.StatusServiceUnavailable, map[string]string{"error": "try again later"})
	}
	key, _ := item["PK"].(string)
	h.log.InfoContext(ctx, "delivery answered", "status", http.StatusOK, "type", d.Type, "kind", d.kind(), "key", key, "answer", status)
	return respond(http.StatusOK, map[string]string{"status": status, "key": key})
}

func respond(status int, answer map[string]string) (events.APIGatewayV2HTTPResponse, error) {
	body, err := json.Marshal(answer)
	headers := map[string]string{"content-type": "application/json"}
	return events.APIGatewayV2HTTPResponse{StatusCode: status, Headers: headers, Body: string(body)}, err
}

// A signature may be at most this old, and at most this far ahead of our clock.
const maxAge, maxAhead = 3 * time.Hour, 5 * time.Minute

// component turns the output of [url.QueryEscape] into that of
// encodeURIComponent.
var component = strings.NewReplacer("+", "%20", "%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*")

// verify checks format B's signature. API Gateway sends header names in lower case.
func (h *handler) verify(address, typ string, headers map[string]string) bool {
	timestamp := headers["x-justcall-request-timestamp"]
	at, err := time.Parse(time.DateTime, timestamp)
	if age := time.Since(at); err != nil || age > maxAge || age < -maxAhead {
		return false
	}
	mac := hmac.New(sha256.New, []byte(h.secret.SigningSecret))
	mac.Write([]byte(strings.Join([]string{h.secret.SigningSecret, component.Replace(url.QueryEscape(address)), typ, timestamp}, "|")))
	return hmac.Equal([]byte(hex.EncodeToString(mac.Sum(nil))), []byte(headers["x-justcall-signature"]))
}

// delivery is a body in either wire format. Only format A has an Event; only format
// B is signed.
type delivery struct {
	Event     string         `json:"event"`
	Timestamp string         `json:"timestamp"`
	Type      string         `json:"type"`
	Data      map[string]any `json:"data"`
	body      string
}

// decode returns nil if the body is not an object with a type and data.
func decode(body string) *delivery {
	d := &delivery{body: body}
	err := json.Unmarshal([]byte(body), d)
	if d.Event != "" {
		d.Type = d.Event
	}
	if err != nil || d.Type == "" || len(d.Data) == 0 {
		return nil
	}
	return d
}

// item returns what is stored: the keys, the payload and the data's members.
func (d *delivery) item() (map[string]any, error) {
	occurred, err := d.occurredAt()
	if err != nil {
		return nil, err
	}
	at := occurred.UTC().Format("2006-01-02T15:04:05.000Z")
	item := make(map[string]any, len(d.Data)+7)
	for name, value := range d.Data {
		if value != nil {
			item[name] = value
		}
	}
	item["PK"] = d.partition()
	item["SK"] = "EVENT#" + at + "#" + d.Type + "#" + d.digest()
	item["occurred_at"] = at
	item["payload"] = d.body
	if phone := d.phone(); phone != "" {
		item["GSI1PK"] = "PHONE#" + phone
	}
	if kind := d.kind(); kind == "missed_call" || kind == "voicemail" {
		item["GSI2PK"] = fmt.Sprintf("ALERT#%s#%d", at[:len(time.DateOnly)], crc32.ChecksumIEEE([]byte(d.partition()))%4)
	}
	return item, nil
}

func (d *delivery) occurredAt() (time.Time, error) {
	if d.Event != "" {
		return time.Parse(time.RFC3339, d.Timestamp)
	}
	return time.Parse(time.DateTime, d.first("call_date", "sms_date")+" "+d.first("call_time", "sms_time"))
}

// digest hashes the data in canonical form, so that a redelivery gets the same key.
func (d *delivery) digest() string {
	var canonical bytes.Buffer
	encoder := json.NewEncoder(&canonical)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(d.Data) // It was JSON before.
	sum := sha256.Sum256(bytes.TrimSuffix(canonical.Bytes(), []byte("\n")))
	return hex.EncodeToString(sum[:8])
}

func (d *delivery) family() string {
	family, _, _ := strings.Cut(d.Type, ".")
	return family
}

var partitions = map[string]string{"call": "CALL#", "voicemail": "CALL#", "sms": "MESSAGE#", "contact": "CONTACT#"}

func (d *delivery) partition() string {
	prefix, id := partitions[d.family()], d.id()
	if prefix == "" || id == "" {
		return "EVENT#" + d.Type
	}
	return prefix + id
}

func (d *delivery) id() string {
	return d.first("call_id", "call_sid", "message_id", "contact_id", "id")
}

var kinds = map[string]string{"call": "call", "contact": "contact", "sms": "message"}

func (d *delivery) kind() string {
	info, _ := d.Data["call_info"].(map[string]any)
	outcome, _ := info["type"].(string)
	switch {
	case d.family() == "voicemail", d.Type == "call.voicemail", strings.EqualFold(outcome, "voicemail"):
		return "voicemail"
	case d.Type == "call.missed", strings.EqualFold(outcome, "missed"):
		return "missed_call"
	}
	return kinds[d.family()]
}

// phone is the number of the outside party, as + and digits.
func (d *delivery) phone() string {
	party := "from"
	if d.text("direction") == "outbound" || d.Type == "sms.sent" || d.Type == "sms.delivered" {
		party = "to"
	}
	noDigit := func(r rune) bool { return r < '0' || r > '9' }
	digits := strings.Join(strings.FieldsFunc(d.first("contact_number", "phone", party), noDigit), "")
	if digits == "" {
		return ""
	}
	return "+" + digits
}

// first returns the first of these members that is not empty.
func (d *delivery) first(names ...string) string {
	for _, name := range names {
		if text := d.text(name); text != "" {
			return text
		}
	}
	return ""
}

// text returns a member as text. An id is a string or a number.
func (d *delivery) text(name string) string {
	switch value := d.Data[name].(type) {
	case string:
		return value
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	default:
		return ""
	}
}
