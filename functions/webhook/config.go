package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/table"
)

// config is the function's environment; template.yaml sets all of it.
type config struct {
	table      table.ClientOptions
	tableName  string
	webhookURL string
	tolerance  events.Tolerance

	secretARN      string
	secretEndpoint string
	localSecret    string
	grace          time.Duration
}

// configFromEnv reads every variable and reports all faults at once.
func configFromEnv(getenv func(string) string) (config, error) {
	var faults []error
	required := func(name string) string {
		value := getenv(name)
		if value == "" {
			faults = append(faults, fmt.Errorf("%s is not set", name))
		}
		return value
	}
	duration := func(name string, fallback, least time.Duration) time.Duration {
		value := getenv(name)
		if value == "" {
			return fallback
		}
		d, err := time.ParseDuration(value)
		if err != nil || d < least {
			faults = append(faults, fmt.Errorf("%s is not a duration, such as 3h, of at least %v", name, least))
		}
		return d
	}
	address := func(name string) string {
		value := getenv(name)
		if u, err := url.Parse(value); value != "" && (err != nil || u.Host == "") {
			faults = append(faults, fmt.Errorf("%s is not a URL such as https://example.com", name))
		}
		return value
	}

	const defaultGrace = 72 * time.Hour
	c := config{
		tableName:  required("TABLE_NAME"),
		webhookURL: address("WEBHOOK_URL"),
		tolerance: events.Tolerance{
			Past:  duration("SIGNATURE_MAX_AGE", ingest.DefaultTolerance.Past, time.Second),
			Ahead: ingest.DefaultTolerance.Ahead,
		},
		secretARN:      getenv("SECRET_ARN"),
		secretEndpoint: address("AWS_ENDPOINT_URL_SECRETS_MANAGER"),
		localSecret:    getenv("LOCAL_SECRET"),
		grace:          duration("PREVIOUS_SECRET_GRACE", defaultGrace, 0),
	}
	credentials := aws.Credentials{
		AccessKeyID:     required("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: required("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    getenv("AWS_SESSION_TOKEN"),
		Source:          "environment",
	}
	c.table = table.ClientOptions{
		Region:   required("AWS_REGION"),
		Endpoint: address("AWS_ENDPOINT_URL_DYNAMODB"),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return credentials, nil
		}),
		HTTPClient: table.NewHTTPClient(),
	}
	switch {
	case c.secretARN == "" && c.localSecret == "":
		faults = append(faults, errors.New("SECRET_ARN is not set (LOCAL_SECRET takes its place for local use only)"))
	case c.secretARN != "" && c.localSecret != "":
		faults = append(faults, errors.New("SECRET_ARN and LOCAL_SECRET are both set: LOCAL_SECRET is for local use only"))
	}
	return c, errors.Join(faults...)
}

// credentials returns the source of the secrets, read once.
func (c config) credentials(ctx context.Context) (ingest.Credentials, error) {
	if c.secretARN == "" {
		secret, err := credential.Parse(c.localSecret)
		if err != nil {
			return nil, fmt.Errorf("LOCAL_SECRET: %w", err)
		}
		return credential.Fixed(secret), nil
	}
	options := secretsmanager.Options{
		Region:      c.table.Region,
		Credentials: c.table.Credentials,
		HTTPClient:  c.table.HTTPClient,
		Retryer:     table.NewRetryer(),
	}
	if c.secretEndpoint != "" {
		options.BaseEndpoint = aws.String(c.secretEndpoint)
	}
	source, err := credential.New(ctx, secretsmanager.New(options), c.secretARN, c.grace)
	if err != nil {
		return nil, fmt.Errorf("SECRET_ARN: %w", err)
	}
	return source, nil
}
