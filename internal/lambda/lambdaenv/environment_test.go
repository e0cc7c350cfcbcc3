package lambdaenv_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/lambda/lambdaenv"
)

// complete is what Lambda and the template set for every function.
var complete = map[string]string{
	"AWS_ACCESS_KEY_ID":     "key-of-the-role",
	"AWS_REGION":            "eu-central-1",
	"AWS_SECRET_ACCESS_KEY": "secret-of-the-role",
	"AWS_SESSION_TOKEN":     "token-of-the-role",
	"TABLE_NAME":            "events",
}

// with returns the complete environment with changes.
func with(changes map[string]string) func(string) string {
	set := maps.Clone(complete)
	maps.Copy(set, changes)
	return func(name string) string { return set[name] }
}

func TestNamesEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		changes map[string]string
		want    []string // variables that are named, and no others
	}{
		{"none, if all is valid", nil, nil},
		{"none, for an optional variable", map[string]string{"AWS_SESSION_TOKEN": ""}, nil},
		{"a required variable that is empty", map[string]string{"NAME": ""}, []string{"NAME"}},
		{"not a duration", map[string]string{"AGE": "three hours"}, []string{"AGE"}},
		{"a duration that is too short", map[string]string{"AGE": "59m59s"}, []string{"AGE"}},
		{"a duration just long enough", map[string]string{"AGE": "60m"}, nil},
		{"no duration, which has its default", map[string]string{"AGE": ""}, nil},
		{"a URL without a host", map[string]string{"ADDRESS": "hooks"}, []string{"ADDRESS"}},
		{"a URL that cannot be read", map[string]string{"ADDRESS": "http://[::1"}, []string{"ADDRESS"}},
		{"no URL", map[string]string{"ADDRESS": ""}, nil},
		{"an endpoint that is not a URL", map[string]string{"AWS_ENDPOINT_URL_SQS": "queue"}, []string{"AWS_ENDPOINT_URL_SQS"}},
		{"an endpoint without a scheme", map[string]string{"AWS_ENDPOINT_URL_SQS": "//127.0.0.1:4566"}, []string{"AWS_ENDPOINT_URL_SQS"}},
		{"an endpoint of another kind", map[string]string{"AWS_ENDPOINT_URL_SQS": "ftp://127.0.0.1"}, []string{"AWS_ENDPOINT_URL_SQS"}},
		{"one endpoint for all that is not a URL", map[string]string{"AWS_ENDPOINT_URL": "127.0.0.1"}, []string{"AWS_ENDPOINT_URL"}},
		{"the caller's own", map[string]string{"OWN": "wrong"}, []string{"OWN"}},
		{
			"what every function needs",
			map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_REGION": "", "AWS_SECRET_ACCESS_KEY": "", "TABLE_NAME": "", "AGE": "x"},
			[]string{"AGE", "AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "TABLE_NAME"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			changes := map[string]string{"NAME": "n", "AGE": "3h", "ADDRESS": "https://example.com/a"}
			maps.Copy(changes, test.changes)
			e := lambdaenv.New(with(changes))

			e.Table()
			e.AWS("SQS")
			e.Required("NAME")
			e.Optional("NOTHING")
			e.Duration("AGE", 2*time.Hour, time.Hour)
			e.URL("ADDRESS")
			if e.Optional("OWN") != "" {
				e.Fault(errors.New("OWN is wrong"))
			}

			var got []string
			if err := e.Err(); err != nil {
				for line := range strings.Lines(err.Error()) {
					name, _, _ := strings.Cut(line, " ")
					got = append(got, name)
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("named (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNoFaultHasAValueInIt(t *testing.T) {
	t.Parallel()
	e := lambdaenv.New(func(string) string { return "marked-4711" })
	e.Duration("AGE", 0, 0)
	e.URL("ADDRESS")
	if err := e.Err(); err == nil || strings.Contains(err.Error(), "4711") {
		t.Errorf("want faults without the values, got %v", err)
	}
}

func TestReadsValues(t *testing.T) {
	t.Parallel()
	e := lambdaenv.New(with(map[string]string{"AGE": "90m", "ADDRESS": "https://example.com/a"}))
	if got := e.Duration("AGE", time.Hour, 0); got != 90*time.Minute {
		t.Errorf("duration: got %v", got)
	}
	if got := e.Duration("OTHER_AGE", time.Hour, 2*time.Hour); got != time.Hour || e.Err() != nil {
		t.Errorf("default duration: got %v, %v", got, e.Err())
	}
	if got := e.URL("ADDRESS"); got != "https://example.com/a" {
		t.Errorf("URL: got %q", got)
	}
	if got := e.Table().Name; got != "events" {
		t.Errorf("table: got %q", got)
	}
}

func TestClientsShareOneConnectionPoolAndTheFunctionsRole(t *testing.T) {
	t.Parallel()
	e := lambdaenv.New(with(map[string]string{"AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:9324"}))
	queue, topic := e.AWS("SQS"), e.AWS("SNS")
	for _, config := range []aws.Config{queue, topic} {
		credentials, err := config.Credentials.Retrieve(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		got := []string{config.Region, credentials.AccessKeyID, credentials.SecretAccessKey, credentials.SessionToken}
		want := []string{"eu-central-1", "key-of-the-role", "secret-of-the-role", "token-of-the-role"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("region and role (-want +got):\n%s", diff)
		}
		if attempts := config.Retryer().MaxAttempts(); attempts != 3 {
			t.Errorf("%d attempts, want three", attempts)
		}
	}
	if queue.HTTPClient != topic.HTTPClient || queue.HTTPClient != e.Table().Config.HTTPClient {
		t.Error("the services have HTTP clients of their own")
	}
	if got := aws.ToString(queue.BaseEndpoint); got != "http://127.0.0.1:9324" {
		t.Errorf("endpoint of SQS: %q", got)
	}
	if topic.BaseEndpoint != nil {
		t.Errorf("endpoint of SNS: %q, want the public one", *topic.BaseEndpoint)
	}

	// One endpoint for all services, as an emulator of AWS has, but for those with one of their own. The template sets
	// the services' own variables to "", which is not set.
	e = lambdaenv.New(with(map[string]string{
		"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_ENDPOINT_URL_SNS": "", "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:9324",
	}))
	for service, want := range map[string]string{"DYNAMODB": "http://127.0.0.1:4566", "SNS": "http://127.0.0.1:4566", "SQS": "http://127.0.0.1:9324"} {
		if got := aws.ToString(e.AWS(service).BaseEndpoint); got != want {
			t.Errorf("endpoint of %s: %q, want %q", service, got, want)
		}
	}
}
