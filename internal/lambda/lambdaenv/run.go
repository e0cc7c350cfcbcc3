package lambdaenv

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/ringback/ringback/internal/lambda/runtimeapi"
)

// initTime bounds the start of a function. Lambda allows ten seconds. See
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html.
const initTime = 8 * time.Second

// Run is the main of a function: start reads the environment and builds the handler,
// which then serves until the process ends. If start fails, Run prints the function's
// name and the error, and exits with status 1.
func Run(name string, start func(context.Context, *Environment) (lambda.Handler, error)) {
	e := New(os.Getenv)
	address := e.Required("AWS_LAMBDA_RUNTIME_API")
	handler, err := initialize(e, start)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: not started: %v\n", name, err)
		os.Exit(1)
	}
	fmt.Fprintf(os.Stderr, "%s: stopped: %v\n", name, runtimeapi.Serve(context.Background(), address, handler))
	os.Exit(1)
}

func initialize(e *Environment, start func(context.Context, *Environment) (lambda.Handler, error)) (lambda.Handler, error) {
	ctx, cancel := context.WithTimeout(context.Background(), initTime)
	defer cancel()
	return start(ctx, e)
}
