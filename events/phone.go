package events

import "strings"

// A number has 15 digits at the most (E.164), and three at the least: shorter
// ones, "0" and "-1" among them, stand for "none".
const minPhoneDigits, maxPhoneDigits = 3, 15

// withheld are the numbers that stand for a caller who hid theirs: the words
// as they are spelt on a telephone's keys. The carrier behind JustCall sends
// them. See https://help.twilio.com/articles/223179988.
var withheld = map[string]string{
	"2562533":     "blocked",
	"266696687":   "anonymous",
	"7378742833":  "restricted",
	"8656696":     "unknown",
	"86282452253": "unavailable",
}

// PhoneNumber returns the number as "+" and its digits, so that one number has
// one spelling whichever format it came in; or "" where there is none: an empty
// text, a withheld caller, words, an address that is no number, too few or too
// many digits.
//
// A number without a country code cannot be told from one with it, and gets
// its "+" all the same.
func PhoneNumber(text string) string {
	digits := make([]byte, 1, 1+maxPhoneDigits)
	digits[0] = '+'
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case '0' <= c && c <= '9':
			digits = append(digits, c)
		case c == '+' && len(digits) == 1:
		case strings.IndexByte(" -.()/\t", c) >= 0:
		default:
			return ""
		}
	}
	number := string(digits[1:])
	_, hidden := withheld[number]
	if hidden || len(number) < minPhoneDigits || len(number) > maxPhoneDigits || strings.Trim(number, "0") == "" {
		return ""
	}
	return string(digits)
}
