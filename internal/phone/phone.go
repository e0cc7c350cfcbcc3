package phone

import (
	"errors"
	"fmt"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"github.com/ringback/ringback/events"
)

// ErrCountry means that a country is none that has numbers.
var ErrCountry = errors.New("no country")

// Book reads numbers as they are written in one country. The zero Book has no
// country: it reads only numbers with a country code.
type Book struct{ country string }

// New returns a Book for a country, such as "US", or for none if it is "". The error
// wraps [ErrCountry].
func New(defaultCountry string) (Book, error) {
	if defaultCountry != "" && !phonenumbers.GetSupportedRegions()[defaultCountry] {
		return Book{}, fmt.Errorf("%w: %q, want two capital letters such as US", ErrCountry, defaultCountry)
	}
	return Book{defaultCountry}, nil
}

// Canonical returns the number that a text means, as "+" and its digits. All
// spellings that reach one phone have the same canonical number. It returns "" if
// the text has no number.
//
// The result is for comparing, not for dialling: of an Argentine mobile number it
// lacks the 9.
func (b Book) Canonical(text string) string {
	n := b.meant(text)
	if n.number == nil {
		return n.digits
	}
	if moved := current(n.number); moved != nil {
		return format(moved)
	}
	return format(n.number)
}

// Show returns the number that a text means for people to read and dial, in
// international format: "+44 20 7946 0148". A short code is shown as its digits, and
// a text without a number as it is.
func (b Book) Show(text string) string {
	n := b.meant(text)
	switch {
	case n.digits == "":
		return text
	case n.number == nil && len(n.digits) <= 1+maxShortCode:
		return n.digits[1:]
	case n.number == nil:
		return n.digits
	}
	number := format(n.number)
	// The port's formats are not all right. One that changes a digit is not used.
	if shown := phonenumbers.Format(n.number, phonenumbers.INTERNATIONAL); events.PhoneNumber(shown) == number {
		return shown
	}
	return number
}

func format(n *phonenumbers.PhoneNumber) string {
	return "+" + fmt.Sprint(n.GetCountryCode()) + phonenumbers.GetNationalSignificantNumber(n)
}

// maxShortCode is how many digits a short code may have. No number with its country
// code has so few.
const maxShortCode = 6

// meaning is what a text means. Without a number, it is "+" and the digits, which
// are a short code or nothing that the plans know; or "" if there are none.
type meaning struct {
	number *phonenumbers.PhoneNumber
	digits string
}

// meant tells which number a text means. JustCall sends full numbers, mostly without
// "+"; people write national ones into contacts. The webhook puts a "+" before both, so
// that it proves nothing. The first reading of these counts:
//
//  1. A short code is itself.
//  2. What begins with 0 or a bracket is national.
//  3. A valid number with its country code.
//  4. A valid national number of a country that writes it so, without a leading 0.
//  5. A number with its country code as it was before a change of the plan.
//  6. A number with its country code of a possible length.
//  7. A national number of a possible length.
//  8. Only digits.
func (b Book) meant(text string) meaning {
	key := events.PhoneNumber(text)
	m := meaning{digits: key}
	if key == "" {
		return m
	}
	digits := key[1:]
	home := b.national(digits)
	if len(digits) <= maxShortCode {
		if home != nil && b.writesShort(digits) && phonenumbers.IsValidNumber(home) {
			m.number = home
		}
		return m
	}
	if digits[0] == '0' || strings.HasPrefix(strings.TrimSpace(text), "(") {
		if home != nil && isPossible(home) {
			m.number = home
			return m
		}
	}
	abroad, err := phonenumbers.Parse(key, "")
	if err != nil {
		abroad = nil
	}
	possible := abroad != nil && isPossible(abroad)
	switch {
	case possible && phonenumbers.IsValidNumber(abroad):
		m.number = abroad
	case home != nil && phonenumbers.IsValidNumber(home) && b.writes(home, digits) &&
		!(possible && abroad.GetCountryCode() == home.GetCountryCode()):
		m.number = home
	case abroad != nil && current(abroad) != nil, possible:
		m.number = abroad
	case home != nil && isPossible(home):
		m.number = home
	case abroad != nil:
		m.number = abroad
	}
	return m
}

// national reads digits as a number of the book's own country; nil if they are none.
func (b Book) national(digits string) *phonenumbers.PhoneNumber {
	if b.country == "" {
		return nil
	}
	n, err := phonenumbers.Parse(digits, b.country)
	if err != nil {
		return nil
	}
	return n
}

// writes reports whether people of the number's country write it with just these
// digits.
func (b Book) writes(n *phonenumbers.PhoneNumber, digits string) bool {
	return phonenumbers.NormalizeDigitsOnly(phonenumbers.Format(n, phonenumbers.NATIONAL)) == digits
}

// writesShort reports whether numbers of the country are as short as short codes.
func (b Book) writesShort(digits string) bool {
	example := phonenumbers.GetExampleNumberForType(b.country, phonenumbers.FIXED_LINE)
	return example != nil && len(phonenumbers.GetNationalSignificantNumber(example)) == len(digits)
}

// isPossible reports whether a whole number may have so many digits.
func isPossible(n *phonenumbers.PhoneNumber) bool {
	return phonenumbers.IsPossibleNumberWithReason(n) == phonenumbers.IS_POSSIBLE
}
