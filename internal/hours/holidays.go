package hours

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// maxHolidays limits the days of one range: a longer one is a typing error.
const maxHolidays = 366

var (
	// oneOrTwo is a date, or two with what people write between them, and a name.
	oneOrTwo = regexp.MustCompile(`^\s*(\d{4}-\d{2}-\d{2})(?:\s*(?:\.\.+|…|/|to|until|[‐-―−-])\s*(\d{4}-\d{2}-\d{2}))?(?:\s+(.*?)|\s*(\([^)]*\)))?\s*$`)
	digit    = regexp.MustCompile(`\d`)
)

// parseHolidays reads dates and ranges of dates, with names or without.
func parseHolidays(text string) (map[date]bool, error) {
	days := make(map[date]bool)
	for _, p := range parts(text, ',', ';', '\n') {
		m := oneOrTwo.FindStringSubmatch(p.text)
		switch {
		case m == nil && !digit.MatchString(p.text) && (len(days) > 0 || strings.TrimSpace(p.text) == ""):
			continue // the rest of a name
		case m == nil || digit.MatchString(m[3]+m[4]):
			return nil, holidayFault(p, "is no date")
		}
		first, err := time.Parse(time.DateOnly, m[1])
		if err != nil {
			return nil, holidayFault(p, "is no day of the calendar")
		}
		last := first
		if m[2] != "" {
			if last, err = time.Parse(time.DateOnly, m[2]); err != nil {
				return nil, holidayFault(p, "is no day of the calendar")
			}
		}
		switch n := int(last.Sub(first) / day); {
		case n < 0:
			return nil, holidayFault(p, "ends before it begins")
		case n >= maxHolidays:
			return nil, holidayFault(p, fmt.Sprintf("is more than %d days", maxHolidays))
		}
		for ; !first.After(last); first = first.Add(day) {
			days[first] = true
		}
	}
	return days, nil
}

func holidayFault(p part, wrong string) error {
	return fmt.Errorf("%w: %w", ErrHolidays,
		p.fault(wrong, "write year, month and day, such as 2026-12-25 or 2026-12-24 to 2027-01-01, with commas between them"))
}
