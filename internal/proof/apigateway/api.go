package apigateway

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

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
	// Domain is the API's own name, which the event tells the function.
	Domain string
	// Timeout is how long a function is waited for; New sets it to [Timeout].
	Timeout time.Duration
	// Now tells the time; New sets it, tests replace it.
	Now func() time.Time
	// Fault is told of errors that no function can cause, such as a binary that
	// is not there; nil is for nobody who wants to know, as New leaves it. It is
	// called by several goroutines.
	Fault func(error)

	route *route
	to    eventsource.Invoker
}

var _ http.Handler = (*API)(nil)

// New returns the API of a route, such as /justcall/{token}, to a function. The
// function is invoked for several requests at a time. The error is that of a
// route of another form.
func New(path string, to eventsource.Invoker) (*API, error) {
	route, err := newRoute(path)
	if err != nil {
		return nil, err
	}
	return &API{
		Domain:  "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
		Timeout: Timeout,
		Now:     time.Now,
		route:   route,
		to:      to,
	}, nil
}

// ServeHTTP implements [http.Handler].
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parameters, ok := a.route.match(r.URL.Path)
	if !ok {
		refuse(w, http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		refuse(w, http.StatusRequestEntityTooLarge)
		return
	case err != nil:
		return // the sender is gone
	}
	event, err := a.event(r, parameters, body)
	if err != nil {
		a.fault(err)
		refuse(w, http.StatusInternalServerError)
		return
	}
	answer, err := a.invoke(r.Context(), event)
	switch {
	case errors.Is(err, errLate):
		refuse(w, http.StatusServiceUnavailable)
	case err != nil:
		if !errors.Is(err, eventsource.ErrFunction) {
			a.fault(err)
		}
		refuse(w, http.StatusInternalServerError)
	default:
		respond(w, answer)
	}
}

func (a *API) fault(err error) {
	if a.Fault != nil {
		a.Fault(err)
	}
}

// errLate says that a function took longer than the API waits.
var errLate = errors.New("httpapi: no answer in time")

// invoke hands an event over. Neither a sender that is gone nor the API's own
// time limit ends the invocation.
func (a *API) invoke(ctx context.Context, event []byte) ([]byte, error) {
	type outcome struct {
		answer []byte
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		answer, err := a.to.Invoke(context.WithoutCancel(ctx), event)
		done <- outcome{answer, err}
	}()
	timer := time.NewTimer(a.Timeout)
	defer timer.Stop()
	select {
	case o := <-done:
		return o.answer, o.err
	case <-timer.C:
		return nil, errLate
	}
}

// refuse answers in the function's place.
func refuse(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"message":%q}`, http.StatusText(status)) // the sender may be gone
}

// response is the form of an answer with a status code.
type response struct {
	StatusCode *int              `json:"statusCode"`
	Headers    map[string]string `json:"headers"`
	Cookies    []string          `json:"cookies"`
	Body       string            `json:"body"`
	Base64     bool              `json:"isBase64Encoded"`
}

// respond makes a function's answer the response.
func respond(w http.ResponseWriter, answer []byte) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(answer, &members); err != nil || members["statusCode"] == nil {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
		return
	}
	var r response
	err := json.Unmarshal(answer, &r)
	body := []byte(r.Body)
	if err == nil && r.Base64 {
		body, err = base64.StdEncoding.DecodeString(r.Body)
	}
	if err != nil || r.StatusCode == nil || *r.StatusCode < 200 || *r.StatusCode > 599 {
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
	w.WriteHeader(*r.StatusCode)
	_, _ = w.Write(body)
}

// errRoute says that a route's path has no form that is played here.
var errRoute = errors.New("httpapi: a path begins with a slash, and a parameter is a whole segment of it")

// route is a path with parameters, each of them a segment.
type route struct {
	path     string
	segments []string // {name} for a parameter
}

func newRoute(path string) (*route, error) {
	segments := strings.Split(path, "/")
	if segments[0] != "" || len(segments) < 2 {
		return nil, errRoute
	}
	for _, segment := range segments[1:] {
		_, parameter := parameterOf(segment)
		if segment == "" || !parameter && strings.ContainsAny(segment, "{}+") {
			return nil, errRoute
		}
	}
	return &route{path, segments}, nil
}

// parameterOf returns the name of a segment that is a parameter.
func parameterOf(segment string) (name string, ok bool) {
	name, opened := strings.CutPrefix(segment, "{")
	name, closed := strings.CutSuffix(name, "}")
	return name, opened && closed && name != "" && !strings.ContainsAny(name, "{}+")
}

// match returns what the parameters are in a path. None is empty.
func (r *route) match(path string) (parameters map[string]string, ok bool) {
	segments := strings.Split(path, "/")
	if len(segments) != len(r.segments) {
		return nil, false
	}
	parameters = make(map[string]string)
	for i, want := range r.segments {
		if name, is := parameterOf(want); is && segments[i] != "" {
			parameters[name] = segments[i]
		} else if segments[i] != want {
			return nil, false
		}
	}
	return parameters, true
}
