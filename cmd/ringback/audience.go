package main

import (
	"context"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ringback/ringback/internal/deployed"
)

// topic is one that people subscribe to, with what nobody gets if nobody does.
type topic struct{ output, carries, nobody, nobodyYet, parameter string }

// topics are all of them.
var topics = []topic{
	{
		deployed.OutputTopicARN, "alerts", "Nobody is alerted to missed calls and voicemails", "Nobody is alerted to missed calls and voicemails yet",
		"AlertEmail",
	},
	{
		deployed.OutputOpsARN, "alarms", "Nobody is told when this stack has a problem", "Nobody is told yet when this stack has a problem",
		"OpsEmail",
	},
}

// warnOfSilence says on w which of a stack's topics reach nobody, and what to do about it. It needs the
// right to list their subscriptions, and says so if it is missing.
func warnOfSilence(ctx context.Context, w io.Writer, cfg aws.Config, outputs map[string]string) {
	for _, topic := range topics {
		arn := outputs[topic.output]
		if arn == "" {
			continue
		}
		found, err := deployed.ReadSubscribers(ctx, cfg, arn)
		switch {
		case err != nil:
			fmt.Fprintf(w, "Hint: check for yourself whether somebody is subscribed to the stack's topics. ringback could not: %v\n", err)
			return
		case found == deployed.Subscribers{}:
			fmt.Fprintf(w, "WARNING: %s: the topic has no subscriber.\n"+
				"  Set %s: \"make deploy ARGS=--ask\" asks for it. Other ways: docs/subscriptions.md\n", topic.nobody, topic.parameter)
		case found.Pending > 0:
			problem := "Hint: not everybody is told"
			if found.Confirmed == 0 {
				problem = "WARNING: " + topic.nobodyYet
			}
			fmt.Fprintf(w, "%s: %s not confirmed.\n"+
				"  Follow the link in the e-mail from AWS Notifications, which may be in the spam folder.\n"+
				"  The link has expired? docs/subscriptions.md#a-new-link\n", problem, subscriptions(found.Pending))
		}
	}
}

func subscriptions(n int) string {
	if n == 1 {
		return "1 subscription is"
	}
	return fmt.Sprintf("%d subscriptions are", n)
}
