package lookup

import (
	"context"
	"fmt"
	"time"

	"github.com/ringback/ringback/internal/table"
)

// Health says up to when what is shown is known to be complete.
type Health struct {
	// AsOf is when the newest delivery arrived that was worked off; zero if nobody has
	// written that down.
	AsOf time.Time `json:"as_of,omitzero"`
}

// lastSign is the key of the item in which the consumers write down when the newest event
// arrived, and arrivedAt the attribute.
var lastSign = table.Key{PK: "HEALTH", SK: "LAST"}

const arrivedAt = "arrived_at"

// Health returns up to when lists are complete. It makes one query.
func (l *Lookup) Health(ctx context.Context) (h Health, err error) {
	page, err := l.store.Query(ctx, table.Query{Partition: lastSign.PK, From: lastSign.SK, To: lastSign.SK})
	if err != nil {
		return Health{}, fmt.Errorf("look up the last sign of life: %w", err)
	}
	for _, item := range page.Items {
		h.AsOf = timeOf(item, arrivedAt)
	}
	return h, nil
}
