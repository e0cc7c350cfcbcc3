package target_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/proof/storm/target"
)

// Whether a right is missing or nobody is there is told apart, for each service.
func TestWhyAServiceDoesNotHelpIsTold(t *testing.T) {
	t.Parallel()
	const (
		tableError = `{"__type":"com.amazonaws.dynamodb.v20120810#CODE","message":"may not"}`
		topicError = `<ErrorResponse><Error><Type>Sender</Type><Code>CODE</Code><Message>may not</Message></Error><RequestId>1</RequestId></ErrorResponse>`
	)
	for _, tc := range []struct {
		name, answer, code string
		of, reason         error
	}{
		{"the table, denied", tableError, "AccessDeniedException", target.ErrStore, target.ErrDenied},
		{"the table, not there", tableError, "ResourceNotFoundException", target.ErrStore, nil},
		{"the table, nobody", "", "", target.ErrStore, target.ErrSilent},
		{"the topic, denied", topicError, "AuthorizationError", target.ErrTopic, target.ErrDenied},
		{"the topic, not there", topicError, "NotFound", target.ErrTopic, nil},
		{"the topic, nobody", "", "", target.ErrTopic, target.ErrSilent},
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
			if errors.Is(tc.of, target.ErrStore) {
				_, err = target.Open(t.Context(), config, target.StackConfig{TableName: "t", TopicARN: "a"})
			} else {
				_, err = target.Subscribe(t.Context(), config, "a", false)
			}
			if !errors.Is(err, tc.of) || !strings.Contains(err.Error(), tc.code) {
				t.Errorf("got %v, want %v: %s", err, tc.of, tc.code)
			}
			for _, reason := range []error{target.ErrDenied, target.ErrSilent} {
				if want := errors.Is(reason, tc.reason); errors.Is(err, reason) != want {
					t.Errorf("got %v; that it is %q: want %t", err, reason, want)
				}
			}
		})
	}
}

// A service that takes a request and says nothing is one that does not answer.
func TestAServiceThatSaysNothingIsSilent(t *testing.T) {
	t.Parallel()
	service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the end of the sender is not seen
		<-r.Context().Done()
	}))
	t.Cleanup(service.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // as its own deadline does
	defer cancel()
	_, err := target.Open(ctx, aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(service.URL), Credentials: awsclient.StandInCredentials,
	}, target.StackConfig{TableName: "t", TopicARN: "a"})
	if !errors.Is(err, target.ErrSilent) {
		t.Errorf("got %v, want %v", err, target.ErrSilent)
	}
}
