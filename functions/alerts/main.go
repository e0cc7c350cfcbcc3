// Command alerts is the Lambda function behind the table's stream: it publishes
// each missed call and voicemail to the alerts topic, once.
package main

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/lambda/lambdaenv"
	"github.com/ringback/ringback/internal/lambda/stream"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

func main() { lambdaenv.Run("alerts", start) }

// warmTime bounds the first look at the table.
const warmTime = 2 * time.Second

func start(ctx context.Context, e *lambdaenv.Environment) (lambda.Handler, error) {
	c := readConfig(e)
	if err := e.Err(); err != nil {
		return nil, err
	}
	// A look where nothing is opens the connection to the table, in init, where
	// Lambda gives a whole processor: an alert waits for its caller's history
	// only for a moment.
	ctx, cancel := context.WithTimeout(ctx, warmTime)
	defer cancel()
	store := dynamostore.New(c.table.Config, c.table.Name)
	_, _ = store.Query(ctx, table.Query{Partition: "WARM", Limit: 1})

	log := lambdacontext.NewLogger()
	topic := alert.NewSNS(sns.NewFromConfig(c.sns), c.topicARN, log)
	return stream.New(alert.New(store, topic, log).Deliver, log), nil
}
