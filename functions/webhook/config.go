package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/lambda/lambdaenv"
	"github.com/ringback/ringback/internal/lambda/spill"
	"github.com/ringback/ringback/internal/table"
)

// config is the function's environment; template.yaml sets all of it.
type config struct {
	table      lambdaenv.Table
	webhookURL string
	tolerance  events.Tolerance
	unsigned   bool
	retention  table.Retention

	spillURL string
	spillAWS aws.Config

	secretARN   string
	secretAWS   aws.Config
	localSecret string
	grace       time.Duration
}

// readConfig reads every variable. e.Err reports the faults.
func readConfig(e *lambdaenv.Environment) config {
	const defaultGrace = 72 * time.Hour
	c := config{
		table:      e.Table(),
		webhookURL: e.URL("WEBHOOK_URL"),
		tolerance: events.Tolerance{
			Past:  e.Duration("SIGNATURE_MAX_AGE", ingest.DefaultTolerance.Past, time.Second),
			Ahead: ingest.DefaultTolerance.Ahead,
		},
		unsigned:    e.Bool("ACCEPT_UNSIGNED"),
		retention:   e.Retention("RETENTION_DAYS"),
		spillURL:    e.URL("SPILL_QUEUE_URL"),
		spillAWS:    e.AWS("SQS"),
		secretARN:   e.Optional("SECRET_ARN"),
		secretAWS:   e.AWS("SECRETS_MANAGER"),
		localSecret: e.Optional("LOCAL_SECRET"),
		grace:       e.Duration("PREVIOUS_SECRET_GRACE", defaultGrace, 0),
	}
	switch {
	case c.secretARN == "" && c.localSecret == "":
		e.Fault(errors.New("SECRET_ARN is not set (LOCAL_SECRET takes its place for local use only)"))
	case c.secretARN != "" && c.localSecret != "":
		e.Fault(errors.New("SECRET_ARN and LOCAL_SECRET are both set: LOCAL_SECRET is for local use only"))
	}
	return c
}

// credentials returns the source of the secrets, after a first read.
func (c config) credentials(ctx context.Context) (ingest.Credentials, error) {
	if c.secretARN == "" {
		secret, err := credential.Parse(c.localSecret)
		if err != nil {
			return nil, fmt.Errorf("LOCAL_SECRET: %w", err)
		}
		return credential.Fixed(secret), nil
	}
	source, err := credential.New(ctx, awsclient.NewService(awsclient.SecretsManager, c.secretAWS), c.secretARN, c.grace)
	if err != nil {
		// guard 6 webhook e2e: return credential.Fixed(credential.Secret{}), nil
		return nil, fmt.Errorf("SECRET_ARN: %w", err)
	}
	return source, nil
}

// spill returns the queue for deliveries that the table refuses, or nil if there
// is none.
func (c config) spill() ingest.Spill {
	if c.spillURL == "" {
		return nil
	}
	return spill.NewQueue(awsclient.NewService(awsclient.SQS, c.spillAWS), c.spillURL)
}
