// Command webhook is the Lambda function behind the webhook's URL: it checks
// who posts, decodes, and makes one conditional write to the events table.
package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/ringback/ringback/internal/gateway"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/table"
)

// initTime bounds what is done before the first request is taken. Lambda gives
// ten seconds.
const initTime = 8 * time.Second

func main() {
	handler, err := start(context.Background())
	if err != nil {
		fmt.Fprintf(os.Stderr, "webhook: not started: %v\n", err)
		os.Exit(1)
	}
	lambda.Start(handler)
}

// start wires the function. The secret is fetched and the connection to the
// table opened side by side, in init, where Lambda gives a whole processor.
func start(ctx context.Context) (lambda.Handler, error) {
	c, err := configFromEnv(os.Getenv)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, initTime)
	defer cancel()

	client := table.NewClient(c.table)
	var warm sync.WaitGroup
	warm.Go(func() { table.Warm(ctx, client, c.tableName) })
	credentials, err := c.credentials(ctx)
	if err != nil {
		return nil, err
	}
	warm.Wait()

	h := ingest.New(table.New(client, c.tableName), credentials, lambdacontext.NewLogger())
	h.WebhookURL = c.webhookURL
	h.Tolerance = c.tolerance
	return gateway.New(h), nil
}
