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

// Health returns up to when lists are complete. It makes one query.
func (l *Lookup) Health(ctx context.Context) (h Health, err error) {
	sign, err := table.LoadHealth(ctx, l.store)
	if err != nil {
		return Health{}, fmt.Errorf("look up the last sign of life: %w", err)
	}
	return Health{AsOf: sign.Arrived}, nil
}
