package main_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
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

func TestWebhookURLIsThatOfTheEmulator(t *testing.T) {
	a := newAWS(t)
	_, port, _ := strings.Cut(strings.TrimPrefix(a.url, "http://"), ":")
	for _, tc := range []struct{ endpoint, want string }{
		{a.url, "http://abc123.execute-api.localhost:" + port + "/justcall"},
		{"http://localhost.localstack.cloud:4566", "http://abc123.execute-api.localhost.localstack.cloud:4566/justcall"},
		{"https://emulator.example", "https://abc123.execute-api.emulator.example/justcall"},
		{"https://vpce-1.execute-api.amazonaws.com", urlBase},
		{"https://cloudformation.us-east-1.amazonaws.com", urlBase},
	} {
		t.Setenv("AWS_ENDPOINT_URL", tc.endpoint)
		got := run(t, "webhook-url", "--region", "eu-central-1")
		got.exits(t, 0)
		if got.stdout != tc.want+"/"+token+"\n" {
			t.Errorf("with the endpoint %s: %q, want the token at %q", tc.endpoint, got.stdout, tc.want)
		}
	}
}

func TestWebhookURLWarnsOfATopicThatReachesNobody(t *testing.T) {
	const (
		alerts, alertsYet = "Nobody is alerted to missed calls and voicemails:", "Nobody is alerted to missed calls and voicemails yet:"
		ops, opsYet       = "Nobody is told when this stack has a problem:", "Nobody is told yet when this stack has a problem:"
		link              = "Follow the link"
	)
	for _, tc := range []struct {
		name        string
		alerts, ops []string
		fault       string
		says        []string
		not         []string
	}{
		{"nobody", nil, nil, "", []string{"WARNING: " + alerts, "WARNING: " + ops, "AlertEmail", "OpsEmail"}, []string{link}},
		{"nobody any more", []string{deleted}, []string{deleted}, "", []string{"WARNING: " + alerts, "WARNING: " + ops}, []string{link}},
		{"nobody who gets alarms", []string{confirmed}, nil, "", []string{"WARNING: " + ops}, []string{alerts, alertsYet, link}},
		{"nobody who gets alerts", nil, []string{confirmed}, "", []string{"WARNING: " + alerts}, []string{ops, opsYet, link}},
		{
			"nobody has followed the link",
			[]string{pending},
			[]string{pending},
			"",
			[]string{"WARNING: " + alertsYet + " 1 subscription is not confirmed", "WARNING: " + opsYet, link, "spam", "docs/subscriptions.md#a-new-link"},
			nil,
		},
		{
			"two of three have not",
			[]string{pending, confirmed, pending},
			[]string{confirmed},
			"",
			[]string{"Hint: not everybody is told: 2 subscriptions are not confirmed", link},
			[]string{"WARNING", "Nobody"},
		},
		{"all have", []string{confirmed, confirmed}, []string{confirmed, deleted}, "", nil, []string{"WARNING", "Hint"}},
		{"no right to look", nil, nil, "AuthorizationError", []string{"Hint: ", "AuthorizationError"}, []string{"WARNING", "Nobody"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := newAWS(t)
			a.subscriptions = map[string][]string{alertsARN: tc.alerts, opsARN: tc.ops}
			a.subscribeFault = tc.fault
			got := run(t, "webhook-url", "--region", "eu-central-1")
			got.exits(t, 0)
			if got.stdout != urlBase+"/"+token+"\n" {
				t.Errorf("stdout %q", got.stdout)
			}
			contains(t, "stderr", got.stderr, tc.says...)
			for _, text := range tc.not {
				if strings.Contains(got.stderr, text) {
					t.Errorf("stderr says %q:\n%s", text, got.stderr)
				}
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

const (
	alertsARN = "arn:aws:sns:eu-central-1:123456789012:alerts"
	opsARN    = "arn:aws:sns:eu-central-1:123456789012:ops"
)

// What SNS puts for a subscription that is confirmed, and for others.
const (
	confirmed = alertsARN + ":0b1c"
	pending   = "PendingConfirmation"
	deleted   = "Deleted"
)

// fakeAWS answers as CloudFormation, Secrets Manager and SNS do.
type fakeAWS struct {
	url            string
	outputs        map[string]string
	parameters     map[string]string
	stackFault     string
	secretText     string
	secretFault    string
	subscriptions  map[string][]string // the ARNs of a topic's subscriptions
	subscribeFault string

	// What was asked for.
	stack, secret, region string
}

// newAWS makes a stack of ringback the only thing that the AWS SDK finds.
func newAWS(t *testing.T) *fakeAWS {
	t.Helper()
	a := &fakeAWS{
		outputs: map[string]string{
			"WebhookUrlBase": urlBase, "SecretArn": secretARN, "TableName": "t", "AlertsTopicArn": alertsARN, "OpsTopicArn": opsARN,
		},
		subscriptions: map[string][]string{alertsARN: {confirmed}, opsARN: {confirmed}},
		secretText:    `{"token":"` + token + `","signing_secret":""}`,
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
		r.Body = io.NopCloser(bytes.NewReader(body))
		switch action := r.PostFormValue("Action"); action {
		case "DescribeStacks":
			a.answerStack(t, w, r)
		case "ListSubscriptionsByTopic":
			a.answerTopic(t, w, r)
		default:
			t.Errorf("asked for %q: %s", action, body)
		}
	}))
	t.Cleanup(server.Close)
	a.url = server.URL

	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	folder := t.TempDir()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_CLOUDFORMATION":  server.URL,
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": server.URL,
		"AWS_ENDPOINT_URL_SNS":             server.URL,
		"AWS_ACCESS_KEY_ID":                "AKIAEXAMPLE",
		"AWS_SECRET_ACCESS_KEY":            "example",
		"AWS_CONFIG_FILE":                  filepath.Join(folder, "config"),
		"AWS_SHARED_CREDENTIALS_FILE":      filepath.Join(folder, "credentials"),
		"AWS_EC2_METADATA_DISABLED":        "true",
	} {
		t.Setenv(name, value)
	}
	return a
}

type stackOutput struct {
	OutputKey   string `xml:"OutputKey"`
	OutputValue string `xml:"OutputValue"`
}

type stackParameter struct {
	ParameterKey   string `xml:"ParameterKey"`
	ParameterValue string `xml:"ParameterValue"`
}

func (a *fakeAWS) answerStack(t *testing.T, w http.ResponseWriter, r *http.Request) {
	t.Helper()
	a.stack = r.PostFormValue("StackName")
	w.Header().Set("Content-Type", "text/xml")
	if a.stackFault != "" {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type><Code>ValidationError</Code><Message>`+
			a.stackFault+`</Message></Error><RequestId>1</RequestId></ErrorResponse>`)
		return
	}
	type member struct {
		StackName  string           `xml:"StackName"`
		Outputs    []stackOutput    `xml:"Outputs>member"`
		Parameters []stackParameter `xml:"Parameters>member"`
	}
	answer := struct {
		XMLName xml.Name `xml:"DescribeStacksResponse"`
		Stacks  []member `xml:"DescribeStacksResult>Stacks>member"`
	}{Stacks: []member{{StackName: a.stack}}}
	for key, value := range a.outputs {
		answer.Stacks[0].Outputs = append(answer.Stacks[0].Outputs, stackOutput{key, value})
	}
	for key, value := range a.parameters {
		answer.Stacks[0].Parameters = append(answer.Stacks[0].Parameters, stackParameter{key, value})
	}
	if err := xml.NewEncoder(w).Encode(answer); err != nil {
		t.Error(err)
	}
}

// answerTopic puts one subscription on a page, so that all pages are needed.
func (a *fakeAWS) answerTopic(t *testing.T, w http.ResponseWriter, r *http.Request) {
	t.Helper()
	w.Header().Set("Content-Type", "text/xml")
	if a.subscribeFault != "" {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>`+
			a.subscribeFault+`</Code><Message>not authorized</Message></Error><RequestId>1</RequestId></ErrorResponse>`)
		return
	}
	type member struct {
		ARN string `xml:"SubscriptionArn"`
	}
	var answer struct {
		XMLName xml.Name `xml:"ListSubscriptionsByTopicResponse"`
		Members []member `xml:"ListSubscriptionsByTopicResult>Subscriptions>member"`
		Next    string   `xml:"ListSubscriptionsByTopicResult>NextToken,omitempty"`
	}
	page, _ := strconv.Atoi(r.PostFormValue("NextToken"))
	all := a.subscriptions[r.PostFormValue("TopicArn")]
	if page < len(all) {
		answer.Members = []member{{all[page]}}
	}
	if page+1 < len(all) {
		answer.Next = strconv.Itoa(page + 1)
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
