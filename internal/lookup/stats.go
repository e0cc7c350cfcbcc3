package lookup

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/table"
)

// Stats says how many calls of some time ended how, and how soon callers were called back.
type Stats struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"` // not included
	// Rows are by line and hour, and Total is all of them.
	Rows  []StatsRow `json:"rows"`
	Total Counts     `json:"total"`
	// AnsweredKnown is set if all answered calls were counted. Otherwise those are that
	// were taken for unserved before.
	AnsweredKnown bool     `json:"answered_known"`
	Callback      Callback `json:"callback"`
}

// StatsRow counts the calls of one hour on one line.
type StatsRow struct {
	Line Line `json:"line,omitzero"`
	// Hour is when the hour begins, in the look-up's zone.
	Hour time.Time `json:"hour"`
	Counts
}

// Callback says how long callers waited until somebody called back and talked with them.
type Callback struct {
	// Calls is how many unserved calls ended so.
	Calls int `json:"calls"`
	// Half of them waited at most Median, and nine of ten Slow, in seconds.
	Median int64 `json:"median_seconds,omitzero"`
	Slow   int64 `json:"slow_seconds,omitzero"`
}

// Stats counts the calls from one time on up to another. The errors are those of
// [Lookup.Unserved], and so are the queries, with one more for each caller of all that time.
// Answered calls are in no index: scan counts them, and reads the whole table for that.
func (l *Lookup) Stats(ctx context.Context, from, to time.Time, scan bool) (s Stats, err error) {
	if err := l.checkSpan(from, to); err != nil {
		return s, err
	}
	calls, err := l.readUnserved(ctx, from, to)
	if err == nil {
		err = l.follow(ctx, calls)
	}
	if err != nil {
		return s, err
	}
	s = Stats{From: from.UTC(), To: to.UTC(), AnsweredKnown: scan, Rows: []StatsRow{}}
	rows := make(map[StatsRow]*Counts)
	count := func(call UnservedCall) {
		row := StatsRow{Line: Line{Number: call.Line.Number}, Hour: l.hour(call.At)}
		if rows[row] == nil {
			rows[row] = &Counts{}
		}
		rows[row].add(call)
		s.Total.add(call)
	}
	names := make(map[string]Line)
	listed := make(map[string]bool)
	var waits []int64
	for _, call := range calls {
		if call.FollowUp.State == Outgoing {
			continue
		}
		count(call)
		listed[call.source] = true
		names[call.Line.Number] = cmp.Or(call.Line, names[call.Line.Number])
		if call.FollowUp.State == Returned {
			waits = append(waits, int64(max(0, call.FollowUp.EndedAt.Sub(call.At)).Seconds()))
		}
	}
	s.Callback = callbackOf(waits)
	if scan {
		err = l.answered(ctx, from, to, func(call UnservedCall) {
			if !listed[call.source] {
				count(call)
				names[call.Line.Number] = cmp.Or(names[call.Line.Number], call.Line)
			}
		})
	}
	for row, counts := range rows {
		row.Line, row.Counts = names[row.Line.Number], *counts
		s.Rows = append(s.Rows, row)
	}
	slices.SortFunc(s.Rows, func(a, b StatsRow) int {
		return cmp.Or(cmp.Compare(a.Line.Label(), b.Line.Label()), cmp.Compare(a.Line.Number, b.Line.Number), a.Hour.Compare(b.Hour))
	})
	return s, err
}

func callbackOf(waits []int64) Callback {
	c := Callback{Calls: len(waits)}
	if c.Calls > 0 {
		slices.Sort(waits)
		c.Median, c.Slow = waits[(c.Calls-1)/2], waits[(9*c.Calls+9)/10-1]
	}
	return c
}

// answered reads the whole table for calls that somebody answered.
func (l *Lookup) answered(ctx context.Context, from, to time.Time, found func(UnservedCall)) error {
	const longest = 24 * time.Hour // between the events of one call
	var parts []events.Part
	var source string
	end := func() {
		f := events.Fold(parts...)
		at := cmp.Or(f.Start, f.FirstArrival)
		if f.Served() && !at.Before(from) && at.Before(to) {
			call := UnservedCall{Entry: Entry{At: at, Outcome: f.Outcome, Line: l.line(f.Line, f.LineName), source: source}}
			call.FollowUp.State = Answered
			found(call)
		}
		parts = nil
	}
	for item, err := range table.ScanAll(ctx, l.store, table.CallPartition(""), "") {
		if err != nil {
			return fmt.Errorf("count answered calls: %w", err)
		}
		key := table.KeyOf(item)
		if key.PK != source {
			end()
			source = key.PK
		}
		at := timeOf(item, table.OccurredAt)
		if table.IsEvent(key) && at.After(from.Add(-longest)) && at.Before(to.Add(longest)) {
			parts = append(parts, alert.PartOf(item))
		}
	}
	end()
	return nil
}
