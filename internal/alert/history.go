package alert

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

const (
	// missedSpan is the time in which a caller's missed calls are counted.
	missedSpan = 24 * time.Hour
	// HistoryLength is how many of a caller's latest events are read: one page of
	// well under 100 KB.
	HistoryLength = 100
)

// readHistory adds to an alert what the table knows of the caller: the name and
// company in the newest contact event, and the number of calls missed in the 24
// hours up to this one. It is one query, of the latest [HistoryLength] events;
// older events are not counted, and older contacts not found.
func readHistory(ctx context.Context, store table.Store, a *Alert) error {
	if a.Caller == "" {
		return nil
	}
	page, err := store.Query(ctx, table.Query{
		Index:       table.GSI1,
		Partition:   table.PhonePartition(a.Caller),
		NewestFirst: true,
		Limit:       HistoryLength,
	})
	if err != nil {
		return fmt.Errorf("read the caller's history: %w", err)
	}

	// The index may lag behind and not hold this event yet.
	missed := map[string]bool{table.CallOf(a.Key): true}
	known := false
	for _, item := range page.Items {
		at := timeOf(item, table.OccurredAt)
		switch {
		case events.Kind(table.Text(item, table.Kind)) == events.KindContact:
			if !known {
				a.ContactName, a.Company = contactOf(item)
				known = true
			}
		case table.Text(item, table.Alert) == "":
		case !at.After(a.OccurredAt) && at.After(a.OccurredAt.Add(-missedSpan)):
			missed[table.CallOf(table.KeyOf(item))] = true
		}
	}
	a.MissedTimes = len(missed)
	return nil
}

func contactOf(item table.Item) (name, company string) {
	first, last := table.Text(item, "first_name"), table.Text(item, "last_name")
	name = cmp.Or(line(first+" "+last, maxName), table.Text(item, "name"), table.Text(item, "contact_name"))
	return name, table.Text(item, "company")
}
