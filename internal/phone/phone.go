package phone

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"github.com/ringback/ringback/events"
)

// ErrCountry means that no country with phone numbers has this code.
var ErrCountry = errors.New("unknown country")

// Book reads numbers as they are written in one country. The zero Book has no
// country: it reads only numbers with a country code.
type Book struct {
	country          string
	canonical, shown *memo // nil remembers nothing

	own map[string]bool // see WithOwn
}

// New returns a Book for a country, such as "US", or for none if it is "". The error
// wraps [ErrCountry].
func New(defaultCountry string) (Book, error) {
	if defaultCountry != "" && !phonenumbers.GetSupportedRegions()[defaultCountry] {
		return Book{}, fmt.Errorf("%w: %q, want two capital letters of ISO 3166, such as US or GB", ErrCountry, defaultCountry)
	}
	return Book{country: defaultCountry, canonical: new(memo), shown: new(memo)}, nil
}

// Country returns the country of the Book, "" for none.
func (b Book) Country() string { return b.country }

// Canonical returns the number that a text means, as "+" and its digits. All
// spellings that reach one phone have the same canonical number. It returns "" if
// the text has no number.
//
// The result is for comparing, not for dialling: of an Argentine mobile number it
// lacks the 9.
func (b Book) Canonical(text string) string {
	canonical := b.canonical.of(text, b.read)
	if canonical != text { // it is asked for as well, and means itself
		b.canonical.of(canonical, func(string) string { return canonical })
	}
	return canonical
}

func (b Book) read(text string) string {
	for {
		n := b.meant(text)
		if n.number == nil {
			return n.digits
		}
		canonical, respelled := canonicalOf(n.number)
		if !respelled {
			return canonical
		}
		text = canonical // what its canonical form means
	}
}

// Show returns the number that a text means for people to read and dial, in
// international format: "+44 20 7946 0148". A number from before its plan changed is
// shown as it is dialled today. A short code is shown as its digits, and a text without
// a number as it is.
func (b Book) Show(text string) string { return b.shown.of(text, b.show) }

func (b Book) show(text string) string {
	n := b.meant(text)
	switch {
	case n.digits == "":
		return text
	case n.number == nil && len(n.digits) <= 1+maxShortCode:
		return n.digits[1:]
	case n.number == nil:
		return n.digits
	}
	today := dialled(n.number)
	number := format(today)
	// The port's formats are not all right. One that changes a digit is not used. And
	// with blanks, digits that cannot be a number would look like one of another country.
	if shown := phonenumbers.Format(today, phonenumbers.INTERNATIONAL); isPossible(today) && events.PhoneNumber(shown) == number {
		return shown
	}
	return number
}

// dialled returns a number as it is dialled today.
func dialled(n *phonenumbers.PhoneNumber) *phonenumbers.PhoneNumber {
	if n.GetCountryCode() == argentina {
		return n // both forms can be dialled, and a mobile phone needs its 9
	}
	canonical, respelled := canonicalOf(n)
	if today := parse(canonical, ""); respelled && today != nil {
		return today
	}
	return n
}

func format(n *phonenumbers.PhoneNumber) string {
	return fmt.Sprintf("+%d%s", n.GetCountryCode(), phonenumbers.GetNationalSignificantNumber(n))
}

// plusSigns are the ways to write a "+".
const plusSigns = "+＋﹢"

// maxShortCode is how many digits a short code may have. No number with its country
// code has so few.
const maxShortCode = 6

// meaning is what a text means. Without a number, it is "+" and the digits, which
// are a short code or nothing that the plans know; or "" if there are none.
type meaning struct {
	number *phonenumbers.PhoneNumber
	digits string
}

// meant works out which number a text means. JustCall sends full numbers, mostly without
// "+"; people write national ones into contacts; and the webhook puts a "+" before
// both, so that it proves nothing. The first of these readings counts:
//
//  1. a short code is itself;
//  2. what begins with 0 or a bracket is a national number, if the country has numbers
//     of this length, unless the country's own code is in the bracket;
//  3. what somebody wrote with blanks, dashes or brackets and without "+" is a valid
//     national number, if the country writes its numbers with these digits, or if the
//     first group of digits is no country code;
//  4. a valid number with its country code;
//  5. a national number as the country writes it, if it is valid or written as in 3,
//     unless it begins with the country's own code;
//  6. a number with its country code, if the country has numbers of this length;
//  7. a national number, if it is valid, or if the country has numbers of this length and
//     its own code is not in front;
//  8. a number with a country code that exists;
//  9. only digits.
//
// Numbers as they were before the plan changed count too. So a number that the plans
// do not know yet stays what it is, if nothing else is more likely.
func (b Book) meant(text string) meaning {
	m := b.meantBy(text)
	if m.number == nil || format(m.number) == m.digits {
		return m
	}
	// What was read must mean itself, or a number would change each time it is read.
	return b.meant(format(m.number))
}

// meantBy is [Book.meant] for one reading.
func (b Book) meantBy(text string) meaning {
	text = events.NumberText(text)
	m := meaning{digits: events.PhoneNumber(text)}
	if m.digits == "" {
		return m
	}
	digits := m.digits[1:]
	home, abroad := parse(digits, b.country), parse(m.digits, "")
	if len(digits) <= maxShortCode {
		if home != nil && b.writesShort(digits) && phonenumbers.IsValidNumber(home) {
			m.number = home
		}
		return m
	}
	how := writtenAs(text, digits)
	asWritten := home != nil && writes(home, digits)
	foreign := home == nil || abroad == nil || abroad.GetCountryCode() != home.GetCountryCode()
	codeApart := isPossible(abroad) && how.first == strconv.Itoa(int(abroad.GetCountryCode()))
	switch {
	case how.national && isPossible(home) && (foreign || !codeApart),
		how.byHand && isValid(home) && (asWritten || !codeApart):
		m.number = home
	case abroad != nil && phonenumbers.IsValidNumber(abroad):
		m.number = abroad
	case asWritten && (isValid(home) || how.byHand && isPossible(home)) && (foreign || !isPossible(abroad)):
		m.number = home
	case isPossible(abroad):
		m.number = abroad
	case isValid(home), isPossible(home) && foreign:
		m.number = home
	default:
		m.number = abroad
	}
	return m
}

// parse reads digits as a number of a country, or with "+" as a number with its country
// code; nil if they are none.
func parse(text, country string) *phonenumbers.PhoneNumber {
	if country == "" && text[0] != '+' {
		return nil
	}
	n, err := phonenumbers.Parse(text, country)
	if err != nil {
		return nil
	}
	// The port cuts one 0 off where there are several. Whoever read the result would
	// cut off the next. Where it cut off none, to read it again would change nothing.
	for text != format(n) {
		shorter, err := phonenumbers.Parse(format(n), "")
		if err != nil || len(format(shorter)) >= len(format(n)) {
			break
		}
		n = shorter
	}
	if events.PhoneNumber(format(n)) == "" {
		return nil // too long
	}
	return n
}

// writing is how a number is written.
type writing struct {
	// national is set if the text begins as only a national number does, byHand if it
	// has no "+" and something between its digits.
	national, byHand bool
	// first is the first group of digits of a text without "+".
	first string
}

func writtenAs(text, digits string) writing {
	text = strings.TrimSpace(text)
	if digits[0] == '0' {
		return writing{national: true}
	}
	first := strings.IndexAny(text, "0123456789")
	if first < 0 || text[first] == '0' || strings.ContainsAny(text, plusSigns) {
		return writing{} // a "+", or 00 in place of it
	}
	group := text[first:]
	if end := strings.IndexFunc(group, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		group = group[:end]
	}
	return writing{
		national: strings.HasPrefix(text, "("),
		byHand:   !strings.Contains(text, digits),
		first:    group,
	}
}

// writes reports whether people of the number's country write it with just these
// digits.
func writes(n *phonenumbers.PhoneNumber, digits string) bool {
	return phonenumbers.NormalizeDigitsOnly(phonenumbers.Format(n, phonenumbers.NATIONAL)) == digits
}

// writesShort reports whether numbers of the country are as short as short codes.
func (b Book) writesShort(digits string) bool {
	for _, kind := range []phonenumbers.PhoneNumberType{phonenumbers.FIXED_LINE, phonenumbers.MOBILE} {
		example := phonenumbers.GetExampleNumberForType(b.country, kind)
		if example != nil && len(phonenumbers.GetNationalSignificantNumber(example)) == len(digits) {
			return true
		}
	}
	return false
}

// isPossible reports whether a whole number may have so many digits, today or before
// the plan changed.
func isPossible(n *phonenumbers.PhoneNumber) bool {
	if n == nil {
		return false
	}
	_, respelled := canonicalOf(n)
	return respelled || phonenumbers.IsPossibleNumberWithReason(n) == phonenumbers.IS_POSSIBLE
}

// isValid reports whether the port knows a number of today's plan, or of an earlier one
// in its new form.
func isValid(n *phonenumbers.PhoneNumber) bool {
	if n == nil {
		return false
	}
	if phonenumbers.IsValidNumber(n) {
		return true
	}
	canonical, respelled := canonicalOf(n)
	moved := parse(canonical, "")
	return respelled && moved != nil && phonenumbers.IsValidNumber(moved)
}
