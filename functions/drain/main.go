// Command drain is the Lambda function behind the spill queue: it writes to the
// events table what the webhook function could not.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/ringback/ringback/internal/environment"
	"github.com/ringback/ringback/internal/spill"
	"github.com/ringback/ringback/internal/table/dynamo"
)

func main() { environment.Run("drain", start) }

// start wires the function.
func start(_ context.Context, e *environment.Environment) (lambda.Handler, error) {
	c := readConfig(e)
	if err := e.Err(); err != nil {
		return nil, err
	}
	return spill.NewDrain(dynamo.New(c.table.Config, c.table.Name), lambdacontext.NewLogger()), nil
}
