package main

import (
	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ringback/ringback/internal/lambda/lambdaenv"
)

// config is the function's environment; template.yaml sets all of it.
type config struct {
	table    lambdaenv.Table
	topicARN string
	sns      aws.Config
}

func readConfig(e *lambdaenv.Environment) config {
	return config{
		table:    e.Table(),
		topicARN: e.Required("TOPIC_ARN"),
		sns:      e.AWS("SNS"),
	}
}
