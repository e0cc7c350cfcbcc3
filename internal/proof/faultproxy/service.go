package faultproxy

import (
	"fmt"
	"net/http"
	"strings"
)

// DynamoDB's faults, as it words them. See
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html.
var (
	TableThrottled = inJSON(http.StatusBadRequest, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException")
	TableDenied    = inJSON(http.StatusBadRequest, "com.amazon.coral.service#AccessDeniedException")
	TableBroken    = inJSON(http.StatusInternalServerError, "com.amazonaws.dynamodb.v20120810#InternalServerError")
	// TableRefused is what an item or a query that the table cannot take is
	// answered.
	TableRefused = inJSON(http.StatusBadRequest, "com.amazon.coral.validate#ValidationException")
)

// SNS's faults, as it words them. See
// https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html and
// https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html.
var (
	TopicThrottled = topic(http.StatusBadRequest, "Sender", "Throttling")
	// TopicOverLimit is what the action's own limit answers.
	TopicOverLimit = topic(http.StatusTooManyRequests, "Sender", "Throttled")
	TopicDenied    = topic(http.StatusForbidden, "Sender", "AuthorizationError")
	TopicBroken    = topic(http.StatusInternalServerError, "Receiver", "InternalFailure")
	TopicTooLarge  = topic(http.StatusBadRequest, "Sender", "BatchRequestTooLong")
	TopicRefused   = topic(http.StatusBadRequest, "Sender", "InvalidParameter")
)

// SQS's faults, as it words them in its JSON protocol. See
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-json-api-responses.html,
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html and
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html.
var (
	QueueThrottled = inJSON(http.StatusBadRequest, "com.amazonaws.sqs#RequestThrottled")
	QueueDenied    = inJSON(http.StatusBadRequest, "com.amazon.coral.service#AccessDeniedException")
	QueueBroken    = inJSON(http.StatusInternalServerError, "com.amazon.coral.service#InternalFailure")
	QueueMissing   = inJSON(http.StatusBadRequest, "com.amazonaws.sqs#QueueDoesNotExist")
	// QueueRefused is what a message of other characters than a queue takes is
	// answered.
	QueueRefused = inJSON(http.StatusBadRequest, "com.amazonaws.sqs#InvalidMessageContents")
)

// Secrets Manager's faults, as it words them. See
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html and
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html.
var (
	SecretThrottled = inJSON(http.StatusBadRequest, "ThrottlingException")
	SecretDenied    = inJSON(http.StatusBadRequest, "AccessDeniedException")
	SecretBroken    = inJSON(http.StatusInternalServerError, "InternalServiceError")
	SecretMissing   = inJSON(http.StatusBadRequest, "ResourceNotFoundException")
	// SecretLocked is what is answered where the key of the secret cannot be
	// used.
	SecretLocked = inJSON(http.StatusBadRequest, "DecryptionFailure")
)

// message is what every fault says, until it is told to say something else.
const message = "as asked for by the test"

// inJSON is a fault of a service that speaks one of the AWS JSON protocols.
func inJSON(status int, code string) Fault {
	return Fault{Status: status, Body: fmt.Sprintf(`{"__type":%q,"message":%q}`, code, message)}
}

func topic(status int, side, code string) Fault {
	return Fault{Status: status, Body: fmt.Sprintf(`<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">`+
		`<Error><Type>%s</Type><Code>%s</Code><Message>%s</Message></Error>`+
		`<RequestId>9fa4a8e6-0000-5000-8000-000000000000</RequestId></ErrorResponse>`, side, code, message)}
}

// Saying returns the fault with another text in its message: a service may
// quote what it was sent.
func (f Fault) Saying(text string) Fault {
	f.Body = strings.Replace(f.Body, message, escape(text), 1)
	return f
}

// escape writes a text so that it may stand in JSON and in XML alike.
func escape(text string) string {
	return strings.NewReplacer(`\`, " ", `"`, " ", "<", " ", ">", " ", "&", " ", "\n", " ").Replace(text)
}
