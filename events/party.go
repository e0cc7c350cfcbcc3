package events

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// partyText returns what a value says of a party, as sent: the text of a string,
// the digits of a number, the number in an object or array, or, if there is none,
// the JSON itself. Null and empty values say nothing.
func partyText(v jsontext.Value) string {
	if v.Kind() == '"' && len(v) > len(`"{}"`) && (v[1] == '{' || v[1] == '[') {
		v = unwrapped(v)
	}
	switch v.Kind() {
	case '"', '0':
		return numberText(v)
	case 'n':
		return ""
	case '{', '[':
		if isEmpty(v) {
			return ""
		}
		if text, ok := numberIn(v, maxPartyDepth); ok {
			return text
		}
		return compact(v)
	default:
		return string(v)
	}
}

// maxPartyDepth is how deep in objects and arrays a number is looked for.
const maxPartyDepth = 4

// numberMembers are the members of an object that hold a party's number, best first,
// in the form of [bareName].
var numberMembers = []string{
	"e164", "internationalnumber", "internationalformat", "international", "phonenumber", "number", "phone", "msisdn", "telephone", "tel", "mobile", "callerid", "caller",
	"contactnumber", "from", "uri", "address", "value", "raw", "nationalnumber",
}

// numberIn returns the number in an object or array as sent. Without a number, it
// returns a text that says that it is withheld. ok is set if there is either.
func numberIn(v jsontext.Value, depth int) (text string, ok bool) {
	if depth == 0 {
		return "", false
	}
	var best candidate
	var code countryCode
	switch v.Kind() {
	case '[':
		eachElement(v, func(element jsontext.Value) {
			if text, ok := numberIn(element, depth-1); ok {
				best.offer(text, 0)
			}
		})
	case '{':
		eachMember(v, func(name string, value jsontext.Value) {
			if code.read(name, value) {
				return
			}
			text, ok := numberIn(value, depth-1)
			if !ok {
				return
			}
			if rank := slices.Index(numberMembers, bareName(name)); rank >= 0 {
				best.offer(text, rank)
				return
			}
			// Under a name that we do not know, only what cannot be anything else.
			nested := value.Kind() == '{' || value.Kind() == '['
			if nested || surelyNumber(text) && !strings.HasSuffix(bareName(name), "id") {
				best.offer(text, len(numberMembers))
			}
		})
	default:
		if isNumberText(v) {
			text = numberText(v)
			return text, v.Kind() != 'n' && (hasNumber(text) || Withheld(text))
		}
	}
	return code.before(best.text), best.found
}

// countryCode is what an object has beside a national number.
type countryCode struct{ country, area string }

// countryNames are the members with the digits of a country's code, by [bareName].
var countryNames = map[string]bool{
	"callingcode": true, "cc": true, "countrycallingcode": true, "countrycode": true, "dialcode": true, "dialingcode": true,
	"phonecountrycode": true,
}

// read takes a member that is a code, and reports whether it is one.
func (c *countryCode) read(name string, value jsontext.Value) bool {
	const longest = 3
	digits := strings.TrimLeft(digitsOf(numberText(value)), "0")
	switch name = bareName(name); {
	case digits == "":
		return false
	case countryNames[name] && len(digits) <= longest:
		c.country = digits
	case name == "areacode":
		c.area = digits
	default:
		return false
	}
	return true
}

// before returns a number with the code before it, or as it is if it may have one.
func (c *countryCode) before(text string) string {
	// A number of so many digits that begins with its country's code has it.
	const whole = 11
	digits, extension := digitsOf(text), ""
	if digits == "" {
		number, more := SplitNumber(text)
		if first := strings.IndexAny(text, "0123456789"); first >= 0 && number != "" && text[first] == number[1] {
			digits = number[1:] // without what stands behind them
		}
		if more != "" {
			extension = ";ext=" + more
		}
	}
	if c.country == "" || digits == "" || strings.ContainsRune(text, '+') || strings.HasPrefix(digits, "00") || !hasNumber(text) {
		return text
	}
	if c.area != "" && len(digits) < whole-len(c.area) && !strings.HasPrefix(digits, c.area) {
		digits = c.area + digits
	}
	if !leadingZero[c.country] {
		digits = strings.TrimPrefix(digits, "0")
	}
	if strings.HasPrefix(digits, c.country) && len(digits) >= whole {
		return "+" + digits + extension
	}
	return "+" + c.country + digits + extension
}

// candidate is the best text so far.
type candidate struct {
	text          string
	rank          int
	found, number bool
}

// offer takes a text that is better: a number before a withheld one, then by rank.
func (c *candidate) offer(text string, rank int) {
	number := hasNumber(text)
	if !c.found || number && !c.number || number == c.number && rank < c.rank {
		*c = candidate{text, rank, true, number}
	}
}

// surelyNumber reports whether a text is a number whatever the member's name: times
// and ids have no "+" and fewer digits.
func surelyNumber(text string) bool {
	number := PhoneNumber(text)
	return strings.HasPrefix(strings.TrimSpace(text), "+") && number != "" ||
		len(number) == len("+14155550120") || len(number) == len("+14155550120")+1
}

// compact returns JSON without white space between its tokens.
func compact(v jsontext.Value) string {
	compacted := v.Clone()
	if err := compacted.Compact(jsontext.AllowDuplicateNames(true), jsontext.PreserveRawStrings(true)); err != nil {
		return string(v)
	}
	return string(compacted)
}
