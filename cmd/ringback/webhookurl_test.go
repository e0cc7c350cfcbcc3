package main_test

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

const (
	urlBase   = "https://abc123.execute-api.eu-central-1.amazonaws.com/justcall"
	secretARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:WebhookSecret-x"
)

func TestWebhookURLPrintsTheWholeURLAndNothingElse(t *testing.T) {
	for _, tc := range []struct {
		name   string
		env    map[string]string
		config string
		args   []string
		stack  string
		region string
	}{
		{name: "region as a flag", args: []string{"--region", "eu-central-1"}, stack: "ringback", region: "eu-central-1"},
		{name: "region in the environment", env: map[string]string{"AWS_REGION": "eu-west-1"}, stack: "ringback", region: "eu-west-1"},
		{name: "region in the configuration", config: "[default]\nregion = ap-south-1\n", stack: "ringback", region: "ap-south-1"},
		{
			name: "the flag before the environment", env: map[string]string{"AWS_REGION": "eu-west-1"},
			args: []string{"--region", "eu-central-1"}, stack: "ringback", region: "eu-central-1",
		},
		{name: "another stack", args: []string{"--region", "eu-central-1", "--stack", "ringback-prod"}, stack: "ringback-prod", region: "eu-central-1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := newAWS(t)
			for name, value := range tc.env {
				t.Setenv(name, value)
			}
			if tc.config != "" {
				t.Setenv("AWS_CONFIG_FILE", writeFile(t, "config", tc.config))
			}
			got := run(t, append([]string{"webhook-url"}, tc.args...)...)
			got.exits(t, 0)
			if got.stdout != urlBase+"/"+token+"\n" || got.stderr != "" {
				t.Errorf("stdout %q, stderr %q", got.stdout, got.stderr)
			}
			if a.stack != tc.stack {
				t.Errorf("asked for the stack %q, want %q", a.stack, tc.stack)
			}
			if a.region != tc.region {
				t.Errorf("asked in %q, want %q", a.region, tc.region)
			}
			if a.secret != secretARN {
				t.Errorf("asked for the secret %q, want that of the stack", a.secret)
			}
		})
	}
}

func TestWebhookURLSaysWhatIsMissing(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(t *testing.T, a *fakeAWS)
		want   []string
	}{
		{"no region", func(t *testing.T, _ *fakeAWS) {
			t.Helper()
			t.Setenv("AWS_REGION", "")
		}, []string{"--region", "AWS_REGION"}},
		{"no such stack", func(_ *testing.T, a *fakeAWS) {
			a.stackFault = "Stack with id ringback does not exist"
		}, []string{`"ringback"`, "eu-central-1", "does not exist"}},
		{"no outputs", func(_ *testing.T, a *fakeAWS) { a.outputs = nil }, []string{`"ringback"`, "WebhookUrlBase", "SecretArn"}},
		{"a stack of something else", func(_ *testing.T, a *fakeAWS) {
			a.outputs = map[string]string{"BucketName": "b"}
		}, []string{`"ringback"`, "WebhookUrlBase"}},
		{"one output only", func(_ *testing.T, a *fakeAWS) { delete(a.outputs, "SecretArn") }, []string{"SecretArn"}},
		{"the secret may not be read", func(_ *testing.T, a *fakeAWS) {
			a.secretFault = "AccessDeniedException"
		}, []string{"token", "AccessDeniedException"}},
		{"the secret is none", func(_ *testing.T, a *fakeAWS) { a.secretText = token }, []string{"secret", `{"token"`}},
		{"the token is short", func(_ *testing.T, a *fakeAWS) { a.secretText = `{"token":"PRIVATE"}` }, []string{"secret", "shorter than 16"}},
		{"no credentials", func(t *testing.T, _ *fakeAWS) {
			t.Helper()
			t.Setenv("AWS_ACCESS_KEY_ID", "")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "")
		}, []string{"credentials"}},
		{"a profile that is not there", func(t *testing.T, _ *fakeAWS) {
			t.Helper()
			t.Setenv("AWS_PROFILE", "nobody")
		}, []string{"AWS configuration", "nobody"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := newAWS(t)
			t.Setenv("AWS_REGION", "eu-central-1")
			tc.change(t, a)
			got := run(t, "webhook-url")
			got.exits(t, 1)
			got.complains(t, tc.want...)
			got.hides(t, token)
			got.hides(t, "PRIVATE")
			if got.stdout != "" {
				t.Errorf("stdout: %s", got.stdout)
			}
		})
	}
}

// fakeAWS answers as CloudFormation and Secrets Manager do.
type fakeAWS struct {
	outputs     map[string]string
	stackFault  string
	secretText  string
	secretFault string

	// What was asked for.
	stack, secret, region string
}

// newAWS makes a stack of ringback the only thing that the AWS SDK finds.
func newAWS(t *testing.T) *fakeAWS {
	t.Helper()
	a := &fakeAWS{
		outputs:    map[string]string{"WebhookUrlBase": urlBase, "SecretArn": secretARN, "TableName": "t"},
		secretText: `{"token":"` + token + `","signing_secret":""}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		// Credential=<key>/<day>/<region>/<service>/aws4_request
		if scope := strings.Split(r.Header.Get("Authorization"), "/"); len(scope) > 3 {
			a.region = scope[2]
		}
		if r.Header.Get("X-Amz-Target") == "secretsmanager.GetSecretValue" {
			a.answerSecret(t, w, body)
			return
		}
		a.answerStack(t, w, r, string(body))
	}))
	t.Cleanup(server.Close)

	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	folder := t.TempDir()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL":            server.URL,
		"AWS_ACCESS_KEY_ID":           "AKIAEXAMPLE",
		"AWS_SECRET_ACCESS_KEY":       "example",
		"AWS_CONFIG_FILE":             filepath.Join(folder, "config"),
		"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(folder, "credentials"),
		"AWS_EC2_METADATA_DISABLED":   "true",
	} {
		t.Setenv(name, value)
	}
	return a
}

type stackOutput struct {
	OutputKey   string `xml:"OutputKey"`
	OutputValue string `xml:"OutputValue"`
}

func (a *fakeAWS) answerStack(t *testing.T, w http.ResponseWriter, r *http.Request, body string) {
	t.Helper()
	r.Body = io.NopCloser(strings.NewReader(body))
	if action := r.PostFormValue("Action"); action != "DescribeStacks" {
		t.Errorf("asked for %q", body)
	}
	a.stack = r.PostFormValue("StackName")
	w.Header().Set("Content-Type", "text/xml")
	if a.stackFault != "" {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type><Code>ValidationError</Code><Message>`+
			a.stackFault+`</Message></Error><RequestId>1</RequestId></ErrorResponse>`)
		return
	}
	type member struct {
		StackName string        `xml:"StackName"`
		Outputs   []stackOutput `xml:"Outputs>member"`
	}
	answer := struct {
		XMLName xml.Name `xml:"DescribeStacksResponse"`
		Stacks  []member `xml:"DescribeStacksResult>Stacks>member"`
	}{Stacks: []member{{StackName: a.stack}}}
	for key, value := range a.outputs {
		answer.Stacks[0].Outputs = append(answer.Stacks[0].Outputs, stackOutput{key, value})
	}
	if err := xml.NewEncoder(w).Encode(answer); err != nil {
		t.Error(err)
	}
}

func (a *fakeAWS) answerSecret(t *testing.T, w http.ResponseWriter, body []byte) {
	t.Helper()
	var asked struct {
		SecretID string `json:"SecretId"`
	}
	if err := json.Unmarshal(body, &asked); err != nil {
		t.Error(err)
	}
	a.secret = asked.SecretID
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if a.secretFault != "" {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"`+a.secretFault+`","Message":"not authorized"}`)
		return
	}
	answer := struct {
		ARN          string `json:"ARN"`
		SecretString string `json:"SecretString"`
	}{a.secret, a.secretText}
	if err := json.MarshalWrite(w, answer); err != nil {
		t.Error(err)
	}
}
