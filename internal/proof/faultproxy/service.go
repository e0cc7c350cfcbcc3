package faultproxy

import (
	"fmt"
	"net/http"
	"strings"
)

// DynamoDB's errors, as it words them. See
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html.
var (
	TableThrottled = inJSON(http.StatusBadRequest, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException")
	TableDenied    = inJSON(http.StatusBadRequest, "com.amazon.coral.service#AccessDeniedException")
	TableBroken    = inJSON(http.StatusInternalServerError, "com.amazonaws.dynamodb.v20120810#InternalServerError")
	// TableRefused answers an item or a query that the table cannot accept.
	TableRefused = inJSON(http.StatusBadRequest, "com.amazon.coral.validate#ValidationException")
)

// SNS's errors, as it words them. See
// https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html and
// https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html.
var (
	TopicThrottled = topic(http.StatusBadRequest, "Sender", "Throttling")
	// TopicOverLimit answers requests over the action's own limit.
	TopicOverLimit = topic(http.StatusTooManyRequests, "Sender", "Throttled")
	TopicDenied    = topic(http.StatusForbidden, "Sender", "AuthorizationError")
	TopicBroken    = topic(http.StatusInternalServerError, "Receiver", "InternalFailure")
	TopicTooLarge  = topic(http.StatusBadRequest, "Sender", "BatchRequestTooLong")
	TopicRefused   = topic(http.StatusBadRequest, "Sender", "InvalidParameter")
)

// SQS's errors, as it words them in its JSON protocol. See
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-json-api-responses.html,
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html and
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html.
var (
	QueueThrottled = inJSON(http.StatusBadRequest, "com.amazonaws.sqs#RequestThrottled")
	QueueDenied    = inJSON(http.StatusBadRequest, "com.amazon.coral.service#AccessDeniedException")
	QueueBroken    = inJSON(http.StatusInternalServerError, "com.amazon.coral.service#InternalFailure")
	QueueMissing   = inJSON(http.StatusBadRequest, "com.amazonaws.sqs#QueueDoesNotExist")
	// QueueRefused answers a message with characters that a queue does not accept.
	QueueRefused = inJSON(http.StatusBadRequest, "com.amazonaws.sqs#InvalidMessageContents")
)

// Secrets Manager's errors, as it words them. See
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html and
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html.
var (
	SecretThrottled = inJSON(http.StatusBadRequest, "ThrottlingException")
	SecretDenied    = inJSON(http.StatusBadRequest, "AccessDeniedException")
	SecretBroken    = inJSON(http.StatusInternalServerError, "InternalServiceError")
	SecretMissing   = inJSON(http.StatusBadRequest, "ResourceNotFoundException")
	// SecretLocked is the answer if the secret's key cannot be used.
	SecretLocked = inJSON(http.StatusBadRequest, "DecryptionFailure")
)

// message is every fault's text, unless [Fault.Saying] replaces it.
const message = "as asked for by the test"

// inJSON is an error in the AWS JSON protocols.
func inJSON(status int, code string) Fault {
	return Fault{Status: status, Body: fmt.Sprintf(`{"__type":%q,"message":%q}`, code, message)}
}

func topic(status int, side, code string) Fault {
	return Fault{Status: status, Body: fmt.Sprintf(`<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">`+
		`<Error><Type>%s</Type><Code>%s</Code><Message>%s</Message></Error>`+
		`<RequestId>9fa4a8e6-0000-5000-8000-000000000000</RequestId></ErrorResponse>`, side, code, message)}
}

// Saying returns the fault with another text in its message: a service may quote
// what it was sent.
func (f Fault) Saying(text string) Fault {
	f.Body = strings.Replace(f.Body, message, escape(text), 1)
	return f
}

// escape makes a text safe in both JSON and XML.
func escape(text string) string {
	return strings.NewReplacer(`\`, " ", `"`, " ", "<", " ", ">", " ", "&", " ", "\n", " ").Replace(text)
}
