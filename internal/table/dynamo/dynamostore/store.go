// Package dynamostore keeps items in a DynamoDB table through the AWS SDK's client.
// Only the webhook function writes without it, through [dynamo.Writer].
package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/dynamo"
)

// Store is a [table.Store] in a DynamoDB table.
type Store struct {
	// Now is the clock by which items expire. New sets it, tests replace it.
	Now func() time.Time

	client *dynamodb.Client
	name   string
}

var _ table.Eraser = (*Store)(nil)

// New returns the store in the table with that name. The options may change the
// client's configuration.
func New(config aws.Config, tableName string, options ...func(*dynamodb.Options)) *Store {
	return &Store{Now: time.Now, client: dynamodb.NewFromConfig(config, options...), name: tableName}
}

// Put implements [table.Store]. It makes one call and reads nothing first.
func (s *Store) Put(ctx context.Context, item table.Item) (created bool, err error) {
	if err = table.Check(item); err != nil {
		return false, fmt.Errorf("put item: %w", err)
	}
	// guard 2 drain: created, err = s.put(ctx, item, &dynamodb.PutItemInput{})
	created, err = s.put(ctx, item, s.ifNew())
	if err != nil {
		// guard 1 e2e (NothingIsLost): return true, nil
		return false, dynamo.WrapError("put item", err)
	}
	return created, nil
}

// Update implements [table.Store]. It makes one call and reads nothing first.
func (s *Store) Update(ctx context.Context, item table.Item, was int64) (updated bool, err error) {
	if err = table.CheckUpdate(item, was); err != nil {
		return false, fmt.Errorf("update item: %w", err)
	}
	in := s.ifNew()
	switch {
	case was == table.Unversioned:
		in.ConditionExpression = aws.String("attribute_exists(" + table.PK + ") AND attribute_not_exists(" + table.Version + ")")
		in.ExpressionAttributeValues = nil
	case was > 0:
		in.ConditionExpression = aws.String(table.Version + " = :was")
		in.ExpressionAttributeValues = map[string]types.AttributeValue{
			":was": &types.AttributeValueMemberN{Value: strconv.FormatInt(was, 10)},
		}
	}
	if updated, err = s.put(ctx, item, in); err != nil {
		return false, dynamo.WrapError("update item", err)
	}
	return updated, nil
}

// Delete implements [table.Eraser]. It makes one call.
func (s *Store) Delete(ctx context.Context, key table.Key) error {
	_, err := s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: aws.String(s.name),
		Key:       map[string]types.AttributeValue{table.PK: str(key.PK), table.SK: str(key.SK)},
	})
	if err != nil {
		return dynamo.WrapError("delete item", err)
	}
	return nil
}

// ifNew returns a request with the condition that there is no item in the way.
func (s *Store) ifNew() *dynamodb.PutItemInput {
	return &dynamodb.PutItemInput{
		ConditionExpression: aws.String(dynamo.IfNew),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			dynamo.Now: &types.AttributeValueMemberN{Value: strconv.FormatInt(s.Now().Unix(), 10)},
		},
	}
}

// put writes an item if the condition of in holds.
func (s *Store) put(ctx context.Context, item table.Item, in *dynamodb.PutItemInput) (written bool, err error) {
	if in.Item, err = attributes(item); err != nil {
		return false, err
	}
	in.TableName = aws.String(s.name)
	_, err = s.client.PutItem(ctx, in)
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		// guard 2 dynamo e2e: return false, table.ErrUnavailable
		return false, nil
	}
	return err == nil, err
}

// Query implements [table.Store].
func (s *Store) Query(ctx context.Context, q table.Query) (table.Page, error) {
	start, err := q.Start()
	if err != nil {
		return table.Page{}, fmt.Errorf("query: %w", err)
	}

	partition, sort := q.Index.Attributes()
	in := &dynamodb.QueryInput{
		TableName:        aws.String(s.name),
		ScanIndexForward: aws.Bool(!q.NewestFirst),
	}
	if q.Index == table.Base {
		in.ConsistentRead = aws.Bool(true)
	} else {
		in.IndexName = aws.String(string(q.Index))
	}
	if q.Limit > 0 {
		in.Limit = aws.Int32(int32(min(q.Limit, 1<<20)))
	}
	setCondition(in, q, partition, sort)
	if start != (table.Position{}) {
		in.ExclusiveStartKey = map[string]types.AttributeValue{
			table.PK:  str(start.PK),
			table.SK:  str(start.SK),
			partition: str(start.Partition),
			sort:      str(start.Sort),
		}
	}

	out, err := s.client.Query(ctx, in)
	if err != nil {
		return table.Page{}, dynamo.WrapError("query", err)
	}
	page := s.pageOf(q.Index, out.Items, out.LastEvaluatedKey)
	page.At, _ = awsmiddleware.GetServerTime(out.ResultMetadata)
	return page, nil
}

// Scan implements [table.Store].
func (s *Store) Scan(ctx context.Context, prefix string, after table.Cursor) (table.Page, error) {
	start, err := table.ScanStart(prefix, after)
	if err != nil {
		return table.Page{}, fmt.Errorf("scan: %w", err)
	}
	in := &dynamodb.ScanInput{TableName: aws.String(s.name), ConsistentRead: aws.Bool(true)}
	if prefix != "" {
		in.FilterExpression = aws.String("begins_with(" + table.PK + ", :prefix)")
		in.ExpressionAttributeValues = map[string]types.AttributeValue{":prefix": str(prefix)}
	}
	if start != (table.Key{}) {
		in.ExclusiveStartKey = map[string]types.AttributeValue{table.PK: str(start.PK), table.SK: str(start.SK)}
	}
	out, err := s.client.Scan(ctx, in)
	if err != nil {
		return table.Page{}, dynamo.WrapError("scan", err)
	}
	return s.pageOf(table.Base, out.Items, out.LastEvaluatedKey), nil
}

func (s *Store) pageOf(index table.Index, items []map[string]types.AttributeValue, last map[string]types.AttributeValue) table.Page {
	page := table.Page{Items: make([]table.Item, len(items))}
	for i, item := range items {
		page.Items[i] = Item(item)
	}
	if len(last) > 0 {
		page.Next = table.PositionOf(index, Item(last)).Cursor()
	}
	page.Items = table.Live(page.Items, s.Now())
	return page
}

// setCondition sets the key condition. The key attributes need no placeholders,
// because none of them is a reserved word.
func setCondition(in *dynamodb.QueryInput, q table.Query, partition, sort string) {
	condition := partition + " = :partition"
	values := map[string]types.AttributeValue{":partition": str(q.Partition)}
	switch {
	case q.SortPrefix != "":
		condition += " AND begins_with(" + sort + ", :prefix)"
		values[":prefix"] = str(q.SortPrefix)
	case q.From != "" && q.To != "":
		condition += " AND " + sort + " BETWEEN :from AND :to"
		values[":from"], values[":to"] = str(q.From), str(q.To)
	case q.From != "":
		condition += " AND " + sort + " >= :from"
		values[":from"] = str(q.From)
	case q.To != "":
		condition += " AND " + sort + " <= :to"
		values[":to"] = str(q.To)
	}
	in.KeyConditionExpression = aws.String(condition)
	in.ExpressionAttributeValues = values
}
