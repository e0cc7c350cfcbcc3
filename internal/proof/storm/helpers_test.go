package main_test

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/ringback/ringback/internal/proof/logscan"
	storm "github.com/ringback/ringback/internal/proof/storm"
)

const (
	// argsVariable makes the test binary the command itself, with these arguments, one a line.
	argsVariable = "STORM_TEST_ARGS"

	token         = "token-of-the-storm-0123456789"
	signingSecret = "signing-secret-of-the-storm"
	secretARN     = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:WebhookSecret-x"
	urlBase       = "https://abc123.execute-api.eu-central-1.amazonaws.com/justcall"
)

// ringback is the path of the program that the storms play against.
var ringback string

func TestMain(m *testing.M) {
	if args := os.Getenv(argsVariable); args != "" {
		os.Args = append(os.Args[:1], strings.Split(args, "\n")...)
		storm.Main()
		return
	}
	folder, err := os.MkdirTemp("", "storm-test-")
	if err == nil {
		ringback = filepath.Join(folder, "ringback")
		var printed []byte
		if printed, err = exec.Command("go", "build", "-o", ringback, "../../../cmd/ringback").CombinedOutput(); err != nil {
			err = fmt.Errorf("%w\n%s", err, printed)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// patience is how long a test waits for what should come at once.
const patience = time.Minute

// result is what one run of the command line did.
type result struct {
	code           int
	stdout, stderr string
}

func run(t *testing.T, args ...string) result {
	t.Helper()
	return runWithin(t, patience, args...)
}

func runWithin(t *testing.T, limit time.Duration, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var stdout, stderr output
	code := storm.Run(ctx, args, &stdout, &stderr)
	logscan.Check(t, stderr.String())
	return result{code, stdout.String(), stderr.String()}
}

func (r result) exits(t *testing.T, code int) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", r.code, code, r.stdout, r.stderr)
	}
}

// says checks that each text is printed.
func (r result) says(t *testing.T, texts ...string) {
	t.Helper()
	contains(t, "stdout", r.stdout, texts...)
}

// complains checks that each text is in the error, which is the program's own.
func (r result) complains(t *testing.T, texts ...string) {
	t.Helper()
	contains(t, "stderr", r.stderr, append(texts, "storm: ")...)
}

// hides checks that the text is nowhere.
func (r result) hides(t *testing.T, text string) {
	t.Helper()
	if strings.Contains(r.stdout+r.stderr, text) {
		t.Errorf("%s is printed\nstdout:\n%s\nstderr:\n%s", text, r.stdout, r.stderr)
	}
}

func contains(t *testing.T, name, printed string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(printed, text) {
			t.Errorf("%s does not say %q:\n%s", name, text, printed)
		}
	}
}

// background is a command line that runs until it is stopped.
type background struct {
	stdout, stderr output

	cancel context.CancelFunc
	code   chan int
}

func runInBackground(t *testing.T, args ...string) *background {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	b := &background{cancel: cancel, code: make(chan int, 1)}
	logscan.Watch(t, b.stderr.String)
	go func() {
		b.code <- storm.Run(ctx, args, &b.stdout, &b.stderr)
		close(b.code)
	}()
	t.Cleanup(func() {
		cancel()
		<-b.code
	})
	return b
}

// stop interrupts the command line and returns what it did.
func (b *background) stop() result {
	b.cancel()
	return result{<-b.code, b.stdout.String(), b.stderr.String()}
}

// output is what is printed, to be read while it is written.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
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
