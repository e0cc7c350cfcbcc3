// Command reconcile is the Lambda function that runs every quarter of an hour: it finds
// what the webhook lost, and puts it into the spill queue.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/justcall"
	"github.com/ringback/ringback/internal/lambda/lambdaenv"
	"github.com/ringback/ringback/internal/lambda/spill"
	"github.com/ringback/ringback/internal/reconcile"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

// lastWait is how much later than all else a call is stored whose caller may wait. The
// queue keeps no order; and people would be reminded of somebody whom a call that is
// stored after it has returned.
const lastWait = 2 * time.Minute

func main() { lambdaenv.Run("reconcile", start) }

// start wires the function.
func start(_ context.Context, e *lambdaenv.Environment) (lambda.Handler, error) {
	c := readConfig(e)
	if err := e.Err(); err != nil {
		return nil, err
	}
	store := dynamostore.New(c.table.Config, c.table.Name)
	secrets, to, transport, log := c.secrets(), queue{c.queue()}, newTransport(), lambdaenv.NewLogger()
	// What the scheduler sends says nothing: a late run does the same as one in time.
	return lambda.NewHandler(func(ctx context.Context) error {
		// The keys may have been changed since the last run.
		text, err := credential.Text(ctx, secrets, c.secretARN)
		if err != nil {
			return fmt.Errorf("API_SECRET_ARN: %w", err)
		}
		keys, err := justcall.ParseCredentials([]byte(text))
		if err != nil {
			return fmt.Errorf("API_SECRET_ARN: %w", err)
		}
		if keys == (justcall.Credentials{}) {
			log.LogAttrs(ctx, slog.LevelInfo, "not reconciled: there are no keys")
			return nil
		}
		client, err := justcall.New(keys, justcall.TeamLimits, c.api, transport)
		if err != nil {
			return fmt.Errorf("API_SECRET_ARN: %w", err)
		}
		r := reconcile.New(client, store, to, log)
		r.Account, r.WebhookURL = keys.Name(), c.webhookURL
		r.Retention, r.MaxAlertAge = c.retention, c.maxAlertAge
		_, err = r.Run(ctx)
		return err
	}), nil
}

// queue is the spill queue as a [reconcile.Sink].
type queue struct{ *spill.Queue }

// Send implements [reconcile.Sink].
func (q queue) Send(ctx context.Context, r ingest.Received, last bool) error {
	wait := time.Duration(0)
	if last {
		wait = lastWait
	}
	err := q.SendLater(ctx, r, wait)
	if errors.Is(err, spill.ErrTooLarge) {
		return fmt.Errorf("%w: %w", table.ErrTooLarge, err)
	}
	return err
}
