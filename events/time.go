package events

import (
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// The times that JustCall writes, and what stands close to them: those with a T
// and those without, since every layout that does not fit makes an error. A time
// without a zone is UTC; the hour may be unpadded.
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
	}
)

// ParseTime reads a time as JustCall writes it: ISO 8601, "2024-03-21 9:08:22",
// or digits for the seconds or milliseconds since 1970. The result is in UTC,
// truncated to milliseconds, in the years 0 to 9999; ok is false for anything
// else, and for the first instant of year 1, which stands for "no time".
func ParseTime(text string) (at time.Time, ok bool) {
	text = strings.ToUpper(strings.TrimSpace(text)) // RFC 3339 allows t and z
	if !strings.Contains(text, "-") {
		seconds, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			return time.Time{}, false
		}
		const firstMillisecondsSince1970 = 100_000_000_000 // as seconds: the year 5138
		if seconds < firstMillisecondsSince1970 {
			seconds *= 1000
		}
		return inRange(time.UnixMilli(int64(seconds)))
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
	return time.Time{}, false
}

func parseTimeValue(v jsontext.Value) (time.Time, bool) {
	if v.Kind() == '0' {
		return ParseTime(integerText(string(v)))
	}
	return ParseTime(text(v))
}

// inRange brings at into the form that sorts as text at a fixed width.
func inRange(at time.Time) (time.Time, bool) {
	at = at.UTC().Truncate(time.Millisecond)
	if at.IsZero() || at.Year() < 0 || at.Year() > 9999 {
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
