package awsclient_test

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/awsclient"
)

func config(endpoint string) aws.Config {
	return aws.Config{
		Region:       "eu-central-1",
		BaseEndpoint: aws.String(endpoint),
		Credentials:  awsclient.StandInCredentials,
		HTTPClient:   awsclient.NewHTTPClient(),
	}
}

// server responds to each request with the next answer, then always with the last,
// and counts the calls.
func server(t *testing.T, answers ...http.HandlerFunc) (endpoint string, calls func() int) {
	t.Helper()
	var (
		mu sync.Mutex
		n  int
	)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		answer := answers[min(n, len(answers)-1)]
		n++
		mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, func() int {
		mu.Lock()
		defer mu.Unlock()
		return n
	}
}

func says(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for pair := range slices.Chunk(headers, 2) {
			w.Header().Set(pair[0], pair[1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestCallSendsTheRequestOfItsService(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		api                   awsclient.ServiceSpec
		operation             string
		target, scope, coding string
	}{
		{awsclient.DynamoDB, "PutItem", "DynamoDB_20120810.PutItem", "dynamodb", "application/x-amz-json-1.0"},
		{awsclient.SecretsManager, "GetSecretValue", "secretsmanager.GetSecretValue", "secretsmanager", "application/x-amz-json-1.1"},
		{awsclient.SQS, "SendMessage", "AmazonSQS.SendMessage", "sqs", "application/x-amz-json-1.0"},
	} {
		t.Run(tc.operation, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				got := []string{r.Method, r.URL.Path, r.Header.Get("X-Amz-Target"), r.Header.Get("Content-Type"), string(body)}
				if diff := cmp.Diff([]string{http.MethodPost, "/", tc.target, tc.coding, `{"a":1}`}, got); diff != "" || err != nil {
					t.Errorf("request (-want +got):\n%s%v", diff, err)
				}
				if scope := "/eu-central-1/" + tc.scope + "/aws4_request,"; !strings.Contains(r.Header.Get("Authorization"), scope) {
					t.Errorf("signed for %q, want %q", r.Header.Get("Authorization"), scope)
				}
				_, _ = io.WriteString(w, ` {"b":2} `)
			}))
			t.Cleanup(s.Close)
			got, err := awsclient.NewService(tc.api, config(s.URL)).Call(t.Context(), tc.operation, []byte(`{"a":1}`))
			if diff := cmp.Diff(` {"b":2} `, string(got)); diff != "" || err != nil {
				t.Errorf("answer (-want +got):\n%s%v", diff, err)
			}
		})
	}
}

func TestTransientErrorsAreRetried(t *testing.T) {
	t.Parallel()
	cut := func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	}
	for _, tc := range []struct {
		name   string
		answer http.HandlerFunc
		again  bool
	}{
		{"a throttle", says(400, `{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}`), true},
		{"a throttle by its status", says(429, `{"__type":"Odd"}`), true},
		{"a fault of the service", says(500, `{"__type":"InternalServerError"}`), true},
		{"a fault before the service", says(503, `<html>`), true},
		{"no answer", cut, true},
		{"an answer that is not the service's", says(200, `<html>`), true},
		{"an answer cut short", says(200, `{"a":`), true},
		{"an answer that was changed on the way", says(200, `{}`, "X-Amz-Crc32", "1"), true},
		{"a refusal that was changed on the way", says(400, `{"__type":"ValidationException"}`, "X-Amz-Crc32", "1"), true},
		{"a redirect", says(307, `{}`, "Location", "/elsewhere"), false},
		{"a fault of ours", says(400, `{"__type":"ValidationException"}`), false},
		{"a denial", says(403, `{"__type":"AccessDeniedException"}`), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			endpoint, calls := server(t, tc.answer, says(200, "{}"))
			_, err := awsclient.NewService(awsclient.SecretsManager, config(endpoint)).Call(t.Context(), "GetSecretValue", []byte("{}"))
			if again := err == nil; again != tc.again {
				t.Errorf("tried again = %t (%v), want %t", again, err, tc.again)
			}
			if n, want := calls(), map[bool]int{true: 2, false: 1}[tc.again]; n != want {
				t.Errorf("%d calls, want %d", n, want)
			}

			endpoint, calls = server(t, tc.answer, says(200, "{}"))
			service := awsclient.NewService(awsclient.SecretsManager, config(endpoint))
			if _, err := service.CallOnce(t.Context(), "GetSecretValue", []byte("{}")); err == nil || calls() != 1 {
				t.Errorf("CallOnce: %d calls, %v, want one and its error", calls(), err)
			}
		})
	}
}

func TestAttemptsEndAfterThree(t *testing.T) {
	t.Parallel()
	endpoint, calls := server(t, says(500, ""))
	_, err := awsclient.NewService(awsclient.SQS, config(endpoint)).Call(t.Context(), "SendMessage", []byte("{}"))
	var answer *awsclient.APIError
	if !errors.As(err, &answer) || answer.StatusCode != http.StatusInternalServerError || calls() != 3 {
		t.Errorf("%d calls, %v, want three and the last answer", calls(), err)
	}
}

// The functions' own time limits leave room for this.
func TestACallToASilentServiceFailsWithinSevenSeconds(t *testing.T) {
	t.Parallel()
	retryer := awsclient.NewRetryer()
	total := awsclient.AttemptTimeout
	for attempt := 1; attempt < retryer.MaxAttempts(); attempt++ {
		longest := time.Duration(0)
		for range 1000 { // pauses vary at random
			pause, err := retryer.RetryDelay(attempt, nil)
			if err != nil {
				t.Fatal(err)
			}
			longest = max(longest, pause)
		}
		total += longest + awsclient.AttemptTimeout
	}
	if total > 7*time.Second {
		t.Errorf("%d attempts take up to %v, want at most 7s", retryer.MaxAttempts(), total)
	}
}

// Otherwise a process that lives for weeks would run out of retry tokens.
func TestSuccessfulRetriesReturnTheirTokens(t *testing.T) {
	t.Parallel()
	const calls = 150
	failing, working := says(500, `{"__type":"InternalServerError"}`), says(200, "{}")
	var answers []http.HandlerFunc
	for range calls {
		answers = append(answers, failing, working)
	}
	endpoint, sent := server(t, answers...)
	atOnce := config(endpoint)
	atOnce.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}
	service := awsclient.NewService(awsclient.SQS, atOnce)
	for n := range calls {
		if _, err := service.Call(t.Context(), "SendMessage", []byte("{}")); err != nil {
			t.Fatalf("call %d: %v", n+1, err)
		}
	}
	if sent() != 2*calls {
		t.Errorf("%d attempts, want %d", sent(), 2*calls)
	}
}

// tokens is a policy that logs which tokens are taken and returned. It has the SDK's
// older interface, without GetAttemptToken.
type tokens struct{ log *[]string }

func (tokens) IsErrorRetryable(error) bool                  { return true }
func (tokens) MaxAttempts() int                             { return 5 }
func (tokens) RetryDelay(int, error) (time.Duration, error) { return 0, nil }
func (k tokens) GetInitialToken() func(error) error         { return k.take("attempt") }
func (k tokens) GetRetryToken(context.Context, error) (func(error) error, error) {
	return k.take("retry"), nil
}

func (k tokens) take(what string) func(error) error {
	*k.log = append(*k.log, what)
	return func(err error) error {
		*k.log = append(*k.log, fmt.Sprintf("%s given back, failed: %t", what, err != nil))
		return nil
	}
}

// waiting is a policy with the newer interface.
type waiting struct{ tokens }

func (k waiting) GetAttemptToken(context.Context) (func(error) error, error) {
	return k.take("awaited attempt"), nil
}

func TestTheRetryPolicyIsUsedAsTheSDKUsesIt(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		attempt string
		policy  func(log *[]string) aws.Retryer
	}{
		{"attempt", func(log *[]string) aws.Retryer { return tokens{log} }},
		{"awaited attempt", func(log *[]string) aws.Retryer { return waiting{tokens{log}} }},
	} {
		t.Run(tc.attempt, func(t *testing.T) {
			t.Parallel()
			var ours, sdks []string
			for log, call := range map[*[]string]func(aws.Config) error{
				&ours: func(c aws.Config) error {
					_, err := awsclient.NewService(awsclient.SQS, c).Call(t.Context(), "SendMessage", []byte("{}"))
					return err
				},
				&sdks: func(c aws.Config) error {
					_, err := sqs.NewFromConfig(c).ListQueues(t.Context(), &sqs.ListQueuesInput{})
					return err
				},
			} {
				endpoint, _ := server(t, says(500, "{}"), says(500, "{}"), says(200, "{}"))
				c := config(endpoint)
				c.Retryer = func() aws.Retryer { return tc.policy(log) }
				if err := call(c); err != nil {
					t.Fatal(err)
				}
				// The SDK returns the retry's token first, which makes no difference.
				slices.Sort(*log)
			}
			if diff := cmp.Diff(sdks, ours); diff != "" || !slices.Contains(ours, tc.attempt) {
				t.Errorf("(-SDK +ours):\n%s", diff)
			}
		})
	}
}

// A signature expires after five minutes, a role's credentials after an hour.
func TestEachAttemptIsSignedAgain(t *testing.T) {
	t.Parallel()
	var dates []string
	answer := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			dates = append(dates, r.Header.Get("X-Amz-Date"))
			if got := r.Header.Get("Authorization"); !strings.Contains(got, ";x-amz-security-token;") || r.Header.Get("X-Amz-Security-Token") != "session" {
				t.Errorf("the session's token is not signed: %s", got)
			}
			says(status, "{}")(w, r)
		}
	}
	endpoint, _ := server(t, answer(500), answer(500), answer(200))
	c := config(endpoint)
	c.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "s", SessionToken: "session"}, nil
	})
	service := awsclient.NewService(awsclient.SecretsManager, c)
	now := time.Date(2026, time.March, 20, 9, 8, 7, 0, time.UTC)
	service.Now = func() time.Time {
		now = now.Add(time.Second)
		return now
	}
	if _, err := service.Call(t.Context(), "GetSecretValue", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"20260320T090808Z", "20260320T090809Z", "20260320T090810Z"}, dates); diff != "" {
		t.Errorf("signed at (-want +got):\n%s", diff)
	}
}

func TestCallDoesNotWaitForARetryAfterItsDeadline(t *testing.T) {
	t.Parallel()
	endpoint, calls := server(t, says(500, ""))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := awsclient.NewService(awsclient.SQS, config(endpoint)).Call(ctx, "SendMessage", []byte("{}"))
	if err == nil || calls() > 1 {
		t.Errorf("%d calls, %v, want one and an error", calls(), err)
	}
}

func TestErrorResponses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		body    string
		headers []string
		want    awsclient.APIError
	}{
		{"DynamoDB", `{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"The conditional request failed"}`, nil, awsclient.APIError{Code: "ConditionalCheckFailedException", Message: "The conditional request failed"}},
		{"Secrets Manager", `{"__type":"ResourceNotFoundException","Message":"can't find"}`, nil, awsclient.APIError{Code: "ResourceNotFoundException", Message: "can't find"}},
		{"SQS has another code for queries", `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"none"}`, []string{"X-Amzn-Query-Error", "AWS.SimpleQueueService.NonExistentQueue;Sender"}, awsclient.APIError{Code: "AWS.SimpleQueueService.NonExistentQueue", Message: "none"}},
		{"the code in a header", `{"message":"m"}`, []string{"X-Amzn-Errortype", "aws#AccessDeniedException:http://internal.amazon.com/coral/"}, awsclient.APIError{Code: "AccessDeniedException", Message: "m"}},
		{"no error of a service", `<html>private`, nil, awsclient.APIError{}},
		{"members of other kinds", `{"__type":7,"message":{"a":"b"}}`, nil, awsclient.APIError{}},
		{"nothing", ``, nil, awsclient.APIError{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			endpoint, _ := server(t, says(400, tc.body, append(tc.headers, "X-Amzn-Requestid", "request-7")...))
			_, err := awsclient.NewService(awsclient.SecretsManager, config(endpoint)).Call(t.Context(), "GetSecretValue", []byte("{}"))
			var got *awsclient.APIError
			if !errors.As(err, &got) {
				t.Fatalf("got %v, want an answer", err)
			}
			tc.want.StatusCode, tc.want.RequestID = http.StatusBadRequest, "request-7"
			if diff := cmp.Diff(&tc.want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if strings.Contains(err.Error(), "private") || !strings.Contains(err.Error(), "request-7") {
				t.Errorf("the error says %q", err)
			}
		})
	}
}

func TestAResponseWithAMatchingChecksumIsAccepted(t *testing.T) {
	t.Parallel()
	const body = `{"Attributes":{}}`
	endpoint, calls := server(t, says(200, body, "X-Amz-Crc32", fmt.Sprint(crc32.ChecksumIEEE([]byte(body)))))
	got, err := awsclient.NewService(awsclient.DynamoDB, config(endpoint)).Call(t.Context(), "PutItem", []byte("{}"))
	if err != nil || string(got) != body || calls() != 1 {
		t.Errorf("%d calls, %s, %v, want one and what was answered", calls(), got, err)
	}
}

// A service accepts a signature for five minutes, and an execution environment's clock
// may have been frozen.
func TestAfterAClockSkewTheServicesTimeIsSigned(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		ahead time.Duration // the service's clock
		calls int           // for two calls of ours
	}{
		{0, 2},
		{6 * time.Minute, 3},
		{-time.Hour, 3},
	} {
		t.Run(tc.ahead.String(), func(t *testing.T) {
			t.Parallel()
			endpoint, calls := server(t, func(w http.ResponseWriter, r *http.Request) {
				now := time.Now().Add(tc.ahead).UTC()
				w.Header().Set("Date", now.Format(http.TimeFormat))
				signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
				if err != nil || now.Sub(signed).Abs() > 5*time.Minute {
					says(400, `{"__type":"com.amazon.coral.service#InvalidSignatureException"}`)(w, r)
					return
				}
				says(200, "{}")(w, r)
			})
			service := awsclient.NewService(awsclient.DynamoDB, config(endpoint))
			for range 2 {
				if _, err := service.Call(t.Context(), "PutItem", []byte("{}")); err != nil {
					t.Error(err)
				}
			}
			if calls() != tc.calls {
				t.Errorf("%d calls, want %d", calls(), tc.calls)
			}
		})
	}
}

func TestAWrongSignatureIsNotRetried(t *testing.T) {
	t.Parallel()
	endpoint, calls := server(t, says(400, `{"__type":"InvalidSignatureException"}`))
	_, err := awsclient.NewService(awsclient.DynamoDB, config(endpoint)).Call(t.Context(), "PutItem", []byte("{}"))
	var answer *awsclient.APIError
	if !errors.As(err, &answer) || answer.Code != "InvalidSignatureException" || calls() != 1 {
		t.Errorf("%d calls, %v, want one and its answer", calls(), err)
	}
}

// hosts collects the hosts of requests and sends none.
type hosts struct{ hosts []string }

func (h *hosts) Do(r *http.Request) (*http.Response, error) {
	h.hosts = append(h.hosts, r.URL.Scheme+"://"+r.URL.Host)
	return nil, errors.New("not sent")
}

// The SDK's clients know the hosts of every region.
func TestRequestsGoToTheSDKsHosts(t *testing.T) {
	t.Parallel()
	for _, region := range []string{
		"us-east-1", "eu-central-1", "ap-southeast-7", "me-central-1", "us-gov-west-1", "cn-north-1", "cn-northwest-1",
		"us-iso-east-1", "us-isob-east-1", "us-isof-south-1", "eu-isoe-west-1", "eusc-de-east-1",
	} {
		var want, got hosts
		sdk := aws.Config{
			Region: region, HTTPClient: &want, Credentials: awsclient.StandInCredentials,
			Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		}
		_, _ = dynamodb.NewFromConfig(sdk).DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("events")})
		_, _ = secretsmanager.NewFromConfig(sdk).GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("s")})
		_, _ = sqs.NewFromConfig(sdk).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: aws.String("q"), MessageBody: aws.String("b")})
		for _, api := range []awsclient.ServiceSpec{awsclient.DynamoDB, awsclient.SecretsManager, awsclient.SQS} {
			ours := sdk
			ours.HTTPClient = &got
			_, _ = awsclient.NewService(api, ours).CallOnce(t.Context(), "Operation", []byte("{}"))
		}
		if diff := cmp.Diff(want.hosts, got.hosts); diff != "" || len(got.hosts) != 3 {
			t.Errorf("%s (-SDK +ours):\n%s", region, diff)
		}
	}
}
