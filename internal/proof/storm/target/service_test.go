package target_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/proof/storm/play"
	"github.com/ringback/ringback/internal/proof/storm/target"
)

// A person learns which action failed, on what and why: the action is the right that may be missing.
func TestAnErrorNamesTheActionAndTheReason(t *testing.T) {
	t.Parallel()
	const (
		tableError = `{"__type":"com.amazonaws.dynamodb.v20120810#CODE","message":"may not"}`
		topicError = `<ErrorResponse><Error><Type>Sender</Type><Code>CODE</Code><Message>may not</Message></Error><RequestId>1</RequestId></ErrorResponse>`
		query      = "dynamodb:Query in us-east-1 of t: "
		list       = "sns:ListSubscriptionsByTopic on a: "
	)
	for _, tc := range []struct{ name, answer, code, action, reason string }{
		{"the table, denied", tableError, "AccessDeniedException", query, "AccessDeniedException"},
		{"the table, not there", tableError, "ResourceNotFoundException", query, "ResourceNotFoundException"},
		{"the table, nobody", "", "", query, "connection refused"},
		{"the topic, denied", topicError, "AuthorizationError", list, "AuthorizationError"},
		{"the topic, not there", topicError, "NotFound", list, "NotFound"},
		{"the topic, nobody", "", "", list, "connection refused"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusBadRequest)
				_, _ = io.WriteString(w, strings.ReplaceAll(tc.answer, "CODE", tc.code))
			}))
			t.Cleanup(service.Close)
			if tc.answer == "" {
				service.Close()
			}
			config := aws.Config{
				Region: "us-east-1", BaseEndpoint: aws.String(service.URL), Credentials: awsclient.StandInCredentials, RetryMaxAttempts: 1,
			}
			var err error
			if tc.action == query {
				_, _, err = target.Open(t.Context(), config, target.Stack{TableName: "t", TopicARN: "a"}, &play.Plan{})
			} else {
				_, err = target.Subscribe(t.Context(), config, "a", false)
			}
			if err == nil || !strings.HasPrefix(err.Error(), tc.action) || !strings.Contains(err.Error(), tc.reason) {
				t.Errorf("got %v, want %s… %s", err, tc.action, tc.reason)
			}
		})
	}
}

// A service that takes a request and says nothing does not hold the storm up for ever.
func TestAServiceThatSaysNothingIsGivenUp(t *testing.T) {
	t.Parallel()
	service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the end of the sender is not seen
		<-r.Context().Done()
	}))
	t.Cleanup(service.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // as its own deadline does
	defer cancel()
	_, _, err := target.Open(ctx, aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(service.URL), Credentials: awsclient.StandInCredentials,
	}, target.Stack{TableName: "t", TopicARN: "a"}, &play.Plan{})
	if err == nil || !strings.Contains(err.Error(), "deadline exceeded") {
		t.Errorf("got %v, want that there was no answer in time", err)
	}
}
