package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/itemjson"
)

// IfNew is the condition of a write that never changes an item: where an item of
// the same key is there, it has a PK.
const IfNew = "attribute_not_exists(" + table.PK + ")"

// codeExists is how DynamoDB answers a write whose condition does not hold. See
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html.
const codeExists = "ConditionalCheckFailedException"

// Writer puts items into a DynamoDB table, as the Put of a [table.Store] does, and
// reads none.
type Writer struct {
	service *awsclient.Service
	name    []byte // of the table, as JSON
}

// NewWriter returns what writes into the table of that name. What it uses of the
// configuration, [awsclient.NewService] says.
func NewWriter(config aws.Config, tableName string) *Writer {
	name, _ := jsontext.AppendQuote(nil, tableName) // what is wrong with it, DynamoDB tells
	return &Writer{service: awsclient.NewService(awsclient.DynamoDB, config), name: name}
}

// warmTimeout bounds Warm, since a function that starts waits for it.
const warmTimeout = 2 * time.Second

// Warm opens a connection to the table by one signed read of a key that is
// never written, so that the first Put does not pay for it. The result does
// not matter: a denied read warms as well.
func (w *Writer) Warm(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, warmTimeout)
	defer cancel()
	request := append(w.begin(), `,"Key":{"PK":{"S":"WARM"},"SK":{"S":"WARM"}}}`...)
	_, _ = w.service.CallOnce(ctx, "GetItem", request)
}

// Put implements the Put of [table.Store]. It makes one call, without a read before it.
func (w *Writer) Put(ctx context.Context, item table.Item) (created bool, err error) {
	if err = table.Check(item); err != nil {
		return false, fmt.Errorf("put item: %w", err)
	}
	request := append(w.begin(), `,"ConditionExpression":"`+IfNew+`","Item":`...)
	if request, err = itemjson.Append(request, item); err != nil {
		return false, fmt.Errorf("put item: %w", err)
	}
	_, err = w.service.Call(ctx, "PutItem", append(request, '}'))
	var answer *awsclient.Answer
	switch {
	case err == nil:
		return true, nil
	case errors.As(err, &answer) && answer.Code == codeExists:
		return false, nil
	}
	return false, WrapError("put item", err)
}

// begin begins a request.
func (w *Writer) begin() []byte {
	const enough = 4 << 10 // bytes, for nearly all
	return append(append(make([]byte, 0, enough), `{"TableName":`...), w.name...)
}
