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

// WrapError turns what a call of DynamoDB failed with into an error of a [table.Store],
// which begins with what was being done: one that wraps [table.ErrUnavailable] or
// [table.ErrTooLarge], or none of ours. It is for implementations.
//
// What the service answered is not wrapped but told again by its code, because
// messages about invalid parameters quote them.
func WrapError(doing string, err error) error {
	var answer smithy.APIError
	isAnswer := errors.As(err, &answer)
	status := awsclient.Status(err)
	switch {
	case isAnswer && isThrottle(answer.ErrorCode()),
		status >= http.StatusInternalServerError, status == http.StatusTooManyRequests:
		return fmt.Errorf("%s: %w: %s", doing, table.ErrUnavailable, awsclient.Describe(err))
	case isAnswer && answer.ErrorCode() == "ValidationException" &&
		strings.HasPrefix(answer.ErrorMessage(), "Item size"):
		return fmt.Errorf("%s: %w", doing, table.ErrTooLarge)
	case isAnswer:
		return fmt.Errorf("%s: %s", doing, awsclient.Describe(err))
	case status == 0 && isConnection(err):
		return fmt.Errorf("%s: %w: %w", doing, table.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// isThrottle reports whether an error code says to come back later.
func isThrottle(code string) bool {
	switch code {
	case "ReplicatedWriteConflictException", "TransactionConflictException":
		return true
	}
	_, ok := retry.DefaultThrottleErrorCodes[code]
	return ok
}

// isConnection reports whether no answer came: refused, cut or out of time.
func isConnection(err error) bool {
	var connection interface{ ConnectionError() bool }
	return errors.As(err, &connection) && connection.ConnectionError() ||
		errors.Is(err, context.DeadlineExceeded)
}
