package alert_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/proof/logscan"
)

// api answers each entry as a test says: "" accepts it, a code refuses it, and a
// code after "!" says that the sender is at fault.
type api struct {
	answer   func(call int, e types.PublishBatchRequestEntry) string
	whole    func(call int, entries []types.PublishBatchRequestEntry) error
	calls    int
	accepted []types.PublishBatchRequestEntry
	largest  int
}

func (a *api) PublishBatch(_ context.Context, in *sns.PublishBatchInput, _ ...func(*sns.Options)) (*sns.PublishBatchOutput, error) {
	a.calls++
	size := 0
	ids := map[string]bool{}
	for _, e := range in.PublishBatchRequestEntries {
		size += len(*e.Message) + len(*e.Subject)
		if ids[*e.Id] {
			return nil, &smithy.GenericAPIError{Code: "BatchEntryIdsNotDistinct"}
		}
		ids[*e.Id] = true
	}
	a.largest = max(a.largest, size)
	if a.whole != nil {
		if err := a.whole(a.calls, in.PublishBatchRequestEntries); err != nil {
			return nil, err
		}
	}
	out := &sns.PublishBatchOutput{}
	for _, e := range in.PublishBatchRequestEntries {
		code := ""
		if a.answer != nil {
			code = a.answer(a.calls, e)
		}
		if code == "" {
			a.accepted = append(a.accepted, e)
			out.Successful = append(out.Successful, types.PublishBatchResultEntry{Id: e.Id})
			continue
		}
		code, sender := strings.CutPrefix(code, "!")
		out.Failed = append(out.Failed, types.BatchResultErrorEntry{Id: e.Id, Code: aws.String(code), SenderFault: sender})
	}
	return out, nil
}

func (a *api) subjects() (subjects []string) {
	for _, e := range a.accepted {
		subjects = append(subjects, *e.Subject)
	}
	return subjects
}

func isRedacted(e types.PublishBatchRequestEntry) bool {
	return strings.Contains(*e.Subject, "details in the table")
}

const (
	whole    = "Missed call: +14155550144 on Support"
	redacted = "Missed call, details in the table"
)

func messages(t *testing.T, n int) []alert.Message {
	t.Helper()
	return slices.Repeat([]alert.Message{messageOf(t, call("", "Support", "42"))}, n)
}

func TestPublish(t *testing.T) {
	t.Parallel()
	second := func(e types.PublishBatchRequestEntry) bool { return *e.Id == "1" }
	for _, tc := range []struct {
		name   string
		api    api
		n      int
		want   []string
		failed []int
		calls  int
	}{
		{"takes all in one request", api{}, 10, slices.Repeat([]string{whole}, 10), nil, 1},
		{
			"one that is throttled once is retried, alone",
			api{answer: func(call int, e types.PublishBatchRequestEntry) string {
				if call == 1 && second(e) {
					return "Throttled"
				}
				return ""
			}},
			3,
			[]string{whole, whole, whole},
			nil, 2,
		},
		{
			"one that fails each time fails alone",
			api{answer: func(call int, e types.PublishBatchRequestEntry) string {
				if call > 1 || second(e) {
					return "InternalError"
				}
				return ""
			}},
			3,
			[]string{whole, whole},
			[]int{1},
			3,
		},
		{
			"one that is throttled, which SNS calls the sender's fault, is not redacted",
			api{answer: func(call int, e types.PublishBatchRequestEntry) string {
				if call == 1 && second(e) {
					return "!Throttled"
				}
				return ""
			}},
			2,
			[]string{whole, whole},
			nil, 2,
		},
		{
			"one that is denied its key is not redacted",
			api{answer: func(int, types.PublishBatchRequestEntry) string { return "!KMSAccessDenied" }},
			1, nil,
			[]int{0},
			3,
		},
		{
			"one that is refused for its content goes out redacted",
			api{answer: func(_ int, e types.PublishBatchRequestEntry) string {
				if !isRedacted(e) {
					return "!InvalidParameter"
				}
				return ""
			}},
			1,
			[]string{redacted},
			nil, 2,
		},
		{
			"one that is refused even redacted fails",
			api{answer: func(int, types.PublishBatchRequestEntry) string { return "!InvalidParameter" }},
			1, nil,
			[]int{0},
			2,
		},
		{
			"a request that is refused for its content is sent one by one",
			api{whole: func(_ int, entries []types.PublishBatchRequestEntry) error {
				if len(entries) > 1 {
					return &smithy.GenericAPIError{Code: "BatchRequestTooLong"}
				}
				return nil
			}},
			3,
			[]string{whole, whole, whole},
			nil, 4,
		},
		{
			"a single one that is refused for its size goes out redacted",
			api{whole: func(_ int, entries []types.PublishBatchRequestEntry) error {
				if !isRedacted(entries[0]) {
					return &smithy.GenericAPIError{Code: "InvalidParameter"}
				}
				return nil
			}},
			1,
			[]string{redacted},
			nil, 2,
		},
		{
			"a single one that is refused for its size by the status alone goes out redacted",
			api{whole: func(_ int, entries []types.PublishBatchRequestEntry) error {
				if !isRedacted(entries[0]) {
					return &smithyhttp.ResponseError{
						Response: &smithyhttp.Response{Response: &http.Response{StatusCode: http.StatusRequestEntityTooLarge}},
						Err:      &smithy.GenericAPIError{Code: "UnknownError"},
					}
				}
				return nil
			}},
			1,
			[]string{redacted},
			nil, 2,
		},
		{
			"a topic that does not exist is asked once",
			api{whole: func(int, []types.PublishBatchRequestEntry) error {
				return &smithy.GenericAPIError{Code: "InvalidParameter", Message: "Invalid parameter: TopicArn"}
			}},
			3, nil,
			[]int{0, 1, 2},
			1,
		},
		{
			"a topic that is denied is asked once",
			api{whole: func(int, []types.PublishBatchRequestEntry) error {
				return &smithy.GenericAPIError{Code: "AuthorizationError", Message: "no sns:Publish"}
			}},
			2, nil,
			[]int{0, 1},
			1,
		},
		{
			"no answer fails all",
			api{whole: func(int, []types.PublishBatchRequestEntry) error { return context.DeadlineExceeded }},
			2, nil,
			[]int{0, 1},
			1,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			errs := alert.NewSNS(&tc.api, "arn:aws:sns:us-east-1:000000000000:alerts", logscan.Logger(t)).Publish(t.Context(), messages(t, tc.n))
			if diff := cmp.Diff(tc.failed, failed(errs)); diff != "" {
				t.Errorf("failed (-want +got):\n%s", diff)
			}
			for _, i := range tc.failed {
				if !errors.Is(errs[i], alert.ErrTopic) {
					t.Errorf("error %v, want %v", errs[i], alert.ErrTopic)
				}
			}
			if diff := cmp.Diff(tc.want, tc.api.subjects()); diff != "" {
				t.Errorf("accepted (-want +got):\n%s", diff)
			}
			if tc.api.calls != tc.calls {
				t.Errorf("%d requests, want %d", tc.api.calls, tc.calls)
			}
		})
	}
}

func TestAnAnswerThatLeavesAMessageOutIsAFailure(t *testing.T) {
	t.Parallel()
	silent := apiFunc(func(*sns.PublishBatchInput) (*sns.PublishBatchOutput, error) { return &sns.PublishBatchOutput{}, nil })
	errs := alert.NewSNS(silent, "arn", logscan.Logger(t)).Publish(t.Context(), messages(t, 2))
	if got := failed(errs); len(got) != 2 {
		t.Errorf("%d failed, want both", len(got))
	}
}

type apiFunc func(*sns.PublishBatchInput) (*sns.PublishBatchOutput, error)

func (f apiFunc) PublishBatch(_ context.Context, in *sns.PublishBatchInput, _ ...func(*sns.Options)) (*sns.PublishBatchOutput, error) {
	return f(in)
}

// Ten of the largest messages do not fit into one request.
func TestRequestsStayBelowTheLimitOfTheService(t *testing.T) {
	t.Parallel()
	body := voicemail(strings.Repeat(`"`, 300<<10))
	large := slices.Repeat([]alert.Message{messageOf(t, body)}, alert.MaxBatch)
	for i := range large {
		large[i].Email += strings.Repeat("x", 30<<10)
	}
	var to api
	if err := errors.Join(alert.NewSNS(&to, "arn", logscan.Logger(t)).Publish(t.Context(), large)...); err != nil {
		t.Fatal(err)
	}
	if len(to.accepted) != alert.MaxBatch || to.calls < 2 || to.largest > 256<<10 {
		t.Errorf("%d accepted in %d requests of up to %d bytes", len(to.accepted), to.calls, to.largest)
	}
}

func TestWhatATopicIsSent(t *testing.T) {
	t.Parallel()
	var to api
	m := messageOf(t, sample(t, "voicemail.received"))
	if err := errors.Join(alert.NewSNS(&to, "arn", logscan.Logger(t)).Publish(t.Context(), []alert.Message{m})...); err != nil {
		t.Fatal(err)
	}
	e := to.accepted[0]
	var forms map[string]string
	if err := json.Unmarshal([]byte(*e.Message), &forms); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"default": string(m.Document), "email": m.Email, "sms": m.SMS}
	if diff := cmp.Diff(want, forms); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
	attributes := map[string]string{}
	for name, value := range e.MessageAttributes {
		attributes[name] = *value.DataType + " " + *value.StringValue
	}
	if diff := cmp.Diff(map[string]string{
		"kind": "String voicemail", "line": "String +14155551234", "caller": "String +14155558765", "agent_id": "String 42", "outcome": "String voicemail",
		"AWS.SNS.SMS.SMSType": "String Transactional",
	}, attributes); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	if *e.MessageStructure != "json" || *e.Subject != m.Subject {
		t.Errorf("structure %q, subject %q", *e.MessageStructure, *e.Subject)
	}
}
