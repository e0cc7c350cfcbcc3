// Command plain is the webhook function as it is ordinarily written in Go: the
// SDK's default configuration, encoding/json, attributevalue, and no settings.
//
// It does what functions/webhook does for a delivery: it checks the token and
// the signature, decodes, makes one conditional write of an item with the same
// keys and attributes, logs one line, and gives the same answer. It knows no
// spill queue, no previous secret and no rejections, and keeps deliveries of
// other shapes less carefully.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

func main() {
	h, err := newHandler(context.Background())
	if err != nil {
		slog.Error("not started", "error", err)
		os.Exit(1)
	}
	lambda.Start(h.handle)
}

// secret is what Secrets Manager keeps.
type secret struct {
	Token         string `json:"token"`
	SigningSecret string `json:"signing_secret"`
}

func newHandler(ctx context.Context) (*handler, error) {
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
	var s secret
	if err := json.Unmarshal([]byte(aws.ToString(out.SecretString)), &s); err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	if s.Token == "" || s.SigningSecret == "" {
		return nil, errors.New("the secret has no token or no signing_secret")
	}
	return &handler{
		table:  dynamodb.NewFromConfig(cfg),
		name:   os.Getenv("TABLE_NAME"),
		secret: s,
		log:    lambdacontext.NewLogger(),
		now:    time.Now,
	}, nil
}
