package hours

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ringback/ringback/events"
)

// Errors of [Parse], wrapped with what is wrong, where, and what to write.
var (
	ErrHours    = errors.New("business hours")
	ErrHolidays = errors.New("holidays")
)

// Lines has the calendars of a firm's lines.
type Lines struct {
	others Calendar
	named  map[string]Calendar // by lineKey
}

// Parse reads business hours and holidays, as people write them:
//
//	Mon-Fri 9:00-12:00, 13:00-17:30, Sat 10-13; Support=24/7; +14155550100=Mon-Fri 8am-8pm
//	2026-12-24 to 2027-01-01 Winter break, 2027-07-01 Canada Day
//
// Hours of one line follow its name or number; those without a name come first and
// hold for all other lines. Days without hours are closed; without any hours, the firm
// is always open. Hours may end after midnight, such as Fri 22:00-02:00.
//
// Holidays close the whole day for all lines, and the hours after midnight that begin
// on it. A name behind a date is for people.
//
// Both are in zone. The error joins what is wrong with either, and wraps [ErrHours]
// or [ErrHolidays].
func Parse(hours, holidays string, zone *time.Location) (Lines, error) {
	closed, holidaysErr := parseHolidays(holidays)
	others := Calendar{zone: zone, holidays: closed}
	l := Lines{others: others, named: make(map[string]Calendar)}
	var hoursErr error
	for n, part := range parts(hours, ';') {
		if err := l.read(part, n == 0); err != nil {
			hoursErr = fmt.Errorf("%w: %w", ErrHours, err)
			break
		}
	}
	if err := errors.Join(hoursErr, holidaysErr); err != nil {
		return Lines{}, err
	}
	return l, nil
}

// read reads the hours of one line, or, without a name, of all others.
func (l *Lines) read(p part, first bool) error {
	name, rest, named := p.cut('=')
	if !named {
		rest = p
	}
	switch {
	case strings.TrimSpace(rest.text) == "" && (named || !first):
		return rest.fault("has no hours", "write them, such as Support=Mon-Fri 9:00-17:00")
	case !named && !first:
		return p.fault("names no line", `write "Sales=`+strings.TrimSpace(p.text)+`" for a line, with a comma instead of the `+
			"semicolon if it belongs to the line before, or the hours of all other lines first")
	case named && lineKey(name.text) == "":
		return p.fault("names no line", "write its name or number before the =")
	}
	week, err := parseWeek(rest)
	if err != nil {
		return err
	}
	c := Calendar{zone: l.others.zone, week: week, holidays: l.others.holidays}
	if !named {
		l.others = c
		return nil
	}
	key := lineKey(name.text)
	if _, twice := l.named[key]; twice {
		return name.fault("has hours twice", "write all its hours behind one =, with commas between them")
	}
	l.named[key] = c
	return nil
}

// Of returns the calendar of a line, by its number or else by its name, in any letter
// case; either may be "".
func (l Lines) Of(number, name string) Calendar {
	for _, text := range []string{number, name} {
		if c, ok := l.named[lineKey(text)]; ok {
			return c
		}
	}
	return l.others
}

func lineKey(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	return cmp.Or(events.PhoneNumber(text), strings.ToLower(text))
}
