package justcalltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// description is JustCall's own, from the repository's root. It is not ours to publish.
const description = "../shared/reference/justcall-openapi-v2.1.json"

// readDescription reads the description, with no member allowed that it does not name. The
// error is [fs.ErrNotExist] where the description is not.
var readDescription = sync.OnceValues(func() (*openapi3.T, error) {
	folder, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("JustCall's OpenAPI description: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			break
		}
		above := filepath.Dir(folder)
		if above == folder {
			return nil, fs.ErrNotExist // the test does not run in the repository
		}
		folder = above
	}
	text, err := os.ReadFile(filepath.Join(folder, description)) //nolint:gosec // G304: ours
	if err != nil {
		return nil, fmt.Errorf("JustCall's OpenAPI description: %w", err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, fmt.Errorf("JustCall's OpenAPI description: %w", err)
	}
	for _, path := range doc.Paths.Map() {
		for _, operation := range path.Operations() {
			if operation.RequestBody != nil {
				closeContent(operation.RequestBody.Value.Content)
			}
			for _, response := range operation.Responses.Map() {
				closeContent(response.Value.Content)
			}
		}
	}
	return doc, nil
})

// newRouter returns a router over the description, on whatever host the requests arrive.
var newRouter = sync.OnceValues(func() (routers.Router, error) {
	doc, err := readDescription()
	if err != nil {
		return nil, err
	}
	anywhere := *doc
	anywhere.Servers = nil
	return gorillamux.NewRouter(&anywhere)
})

func closeContent(content openapi3.Content) {
	for _, media := range content {
		closeSchema(media.Schema)
	}
}

// closeSchema allows only the members that a schema names. A part of allOf allows others,
// and has none in this description.
func closeSchema(ref *openapi3.SchemaRef) {
	if ref == nil || ref.Value == nil {
		return
	}
	schema := ref.Value
	if len(schema.Properties) > 0 {
		closed := false
		schema.AdditionalProperties = openapi3.AdditionalProperties{Has: &closed}
	}
	for _, property := range schema.Properties {
		closeSchema(property)
	}
	for _, part := range schema.AllOf {
		closeSchema(part)
	}
	closeSchema(schema.Items)
}

// exchange is a request that is compared with the description, and then its response.
type exchange struct {
	http.ResponseWriter

	input  *openapi3filter.RequestValidationInput
	status int
	body   bytes.Buffer
}

// WriteHeader implements [http.ResponseWriter].
func (e *exchange) WriteHeader(status int) {
	e.status = status
	e.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (e *exchange) Write(p []byte) (int, error) {
	e.body.Write(p)
	return e.ResponseWriter.Write(p) //nolint:wrapcheck // as net/http
}

// begin compares a request with the description.
func (s *Server) begin(w http.ResponseWriter, r *http.Request) (*exchange, error) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	defer func() { r.Body = io.NopCloser(bytes.NewReader(text)) }()
	route, parameters, err := s.router.FindRoute(r)
	if err != nil {
		return nil, fmt.Errorf("request: %s %s: %w", r.Method, r.URL.Path, err)
	}
	e := &exchange{ResponseWriter: w, status: http.StatusOK, input: &openapi3filter.RequestValidationInput{
		Request: r, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: checkForm},
	}}
	for name := range r.URL.Query() {
		if !slices.ContainsFunc(route.Operation.Parameters, func(p *openapi3.ParameterRef) bool { return p.Value.In == "query" && p.Value.Name == name }) {
			return e, fmt.Errorf("request: %s has no parameter %s", route.Operation.OperationID, name)
		}
	}
	r.Body = io.NopCloser(bytes.NewReader(text))
	if err := openapi3filter.ValidateRequest(context.WithoutCancel(r.Context()), e.input); err != nil {
		return e, fmt.Errorf("request: %s: %s", route.Operation.OperationID, firstLine(err))
	}
	return e, nil
}

// firstLine returns what is wrong. The schema and the value follow in an error's text.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// checkForm checks that credentials have JustCall's form, whoever's they are.
func checkForm(_ context.Context, input *openapi3filter.AuthenticationInput) error {
	header := input.RequestValidationInput.Request.Header.Get(input.SecurityScheme.Name)
	if key, secret, ok := strings.Cut(header, ":"); !ok || key == "" || secret == "" || strings.Contains(header, " ") {
		return errors.New("not key:secret")
	}
	return nil
}

// end compares the response with the description.
func (e *exchange) end(ctx context.Context) error {
	response := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: e.input, Status: e.status, Header: e.Header(), Body: io.NopCloser(&e.body),
		Options: &openapi3filter.Options{IncludeResponseStatus: e.status != http.StatusTooManyRequests}, // which is not described
	}
	if err := openapi3filter.ValidateResponse(context.WithoutCancel(ctx), response); err != nil {
		return fmt.Errorf("response: %s: %s", e.input.Route.Operation.OperationID, firstLine(err))
	}
	return nil
}
