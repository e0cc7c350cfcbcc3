package justcalltest_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/justcall"
	"github.com/ringback/ringback/internal/proof/justcalltest"
)

// described skips a test where JustCall's description is not.
func described(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := justcalltest.ReadDescription()
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("nothing is compared: JustCall's OpenAPI description is not there")
	} else if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestRequestsAndResponsesAreAsJustCallDescribesThem(t *testing.T) {
	t.Parallel()
	if got := described(t).Servers[0].URL; got != justcall.DefaultURL {
		t.Errorf("the API is at %s, by its description", got)
	}
	synctest.Test(t, func(t *testing.T) {
		s := book(t)
		c, err := s.Client()
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
			if !s.Checked(operation) {
				t.Errorf("%s was not checked", operation)
			}
		}
	})
}

// recorder is a test that keeps what it is told.
type recorder struct {
	*testing.T

	errors []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func TestWhatJustCallDoesNotDescribeIsSeen(t *testing.T) {
	t.Parallel()
	described(t)
	call := justcalltest.Call{Contact: "+12125550123", Line: "+12125550199", Type: "Missed", Start: time.Now()}
	for name, test := range map[string]struct {
		path   string
		change func(*justcalltest.Server)
		want   string
	}{
		"a member of another type": {path: "/v2.1/calls", change: func(s *justcalltest.Server) { s.Calls[0]["call_date"] = 5 }, want: "call_date"},
		"a member that is new":     {path: "/v2.1/calls", change: func(s *justcalltest.Server) { s.Calls[0]["mood"] = "good" }, want: "mood"},
		"a parameter":              {path: "/v2.1/calls?pages=1", want: "pages"},
		"a parameter's value":      {path: "/v2.1/phone-numbers?order=desc", want: "order"},
		"a path":                   {path: "/v2.1/calls/recent/today", want: "/v2.1/calls/recent/today"},
		"nothing":                  {path: "/v2.1/users"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{T: t}
			s := justcalltest.New(r)
			s.AddCall(call)
			if test.change != nil {
				test.change(s)
			}
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, test.path, nil)
			request.Header.Set("Authorization", justcalltest.Key+":"+justcalltest.Secret)
			s.ServeHTTP(httptest.NewRecorder(), request)
			if got := strings.Join(r.errors, "\n"); test.want == "" && got != "" || !strings.Contains(got, test.want) || test.want != "" && got == "" {
				t.Errorf("errors %q, want one with %q", got, test.want)
			}
		})
	}
}

// The types that JustCall has webhooks for, as its description lists them.
func TestWebhookTypesAreThoseOfTheDescription(t *testing.T) {
	t.Parallel()
	var want []events.Type
	for _, parameter := range described(t).Paths.Value("/v2.1/webhooks").Get.Parameters {
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
func book(t *testing.T) *justcalltest.Server {
	t.Helper()
	const caller, line = "+12125550123", "+12125550199"
	s := justcalltest.New(t)
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
