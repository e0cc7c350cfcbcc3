package storm

import (
	"context"
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
	from  table.Store
	width int // how many partitions are read at a time
}

// partitions returns those that the plan's events belong to, and those of its
// strays that have one.
func (r *reader) partitions() []string {
	distinct := make(map[string]struct{}, len(r.plan.Events))
	for i := range r.plan.Events {
		distinct[r.plan.Events[i].Key.PK] = struct{}{}
	}
	for i := range r.plan.Strays {
		if pk := r.plan.Strays[i].Key.PK; pk != "" {
			distinct[pk] = struct{}{}
		}
	}
	return slices.Collect(maps.Keys(distinct))
}

// lookAgain is the pause before what is missing is looked up again.
const lookAgain = time.Second

// read puts into seen what is kept of events, and what was rejected between two
// times. With again it looks up what is missing until it is there or ctx ends.
func (r *reader) read(ctx, waiting context.Context, seen *Result, since, until time.Time, again bool) error {
	found := make(map[string][]table.Key)
	for look := r.partitions(); ; {
		keys, err := r.events(ctx, look)
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
		if !again {
			return nil
		}
		var left bool
		if look, left = r.missing(seen); !left || !timing.Sleep(waiting, lookAgain) {
			return nil
		}
	}
}

// events returns the keys of the events in each of some partitions.
func (r *reader) events(ctx context.Context, partitions []string) ([][]table.Key, error) {
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
				for item, err := range table.All(ctx, r.from, table.Query{Partition: partitions[i]}) {
					if err != nil {
						cancel(err) // one is enough
						return
					}
					// The others are marks, beside the events.
					if table.Text(item, table.Event) != "" {
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
		for item, err := range table.All(ctx, r.from, table.Query{Partition: partition, From: table.Time(since)}) {
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
