package main_test

import (
	"strings"
	"testing"

	"github.com/ringback/ringback/internal/proof/awstest"
	"github.com/ringback/ringback/internal/proof/clitest"
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
			a := awstest.New(t, token)
			for name, value := range tc.env {
				t.Setenv(name, value)
			}
			if tc.config != "" {
				t.Setenv("AWS_CONFIG_FILE", writeFile(t, "config", tc.config))
			}
			got := program.Run(t, append([]string{"webhook-url"}, tc.args...)...)
			got.Exits(t, 0)
			if got.Stdout != awstest.URLBase+"/"+token+"\n" || got.Stderr != "" {
				t.Errorf("stdout %q, stderr %q", got.Stdout, got.Stderr)
			}
			if a.Stack != tc.stack {
				t.Errorf("asked for the stack %q, want %q", a.Stack, tc.stack)
			}
			if a.Region != tc.region {
				t.Errorf("asked in %q, want %q", a.Region, tc.region)
			}
			if a.Secret != awstest.SecretARN {
				t.Errorf("asked for the secret %q, want that of the stack", a.Secret)
			}
		})
	}
}

func TestWebhookURLIsThatOfTheEmulator(t *testing.T) {
	a := awstest.New(t, token)
	_, port, _ := strings.Cut(strings.TrimPrefix(a.URL, "http://"), ":")
	for _, tc := range []struct{ endpoint, want string }{
		{a.URL, "http://abc123.execute-api.localhost:" + port + "/justcall"},
		{"http://localhost.localstack.cloud:4566", "http://abc123.execute-api.localhost.localstack.cloud:4566/justcall"},
		{"https://emulator.example", "https://abc123.execute-api.emulator.example/justcall"},
		{"https://vpce-1.execute-api.amazonaws.com", awstest.URLBase},
		{"https://cloudformation.us-east-1.amazonaws.com", awstest.URLBase},
	} {
		t.Setenv("AWS_ENDPOINT_URL", tc.endpoint)
		got := program.Run(t, "webhook-url", "--region", "eu-central-1")
		got.Exits(t, 0)
		if got.Stdout != tc.want+"/"+token+"\n" {
			t.Errorf("with the endpoint %s: %q, want the token at %q", tc.endpoint, got.Stdout, tc.want)
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
		{"nobody any more", []string{awstest.Deleted}, []string{awstest.Deleted}, "", []string{"WARNING: " + alerts, "WARNING: " + ops}, []string{link}},
		{"nobody who gets alarms", []string{awstest.Confirmed}, nil, "", []string{"WARNING: " + ops}, []string{alerts, alertsYet, link}},
		{"nobody who gets alerts", nil, []string{awstest.Confirmed}, "", []string{"WARNING: " + alerts}, []string{ops, opsYet, link}},
		{
			"nobody has followed the link",
			[]string{awstest.Pending},
			[]string{awstest.Pending},
			"",
			[]string{"WARNING: " + alertsYet + " 1 subscription is not confirmed", "WARNING: " + opsYet, link, "spam", "docs/subscriptions.md#a-new-link"},
			nil,
		},
		{
			"two of three have not",
			[]string{awstest.Pending, awstest.Confirmed, awstest.Pending},
			[]string{awstest.Confirmed},
			"",
			[]string{"Hint: not everybody is told: 2 subscriptions are not confirmed", link},
			[]string{"WARNING", "Nobody"},
		},
		{"all have", []string{awstest.Confirmed, awstest.Confirmed}, []string{awstest.Confirmed, awstest.Deleted}, "", nil, []string{"WARNING", "Hint"}},
		{"no right to look", nil, nil, "AuthorizationError", []string{"Hint: ", "AuthorizationError"}, []string{"WARNING", "Nobody"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := awstest.New(t, token)
			a.Subscriptions = map[string][]string{awstest.AlertsARN: tc.alerts, awstest.OpsARN: tc.ops}
			a.SubscribeFault = tc.fault
			got := program.Run(t, "webhook-url", "--region", "eu-central-1")
			got.Exits(t, 0)
			if got.Stdout != awstest.URLBase+"/"+token+"\n" {
				t.Errorf("stdout %q", got.Stdout)
			}
			clitest.Contains(t, "stderr", got.Stderr, tc.says...)
			for _, text := range tc.not {
				if strings.Contains(got.Stderr, text) {
					t.Errorf("stderr says %q:\n%s", text, got.Stderr)
				}
			}
		})
	}
}

func TestWebhookURLSaysWhatIsMissing(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(t *testing.T, a *awstest.AWS)
		want   []string
	}{
		{"no region", func(t *testing.T, _ *awstest.AWS) {
			t.Helper()
			t.Setenv("AWS_REGION", "")
		}, []string{"--region", "AWS_REGION"}},
		{"no such stack", func(_ *testing.T, a *awstest.AWS) {
			a.StackFault = "Stack with id ringback does not exist"
		}, []string{`"ringback"`, "eu-central-1", "does not exist"}},
		{"no outputs", func(_ *testing.T, a *awstest.AWS) { a.Outputs = nil }, []string{`"ringback"`, "WebhookUrlBase", "SecretArn"}},
		{"a stack of something else", func(_ *testing.T, a *awstest.AWS) {
			a.Outputs = map[string]string{"BucketName": "b"}
		}, []string{`"ringback"`, "WebhookUrlBase"}},
		{"one output only", func(_ *testing.T, a *awstest.AWS) { delete(a.Outputs, "SecretArn") }, []string{"SecretArn"}},
		{"the secret may not be read", func(_ *testing.T, a *awstest.AWS) {
			a.SecretFault = "AccessDeniedException"
		}, []string{"token", "AccessDeniedException"}},
		{"the secret is none", func(_ *testing.T, a *awstest.AWS) { a.SecretText = token }, []string{"secret", `{"token"`}},
		{"the token is short", func(_ *testing.T, a *awstest.AWS) { a.SecretText = `{"token":"PRIVATE"}` }, []string{"secret", "shorter than 16"}},
		{"no credentials", func(t *testing.T, _ *awstest.AWS) {
			t.Helper()
			t.Setenv("AWS_ACCESS_KEY_ID", "")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "")
		}, []string{"credentials"}},
		{"a profile that is not there", func(t *testing.T, _ *awstest.AWS) {
			t.Helper()
			t.Setenv("AWS_PROFILE", "nobody")
		}, []string{"AWS configuration", "nobody"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := awstest.New(t, token)
			t.Setenv("AWS_REGION", "eu-central-1")
			tc.change(t, a)
			got := program.Run(t, "webhook-url")
			got.Fails(t)
			got.Complains(t, tc.want...)
			got.Hides(t, token)
			got.Hides(t, "PRIVATE")
			if got.Stdout != "" {
				t.Errorf("stdout: %s", got.Stdout)
			}
		})
	}
}
