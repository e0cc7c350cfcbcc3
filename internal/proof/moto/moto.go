// Package moto gives tests clients, queues and topics of their own on moto, the
// stand-in for SNS and SQS that "make conformance" starts.
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

// Endpoint returns the base URL of the moto server. It skips the test if the
// environment names none.
func Endpoint(t testing.TB) string {
	t.Helper()
	endpoint := os.Getenv(EndpointVariable)
	if endpoint == "" {
		t.Skip("no moto to test against: set " + EndpointVariable + ", for example to http://127.0.0.1:5000")
	}
	return endpoint
}

// config has no time limits, unlike the functions' own: moto may be slow, and a
// message that it sends and nobody reads stays away for the queue's visibility
// timeout.
func config(t testing.TB) aws.Config {
	t.Helper()
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(Endpoint(t)), Credentials: awsclient.StandInCredentials,
	}
}

// SQS returns a client of moto's queues.
func SQS(t testing.TB) *sqs.Client {
	t.Helper()
	return sqs.NewFromConfig(config(t))
}

// SNS returns a client of moto's topics.
func SNS(t testing.TB) *sns.Client {
	t.Helper()
	return sns.NewFromConfig(config(t))
}

// NewQueue creates an empty queue with attributes such as VisibilityTimeout, and
// deletes it when the test ends.
func NewQueue(t testing.TB, attributes map[string]string) (url, arn string) {
	t.Helper()
	client := SQS(t)
	created, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{
		QueueName: aws.String("ringback-" + rand.Text()), Attributes: attributes,
	})
	if err != nil {
		t.Fatalf("create queue: %v", err)
	}
	t.Cleanup(func() {
		_, _ = client.DeleteQueue(context.WithoutCancel(t.Context()), &sqs.DeleteQueueInput{QueueUrl: created.QueueUrl})
	})
	got, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: created.QueueUrl, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		t.Fatalf("queue's ARN: %v", err)
	}
	return aws.ToString(created.QueueUrl), got.Attributes[string(types.QueueAttributeNameQueueArn)]
}

// NewTopic creates a topic and deletes it when the test ends.
func NewTopic(t testing.TB) (arn string) {
	t.Helper()
	client := SNS(t)
	created, err := client.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("ringback-" + rand.Text())})
	if err != nil {
		t.Fatalf("create topic: %v", err)
	}
	t.Cleanup(func() {
		_, _ = client.DeleteTopic(context.WithoutCancel(t.Context()), &sns.DeleteTopicInput{TopicArn: created.TopicArn})
	})
	return aws.ToString(created.TopicArn)
}

// Subscribe subscribes a new queue to a topic, with raw message delivery, and
// returns the queue. The policy, unless nil, filters by attributes.
//
// https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
func Subscribe(t testing.TB, topicARN string, policy any) (queueURL string) {
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

// Receive removes the messages that are in a queue now, and returns them in order.
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
