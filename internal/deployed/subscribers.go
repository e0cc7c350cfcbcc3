package deployed

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// Subscribers counts the subscriptions of a topic.
type Subscribers struct {
	// Confirmed subscriptions get messages.
	Confirmed int
	// Pending subscriptions get nothing until someone follows the link in SNS's first message.
	Pending int
}

// ReadSubscribers counts the subscriptions of a topic.
func ReadSubscribers(ctx context.Context, cfg aws.Config, topicARN string) (Subscribers, error) {
	var found Subscribers
	pages := sns.NewListSubscriptionsByTopicPaginator(sns.NewFromConfig(cfg), &sns.ListSubscriptionsByTopicInput{
		TopicArn: aws.String(topicARN),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return Subscribers{}, fmt.Errorf("list the topic's subscriptions: %w", err)
		}
		for _, s := range page.Subscriptions {
			// In place of an ARN, SNS puts a word for what is not a subscription yet, or no longer.
			switch arn := aws.ToString(s.SubscriptionArn); {
			case strings.HasPrefix(arn, "arn:"):
				found.Confirmed++
			case arn == "PendingConfirmation":
				found.Pending++
			}
		}
	}
	return found, nil
}
