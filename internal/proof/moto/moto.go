// Package moto is what tests need of moto, the stand-in for SNS and SQS that
// "make conformance" starts: queues and topics of their own, and clients.
package moto

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/ringback/ringback/internal/awsclient"
)

// EndpointVariable names the environment variable with the base URL of a moto
// server, such as http://127.0.0.1:5000.
const EndpointVariable = "MOTO_ENDPOINT"

// region is where everything is.
const region = "us-east-1"

// Endpoint returns the base URL of the moto server. It skips the test if none
// is named in the environment.
func Endpoint(t testing.TB) string {
	t.Helper()
	endpoint := os.Getenv(EndpointVariable)
	if endpoint == "" {
		t.Skip("no moto to test against: set " + EndpointVariable + ", for example to http://127.0.0.1:5000")
	}
	return endpoint
}

// SQS returns a client of moto's queues. It has no time limits of its own: moto
// may be slow, and a message that it hands out and nobody takes stays away for
// the queue's visibility timeout.
func SQS(t testing.TB) *sqs.Client {
	t.Helper()
	return sqs.New(sqs.Options{
		Region:       region,
		BaseEndpoint: aws.String(Endpoint(t)),
		Credentials:  awsclient.StandInCredentials,
	})
}

// SNS returns a client of moto's topics.
func SNS(t testing.TB) *sns.Client {
	t.Helper()
	return sns.New(sns.Options{
		Region:       region,
		BaseEndpoint: aws.String(Endpoint(t)),
		Credentials:  awsclient.StandInCredentials,
	})
}

// NewQueue makes an empty queue, with such attributes as VisibilityTimeout, and
// deletes it when the test ends.
func NewQueue(t testing.TB, attributes map[string]string) (url, arn string) {
	t.Helper()
	client := SQS(t)
	made, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{
		QueueName: aws.String("ringback-" + rand.Text()), Attributes: attributes,
	})
	if err != nil {
		t.Fatalf("create queue: %v", err)
	}
	t.Cleanup(func() {
		_, _ = client.DeleteQueue(context.WithoutCancel(t.Context()), &sqs.DeleteQueueInput{QueueUrl: made.QueueUrl})
	})
	told, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: made.QueueUrl, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		t.Fatalf("queue's ARN: %v", err)
	}
	return aws.ToString(made.QueueUrl), told.Attributes[string(types.QueueAttributeNameQueueArn)]
}

// NewTopic makes a topic and deletes it when the test ends.
func NewTopic(t testing.TB) (arn string) {
	t.Helper()
	client := SNS(t)
	made, err := client.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("ringback-" + rand.Text())})
	if err != nil {
		t.Fatalf("create topic: %v", err)
	}
	t.Cleanup(func() {
		_, _ = client.DeleteTopic(context.WithoutCancel(t.Context()), &sns.DeleteTopicInput{TopicArn: made.TopicArn})
	})
	return aws.ToString(made.TopicArn)
}

// Subscribe subscribes a new queue to a topic, with raw message delivery, and
// returns the queue. The policy, if there is one, filters by attributes.
//
// https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
func Subscribe(t testing.TB, topicARN string, policy map[string][]string) (queueURL string) {
	t.Helper()
	url, arn := NewQueue(t, nil)
	attributes := map[string]string{"RawMessageDelivery": "true"}
	if policy != nil {
		text, err := json.Marshal(policy)
		if err != nil {
			t.Fatal(err)
		}
		attributes["FilterPolicy"] = string(text)
	}
	if _, err := SNS(t).Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: aws.String(topicARN), Protocol: aws.String("sqs"), Endpoint: aws.String(arn), Attributes: attributes,
	}); err != nil {
		t.Fatalf("subscribe: %v", err)
	}
	return url
}

// Receive takes all that is in a queue now, in order.
func Receive(t testing.TB, queueURL string) []types.Message {
	t.Helper()
	const most = 10 // a request's limit
	client := SQS(t)
	var all []types.Message
	for {
		got, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
			QueueUrl: aws.String(queueURL), MaxNumberOfMessages: most, MessageAttributeNames: []string{"All"},
		})
		if err != nil {
			t.Fatalf("receive: %v", err)
		}
		if len(got.Messages) == 0 {
			return all
		}
		all = append(all, got.Messages...)
		for _, m := range got.Messages {
			if _, err := client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{
				QueueUrl: aws.String(queueURL), ReceiptHandle: m.ReceiptHandle,
			}); err != nil {
				t.Fatalf("delete message: %v", err)
			}
		}
	}
}
