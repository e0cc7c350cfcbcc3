package hours

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// part is a part of a text that people wrote, with the byte at which it begins.
type part struct {
	text  string
	whole string
	at    int
}

// parts splits a text.
func parts(text string, separators ...rune) []part {
	var all []part
	begin := 0
	for i, r := range text + string(separators[0]) {
		for _, s := range separators {
			if r == s {
				all = append(all, part{text[begin:i], text, begin})
				begin = i + utf8.RuneLen(r)
				break
			}
		}
	}
	return all
}

// cut splits a part in two at the first separator.
func (p part) cut(separator byte) (before, after part, found bool) {
	i := strings.IndexByte(p.text, separator)
	if i < 0 {
		return p, part{"", p.whole, p.at + len(p.text)}, false
	}
	return p.slice(0, i), p.slice(i+1, len(p.text)), true
}

func (p part) slice(from, to int) part { return part{p.text[from:to], p.whole, p.at + from} }

// fault says what is wrong with a part, where it stands, and what to write.
func (p part) fault(wrong, write string) error {
	blanks := len(p.text) - len(strings.TrimLeft(p.text, " \t\r\n"))
	place := utf8.RuneCountInString(p.whole[:p.at+blanks]) + 1
	return fmt.Errorf("%q, at character %d, %s: %s", strings.TrimSpace(p.text), place, wrong, write)
}

// word is what hours are made of. People write dashes of all kinds, and "to".
var word = regexp.MustCompile(`[^\s,‐-―−-]+|[‐-―−-]|,`)

const dashes = "-‐‑‒–—―−"

// token is a word: a day or days, a time, or a dash between two.
type token struct {
	part
	days  []time.Weekday
	clock clock
	kind  kind
}

type kind int

const (
	isDays kind = iota
	isTime
	isDash
	isComma
	isClosed
	isAlways
)

func tokens(p part) ([]token, error) {
	var all []token
	for _, at := range word.FindAllStringIndex(p.text, -1) {
		t := token{part: p.slice(at[0], at[1])}
		text := strings.ToLower(strings.Trim(t.text, ".:"))
		days, clock, isClock := daysOf(text), clock{}, false
		if days == nil {
			clock, isClock = parseClock(text)
		}
		switch {
		case text == ",", text == "and", text == "&":
			t.kind = isComma
		case text == "to", text == "till", text == "until", strings.Contains(dashes, text) && text != "":
			t.kind = isDash
		case text == "closed", text == "off":
			t.kind = isClosed
		case text == "24/7", text == "always":
			t.kind = isAlways
		case text == "am" || text == "pm" || text == "a.m" || text == "p.m":
			// "9 am": the time before it has no half of the day yet.
			if n := len(all); n > 0 && all[n-1].kind == isTime && all[n-1].clock.add(text) {
				whole := p.slice(all[n-1].at-p.at, at[1])
				all[n-1].part = whole
				continue
			}
			return nil, t.fault("stands behind no time", "write 9am or 5:30pm")
		case days != nil:
			t.kind, t.days = isDays, days
		case isClock:
			t.kind, t.clock = isTime, clock
		case text != "" && text[0] >= '0' && text[0] <= '9':
			return nil, t.fault("is no time of day", "write 9:00 or 9am, 17:30 or 5:30pm")
		default:
			return nil, t.fault("is no day of the week",
				"write Mon, Tue, Wed, Thu, Fri, Sat or Sun; dates on which you are closed are holidays, which have a setting of their own")
		}
		all = append(all, t)
	}
	return all, nil
}

// daysOf reads a day, such as mo, Mon or Mondays, or a word for several.
func daysOf(text string) []time.Weekday {
	switch text {
	case "weekday", "weekdays":
		return daysFrom(time.Monday, time.Friday)
	case "weekend", "weekends":
		return daysFrom(time.Saturday, time.Sunday)
	case "daily", "everyday":
		return daysFrom(time.Monday, time.Sunday)
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		name := strings.ToLower(d.String())
		if len(text) >= 2 && (strings.HasPrefix(name, text) || strings.HasPrefix(name, strings.TrimSuffix(text, "s")) && len(text) > 3) {
			return []time.Weekday{d}
		}
	}
	return nil
}

// daysFrom returns the days from one to another, over the week's end if need be.
func daysFrom(first, last time.Weekday) []time.Weekday {
	days := []time.Weekday{first}
	for d := first; d != last; {
		d = (d + 1) % 7
		days = append(days, d)
	}
	return days
}

// clock is a time of day as it was written.
type clock struct {
	hour, minute int
	half         string // "am" or "pm"; "" for the clock of 24 hours
	zero         bool   // the hour has a leading zero
}

var clockForm = regexp.MustCompile(`^(\d{1,2})(?:[:.h](\d{2})|h|(\d{2}))?(am|pm|a\.m|p\.m|a|p)?$`)

func parseClock(text string) (clock, bool) {
	switch text {
	case "noon":
		return clock{hour: 12, half: "pm"}, true
	case "midnight":
		return clock{hour: 12, half: "am"}, true
	}
	m := clockForm.FindStringSubmatch(text)
	if m == nil || m[3] != "" && len(m[1]) < 2 {
		return clock{}, false // 900 may be 9:00 or 90 something
	}
	hour, _ := strconv.Atoi(m[1])
	minute, _ := strconv.Atoi(m[2] + m[3])
	c := clock{hour: hour, minute: minute, zero: len(m[1]) > 1 && m[1][0] == '0'}
	if hour > 24 || minute > 59 || hour == 24 && minute > 0 {
		return clock{}, false
	}
	return c, m[4] == "" || c.add(m[4])
}

// add adds the half of the day. It returns false if that cannot be.
func (c *clock) add(half string) bool {
	if c.half != "" || c.hour < 1 || c.hour > 12 {
		return false
	}
	c.half = half[:1] + "m"
	return true
}

// minutes returns the minutes since midnight.
func (c clock) minutes() int {
	hour := c.hour
	if c.half != "" {
		hour %= 12
	}
	if c.half == "pm" {
		hour += 12
	}
	return hour*60 + c.minute
}

func clockText(minutes int) string { return fmt.Sprintf("%d:%02d", minutes/60, minutes%60) }

// halfText writes a time with am or pm.
func halfText(minutes int) string {
	at := date{}.Add(time.Duration(minutes) * time.Minute)
	return strings.Replace(at.Format("3:04pm"), ":00", "", 1)
}

// afternoon writes hours that were written as those of a morning or night.
func afternoon(s span) string {
	if s.to > s.from || s.from < 6*60 {
		s.from += minutesOfDay / 2
	}
	return clockText(s.from) + "-" + clockText(s.to+minutesOfDay/2)
}

// week collects the hours of a week.
type week struct {
	days   [7][]span
	source [7][]part // of each span
	closed [7]*part
}

// parseWeek reads the hours of a week; nil if there are none, which is always.
func parseWeek(p part) (*[7][]span, error) {
	all, err := tokens(p)
	always := len(all) > 0 && all[0].kind == isAlways
	if always && len(all) > 1 {
		return nil, all[1].fault("follows 24/7", "write one of the two")
	}
	if err != nil || len(all) == 0 || always {
		return nil, err
	}
	var w week
	r := reader{all: all}
	for !r.done() {
		if err := w.group(&r, p); err != nil {
			return nil, err
		}
	}
	if err := w.check(p); err != nil {
		return nil, err
	}
	return &w.days, nil
}

// reader steps through tokens.
type reader struct{ all []token }

func (r *reader) done() bool {
	for len(r.all) > 0 && r.all[0].kind == isComma {
		r.all = r.all[1:]
	}
	return len(r.all) == 0
}

// next takes the next token, commas aside, if it is of a kind.
func (r *reader) next(k kind) (t token, ok bool) {
	if r.done() || r.all[0].kind != k {
		return token{}, false
	}
	t, r.all = r.all[0], r.all[1:]
	return t, true
}

// group reads days and their hours: "Mon-Wed, Fri 9:00-12:00, 13:00-17:00".
func (w *week) group(r *reader, p part) error {
	days, named, err := readDays(r, p)
	if err != nil {
		return err
	}
	if closed, ok := r.next(isClosed); ok {
		for _, d := range days {
			w.closed[d] = &closed.part
		}
		return nil
	}
	last := span{}
	for n := 0; ; n++ {
		from, ok := r.next(isTime)
		if !ok {
			if n == 0 {
				return noHours(r, named)
			}
			return nil
		}
		s, source, err := readSpan(r, p, from)
		if err != nil {
			return err
		}
		if n > 0 && s.from < last.to {
			return source.fault("begins before "+clockText(last.to%minutesOfDay)+", when the hours before it end",
				"write the hours of a day in order, as a clock of 24 hours shows them, such as 9:00-12:00, 13:00-17:00")
		}
		last = s
		for _, d := range days {
			w.days[d] = append(w.days[d], s)
			w.source[d] = append(w.source[d], source)
		}
	}
}

// noHours is the error of days behind which no time stands.
func noHours(r *reader, named part) error {
	if !r.done() && r.all[0].kind == isAlways {
		return r.all[0].fault("stands among other hours", "write 0:00-24:00 for a whole day")
	}
	if !r.done() && named.text == "" {
		return r.all[0].fault("stands alone", "write days and hours, such as Mon-Fri 9:00-17:00")
	}
	day := strings.TrimSpace(named.text)
	return named.fault("has no hours", `write "`+day+` 9:00-13:00", "`+day+` 0:00-24:00" for the whole day, or leave it out if you are closed`)
}

// readDays reads days; without any, hours are those of every day.
func readDays(r *reader, p part) (days []time.Weekday, named part, err error) {
	for {
		first, ok := r.next(isDays)
		if !ok {
			break
		}
		if named.text == "" {
			named = first.part
		}
		if len(r.all) > 0 && r.all[0].kind == isDash {
			dash, _ := r.next(isDash)
			last, ok := r.next(isDays)
			if !ok || len(first.days) > 1 || len(last.days) > 1 {
				return nil, named, p.slice(first.at-p.at, dash.at+len(dash.text)-p.at).fault(
					"lacks the last day", "write a day on both sides of the dash, such as Mon-Fri")
			}
			first.days = daysFrom(first.days[0], last.days[0])
			first.part = p.slice(first.at-p.at, last.at+len(last.text)-p.at)
		}
		days = append(days, first.days...)
		named = p.slice(named.at-p.at, first.at+len(first.text)-p.at)
	}
	if days == nil {
		days = daysFrom(time.Monday, time.Sunday)
	}
	return days, named, nil
}

// readSpan reads the hours that begin with a time.
func readSpan(r *reader, p part, from token) (span, part, error) {
	if len(r.all) == 0 || r.all[0].kind != isDash {
		return span{}, part{}, from.fault("has no end", "write both times, such as 9:00-17:00")
	}
	dash, _ := r.next(isDash)
	to, ok := r.next(isTime)
	if !ok {
		return span{}, part{}, p.slice(from.at-p.at, dash.at+len(dash.text)-p.at).fault("has no end", "write both times, such as 9:00-17:00")
	}
	source := p.slice(from.at-p.at, to.at+len(to.text)-p.at)
	s := span{from.clock.minutes(), to.clock.minutes()}
	if s.to == 0 {
		s.to = minutesOfDay
	}
	if from.clock.hour == 24 {
		return s, source, source.fault("begins at the end of the day", "write 0:00 and the next day")
	}
	halves, plain := 0, true // plain hours may be those of a clock of twelve
	for _, c := range []clock{from.clock, to.clock} {
		if c.half != "" {
			halves++
		}
		plain = plain && (c.half != "" || c.hour >= 1 && c.hour <= 12)
	}
	switch {
	case halves == 1 && plain:
		return s, source, source.fault("says only of one time whether it is am or pm", "write 9am-5pm or 9:00-17:00")
	case halves == 0 && plain && (s.to <= s.from || from.clock.hour < 6 && !from.clock.zero):
		return s, source, source.fault("can mean two things", "write "+afternoon(s)+" or "+halfText(s.from)+"-"+halfText(s.to))
	case s.to == s.from:
		return s, source, source.fault("begins and ends at the same time", "write 0:00-24:00 for the whole day")
	case s.to < s.from:
		s.to += minutesOfDay
	}
	return s, source, nil
}

// check refuses hours that contradict each other.
func (w *week) check(p part) error {
	open := false
	for d := range w.days {
		open = open || len(w.days[d]) > 0
		if w.closed[d] != nil && len(w.days[d]) > 0 {
			return w.closed[d].fault("contradicts "+w.source[d][0].text, fmt.Sprintf("leave %v out of one of the two", time.Weekday(d)))
		}
		for i, s := range w.days[d] {
			for j, other := range w.days[d] {
				if j < i && s.from < other.to && other.from < s.to {
					return w.source[d][i].fault(fmt.Sprintf("and %s are both hours of %v", w.source[d][j].text, time.Weekday(d)),
						"give each day its hours once")
				}
			}
			tomorrow := (d + 1) % 7
			for j, other := range w.days[tomorrow] {
				if other.from+minutesOfDay < s.to {
					return w.source[d][i].fault(fmt.Sprintf("of %v lasts until %s of %v are under way",
						time.Weekday(d), w.source[tomorrow][j].text, time.Weekday(tomorrow)), "end one before the other begins")
				}
			}
		}
	}
	if !open {
		return p.fault("has only closed days", "write when you are open, such as Mon-Fri 9:00-17:00")
	}
	for d := range w.days {
		slices.SortFunc(w.days[d], func(a, b span) int { return a.from - b.from })
	}
	return nil
}
