package alert

import (
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The longest texts that an alert shows, in characters. What is longer stands
// whole in the table. With them the largest message stays under the 64 KB that
// SNS bills as one.
const (
	maxName          = 80
	maxReason        = 120
	maxTranscription = 2000
	maxURL           = 1000 // bytes: a link is shown whole or not at all
	maxID            = 400  // bytes: what a key takes
)

// clean makes of a caller's text one line that shows what it says: controls,
// line ends and the invisible characters that can turn a line's direction are
// taken out, and what is longer than limit characters is cut.
func clean(text string, limit int) (line string, whole bool) {
	var b strings.Builder
	length, gap := 0, false
	for _, r := range text {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r):
			gap = b.Len() > 0
			continue
		case r == utf8.RuneError, !unicode.IsGraphic(r):
			continue
		}
		width := 1
		if gap {
			width = 2
		}
		if length+width > limit {
			return cutLast(b.String(), length, limit), false
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		b.WriteRune(r)
		length += width
	}
	return b.String(), true
}

// cutLast ends a text of that many characters in an ellipsis, within limit.
func cutLast(text string, length, limit int) string {
	if length >= limit {
		_, last := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-last]
	}
	return strings.TrimRight(text, " ") + "…"
}

// line is clean for texts whose being cut need not be told.
func line(text string, limit int) string {
	text, _ = clean(text, limit)
	return text
}

// link returns an address that a mail program may make a link of, or "".
func link(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || len(address) > maxURL {
		return ""
	}
	return u.String()
}

// clock writes a time for a person.
func clock(at time.Time) string { return at.UTC().Format("2 January 2006, 15:04 UTC") }
