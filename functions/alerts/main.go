// Command alerts is the Lambda function behind the table's stream. It runs the
// consumers of new items: the alerts of missed calls and voicemails, the address book,
// the spellings of numbers, the follow-ups of callers who wait, and the last sign of life.
package main

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/escalate"
	"github.com/ringback/ringback/internal/figures"
	"github.com/ringback/ringback/internal/health"
	"github.com/ringback/ringback/internal/lambda/lambdaenv"
	"github.com/ringback/ringback/internal/lambda/stream"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/spelling"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

func main() { lambdaenv.Run("alerts", start) }

// warmTime limits the first query.
const warmTime = 2 * time.Second

func start(ctx context.Context, e *lambdaenv.Environment) (lambda.Handler, error) {
	c := readConfig(e)
	if err := e.Err(); err != nil {
		return nil, err
	}
	// A query of an empty partition opens the connection to the table during init,
	// when Lambda gives the process a whole CPU. Without it, the first alert would go
	// out before its caller's history is read.
	ctx, cancel := context.WithTimeout(ctx, warmTime)
	defer cancel()
	forever := dynamostore.New(c.table.Config, c.table.Name)
	store := c.retention.Store(forever)
	_, _ = store.Query(ctx, table.Query{Partition: table.WarmPartition, Limit: 1})

	log := lambdaenv.NewLogger()
	topic := alert.NewSNS(sns.NewFromConfig(c.sns), c.topicARN, log)
	canonical := c.firm.Numbers.Canonical
	alerts := alert.New(store, canonical, topic, log)
	alerts.Rules = c.rules
	alerts.Style = c.firm.Style()
	alerts.Policy = c.firm.Callers.Policy
	followUps := ledger.New(store, canonical, log)
	followUps.Policy = c.firm.Callers.Policy
	followUps.Changed = ledger.Tell(
		figures.Log(c.firm.Callers.Lines, log),
		escalate.New(c.firm.Plan, store, c.firm.Callers.Read, topic, log).Changed(c.firm.Callers),
	)
	followUps.Followed = alerts.Followed
	contacts := addressbook.New(store, canonical, log)
	contacts.Changed = followUps.Refresh
	return stream.New(consumer.All(
		alerts.Consumer(),
		contacts.Consumer(),
		spelling.New(store, canonical, log).Consumer(),
		followUps.Consumer(),
		health.New(forever, log).Consumer(),
	), log), nil
}
