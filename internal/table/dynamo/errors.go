package dynamo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/table"
)

// WrapError turns the error of a call of DynamoDB into one of a [table.Store]. It
// wraps [table.ErrUnavailable], [table.ErrTooLarge], [table.ErrNoTable] or
// [table.ErrDenied] where one of them applies. The
// text starts with operation, what was being done.
//
// An error response is not wrapped but described by [awsclient.SafeMessage], because
// messages about invalid parameters quote them.
func WrapError(operation string, err error) error {
	var apiErr smithy.APIError
	isAPIErr := errors.As(err, &apiErr)
	status := awsclient.Status(err)
	switch {
	case isAPIErr && isThrottle(apiErr.ErrorCode()),
		status >= http.StatusInternalServerError, status == http.StatusTooManyRequests:
		return fmt.Errorf("%s: %w: %s", operation, table.ErrUnavailable, awsclient.SafeMessage(err))
	case isAPIErr && apiErr.ErrorCode() == "ValidationException" &&
		strings.HasPrefix(apiErr.ErrorMessage(), "Item size"):
		return fmt.Errorf("%s: %w", operation, table.ErrTooLarge)
	case isAPIErr && apiErr.ErrorCode() == "ResourceNotFoundException":
		return fmt.Errorf("%s: %w: %s", operation, table.ErrNoTable, awsclient.SafeMessage(err))
	case awsclient.IsDenied(err):
		return fmt.Errorf("%s: %w: %s", operation, table.ErrDenied, awsclient.SafeMessage(err))
	case isAPIErr:
		return fmt.Errorf("%s: %s", operation, awsclient.SafeMessage(err))
	case status == 0 && isConnection(err):
		return fmt.Errorf("%s: %w: %w", operation, table.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", operation, err)
}

// isThrottle reports whether an error code means to retry later.
func isThrottle(code string) bool {
	switch code {
	case "ReplicatedWriteConflictException", "TransactionConflictException":
		return true
	}
	_, ok := retry.DefaultThrottleErrorCodes[code]
	return ok
}

// isConnection reports whether no response came: the connection was refused or cut,
// or the time was up.
func isConnection(err error) bool {
	var connection interface{ ConnectionError() bool }
	return errors.As(err, &connection) && connection.ConnectionError() ||
		errors.Is(err, context.DeadlineExceeded)
}
