package events

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// OccurredAt returns when the event happened, in UTC. It takes the first time
// that it finds:
//
//  1. in format A, the envelope's timestamp;
//  2. the data's own date and time;
//  3. in the other formats, the envelope's timestamp;
//  4. the time in the request id, which is a ULID;
//  5. sent, which the request's timestamp header gives; zero if it gives none;
//  6. received, when the delivery arrived here.
//
// 1 to 3 are [Delivery.KeyTime].
func (d *Delivery) OccurredAt(sent, received time.Time) time.Time {
	requested, _ := ulidTime(d.RequestID)
	// guard 4 ingest e2e: _ = requested; return cmp.Or(sent, received)
	return cmp.Or(d.KeyTime(), requested, sent, received)
}

// KeyTime returns the event's own time, in UTC, zero if it has none. Only this time
// may be part of a key: it is the same in every delivery. A redelivery may have
// another request id, and it has another header and arrival. With one of these in
// its key it would be stored a second time.
func (d *Delivery) KeyTime() time.Time {
	if d.Format == FormatA {
		return cmp.Or(d.StampedAt, d.DatedAt)
	}
	// guard 2 table e2e (NoClock|StoredOnceAlerted): requested, _ := ulidTime(d.RequestID); return cmp.Or(d.DatedAt, d.StampedAt, requested)
	return cmp.Or(d.DatedAt, d.StampedAt)
}

// The layouts that JustCall writes, and their near relatives. Those with a T are
// apart because every layout that does not fit costs an error. A time without a
// zone is UTC; the hour may be unpadded.
var (
	layouts = []string{
		"2006-01-02 15:04:05",
		"2006-01-02 15:04:05Z07:00",
		"2006-01-02 15:04",
	}
	layoutsWithT = []string{
		time.RFC3339,
		"2006-01-02T15:04:05",
		"2006-01-02T15:04:05Z0700",
		"20060102T150405Z07:00",
		"20060102T150405",
	}
)

// firstYear is the first whose times count. Programs write older ones where they have
// none, or by a mistake: the day before 1970 or 1900 from which they count, or a date's
// digits as if they were seconds. No telephone system that sends webhooks is so old.
const firstYear = 2000

// ParseTime reads a time as JustCall writes it: ISO 8601, "2024-03-21 9:08:22", or
// digits for the time since 1970. It also reads what other programs make of these: see
// [looseTime], [namedTime] and [epochTime]. The result is in UTC, truncated to milliseconds, in the
// years from [firstYear] to 9999; ok is false for anything else.
func ParseTime(text string) (at time.Time, ok bool) {
	text = strings.ToUpper(strings.TrimSpace(text)) // RFC 3339 allows t and z
	if strings.Trim(text, "0123456789.") == "" && strings.Count(text, ".") < 2 {
		return epochTime(text)
	}
	if before, _, ok := strings.Cut(text, "["); ok && strings.HasSuffix(text, "]") && strings.ContainsAny(before[min(len(before), len(time.DateOnly)):], "Z+-") {
		text = before // the zone's name, behind its offset
	}
	if text != "" && isLetter(text[0]) {
		at, _ := namedTime(text)
		return inRange(at) // which the zero time is not
	}
	layouts := layouts
	if strings.Contains(text, "T") {
		layouts = layoutsWithT
	}
	for _, layout := range layouts {
		if at, err := time.Parse(layout, text); err == nil {
			return inRange(at)
		}
	}
	if at, ok = looseTime(text); !ok {
		at, _ = namedTime(text)
	}
	return inRange(at)
}

// months are the beginnings of their names.
var months = [...]string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}

// namedTime reads a time with the English name of its month, as e-mails, servers and
// JavaScript write it: the day, the month and the year in any order, and perhaps the day of
// the week. Dashes may join the three. Behind it, the zone's name may stand in brackets.
func namedTime(text string) (time.Time, bool) {
	text, _, _ = strings.Cut(text, " (")
	if day, rest, ok := strings.Cut(text, "-"); ok && len(day) <= len("31") {
		if month, rest, ok := strings.Cut(rest, "-"); ok && isMonth(month) {
			text = day + " " + month + " " + rest
		}
	}
	var year, month, day string
	var clock []string
	for field := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ' ' || r == ',' }) {
		switch digits := strings.Trim(field, "0123456789") == ""; {
		case digits && len(field) == len("2006") && year == "":
			year = field
		case digits && len(field) <= len("31") && day == "":
			day = field
		case month == "" && isMonth(field):
			month = strconv.Itoa(1 + slices.Index(months[:], field[:3]))
		case len(clock) == 0 && (field == "AT" || isWeekday(field)):
		default:
			clock = append(clock, field)
		}
	}
	return looseTime(year + "-" + month + "-" + day + " " + strings.Join(clock, " "))
}

// isMonth reports whether a word in capitals is a month's name, or its first letters.
func isMonth(word string) bool {
	if len(word) < len("JAN") {
		return false
	}
	i := slices.Index(months[:], word[:3])
	return i >= 0 && strings.HasPrefix(strings.ToUpper(time.Month(1+i).String()), word)
}

func isWeekday(word string) bool {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if name := strings.ToUpper(day.String()); len(word) >= len("SUN") && strings.HasPrefix(name, word) {
			return true
		}
	}
	return false
}

// epochTime reads digits for the time since 1970, perhaps with a fraction, or fourteen
// for a date and a time of day: milliseconds so large are those of year 2286. They count
// seconds or, where these would be after year 5138, milliseconds. Where those would
// be after year 9999 they count microseconds, and then nanoseconds.
func epochTime(text string) (time.Time, bool) {
	const compact = "20060102150405"
	if len(text) == len(compact) {
		if at, err := time.Parse(compact, text); err == nil {
			return inRange(at)
		}
	}
	whole, fraction, _ := strings.Cut(text, ".")
	n, err := strconv.ParseUint(whole, 10, 63)
	if err != nil || n == math.MaxInt64 { // which means "never"
		return time.Time{}, false
	}
	const (
		firstMilliseconds = 100_000_000_000
		firstMicroseconds = 253_402_300_800_000
		firstNanoseconds  = 1000 * firstMicroseconds
	)
	at := int64(n)
	switch {
	case n >= firstNanoseconds:
		return inRange(time.Unix(0, at))
	case n >= firstMicroseconds:
		return inRange(time.UnixMicro(at))
	case n >= firstMilliseconds:
		return inRange(time.UnixMilli(at))
	}
	milliseconds, err := strconv.ParseUint((fraction + "000")[:3], 10, 63)
	if err != nil {
		return time.Time{}, false
	}
	return inRange(time.UnixMilli(at*1000 + int64(milliseconds)))
}

// blanks are those that no line breaks at. JavaScript writes the narrow one before AM and PM.
var blanks = strings.NewReplacer("\u202f", " ", "\u00a0", " ")

// looseTime reads a date with its year first, and a time of day behind it. Dash, slash
// or dot may stand in the date, and numbers may be unpadded. The time of day may have AM
// or PM, be 24:00, and have 60 seconds. A zone may be an offset, Z, UTC or GMT; no other
// name of a zone is unambiguous.
func looseTime(text string) (time.Time, bool) {
	c := cutter{rest: blanks.Replace(text), ok: true}
	year := c.number(4, 4)
	separator := c.oneOf("-/.")
	month := c.number(1, 2)
	c.ok = c.ok && separator != 0 && c.oneOf("-/.") == separator
	day := c.number(1, 2)
	between := c.rest
	c.rest = strings.TrimLeft(c.rest, " ,T")
	c.ok = c.ok && len(c.rest) < len(between)
	hour := c.number(1, 2)
	c.ok = c.ok && c.oneOf(":") != 0
	minute := c.number(1, 2)
	second := 0
	var fraction time.Duration
	if c.oneOf(":") != 0 {
		second = c.number(1, 2)
		if c.oneOf(".,") != 0 {
			fraction = c.fraction()
		}
	}
	switch half := c.half(); {
	case half == "":
	case half == "AM" && hour == 12:
		hour = 0
	case half == "PM" && hour < 12:
		hour += 12
	case half == "AM" && hour > 12:
		return time.Time{}, false
	}
	offset := c.zone()
	// The clock's range allows for the end of a day, and for a leap second.
	if !c.ok || c.rest != "" || minute > 59 || second > 60 || hour > 24 || hour == 24 && (minute > 0 || second > 0 || fraction > 0) {
		return time.Time{}, false
	}
	date := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if date.Day() != day || date.Month() != time.Month(month) {
		return time.Time{}, false
	}
	clock := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second
	return date.Add(clock + fraction - offset), true
}

// cutter cuts parts off the front of a text, as long as they are as expected.
type cutter struct {
	rest string
	ok   bool
}

// number cuts off a number of so many digits.
func (c *cutter) number(least, most int) (n int) {
	digits := 0
	for digits < most && digits < len(c.rest) && isDigit(c.rest[digits]) {
		n = 10*n + int(c.rest[digits]-'0')
		digits++
	}
	c.ok = c.ok && digits >= least
	c.rest = c.rest[digits:]
	return n
}

// oneOf cuts off one of the given bytes and returns it, 0 if there is none.
func (c *cutter) oneOf(bytes string) byte {
	if c.rest == "" || strings.IndexByte(bytes, c.rest[0]) < 0 {
		return 0
	}
	first := c.rest[0]
	c.rest = c.rest[1:]
	return first
}

// fraction cuts off the digits of a fraction of a second.
func (c *cutter) fraction() (fraction time.Duration) {
	unit := time.Second
	for c.ok = c.ok && c.rest != "" && isDigit(c.rest[0]); c.rest != "" && isDigit(c.rest[0]); c.rest = c.rest[1:] {
		unit /= 10
		fraction += unit * time.Duration(c.rest[0]-'0')
	}
	return fraction
}

// half cuts off AM or PM.
func (c *cutter) half() string {
	rest := strings.TrimLeft(c.rest, " ")
	for _, half := range []string{"AM", "PM", "A.M.", "P.M."} {
		if after, ok := strings.CutPrefix(rest, half); ok {
			c.rest = after
			return half[:1] + "M"
		}
	}
	return ""
}

// zone cuts off a zone, or two that say the same, as in "+0000 UTC".
func (c *cutter) zone() (offset time.Duration) {
	c.rest = strings.TrimLeft(c.rest, " ")
	for _, name := range []string{"Z", "UTC", "GMT"} {
		if after, ok := strings.CutPrefix(c.rest, name); ok {
			c.rest = strings.TrimLeft(after, " ")
			break
		}
	}
	sign := time.Duration(1)
	switch c.oneOf("+-") {
	case 0:
		return 0
	case '-':
		sign = -1
	}
	hours := c.number(1, 2)
	minutes := 0
	if c.oneOf(":") != 0 || c.rest != "" && isDigit(c.rest[0]) {
		minutes = c.number(2, 2)
	}
	c.ok = c.ok && hours < 24 && minutes < 60
	offset = sign * (time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute)
	if c.rest == " UTC" && offset == 0 || c.rest == " GMT" && offset == 0 {
		c.rest = ""
	}
	return offset
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func parseTimeValue(v jsontext.Value) (time.Time, bool) {
	if v.Kind() != '0' {
		return ParseTime(text(v))
	}
	number := integerText(string(v))
	if strings.ContainsAny(number, "eE") {
		f, err := strconv.ParseFloat(number, 64)
		if err != nil || f >= math.MaxInt64 {
			return time.Time{}, false
		}
		number = strconv.FormatFloat(f, 'f', -1, 64)
	}
	return ParseTime(number)
}

// inRange returns at in the form that sorts as text of a fixed width, and whether
// it has one.
func inRange(at time.Time) (time.Time, bool) {
	at = at.UTC().Truncate(time.Millisecond)
	// guard 3 events (ATimeThatIsNone): if at.IsZero() || at.Year() < 0 || at.Year() > 9999 {
	if at.Year() < firstYear || at.Year() > 9999 {
		return time.Time{}, false
	}
	return at, true
}

// ulidTime returns the time in a ULID's first ten letters. See
// https://github.com/ulid/spec.
func ulidTime(ulid string) (time.Time, bool) {
	const letters, timeLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ", 10
	if len(ulid) != 26 || ulid[0] > '7' {
		return time.Time{}, false
	}
	var ms int64
	for i := range len(ulid) {
		letter := ulid[i]
		if 'a' <= letter && letter <= 'z' {
			letter -= 'a' - 'A'
		}
		value := strings.IndexByte(letters, letter)
		if value < 0 {
			return time.Time{}, false
		}
		if i < timeLetters {
			ms = ms<<5 | int64(value)
		}
	}
	return inRange(time.UnixMilli(ms))
}
