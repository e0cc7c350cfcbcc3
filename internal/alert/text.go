package alert

import (
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The longest texts in an alert, in characters. The table has the whole text. With
// these limits the largest message stays under 64 KB, which SNS bills as one.
const (
	maxName          = 80
	maxReason        = 120
	maxTranscription = 2000
	maxURL           = 1000 // bytes; a longer link is left out
	maxID            = 400  // bytes; no part of a key is longer
)

// clean turns a caller's text into one line. It removes control characters, line
// ends and invisible characters, which can reverse a line's direction, and
// shortens the text to limit characters. whole reports that it was not shortened.
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

// cutLast ends a text of length characters with an ellipsis, within limit.
func cutLast(text string, length, limit int) string {
	if length >= limit {
		_, last := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-last]
	}
	return strings.TrimRight(text, " ") + "…"
}

// line is clean for callers that need not know whether the text was shortened.
func line(text string, limit int) string {
	text, _ = clean(text, limit)
	return text
}

// link returns an address if a mail program may turn it into a link, or else "".
func link(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || len(address) > maxURL {
		return ""
	}
	return u.String()
}

// clock formats a time for people.
func clock(at time.Time) string { return at.UTC().Format("2 January 2006, 15:04 UTC") }
