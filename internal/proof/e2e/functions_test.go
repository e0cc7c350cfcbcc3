package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/ringback/ringback/internal/proof/eventsource"
	"github.com/ringback/ringback/internal/proof/faultproxy"
	"github.com/ringback/ringback/internal/proof/lambdaruntime"
	"github.com/ringback/ringback/internal/proof/lambdaruntime/lambdaruntimetest"
	"github.com/ringback/ringback/internal/proof/moto"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

const token = "token-of-the-end-to-end-tests"

// binaries is where the functions are built, once and only if a test needs them.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		folder, err := os.MkdirTemp("", "e2e")
		if err != nil {
			panic(err)
		}
		defer func() { _ = os.RemoveAll(folder) }()
		binaries = folder
		return m.Run()
	}())
}

var build = sync.OnceValue(func() error {
	var faults []error
	for _, name := range []string{"webhook", "alerts", "drain", "escalate"} {
		faults = append(faults, lambdaruntime.Build(context.Background(), filepath.Join("..", "..", "..", "functions", name), filepath.Join(binaries, name), true))
	}
	return errors.Join(faults...)
})

// stack is what template.yaml makes, as far as it matters here.
type stack struct {
	t *testing.T

	past      aws.Config // past the table's proxy
	tableName string
	table     *faultproxy.Proxy

	topicARN                    string
	spillURL, spillARN, deadURL string
	spill                       *faultproxy.Proxy

	// env is set for every function that is started from now on, and wins over
	// what all of them need; secrets are looked for in their logs.
	env     map[string]string
	secrets []string
}

// newStack makes a stack in which nothing fails. It skips the test if there is
// nothing to make it of.
func newStack(t *testing.T) *stack {
	t.Helper()
	return newStackThatTries(t, 240)
}

// newStackThatTries makes one whose spill queue hands out a message that often.
func newStackThatTries(t *testing.T, receives int) *stack {
	t.Helper()
	endpoint := moto.Endpoint(t)
	config, tableName := tabletest.NewTable(t)
	if err := build(); err != nil {
		t.Fatal(err)
	}
	deadURL, deadARN := moto.NewQueue(t, nil)
	s := &stack{
		t:         t,
		past:      config,
		tableName: tableName,
		table:     faultproxy.New(t, os.Getenv(tabletest.EndpointVariable)),
		spill:     faultproxy.New(t, endpoint),
		topicARN:  moto.NewTopic(t),
		deadURL:   deadURL,
	}
	s.spillURL, s.spillARN = moto.NewQueue(t, map[string]string{
		"VisibilityTimeout": "180",
		"RedrivePolicy":     fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":"%d"}`, deadARN, receives),
	})
	return s
}

// function is one of the functions, as the template sets it up.
func (s *stack) function(name, logicalID, sourceType string) (*eventsource.Function, eventsource.Settings) {
	s.t.Helper()
	settings, err := eventsource.Read(tabletest.TemplatePath(s.t), logicalID, sourceType)
	if err != nil {
		s.t.Fatal(err)
	}
	return eventsource.NewFunction(s.starter(name), settings.Timeout), settings
}

// starter returns what starts processes of a function.
func (s *stack) starter(name string) func() (*lambdaruntime.Process, error) {
	s.t.Helper()
	env := map[string]string{
		"GOMAXPROCS": "1", "SSL_CERT_DIR": "/nonexistent",
		"TABLE_NAME":                s.tableName,
		"TOPIC_ARN":                 s.topicARN,
		"ALERT_MAX_AGE":             "0s", // the samples are of March 2026
		"SPILL_QUEUE_URL":           s.spillURL,
		"LOCAL_SECRET":              `{"token":"` + token + `","signing_secret":""}`,
		"AWS_ENDPOINT_URL_DYNAMODB": s.table.URL(),
		"AWS_ENDPOINT_URL_SNS":      moto.Endpoint(s.t),
		"AWS_ENDPOINT_URL_SQS":      s.spill.URL(),
	}
	maps.Copy(env, s.env)
	secrets := append([]string{token}, s.secrets...)
	return func() (*lambdaruntime.Process, error) {
		return lambdaruntimetest.Start(s.t, filepath.Join(binaries, name), env, secrets...)
	}
}

func (s *stack) webhook() *eventsource.Function {
	s.t.Helper()
	function, _ := s.function("webhook", "WebhookFunction", "HttpApi")
	return function
}

// spilled is the mapping of the spill queue.
func (s *stack) spilled(settings eventsource.Settings) queueMapping {
	s.t.Helper()
	return queueMapping{
		Client: moto.SQS(s.t), URL: s.spillURL, ARN: s.spillARN,
		BatchSize: settings.BatchSize, Partial: settings.Partial,
	}
}

// drain empties the spill queue, as far as the table lets it.
func (s *stack) drain(function *eventsource.Function, settings eventsource.Settings) drained {
	s.t.Helper()
	taken, err := s.spilled(settings).Drain(s.t.Context(), function)
	if err != nil {
		s.t.Fatal(err)
	}
	return taken
}

// items is the whole table, by key.
func (s *stack) items() map[table.Key]table.Item {
	s.t.Helper()
	all := map[table.Key]table.Item{}
	pages := dynamodb.NewScanPaginator(dynamodb.NewFromConfig(s.past), &dynamodb.ScanInput{TableName: aws.String(s.tableName), ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		for _, attributes := range page.Items {
			item := dynamostore.Item(attributes)
			all[table.KeyOf(item)] = item
		}
	}
	return all
}

// answer is what JustCall is told.
type answer struct {
	code   int
	status string
}

// post delivers a body through the gateway.
func post(ctx context.Context, webhook eventsource.Invoker, body string) (answer, error) {
	event, err := json.Marshal(map[string]any{
		"version":        "2.0",
		"routeKey":       "ANY /justcall/{token+}",
		"rawPath":        "/justcall/" + token,
		"headers":        map[string]string{"content-type": "application/json"},
		"pathParameters": map[string]string{"token": token},
		"requestContext": map[string]any{
			"domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
			"http":       map[string]string{"method": http.MethodPost, "path": "/justcall/" + token},
		},
		"body": body,
	})
	if err != nil {
		return answer{}, err
	}
	text, err := webhook.Invoke(ctx, event)
	if err != nil {
		return answer{}, err
	}
	var response struct {
		StatusCode int    `json:"statusCode"`
		Body       string `json:"body"`
	}
	if err := json.Unmarshal(text, &response); err != nil {
		return answer{}, err
	}
	var said struct {
		Status string `json:"status"`
	}
	err = json.Unmarshal([]byte(response.Body), &said)
	return answer{response.StatusCode, said.Status}, err
}

// samples are the documented events by name.
func samples(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../../../events-samples/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples (%v)", err)
	}
	found := make(map[string]string, len(files))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found[strings.TrimSuffix(filepath.Base(file), ".json")] = string(text)
	}
	return found
}
