package lookup

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/figures"
)

// Stats says how many calls of some time ended how, and how soon callers were called back.
type Stats struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"` // not included
	// Rows are by line and hour, and Total is all of them.
	Rows     []StatsRow `json:"rows"`
	Total    Counts     `json:"total"`
	Callback Callback   `json:"callback"`
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
// [Lookup.Unserved], and the queries those of [Lookup.Tally], with one more for each caller
// whom nobody served at first.
func (l *Lookup) Stats(ctx context.Context, from, to time.Time) (s Stats, err error) {
	if err := l.checkSpan(from, to); err != nil {
		return s, err
	}
	calls, err := l.readCalls(ctx, bothLists, from, to)
	if err != nil {
		return s, err
	}
	answered := slices.IndexFunc(sortAnswered(calls), func(c DayCall) bool { return c.Outcome == events.Answered })
	if answered < 0 {
		answered = len(calls)
	}
	if err := l.follow(ctx, calls[:answered]); err != nil {
		return s, err
	}
	s = Stats{From: from.UTC(), To: to.UTC(), Rows: []StatsRow{}}
	rows := make(map[StatsRow]Counts)
	names := make(map[string]Line)
	var waits []time.Duration
	for _, call := range calls {
		counts := countsOf(call)
		if counts == (Counts{}) {
			continue
		}
		row := StatsRow{Line: Line{Number: call.Line.Number}, Hour: l.hour(call.At)}
		rows[row], s.Total = rows[row].Plus(counts), s.Total.Plus(counts)
		if known := names[call.Line.Number]; known.Name == "" {
			names[call.Line.Number] = cmp.Or(call.Line, known)
		}
		if call.FollowUp.State == Returned {
			waits = append(waits, max(0, call.FollowUp.EndedAt.Sub(call.At)))
		}
	}
	slices.Sort(waits)
	s.Callback = Callback{
		Calls: len(waits), Median: int64(figures.Percentile(waits, 50).Seconds()), Slow: int64(figures.Percentile(waits, 90).Seconds()),
	}
	for row, counts := range rows {
		row.Line, row.Counts = names[row.Line.Number], counts
		s.Rows = append(s.Rows, row)
	}
	slices.SortFunc(s.Rows, func(a, b StatsRow) int {
		return cmp.Or(cmp.Compare(a.Line.Label(), b.Line.Label()), cmp.Compare(a.Line.Number, b.Line.Number), a.Hour.Compare(b.Hour))
	})
	return s, nil
}

// sortAnswered puts the calls last that somebody answered at once.
func sortAnswered(calls []DayCall) []DayCall {
	rank := func(c DayCall) int {
		if c.Outcome == events.Answered {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(calls, func(a, b DayCall) int { return cmp.Compare(rank(a), rank(b)) })
	return calls
}
