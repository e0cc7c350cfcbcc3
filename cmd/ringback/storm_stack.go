package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ringback/ringback/internal/proof/storm"
	"github.com/ringback/ringback/internal/proof/storm/target"
	"github.com/ringback/ringback/internal/timing"
)

const (
	// askTime bounds what is asked before anything is posted: whoever waits for
	// it sees nothing.
	askTime = 20 * time.Second
	// A webhook that has something against it at the moment is probed so often,
	// with a pause between.
	probes     = 4
	probePause = 500 * time.Millisecond
)

// runStack plays against a stack on AWS, or on stand-ins for it.
func (f *stormFlags) runStack(ctx context.Context, plan *storm.Plan, out, errOut io.Writer) (err error) {
	cfg, parts, err := f.findStack(ctx)
	var stack *target.Stack
	if err == nil {
		stack, err = target.Open(ctx, cfg, parts)
	}
	switch interrupted := ctx.Err() != nil; {
	case err != nil && interrupted && errors.Is(err, target.ErrLeft):
		return withStackHint(err, cfg.Region)
	case err != nil && interrupted:
		return fmt.Errorf("nothing was posted: %w", context.Cause(ctx))
	case err != nil:
		return withStackHint(err, cfg.Region)
	}
	defer func() {
		if left := stack.Close(); left != nil {
			err = errors.Join(err, fmt.Errorf("%w\n%s", left, byHand))
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

// findStack returns the parts of the stack that the flags name, once its webhook
// answers.
func (f *stormFlags) findStack(ctx context.Context) (aws.Config, target.StackConfig, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	parts := target.StackConfig{
		URL:           f.url,
		SigningSecret: os.Getenv(signingSecretEnv),
		SignedURL:     f.signedURL,
		TableName:     f.table,
		TopicARN:      f.topic,
		Shared:        f.shared,
	}
	cfg, err := awsConfig(ctx, f.region)
	if err != nil {
		return cfg, parts, err
	}
	if f.stack != "" {
		outputs, err := readOutputs(ctx, cfg, f.stack, outputURLBase, outputSecretARN, outputTable, outputTopicARN)
		if err != nil {
			return cfg, parts, err
		}
		secret, err := readSecret(ctx, cfg, outputs[outputSecretARN])
		if err != nil {
			return cfg, parts, err
		}
		parts.URL, parts.SigningSecret = outputs[outputURLBase]+"/"+secret.Token, secret.SigningSecret
		parts.TableName, parts.TopicARN = outputs[outputTable], outputs[outputTopicARN]
	}
	return cfg, parts, checkWebhook(ctx, parts.URL)
}

// checkWebhook returns an error unless a webhook's URL answers as ringback does.
func checkWebhook(ctx context.Context, address string) error {
	p := poster{url: address}
	a, err := p.probe(ctx)
	for try := 1; err == nil && (a.status >= http.StatusInternalServerError || a.status == http.StatusTooManyRequests); try++ {
		if try == probes || !timing.Sleep(ctx, probePause) {
			break
		}
		a, err = p.probe(ctx)
	}
	host := hostOf(address)
	switch {
	case errors.Is(err, errNobody):
		return fmt.Errorf("%w\nNothing was posted. Is that the stack's URL?", err)
	case err != nil:
		return err
	case a.status == http.StatusUnauthorized:
		return fmt.Errorf("%s answers 401 to the URL: the token is not that stack's\nNothing was posted", host)
	case a.status == http.StatusNotFound:
		return fmt.Errorf("%s answers 404 to the URL%s\nNothing was posted", host, advices[a.status])
	case a.status != http.StatusOK:
		return fmt.Errorf("%s answers %d %s to the URL, and not 200\nNothing was posted", host, a.status, a.text())
	case a.Status == "":
		return fmt.Errorf("%s answers 200 to the URL, but not as ringback does: is that the stack's URL?\nNothing was posted", host)
	}
	return nil
}

// byHand is what to do about what could not be removed.
const byHand = `It has to be removed by hand: docs/operations.md, "Play a storm", says how`

// withStackHint says, of the faults that a person can mend, how.
func withStackHint(err error, region string) error {
	var hints []string
	for _, h := range []struct {
		of   error
		hint string
	}{
		{target.ErrSilent, "Does nobody listen there? It is asked where AWS has it in " + region + ", or where AWS_ENDPOINT_URL_… says"},
		{target.ErrShared, "They would get an alert of each call that storm makes up: take a stack without subscribers, or give --alert-subscribers"},
		{target.ErrStorm, `If that storm is running, wait for its end. If it was killed, remove its queue and subscription: docs/operations.md, "Play a storm", says how`},
	} {
		if errors.Is(err, h.of) {
			hints = append(hints, h.hint)
		}
	}
	denied, silent := errors.Is(err, target.ErrDenied), errors.Is(err, target.ErrSilent)
	for _, h := range []struct {
		of             error
		output, rights string
	}{
		{of: target.ErrStore, output: outputTable, rights: "dynamodb:Query on the table"},
		{of: target.ErrTopic, output: outputTopicARN, rights: "sns:ListSubscriptionsByTopic, sns:Subscribe and sns:Publish on the topic, and sns:Unsubscribe"},
		{of: target.ErrQueue, rights: "sqs:CreateQueue, sqs:GetQueueAttributes, sqs:SetQueueAttributes, sqs:ReceiveMessage, sqs:DeleteMessage and sqs:DeleteQueue"},
	} {
		switch {
		case !errors.Is(err, h.of):
		case denied:
			hints = append(hints, "Storm needs the rights "+h.rights)
		case !silent && h.output != "":
			hints = append(hints, "Is it the stack's output "+h.output+", in "+region+"?")
		}
	}
	if errors.Is(err, target.ErrLeft) {
		hints = append(hints, byHand)
	}
	if len(hints) == 0 {
		return err
	}
	return fmt.Errorf("%w\nNothing was posted. %s", err, strings.Join(hints, "\n"))
}

// hostOf returns the part of a URL that is no secret.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the stack"
	}
	return u.Host
}
