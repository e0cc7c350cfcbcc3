package storm

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/timing"
)

// reader reads back what became of a plan.
type reader struct {
	plan  *Plan
	from  Target
	width int // how many partitions are read at a time

	// planned are the keys that the plan's events belong under, and those that
	// its strays would; places are their partitions.
	planned map[table.Key]struct{}
	places  map[string]struct{}
	// bodies returns the digests of what the plan posts as events.
	bodies func() map[string]struct{}
}

func newReader(plan *Plan, from Target, width int) *reader {
	r := &reader{
		plan: plan, from: from, width: width,
		planned: make(map[table.Key]struct{}, len(plan.Events)),
		places:  make(map[string]struct{}, len(plan.Events)),
	}
	add := func(key table.Key) {
		if key != (table.Key{}) {
			r.planned[key], r.places[key.PK] = struct{}{}, struct{}{}
		}
	}
	for i := range plan.Events {
		add(plan.Events[i].Key)
	}
	for i := range plan.Strays {
		add(plan.Strays[i].Key)
	}
	r.bodies = sync.OnceValue(r.digests)
	return r
}

// digests makes bodies.
func (r *reader) digests() map[string]struct{} {
	all := make(map[string]struct{}, len(r.plan.Deliveries))
	for i := range r.plan.Deliveries {
		all[table.BodyDigest(r.plan.Deliveries[i].Body)] = struct{}{}
	}
	for i := range r.plan.Strays {
		if s := &r.plan.Strays[i]; s.Key != (table.Key{}) {
			all[table.BodyDigest(s.Body)] = struct{}{}
		}
	}
	return all
}

// lookBefore looks whether something is where the plan's events belong, and
// returns [ErrPlayed] if they could not be told from that.
func (r *reader) lookBefore(ctx context.Context) error {
	if r.from.Fresh {
		return nil
	}
	found, err := r.events(ctx, slices.Collect(maps.Keys(r.places)), func(table.Item) bool { return true })
	if err != nil {
		return fmt.Errorf("storm: read the table: %w", err)
	}
	for _, key := range slices.Concat(found...) {
		if _, ours := r.planned[key]; ours || !shared(key.PK) {
			return ErrPlayed
		}
	}
	return nil
}

// ours reports whether an event came of the plan, and not of what somebody else
// has sent, before or meanwhile. In a fresh table, and in the partitions that
// nobody else has, every event did. Elsewhere what is not under a planned key is
// known by its body.
func (r *reader) ours(item table.Item) bool {
	key := table.KeyOf(item)
	_, planned := r.planned[key]
	_, near := r.places[key.PK]
	if r.from.Fresh || planned || near && !shared(key.PK) {
		return true
	}
	body, err := table.PayloadOf(item)
	if err != nil {
		return false
	}
	_, posted := r.bodies()[table.BodyDigest(body)]
	return posted
}

// lookAgain is the pause before what is missing is looked up again.
const lookAgain = time.Second

// read puts into seen what is kept of events, and what was rejected between two
// times. Where the stack may store what it has answered a while later, it looks
// up what is missing until it is there or waiting ends.
func (r *reader) read(ctx, waiting context.Context, seen *Result, since, until time.Time) error {
	found := make(map[string][]table.Key)
	look := slices.Collect(maps.Keys(r.places))
	for again := true; again; {
		keys, err := r.events(ctx, look, r.ours)
		if err != nil {
			return err
		}
		for i, pk := range look {
			found[pk] = keys[i]
		}
		if seen.Rejected, err = r.rejected(ctx, since, until); err != nil {
			return err
		}
		seen.Stored = slices.Concat(slices.Collect(maps.Values(found))...)
		again = r.from.Spills
		if again {
			look, again = r.missing(seen)
			again = again && timing.Sleep(waiting, lookAgain)
		}
	}
	return r.readElsewhere(ctx, seen)
}

// readElsewhere adds to seen the plan's events that are in other partitions than
// the plan's, where none belongs.
func (r *reader) readElsewhere(ctx context.Context, seen *Result) error {
	if r.from.Scan == nil {
		return nil
	}
	for item, err := range r.from.Scan(ctx) {
		if err != nil {
			return fmt.Errorf("all of it: %w", err)
		}
		key := table.KeyOf(item)
		if _, read := r.places[key.PK]; !read && isEvent(item) && r.ours(item) {
			seen.Stored = append(seen.Stored, key)
		}
	}
	seen.Scanned = true
	return nil
}

// isEvent tells an event from a mark or a rejection.
func isEvent(item table.Item) bool { return table.Text(item, table.Event) != "" }

// events returns the keys of the events in each of some partitions, of those that
// are wanted.
func (r *reader) events(ctx context.Context, partitions []string, wanted func(table.Item) bool) ([][]table.Key, error) {
	found := make([][]table.Key, len(partitions))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	for range r.width {
		all.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(partitions) {
					return
				}
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

// clocks is how far the stack's clock may be from ours.
const clocks = time.Hour

// rejected returns the keys of what was rejected between two times.
func (r *reader) rejected(ctx context.Context, since, until time.Time) ([]table.Key, error) {
	var found []table.Key
	since, until = since.Add(-clocks), until.Add(clocks)
	last := table.RejectedPartition(until)
	for day := since; ; day = day.Add(24 * time.Hour) {
		partition := table.RejectedPartition(day)
		if partition > last {
			return found, nil
		}
		for item, err := range table.All(ctx, r.from.Table, table.Query{Partition: partition, From: table.Time(since)}) {
			if err != nil {
				return nil, err
			}
			found = append(found, table.KeyOf(item))
		}
	}
}

// missing returns the partitions that lack an event, and whether anything is
// missing at all, rejections included.
func (r *reader) missing(seen *Result) (partitions []string, missing bool) {
	stored := make(map[table.Key]struct{}, len(seen.Stored))
	for _, key := range seen.Stored {
		stored[key] = struct{}{}
	}
	lack := make(map[string]struct{})
	for i := range r.plan.Events {
		key := r.plan.Events[i].Key
		if _, ok := stored[key]; !ok {
			lack[key.PK] = struct{}{}
		}
	}
	rejected := digests(seen.Rejected)
	for i := range r.plan.Strays {
		if s := &r.plan.Strays[i]; s.Kept && seen.Strays[i].tried() && !rejected[table.BodyDigest(s.Body)] {
			missing = true
		}
	}
	return slices.Collect(maps.Keys(lack)), missing || len(lack) > 0
}
