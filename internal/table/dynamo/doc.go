// Package dynamo writes items into a DynamoDB table without the SDK's client, and
// turns DynamoDB's errors into those of package table.
//
// The webhook's function links it, where weight is start time. Linked, the SDK's
// service/dynamodb makes 0.7 MB of allocations before main begins; everything that
// can afford that uses package dynamostore in this folder.
package dynamo
