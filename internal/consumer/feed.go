package consumer

import (
	"context"

	"github.com/ringback/ringback/internal/table"
)

// Record is one item of a feed.
type Record struct {
	// Sequence numbers the items in the order in which they were put. It only
	// grows, and no number is used twice.
	Sequence uint64
	// Item is the whole item; nil if it cannot be read.
	Item table.Item
	// Err says why the item cannot be read.
	Err error
}

// Feed is a durable stream of new items. It keeps a record until the checkpoints
// of all registered consumers have passed it. Its errors wrap
// [table.ErrUnavailable] once it is closed.
type Feed interface {
	// Register declares the names of all consumers. A consumer that is new begins
	// with the oldest record that is left; one that is missing loses its
	// checkpoint.
	Register(ctx context.Context, consumers ...string) error
	// Feed returns the records behind a sequence, oldest first, at most limit of
	// them. It waits until there is one, or until ctx ends.
	Feed(ctx context.Context, after uint64, limit int) ([]Record, error)
	// Records returns the records with these sequences, in this order.
	Records(ctx context.Context, sequences []uint64) ([]Record, error)
	// End returns the sequence of the last record, 0 if there was none yet.
	End() (uint64, error)
	// Checkpoint returns the sequence up to which a consumer is done.
	Checkpoint(consumer string) (uint64, error)
	// SetCheckpoint stores it.
	SetCheckpoint(ctx context.Context, consumer string, sequence uint64) error
}
