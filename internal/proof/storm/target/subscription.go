package target

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/proof/storm"
	"github.com/ringback/ringback/internal/timing"
)

// Errors of [Subscribe].
var (
	// ErrTopic says that the topic cannot be read or subscribed to.
	ErrTopic = errors.New("topic")
	// ErrShared says that others are subscribed to the topic, and would get the
	// storm's alerts as well.
	ErrShared = errors.New("others are subscribed to the topic")
	// ErrStorm says that another storm has a queue subscribed to the topic: it is
	// running, or was killed and could not remove it. The text names the queue.
	ErrStorm = errors.New("another storm's queue is subscribed to the topic")
	// ErrQueue says that the temporary queue cannot be made, read or removed.
	ErrQueue = errors.New("temporary queue")
	// ErrLeft says that something that was made is left behind. The text names it.
	ErrLeft = errors.New("left behind")
)

const (
	// receivers is how many requests for messages are under way at a time, each
	// for so many messages.
	receivers  = 4
	maxReceive = 10
	// receiveTime is how long a request waits for the first message, and
	// receivePause how long it is before the next one if it failed.
	receiveTime  = 5 * time.Second
	receivePause = time.Second

	// The queue keeps a message that nobody takes for retention, and one that was
	// handed out comes again after visibility.
	retention  = time.Hour
	visibility = time.Minute

	// A subscription may take some time until it has its effect: it is tried
	// with a message at every testPause, for testTime.
	testPause = 3 * time.Second
	testTime  = time.Minute

	// makeTime and removeTime bound the making and the removal of the queue and
	// its subscription.
	makeTime   = checkTime
	removeTime = 30 * time.Second

	// queuePrefix begins the name of every queue.
	queuePrefix = "ringback-storm-"
)

// Subscription is a temporary queue that gets every alert of a topic.
//
// SNS and SQS both deliver at least once. A message that the queue hands out
// again is the same publication, and so one alert; it is told by the id that SNS
// gave it, which stands in the envelope around the document.
//
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
type Subscription struct {
	// QueueName is the name of the queue, for a person who finds it left over.
	QueueName string
	// Now tells the time; Subscribe sets it, tests replace it.
	Now func() time.Time

	topics   *sns.Client
	queues   *sqs.Client
	topicARN string

	queueURL, queueARN string
	subscriptionARN    string

	stop      context.CancelFunc
	receiving sync.WaitGroup

	mu      sync.Mutex
	tests   map[string]bool // the texts of messages of our own: whether they came
	seen    map[string]bool // the ids of publications
	ids     map[string]bool // of the alerts
	log     storm.Published
	last    time.Time // when something came, by this machine's clock
	fault   error     // the last one of receiving
	changed chan struct{}
}

var _ storm.Alerts = (*Subscription)(nil)

// Subscribe makes a queue, subscribes it to a topic and returns once it gets what
// is published, by messages of its own, which the others that are subscribed get as
// well: one, and where the topic is slow up to twenty. Unless shared is set, nobody
// else may be. The errors wrap [ErrTopic], [ErrShared], [ErrStorm] and [ErrQueue],
// and [ErrDenied] or [ErrSilent] where that is why. Whatever was made is removed,
// or else the error wraps [ErrLeft] as well.
func Subscribe(ctx context.Context, config aws.Config, topicARN string, shared bool) (s *Subscription, err error) {
	s = newSubscription()
	s.topics, s.queues, s.topicARN = sns.NewFromConfig(config), sqs.NewFromConfig(config), topicARN
	others, storms, err := s.others(ctx)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: list its subscriptions: %w", ErrTopic, explain(err))
	case shared:
	case len(others) > 0 && len(storms) > 0:
		return nil, fmt.Errorf("%w: %s; and %w: %s", ErrShared, strings.Join(others, ", "), ErrStorm, strings.Join(storms, ", "))
	case len(others) > 0:
		return nil, fmt.Errorf("%w: %s", ErrShared, strings.Join(others, ", "))
	case len(storms) > 0:
		return nil, fmt.Errorf("%w: %s", ErrStorm, strings.Join(storms, ", "))
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	s.receive(ctx)
	if err := s.test(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func newSubscription() *Subscription {
	return &Subscription{
		QueueName: queuePrefix + rand.Text(),
		Now:       time.Now,
		stop:      func() {},
		tests:     make(map[string]bool),
		seen:      make(map[string]bool),
		ids:       make(map[string]bool),
		changed:   make(chan struct{}),
	}
}

// prepare makes the queue and the subscription. It does not end with ctx in the
// middle of it, or nobody would know what there is to remove.
func (s *Subscription) prepare(ctx context.Context) error {
	making, cancel := context.WithTimeout(context.WithoutCancel(ctx), makeTime)
	defer cancel()
	if err := s.makeQueue(making); err != nil {
		return fmt.Errorf("%w %s: %w", ErrQueue, s.QueueName, explain(err))
	}
	if err := s.subscribe(making); err != nil {
		return fmt.Errorf("%w: subscribe %s: %w", ErrTopic, s.QueueName, explain(err))
	}
	return nil
}

// others tells who is subscribed, by protocol and how many: addresses are nobody
// else's business. What other storms have made is named.
func (s *Subscription) others(ctx context.Context) (told, storms []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	byProtocol := make(map[string]int)
	pages := sns.NewListSubscriptionsByTopicPaginator(s.topics, &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(s.topicARN)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, nil, err
		}
		for _, subscription := range page.Subscriptions {
			endpoint := aws.ToString(subscription.Endpoint)
			if name := endpoint[strings.LastIndexByte(endpoint, ':')+1:]; strings.HasPrefix(name, queuePrefix) {
				storms = append(storms, name+" by "+aws.ToString(subscription.SubscriptionArn))
				continue
			}
			byProtocol[aws.ToString(subscription.Protocol)]++
		}
	}
	for _, protocol := range slices.Sorted(maps.Keys(byProtocol)) {
		told = append(told, fmt.Sprintf("%d by %s", byProtocol[protocol], protocol))
	}
	return told, storms, nil
}

// makeQueue makes the queue and lets the topic, and nobody else, send to it.
func (s *Subscription) makeQueue(ctx context.Context) error {
	seconds := func(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) }
	made, err := s.queues.CreateQueue(ctx, &sqs.CreateQueueInput{
		QueueName: aws.String(s.QueueName),
		Attributes: map[string]string{
			string(types.QueueAttributeNameMessageRetentionPeriod): seconds(retention),
			string(types.QueueAttributeNameVisibilityTimeout):      seconds(visibility),
		},
	})
	if err != nil {
		return err
	}
	s.queueURL = aws.ToString(made.QueueUrl)
	told, err := s.queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: made.QueueUrl, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		return err
	}
	s.queueARN = told.Attributes[string(types.QueueAttributeNameQueueArn)]
	policy, err := json.Marshal(map[string]any{
		"Version": "2012-10-17",
		"Statement": []any{map[string]any{
			"Effect":    "Allow",
			"Principal": map[string]string{"Service": "sns.amazonaws.com"},
			"Action":    "sqs:SendMessage",
			"Resource":  s.queueARN,
			"Condition": map[string]any{"ArnEquals": map[string]string{"aws:SourceArn": s.topicARN}},
		}},
	})
	if err != nil {
		return err
	}
	_, err = s.queues.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{
		QueueUrl:   made.QueueUrl,
		Attributes: map[string]string{string(types.QueueAttributeNamePolicy): string(policy)},
	})
	return err
}

func (s *Subscription) subscribe(ctx context.Context) error {
	made, err := s.topics.Subscribe(ctx, &sns.SubscribeInput{
		TopicArn: aws.String(s.topicARN), Protocol: aws.String("sqs"), Endpoint: aws.String(s.queueARN),
	})
	if err != nil {
		return err
	}
	s.subscriptionARN = aws.ToString(made.SubscriptionArn)
	if !strings.HasPrefix(s.subscriptionARN, "arn:") {
		return fmt.Errorf("SNS wants it to be confirmed (%s): is it another account's topic?", s.subscriptionARN)
	}
	return nil
}

// receive begins to take messages, until Close.
func (s *Subscription) receive(ctx context.Context) {
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	for range receivers {
		s.receiving.Go(func() {
			for ctx.Err() == nil {
				if err := s.receiveSome(ctx); err != nil && ctx.Err() == nil {
					s.change(func() { s.fault = err })
					timing.Sleep(ctx, receivePause)
				}
			}
		})
	}
}

// receiveSome takes what one request brings.
func (s *Subscription) receiveSome(ctx context.Context) error {
	got, err := s.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl:                    aws.String(s.queueURL),
		MaxNumberOfMessages:         maxReceive,
		WaitTimeSeconds:             int32(receiveTime / time.Second),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameSentTimestamp},
	})
	if err != nil {
		return fmt.Errorf("receive: %s", awsclient.SafeMessage(err))
	}
	if len(got.Messages) == 0 {
		return nil
	}
	var entries []types.DeleteMessageBatchRequestEntry
	s.change(func() {
		s.fault = nil
		for i := range got.Messages {
			s.take(&got.Messages[i])
			entries = append(entries, types.DeleteMessageBatchRequestEntry{
				Id: aws.String(strconv.Itoa(i)), ReceiptHandle: got.Messages[i].ReceiptHandle,
			})
		}
	})
	// What is not deleted comes again and is known by then.
	if _, err := s.queues.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: aws.String(s.queueURL), Entries: entries}); err != nil {
		return fmt.Errorf("delete: %s", awsclient.SafeMessage(err))
	}
	return nil
}

// take notes one message. The caller holds the lock.
func (s *Subscription) take(m *types.Message) {
	s.last = s.Now()
	var envelope struct {
		MessageID string `json:"MessageId"`
		Message   string `json:"Message"`
	}
	if err := json.Unmarshal([]byte(aws.ToString(m.Body)), &envelope); err != nil || envelope.MessageID == "" {
		envelope.MessageID = aws.ToString(m.MessageId) // what is not from the topic is not readable
	}
	if _, ours := s.tests[envelope.Message]; ours {
		s.tests[envelope.Message] = true
		return
	}
	if s.seen[envelope.MessageID] {
		return
	}
	s.seen[envelope.MessageID] = true
	var alert struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal([]byte(envelope.Message), &alert); err != nil || alert.ID == "" {
		s.log.Unreadable++
		return
	}
	s.ids[alert.ID] = true
	s.log.Taken = append(s.log.Taken, storm.Taken{ID: alert.ID, At: s.sentAt(m)})
}

// sentAt returns when the queue got a message.
func (s *Subscription) sentAt(m *types.Message) time.Time {
	text := m.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)]
	if milliseconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.UnixMilli(milliseconds)
	}
	return s.last
}

// test publishes messages until one of them comes.
func (s *Subscription) test(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, testTime)
	defer cancel()
	for {
		text := "This is a test of a subscription, by ringback storm: " + rand.Text()
		s.change(func() { s.tests[text] = false })
		if _, err := s.topics.Publish(ctx, &sns.PublishInput{
			TopicArn: aws.String(s.topicARN),
			Subject:  aws.String("ringback storm: a test, no alert"),
			Message:  aws.String(text),
		}); err != nil {
			return fmt.Errorf("%w: publish a test: %w", ErrTopic, explain(err))
		}
		came := func() bool { return slices.Contains(slices.Collect(maps.Values(s.tests)), true) }
		waiting, cancel := context.WithTimeout(ctx, testPause)
		err := s.await(waiting, came)
		cancel()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%w %s: nothing comes of what is published to the topic (%w)", ErrQueue, s.QueueName, err)
		}
	}
}

// Settled returns once every alert of that id has come, and for quiet no other.
func (s *Subscription) Settled(ctx context.Context, expected map[string]struct{}, quiet time.Duration) error {
	missing := maps.Clone(expected)
	if err := s.await(ctx, func() bool {
		for id := range missing {
			if s.ids[id] {
				delete(missing, id)
			}
		}
		return len(missing) == 0
	}); err != nil {
		return fmt.Errorf("%d of %d alerts have not come: %w", len(missing), len(expected), err)
	}
	for {
		s.mu.Lock()
		left := quiet - s.Now().Sub(s.last)
		s.mu.Unlock()
		if left <= 0 {
			return nil
		}
		if !timing.Sleep(ctx, left) {
			return nil // all have come
		}
	}
}

// await waits until something holds, which is asked under the lock whenever
// anything changes.
func (s *Subscription) await(ctx context.Context, holds func() bool) error {
	for {
		s.mu.Lock()
		ok, changed, fault := holds(), s.changed, s.fault
		s.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), fault)
		}
	}
}

// change changes what the lock guards, and tells whoever waits for it.
func (s *Subscription) change(it func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	it()
	close(s.changed)
	s.changed = make(chan struct{})
}

// Published returns the alerts that have come so far, the oldest first.
func (s *Subscription) Published() storm.Published {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.log
	seen.Taken = slices.Clone(seen.Taken)
	slices.SortStableFunc(seen.Taken, func(a, b storm.Taken) int { return a.At.Compare(b.At) })
	return seen
}

// Close removes the subscription and the queue. It takes its own time for it, so
// that it does so whatever has ended. It may be called again.
func (s *Subscription) Close() error {
	s.stop()
	s.receiving.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), removeTime)
	defer cancel()
	var faults []error
	if s.subscriptionARN != "" {
		if _, err := s.topics.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: aws.String(s.subscriptionARN)}); err != nil {
			faults = append(faults, fmt.Errorf("%w: the subscription %s: %w", ErrLeft, s.subscriptionARN, explain(err)))
		}
		s.subscriptionARN = ""
	}
	if s.queueURL != "" {
		if _, err := s.queues.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: aws.String(s.queueURL)}); err != nil {
			faults = append(faults, fmt.Errorf("%w: the queue %s: %w", ErrLeft, s.QueueName, explain(err)))
		}
		s.queueURL = ""
	}
	return errors.Join(faults...)
}
