package awsclient

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/go-json-experiment/json"
)

// loggableCodes are prefixes of error codes whose messages name only roles,
// actions and resources. Any other message may quote the request.
var loggableCodes = []string{
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

// SafeMessage describes an error of a service by code, status and request ID, with
// nothing of what was sent, so that it can be logged. Any other error is described
// by its own text.
func SafeMessage(err error) string {
	var apiErr smithy.APIError
	hasCode := errors.As(err, &apiErr)
	status := Status(err)
	if !hasCode && status == 0 {
		return err.Error()
	}
	code, message := "no error code", ""
	if hasCode && apiErr.ErrorCode() != "" {
		code = apiErr.ErrorCode()
		for _, prefix := range loggableCodes {
			// guard 8 e2e: if strings.HasPrefix(code, prefix[:0]) {
			if strings.HasPrefix(code, prefix) {
				message = ": " + apiErr.ErrorMessage()
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

// deniedCodes are prefixes of the codes of errors of whoever has no right to ask, or whose
// credentials are wrong or have expired.
var deniedCodes = []string{
	"AccessDenied", "AuthorizationError", "ExpiredToken", "IncompleteSignature", "InvalidClientTokenId", "InvalidSignature",
	"MissingAuthenticationToken", "NotAuthorized", "OptInRequired", "RequestExpired", "SignatureDoesNotMatch",
	"UnauthorizedOperation", "UnrecognizedClient",
}

// IsDenied reports whether a service refused a request for who asked.
func IsDenied(err error) bool {
	var apiErr smithy.APIError
	return errors.As(err, &apiErr) &&
		slices.ContainsFunc(deniedCodes, func(prefix string) bool { return strings.HasPrefix(apiErr.ErrorCode(), prefix) })
}

// APIError is a service's error response. It is a [smithy.APIError], like the
// errors of the SDK's clients.
type APIError struct {
	// Code is empty if the response came from something between us and the service.
	Code string
	// Message may quote the request.
	Message    string
	StatusCode int
	RequestID  string
}

// Error returns the [SafeMessage].
func (e *APIError) Error() string { return SafeMessage(e) }

// ErrorCode implements [smithy.APIError].
func (e *APIError) ErrorCode() string { return e.Code }

// ErrorMessage implements [smithy.APIError]. The message may quote the request.
func (e *APIError) ErrorMessage() string { return e.Message }

// ErrorFault implements [smithy.APIError]. Only the status says whose fault it is.
func (e *APIError) ErrorFault() smithy.ErrorFault { return smithy.FaultUnknown }

// HTTPStatusCode returns the response's status.
func (e *APIError) HTTPStatusCode() int { return e.StatusCode }

// ServiceRequestID returns the ID that AWS gave the request.
func (e *APIError) ServiceRequestID() string { return e.RequestID }

// newAPIError reads an error response. See
// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization.
func newAPIError(resp *http.Response, body []byte) *APIError {
	var members map[string]any
	_ = json.Unmarshal(body, &members) // a load balancer, for one, sends no JSON
	text := func(name string) string {
		s, _ := members[name].(string)
		return s
	}
	e := &APIError{
		Code:       cmp.Or(resp.Header.Get("X-Amzn-Errortype"), text("__type"), text("code")),
		Message:    cmp.Or(text("message"), text("Message")),
		StatusCode: resp.StatusCode,
		RequestID:  resp.Header.Get("X-Amzn-Requestid"),
	}
	if _, name, found := strings.Cut(e.Code, "#"); found {
		e.Code = name
	}
	e.Code, _, _ = strings.Cut(e.Code, ":")
	// SQS has two names for each of its errors. Its documentation uses this one.
	if code, _, found := strings.Cut(resp.Header.Get("X-Amzn-Query-Error"), ";"); found {
		e.Code = code
	}
	return e
}

// Status returns the HTTP status of a service's error response, or 0 for any other
// error.
func Status(err error) int {
	var response interface{ HTTPStatusCode() int }
	if errors.As(err, &response) {
		return response.HTTPStatusCode()
	}
	return 0
}
