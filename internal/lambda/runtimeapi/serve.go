package runtimeapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/internal/awsclient"
)

// Serve calls the handler with one invocation after the other. The address is that of the
// Runtime API, a host and a port. An error of the handler goes to Lambda and to the standard
// error; a panic ends the process. Serve returns, with an error, only if it cannot go on: the
// process must end then, and Lambda starts another.
//
// The context of an invocation ends at its deadline, and holds its id for [lambdacontext].
func Serve(ctx context.Context, address string, handler lambda.Handler) error {
	client := awsclient.NewHTTPClient()
	client.SetLimit(0) // the next invocation may come in an hour
	api := runtimeAPI{client: client, url: "http://" + address + "/2018-06-01/runtime/invocation/"}
	for served := 1; ; served++ {
		if err := api.serveNext(ctx, handler); err != nil {
			return err
		}
		if served%collectEvery == 0 {
			runtime.GC()
		}
	}
}

// collectEvery is how often garbage is collected, in invocations. That is done while nobody
// waits: an invocation has its answer, and Lambda hands out no other before we ask. Left to
// itself, Go collects in the midst of one, and a delivery then takes three times as long. After
// 32 deliveries the webhook's process is still far below the 4 MB at which Go begins.
const collectEvery = 32

type runtimeAPI struct {
	client *awsclient.HTTPClient
	url    string // of invocations, with a slash at the end
}

func (a *runtimeAPI) serveNext(ctx context.Context, handler lambda.Handler) error {
	header, event, err := a.call(ctx, http.MethodGet, "next", nil, http.StatusOK)
	if err != nil {
		return fmt.Errorf("get the next invocation: %w", err)
	}
	path := header.Get("Lambda-Runtime-Aws-Request-Id")
	answer, err := invoke(ctx, handler, header, event)
	if err != nil {
		path, answer = path+"/error", report(err)
		_, _ = fmt.Fprintf(os.Stderr, "%s\n", answer)
	} else {
		path += "/response"
	}
	if _, _, err = a.call(ctx, http.MethodPost, path, answer, http.StatusAccepted); err != nil {
		return fmt.Errorf("post the result of an invocation: %w", err)
	}
	return nil
}

// invoke calls the handler in the context of an invocation.
func invoke(ctx context.Context, handler lambda.Handler, header http.Header, event []byte) ([]byte, error) {
	deadline, err := strconv.ParseInt(header.Get("Lambda-Runtime-Deadline-Ms"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("deadline: %w", err)
	}
	ctx, cancel := context.WithDeadline(ctx, time.UnixMilli(deadline))
	defer cancel()
	// The SDK passes it on, by which Lambda recognises functions that call themselves.
	_ = os.Setenv("_X_AMZN_TRACE_ID", header.Get("Lambda-Runtime-Trace-Id"))
	return handler.Invoke(lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{ //nolint:wrapcheck // the handler's own
		AwsRequestID:       header.Get("Lambda-Runtime-Aws-Request-Id"),
		InvokedFunctionArn: header.Get("Lambda-Runtime-Invoked-Function-Arn"),
	}), event)
}

// report is how an error is told to Lambda.
func report(err error) []byte {
	kind := reflect.TypeOf(err)
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	text, _ := jsontext.AppendQuote([]byte(`{"errorMessage":`), err.Error())
	text, _ = jsontext.AppendQuote(append(text, `,"errorType":`...), kind.Name())
	return append(text, '}')
}

var errStatus = errors.New("unexpected status")

// call sends a request and returns the header and the body of the response, which must have
// the status want.
func (a *runtimeAPI) call(ctx context.Context, method, path string, body []byte, want int) (http.Header, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, a.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := a.client.Do(req)
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // call's caller says what it was doing
	}
	if resp.StatusCode != want {
		return nil, nil, fmt.Errorf("%w %d", errStatus, resp.StatusCode)
	}
	var all bytes.Buffer
	_, err = io.Copy(&all, resp.Body) // at once, since it is in memory
	return resp.Header, all.Bytes(), errors.Join(err, resp.Body.Close())
}
