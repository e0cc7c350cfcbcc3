package target_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/proof/moto"
	"github.com/ringback/ringback/internal/proof/storm/play"
	"github.com/ringback/ringback/internal/proof/storm/target"
)

// One publication is one alert, however often the queue hands it out; what was
// published twice is two.
func TestOnePublicationIsOneAlert(t *testing.T) {
	t.Parallel()
	envelope := func(id, message string) string {
		return fmt.Sprintf(`{"Type":"Notification","MessageId":%q,"TopicArn":"arn:aws:sns:us-east-1:123456789012:a","Message":%q}`, id, message)
	}
	const missed, voicemail = `{"version":1,"id":"CALL#1/missed_call"}`, `{"version":1,"id":"CALL#1/voicemail"}`
	for _, tc := range []struct {
		name   string
		bodies []string // sent one second after the other
		want   play.Published
	}{
		{"two alerts", []string{envelope("1", missed), envelope("2", voicemail)}, play.Published{
			Taken: []play.Alert{{ID: "CALL#1/missed_call"}, {ID: "CALL#1/voicemail"}},
		}},
		{"one that the queue hands out again", []string{envelope("1", missed), envelope("1", missed)}, play.Published{
			Taken: []play.Alert{{ID: "CALL#1/missed_call"}},
		}},
		{"one that was published twice", []string{envelope("1", missed), envelope("2", missed)}, play.Published{
			Taken: []play.Alert{{ID: "CALL#1/missed_call"}, {ID: "CALL#1/missed_call"}},
		}},
		{"what is no envelope", []string{"text", missed, `{"MessageId":1}`}, play.Published{Unreadable: 3}},
		{"what is no alert", []string{envelope("1", "text"), envelope("2", `{"version":1}`), envelope("2", `{"version":1}`)}, play.Published{Unreadable: 2}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := target.NewSubscription()
			for i, body := range tc.bodies {
				s.Take(&types.Message{
					MessageId: aws.String(fmt.Sprint(i)), Body: aws.String(body),
				})
			}
			if diff := cmp.Diff(tc.want, s.Published()); diff != "" {
				t.Errorf("published (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSettledIsWhenAllHaveComeAndNoMoreCome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := target.NewSubscription()
		take := func(publication, id string) {
			s.Take(&types.Message{Body: aws.String(fmt.Sprintf(`{"MessageId":%q,"Message":"{\"id\":\"%s\"}"}`, publication, id))})
		}
		open := await("a", "b")
		take("1", "a")
		short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if err := s.Settled(short, open, 0); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "without b") {
			t.Errorf("got %v, want that one of two has not come", err)
		}
		const quiet = 50 * time.Millisecond
		settled := make(chan error, 1)
		go func() { settled <- s.Settled(t.Context(), open, quiet) }()
		take("2", "b")
		last := time.Now()
		take("3", "b")
		if err := <-settled; err != nil || time.Since(last) < quiet {
			t.Errorf("settled after %v, %v: want %v without an alert", time.Since(last), err, quiet)
		}
	})
}

// await returns an error that names the first of some alerts that has not come.
func await(ids ...string) func(play.Published) error {
	return func(seen play.Published) error {
		for _, id := range ids {
			if !slices.ContainsFunc(seen.Taken, func(a play.Alert) bool { return a.ID == id }) {
				return fmt.Errorf("without %s", id)
			}
		}
		return nil
	}
}

func TestAQueueGetsTheTopicsAlertsAndIsRemoved(t *testing.T) {
	t.Parallel()
	topic := moto.NewTopic(t)
	s, err := target.Subscribe(t.Context(), standIns(t), topic, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b", "a"} {
		publish(t, topic, `{"id":"`+id+`"}`)
	}
	publish(t, topic, "no alert")
	if err := s.Settled(t.Context(), await("a", "b"), 500*time.Millisecond); err != nil {
		t.Error(err)
	}
	got := s.Published()
	times := map[string]int{}
	for _, a := range got.Taken {
		times[a.ID]++
	}
	if diff := cmp.Diff(map[string]int{"a": 2, "b": 1}, times); diff != "" || got.Unreadable != 1 {
		t.Errorf("%d unreadable, want 1; alerts (-want +got):\n%s", got.Unreadable, diff)
	}
	if queues(t, s.QueueName) != 1 {
		t.Errorf("there is no queue %s", s.QueueName)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := queues(t, s.QueueName); n > 0 || subscriptions(t, topic) > 0 {
		t.Errorf("%d queues and %d subscriptions are left", n, subscriptions(t, topic))
	}
}

// Whoever ends a storm must not have to clean up behind it.
func TestAQueueIsRemovedThoughItsContextHasEnded(t *testing.T) {
	t.Parallel()
	topic := moto.NewTopic(t)
	ctx, cancel := context.WithCancel(t.Context())
	s, err := target.Subscribe(ctx, standIns(t), topic, false)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if n := queues(t, s.QueueName); n > 0 || subscriptions(t, topic) > 0 {
		t.Errorf("%d queues and %d subscriptions are left", n, subscriptions(t, topic))
	}
}

func TestATopicWithOtherSubscribersIsRefused(t *testing.T) {
	t.Parallel()
	topic := moto.NewTopic(t)
	if _, err := moto.SNS(t).Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: aws.String(topic), Protocol: aws.String("email"), Endpoint: aws.String("support@example.com"),
	}); err != nil {
		t.Fatal(err)
	}
	_, err := target.Subscribe(t.Context(), standIns(t), topic, false)
	if !errors.Is(err, target.ErrShared) || !strings.Contains(err.Error(), "by email") || strings.Contains(err.Error(), "support@") {
		t.Errorf("got %v, want %v, with how but not who", err, target.ErrShared)
	}
	if n := subscriptions(t, topic); n != 1 {
		t.Errorf("%d subscriptions, want that of before", n)
	}

	s, err := target.Subscribe(t.Context(), standIns(t), topic, true)
	if err != nil {
		t.Fatal(err)
	}
	_, err = target.Subscribe(t.Context(), standIns(t), topic, false)
	if !errors.Is(err, target.ErrStorm) || !strings.Contains(err.Error(), ": "+s.QueueName+" by arn:") {
		t.Errorf("got %v, want that another storm is subscribed as well, with %s", err, s.QueueName)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestATopicThatIsNotThereIsReportedAndNothingIsLeft(t *testing.T) {
	t.Parallel()
	topic := moto.NewTopic(t)
	_, err := target.Subscribe(t.Context(), standIns(t), topic+"-none", false)
	if err == nil || !strings.Contains(err.Error(), "sns:ListSubscriptionsByTopic on "+topic+"-none: NotFound") {
		t.Errorf("got %v, want that there is no such topic", err)
	}
}

// standIns returns a configuration for moto.
func standIns(t *testing.T) aws.Config {
	t.Helper()
	return aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(moto.Endpoint(t)), Credentials: awsclient.StandInCredentials}
}

func publish(t *testing.T, topic, message string) {
	t.Helper()
	if _, err := moto.SNS(t).Publish(t.Context(), &sns.PublishInput{TopicArn: aws.String(topic), Message: aws.String(message)}); err != nil {
		t.Fatal(err)
	}
}

// queues returns how many queues have such a name.
func queues(t *testing.T, name string) int {
	t.Helper()
	listed, err := moto.SQS(t).ListQueues(t.Context(), &sqs.ListQueuesInput{QueueNamePrefix: aws.String(name)})
	if err != nil {
		t.Fatal(err)
	}
	return len(listed.QueueUrls)
}

func subscriptions(t *testing.T, topic string) int {
	t.Helper()
	listed, err := moto.SNS(t).ListSubscriptionsByTopic(t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(topic)})
	if err != nil {
		t.Fatal(err)
	}
	return len(listed.Subscriptions)
}

// What a storm that was killed has left must not be taken for somebody whom the
// alerts would reach.
func TestAnotherStormsQueueIsNamed(t *testing.T) {
	t.Parallel()
	topic := moto.NewTopic(t)
	const name = "ringback-storm-KILLED"
	if _, err := moto.SNS(t).Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: aws.String(topic), Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:us-east-1:123456789012:" + name),
	}); err != nil {
		t.Fatal(err)
	}
	_, err := target.Subscribe(t.Context(), standIns(t), topic, false)
	if !errors.Is(err, target.ErrStorm) || errors.Is(err, target.ErrShared) || !strings.Contains(err.Error(), ": "+name+" by arn:") {
		t.Errorf("got %v, want %v: %s", err, target.ErrStorm, name)
	}
}
