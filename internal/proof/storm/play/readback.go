package play

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/timing"
)

const (
	lookAgain = time.Second // before what is missing is looked up again
	clocks    = time.Hour   // how far the stack's clock may be from ours
)

type set[T comparable] map[T]bool

// reader reads back what became of a plan.
type reader struct {
	plan    *Plan
	from    *Target
	width   int            // how many partitions are read at a time
	planned set[table.Key] // what the plan's events belong under, and its strays would
	places  set[string]    // their partitions
	bodies  set[string]    // the digests of what the plan posts as events
}

func newReader(plan *Plan, from *Target, width int) *reader {
	r := &reader{plan, from, width, set[table.Key]{}, set[string]{}, set[string]{}}
	add := func(key table.Key, body []byte) {
		r.planned[key], r.places[key.PK], r.bodies[table.BodyDigest(body)] = true, true, true
	}
	for _, d := range plan.Deliveries {
		bodies := events.Split(d.Body) // of what is in a list, each is stored by itself
		for i, event := range d.All() {
			add(plan.Events[event].Key, bodies[i])
		}
	}
	for _, s := range plan.Strays {
		if s.Key != (table.Key{}) {
			add(s.Key, s.Body)
		}
	}
	return r
}

// lookBefore returns [ErrPlayed] if something is where the plan's events belong that could not be told from them.
func (r *reader) lookBefore(ctx context.Context) error {
	if r.from.Fresh {
		return nil
	}
	found, err := r.events(ctx, slices.Collect(maps.Keys(r.places)), func(table.Item) bool { return true })
	if err != nil {
		return fmt.Errorf("storm: read the table: %w", err)
	}
	for _, key := range slices.Concat(found...) {
		if r.planned[key] || !shared(key.PK) {
			return ErrPlayed
		}
	}
	return nil
}

// ours reports whether an event came of the plan, and not of what somebody else has sent. In a fresh table, and in
// the partitions that nobody else has, every event did. Elsewhere what is not under a planned key is known by its
// body.
func (r *reader) ours(item table.Item) bool {
	key := table.KeyOf(item)
	if r.from.Fresh || r.planned[key] || r.places[key.PK] && !shared(key.PK) {
		return true
	}
	body, err := table.PayloadOf(item)
	return err == nil && r.bodies[table.BodyDigest(body)]
}

// read puts into seen what is kept of events, and what was rejected since a time. Where the stack may store later
// what it has answered, it looks up what is missing until it is there or waiting ends.
func (r *reader) read(ctx, waiting context.Context, seen *Result, since, until time.Time) (err error) {
	found := make(map[string][]table.Key)
	for look := slices.Collect(maps.Keys(r.places)); ; {
		keys, err := r.events(ctx, look, r.ours)
		if err != nil {
			return err
		}
		for i, pk := range look {
			found[pk] = keys[i]
		}
		if seen.Rejected, err = r.rejected(ctx, since.Add(-clocks), until.Add(clocks)); err != nil {
			return err
		}
		seen.Stored = slices.Concat(slices.Collect(maps.Values(found))...)
		var missing bool
		if look, missing = r.missing(seen); !missing || !r.from.Spills || !timing.Sleep(waiting, lookAgain) {
			break
		}
	}
	if r.from.Act != nil {
		if seen.FollowUps, err = r.followUps(ctx); err != nil {
			return err
		}
	}
	if r.from.Scan == nil {
		return nil
	}
	// The plan's events that are in other partitions than the plan's, where none belongs.
	for item, err := range r.from.Scan(ctx) {
		if err != nil {
			return fmt.Errorf("all of it: %w", err)
		}
		if key := table.KeyOf(item); !r.places[key.PK] && isEvent(item) && r.ours(item) {
			seen.Stored = append(seen.Stored, key)
		}
	}
	seen.Scanned = true
	return nil
}

// followUps returns how each of the plan's callers stands.
func (r *reader) followUps(ctx context.Context) (map[string]table.Item, error) {
	all := make(map[string]table.Item)
	for _, caller := range r.plan.callers() {
		item, err := table.Get(ctx, r.from.Table, table.FollowUpKey(caller))
		if err != nil {
			return nil, fmt.Errorf("follow-ups: %w", err)
		}
		all[caller] = item
	}
	return all, nil
}

// isEvent tells an event from a mark or a rejection.
func isEvent(item table.Item) bool { return table.IsEvent(table.KeyOf(item)) }

// events returns the keys of the wanted events in each of some partitions.
func (r *reader) events(ctx context.Context, partitions []string, wanted func(table.Item) bool) ([][]table.Key, error) {
	found := make([][]table.Key, len(partitions))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	for range r.width {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(partitions) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				for item, err := range table.All(ctx, r.from.Table, table.Query{Partition: partitions[i]}) {
					if err != nil {
						cancel(err) // one is enough
						return
					}
					if isEvent(item) && wanted(item) {
						found[i] = append(found[i], table.KeyOf(item))
					}
				}
			}
		})
	}
	all.Wait()
	return found, context.Cause(ctx)
}

// rejected returns the keys of what was rejected between two times.
func (r *reader) rejected(ctx context.Context, since, until time.Time) (found []table.Key, err error) {
	for day := since; table.RejectedPartition(day) <= table.RejectedPartition(until); day = day.Add(24 * time.Hour) {
		query := table.Query{Partition: table.RejectedPartition(day), From: table.Time(since)}
		for item, err := range table.All(ctx, r.from.Table, query) {
			if err != nil {
				return nil, err
			}
			found = append(found, table.KeyOf(item))
		}
	}
	return found, nil
}

// missing returns the partitions that lack an event, and whether anything is missing at all, rejections included.
func (r *reader) missing(seen *Result) (partitions []string, missing bool) {
	stored, lack := set[table.Key]{}, set[string]{}
	for _, key := range seen.Stored {
		stored[key] = true
	}
	for _, e := range r.plan.Events {
		if !stored[e.Key] {
			lack[e.Key.PK], missing = true, true
		}
	}
	rejected := digests(seen.Rejected)
	for i, s := range r.plan.Strays {
		missing = missing || s.Kept && len(seen.Strays[i].Tries) > 0 && !rejected[table.BodyDigest(s.Body)]
	}
	return slices.Collect(maps.Keys(lack)), missing
}
