// Package tabletest makes tables for tests: real ones, and fakes for code that only
// writes.
package tabletest

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/ringback/ringback/internal/awsclient"
	"github.com/ringback/ringback/internal/table/schema"
)

// EndpointVariable names the environment variable with the base URL of a
// DynamoDB to test against, such as http://127.0.0.1:4567.
const EndpointVariable = "DYNAMODB_ENDPOINT"

// tableTimeout is how long creating or deleting a table may take.
const tableTimeout = time.Minute

// Endpoint returns the base URL of the DynamoDB to test against. It skips the test
// if the environment names none.
func Endpoint(t testing.TB) string {
	t.Helper()
	endpoint := os.Getenv(EndpointVariable)
	if endpoint == "" {
		t.Skip("no DynamoDB to test against: set " + EndpointVariable + ", for example to http://127.0.0.1:4567")
	}
	return endpoint
}

// NewTable creates an empty table with a name of its own and the keys and indexes
// of template.yaml, and deletes it when the test ends. It skips the test if the
// environment names no DynamoDB.
func NewTable(t testing.TB) (config aws.Config, name string) {
	t.Helper()
	config = awsclient.StandIn(Endpoint(t))
	client := dynamodb.NewFromConfig(config)
	name = "ringback-" + rand.Text()
	if _, err := client.CreateTable(t.Context(), schema.Events().CreateTableInput(name)); err != nil {
		t.Fatalf("create table: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), tableTimeout)
		defer cancel()
		_, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String(name)})
		gone := errors.As(err, new(*types.ResourceNotFoundException)) // by a try whose answer came too late
		if err != nil && !gone {
			t.Errorf("delete table: %v", err)
		}
	})
	waiter := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 20*time.Millisecond, time.Second
	})
	if err := waiter.Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String(name)}, tableTimeout); err != nil {
		t.Fatalf("wait for table: %v", err)
	}
	return config, name
}

// TemplateVariable names another template.yaml for the tests to read.
const TemplateVariable = "RINGBACK_TEMPLATE"

// TemplatePath returns the path of template.yaml at the root of the module.
func TemplatePath(t testing.TB) string {
	t.Helper()
	if path := os.Getenv(TemplateVariable); path != "" {
		return path
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		path := filepath.Join(dir, "template.yaml")
		if _, err := os.Stat(path); err == nil {
			return path
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no template.yaml in this folder or above it")
		}
		dir = parent
	}
}
