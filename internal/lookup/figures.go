package lookup

import (
	"context"
	"time"

	"github.com/ringback/ringback/internal/figures"
	"github.com/ringback/ringback/internal/table"
)

// Figures say what became of the waits that began in some time: of each caller the last one.
type Figures struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"` // not included
	// Opened are all of them. Of these, Waiting go on, among them Unreached, whom several
	// attempts failed to reach; Expired go on, and nobody is reminded any more; Returned were
	// called back, Rescued rang again, and Otherwise ended otherwise.
	Opened    int `json:"opened"`
	Waiting   int `json:"waiting"`
	Unreached int `json:"unreached"`
	Expired   int `json:"expired"`
	Returned  int `json:"returned"`
	Rescued   int `json:"rescued"`
	Otherwise int `json:"otherwise"`
	// Talked are those that a conversation ended. Of these, so many took a quarter of an hour at
	// most, an hour, or ended on the same day, in business hours.
	Talked      int   `json:"talked"`
	Within15Min int   `json:"within_15_min"`
	Within1Hour int   `json:"within_1_hour"`
	SameDay     int   `json:"same_day"`
	WallP50     int64 `json:"p50_seconds"`
	WallP95     int64 `json:"p95_seconds"`
	BusinessP50 int64 `json:"business_p50_seconds"`
	BusinessP95 int64 `json:"business_p95_seconds"`
}

// Figures returns what became of the waits that began from one time on up to another. The errors
// are those of [Lookup.Unserved].
//
// It makes five queries for each day in UTC that is touched, one more for each further megabyte,
// and one for each caller whom nobody served at first.
func (l *Lookup) Figures(ctx context.Context, from, to time.Time) (Figures, error) {
	if err := l.checkSpan(from, to); err != nil {
		return Figures{}, err
	}
	calls, err := l.readCalls(ctx, table.AlertPartitions, from, to)
	if err != nil {
		return Figures{}, err
	}
	callers, err := l.callersOf(ctx, calls)
	if err != nil {
		return Figures{}, err
	}
	f := figures.Of(func(yield func(figures.Wait) bool) {
		for _, c := range callers {
			facts := c.stored.Facts
			facts.Person = c.stored.Person
			w, ok := figures.Last(facts, l.Policy, l.Lines, l.Now())
			if ok && !w.Since.Before(from) && w.Since.Before(to) && !yield(w) {
				return
			}
		}
	})
	seconds := func(d time.Duration) int64 { return int64(d.Seconds()) }
	return Figures{
		From: from.UTC(), To: to.UTC(),
		Opened: f.Opened, Waiting: f.Open, Unreached: f.Unreached, Expired: f.Expired,
		Returned: f.Returned, Rescued: f.Rescued, Otherwise: f.Otherwise,
		Talked: f.Talked, Within15Min: f.Within15Minutes, Within1Hour: f.WithinHour, SameDay: f.SameDay,
		WallP50: seconds(f.Wall.P50), WallP95: seconds(f.Wall.P95),
		BusinessP50: seconds(f.Business.P50), BusinessP95: seconds(f.Business.P95),
	}, nil
}
