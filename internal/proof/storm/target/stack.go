package target

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ringback/ringback/internal/proof/storm"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

// ErrStore says that the table cannot be read.
var ErrStore = errors.New("read the table")

// patience is how often the AWS SDK tries to read the table back: that is done as
// fast as it answers, which may be too fast for it now and then.
const patience = 10

// quietTime is how long no alert comes until the last is taken to have come.
const quietTime = 3 * time.Second

// StackConfig names the parts of a stack.
type StackConfig struct {
	// URL is where webhooks are posted, token included.
	URL string
	// SigningSecret is the stack's; "" where it checks no signatures.
	SigningSecret string
	// SignedURL is the URL that the stack takes for its own, where that is
	// another than URL; "" for URL.
	SignedURL string
	// TableName and TopicARN are where it keeps events and publishes alerts.
	TableName, TopicARN string
	// Shared is set where others may be subscribed to the topic. They get the
	// storm's alerts as well.
	Shared bool
}

// Stack is a stack on AWS, or on stand-ins for it.
type Stack struct {
	// Alerts are what the stack publishes.
	Alerts *Subscription

	config StackConfig
	table  *dynamostore.Store
}

// Open checks that the table can be read and subscribes to the topic. The errors
// wrap [ErrStore] and those of [Subscribe], and [ErrDenied] or [ErrSilent] where
// that is why.
func Open(ctx context.Context, config aws.Config, c StackConfig) (*Stack, error) {
	err := checkTable(ctx, dynamodb.NewFromConfig(config), c.TableName)
	if err != nil {
		return nil, fmt.Errorf("%w %q: %w", ErrStore, c.TableName, err)
	}
	s := &Stack{config: c, table: dynamostore.New(config, c.TableName, func(o *dynamodb.Options) {
		o.RetryMaxAttempts = patience
	})}
	if s.Alerts, err = Subscribe(ctx, config, c.TopicARN, c.Shared); err != nil {
		return nil, err
	}
	return s, nil
}

// checkTable looks up a partition that never is.
func checkTable(ctx context.Context, client *dynamodb.Client, name string) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	_, err := client.Query(ctx, &dynamodb.QueryInput{
		TableName:                 aws.String(name),
		ConsistentRead:            aws.Bool(true), // as the storm reads
		KeyConditionExpression:    aws.String(table.PK + " = :partition"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":partition": &types.AttributeValueMemberS{Value: "STORM"}},
		Limit:                     aws.Int32(1),
	})
	if err != nil {
		return explain(err)
	}
	return nil
}

// Target returns what a [storm.Player] needs to play a plan against it. It has
// settled once every alert of the plan has come, and for some seconds no other. It
// does not go through the whole table, which may be large and is paid for by what
// is read: only the partitions of the plan are looked at.
func (s *Stack) Target(plan *storm.Plan) storm.Target {
	return storm.Target{
		URL:           s.config.URL,
		SigningSecret: s.config.SigningSecret,
		SignedURL:     s.config.SignedURL,
		Table:         s.table,
		Spills:        true,
		Settled: func(ctx context.Context) error {
			return s.Alerts.Settled(ctx, plan.Alerts(), quietTime)
		},
	}
}

// Close removes what was made for the storm. The events stay.
func (s *Stack) Close() error { return s.Alerts.Close() }
