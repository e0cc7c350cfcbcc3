package lambdaenv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/table"
)

// Environment reads variables and collects their faults. An empty variable counts as
// not set: the template sets those that only local use needs to "".
type Environment struct {
	getenv      func(string) string
	faults      []error
	region      string
	endpoint    string // of every service that has none of its own
	credentials aws.CredentialsProvider
	client      *awsclient.HTTPClient
}

// New returns an environment that reads variables with getenv, which is [os.Getenv]
// outside tests. It reads the region and the credentials, which every function needs.
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
	e.region, e.endpoint = e.Required("AWS_REGION"), e.URL("AWS_ENDPOINT_URL")
	return e
}

// Optional returns a variable, or "" if it is not set.
func (e *Environment) Optional(name string) string { return e.getenv(name) }

// Required returns a variable. If it is not set, that is a fault.
func (e *Environment) Required(name string) string {
	value := e.getenv(name)
	if value == "" {
		// guard 6 webhook alerts drain escalate reconcile: _ = fmt.Errorf("%s is not set", name)
		e.Fault(fmt.Errorf("%s is not set", name))
	}
	return value
}

// Duration returns a variable in the form of [time.ParseDuration], or fallback if it
// is not set. A duration shorter than least is a fault.
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

// Retention returns a variable, a number of days; one that is not set is 0.
func (e *Environment) Retention(name string) table.Retention {
	days, err := table.ParseRetention(e.getenv(name))
	if err != nil {
		e.Fault(fmt.Errorf("%s is %w", name, err))
	}
	return days
}

// Bool returns whether a variable is true; one that is not set is false. Anything but
// true and false is a fault.
func (e *Environment) Bool(name string) bool {
	value := e.getenv(name)
	if value != "" && value != "true" && value != "false" {
		e.Fault(fmt.Errorf("%s is neither true nor false", name))
	}
	return value == "true"
}

// URL returns a variable, or "" if it is not set. If it is no URL of HTTP with a host,
// that is a fault.
func (e *Environment) URL(name string) string {
	value := e.getenv(name)
	if u, err := url.Parse(value); value != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		e.Fault(fmt.Errorf("%s is not a URL such as https://example.com", name))
	}
	return value
}

// Fault adds a fault that the caller found. Its text must not contain secrets.
func (e *Environment) Fault(err error) { e.faults = append(e.faults, err) }

// Err returns all faults of the variables read so far, or nil. If it is not nil, the
// values that were read must not be used.
func (e *Environment) Err() error { return errors.Join(e.faults...) }

// AWS returns the configuration of a client of an AWS service: the function's region
// and credentials, the retry policy of [awsclient.NewRetryer], the one HTTP client
// that all services share, and the endpoint in AWS_ENDPOINT_URL_<service> or, for all
// services, AWS_ENDPOINT_URL. Only stand-ins for AWS set them; empty is not set. They
// mean what they mean to the SDK, which names the services:
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
//
//	awsclient.NewService(awsclient.SQS, e.AWS("SQS"))
func (e *Environment) AWS(service string) aws.Config {
	config := aws.Config{
		Region:      e.region,
		Credentials: e.credentials,
		HTTPClient:  e.client,
		Retryer:     awsclient.NewRetryer,
	}
	if endpoint := cmp.Or(e.URL("AWS_ENDPOINT_URL_"+service), e.endpoint); endpoint != "" {
		config.BaseEndpoint = aws.String(endpoint)
	}
	return config
}

// Table says which table holds the events and how to reach it.
type Table struct {
	Config aws.Config
	Name   string
}

// Table reads TABLE_NAME.
func (e *Environment) Table() Table {
	return Table{Config: e.AWS("DYNAMODB"), Name: e.Required("TABLE_NAME")}
}
