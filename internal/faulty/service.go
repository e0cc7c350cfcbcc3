package faulty

import (
	"fmt"
	"net/http"
)

// DynamoDB's faults, as it words them. See
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html.
var (
	TableThrottled = table(http.StatusBadRequest, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException")
	TableDenied    = table(http.StatusBadRequest, "com.amazon.coral.service#AccessDeniedException")
	TableBroken    = table(http.StatusInternalServerError, "com.amazonaws.dynamodb.v20120810#InternalServerError")
)

func table(status int, code string) Fault {
	return Fault{Status: status, Body: fmt.Sprintf(`{"__type":%q,"message":"as asked for by the test"}`, code)}
}

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

func topic(status int, side, code string) Fault {
	return Fault{Status: status, Body: fmt.Sprintf(`<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">`+
		`<Error><Type>%s</Type><Code>%s</Code><Message>as asked for by the test</Message></Error>`+
		`<RequestId>9fa4a8e6-0000-5000-8000-000000000000</RequestId></ErrorResponse>`, side, code)}
}
