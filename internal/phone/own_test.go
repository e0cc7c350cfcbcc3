package phone_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/phone"
)

func TestOwnNumbersAreReadInAnySpelling(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		country, list string
		want          []string
	}{
		{"US", "", nil},
		{"", " , ,", nil},
		{"US", "+1 415 555 0100, (415) 555-0101,415.555.0102 , 1-415-555-0100", []string{"+14155550100", "+14155550101", "+14155550102"}},
		{"", "+14155550100,0044 20 7946 0148", []string{"+14155550100", "+442079460148"}},
		{"GB", "020 7946 0148,", []string{"+442079460148"}},
		{"MX", "+52 1 55 1234 5678", []string{"+525512345678"}},
		{"US", "101, 4102", []string{"+101", "+4102"}},
	} {
		b, err := book(t, test.country).WithOwn(test.list)
		if err != nil {
			t.Errorf("%q: %v", test.list, err)
		}
		if diff := cmp.Diff(test.want, slices.Sorted(maps.Keys(b.Own()))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.list, diff)
		}
		if b.Country() != test.country {
			t.Errorf("%q: in %q", test.list, b.Country())
		}
	}
}

// The text gets into logs: it names the place, and nobody's number.
func TestAWrongListOfOwnNumbersIsRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ country, list, want string }{
		{"US", "+1 415 555 0100, Reception", "number 2 of it is no telephone number"},
		{"US", "12", "number 1 of it is no telephone number"},
		{"US", "+1 415 555 01", "number 1 of it has too few digits, or too many"},
		{"US", "+1415", "number 1 of it has too few digits, or too many"},
		{"US", "415 555 0100 415 555 0101", "number 1 of it is no telephone number"},
		{"US", "+1 415 555 0100 +1 415 555 0101", "number 1 of it is more than one"},
		{"US", "101 102", "number 1 of it is more than one"},
		{"US", "+1 415 555 0100; +1 415 555 0101", "number 1 of it is more than one"},
		{"", "+14155550100,,(415) 555-0101", "number 3 of it has no country code: write it as +14155550123, or set the default country"},
		{"", "4155550100", "number 1 of it has no country code"},
	} {
		_, err := book(t, test.country).WithOwn(test.list)
		if !errors.Is(err, phone.ErrOwn) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v, want %q", test.list, err, test.want)
		}
		if err != nil && strings.ContainsAny(strings.ReplaceAll(err.Error(), "+14155550123", ""), "456789") {
			t.Errorf("%q: a number in the text: %v", test.list, err)
		}
	}
}
