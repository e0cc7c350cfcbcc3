package target

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/proof/storm/play"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
	"github.com/ringback/ringback/internal/timing"
)

// Errors of [Open] and of [Subscription.Close]: others are subscribed to the topic; another storm's queue is, which the text
// names; something is left behind, which the text names.
var (
	ErrShared = errors.New("others are subscribed to the topic, and would get an alert of each made-up call: " +
		"take a stack without subscribers, or give --alert-subscribers")
	ErrStorm = errors.New("another storm's queue is subscribed to the topic: wait for that storm's end. " +
		`If it was killed, remove its queue and subscription: docs/operations.md, "Play a storm", says how`)
	ErrLeft = errors.New(`left behind, to be removed by hand: docs/operations.md, "Play a storm", says how`)
)

const (
	patience     = 10               // tries of the AWS SDK to read the table back, as fast as it answers
	checkTime    = 20 * time.Second // for what is asked and made before anything is posted, and removed afterwards
	receivers    = 4                // requests for messages under way at a time
	receivePause = time.Second      // after one that failed
	awaitPause   = 50 * time.Millisecond
	quietTime    = 3 * time.Second // without an alert, until the last is taken to have come

	testPause = 3 * time.Second // between messages by which a subscription is tried: it may take some time
	testTime  = time.Minute
	testText  = "A test by ringback's storm, and no alert: " // and the queue's name

	queuePrefix = "ringback-storm-"
)

// Stack names the parts of a stack on AWS, or on stand-ins for it.
type Stack struct {
	URL                 string // where webhooks are posted, token included
	SigningSecret       string // "" where it checks no signatures
	TableName, TopicARN string
	Shared              bool // others may be subscribed to the topic, and get the storm's alerts too
}

// Open checks that the table can be read and subscribes to the topic. The target has settled once every alert of
// the plan has come, and for some seconds no other. Only the partitions of the plan are read, not the whole table,
// which may be large and is paid for by what is read.
func Open(ctx context.Context, config aws.Config, stack Stack, plan *play.Plan) (*play.Target, *Subscription, error) {
	store := dynamostore.New(config, stack.TableName, func(o *dynamodb.Options) { o.RetryMaxAttempts = patience })
	checking, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	never := table.Query{Partition: "STORM"}
	if _, err := dynamostore.New(config, stack.TableName).Query(checking, never); err != nil {
		return nil, nil, failure("dynamodb:Query in "+config.Region+" of", stack.TableName, err)
	}
	s, err := Subscribe(ctx, config, stack.TopicARN, stack.Shared)
	if err != nil {
		return nil, nil, err
	}
	settled := func(ctx context.Context) error { return s.Settled(ctx, plan.Open, quietTime) }
	return &play.Target{URL: stack.URL, SigningSecret: stack.SigningSecret, Table: store, Spills: true, Settled: settled}, s, nil
}

// Subscribe makes a queue, subscribes it to a topic and returns once it gets what is published. It tries that with
// messages of its own: one, and up to twenty where the topic is slow. Unless shared is set, nobody else may be
// subscribed. The errors wrap [ErrShared] and [ErrStorm], and [ErrLeft] where something could not be removed again.
func Subscribe(ctx context.Context, config aws.Config, topicARN string, shared bool) (*Subscription, error) {
	s := newSubscription()
	s.topics, s.queues, s.topicARN = sns.NewFromConfig(config), sqs.NewFromConfig(config), topicARN
	if !shared {
		if err := s.checkOthers(ctx); err != nil {
			return nil, err
		}
	}
	err := s.prepare(ctx)
	if err == nil {
		s.receive(ctx)
		err = s.test(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Subscription is a temporary queue that gets every alert of a topic.
//
// SNS and SQS both deliver at least once. A message that the queue hands out again is the same publication, and so
// one alert; it is recognised by the id that SNS gave it, which stands in the envelope around the document.
//
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
type Subscription struct {
	// QueueName is for a person who finds the queue left over.
	QueueName string

	topics    *sns.Client
	queues    *sqs.Client
	topicARN  string
	now       func() time.Time
	stop      context.CancelFunc
	receiving sync.WaitGroup

	queueURL, subscriptionARN string // "" before it is made, and once it is removed

	mu     sync.Mutex
	tested bool            // a message of our own came
	seen   map[string]bool // the ids of publications
	log    play.Published
	last   time.Time // when something came, by this machine's clock
}

func newSubscription() *Subscription {
	return &Subscription{QueueName: queuePrefix + rand.Text(), now: time.Now, stop: func() {}, seen: make(map[string]bool)}
}

// failure says which right an action needs and why it failed, and nothing of what was sent.
func failure(action, of string, err error) error {
	return fmt.Errorf("%s %s: %s", action, of, awsclient.SafeMessage(err))
}

// checkOthers returns an error if somebody is subscribed. It names other subscribers by protocol only, and what
// another storm has left by its name.
func (s *Subscription) checkOthers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	var others, storms []string
	pages := sns.NewListSubscriptionsByTopicPaginator(s.topics, &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(s.topicARN)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return failure("sns:ListSubscriptionsByTopic on", s.topicARN, err)
		}
		for _, subscription := range page.Subscriptions {
			endpoint := aws.ToString(subscription.Endpoint)
			if name := endpoint[strings.LastIndexByte(endpoint, ':')+1:]; strings.HasPrefix(name, queuePrefix) {
				storms = append(storms, name+" by "+aws.ToString(subscription.SubscriptionArn))
			} else {
				others = append(others, aws.ToString(subscription.Protocol))
			}
		}
	}
	switch {
	case len(storms) > 0:
		return fmt.Errorf("%w: %s", ErrStorm, strings.Join(storms, ", "))
	case len(others) > 0:
		return fmt.Errorf("%w: by %s", ErrShared, strings.Join(others, ", "))
	}
	return nil
}

// prepare makes the queue and the subscription, and lets the topic, and nobody else, send to the queue. It does not
// end with ctx in the middle, or nobody would know what there is to remove.
func (s *Subscription) prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTime)
	defer cancel()
	// The queue's ARN is like the topic's: arn:aws:sns:REGION:ACCOUNT:NAME.
	parts := strings.Split(s.topicARN, ":")
	if len(parts) != 6 {
		return fmt.Errorf("%q is no topic's ARN", s.topicARN)
	}
	parts[2], parts[5] = "sqs", s.QueueName
	queueARN := strings.Join(parts, ":")
	policy := fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [{
		"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
		"Resource": %q, "Condition": {"ArnEquals": {"aws:SourceArn": %q}}}]}`, queueARN, s.topicARN)
	made, err := s.queues.CreateQueue(ctx, &sqs.CreateQueueInput{
		QueueName: aws.String(s.QueueName),
		Attributes: map[string]string{
			string(types.QueueAttributeNamePolicy): policy,
			// In seconds. A message that was taken does not come again before it is dropped: none needs to be
			// deleted.
			string(types.QueueAttributeNameMessageRetentionPeriod): "3600",
			string(types.QueueAttributeNameVisibilityTimeout):      "3600",
		},
	})
	if err != nil {
		return failure("sqs:CreateQueue", s.QueueName, err)
	}
	s.queueURL = aws.ToString(made.QueueUrl)
	subscribed, err := s.topics.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: aws.String(s.topicARN), Protocol: aws.String("sqs"), Endpoint: aws.String(queueARN),
	})
	if err != nil {
		return failure("sns:Subscribe to", s.topicARN, err)
	}
	s.subscriptionARN = aws.ToString(subscribed.SubscriptionArn)
	return nil
}

func (s *Subscription) receive(ctx context.Context) {
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	for range receivers {
		s.receiving.Go(func() {
			for ctx.Err() == nil {
				got, err := s.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
					QueueUrl: aws.String(s.queueURL), MaxNumberOfMessages: 10, WaitTimeSeconds: 5,
				})
				if err != nil {
					timing.Sleep(ctx, receivePause)
					continue
				}
				for i := range got.Messages {
					s.take(&got.Messages[i])
				}
			}
		})
	}
}

func (s *Subscription) take(m *types.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = s.now()
	var envelope struct {
		MessageID string `json:"MessageId"`
		Message   string `json:"Message"`
	}
	if err := json.Unmarshal([]byte(aws.ToString(m.Body)), &envelope); err != nil || envelope.MessageID == "" {
		envelope.MessageID = aws.ToString(m.MessageId) // what is not from the topic is not readable
	}
	if envelope.Message == testText+s.QueueName {
		s.tested = true
		return
	}
	if s.seen[envelope.MessageID] {
		return
	}
	s.seen[envelope.MessageID] = true
	a, ok := play.ReadAlert([]byte(envelope.Message))
	if !ok {
		s.log.Unreadable++
		return
	}
	s.log.Taken = append(s.log.Taken, a)
}

// test publishes messages until one of them comes.
func (s *Subscription) test(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, testTime)
	defer cancel()
	for {
		if _, err := s.topics.Publish(ctx, &sns.PublishInput{
			TopicArn: aws.String(s.topicARN), Subject: aws.String("ringback's storm: a test"), Message: aws.String(testText + s.QueueName),
		}); err != nil {
			return failure("sns:Publish to", s.topicARN, err)
		}
		waiting, cancel := context.WithTimeout(ctx, testPause)
		err := s.await(waiting, func() bool { return s.tested })
		cancel()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("nothing that is published to the topic arrives in the queue %s: may it not be read (sqs:ReceiveMessage)? (%w)", s.QueueName, err)
		}
	}
}

// Settled returns once open finds nothing to wait for in what has come, and for quiet nothing has come.
func (s *Subscription) Settled(ctx context.Context, open func(play.Published) error, quiet time.Duration) error {
	looked, why := -1, error(nil)
	if err := s.await(ctx, func() bool {
		if len(s.log.Taken) > looked { // or it is as it was
			looked, why = len(s.log.Taken), open(s.log)
		}
		return why == nil
	}); err != nil {
		return fmt.Errorf("%w: %w", why, err)
	}
	_ = s.await(ctx, func() bool { return s.now().Sub(s.last) >= quiet }) // all have come
	return nil
}

// await waits until something holds, which is asked under the lock.
func (s *Subscription) await(ctx context.Context, holds func() bool) error {
	for {
		s.mu.Lock()
		ok := holds()
		s.mu.Unlock()
		if ok {
			return nil
		}
		if !timing.Sleep(ctx, awaitPause) {
			return context.Cause(ctx)
		}
	}
}

// Published returns the alerts that have come so far.
func (s *Subscription) Published() play.Published {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.log
	seen.Taken = slices.Clone(seen.Taken)
	return seen
}

// Close removes the subscription and the queue. It takes its own time, so that it does so whatever has ended. It
// may be called again.
func (s *Subscription) Close() error {
	s.stop()
	s.receiving.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), checkTime)
	defer cancel()
	var unsubscribed, deleted error
	if s.subscriptionARN != "" {
		if _, err := s.topics.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: aws.String(s.subscriptionARN)}); err != nil {
			unsubscribed = fmt.Errorf("%w: %w", ErrLeft, failure("sns:Unsubscribe", s.subscriptionARN, err))
		}
	}
	if s.queueURL != "" {
		if _, err := s.queues.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: aws.String(s.queueURL)}); err != nil {
			deleted = fmt.Errorf("%w: %w", ErrLeft, failure("sqs:DeleteQueue", s.QueueName, err))
		}
	}
	s.subscriptionARN, s.queueURL = "", ""
	return errors.Join(unsubscribed, deleted)
}
