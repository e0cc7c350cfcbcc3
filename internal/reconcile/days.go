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
func (r *run) compareDays(ctx, walking context.Context, rows lister, name string, p *progress) {
	if p.Look == nil && !p.beginLook(r.today) {
		return
	}
	l, was := p.Look, *p.Look
	// A walk that goes on repeats rows.
	repeated := l.From.Lowest
	w := walk{
		run: r, cursor: l.From,
		wants: func(x, newest row) bool {
			return x.day >= l.First && !r.isTooOld(x, newest)
		},
		counts: func(x row, news bool) {
			if x.day < l.First || x.day > l.Last || repeated > 0 && x.id >= repeated {
				return
			}
			l.Listed++
			if news {
				l.Found++
			}
		},
	}
	err := w.over(ctx, rows(walking, l.From))
	if err != nil {
		w.stop(ctx, err)
	}
	r.Found += w.found
	r.logWalk(ctx, name, "day", &w)
	l.From = w.cursor
	switch {
	case err != nil:
		*l = was // else a page that is looked at again would count twice
	case !w.cut:
		p.Day, p.Look = l.Last, nil
		r.compare(walking, name, *l)
	}
}

// beginLook begins a comparison if a day is over that was not compared yet. Today is by the
// account's clock; "" if there was no call yet.
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
func (r *run) compare(ctx context.Context, name string, l look) {
	first, _ := time.Parse(time.DateOnly, l.First)
	last, _ := time.Parse(time.DateOnly, l.Last)
	attributes := []slog.Attr{
		slog.String("list", name), slog.String("first", l.First), slog.String("last", l.Last),
		slog.Int("listed", l.Listed), slog.Int("missing", l.Found),
	}
	if name != callsItem {
		r.log.LogAttrs(ctx, slog.LevelInfo, "day compared", attributes...)
		return
	}
	totals, err := r.client.Totals(ctx, first, last)
	if err != nil {
		// The rows were looked at all the same.
		r.log.LogAttrs(ctx, slog.LevelWarn, "day not compared", append(attributes, slog.String("error", err.Error()))...)
		return
	}
	r.log.LogAttrs(ctx, slog.LevelInfo, "day compared",
		append(attributes, slog.Int("counted", totals.Calls), slog.Int("residual", totals.Calls-l.Listed))...)
}
