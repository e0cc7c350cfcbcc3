package main

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// handler answers deliveries.
type handler struct {
	table  *dynamodb.Client
	name   string
	secret secret
	log    *slog.Logger
	now    func() time.Time
}

// answer is the body of a response.
type answer struct {
	Status string `json:"status,omitempty"`
	Key    string `json:"key,omitempty"`
	Error  string `json:"error,omitempty"`
}

func (h *handler) handle(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	token := request.PathParameters["token"]
	if subtle.ConstantTimeCompare([]byte(token), []byte(h.secret.Token)) != 1 {
		return respond(http.StatusUnauthorized, answer{Error: "unauthorized"})
	}
	body := request.Body
	if request.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(body)
		if err != nil {
			return respond(http.StatusBadRequest, answer{Error: "body is not base64"})
		}
		body = string(decoded)
	}
	d, err := decode(body)
	if err != nil {
		return respond(http.StatusBadRequest, answer{Error: err.Error()})
	}
	if d.Format == formatB {
		url := "https://" + request.RequestContext.DomainName + request.RawPath
		if err := verify(h.secret.SigningSecret, url, d.Type, request.Headers, h.now()); err != nil {
			return respond(http.StatusUnauthorized, answer{Error: "unauthorized"})
		}
	}
	return h.store(ctx, d)
}

func (h *handler) store(ctx context.Context, d *delivery) (events.APIGatewayV2HTTPResponse, error) {
	item, err := d.item(h.now())
	if err != nil {
		return respond(http.StatusBadRequest, answer{Error: err.Error()})
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
		return respond(http.StatusServiceUnavailable, answer{Error: "try again later"})
	}
	key, _ := item["PK"].(string)
	h.log.InfoContext(ctx, "delivery answered", "status", http.StatusOK, "type", d.Type, "kind", d.kind(), "key", key, "answer", status)
	return respond(http.StatusOK, answer{Status: status, Key: key})
}

func respond(status int, a answer) (events.APIGatewayV2HTTPResponse, error) {
	body, err := json.Marshal(a)
	if err != nil {
		return events.APIGatewayV2HTTPResponse{}, fmt.Errorf("marshal answer: %w", err)
	}
	return events.APIGatewayV2HTTPResponse{
		StatusCode: status,
		Headers:    map[string]string{"content-type": "application/json"},
		Body:       string(body),
	}, nil
}
