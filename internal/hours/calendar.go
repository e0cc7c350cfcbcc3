package hours

import (
	"iter"
	"slices"
	"time"
)

// Calendar says when a firm is open. The zero Calendar always is.
type Calendar struct {
	zone *time.Location // nil is UTC
	// week has the spans that begin on each day, in order and apart; nil is always.
	week     *[7][]span
	holidays map[date]bool
}

// span is from one minute of a day to another, exclusive; after midnight minutes
// count on.
type span struct{ from, to int }

// date is a day of the calendar, at midnight UTC whatever the zone.
type date = time.Time

const (
	day          = 24 * time.Hour
	minutesOfDay = 24 * 60
)

// Open reports whether the firm is open at t.
func (c Calendar) Open(t time.Time) bool { return c.NextOpening(t).Equal(t) }

// NextOpening returns the first instant, t or later, at which the firm is open.
func (c Calendar) NextOpening(t time.Time) time.Time {
	for from := range c.openings(t) {
		t = from
		break
	}
	return t
}

// Add returns the first instant at which the firm has been open for a while since
// start. If that is when it closes, it is the closing time, not the next opening. A
// while of 0 or less gives start.
func (c Calendar) Add(start time.Time, while time.Duration) time.Time {
	if while <= 0 {
		return start
	}
	for from, to := range c.openings(start) {
		if end := from.Add(while); !end.After(to) {
			return end
		}
		while -= to.Sub(from)
	}
	return start // not reached: there is always a next opening
}

// Between returns for how long the firm is open from a until b, 0 if b is not after a.
func (c Calendar) Between(a, b time.Time) (open time.Duration) {
	for from, to := range c.openings(a) {
		if !from.Before(b) {
			break
		}
		if to.After(b) {
			to = b
		}
		open += to.Sub(from)
	}
	return open
}

// EndOfDay returns the midnight that ends the day of t.
func (c Calendar) EndOfDay(t time.Time) time.Time {
	zone := c.zone
	if zone == nil {
		zone = time.UTC
	}
	year, month, today := t.In(zone).Date()
	return time.Date(year, month, today+1, 0, 0, 0, 0, zone)
}

// openings yields when the firm is open, from start on, for ever, in order. Where
// a day ends or the clocks change, one opening may follow the other at once.
func (c Calendar) openings(start time.Time) iter.Seq2[time.Time, time.Time] {
	zone := c.zone
	if zone == nil {
		zone = time.UTC
	}
	return func(yield func(from, to time.Time) bool) {
		for {
			// Until the clocks change next, the wall clock is UTC and an offset.
			local := start.In(zone)
			_, seconds := local.Zone()
			offset := time.Duration(seconds) * time.Second
			_, end := local.ZoneBounds()
			if !end.IsZero() && !end.After(start) {
				// Go 1.26 gives leap years 365 days here, and on their last day an end that
				// has passed: see findings/last-day-of-leap-years.sh.
				end = start.Truncate(day).Add(day)
			}
			from := start.UTC().Add(offset)
			for today := from.Truncate(day); end.IsZero() || today.Before(end.UTC().Add(offset)); today = today.Add(day) {
				for _, s := range c.on(today) {
					opens := latest(start, today.Add(time.Duration(s.from)*time.Minute-offset))
					closes := today.Add(time.Duration(s.to)*time.Minute - offset)
					if !end.IsZero() && closes.After(end) {
						closes = end
					}
					if opens.Before(closes) && !yield(opens, closes) {
						return
					}
				}
			}
			start = end
		}
	}
}

// on returns the spans of a day that end by midnight, in order.
func (c Calendar) on(today date) []span {
	switch {
	case c.holidays[today]:
		return nil
	case c.week == nil:
		return []span{{0, minutesOfDay}}
	}
	var spans []span
	// The hours after midnight belong to the day before: if that was a holiday, nobody
	// came to work.
	if yesterday := today.Add(-day); !c.holidays[yesterday] {
		for _, s := range c.week[yesterday.Weekday()] {
			if s.to > minutesOfDay {
				spans = append(spans, span{0, s.to - minutesOfDay})
			}
		}
	}
	for _, s := range c.week[today.Weekday()] {
		spans = append(spans, span{s.from, min(s.to, minutesOfDay)})
	}
	return spans
}

func latest(a, b time.Time) time.Time {
	return slices.MaxFunc([]time.Time{a, b}, time.Time.Compare)
}
