package events

import "strings"

// A number has at most 15 digits (E.164) and at least three. Shorter ones, such as
// "0" and "-1", mean "none".
const minPhoneDigits, maxPhoneDigits = 3, 15

// withheld are the numbers that JustCall's carrier sends for callers who hide their
// own. They spell words on a telephone's keys. See
// https://help.twilio.com/articles/223179988.
var withheld = map[string]string{
	"2562533":     "blocked",
	"266696687":   "anonymous",
	"7378742833":  "restricted",
	"8656696":     "unknown",
	"86282452253": "unavailable",
}

// PhoneNumber returns the number as "+" and its digits, so that a number has the
// same spelling in both formats. It returns "" for anything else: an empty text, a
// withheld caller, words, an address, too few or too many digits.
//
// A number without its country code gets a "+" as well, because nothing shows that
// the code is missing.
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
