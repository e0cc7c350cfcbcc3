package main_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/credential"
	"github.com/ringback/ringback/internal/ingest"
	"github.com/ringback/ringback/internal/proof/awstest"
	"github.com/ringback/ringback/internal/proof/clitest"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/moto"
	storm "github.com/ringback/ringback/internal/proof/storm"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

// standIn is a stack whose table and topic are those of stand-ins.
type standIn struct {
	url, table, topic string

	posts atomic.Int64 // that were answered
	store table.Store

	mu     sync.Mutex // of one alert after the other, as a stream has those of a call
	alerts consumer.Process
}

// newStandIn starts one, publishes each alert so often, and makes its services
// the only ones that the AWS SDK finds. It is no more than storm needs to see:
// package e2e has the functions' own storm.
func newStandIn(t *testing.T, times int) *standIn {
	t.Helper()
	config, name := tabletest.NewTable(t)
	s := &standIn{table: name, topic: moto.NewTopic(t), store: dynamostore.New(config, name)}
	log := logscan.Logger(t, token, signingSecret)
	alerts := alert.New(s.store, events.PhoneNumber, repeater{alert.NewSNS(moto.SNS(t), s.topic, log), times}, log)
	alerts.Rules.MaxAge = 0 // the storm's calls are of March 2026
	s.alerts = consumer.All(alerts.Consumer())
	webhook := ingest.New(s, credential.Fixed(credential.Secret{Token: token, SigningSecret: signingSecret}), log)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		headers := make(map[string]string)
		for name, values := range r.Header {
			headers[strings.ToLower(name)] = strings.Join(values, ",")
		}
		answer := webhook.Handle(context.WithoutCancel(r.Context()), ingest.Request{
			Method: r.Method, Path: r.URL.Path, URL: "http://" + r.Host + r.URL.Path, Headers: headers, Body: body,
		})
		if r.Method == http.MethodPost {
			s.posts.Add(1)
		}
		w.WriteHeader(answer.Status)
		_, _ = w.Write(answer.Body)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL + "/justcall/" + token

	for name, value := range map[string]string{
		"AWS_REGION":                "us-east-1",
		"AWS_ENDPOINT_URL_DYNAMODB": tabletest.Endpoint(t),
		"AWS_ENDPOINT_URL_SNS":      moto.Endpoint(t),
		"AWS_ENDPOINT_URL_SQS":      moto.Endpoint(t),
		"AWS_ACCESS_KEY_ID":         "local",
		"AWS_SECRET_ACCESS_KEY":     "local",
		"AWS_PROFILE":               "",
		storm.SigningSecretEnv:      signingSecret,
	} {
		t.Setenv(name, value)
	}
	return s
}

// Put implements [ingest.Putter] and alerts at once of what is new.
func (s *standIn) Put(ctx context.Context, item table.Item) (created bool, err error) {
	created, err = s.store.Put(ctx, item)
	if created {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.alerts(ctx, []table.Item{item})
	}
	return created, err
}

// repeater publishes what it is given so often.
type repeater struct {
	alert.Publisher

	times int
}

func (r repeater) Publish(ctx context.Context, messages []alert.Message) []error {
	errs := make([]error, len(messages))
	for range r.times {
		errs = r.Publisher.Publish(ctx, messages)
	}
	return errs
}

func TestAStormOnAnotherStackEndsWith0(t *testing.T) {
	s := newStandIn(t, 1)
	got := s.storm(t, "--deliveries", "200", "--seed", "5")
	got.Exits(t, 0)
	got.Says(t, "OK: ", "\nsent                               200\n", "\nalerted twice                        0\n", "\nstrays                               4\n")
	clitest.Contains(t, "stderr", got.Stderr, "posting to 127.0.0.1:", "temporary queue ringback-storm-", "all 200 deliveries through")
	got.Hides(t, token)
	got.Hides(t, signingSecret)
	s.isLeftAlone(t)

	again := s.storm(t, "--deliveries", "200", "--seed", "5")
	again.Exits(t, 1)
	again.Complains(t, "not empty", "--seed")
	s.isLeftAlone(t)
}

func TestAStormFindsAStackByItsName(t *testing.T) {
	cloud := awstest.New(t, token)
	s := newStandIn(t, 1)
	cloud.SecretText = `{"token":"` + token + `","signing_secret":"` + signingSecret + `"}`
	cloud.Outputs = map[string]string{
		"WebhookUrlBase": strings.TrimSuffix(s.url, "/"+token), "SecretArn": awstest.SecretARN,
		"TableName": s.table, "AlertsTopicArn": s.topic,
	}
	t.Setenv(storm.SigningSecretEnv, "not-that-one")
	got := program.RunWithin(t, stormPatience, "--stack", "ringback-test", "--region", "us-east-1", "--deliveries", "50", "--strays", "20", "--minute", "20ms")
	got.Exits(t, 0)
	got.Says(t, "OK: ", "\nsent                                50\n", "\nstrays                              10\n")
	if cloud.Stack != "ringback-test" || cloud.Secret != awstest.SecretARN {
		t.Errorf("asked for the stack %q and the secret %q", cloud.Stack, cloud.Secret)
	}
	got.Hides(t, token)
	s.isLeftAlone(t)

	delete(cloud.Outputs, "AlertsTopicArn")
	got = program.Run(t, "--stack", "ringback-test", "--deliveries", "50")
	got.Exits(t, 1)
	got.Complains(t, "no output AlertsTopicArn:")
}

// What is published twice is alerted twice, whatever else may repeat it.
func TestAStormSeesAlertsThatAreMadeTwice(t *testing.T) {
	s := newStandIn(t, 2)
	got := s.storm(t, "--deliveries", "50", "--seed", "1")
	got.Exits(t, 1)
	got.Says(t, "NOT OK: ", "  alerted twice: ")
	got.Complains(t, "alerted twice", "not kept its promises")
	s.isLeftAlone(t)

	// Unless it is told to excuse that, here on a topic that others get as well.
	others := moto.Subscribe(t, s.topic, nil)
	got = s.storm(t, "--deliveries", "50", "--seed", "2", "--repeats", "1000", "--alert-subscribers")
	got.Exits(t, 0)
	got.Says(t, "OK: ")
	if len(moto.Receive(t, others)) == 0 {
		t.Error("the others got nothing")
	}
}

func TestAStormSeesAlertsThatAreNotMade(t *testing.T) {
	s := newStandIn(t, 0)
	got := s.storm(t, "--deliveries", "50", "--wait", "2s")
	got.Exits(t, 1)
	got.Says(t, "NOT OK: ", "\nalerted                              0\n", "  not alerted: ")
	got.Complains(t, "not alerted", "alerts have not come")
	s.isLeftAlone(t)
}

func TestAStormPostsNothingUntilItCanSeeWhatBecomesOfIt(t *testing.T) {
	s := newStandIn(t, 1)
	table, topic, url := s.table, s.topic, s.url
	for _, tc := range []struct {
		name   string
		change func()
		want   []string
	}{
		{"no such table", func() { s.table = "none" }, []string{"dynamodb:Query in us-east-1 of none: query: no such table: ResourceNotFoundException"}},
		{"no such topic", func() { s.topic += "-none" }, []string{"sns:ListSubscriptionsByTopic on ", "NotFound"}},
		{"somebody is subscribed", func() { moto.Subscribe(t, s.topic, nil) }, []string{": by sqs", "--alert-subscribers"}},
		{"another token", func() { s.url += "x" }, []string{"answers 401"}},
		{"a storm that was killed", func() { s.topic = leftOver(t, "ringback-storm-KILLED") }, []string{": ringback-storm-KILLED by arn:", "If it was killed", "operations.md"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s.table, s.topic, s.url = table, topic, url
			tc.change()
			got := s.storm(t, "--deliveries", "10")
			got.Exits(t, 1)
			got.Complains(t, append(tc.want, "Nothing was posted")...)
			if got.Stdout != "" || s.posts.Load() > 0 {
				t.Errorf("%d were posted, stdout: %s", s.posts.Load(), got.Stdout)
			}
		})
	}
}

// leftOver returns a topic to which a queue is subscribed that nobody reads.
func leftOver(t *testing.T, queue string) (topic string) {
	t.Helper()
	topic = moto.NewTopic(t)
	if _, err := moto.SNS(t).Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: aws.String(topic), Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:us-east-1:123456789012:" + queue),
	}); err != nil {
		t.Fatal(err)
	}
	return topic
}

// Whoever ends a storm in its middle leaves nothing behind that costs money.
func TestAStormThatIsInterruptedRemovesItsQueue(t *testing.T) {
	s := newStandIn(t, 1)
	b := program.Start(t, append(s.args(), "--deliveries", "1000", "--rate", "20")...)
	for end := time.Now().Add(clitest.Patience); s.posts.Load() == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("nothing is posted:\n%s", &b.Stderr)
		}
	}
	got := b.Stop()
	got.Exits(t, 1)
	got.Complains(t, "canceled")
	if n := s.posts.Load(); n > 500 {
		t.Errorf("%d were posted", n)
	}
	s.isLeftAlone(t)
}

// storm plays against the stack.
func (s *standIn) storm(t *testing.T, args ...string) clitest.Result {
	t.Helper()
	return program.RunWithin(t, stormPatience, append(s.args(), args...)...)
}

func (s *standIn) args() []string {
	return []string{"--url", s.url, "--table", s.table, "--topic", s.topic, "--minute", "20ms"}
}

// isLeftAlone checks that nobody is subscribed to the topic, and no queue of its
// storm is left.
func (s *standIn) isLeftAlone(t *testing.T) {
	t.Helper()
	subscriptions, err := moto.SNS(t).ListSubscriptionsByTopic(t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(s.topic)})
	if err != nil || len(subscriptions.Subscriptions) > 0 {
		t.Errorf("%d subscriptions are left, %v", len(subscriptions.Subscriptions), err)
	}
	queues, err := moto.SQS(t).ListQueues(t.Context(), &sqs.ListQueuesInput{QueueNamePrefix: aws.String("ringback-storm-")})
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range queues.QueueUrls {
		// Other storms have queues as well, which may end at any time.
		queue, err := moto.SQS(t).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
			QueueUrl: aws.String(url), AttributeNames: []types.QueueAttributeName{types.QueueAttributeNamePolicy},
		})
		if err == nil && strings.Contains(queue.Attributes["Policy"], s.topic) {
			t.Errorf("queue %s is left", url)
		}
	}
}
