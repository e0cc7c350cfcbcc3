package main_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ringback/ringback/events"
	main "github.com/ringback/ringback/functions/reconcile"
	"github.com/ringback/ringback/internal/justcall"
	"github.com/ringback/ringback/internal/lambda/spill"
	"github.com/ringback/ringback/internal/proof/justcalltest"
	"github.com/ringback/ringback/internal/proof/lambdaruntime"
	"github.com/ringback/ringback/internal/proof/lambdaruntime/lambdaruntimetest"
	"github.com/ringback/ringback/internal/proof/spilltest"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/proof/template"
	"github.com/ringback/ringback/internal/table"
)

func TestMain(m *testing.M) {
	os.Exit(lambdaruntimetest.Main(m, main.Main))
}

const nowhere = "http://127.0.0.1:9"

// secrets is a Secrets Manager with one secret.
func secrets(t *testing.T, text string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, _ = fmt.Fprintf(w, `{"SecretString":%q,"CreatedDate":1.7e9}`, text)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// start starts the function. It has JustCall's keys, unless changes say otherwise.
func start(t *testing.T, changes map[string]string) (*lambdaruntime.Process, error) {
	t.Helper()
	env := map[string]string{
		"AWS_ENDPOINT_URL_DYNAMODB":        nowhere,
		"AWS_ENDPOINT_URL_SQS":             nowhere,
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": secrets(t, fmt.Sprintf(`{"key":%q,"secret":%q}`, justcalltest.Key, justcalltest.Secret)),
		"TABLE_NAME":                       "events",
		"SPILL_QUEUE_URL":                  nowhere + "/123456789012/spill",
		"API_SECRET_ARN":                   "arn:aws:secretsmanager:us-east-1:123456789012:secret:ringback-api",
		"JUSTCALL_URL":                     nowhere,
	}
	maps.Copy(env, changes)
	return lambdaruntimetest.Start(t, lambdaruntimetest.Path(t), env, justcalltest.Key, justcalltest.Secret, "2125550123")
}

func TestPromise6_RefusesToStartWithout(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]map[string]string{
		"API_SECRET_ARN":  {"API_SECRET_ARN": ""},
		"SPILL_QUEUE_URL": {"SPILL_QUEUE_URL": ""},
		"TABLE_NAME":      {"TABLE_NAME": ""},
		"ALERT_MAX_AGE":   {"ALERT_MAX_AGE": "soon"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := start(t, change)
			var refused *lambdaruntime.InitError
			if !errors.As(err, &refused) || !strings.Contains(refused.Logs, name) {
				t.Fatalf("started, or does not say %s: %v", name, err)
			}
		})
	}
}

func TestTemplateSetsWhatTheFunctionReads(t *testing.T) {
	t.Parallel()
	template.CheckEnvironment(t, "ReconcileFunction", main.ReadEnvironment)
}

// run invokes the function, and returns the text of its error, "" for none.
func run(t *testing.T, p *lambdaruntime.Process) string {
	t.Helper()
	quarter, err := os.ReadFile("../../events-samples/reconcile/quarter.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Invoke(t.Context(), quarter, 2*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if got.FunctionError != nil {
		return got.FunctionError.Error()
	}
	return ""
}

func TestWithoutKeysItEndsAtOnce(t *testing.T) {
	t.Parallel()
	p, err := start(t, map[string]string{"AWS_ENDPOINT_URL_SECRETS_MANAGER": secrets(t, `{"key": "", "secret": ""}`)})
	if err != nil {
		t.Fatal(err)
	}
	if got := run(t, p); got != "" || !strings.Contains(p.Logs(), "there are no keys") {
		t.Errorf("error %q: %s", got, p.Logs())
	}
}

func TestKeysThatAreNoneAreAnErrorWithoutThem(t *testing.T) {
	t.Parallel()
	for _, tc := range [][2]string{
		{`{"key": "marked-4711"}`, "the API secret is empty"},
		{`{"key": "marked-4711", "secret": "two parts"}`, "copy it again"},
		{"marked-4711", "not of the form"},
	} {
		text, want := tc[0], tc[1]
		p, err := start(t, map[string]string{"AWS_ENDPOINT_URL_SECRETS_MANAGER": secrets(t, text)})
		if err != nil {
			t.Fatal(err)
		}
		if got := run(t, p); !strings.Contains(got, "API_SECRET_ARN") || !strings.Contains(got, want) || strings.Contains(got+p.Logs(), "marked-4711") {
			t.Errorf("%s: error %q", want, got)
		}
	}
}

// The binary finds in JustCall what no webhook told, and puts it into the queue.
func TestWhatTheWebhookLostComesIntoTheQueue(t *testing.T) {
	t.Parallel()
	config, tableName := tabletest.NewTable(t)
	_ = config
	account := justcalltest.New(t)
	account.Limits = justcall.Limits{PerHour: 1000, PerMinute: 1000}
	account.AddHook(events.TypeCallMissed, "https://hooks.example.com/justcall/token", justcall.WebhookActive)
	for i, typ := range []string{"Missed", "answered"} {
		account.AddCall(justcalltest.Call{
			Contact: "+12125550123", Line: "+12125550199", Type: typ, Length: time.Minute,
			Start: time.Now().Add(time.Duration(i-30) * time.Minute),
		})
	}
	api := httptest.NewServer(account)
	t.Cleanup(api.Close)
	queue := spilltest.Start(t)
	p, err := start(t, map[string]string{
		"AWS_ENDPOINT_URL_DYNAMODB": os.Getenv(tabletest.EndpointVariable), "TABLE_NAME": tableName,
		"AWS_ENDPOINT_URL_SQS": queue.Endpoint(), "SPILL_QUEUE_URL": queue.URL(),
		"JUSTCALL_URL": api.URL, "WEBHOOK_URL": "https://hooks.example.com/justcall",
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := run(t, p); got != "" {
		t.Fatal(got)
	}
	var outcomes []string
	for _, message := range queue.Messages() {
		received, err := spill.Decode(message)
		if err != nil {
			t.Fatal(err)
		}
		d, err := received.Decode()
		if err != nil {
			t.Fatal(err)
		}
		outcomes = append(outcomes, string(d.Outcome)+" "+received.FoundBy)
	}
	if got := strings.Join(outcomes, ", "); got != "answered "+table.FoundByReconcile+", missed "+table.FoundByReconcile {
		t.Errorf("in the queue: %s\n%s", got, p.Logs())
	}
	before := account.Requests()
	if got := run(t, p); got != "" || account.Requests() != before+3 {
		t.Errorf("a second run: %q after %d requests", got, account.Requests()-before)
	}
}
