// Command webhook is the Lambda function behind the webhook's URL. It
// authenticates each delivery, decodes it and makes one conditional write to the
// events table. If the table refuses, the whole delivery goes to the spill queue.
package main

import (
	"context"
	"sync"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/lambda/gateway"
	"github.com/ringback/ringback/internal/lambda/lambdaenv"
	"github.com/ringback/ringback/internal/table/dynamo"
)

func main() {
	lambdaenv.Run("webhook", start)
}

// start wires the function. It fetches the secret and opens the connection to the
// table at the same time, in init, when Lambda gives the process a whole CPU.
func start(ctx context.Context, e *lambdaenv.Environment) (lambda.Handler, error) {
	c := readConfig(e)
	if err := e.Err(); err != nil {
		return nil, err
	}
	var warm sync.WaitGroup
	writer := dynamo.NewWriter(c.table.Config, c.table.Name)
	hung := false
	warm.Go(func() { hung = writer.Warm(ctx) })
	credentials, err := c.credentials(ctx)
	if err != nil {
		return nil, err
	}
	warm.Wait()

	h := ingest.New(c.retention.Putter(writer), credentials, lambdaenv.NewLogger())
	h.Spill = c.spill()
	h.WebhookURL = c.webhookURL
	h.Tolerance = c.tolerance
	h.AcceptUnsigned = c.unsigned
	if hung {
		h.TableHangs()
	}
	return gateway.New(h), nil
}
