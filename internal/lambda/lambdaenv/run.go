package lambdaenv

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// initTime bounds the start of a function. Lambda allows ten seconds. See
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html.
const initTime = 8 * time.Second

// Run is the main of a function: start reads the environment and builds the handler,
// which then serves until the process ends. If start fails, Run prints the function's
// name and the error, and exits with status 1.
//
// aws-lambda-go calls the Runtime API with a clone of [http.DefaultTransport], so Run
// replaces it. Other calls must use a client of their own.
func Run(name string, start func(context.Context, *Environment) (lambda.Handler, error)) {
	http.DefaultTransport = newTransport((&net.Dialer{}).DialContext)
	handler, err := initialize(start)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: not started: %v\n", name, err)
		os.Exit(1)
	}
	lambda.Start(handler)
}

func initialize(start func(context.Context, *Environment) (lambda.Handler, error)) (lambda.Handler, error) {
	ctx, cancel := context.WithTimeout(context.Background(), initTime)
	defer cancel()
	return start(ctx, New(os.Getenv))
}
