// Command webhook is the Lambda function behind the webhook's URL. It checks who
// posts, decodes the delivery and makes one conditional write to the events table.
// What the table does not take goes whole to the spill queue.
package main

import (
	"context"
	"sync"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/lambda/gateway"
	"github.com/ringback/ringback/internal/lambda/lambdaenv"
	"github.com/ringback/ringback/internal/table/dynamo"
)

func main() { lambdaenv.Run("webhook", start) }

// start wires the function. It fetches the secret and opens the connection to the
// table at the same time, in init, where Lambda gives it a whole processor.
func start(ctx context.Context, e *lambdaenv.Environment) (lambda.Handler, error) {
	c := readConfig(e)
	if err := e.Err(); err != nil {
		return nil, err
	}
	var warm sync.WaitGroup
	writer := dynamo.NewWriter(c.table.Config, c.table.Name)
	warm.Go(func() { writer.Warm(ctx) })
	credentials, err := c.credentials(ctx)
	if err != nil {
		return nil, err
	}
	warm.Wait()

	h := ingest.New(writer, credentials, lambdacontext.NewLogger())
	h.Spill = c.spill()
	h.WebhookURL = c.webhookURL
	h.Tolerance = c.tolerance
	return gateway.New(h), nil
}
