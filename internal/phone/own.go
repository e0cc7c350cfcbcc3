package phone

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// ErrOwn means that a list of our own numbers has something in it that is none.
var ErrOwn = errors.New("no list of telephone numbers")

// WithOwn returns the Book with a list of our own numbers, as people write it: with commas in
// between, each number in any spelling. The error wraps [ErrOwn]. It says which part of the
// list is wrong by its place, so that no number gets into a log.
func (b Book) WithOwn(list string) (Book, error) {
	b.own = make(map[string]bool)
	for i, part := range strings.Split(list, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		number, err := b.whole(part)
		if err != nil {
			return Book{}, fmt.Errorf("%w: number %d of it %w", ErrOwn, i+1, err)
		}
		b.own[number] = true
	}
	return b, nil
}

// In returns a Book of another country with the same numbers of our own. The error wraps
// [ErrCountry].
func (b Book) In(country string) (Book, error) {
	other, err := New(country)
	if err != nil {
		return Book{}, err
	}
	other.own = b.own
	return other, nil
}

// Own returns our own numbers in canonical form. The caller must not change it.
func (b Book) Own() map[string]bool { return b.own }

var (
	errNoNumber  = errors.New("is no telephone number")
	errLength    = errors.New("has too few digits, or too many")
	errSeveral   = errors.New("is more than one: write commas in between")
	errNoCountry = errors.New("has no country code: write it as +14155550123, or set the default country")
)

// maxTyped is how many digits a number may be typed with: the longest, with 00 in front.
const maxTyped = 17

func countDigits(text string) (n int) {
	for _, r := range text {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

// whole returns the canonical form of a number that somebody typed. It must be a whole number,
// or a short code, and not be read as one of a country by chance.
func (b Book) whole(text string) (canonical string, err error) {
	m := b.meant(text)
	abroad := strings.ContainsAny(text, plusSigns) || strings.HasPrefix(text, "00")
	switch short := len(m.digits) <= 1+maxShortCode; {
	case m.digits == "":
		return "", errNoNumber
	case countDigits(text) > maxTyped:
		return "", errSeveral
	case short && !abroad && len(strings.Fields(text)) > 1:
		return "", errSeveral
	case short && !abroad:
	case b.country == "" && !abroad:
		return "", errNoCountry
	case !isPossible(m.number):
		return "", errLength
	}
	return b.Canonical(text), nil
}
