// Command alerts is the Lambda function behind the table's stream: it publishes
// each missed call and voicemail to the alerts topic, once.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/environment"
	"github.com/ringback/ringback/internal/stream"
)

func main() { environment.Run("alerts", start) }

func start(_ context.Context, e *environment.Environment) (lambda.Handler, error) {
	c := readConfig(e)
	if err := e.Err(); err != nil {
		return nil, err
	}
	log := lambdacontext.NewLogger()
	topic := alert.NewSNS(sns.NewFromConfig(c.sns), c.topicARN, log)
	return stream.New(alert.New(c.table.Store(), topic, log).Deliver, log), nil
}
