package justcalltest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/justcall"
	"github.com/ringback/ringback/internal/proof/justcalltest"
)

// description is JustCall's own, which is not ours to publish.
const description = "../shared/reference/justcall-openapi-v2.1.json"

// root is the repository's, from here.
const root = "../../.."

// readDescription reads the description, with no member allowed that it does not name.
func readDescription(t *testing.T) *openapi3.T {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, description))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the responses are not checked: JustCall's OpenAPI description is not at %s, seen from the repository", description)
	} else if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
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
	return doc
}

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

// checked is a transport that checks requests and responses.
type checked struct {
	t      *testing.T
	router routers.Router
	next   http.RoundTripper
	seen   map[string]bool // operations with a response of status 200
}

func (c checked) RoundTrip(r *http.Request) (*http.Response, error) {
	c.t.Helper()
	route, parameters, err := c.router.FindRoute(r)
	if err != nil {
		c.t.Errorf("%s %s: %v", r.Method, r.URL, err)
		return nil, err
	}
	name := route.Operation.OperationID
	for parameter := range r.URL.Query() {
		if !slices.ContainsFunc(route.Operation.Parameters, func(p *openapi3.ParameterRef) bool { return p.Value.In == "query" && p.Value.Name == parameter }) {
			c.t.Errorf("%s has no parameter %s", name, parameter)
		}
	}
	request := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: func(_ context.Context, input *openapi3filter.AuthenticationInput) error {
			header := input.RequestValidationInput.Request.Header.Get(input.SecurityScheme.Name)
			if key, secret, ok := strings.Cut(header, ":"); !ok || key == "" || secret == "" || strings.Contains(header, " ") {
				return errors.New("not key:secret")
			}
			return nil
		}},
	}
	if err := openapi3filter.ValidateRequest(r.Context(), request); err != nil {
		c.t.Errorf("request: %s: %v", name, err)
	}
	resp, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	response := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: request, Status: resp.StatusCode, Header: resp.Header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: resp.StatusCode != http.StatusTooManyRequests}, // which is not described
	}
	if err := openapi3filter.ValidateResponse(r.Context(), response); err != nil {
		c.t.Errorf("response: %s: %v", name, err)
	}
	c.seen[name] = c.seen[name] || resp.StatusCode == http.StatusOK
	return resp, nil
}

func TestRequestsAndResponsesAreAsJustCallDescribesThem(t *testing.T) {
	t.Parallel()
	doc := readDescription(t)
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s := book()
		seen := make(map[string]bool)
		c, err := justcall.New(justcall.Credentials{Key: justcalltest.Key, Secret: justcalltest.Secret}, justcall.TeamLimits, "",
			checked{t, router, justcalltest.Transport{Handler: s}, seen})
		if err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		for range 2 { // the second time without totals
			for page, err := range c.Calls(ctx, justcall.Cursor{}) {
				check(t, len(page.Rows), err)
			}
			for page, err := range c.SalesDialerCalls(ctx, justcall.Cursor{}) {
				check(t, len(page.Rows), err)
			}
			for page, err := range c.Texts(ctx, justcall.Cursor{}) {
				check(t, len(page.Rows), err)
			}
			for page, err := range c.Contacts(ctx, justcall.Cursor{}) {
				check(t, len(page.Rows), err)
			}
			for page, err := range c.Users(ctx) {
				check(t, len(page.Rows), err)
			}
			for page, err := range c.Lines(ctx) {
				check(t, len(page.Rows), err)
			}
			s.NoTotals = true
		}
		totals, err := c.Totals(ctx, time.Now().In(s.Zone), time.Now().In(s.Zone))
		check(t, totals.Calls, err)
		for _, typ := range justcall.WebhookTypes {
			check(t, 1, c.AddWebhook(ctx, typ, "https://hooks.example.com/justcall/token"))
		}
		hooks, err := c.Webhooks(ctx)
		check(t, len(hooks), err)
		check(t, 1, c.RemoveWebhook(ctx, hooks[0].ID))

		// What is refused is described, too.
		if err := c.RemoveWebhook(ctx, "0123456789abcdef01234567"); err == nil {
			t.Error("a webhook that is not there was removed")
		}
		s.Before = func(*http.Request) http.Handler { return justcalltest.Respond(http.StatusForbidden, "{}") }
		if _, err := c.Webhooks(ctx); err == nil {
			t.Error("no error for status 403")
		}

		for _, operation := range []string{
			"call_list_v21", "sales_dialer_call_list_v21", "texts_list_v21", "contacts_list_v21", "users_list_v21", "phone_number_list_v21",
			"call_account_analytics_v21", "webhook_list_v21", "webhook_create_v21", "webhook_delete_url_v21",
		} {
			if !seen[operation] {
				t.Errorf("%s was not checked", operation)
			}
		}
	})
}

// The types that JustCall has webhooks for, as its description lists them.
func TestWebhookTypesAreThoseOfTheDescription(t *testing.T) {
	t.Parallel()
	var want []events.Type
	for _, parameter := range readDescription(t).Paths.Value("/v2.1/webhooks").Get.Parameters {
		if parameter.Value.Name == "type" {
			for _, typ := range parameter.Value.Schema.Value.Enum {
				want = append(want, events.Type(typ.(string)))
			}
		}
	}
	if !slices.Equal(want, justcall.WebhookTypes) {
		t.Errorf("types %v, want %v", justcall.WebhookTypes, want)
	}
}

// book returns an account with a page and a half of everything.
func book() *justcalltest.Server {
	const caller, line = "+12125550123", "+12125550199"
	s := justcalltest.New()
	for i := range 150 {
		at := time.Now().Add(time.Duration(i-150) * time.Minute)
		s.AddCall(justcalltest.Call{Contact: caller, Line: line, Type: "Missed", Start: at, Length: time.Duration(i) * time.Second})
		s.AddText(justcalltest.Text{Contact: caller, Line: line, Body: "hello", At: at})
		s.AddContact(justcalltest.OwnerID+i%2, "Robin Sample", caller, "+12125550124", "+12125550125", "+12125550126")
		s.AddUser("Agent", "America/New_York", "12125550199")
		s.AddLine(line, "Front desk", "Custom Hours")
		s.DialerCalls = append(s.DialerCalls, justcalltest.Row{
			"call_id": i + 1, "call_sid": "CA7", "contact_number": "12125550123", "sales_dialer_number": "12125550198",
			"call_date": at.UTC().Format(time.DateOnly), "call_time": at.UTC().Format(time.TimeOnly),
			"call_info": justcalltest.Row{"type": "Outgoing human answered", "direction": "Outgoing", "call_answered_by": "human"},
		})
	}
	return s
}

func check(t *testing.T, rows int, err error) {
	t.Helper()
	if err != nil || rows == 0 {
		t.Errorf("%d rows, %v", rows, err)
	}
}
