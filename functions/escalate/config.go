package main

import (
	"github.com/aws/aws-sdk-go-v2/aws"

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
	// retention is how long what people were reminded of is kept.
	retention table.Retention
}

// readConfig reads every variable. e.Err reports the faults.
func readConfig(e *lambdaenv.Environment) config {
	return config{
		table:    e.Table(),
		topicARN: e.Required("TOPIC_ARN"),
		sns:      e.AWS("SNS"),
		firm:     firm.Read(e),

		retention: e.Retention("RETENTION_DAYS"),
	}
}
