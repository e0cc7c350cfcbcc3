package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/ringback/ringback/internal/storm"
	"github.com/ringback/ringback/internal/storm/target"
)

// stormRetries is how often the AWS SDK tries what fails: the table is read back
// as fast as it answers, which may be too fast for it now and then.
const stormRetries = 10

// runStack plays against a stack on AWS, or on stand-ins for it.
func (f *stormFlags) runStack(ctx context.Context, plan *storm.Plan, out, errOut io.Writer) (err error) {
	cfg, err := awsConfig(ctx, f.region)
	if err != nil {
		return err
	}
	cfg.RetryMaxAttempts = stormRetries
	parts := target.StackConfig{
		URL:           f.url,
		SigningSecret: os.Getenv(signingSecretEnv),
		SignedURL:     f.signedURL,
		TableName:     f.table,
		TopicARN:      f.topic,
	}
	if f.stack != "" {
		outputs, err := readOutputs(ctx, cfg, f.stack, outputURLBase, outputSecretARN, outputTable, outputTopicARN)
		if err != nil {
			return err
		}
		secret, err := readSecret(ctx, cfg, outputs[outputSecretARN])
		if err != nil {
			return err
		}
		parts.URL, parts.SigningSecret = outputs[outputURLBase]+"/"+secret.Token, secret.SigningSecret
		parts.TableName, parts.TopicARN = outputs[outputTable], outputs[outputTopicARN]
	}
	parts.Shared = f.shared

	stack, err := target.Open(ctx, cfg, parts)
	if err != nil {
		return withStackHint(err, cfg.Region)
	}
	defer func() {
		if left := stack.Close(); left != nil {
			err = errors.Join(err, fmt.Errorf("%w\nIt has to be removed by hand", left))
		}
	}()
	fmt.Fprintf(errOut, "posting to %s; alerts come through the temporary queue %s\n", hostOf(parts.URL), stack.Alerts.QueueName)

	shown := showProgress(errOut, len(plan.Deliveries), reportEvery)
	seen, err := f.play(ctx, plan, stack.Target(plan), stack.Alerts, nil, shown)
	shown.end()
	switch {
	case errors.Is(err, storm.ErrPlayed):
		return fmt.Errorf("%w: these deliveries were posted to it before, give another --seed", err)
	case err != nil:
		return err
	}
	return f.report(plan, seen, out)
}

// withStackHint says, of the faults that a person can mend, how.
func withStackHint(err error, region string) error {
	switch {
	case errors.Is(err, target.ErrStore):
		return fmt.Errorf("%w\nNothing was posted. Is it the stack's output %s, in %s? Storm needs the right dynamodb:Query on it", err, outputTable, region)
	case errors.Is(err, target.ErrShared):
		return fmt.Errorf("%w\nNothing was posted. They would get an alert of each call that storm makes up: take a stack without subscribers, or give --alert-subscribers", err)
	case errors.Is(err, target.ErrTopic):
		return fmt.Errorf("%w\nNothing was posted. Is it the stack's output %s, in %s? Storm needs the rights sns:ListSubscriptionsByTopic, "+
			"sns:Subscribe and sns:Publish on it, and sns:Unsubscribe", err, outputTopicARN, region)
	case errors.Is(err, target.ErrQueue):
		return fmt.Errorf("%w\nNothing was posted. Storm needs the rights sqs:CreateQueue, sqs:GetQueueAttributes, sqs:SetQueueAttributes, "+
			"sqs:ReceiveMessage, sqs:DeleteMessage and sqs:DeleteQueue", err)
	}
	return err
}

// hostOf returns the part of a URL that is no secret.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the stack"
	}
	return u.Host
}
