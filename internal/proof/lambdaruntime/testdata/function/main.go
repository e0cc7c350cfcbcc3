// Command function is a Lambda function that does what its event, and during init its
// environment, tells it to.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do   string `json:"do"`
	Text string `json:"text"`
}

type answer struct {
	Text      string   `json:"text"`
	RequestID string   `json:"requestId"`
	ARN       string   `json:"arn"`
	TraceID   string   `json:"traceId"`
	LeftMS    int64    `json:"leftMs"`
	Env       []string `json:"env"`
}

func main() {
	switch os.Getenv("INIT") {
	case "exit":
		fmt.Fprintln(os.Stderr, "missing setting: TABLE_NAME")
		os.Exit(3)
	case "report":
		const body = `{"errorType":"Setting.Missing","errorMessage":"TABLE_NAME is not set"}`
		url := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/init/error"
		if _, err := http.Post(url, "application/json", strings.NewReader(body)); err != nil {
			panic(err)
		}
		os.Exit(1)
	case "hang":
		time.Sleep(time.Minute)
	}
	lambda.Start(handle)
}

func handle(ctx context.Context, e event) (answer, error) {
	fmt.Println("do", e.Do, e.Text)
	switch e.Do {
	case "fail":
		return answer{}, errors.New(e.Text)
	case "panic":
		panic(e.Text)
	case "exit":
		os.Exit(4)
	case "hang":
		time.Sleep(time.Minute)
	case "spawn":
		// A grandchild that holds standard output open must not outlive the process either.
		child := exec.Command("sleep", "60")
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			return answer{}, err
		}
		fmt.Println("child", child.Process.Pid)
		time.Sleep(time.Minute)
	}
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()

	return answer{
		Text:      e.Text,
		RequestID: lc.AwsRequestID,
		ARN:       lc.InvokedFunctionArn,
		TraceID:   os.Getenv("_X_AMZN_TRACE_ID"),
		LeftMS:    time.Until(deadline).Milliseconds(),
		Env:       os.Environ(),
	}, nil
}
