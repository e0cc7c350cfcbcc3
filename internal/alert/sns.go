package alert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/timing"
)

const (
	// maxRequest limits the messages of one request, in bytes. SNS accepts 256 KB,
	// message attributes included.
	maxRequest = 240 << 10
	// publishAttempts limits the tries of a message that SNS rejects with an error of
	// its own. The SDK retries requests that fail as a whole.
	publishAttempts = 3
	publishPause    = 100 * time.Millisecond
)

// ErrTopic means that the topic did not accept a message.
var ErrTopic = errors.New("not published")

// TopicAPI is the part of [sns.Client] that is used.
type TopicAPI interface {
	PublishBatch(context.Context, *sns.PublishBatchInput, ...func(*sns.Options)) (*sns.PublishBatchOutput, error)
}

// SNS publishes to an Amazon SNS topic. Subscribers get the form for their
// protocol: e-mail, text message, or else the document.
//
// https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
type SNS struct {
	client TopicAPI
	topic  string
	log    *slog.Logger
}

var _ Publisher = (*SNS)(nil)

// NewSNS returns a publisher to a topic.
func NewSNS(client TopicAPI, topicARN string, log *slog.Logger) *SNS {
	return &SNS{client: client, topic: topicARN, log: log}
}

// Publish implements [Publisher]. A message that SNS refuses for its content is
// redacted and sent once more: an alert that says where to look is better than
// none. The errors wrap [ErrTopic].
func (s *SNS) Publish(ctx context.Context, messages []Message) []error {
	errs := make([]error, len(messages))
	var request []*sending
	size := 0
	flush := func() {
		if len(request) > 0 {
			s.send(ctx, request)
		}
		request, size = nil, 0
	}
	for i := range messages {
		next := newSending(&messages[i], &errs[i])
		if size+next.size > maxRequest {
			flush()
		}
		request = append(request, next)
		size += next.size
	}
	flush()
	return errs
}

// sending is a message and the state of its delivery.
type sending struct {
	message *Message
	err     *error // the message's result of Publish
	entry   types.PublishBatchRequestEntry
	size    int    // bytes, as SNS counts them
	refusal string // the error code for the whole message, once it is redacted
}

func newSending(m *Message, err *error) *sending {
	n := &sending{err: err}
	n.set(m)
	return n
}

// set makes the entry of a request.
func (n *sending) set(m *Message) {
	text := string(encode(struct {
		Default string `json:"default"`
		Email   string `json:"email"`
		SMS     string `json:"sms"`
	}{string(m.Document), m.Email, m.SMS}))

	// Transactional text messages are sent before promotional ones.
	// https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-topic.html
	attributes := map[string]types.MessageAttributeValue{"AWS.SNS.SMS.SMSType": attribute("String", "Transactional")}
	n.size = len(text) + len(m.Subject)
	for name, value := range m.Attributes {
		typ := "String"
		if name == "agent_id" && strings.HasPrefix(value, "[") {
			typ = "String.Array" // a filter policy matches any of them
		}
		attributes[name] = attribute(typ, value)
		n.size += len(name) + len(value) + len(typ)
	}
	n.message = m
	n.entry = types.PublishBatchRequestEntry{
		Message:           aws.String(text),
		MessageStructure:  aws.String("json"),
		Subject:           aws.String(m.Subject),
		MessageAttributes: attributes,
	}
}

func attribute(typ, value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String(typ), StringValue: aws.String(value)}
}

// send publishes what fits into one request, and retries what fails.
func (s *SNS) send(ctx context.Context, left []*sending) {
	for attempt := range publishAttempts {
		if attempt > 0 && !timing.Sleep(ctx, publishPause<<attempt) {
			return
		}
		if left = s.try(ctx, left); len(left) == 0 {
			return
		}
	}
}

// try makes one request and returns the messages to retry.
func (s *SNS) try(ctx context.Context, batch []*sending) (again []*sending) {
	in := &sns.PublishBatchInput{TopicArn: aws.String(s.topic)}
	for i, n := range batch {
		n.entry.Id = aws.String(strconv.Itoa(i))
		in.PublishBatchRequestEntries = append(in.PublishBatchRequestEntries, n.entry)
	}
	out, err := s.client.PublishBatch(ctx, in)
	if err != nil {
		return s.refused(ctx, batch, err)
	}

	unanswered := fmt.Errorf("%w: the topic's answer does not mention it", ErrTopic)
	for _, n := range batch {
		*n.err = unanswered
	}
	answered := func(id *string) (n *sending, ok bool) {
		i, err := strconv.Atoi(aws.ToString(id))
		if err != nil || i < 0 || i >= len(batch) {
			return nil, false
		}
		return batch[i], true
	}
	for _, success := range out.Successful {
		if n, ok := answered(success.Id); ok {
			*n.err = nil
			s.logRedacted(ctx, n)
		}
	}
	for _, failure := range out.Failed {
		n, ok := answered(failure.Id)
		if !ok {
			continue
		}
		code := aws.ToString(failure.Code)
		*n.err = fmt.Errorf("%w: %s", ErrTopic, code)
		// SenderFault does not help: SNS sets it for throttling too.
		if isContent(code) && !n.redact(code) {
			continue
		}
		again = append(again, n)
	}
	return again
}

// refused handles a request that failed as a whole. If it was refused for its
// content, each message is sent alone, so that one cannot stop the others.
func (s *SNS) refused(ctx context.Context, batch []*sending, err error) (again []*sending) {
	failure := fmt.Errorf("%w: %s", ErrTopic, awsclient.SafeMessage(err))
	for _, n := range batch {
		*n.err = failure
	}
	var answer smithy.APIError
	switch {
	case !errors.As(err, &answer):
		return nil // no answer; the SDK has retried already
	case strings.HasPrefix(answer.ErrorMessage(), "Invalid parameter: TopicArn"):
		return nil // the topic is wrong, not the content
	case !isContent(answer.ErrorCode()) && awsclient.Status(err) != http.StatusRequestEntityTooLarge:
		return nil
	}
	// guard 5 alerts (WhatTheTopic): if false {
	if len(batch) > 1 {
		for _, n := range batch {
			s.send(ctx, []*sending{n})
		}
		return nil
	}
	// guard 5 alerts (WhatTheTopic): if false {
	if batch[0].redact(answer.ErrorCode()) {
		return batch
	}
	return nil
}

// redact replaces a refused message by its redacted form. It returns false if that
// was refused too.
func (n *sending) redact(code string) bool {
	if n.message.redact == nil {
		return false
	}
	redacted := n.message.redact()
	n.set(&redacted)
	n.refusal = code
	return true
}

// logRedacted logs that a message was accepted in its redacted form only.
func (s *SNS) logRedacted(ctx context.Context, n *sending) {
	if n.refusal != "" {
		s.log.LogAttrs(ctx, slog.LevelWarn, "alert cut",
			slog.String("kind", string(n.message.Kind)), slog.String("error", n.refusal))
	}
}

// isContent reports whether an error code is about a message's content.
func isContent(code string) bool {
	switch code {
	case "InvalidParameter", "InvalidParameterException", "InvalidParameterValue", "ParameterValueInvalid",
		"BatchRequestTooLong", "BatchRequestTooLongException", "ValidationException", "ValidationError":
		return true
	}
	return false
}
