// Command plain is the webhook function as it is ordinarily written in Go: the
// SDK's default configuration, encoding/json, attributevalue, and no settings.
//
// For each delivery it checks the token and the signature, decodes the body,
// makes one conditional write of an item with the same keys, payload and members
// as that of functions/webhook, logs one line, and gives the same answer. It has
// no spill queue, reads no previous secret and keeps no rejections.
package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
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

func main() {
	h, err := newHandler(context.Background(), time.Now)
	if err != nil {
		slog.Error("not started", "error", err)
		os.Exit(1)
	}
	lambda.Start(h.handle)
}

// handler answers deliveries.
type handler struct {
	table  *dynamodb.Client
	name   string
	secret struct {
		Token         string `json:"token"`
		SigningSecret string `json:"signing_secret"`
	}
	log *slog.Logger
	now func() time.Time
}

func newHandler(ctx context.Context, now func() time.Time) (*handler, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("load configuration: %w", err)
	}
	out, err := secretsmanager.NewFromConfig(cfg).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId: aws.String(os.Getenv("SECRET_ARN")),
	})
	if err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	h := &handler{table: dynamodb.NewFromConfig(cfg), name: os.Getenv("TABLE_NAME"), log: lambdacontext.NewLogger(), now: now}
	if err := json.Unmarshal([]byte(aws.ToString(out.SecretString)), &h.secret); err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	return h, nil
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
	d, err := decode(body)
	if err != nil {
		return respond(http.StatusBadRequest, map[string]string{"error": err.Error()})
	}
	url := "https://" + request.RequestContext.DomainName + request.RawPath
	if d.signed && !h.verify(url, d.Type, request.Headers) {
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

// A signature may be this old, and this far ahead of our clock.
const maxAge, maxAhead = 3 * time.Hour, 5 * time.Minute

// component turns the output of [url.QueryEscape] into that of
// encodeURIComponent.
var component = strings.NewReplacer("+", "%20", "%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*")

// verify checks format B's signature. API Gateway sends header names in lower case.
func (h *handler) verify(address, typ string, headers map[string]string) bool {
	timestamp := headers["x-justcall-request-timestamp"]
	at, err := time.Parse(time.DateTime, timestamp)
	if age := h.now().Sub(at); err != nil || age > maxAge || age < -maxAhead {
		return false
	}
	given, err := hex.DecodeString(headers["x-justcall-signature"])
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(h.secret.SigningSecret))
	mac.Write([]byte(strings.Join([]string{h.secret.SigningSecret, component.Replace(url.QueryEscape(address)), typ, timestamp}, "|")))
	return hmac.Equal(mac.Sum(nil), given)
}
