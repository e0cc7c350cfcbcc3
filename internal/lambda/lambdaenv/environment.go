package lambdaenv

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ringback/ringback/internal/awsclient"
)

// Environment reads variables and collects what is wrong with them. A variable
// that is empty counts as not set: the template sets to "" what only local use
// needs.
type Environment struct {
	getenv      func(string) string
	faults      []error
	region      string
	credentials aws.CredentialsProvider
	client      *awsclient.HTTPClient
}

// New returns the environment behind getenv, which is [os.Getenv] but in tests.
// It reads the region and the credentials, which every function needs.
func New(getenv func(string) string) *Environment {
	e := &Environment{getenv: getenv, client: awsclient.NewHTTPClient()}
	credentials := aws.Credentials{
		AccessKeyID:     e.Required("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: e.Required("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    e.Optional("AWS_SESSION_TOKEN"),
		Source:          "environment",
	}
	e.credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return credentials, nil
	})
	e.region = e.Required("AWS_REGION")
	return e
}

// Optional returns a variable, or "" if it is not set.
func (e *Environment) Optional(name string) string { return e.getenv(name) }

// Required returns a variable that must be set.
func (e *Environment) Required(name string) string {
	value := e.getenv(name)
	if value == "" {
		e.Fault(fmt.Errorf("%s is not set", name))
	}
	return value
}

// Duration returns a variable as [time.ParseDuration] reads it, or fallback if
// it is not set. Less than least is a fault.
func (e *Environment) Duration(name string, fallback, least time.Duration) time.Duration {
	value := e.getenv(name)
	if value == "" {
		return fallback
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < least {
		e.Fault(fmt.Errorf("%s is not a duration, such as 3h, of at least %v", name, least))
	}
	return d
}

// URL returns a variable that is a URL with a host, or "" if it is not set.
func (e *Environment) URL(name string) string {
	value := e.getenv(name)
	if u, err := url.Parse(value); value != "" && (err != nil || u.Host == "") {
		e.Fault(fmt.Errorf("%s is not a URL such as https://example.com", name))
	}
	return value
}

// Fault adds what only the caller can tell to be wrong. The text must not have
// a secret in it.
func (e *Environment) Fault(err error) { e.faults = append(e.faults, err) }

// Err returns all faults of the variables read so far, or nil. What was read
// is of no use while there are any.
func (e *Environment) Err() error { return errors.Join(e.faults...) }

// AWS returns the settings for the client of an AWS service: region and
// credentials of the function, the retry policy of [awsclient.NewRetryer], one HTTP
// client for all services, and the endpoint in AWS_ENDPOINT_URL_<service>,
// which is set for local use only. Services are named as in
// https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html:
//
//	awsclient.NewService(awsclient.SQS, e.AWS("SQS"))
func (e *Environment) AWS(service string) aws.Config {
	config := aws.Config{
		Region:      e.region,
		Credentials: e.credentials,
		HTTPClient:  e.client,
		Retryer:     awsclient.NewRetryer,
	}
	if endpoint := e.URL("AWS_ENDPOINT_URL_" + service); endpoint != "" {
		config.BaseEndpoint = aws.String(endpoint)
	}
	return config
}

// Table is the events table: how to reach it, and its name.
type Table struct {
	Config aws.Config
	Name   string
}

// Table returns the table in TABLE_NAME.
func (e *Environment) Table() Table {
	return Table{Config: e.AWS("DYNAMODB"), Name: e.Required("TABLE_NAME")}
}
