package table

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/ringback/ringback/internal/awsclient"
)

// API is the part of [dynamodb.Client] that the store uses.
type API interface {
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
}

// DynamoDB is the [Store] in a DynamoDB table.
type DynamoDB struct {
	client API
	table  string
}

var _ Store = (*DynamoDB)(nil)

// New returns the store in the table of that name.
func New(client API, tableName string) *DynamoDB {
	return &DynamoDB{client: client, table: tableName}
}

// ClientOptions says how to reach DynamoDB.
type ClientOptions struct {
	Region      string
	Endpoint    string // base URL; empty means the public one of Region
	Credentials aws.CredentialsProvider

	// HTTPClient may be shared with other SDK clients; nil makes a new one.
	HTTPClient *awsclient.HTTPClient
}

// NewClient returns a DynamoDB client that starts fast, bounds every call to
// about 7 s and reuses its connections. It reads neither the environment nor
// any file for its options.
func NewClient(o ClientOptions) *dynamodb.Client {
	if o.HTTPClient == nil {
		o.HTTPClient = awsclient.NewHTTPClient()
	}
	options := dynamodb.Options{
		Region:      o.Region,
		Credentials: o.Credentials,
		HTTPClient:  o.HTTPClient,
		Retryer:     awsclient.NewRetryer(),
	}
	if o.Endpoint != "" {
		options.BaseEndpoint = aws.String(o.Endpoint)
	}
	return dynamodb.New(options)
}

// warmTimeout bounds Warm, since a function that starts waits for it.
const warmTimeout = 2 * time.Second

// Warm opens a connection to the table by one signed read of a key that is
// never written, so that the first Put does not pay for it. The result does
// not matter: a denied read warms as well.
func Warm(ctx context.Context, client *dynamodb.Client, tableName string) {
	ctx, cancel := context.WithTimeout(ctx, warmTimeout)
	defer cancel()
	_, _ = client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(tableName),
		Key: Item{
			PK: &types.AttributeValueMemberS{Value: "WARM"},
			SK: &types.AttributeValueMemberS{Value: "WARM"},
		},
	}, func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
}

// Put implements [Store]. It makes one call, without a read before it.
func (d *DynamoDB) Put(ctx context.Context, item Item) (created bool, err error) {
	if err = Check(item); err != nil {
		return false, fmt.Errorf("put item: %w", err)
	}
	_, err = d.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:           aws.String(d.table),
		Item:                item,
		ConditionExpression: aws.String("attribute_not_exists(" + PK + ")"),
	})
	var exists *types.ConditionalCheckFailedException
	switch {
	case err == nil:
		return true, nil
	case errors.As(err, &exists):
		return false, nil
	}
	return false, fail("put item", err)
}

// Query implements [Store].
func (d *DynamoDB) Query(ctx context.Context, q Query) (Page, error) {
	start, err := q.Start()
	if err != nil {
		return Page{}, fmt.Errorf("query: %w", err)
	}

	partition, sort := q.Index.Attributes()
	in := &dynamodb.QueryInput{
		TableName:        aws.String(d.table),
		ScanIndexForward: aws.Bool(!q.NewestFirst),
	}
	if q.Index == Base {
		in.ConsistentRead = aws.Bool(true)
	} else {
		in.IndexName = aws.String(string(q.Index))
	}
	if q.Limit > 0 {
		in.Limit = aws.Int32(int32(min(q.Limit, 1<<20)))
	}
	setCondition(in, q, partition, sort)
	if start != (Position{}) {
		in.ExclusiveStartKey = Item{
			PK:        &types.AttributeValueMemberS{Value: start.PK},
			SK:        &types.AttributeValueMemberS{Value: start.SK},
			partition: &types.AttributeValueMemberS{Value: start.Partition},
			sort:      &types.AttributeValueMemberS{Value: start.Sort},
		}
	}

	out, err := d.client.Query(ctx, in)
	if err != nil {
		return Page{}, fail("query", err)
	}
	page := Page{Items: out.Items}
	if len(out.LastEvaluatedKey) > 0 {
		page.Next = PositionOf(q.Index, out.LastEvaluatedKey).Cursor()
	}
	return page, nil
}

// setCondition writes the key condition. None of the key attributes is a
// reserved word, so that they need no placeholders.
func setCondition(in *dynamodb.QueryInput, q Query, partition, sort string) {
	condition := partition + " = :partition"
	values := Item{":partition": &types.AttributeValueMemberS{Value: q.Partition}}
	bind := func(name, value string) {
		values[name] = &types.AttributeValueMemberS{Value: value}
	}
	switch {
	case q.SortPrefix != "":
		condition += " AND begins_with(" + sort + ", :prefix)"
		bind(":prefix", q.SortPrefix)
	case q.From != "" && q.To != "":
		condition += " AND " + sort + " BETWEEN :from AND :to"
		bind(":from", q.From)
		bind(":to", q.To)
	case q.From != "":
		condition += " AND " + sort + " >= :from"
		bind(":from", q.From)
	case q.To != "":
		condition += " AND " + sort + " <= :to"
		bind(":to", q.To)
	}
	in.KeyConditionExpression = aws.String(condition)
	in.ExpressionAttributeValues = values
}

// fail turns an error of the SDK into one of ours.
//
// What the service answered is not wrapped but told again by its code, because
// messages about invalid parameters quote them.
func fail(doing string, err error) error {
	var answer smithy.APIError
	isAnswer := errors.As(err, &answer)
	status := awsclient.Status(err)
	switch {
	case isAnswer && isThrottle(answer.ErrorCode()),
		status >= http.StatusInternalServerError, status == http.StatusTooManyRequests:
		return fmt.Errorf("%s: %w: %s", doing, ErrUnavailable, awsclient.Describe(err))
	case isAnswer && answer.ErrorCode() == "ValidationException" &&
		strings.HasPrefix(answer.ErrorMessage(), "Item size"):
		return fmt.Errorf("%s: %w", doing, ErrTooLarge)
	case isAnswer:
		return fmt.Errorf("%s: %s", doing, awsclient.Describe(err))
	case status == 0 && isConnection(err):
		return fmt.Errorf("%s: %w: %w", doing, ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// isThrottle reports whether an error code says to come back later.
func isThrottle(code string) bool {
	switch code {
	case "ReplicatedWriteConflictException", "TransactionConflictException":
		return true
	}
	_, ok := retry.DefaultThrottleErrorCodes[code]
	return ok
}

// isConnection reports whether no answer came: refused, cut or out of time.
func isConnection(err error) bool {
	var connection interface{ ConnectionError() bool }
	return errors.As(err, &connection) && connection.ConnectionError() ||
		errors.Is(err, context.DeadlineExceeded)
}
