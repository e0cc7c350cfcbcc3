// Command drain is the Lambda function behind the spill queue: it stores the
// deliveries that the webhook function could not.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/ringback/ringback/internal/lambda/lambdaenv"
	"github.com/ringback/ringback/internal/lambda/spill"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

func main() { lambdaenv.Run("drain", start) }

// start wires the function.
func start(_ context.Context, e *lambdaenv.Environment) (lambda.Handler, error) {
	c := readConfig(e)
	if err := e.Err(); err != nil {
		return nil, err
	}
	return spill.NewDrain(c.retention.Putter(dynamostore.New(c.table.Config, c.table.Name)), lambdaenv.NewLogger()), nil
}
