package table_test

import (
	"testing"

	"github.com/ringback/ringback/internal/table/tabletest"
)

func TestDynamoDBConformance(t *testing.T) {
	tabletest.Endpoint(t) // skip once, not for each check
	tabletest.Run(t, "dynamodb", tabletest.DynamoDB)
}
