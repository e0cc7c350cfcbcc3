// Package schema has the keys and indexes of the events table for the embedded
// store, for DynamoDB stand-ins and for tests. template.yaml defines them;
// events.go is generated from it by "make generate", and a test compares the two.
package schema
