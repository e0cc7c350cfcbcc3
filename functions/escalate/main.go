// Command escalate is the Lambda function that runs every minute: it reminds people of
// callers whom nobody has called back, and lists those who called too long ago for an
// alert when the reconcile function found it.
package main

import (
	"context"
	"errors"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/escalate"
	"github.com/ringback/ringback/internal/figures"
	"github.com/ringback/ringback/internal/lambda/lambdaenv"
	"github.com/ringback/ringback/internal/reconcile"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

func main() { lambdaenv.Run("escalate", start) }

// start wires the function.
func start(_ context.Context, e *lambdaenv.Environment) (lambda.Handler, error) {
	c := readConfig(e)
	if err := e.Err(); err != nil {
		return nil, err
	}
	log := lambdaenv.NewLogger()
	topic := alert.NewSNS(sns.NewFromConfig(c.sns), c.topicARN, log)
	store := c.retention.Store(dynamostore.New(c.table.Config, c.table.Name))
	runner := escalate.New(c.firm.Plan, store, c.firm.Callers.Read, topic, log)
	runner.Style = c.firm.Style()
	digests := reconcile.NewDigester(store, c.firm.Numbers.Canonical, c.firm.Callers, topic, log)
	digests.Style = runner.Style
	counter := figures.NewCounter(c.firm.Callers.Policy, c.firm.Callers.Lines, store, log)
	// What the scheduler sends says nothing: a late run does the same as one in time.
	return lambda.NewHandler(func(ctx context.Context) error {
		_, err := runner.Run(ctx)
		return errors.Join(err, counter.Run(ctx), digests.Run(ctx)) // digests may take all the time that is left
	}), nil
}
