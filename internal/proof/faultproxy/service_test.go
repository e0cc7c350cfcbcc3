package faultproxy_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/proof/faultproxy"
)

// The services' own clients read of each fault what the service would tell them.
func TestFaultsAreReadAsTheServicesOwn(t *testing.T) {
	t.Parallel()
	p := faultproxy.New(t, "http://127.0.0.1:9") // is never asked
	config := aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(p.URL()), Credentials: awsclient.StandInCredentials,
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
	table := func(ctx context.Context) error {
		_, err := dynamodb.NewFromConfig(config).PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("events"), Item: map[string]dynamodbtypes.AttributeValue{}})
		return err
	}
	topic := func(ctx context.Context) error {
		_, err := sns.NewFromConfig(config).PublishBatch(ctx, &sns.PublishBatchInput{
			TopicArn: aws.String("arn:aws:sns:us-east-1:000000000000:alerts"), PublishBatchRequestEntries: []snstypes.PublishBatchRequestEntry{},
		})
		return err
	}
	queue := func(ctx context.Context) error {
		_, err := sqs.NewFromConfig(config).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String(p.URL()), MessageBody: aws.String("body")})
		return err
	}
	secret := func(ctx context.Context) error {
		_, err := secretsmanager.NewFromConfig(config).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String("webhook")})
		return err
	}
	for _, tc := range []struct {
		name   string
		ask    func(context.Context) error
		fault  faultproxy.Fault
		code   string
		status int
		again  bool // the SDK takes it for worth another attempt
	}{
		{"a table that throttles", table, faultproxy.TableThrottled, "ProvisionedThroughputExceededException", http.StatusBadRequest, true},
		{"a table that denies", table, faultproxy.TableDenied, "AccessDeniedException", http.StatusBadRequest, false},
		{"a table that breaks", table, faultproxy.TableBroken, "InternalServerError", http.StatusInternalServerError, true},
		{"a table that refuses", table, faultproxy.TableRefused, "ValidationException", http.StatusBadRequest, false},
		{"a topic that throttles", topic, faultproxy.TopicThrottled, "Throttling", http.StatusBadRequest, true},
		{"a topic that denies", topic, faultproxy.TopicDenied, "AuthorizationError", http.StatusForbidden, false},
		{"a topic that breaks", topic, faultproxy.TopicBroken, "InternalFailure", http.StatusInternalServerError, true},
		{"a queue that throttles", queue, faultproxy.QueueThrottled, "RequestThrottled", http.StatusBadRequest, true},
		{"a queue that denies", queue, faultproxy.QueueDenied, "AccessDeniedException", http.StatusBadRequest, false},
		{"a queue that breaks", queue, faultproxy.QueueBroken, "InternalFailure", http.StatusInternalServerError, true},
		{"a queue that is not there", queue, faultproxy.QueueMissing, "QueueDoesNotExist", http.StatusBadRequest, false},
		{"a queue that refuses", queue, faultproxy.QueueRefused, "InvalidMessageContents", http.StatusBadRequest, false},
		{"a secret that throttles", secret, faultproxy.SecretThrottled, "ThrottlingException", http.StatusBadRequest, true},
		{"a secret that denies", secret, faultproxy.SecretDenied, "AccessDeniedException", http.StatusBadRequest, false},
		{"a secret that breaks", secret, faultproxy.SecretBroken, "InternalServiceError", http.StatusInternalServerError, true},
		{"a secret that is not there", secret, faultproxy.SecretMissing, "ResourceNotFoundException", http.StatusBadRequest, false},
		{"a secret without its key", secret, faultproxy.SecretLocked, "DecryptionFailure", http.StatusBadRequest, false},
	} {
		t.Run(tc.name, func(t *testing.T) { // one after the other: they share the proxy
			p.Set(func(faultproxy.Request) faultproxy.Fault {
				return tc.fault.Saying(`Value "+14155550177" <at> 'from'` + "\n")
			})
			err := tc.ask(t.Context())
			var answer smithy.APIError
			if !errors.As(err, &answer) {
				t.Fatalf("got %v, want an answer of the service", err)
			}
			if answer.ErrorCode() != tc.code || awsclient.Status(err) != tc.status {
				t.Errorf("got %s with status %d, want %s with %d", answer.ErrorCode(), awsclient.Status(err), tc.code, tc.status)
			}
			if !strings.Contains(answer.ErrorMessage(), "+14155550177") {
				t.Errorf("it says %q, want what it was told to say", answer.ErrorMessage())
			}
			if got := retry.NewStandard().IsErrorRetryable(err); got != tc.again {
				t.Errorf("worth another attempt: %v, want %v", got, tc.again)
			}
		})
	}
}
