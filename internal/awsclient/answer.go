package awsclient

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
)

// StandInCredentials are what stand-ins for AWS services ask for and do not
// check. An account's own never leave for them.
var StandInCredentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
})

// StandIn returns what reaches the stand-in for a service at endpoint.
func StandIn(endpoint string) aws.Config {
	return aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(endpoint),
		Credentials:  StandInCredentials,
		HTTPClient:   NewHTTPClient(),
		Retryer:      NewRetryer,
	}
}

// telling begin the codes of errors whose messages name roles, actions and
// resources, which a person needs, and nothing of what was sent. The others may
// quote it.
var telling = []string{
	"AWS.SimpleQueueService.NonExistentQueue",
	"AccessDenied",
	"AuthorizationError",
	"InvalidClientTokenId",
	"KMSAccessDenied",
	"KMSDisabled",
	"KMSInvalidState",
	"KMSNotFound",
	"NotFound",
	"QueueDoesNotExist",
	"ResourceNotFound",
	"UnrecognizedClient",
}

// Describe tells what a service answered, in words that carry nothing of what
// was sent: code, status and request id. An error that is no answer of a
// service tells itself.
func Describe(err error) string {
	var answer smithy.APIError
	isAnswer := errors.As(err, &answer)
	status := Status(err)
	if !isAnswer && status == 0 {
		return err.Error()
	}
	code, message := "no error code", ""
	if isAnswer && answer.ErrorCode() != "" {
		code = answer.ErrorCode()
		for _, prefix := range telling {
			if strings.HasPrefix(code, prefix) {
				message = ": " + answer.ErrorMessage()
				break
			}
		}
	}
	var identified interface{ ServiceRequestID() string }
	id := ""
	if errors.As(err, &identified) {
		id = identified.ServiceRequestID()
	}
	return fmt.Sprintf("%s%s (status %d, request %q)", code, message, status, id)
}

// Answer is an error that a service answered.
type Answer struct {
	Code, Message string
	StatusCode    int
	RequestID     string
}

// Error tells what a person needs; see [Describe].
func (a *Answer) Error() string { return Describe(a) }

// ErrorCode makes it, with the two methods below, a [smithy.APIError], as errors
// of the SDK's clients are.
func (a *Answer) ErrorCode() string { return a.Code }

// ErrorMessage may quote what was sent.
func (a *Answer) ErrorMessage() string { return a.Message }

// ErrorFault does not tell whose fault it is: the status does.
func (a *Answer) ErrorFault() smithy.ErrorFault { return smithy.FaultUnknown }

// HTTPStatusCode returns the response's status.
func (a *Answer) HTTPStatusCode() int { return a.StatusCode }

// ServiceRequestID returns what AWS knows the request by.
func (a *Answer) ServiceRequestID() string { return a.RequestID }

// newAnswer reads a response that is an error. The code is empty where it is
// none of the service's, but of something between. See
// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization.
func newAnswer(resp *http.Response, body []byte) *Answer {
	a := &Answer{StatusCode: resp.StatusCode, RequestID: resp.Header.Get("X-Amzn-Requestid")}
	a.Message = cmp.Or(Text(body, "message"), Text(body, "Message"))
	a.Code = cmp.Or(resp.Header.Get("X-Amzn-Errortype"), Text(body, "__type"), Text(body, "code"))
	if _, name, found := strings.Cut(a.Code, "#"); found {
		a.Code = name
	}
	a.Code, _, _ = strings.Cut(a.Code, ":")
	// SQS has two names for each of its errors; the documents know this one.
	if code, _, found := strings.Cut(resp.Header.Get("X-Amzn-Query-Error"), ";"); found {
		a.Code = code
	}
	return a
}

// Status returns the HTTP status of an error that is a service's answer, or 0.
func Status(err error) int {
	var response interface{ HTTPStatusCode() int }
	if errors.As(err, &response) {
		return response.HTTPStatusCode()
	}
	return 0
}
