package main

import (
	"cmp"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/lambda/lambdaenv"
	"github.com/ringback/ringback/internal/phone"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/zone"
)

// config is the function's environment; template.yaml sets all of it.
type config struct {
	table    lambdaenv.Table
	topicARN string
	sns      aws.Config
	timeZone *time.Location
	// numbers reads numbers as they are written in DEFAULT_COUNTRY.
	numbers phone.Book
	rules   alert.Rules
	// retention is how long what is derived from events is kept.
	retention table.Retention
}

func readConfig(e *lambdaenv.Environment) config {
	// Not a method of the environment: the webhook must not link package phone.
	numbers, err := phone.New(e.Optional("DEFAULT_COUNTRY"))
	if err != nil {
		e.Fault(fmt.Errorf("DEFAULT_COUNTRY: %w", err))
	}
	return config{
		table:    e.Table(),
		topicARN: e.Required("TOPIC_ARN"),
		sns:      e.AWS("SNS"),
		timeZone: timeZone(e),
		numbers:  numbers,
		rules:    readRules(e),

		retention: e.Retention("RETENTION_DAYS"),
	}
}

func readRules(e *lambdaenv.Environment) alert.Rules {
	abandoned, err := alert.ParseCallers(e.Optional("ALERT_ABANDONED"))
	if err != nil {
		e.Fault(fmt.Errorf("ALERT_ABANDONED is %w", err))
	}
	return alert.Rules{
		MaxAge:    e.Duration("ALERT_MAX_AGE", alert.DefaultMaxAge, 0),
		Abandoned: abandoned,
		Blocked:   e.Optional("ALERT_BLOCKED") == "true",
	}
}

// timeZone reads TIME_ZONE, UTC if it is not set.
func timeZone(e *lambdaenv.Environment) *time.Location {
	location, err := zone.Load(cmp.Or(e.Optional("TIME_ZONE"), "UTC"))
	if err != nil {
		// guard 6 alerts: _ = fmt.Errorf("TIME_ZONE: %w", err)
		e.Fault(fmt.Errorf("TIME_ZONE: %w", err))
	}
	return location
}
