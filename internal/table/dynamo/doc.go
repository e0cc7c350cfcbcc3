// Package dynamo writes items to a DynamoDB table without the SDK's client, and turns
// DynamoDB's errors into those of package table.
//
// It is for the webhook function, whose cold start matters: the SDK's
// service/dynamodb allocates 0.7 MB before main begins. Everything else uses package
// dynamostore in this folder.
package dynamo
