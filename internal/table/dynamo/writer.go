package dynamo

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/itemjson"
)

// IfNew is the condition of a write that must not replace an item, unless that has
// expired: every item has a PK. Now is the name of the value in it, the second in Unix
// time.
const (
	IfNew = "attribute_not_exists(" + table.PK + ") OR " + table.ExpiresAt + " <= " + Now
	Now   = ":now"
)

// codeExists is the error code of a write whose condition does not hold. See
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html.
const codeExists = "ConditionalCheckFailedException"

// Writer implements the Put of a [table.Store] on a DynamoDB table, and no reads.
type Writer struct {
	// Now is the clock by which items expire. NewWriter sets it, tests replace it.
	Now func() time.Time

	service *awsclient.Service
	name    []byte // table name, as a JSON string
}

// NewWriter returns a writer to the table with that name. [awsclient.NewService]
// says what it uses of the configuration.
func NewWriter(config aws.Config, tableName string) *Writer {
	name, _ := jsontext.AppendQuote(nil, tableName) // DynamoDB rejects an invalid name
	return &Writer{Now: time.Now, service: awsclient.NewService(awsclient.DynamoDB, config), name: name}
}

// WarmTime bounds Warm, because a starting function waits for it.
const WarmTime = time.Second

// Warm makes one signed read of a key that is never written. It opens a connection
// and runs the client's code once, so that the first Put does not have to. What is
// answered does not matter: a denied read does the same. Warm reports whether nothing
// was, for [WarmTime].
func (w *Writer) Warm(ctx context.Context) (hung bool) {
	ctx, cancel := context.WithTimeout(ctx, WarmTime)
	defer cancel()
	request := append(w.begin(), `,"Key":{"PK":{"S":"`+table.WarmPartition+`"},"SK":{"S":"`+table.WarmPartition+`"}}}`...)
	_, err := w.service.CallOnce(ctx, "GetItem", request)
	return err != nil && ctx.Err() != nil
}

// Put implements the Put of [table.Store]. It makes one call and reads nothing first.
//
// Encoding the request by hand saves 7 % of an event's instructions over json.Marshal,
// which would check the item again, and itemjson's own code another 9 % over a
// jsontext.Encoder (callgrind, November 2026).
func (w *Writer) Put(ctx context.Context, item table.Item) (created bool, err error) {
	if err = table.Check(item); err != nil {
		return false, fmt.Errorf("put item: %w", err)
	}
	request := append(w.begin(), `,"Item":`...)
	if request, err = itemjson.Append(request, item); err != nil {
		return false, fmt.Errorf("put item: %w", err)
	}
	// guard 2 e2e: request = append(request, '}')
	// guard 9: request = append(request, '}')
	request = w.appendIfNew(request)
	// guard 9 webhook e2e: w.Warm(ctx); _, err = w.service.Call(ctx, "PutItem", request)
	_, err = w.service.Call(ctx, "PutItem", request)
	var apiErr *awsclient.APIError
	switch {
	case err == nil:
		return true, nil
	case errors.As(err, &apiErr) && apiErr.Code == codeExists:
		// guard 2 dynamo e2e: return false, table.ErrUnavailable
		return false, nil
	}
	// guard 1 webhook e2e (Answers503WhenTheTable|200Means|WithTheQueue): return true, nil
	return false, WrapError("put item", err)
}

// appendIfNew ends a request with the condition.
func (w *Writer) appendIfNew(request []byte) []byte {
	request = append(request, `,"ConditionExpression":"`+IfNew+`","ExpressionAttributeValues":{"`+Now+`":{"N":"`...)
	return append(strconv.AppendInt(request, w.Now().Unix(), 10), `"}}}`...)
}

// begin returns the start of a request.
func (w *Writer) begin() []byte {
	const enough = 4 << 10 // bytes, for nearly all requests
	return append(append(make([]byte, 0, enough), `{"TableName":`...), w.name...)
}
