package addressbook

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/timing"
)

// Progress is how far a rebuild has come.
type Progress struct {
	// Contacts were brought up to date so far, and Written are the items that this
	// took.
	Contacts, Written int
	// After is where another rebuild can go on; "" for at the beginning. It holds
	// no number and no name, only JustCall's id of a contact.
	After table.Cursor
}

// rebuildBatch is how many contacts are rebuilt between two reports.
const rebuildBatch = 100

// Rebuild makes the book anew from the events in the table: first each contact under
// its numbers, then it takes contacts away from numbers where no event puts them any
// more, because the reading of numbers has changed. It begins after the After of
// another rebuild, or at the beginning. It reports its progress to done now and then,
// and returns it.
//
// It may run beside the consumer, and be repeated: what is right already is not
// written. The error is that of the table.
func (b *Book) Rebuild(ctx context.Context, after table.Cursor, done func(Progress)) (Progress, error) {
	r := rebuild{Book: b, done: done, right: make(map[table.Key]bool)}
	r.After = after
	if err := r.keepAll(ctx); err != nil {
		return r.Progress, err
	}
	return r.Progress, r.takeAway(ctx)
}

type rebuild struct {
	*Book
	Progress

	done func(Progress)
	// right are the items that were made by this rebuild.
	right map[table.Key]bool
}

// task is a contact to keep.
type task struct {
	contact string
	others  []string     // numbers where it may be
	end     table.Cursor // behind its events
}

func (r *rebuild) keepAll(ctx context.Context) error {
	var batch []task
	for item, err := range table.ScanAll(ctx, r.store, table.ContactSort, r.After) {
		if err != nil {
			return fmt.Errorf("look for contacts: %w", err)
		}
		if !isChange(item) {
			continue
		}
		contact := table.Text(item, table.PK)
		if len(batch) == 0 || batch[len(batch)-1].contact != contact {
			if len(batch) == rebuildBatch {
				if err := r.keepBatch(ctx, batch); err != nil {
					return err
				}
				batch = nil
			}
			batch = append(batch, task{contact: contact})
		}
		batch[len(batch)-1].end = table.PositionOf(table.Base, item).Cursor()
	}
	return r.keepBatch(ctx, batch)
}

func (r *rebuild) keepBatch(ctx context.Context, batch []task) error {
	if err := r.keepSideBySide(ctx, batch); err != nil || len(batch) == 0 {
		return err
	}
	r.Contacts += len(batch)
	r.After = batch[len(batch)-1].end
	r.done(r.Progress)
	return nil
}

// takeAway looks at what was not made by this rebuild.
func (r *rebuild) takeAway(ctx context.Context) error {
	var batch []task
	for item, err := range table.ScanAll(ctx, r.store, table.CallerPartition(""), "") {
		if err != nil {
			return fmt.Errorf("look for callers: %w", err)
		}
		key := table.KeyOf(item)
		if !strings.HasPrefix(key.SK, table.ContactSort) || r.right[key] || isTrue(item, table.Removed) {
			continue
		}
		number := strings.TrimPrefix(key.PK, table.CallerPartition(""))
		batch = append(batch, task{contact: key.SK, others: []string{number}})
		if len(batch) == rebuildBatch {
			if err := r.keepSideBySide(ctx, batch); err != nil {
				return err
			}
			batch = nil
		}
	}
	return r.keepSideBySide(ctx, batch)
}

func (r *rebuild) keepSideBySide(ctx context.Context, batch []task) error {
	var (
		mu    sync.Mutex
		first error // one is enough: mostly they are all the same
	)
	timing.SideBySide(batch, func(t task) {
		k, err := r.keep(ctx, t.contact, t.others...)
		mu.Lock()
		defer mu.Unlock()
		first = cmp.Or(first, err)
		r.Written += k.written
		for number := range k.stored {
			r.right[k.key(number)] = true
		}
	})
	return first
}
