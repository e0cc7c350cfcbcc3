package main

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/lambda/firm"
	"github.com/ringback/ringback/internal/lambda/lambdaenv"
	"github.com/ringback/ringback/internal/table"
)

// config is the function's environment; template.yaml sets all of it.
type config struct {
	table    lambdaenv.Table
	topicARN string
	sns      aws.Config
	firm     firm.Firm
	rules    alert.Rules
	// retention is how long what is derived from events is kept.
	retention table.Retention
}

func readConfig(e *lambdaenv.Environment) config {
	return config{
		table:    e.Table(),
		topicARN: e.Required("TOPIC_ARN"),
		sns:      e.AWS("SNS"),
		firm:     firm.Read(e),
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
		Pause:     e.Duration("ALERT_PAUSE", 0, 0),
	}
}
