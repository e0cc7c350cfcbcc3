package events

import (
	"cmp"
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
	}
)

// ParseTime reads a time as JustCall writes it: ISO 8601, "2024-03-21 9:08:22",
// or digits for the seconds or milliseconds since 1970. The result is in UTC,
// truncated to milliseconds, in the years 0 to 9999; ok is false for anything
// else, and for the first instant of year 1, which means "no time".
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

// inRange returns at in the form that sorts as text of a fixed width, and whether
// it has one.
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
