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

// initTime bounds what is done before the first invocation is taken. Lambda
// gives ten seconds. See
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html.
const initTime = 8 * time.Second

// Run is the main of a function: start reads the environment and wires the
// handler, which then serves until the process ends. Where start fails, why is
// printed behind the function's name, and the process exits with status 1.
//
// [http.DefaultTransport] is from then on what reaches the Runtime API best, and
// good for nothing else: other calls need a client of their own.
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
