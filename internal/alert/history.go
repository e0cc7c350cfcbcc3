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
	// missedSpan is how far back missed calls are counted.
	missedSpan = 24 * time.Hour
	// HistoryLength is how many of a caller's last events are looked at: one
	// page of well under 100 KB.
	HistoryLength = 100
)

// history adds to a what the table knows of the caller: the name and company
// of the newest contact event, and how many calls were missed in the 24 hours
// up to this one. It is one query. Of a caller with more than [HistoryLength]
// events in that time the count is of those, and a contact before them is not
// seen.
func history(ctx context.Context, store table.Store, a *Alert) error {
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

	// The index may not have this very event yet.
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
