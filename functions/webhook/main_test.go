package main_test

import (
	"encoding/json"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	webhook "github.com/ringback/ringback/functions/webhook"
	"github.com/ringback/ringback/internal/proof/faultproxy"
	"github.com/ringback/ringback/internal/proof/lambdaruntime"
	"github.com/ringback/ringback/internal/proof/lambdaruntime/lambdaruntimetest"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/proof/template"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

const (
	sampleToken = "sample-token-not-a-secret"
	localSecret = `{"token":"` + sampleToken + `","signing_secret":""}`
	invokeTime  = 10 * time.Second
)

func TestMain(m *testing.M) {
	os.Exit(lambdaruntimetest.Build(m))
}

// environment returns the function's environment, with a table at the endpoint.
func environment(endpoint, tableName string) map[string]string {
	return map[string]string{
		"AWS_ACCESS_KEY_ID":         "local",
		"AWS_ENDPOINT_URL_DYNAMODB": endpoint,
		"AWS_REGION":                "us-east-1",
		"AWS_SECRET_ACCESS_KEY":     "local",
		"LOCAL_SECRET":              localSecret,
		"TABLE_NAME":                tableName,
	}
}

func start(t *testing.T, env map[string]string) (*lambdaruntime.Process, error) {
	t.Helper()
	return lambdaruntimetest.Start(t, lambdaruntimetest.Path(t), env, secretsIn(env["LOCAL_SECRET"])...)
}

// secretsIn returns the parts of a LOCAL_SECRET, valid or not, that must not be
// printed.
func secretsIn(text string) []string {
	var members map[string]string
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		return []string{text}
	}
	return slices.Collect(maps.Values(members))
}

func mustStart(t *testing.T, env map[string]string) *lambdaruntime.Process {
	t.Helper()
	process, err := start(t, env)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	process.Grace = time.Minute
	return process
}

type answer struct {
	StatusCode int    `json:"statusCode"`
	Body       string `json:"body"`
}

func invoke(t *testing.T, process *lambdaruntime.Process, event []byte) answer {
	t.Helper()
	result, err := process.Invoke(t.Context(), event, invokeTime)
	if err != nil {
		t.Fatalf("invoke: %v", err)
	}
	if result.FunctionError != nil {
		t.Fatalf("function error: %v", result.FunctionError)
	}
	var a answer
	if err := json.Unmarshal(result.Payload, &a); err != nil {
		t.Fatalf("answer %q: %v", result.Payload, err)
	}
	return a
}

// gatewayEvents are the sample requests by event name.
func gatewayEvents(t *testing.T) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("../../events-samples/webhook/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no sample requests (%v)", err)
	}
	found := make(map[string][]byte, len(paths))
	for _, path := range paths {
		event, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found[strings.TrimSuffix(filepath.Base(path), ".json")] = event
	}
	return found
}

// closedPort is an address where nothing listens until the test ends: a connection has it.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = conn.Close(), listener.Close() })
	return "http://" + conn.LocalAddr().String()
}

func TestPromise6_RefusesToStartWithout(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change map[string]string
		want   []string
	}{
		{"a secret", map[string]string{"LOCAL_SECRET": ""}, []string{"SECRET_ARN", "LOCAL_SECRET"}},
		{"one secret only", map[string]string{"SECRET_ARN": "arn"}, []string{"SECRET_ARN", "LOCAL_SECRET"}},
		{"a token", map[string]string{"LOCAL_SECRET": `{"token":"","signing_secret":"marked-4711"}`}, []string{"LOCAL_SECRET", "token"}},
		{"a long token", map[string]string{"LOCAL_SECRET": `{"token":"marked-4711"}`}, []string{"LOCAL_SECRET", "16 "}},
		{"a secret in JSON", map[string]string{"LOCAL_SECRET": "marked-4711"}, []string{"LOCAL_SECRET", `{"token"`}},
		{"a table", map[string]string{"TABLE_NAME": ""}, []string{"TABLE_NAME"}},
		{"a region", map[string]string{"AWS_REGION": ""}, []string{"AWS_REGION"}},
		{"credentials", map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}},
		{"a switch that is neither on nor off", map[string]string{"ACCEPT_UNSIGNED": "yes"}, []string{"ACCEPT_UNSIGNED"}},
		{"a retention that is none", map[string]string{"RETENTION_DAYS": "-30"}, []string{"RETENTION_DAYS"}},
		{"durations that are some", map[string]string{"SIGNATURE_MAX_AGE": "three hours", "PREVIOUS_SECRET_GRACE": "-1h"}, []string{"SIGNATURE_MAX_AGE", "PREVIOUS_SECRET_GRACE"}},
		{"addresses that are some", map[string]string{"WEBHOOK_URL": "hooks"}, []string{"WEBHOOK_URL"}},
		{"anything, and names all at once", map[string]string{"LOCAL_SECRET": "", "TABLE_NAME": "", "AWS_REGION": ""}, []string{"SECRET_ARN", "TABLE_NAME", "AWS_REGION"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			env := environment(closedPort(t), "events")
			maps.Copy(env, test.change)

			_, err := start(t, env)

			var refused *lambdaruntime.InitError
			if !errors.As(err, &refused) {
				t.Fatalf("started, or failed otherwise: %v", err)
			}
			for _, want := range test.want {
				if !strings.Contains(refused.Logs, want) {
					t.Errorf("does not say %q: %s", want, refused.Logs)
				}
			}
			if strings.Contains(refused.Logs, "marked-4711") {
				t.Errorf("prints the secret: %s", refused.Logs)
			}
		})
	}
}

func TestPromise6_RefusesToStartWhenTheSecretCannotBeRead(t *testing.T) {
	t.Parallel()
	env := environment(closedPort(t), "events")
	delete(env, "LOCAL_SECRET")
	env["SECRET_ARN"] = "arn:aws:secretsmanager:us-east-1:123456789012:secret:ringback"
	env["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = closedPort(t)

	_, err := start(t, env)

	var refused *lambdaruntime.InitError
	if !errors.As(err, &refused) || !strings.Contains(refused.Logs, "SECRET_ARN") {
		t.Errorf("want a refusal that names SECRET_ARN, got %v", err)
	}
}

func TestPromise7_TakesCurrentAndPreviousSecretFromSecretsManager(t *testing.T) {
	t.Parallel()
	secrets := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			VersionStage string `json:"VersionStage"`
		}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Errorf("request: %v", err)
		}
		token := map[string]string{
			"AWSCURRENT":  sampleToken,
			"AWSPREVIOUS": "token-before-the-rotation",
		}[asked.VersionStage]
		text, _ := json.Marshal(map[string]string{"token": token, "signing_secret": ""})
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"SecretString": string(text),
			"CreatedDate":  time.Now().Add(-time.Hour).Unix(),
		})
	}))
	t.Cleanup(secrets.Close)
	env := environment(closedPort(t), "events")
	delete(env, "LOCAL_SECRET")
	env["SECRET_ARN"] = "arn:aws:secretsmanager:us-east-1:123456789012:secret:ringback"
	env["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = secrets.URL
	process := mustStart(t, env)

	event := func(token string) []byte {
		sample := string(gatewayEvents(t)["call.missed"])
		probe := strings.ReplaceAll(sample, sampleToken, token)
		return []byte(strings.Replace(probe, `"method": "POST"`, `"method": "GET"`, 1))
	}
	for token, want := range map[string]int{
		sampleToken:                 http.StatusOK,
		"token-before-the-rotation": http.StatusOK,
		"token-of-somebody-else":    http.StatusServiceUnavailable, // it may be a newer one: the secret was just read
		"no-token":                  http.StatusUnauthorized,
	} {
		if got := invoke(t, process, event(token)).StatusCode; got != want {
			t.Errorf("token %s: got status %d, want %d", token, got, want)
		}
	}
}

// While the table is down nothing can be stored, and the log shows the attempt.
func TestChecksSignaturesAsItsEnvironmentSays(t *testing.T) {
	t.Parallel()
	const secret, base = "signing-secret-of-the-account", "https://hooks.example.com/justcall"
	env := environment(closedPort(t), "events")
	env["LOCAL_SECRET"] = `{"token":"` + sampleToken + `","signing_secret":"` + secret + `"}`
	env["WEBHOOK_URL"] = base
	env["SIGNATURE_MAX_AGE"] = "1m"
	process := mustStart(t, env)

	for _, test := range []struct {
		name, url string
		age       time.Duration
		want      string
	}{
		{"for our URL, just now", base + "/" + sampleToken, 0, "store event"},
		{"for our URL, older than it may be", base + "/" + sampleToken, 2 * time.Minute, "store rejection"},
		{"for the gateway's URL", "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/justcall/" + sampleToken, 0, "store event"},
		{"for our URL, spelled otherwise", "HTTPS://Hooks.Example.com:443/justcall/" + sampleToken + "/", 0, "store event"},
		{"for another URL", "https://example.com/justcall/" + sampleToken, 0, "store rejection"},
	} {
		timestamp := time.Now().Add(-test.age).UTC().Format(time.DateTime)
		event, err := json.Marshal(map[string]any{
			"version": "2.0",
			"rawPath": "/justcall/" + sampleToken,
			"headers": map[string]string{
				events.HeaderSignature:        events.Sign(secret, test.url, events.TypeCallMissed, timestamp),
				events.HeaderSignatureVersion: events.SignatureVersion,
				events.HeaderRequestTimestamp: timestamp,
			},
			"requestContext": map[string]any{
				"domainName": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
				"http":       map[string]string{"method": http.MethodPost},
			},
			"pathParameters": map[string]string{"token": sampleToken},
			"body":           `{"type":"call.missed","data":{"call_sid":"CA1"}}`,
		})
		if err != nil {
			t.Fatal(err)
		}
		before := len(process.Logs())
		got := invoke(t, process, event)
		if log := process.Logs()[before:]; got.StatusCode != http.StatusServiceUnavailable || !strings.Contains(log, test.want) {
			t.Errorf("%s: got %+v and %q, want %q tried", test.name, got, log, test.want)
		}
	}
}

func TestPromise1_Answers503WhenTheTableIsDown(t *testing.T) {
	t.Parallel()
	process := mustStart(t, environment(closedPort(t), "events"))
	for name, event := range gatewayEvents(t) {
		if got := invoke(t, process, event); got.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s: got %+v, want status 503", name, got)
		}
	}
}

func TestPromise9_StoresEachSampleWithExactlyOneTableCall(t *testing.T) {
	t.Parallel()
	config, tableName := tabletest.NewTable(t)
	proxy := faultproxy.New(t, os.Getenv(tabletest.EndpointVariable))
	process := mustStart(t, environment(proxy.URL(), tableName))

	for round, want := range []string{`"status":"stored"`, `"status":"duplicate"`} {
		for name, event := range gatewayEvents(t) {
			requests, connections := len(proxy.Requests()), proxy.Connections()
			got := invoke(t, process, event)
			if got.StatusCode != http.StatusOK || !strings.Contains(got.Body, want) {
				t.Errorf("round %d, %s: got %+v, want 200 and %s", round, name, got, want)
			}
			if calls := proxy.Requests()[requests:]; len(calls) != 1 || calls[0].Operation != "PutItem" {
				t.Errorf("round %d, %s: table calls %s, want one PutItem", round, name, calls)
			}
			if n := proxy.Connections() - connections; n > 0 {
				t.Errorf("round %d, %s: %d new connections, want the one of init to be used", round, name, n)
			}
		}
	}

	store := dynamostore.New(config, tableName)
	items := 0
	for _, partition := range []string{
		"CALL#call_1d4e5f6a", "CALL#call_7b8c9d0e", "CALL#call_8f3a2b1c",
		"CONTACT#98765", "MESSAGE#msg_a1b2c3d4", "MESSAGE#msg_e5f6g7h8",
	} {
		for _, err := range table.All(t.Context(), store, table.Query{Partition: partition}) {
			if err != nil {
				t.Fatal(err)
			}
			items++
		}
	}
	if items != len(gatewayEvents(t)) {
		t.Errorf("got %d items, want %d", items, len(gatewayEvents(t)))
	}

	// The table fails while the function runs.
	proxy.Close()
	if got := invoke(t, process, gatewayEvents(t)["sms.sent"]); got.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("table gone: got %+v, want status 503", got)
	}

	for _, private := range []string{sampleToken, "+1415", "Jordan", "Pat from Globex", "reschedule"} {
		if strings.Contains(process.Logs(), private) {
			t.Errorf("the log has %q in it", private)
		}
	}
}

// If this changes, CloudFormation generates a new secret. The old token is lost, and
// so is signing_secret, without which signatures are not checked.
func TestTemplateGeneratesTheSecretAsEver(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Resources struct {
			WebhookSecret struct {
				Properties struct {
					GenerateSecretString map[string]any `yaml:"GenerateSecretString"`
				} `yaml:"Properties"`
			} `yaml:"WebhookSecret"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"SecretStringTemplate": `{"signing_secret": ""}`,
		"GenerateStringKey":    "token",
		"ExcludePunctuation":   true,
		"PasswordLength":       uint64(43),
	}
	if diff := cmp.Diff(want, got.Resources.WebhookSecret.Properties.GenerateSecretString); diff != "" {
		t.Errorf("every deployed stack would lose its token and its signing secret (-want +got):\n%s", diff)
	}
}

func TestTemplateSetsWhatTheFunctionReads(t *testing.T) {
	t.Parallel()
	template.CheckEnvironment(t, "WebhookFunction", webhook.ReadEnvironment)
}
