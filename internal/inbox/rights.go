package inbox

import (
	"context"
	"errors"
	"math"
	"strconv"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/timing"
)

// What is said in place of a button, for want of a right.
const (
	noActs    = "Your AWS credentials may read the table and not write it, or have expired, so nothing can be claimed here: docs/lookups.md#access lists the rights that this needs. Then start “ringback inbox” again."
	noRelease = "Your AWS credentials may not store events, or have expired, so it cannot be taken in here: docs/lookups.md#access lists the rights that this needs. Then start “ringback inbox” again."
)

// checkRights takes the buttons away that the table would not obey. It asks for two writes that
// never happen, as they are to replace a version that no item reaches: AWS looks at the rights
// first. Each costs a write unit. What this does not find out, the table says when a button is
// pressed.
func (in *Inbox) checkRights(ctx context.Context) {
	if in.config.Acts == nil {
		return
	}
	timing.Indexes(2, func(i int) {
		partition, deny := table.CallerPartition(""), in.denyActs
		if i == 1 {
			partition, deny = table.CallPartition(""), in.denyRelease
		}
		const never = math.MaxInt64 - 1
		_, err := in.config.Acts.Update(ctx, table.Item{
			table.PK: attr.String(partition), table.SK: attr.String(table.EventMark), table.Version: attr.Number(strconv.FormatInt(never+1, 10)),
		}, never)
		if errors.Is(err, table.ErrDenied) {
			deny()
		}
	})
}

// denyActs takes the buttons about callers away.
func (in *Inbox) denyActs() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.readOnly = noActs
}

// denyRelease takes the button of refused deliveries away.
func (in *Inbox) denyRelease() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.noRelease = noRelease
}

// cannot returns why nobody can act, and why nobody can take a delivery in; "" if somebody can.
func (in *Inbox) cannot() (act, release string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.readOnly, in.noRelease
}
