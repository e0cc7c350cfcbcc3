package e2e_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/lambda/spill"
	"github.com/ringback/ringback/internal/proof/apigateway"
	"github.com/ringback/ringback/internal/proof/eventsource"
	"github.com/ringback/ringback/internal/proof/faultproxy"
	"github.com/ringback/ringback/internal/proof/lambdaruntime"
	"github.com/ringback/ringback/internal/proof/moto"
	"github.com/ringback/ringback/internal/table"
)

// version is one version of the webhook's secret.
type version struct {
	Token   string `json:"token"`
	Signing string `json:"signing_secret"`
}

func (v version) text(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// services is a stack of which every service can fail: its table and spill
// queue, and these. JustCall posts to it as to API Gateway.
type services struct {
	*stack

	topic, secret *faultproxy.Proxy
	manager       *secretsmanager.Client // past the proxy
	secretARN     string
	subscriber    string // the URL of a queue that gets every alert
	shard         eventsource.Shard
}

// newServices makes a stack in which nothing fails, with a secret in Secrets
// Manager. It skips the test if there is nothing to make it of.
func newServices(t *testing.T, secret version) *services {
	t.Helper()
	s := &services{stack: newStack(t)}
	endpoint := moto.Endpoint(t)
	s.topic, s.secret = faultproxy.New(t, endpoint), faultproxy.New(t, endpoint)
	s.subscriber = moto.Subscribe(t, s.topicARN, nil)
	s.manager = secretsmanager.New(secretsmanager.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(endpoint), Credentials: awsclient.StandInCredentials,
	})
	made, err := s.manager.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String("ringback-" + rand.Text()), SecretString: aws.String(secret.text(t)),
	})
	if err != nil {
		t.Fatalf("create secret: %v", err)
	}
	s.secretARN = aws.ToString(made.ARN)
	t.Cleanup(func() {
		_, _ = s.manager.DeleteSecret(context.WithoutCancel(t.Context()), &secretsmanager.DeleteSecretInput{
			SecretId: made.ARN, ForceDeleteWithoutRecovery: aws.Bool(true),
		})
	})
	s.secrets = []string{secret.Token, secret.Signing}
	s.env = map[string]string{
		"LOCAL_SECRET":                     "",
		"SECRET_ARN":                       s.secretARN,
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": s.secret.URL(),
		"AWS_ENDPOINT_URL_SNS":             s.topic.URL(),
	}
	return s
}

// rotate puts another version in the secret's place; the one before stays the
// previous one.
func (s *services) rotate(to version) {
	s.t.Helper()
	s.secrets = append(s.secrets, to.Token, to.Signing)
	if _, err := s.manager.PutSecretValue(s.t.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: aws.String(s.secretARN), SecretString: aws.String(to.text(s.t)),
	}); err != nil {
		s.t.Fatalf("rotate secret: %v", err)
	}
}

// posting is one request to the webhook's URL.
type posting struct {
	method  string // POST, if empty
	token   string // the stack's, if empty
	rest    string // of the URL, behind the token
	body    string
	headers map[string]string
}

// reply is what JustCall is told.
type reply struct {
	code        int
	status, key string
}

// domain is that of the API.
const domain = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"

// signed adds the signature that JustCall makes with a secret.
func (p posting) signed(secret string, typ events.Type, at time.Time) posting {
	timestamp := at.UTC().Format(time.DateTime)
	p.headers = map[string]string{
		events.HeaderSignature:        events.Sign(secret, "https://"+domain+"/justcall/"+p.token+p.rest, typ, timestamp),
		events.HeaderSignatureVersion: events.SignatureVersion,
		events.HeaderRequestTimestamp: timestamp,
	}
	return p
}

// post sends one request through the API.
func (s *services) post(webhook eventsource.Invoker, p posting) reply {
	s.t.Helper()
	api := apigateway.New("/justcall/{token+}", webhook)
	api.Domain = domain
	api.Fault = func(err error) {
		if !errors.As(err, new(*lambdaruntime.InitError)) { // a function that does not start fails
			s.t.Error(err)
		}
	}
	if p.method == "" {
		p.method = http.MethodPost
	}
	if p.token == "" {
		p.token = token
	}
	request := httptest.NewRequestWithContext(s.t.Context(), p.method, "/justcall/"+p.token+p.rest, strings.NewReader(p.body))
	request.Header.Set("Content-Type", "application/json")
	for name, value := range p.headers {
		request.Header.Set(name, value)
	}
	recorder := httptest.NewRecorder()
	api.ServeHTTP(recorder, request)
	var said struct {
		Status string `json:"status"`
		Key    string `json:"key"`
	}
	if text := recorder.Body.Bytes(); len(text) > 0 {
		if err := json.Unmarshal(text, &said); err != nil {
			s.t.Errorf("answer %q: %v", text, err)
		}
	}
	return reply{recorder.Code, said.Status, said.Key}
}

// postAll posts side by side, each sender with a process of its own, and returns
// the answers in the order of the requests.
func (s *services) postAll(senders int, all []posting) []reply {
	s.t.Helper()
	replies := make([]reply, len(all))
	next := make(chan int)
	var sending sync.WaitGroup
	for range senders {
		webhook := s.webhook()
		sending.Go(func() {
			for i := range next {
				replies[i] = s.post(webhook, all[i])
			}
		})
	}
	for i := range all {
		next <- i
	}
	close(next)
	sending.Wait()
	return replies
}

// holds are the bodies that the table and the spill queue hold. The queue's
// messages are taken out of it.
func (s *services) holds() map[string]bool {
	s.t.Helper()
	bodies := map[string]bool{}
	for _, item := range s.items() {
		body, err := table.PayloadOf(item)
		if err != nil {
			s.t.Fatal(err)
		}
		bodies[string(body)] = true
	}
	for _, m := range moto.Receive(s.t, s.spillURL) {
		receipt, err := spill.Decode(aws.ToString(m.Body))
		if err != nil {
			s.t.Fatalf("spilled message: %v", err)
		}
		bodies[string(receipt.Body)] = true
	}
	return bodies
}

// stream hands the records of items to the alerts function as the template says
// and returns what is given up.
func (s *services) stream(alerts eventsource.Invoker, settings eventsource.Settings, items ...table.Item) []eventsource.Discarded {
	s.t.Helper()
	records, err := s.shard.Insert(items...)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.streamRecords(alerts, settings, records)
}

func (s *services) streamRecords(alerts eventsource.Invoker, settings eventsource.Settings, records []eventsource.Record) []eventsource.Discarded {
	s.t.Helper()
	settings.Retries = min(settings.Retries, 20) // the deployed number is a matter of an hour
	discarded, err := settings.Stream().Deliver(s.t.Context(), alerts, records)
	if err != nil {
		s.t.Fatal(err)
	}
	return discarded
}

// told is an alert as a program gets it.
type told struct {
	document   map[string]any
	attributes map[string]string
}

// alerts takes the alerts that the subscriber has got, each as often as it came.
func (s *services) alerts() (all []told) {
	s.t.Helper()
	for _, m := range moto.Receive(s.t, s.subscriber) {
		alert := told{attributes: map[string]string{}}
		if err := json.Unmarshal([]byte(aws.ToString(m.Body)), &alert.document); err != nil {
			s.t.Fatalf("alert: %v", err)
		}
		for name, value := range m.MessageAttributes {
			alert.attributes[name] = aws.ToString(value.StringValue)
		}
		if alert.attributes["kind"] != alert.document["kind"] {
			s.t.Errorf("%v has the attributes %v, want its kind among them", alert.document["id"], alert.attributes)
		}
		all = append(all, alert)
	}
	return all
}

// ids counts alerts by their id.
func ids(alerts []told) map[string]int {
	counts := map[string]int{}
	for _, alert := range alerts {
		counts[fmt.Sprint(alert.document["id"])]++
	}
	return counts
}

// every gives each n-th request of an operation a fault, the first one
// included.
func every(n int, operation string, fault faultproxy.Fault) faultproxy.Decide {
	count := 0
	return func(r faultproxy.Request) faultproxy.Fault {
		if r.Operation != operation {
			return faultproxy.Fault{}
		}
		if count++; count%n == 1%n {
			return fault
		}
		return faultproxy.Fault{}
	}
}

// always gives every request a fault.
func always(fault faultproxy.Fault) faultproxy.Decide {
	return func(faultproxy.Request) faultproxy.Fault { return fault }
}

// operations counts what a proxy was asked for, from one of its requests on.
func operations(p *faultproxy.Proxy, from int) map[string]int {
	counts := map[string]int{}
	for _, r := range p.Requests()[from:] {
		counts[r.Operation]++
	}
	return counts
}

// calledMissed is a missed call of format A, with further members of its data. Each id
// has a caller of its own: calls of one caller in one second are one.
func calledMissed(id string, more ...string) string {
	from := fmt.Sprintf(`"from":"+1415556%04d"`, crc32.ChecksumIEEE([]byte(id))%10_000)
	members := append([]string{`"call_id":"` + id + `"`, `"direction":"inbound"`, from, `"to":"+14155551234"`}, more...)
	return `{"event":"call.missed","timestamp":"2026-03-12T14:32:00Z","data":{` + strings.Join(members, ",") + `}}`
}
