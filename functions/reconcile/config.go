package main

import (
	"errors"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/lambda/lambdaenv"
	"github.com/ringback/ringback/internal/lambda/spill"
	"github.com/ringback/ringback/internal/table"
)

// config is the function's environment; template.yaml sets all of it.
type config struct {
	table       lambdaenv.Table
	webhookURL  string
	retention   table.Retention
	maxAlertAge time.Duration

	spillURL string
	spillAWS aws.Config

	secretARN string
	secretAWS aws.Config
	api       string // "" is JustCall's
}

// readConfig reads every variable. e.Err reports the faults.
func readConfig(e *lambdaenv.Environment) config {
	c := config{
		table:       e.Table(),
		webhookURL:  e.URL("WEBHOOK_URL"),
		retention:   e.Retention("RETENTION_DAYS"),
		maxAlertAge: e.Duration("ALERT_MAX_AGE", alert.DefaultMaxAge, 0),
		spillURL:    e.URL("SPILL_QUEUE_URL"),
		spillAWS:    e.AWS("SQS"),
		secretARN:   e.Required("API_SECRET_ARN"),
		secretAWS:   e.AWS("SECRETS_MANAGER"),
		api:         e.URL("JUSTCALL_URL"),
	}
	if c.spillURL == "" {
		e.Fault(errors.New("SPILL_QUEUE_URL is not set"))
	}
	return c
}

func (c config) queue() *spill.Queue {
	return spill.NewQueue(awsclient.NewService(awsclient.SQS, c.spillAWS), c.spillURL)
}

func (c config) secrets() *awsclient.Service {
	return awsclient.NewService(awsclient.SecretsManager, c.secretAWS)
}

// newTransport returns the transport for JustCall's API. The default one is made for the
// Runtime API.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		ForceAttemptHTTP2:   true,
		TLSHandshakeTimeout: 10 * time.Second,
		IdleConnTimeout:     30 * time.Second,
	}
}
