package justcall

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
)

// Error is a response that is not what was asked for.
type Error struct {
	// Operation is what was asked for, such as "list calls".
	Operation string
	// Status is the HTTP status; 200 if the body says that the request failed.
	Status int
	// UUID is what JustCall's support asks for; "" if the response has none.
	UUID string
}

// Error says what to do about it. It quotes nothing of the response: its message may
// repeat a number.
func (e *Error) Error() string {
	text := fmt.Sprintf("JustCall: %s: HTTP status %d: %s", e.Operation, e.Status, advice(e.Status))
	if e.UUID != "" {
		text += " (for JustCall's support: " + e.UUID + ")"
	}
	return text
}

func advice(status int) string {
	switch {
	case status == http.StatusUnauthorized:
		return "the API key or the API secret is wrong: copy both again from JustCall, under APIs and Webhooks"
	case status == http.StatusForbidden:
		return "refused: either the key has no right to this, or the account's plan has no API (the Team plan and above have it), or JustCall no longer takes these parameters"
	case status == http.StatusNotFound:
		return "JustCall does not know it"
	case status == http.StatusTooManyRequests:
		return "the account's request limit is spent: try again in an hour, or find out what else uses the key"
	case status >= http.StatusInternalServerError:
		return "JustCall has a problem: try again later, and see https://status.justcall.io"
	case status >= http.StatusMultipleChoices && status < http.StatusBadRequest:
		return "a redirect, which is not followed: it would give the key away"
	case status == http.StatusOK:
		return "refused, although the status says otherwise"
	}
	return "refused: the API may have changed; is this the newest version of ringback?"
}

// ErrResponse means that a response with status 200 is not JSON as documented: something
// else may have sent it.
var ErrResponse = errors.New("the response is not JustCall's: is a proxy or a maintenance page in between?")

// isTemporary reports whether the same request may succeed later.
func isTemporary(status int) bool {
	return status == http.StatusRequestTimeout || status >= http.StatusInternalServerError
}

var uuid = regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`)
