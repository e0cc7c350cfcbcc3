// Package awstest has a stand-in for the services of AWS that the command line asks about a
// deployed stack.
package awstest

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/go-json-experiment/json"
)

// What the stack has.
const (
	URLBase   = "https://abc123.execute-api.eu-central-1.amazonaws.com/justcall"
	SecretARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:WebhookSecret-x" //nolint:gosec // It names a secret.
	AlertsARN = "arn:aws:sns:eu-central-1:123456789012:alerts"
	OpsARN    = "arn:aws:sns:eu-central-1:123456789012:ops"

	SpillURL      = "https://sqs.eu-central-1.amazonaws.com/123456789012/spill"
	DeadLetterURL = "https://sqs.eu-central-1.amazonaws.com/123456789012/dead"
)

// What SNS puts for a subscription that is confirmed, and for others.
const (
	Confirmed = AlertsARN + ":0b1c"
	Pending   = "PendingConfirmation"
	Deleted   = "Deleted"
)

// AWS answers as CloudFormation, CloudWatch, Secrets Manager, SNS and SQS do, of one
// stack of ringback, and as DynamoDB does of an empty table,
// in which nothing is replaced.
type AWS struct {
	URL                 string // of all these services
	Outputs, Parameters map[string]string
	SecretText          string
	Subscriptions       map[string][]string // the ARNs of a topic's subscriptions
	Queues              map[string]int      // messages, by the queue's URL
	Oldest              map[string]int      // the oldest message's age in seconds, by the queue's name
	Alarms              []Alarm
	// StackFault is what CloudFormation answers instead. SecretFault and SubscribeFault
	// are the errors' codes of the others, QueueFault that of SQS, and WriteFault that of DynamoDB
	// for an item that is put. AgeFault is set if CloudWatch refuses to tell of a queue.
	StackFault, SecretFault, SubscribeFault, QueueFault, WriteFault string
	AgeFault                                                        bool

	// What was asked for.
	Stack, Secret, Region string
}

// Alarm is an alarm of CloudWatch's.
type Alarm struct {
	Name, State string
	Actions     []string // nil: switched off
}

// New makes a stack of ringback, whose URL ends with a token, the only thing that the AWS
// SDK finds.
func New(t *testing.T, token string) *AWS {
	t.Helper()
	a := &AWS{
		Outputs: map[string]string{
			"WebhookUrlBase": URLBase, "SecretArn": SecretARN, "TableName": "t", "AlertsTopicArn": AlertsARN, "OpsTopicArn": OpsARN,
			"SpillQueueUrl": SpillURL, "DeadLetterQueueUrl": DeadLetterURL,
		},
		Subscriptions: map[string][]string{AlertsARN: {Confirmed}, OpsARN: {Confirmed}},
		SecretText:    `{"token":"` + token + `","signing_secret":""}`,
	}
	var one sync.Mutex // a page asks for several things at once
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		one.Lock()
		defer one.Unlock()
		// Credential=<key>/<day>/<region>/<service>/aws4_request
		if scope := strings.Split(r.Header.Get("Authorization"), "/"); len(scope) > 3 {
			a.Region = scope[2]
		}
		switch target := r.Header.Get("X-Amz-Target"); {
		case target == "secretsmanager.GetSecretValue":
			a.answerSecret(t, w, body)
			return
		case target == "AmazonSQS.GetQueueAttributes":
			a.answerQueue(t, w, body)
			return
		case target == "DynamoDB_20120810.Query":
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			_, _ = io.WriteString(w, `{"Items":[],"Count":0,"ScannedCount":0}`)
			return
		case target == "DynamoDB_20120810.PutItem":
			answerFault(w, cmp.Or(a.WriteFault, "ConditionalCheckFailedException"))
			return
		case strings.HasSuffix(r.URL.Path, "/operation/DescribeAlarms"):
			a.answerAlarms(w)
			return
		case strings.HasSuffix(r.URL.Path, "/operation/GetMetricStatistics"):
			a.answerOldest(t, w, body)
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
	a.URL = server.URL

	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	folder := t.TempDir()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_CLOUDFORMATION":  server.URL,
		"AWS_ENDPOINT_URL_CLOUDWATCH":      server.URL,
		"AWS_ENDPOINT_URL_DYNAMODB":        server.URL,
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": server.URL,
		"AWS_ENDPOINT_URL_SNS":             server.URL,
		"AWS_ENDPOINT_URL_SQS":             server.URL,
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

// answerFault answers as a service does that speaks JSON.
func answerFault(w http.ResponseWriter, code string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = io.WriteString(w, `{"__type":"com.amazonaws#`+code+`","message":"not authorized"}`)
}

func (a *AWS) answerAlarms(w http.ResponseWriter) {
	list := cbor.List{}
	for _, alarm := range a.Alarms {
		actions := cbor.List{}
		for _, action := range alarm.Actions {
			actions = append(actions, cbor.String(action))
		}
		list = append(list, cbor.Map{
			"AlarmName": cbor.String(alarm.Name), "StateValue": cbor.String(alarm.State),
			"ActionsEnabled": cbor.Bool(alarm.Actions != nil), "AlarmActions": actions,
		})
	}
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.Header().Set("Content-Type", "application/cbor")
	_, _ = w.Write(cbor.Encode(cbor.Map{"MetricAlarms": list}))
}

// answerOldest answers as of some minutes ago.
func (a *AWS) answerOldest(t *testing.T, w http.ResponseWriter, body []byte) {
	t.Helper()
	asked, err := cbor.Decode(body)
	if err != nil {
		t.Error(err)
		return
	}
	var queue cbor.Value
	if m, ok := asked.(cbor.Map); ok {
		if all, ok := m["Dimensions"].(cbor.List); ok && len(all) == 1 {
			if dimension, ok := all[0].(cbor.Map); ok {
				queue = dimension["Value"]
			}
		}
	}
	if a.AgeFault {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	points := cbor.List{}
	for name, seconds := range a.Oldest {
		if queue == cbor.String(name) {
			points = append(points, cbor.Map{"Maximum": cbor.Float64(seconds), "Unit": cbor.String("Seconds")})
		}
	}
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.Header().Set("Content-Type", "application/cbor")
	_, _ = w.Write(cbor.Encode(cbor.Map{"Label": cbor.String("ApproximateAgeOfOldestMessage"), "Datapoints": points}))
}

func (a *AWS) answerQueue(t *testing.T, w http.ResponseWriter, body []byte) {
	t.Helper()
	var asked struct {
		URL string `json:"QueueUrl"`
	}
	if err := json.Unmarshal(body, &asked); err != nil {
		t.Error(err)
	}
	if a.QueueFault != "" {
		answerFault(w, a.QueueFault)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_, _ = fmt.Fprintf(w, `{"Attributes":{"ApproximateNumberOfMessages":"%d","ApproximateNumberOfMessagesNotVisible":"0"}}`, a.Queues[asked.URL])
}

type stackOutput struct {
	OutputKey   string `xml:"OutputKey"`
	OutputValue string `xml:"OutputValue"`
}

type stackParameter struct {
	ParameterKey   string `xml:"ParameterKey"`
	ParameterValue string `xml:"ParameterValue"`
}

func (a *AWS) answerStack(t *testing.T, w http.ResponseWriter, r *http.Request) {
	t.Helper()
	a.Stack = r.PostFormValue("StackName")
	w.Header().Set("Content-Type", "text/xml")
	if a.StackFault != "" {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type><Code>ValidationError</Code><Message>`+
			a.StackFault+`</Message></Error><RequestId>1</RequestId></ErrorResponse>`)
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
	}{Stacks: []member{{StackName: a.Stack}}}
	for key, value := range a.Outputs {
		answer.Stacks[0].Outputs = append(answer.Stacks[0].Outputs, stackOutput{key, value})
	}
	for key, value := range a.Parameters {
		answer.Stacks[0].Parameters = append(answer.Stacks[0].Parameters, stackParameter{key, value})
	}
	if err := xml.NewEncoder(w).Encode(answer); err != nil {
		t.Error(err)
	}
}

// answerTopic puts one subscription on a page, so that all pages are needed.
func (a *AWS) answerTopic(t *testing.T, w http.ResponseWriter, r *http.Request) {
	t.Helper()
	w.Header().Set("Content-Type", "text/xml")
	if a.SubscribeFault != "" {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>`+
			a.SubscribeFault+`</Code><Message>not authorized</Message></Error><RequestId>1</RequestId></ErrorResponse>`)
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
	all := a.Subscriptions[r.PostFormValue("TopicArn")]
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

func (a *AWS) answerSecret(t *testing.T, w http.ResponseWriter, body []byte) {
	t.Helper()
	var asked struct {
		SecretID string `json:"SecretId"`
	}
	if err := json.Unmarshal(body, &asked); err != nil {
		t.Error(err)
	}
	a.Secret = asked.SecretID
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if a.SecretFault != "" {
		answerFault(w, a.SecretFault)
		return
	}
	answer := struct {
		ARN          string `json:"ARN"`
		SecretString string `json:"SecretString"`
	}{a.Secret, a.SecretText}
	if err := json.MarshalWrite(w, answer); err != nil {
		t.Error(err)
	}
}
