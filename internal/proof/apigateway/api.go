// Package apigateway plays API Gateway's HTTP API in front of a Lambda function, so
// that tests can post to a real function binary as JustCall does.
//
// What it copies is documented, or was seen by the maintainers of AWS's own
// stand-in, github.com/aws/aws-lambda-dotnet/Tools/LambdaTestTool-v2:
//
//   - The event has payload format 2.0. Header names are in lower case. Repeated
//     headers are joined by commas, and so are repeated query parameters. The raw
//     path and the path parameters are percent-decoded.
//     https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
//   - A response object with a status code is the response. Anything else, even
//     an empty answer, is the body of a 200: a function that forgets its status
//     code says that all is well.
//   - If the function fails, crashes or runs out of time, the answer is 500,
//     {"message":"Internal Server Error"}.
//   - The API itself waits 30 s for a function, answers 503, {"message":"Service
//     Unavailable"}, and does not stop it.
//     https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
//   - A request that matches no route gets a 404, {"message":"Not Found"}, and a
//     body over 10 MB a 413. The function sees neither.
//
// Where the documents leave it open: a body comes in base64 if it is not UTF-8 or
// if its media type is not a text's.
package apigateway

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/ringback/ringback/internal/proof/eventsource"
)

const (
	// Timeout is how long the API waits for a function.
	Timeout = 30 * time.Second
	// MaxBody is the largest body that it passes on, in bytes.
	MaxBody = 10 << 20
)

// API is an HTTP API with one route, for any method, to one function. It is an
// [http.Handler]; its fields are set before it serves.
type API struct {
	// Domain is the API's own name, which is part of the event.
	Domain string
	// Timeout is how long the API waits; New sets it to [Timeout].
	Timeout time.Duration
	// Now returns the time; New sets it, tests replace it.
	Now func() time.Time
	// Fault, unless nil, is called with errors that no function can cause, such
	// as a missing binary. Several goroutines call it.
	Fault func(error)

	path  string
	route *regexp.Regexp
	to    eventsource.Invoker
}

var _ http.Handler = (*API)(nil)

// parameter and greedy are the end of a route's path, such as {token} and {token+}, as
// a regular expression quotes it.
var (
	parameter = regexp.MustCompile(`\\{(\w+)\\}`)
	greedy    = regexp.MustCompile(`\\{(\w+)\\\+\\}`)
)

// New returns the API of a route, such as /justcall/{token}, to a function, which
// it invokes for several requests at a time. A parameter is a whole segment, without
// a slash behind it; a greedy one, {token+}, is all that follows.
func New(path string, to eventsource.Invoker) *API {
	return &API{
		Domain:  "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
		Timeout: Timeout,
		Now:     time.Now,
		path:    path,
		route:   regexp.MustCompile("^" + greedy.ReplaceAllString(parameter.ReplaceAllString(regexp.QuoteMeta(path), "(?P<$1>[^/]+)"), "(?P<$1>.+)") + "$"),
		to:      to,
	}
}

// ServeHTTP implements [http.Handler].
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if !a.route.MatchString(r.URL.Path) {
		refuse(w, http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if errors.As(err, new(*http.MaxBytesError)) {
		refuse(w, http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil {
		return // the sender is gone
	}
	// Neither a sender that is gone nor the API's own time limit ends the invocation.
	invoke := func(w http.ResponseWriter, r *http.Request) {
		answer, err := a.to.Invoke(context.WithoutCancel(r.Context()), a.event(r, body))
		if err == nil {
			respond(w, answer)
			return
		}
		if a.Fault != nil && !errors.Is(err, eventsource.ErrFunction) {
			a.Fault(err)
		}
		refuse(w, http.StatusInternalServerError)
	}
	wait := http.TimeoutHandler(http.HandlerFunc(invoke), a.Timeout, message(http.StatusServiceUnavailable))
	wait.ServeHTTP(w, r.WithContext(context.WithoutCancel(r.Context())))
}

// refuse answers in the function's place.
func refuse(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, message(status)) // the sender may be gone
}

func message(status int) string { return fmt.Sprintf(`{"message":%q}`, http.StatusText(status)) }

// respond makes a function's answer the response.
func respond(w http.ResponseWriter, answer []byte) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(answer, &members); err != nil || members["statusCode"] == nil {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer) //nolint:gosec // G705: JSON, or whatever the function wants the sender to get
		return
	}
	var r events.APIGatewayV2HTTPResponse
	err := json.Unmarshal(answer, &r)
	body := []byte(r.Body)
	if err == nil && r.IsBase64Encoded {
		body, err = base64.StdEncoding.DecodeString(r.Body)
	}
	if err != nil || r.StatusCode < 200 || r.StatusCode > 599 {
		refuse(w, http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	for name, value := range r.Headers {
		header.Set(name, value)
	}
	for _, cookie := range r.Cookies {
		header.Add("Set-Cookie", cookie)
	}
	w.WriteHeader(r.StatusCode)
	_, _ = w.Write(body)
}
