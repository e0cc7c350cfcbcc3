package awsclient

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
)

// StandInCredentials are what stand-ins for AWS services ask for and do not
// check. An account's own never leave for them.
var StandInCredentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
})

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
	if isAnswer {
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

// Status returns the HTTP status of an error that is a service's answer, or 0.
func Status(err error) int {
	var response interface{ HTTPStatusCode() int }
	if errors.As(err, &response) {
		return response.HTTPStatusCode()
	}
	return 0
}
