package reconcile

import (
	"context"
	"log/slog"
	"time"
)

// maxDays is how many days are compared at once, after a time without runs.
const maxDays = 7

// compareDays looks once a day at all rows of the day before, and puts in what is missing: it
// appeared too late for the other walks. Calls are compared with the account's own count as
// well, to show what is counted and not listed. It counts no texts.
func (l *list) compareDays(ctx, walking context.Context) {
	if l.Look == nil && !l.beginLook(l.today) {
		return
	}
	days, was := l.Look, *l.Look
	// A walk that goes on repeats rows.
	repeated := days.From.Lowest
	w := walk{
		list: l, cursor: days.From,
		wants: func(x, newest row) bool {
			return x.day >= days.First && !l.isTooOld(x, newest)
		},
		counts: func(x row, news bool) {
			if x.day < days.First || x.day > days.Last || repeated > 0 && x.id >= repeated {
				return
			}
			days.Listed++
			if news {
				days.Found++
			}
		},
	}
	err := w.over(ctx, l.rows(walking, days.From))
	if err != nil {
		w.stop(ctx, err)
	}
	l.Found += w.found
	l.logWalk(ctx, "day", &w)
	days.From = w.cursor
	switch {
	case err != nil:
		*days = was // else a page that is looked at again would count twice
	case !w.cut:
		l.Day, l.Look = days.Last, nil
		l.compare(walking, *days)
	}
}

// beginLook begins a comparison if a day is over that was not compared yet. Today is by the
// account's clock; "" if there is no row yet.
func (p *progress) beginLook(today string) bool {
	now, err := time.Parse(time.DateOnly, today)
	if err != nil {
		return false
	}
	yesterday := now.Add(-day).Format(time.DateOnly)
	done, err := time.Parse(time.DateOnly, p.Day)
	if err != nil || p.Day >= yesterday {
		p.Day = yesterday // the first time, or done
		return false
	}
	first := done.Add(day)
	if earliest := now.Add(-maxDays * day); first.Before(earliest) {
		first = earliest
	}
	p.Look = &look{First: first.Format(time.DateOnly), Last: yesterday}
	return true
}

// compare says how many rows were missing, and how many calls the account counts that its list
// does not have.
func (l *list) compare(ctx context.Context, days look) {
	first, _ := time.Parse(time.DateOnly, days.First)
	last, _ := time.Parse(time.DateOnly, days.Last)
	attributes := []slog.Attr{
		slog.String("list", l.name), slog.String("first", days.First), slog.String("last", days.Last),
		slog.Int("listed", days.Listed), slog.Int("missing", days.Found),
	}
	if l.name != callsItem {
		l.log.LogAttrs(ctx, slog.LevelInfo, "day compared", attributes...)
		return
	}
	totals, err := l.client.Totals(ctx, first, last)
	if err != nil {
		// The rows were looked at all the same.
		l.log.LogAttrs(ctx, slog.LevelWarn, "day not compared", append(attributes, slog.String("error", err.Error()))...)
		return
	}
	l.log.LogAttrs(ctx, slog.LevelInfo, "day compared",
		append(attributes, slog.Int("counted", totals.Calls), slog.Int("residual", totals.Calls-days.Listed))...)
}
