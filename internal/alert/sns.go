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
	// maxRequest is how many bytes of messages go into one request: somewhat
	// less than the 256 KB that SNS takes, message attributes included.
	maxRequest = 240 << 10
	// publishAttempts is how often a message is tried that SNS itself could
	// not take. Requests that fail altogether are tried again by the SDK.
	publishAttempts = 3
	publishPause    = 100 * time.Millisecond
)

// ErrTopic says that the topic did not take a message.
var ErrTopic = errors.New("not published")

// TopicAPI is the part of [sns.Client] that is used.
type TopicAPI interface {
	PublishBatch(context.Context, *sns.PublishBatchInput, ...func(*sns.Options)) (*sns.PublishBatchOutput, error)
}

// SNS publishes to an Amazon SNS topic. A subscriber gets the form for its
// protocol: e-mail and text message, or for every other one the document.
//
// https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
type SNS struct {
	client TopicAPI
	topic  string
	log    *slog.Logger
}

var _ Publisher = (*SNS)(nil)

// NewSNS returns the publisher to the topic of that ARN.
func NewSNS(client TopicAPI, topicARN string, log *slog.Logger) *SNS {
	return &SNS{client: client, topic: topicARN, log: log}
}

// Publish implements [Publisher]. A message that SNS refuses for what is in it
// is sent once more with its kind, times and keys alone: better an alert that
// says where to look than none. The errors wrap [ErrTopic].
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

// sending is one message on its way.
type sending struct {
	message *Message
	fault   *error // where Publish returns it
	entry   types.PublishBatchRequestEntry
	size    int    // bytes, as SNS counts them
	refusal string // the code with which the whole message was refused
}

func newSending(m *Message, fault *error) *sending {
	n := &sending{fault: fault}
	n.set(m)
	return n
}

// set makes the request's entry of a message.
func (n *sending) set(m *Message) {
	text := string(encode(struct {
		Default string `json:"default"`
		Email   string `json:"email"`
		SMS     string `json:"sms"`
	}{string(m.Document), m.Email, m.SMS}))

	// Text messages are marked as worth more than an advertisement's delay.
	// https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-topic.html
	attributes := map[string]types.MessageAttributeValue{"AWS.SNS.SMS.SMSType": attribute("Transactional")}
	n.size = len(text) + len(m.Subject)
	for name, value := range m.Attributes {
		attributes[name] = attribute(value)
		n.size += len(name) + len(value) + len("String")
	}
	n.message = m
	n.entry = types.PublishBatchRequestEntry{
		Message:           aws.String(text),
		MessageStructure:  aws.String("json"),
		Subject:           aws.String(m.Subject),
		MessageAttributes: attributes,
	}
}

func attribute(value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
}

// send makes one request of what fits into one, and tries again those that did
// not get through.
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

// try makes one request and returns what is worth another.
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
		*n.fault = unanswered
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
			*n.fault = nil
			s.tellCut(ctx, n)
		}
	}
	for _, failure := range out.Failed {
		n, ok := answered(failure.Id)
		if !ok {
			continue
		}
		code := aws.ToString(failure.Code)
		*n.fault = fmt.Errorf("%w: %s", ErrTopic, code)
		// Whether it is the sender's fault does not tell: throttling is, to SNS.
		if isContent(code) && !n.strip(code) {
			continue
		}
		again = append(again, n)
	}
	return again
}

// refused takes the error of a request that failed altogether. One that was
// refused for what is in it is taken apart, so that one message cannot keep the
// others back.
func (s *SNS) refused(ctx context.Context, batch []*sending, err error) (again []*sending) {
	told := fmt.Errorf("%w: %s", ErrTopic, awsclient.SafeMessage(err))
	for _, n := range batch {
		*n.fault = told
	}
	var answer smithy.APIError
	switch {
	case !errors.As(err, &answer):
		return nil // nobody answered, and the SDK has tried it again already
	case strings.HasPrefix(answer.ErrorMessage(), "Invalid parameter: TopicArn"):
		return nil // not what is in it, but where it goes
	case !isContent(answer.ErrorCode()) && awsclient.Status(err) != http.StatusRequestEntityTooLarge:
		return nil
	}
	if len(batch) > 1 {
		for _, n := range batch {
			s.send(ctx, []*sending{n})
		}
		return nil
	}
	if batch[0].strip(answer.ErrorCode()) {
		return batch
	}
	return nil
}

// strip replaces a message that was refused by its bare form. It reports false
// if that was refused as well.
func (n *sending) strip(code string) bool {
	if n.message.bare == nil {
		return false
	}
	n.set(n.message.bare)
	n.refusal = code
	return true
}

// tellCut notes that the bare form of a message was taken in its place.
func (s *SNS) tellCut(ctx context.Context, n *sending) {
	if n.refusal != "" {
		s.log.LogAttrs(ctx, slog.LevelWarn, "alert cut",
			slog.String("kind", string(n.message.Kind)), slog.String("error", n.refusal))
	}
}

// isContent reports whether a code says that a message is refused for what is
// in it.
func isContent(code string) bool {
	switch code {
	case "InvalidParameter", "InvalidParameterException", "InvalidParameterValue", "ParameterValueInvalid",
		"BatchRequestTooLong", "BatchRequestTooLongException", "ValidationException", "ValidationError":
		return true
	}
	return false
}
