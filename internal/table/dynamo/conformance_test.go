package dynamo_test

import (
	"context"
	"testing"

	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/dynamo"
	"github.com/ringback/ringback/internal/table/dynamo/dynamostore"
)

// written is what a [dynamo.Writer] has written, read by the SDK's client.
type written struct {
	*dynamostore.Store

	writer *dynamo.Writer
}

func (w written) Put(ctx context.Context, item table.Item) (created bool, err error) {
	return w.writer.Put(ctx, item) //nolint:wrapcheck // tested as it is
}

func TestWriterConformance(t *testing.T) {
	tabletest.Endpoint(t) // skip once, not for each check
	tabletest.Run(t, "writer", func(t *testing.T) table.Store {
		config, name := tabletest.NewTable(t)
		return written{dynamostore.New(config, name), dynamo.NewWriter(config, name)}
	})
}
