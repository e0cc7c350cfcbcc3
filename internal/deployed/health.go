package deployed

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Outputs with the URLs of the queues.
const (
	OutputSpillQueue      = "SpillQueueUrl"
	OutputDeadLetterQueue = "DeadLetterQueueUrl"
)

// Alarm is one of a stack's alarms.
type Alarm struct {
	// Name is without the stack's, as docs/operations.md has it.
	Name string
	// On says that the alarm has gone off.
	On bool
	// Told says that somebody is told: that its actions are enabled, and one of them is
	// the stack's topic of alarms.
	Told bool
}

// ReadAlarms returns a stack's alarms, sorted by name.
func ReadAlarms(ctx context.Context, cfg aws.Config, stack string, outputs map[string]string) ([]Alarm, error) {
	var all []Alarm
	pages := cloudwatch.NewDescribeAlarmsPaginator(cloudwatch.NewFromConfig(cfg), &cloudwatch.DescribeAlarmsInput{
		AlarmNamePrefix: aws.String(stack + "-"),
		AlarmTypes:      []types.AlarmType{types.AlarmTypeMetricAlarm},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the stack's alarms: %w", err)
		}
		for _, a := range page.MetricAlarms {
			name := strings.TrimPrefix(aws.ToString(a.AlarmName), stack+"-")
			if isOfAnother(stack, name, a.AlarmActions) {
				continue
			}
			all = append(all, Alarm{
				Name: name,
				On:   a.StateValue == types.StateValueAlarm,
				Told: aws.ToBool(a.ActionsEnabled) && slices.Contains(a.AlarmActions, outputs[OutputOpsARN]),
			})
		}
	}
	slices.SortFunc(all, func(a, b Alarm) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// isOfAnother reports whether an alarm is of a stack whose name begins with this one's, as
// "ringback-prod" does with "ringback": it tells a topic of that name.
func isOfAnother(stack, alarm string, actions []string) bool {
	suffix, _, _ := strings.Cut(alarm, "-")
	return slices.ContainsFunc(actions, func(arn string) bool {
		return strings.HasPrefix(arn[strings.LastIndexByte(arn, ':')+1:], stack+"-"+suffix+"-")
	})
}

// ReadQueue returns about how many messages a queue holds, those among them that are
// being read.
func ReadQueue(ctx context.Context, cfg aws.Config, url string) (messages int, err error) {
	names := []sqstypes.QueueAttributeName{
		sqstypes.QueueAttributeNameApproximateNumberOfMessages, sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	}
	found, err := sqs.NewFromConfig(cfg).GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: aws.String(url), AttributeNames: names})
	if err != nil {
		return 0, fmt.Errorf("count the queue's messages: %w", err)
	}
	for _, name := range names {
		n, err := strconv.Atoi(found.Attributes[string(name)])
		if err != nil {
			return 0, fmt.Errorf("count the queue's messages: %s is missing", name)
		}
		messages += n
	}
	return messages, nil
}

// ReadOldest returns for how long the oldest message of a queue has been there, as of some
// minutes ago; 0 if that is not known.
func ReadOldest(ctx context.Context, cfg aws.Config, url string, now time.Time) (time.Duration, error) {
	const back, step = 15 * time.Minute, 5 * time.Minute
	found, err := cloudwatch.NewFromConfig(cfg).GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
		Namespace:  aws.String("AWS/SQS"),
		MetricName: aws.String("ApproximateAgeOfOldestMessage"),
		Dimensions: []types.Dimension{{Name: aws.String("QueueName"), Value: aws.String(url[strings.LastIndexByte(url, '/')+1:])}},
		StartTime:  aws.Time(now.Add(-back)),
		EndTime:    aws.Time(now),
		Period:     aws.Int32(int32(step / time.Second)),
		Statistics: []types.Statistic{types.StatisticMaximum},
	})
	if err != nil {
		return 0, fmt.Errorf("read the age of the queue's messages: %w", err)
	}
	var oldest time.Duration
	for _, point := range found.Datapoints {
		oldest = max(oldest, time.Duration(aws.ToFloat64(point.Maximum))*time.Second)
	}
	return oldest, nil
}
