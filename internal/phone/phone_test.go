package phone_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"pgregory.net/rapid"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/phone"
)

func book(t testing.TB, country string) phone.Book {
	t.Helper()
	b, err := phone.New(country)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNewTakesCountriesOnly(t *testing.T) {
	t.Parallel()
	for _, country := range []string{"", "US", "DE", "CI", "XK"} {
		book(t, country)
	}
	for _, country := range []string{"XX", "UK", "us", "USA", "1", "001", " US"} {
		if _, err := phone.New(country); !errors.Is(err, phone.ErrCountry) {
			t.Errorf("%q: %v", country, err)
		}
	}
}

func TestCanonicalTellsWhichNumberIsMeant(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, country, text, want string }{
		{"E.164", "", "+14155558765", "+14155558765"},
		{"E.164 of another country", "DE", "+14155550120", "+14155550120"},
		{"digits only", "DE", "14155550120", "+14155550120"},
		{"00", "US", "0049 30 5550115", "+49305550115"},
		{"00 of the own country", "DE", "0049 30 5550115", "+49305550115"},
		{"011", "US", "011 44 20 7946 0117", "+442079460117"},
		{"an extension", "US", "(415) 555-0120 x12", "+14155550120"},
		{"SIP", "DE", "sip:+14155550120@pbx.example.com", "+14155550120"},

		{"a name before an American number", "US", "John (415) 555-0120", "+14155550120"},
		{"a name before one that could be Singapore", "US", "John 656-234-5678", "+16562345678"},
		{"a name before a British number", "GB", "Jane 020 7946 0148", "+442079460148"},
		{"a name behind a German number", "DE", "030 / 5550115 (Jane)", "+49305550115"},
		{"a name before an Italian number", "IT", "Mario 06 1234 5678", "+390612345678"},
		{"a code that hides one's own number", "GB", "#31#020 7946 0148", "+442079460148"},
		{"the first of two", "US", "(415) 555-0120 / (212) 555-0100", "+14155550120"},
		{"letters", "DE", "1-800-FLOWERS", "+18003569377"},
		{"a spreadsheet's", "US", "4155550120.00", "+14155550120"},

		{"American brackets", "US", "(415) 555-0120", "+14155550120"},
		{"American with a 1", "US", "1 (415) 555-0120", "+14155550120"},
		{"American dots", "US", "415.555.0120", "+14155550120"},
		{"American, as the webhook keys it", "US", "+4155550120", "+14155550120"},
		{"American digits", "US", "4155550120", "+14155550120"},
		{"American, of a country that it looks like", "US", "470-234-5678", "+14702345678"},
		{"American, which could be Singapore", "US", "(656) 234-5678", "+16562345678"},
		{"the same by hand", "US", "656-234-5678", "+16562345678"},
		{"the same digits as JustCall sends them", "US", "6562345678", "+6562345678"},
		{"British", "GB", "020 7946 0148", "+442079460148"},
		{"British in brackets", "GB", "(020) 7946 0148", "+442079460148"},
		{"British, as the webhook keys it", "GB", "+02079460148", "+442079460148"},
		{"British, both codes", "GB", "+44 020 7946 0148", "+442079460148"},
		{"British, digits of both codes", "US", "4402079460148", "+442079460148"},
		{"German mobile", "DE", "0171 2345678", "+491712345678"},
		{"German area code", "DE", "030 / 5550115", "+49305550115"},
		{"Italian, which keeps its 0", "IT", "06 1234 5678", "+390612345678"},
		{"Italian mobile", "IT", "312 345 6789", "+393123456789"},
		{"Spanish", "ES", "912 34 56 78", "+34912345678"},
		{"Danish", "DK", "32 12 34 56", "+4532123456"},
		{"Japanese", "JP", "03-1234-5678", "+81312345678"},
		{"Russian with an 8", "RU", "8 (495) 123-45-67", "+74951234567"},
		{"Hungarian with 06", "HU", "06 1 234 5678", "+3612345678"},
		{"Mexican", "MX", "55 1234 5678", "+525512345678"},
		{"Brazilian", "BR", "(11) 91234-5678", "+5511912345678"},
		{"Brazilian with a carrier", "BR", "0 15 11 91234-5678", "+5511912345678"},
		{"Johannesburg, whose code is 011", "ZA", "011 555 0115", "+27115550115"},
		{"Delhi, whose code is 011", "IN", "011 2345 6789", "+911123456789"},
		{"Japan's way abroad", "JP", "010 1 415 555 0120", "+14155550120"},
		{"Australia's way abroad", "AU", "0011 49 30 5550115", "+49305550115"},

		{"Quebec's 273, which the port does not know", "", "+12732015550", "+12732015550"},
		{"273 at home", "CA", "(273) 201-5550", "+12732015550"},
		{"273 at home by hand", "CA", "273-201-5550", "+12732015550"},
		{"Japan's 060, which the port does not know", "", "+816012345678", "+816012345678"},
		{"060 seen from America", "US", "816012345678", "+816012345678"},
		{"060 seen from Germany", "DE", "+816012345678", "+816012345678"},
		{"060 at home", "JP", "060-1234-5678", "+816012345678"},
		{"a country code that does not exist", "US", "+999123456789", "+999123456789"},
		{"too long for its country", "US", "+14155550120123", "+14155550120123"},
		{"Turkish without its 0", "TR", "532 123 45 67", "+905321234567"},
		{"Philippine without its 0", "PH", "917 123 4567", "+639171234567"},
		{"Lithuanian with the old 8", "LT", "8 612 34567", "+37061234567"},
		{"Brazilian, which could be Indonesian", "BR", "62 3221-1234", "+556232211234"},
		{"the same with the Brazilian code", "BR", "55 62 3221-1234", "+556232211234"},
		{"Polish area code that is the country's code", "PL", "48 123 45 67", "+48481234567"},
		{"the own code in brackets", "CO", "(57) 300 1234567", "+573001234567"},
		{"the own code in brackets, before a number of an old plan", "CO", "(57) 1 2345678", "+576012345678"},
		{"an area code in brackets that is the own code, too", "BR", "(55) 3221-1234", "+555532211234"},
		{"another country's code in brackets", "US", "(44) 20 7946 0148", "+442079460148"},
		{"Réunion, whose area code is its country code", "RE", "262 16 12 34", "+262262161234"},
		{"the same as digits", "RE", "262161234", "+262262161234"},
		{"too short, with the own code", "CL", "+56 8765 4321", "+5687654321"},
		{"a mobile phone of São Paulo", "BR", "011 98765-4321", "+5511987654321"},
		{"the same in brackets", "BR", "(011) 98765-4321", "+5511987654321"},
		{"a carrier's code of Brazil", "BR", "0 15 11 98765-4321", "+5511987654321"},
		{"011 before a short number abroad", "US", "011 95 1 234567", "+951234567"},
		{"a local number without its area code", "US", "555-0120", "+5550120"},
		{"a national number without a country", "", "0171 2345678", "+01712345678"},

		{"a short code", "US", "12345", "+12345"},
		{"a short code of six digits", "DE", "123456", "+123456"},
		{"an emergency number", "US", "911", "+911"},
		{"a short code without a country", "", "12345", "+12345"},
		{"a country whose numbers are short", "FO", "211234", "+298211234"},
		{"a short code there", "FO", "1870", "+1870"},

		{"anonymous", "US", "+266696687", ""},
		{"a word", "US", "Anonymous", ""},
		{"nothing", "US", "", ""},
		{"too long", "US", "1234567890123456", ""},
		{"a SIP name", "US", "sip:reception@pbx.example.com", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := book(t, test.country).Canonical(test.text); got != test.want {
				t.Errorf("%q: got %q, want %q", test.text, got, test.want)
			}
		})
	}
}

func TestSpellingsOfOnePhoneHaveOneCanonicalNumber(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		country, want string
		spellings     []string
	}{
		{"MX", "+525512345678", []string{"+52 55 1234 5678", "+52 1 55 1234 5678", "5215512345678", "044 55 1234 5678", "045 55 1234 5678", "01 55 1234 5678", "55 1234 5678"}},
		{"AR", "+541123456789", []string{"+54 9 11 2345-6789", "+54 11 2345-6789", "5491123456789", "011 15-2345-6789", "011 2345-6789", "+54 11 15 2345 6789", "+0111523456789"}},
		{"AR", "+543412345678", []string{"+54 9 341 234-5678", "+54 341 234-5678", "0341 15-234-5678", "0341 234-5678"}},
		{"BR", "+5581987042155", []string{"+55 81 98704-2155", "+55 81 8704-2155", "558187042155", "(81) 8704-2155", "(81) 98704-2155", "081 8704-2155"}},
		{"BJ", "+2290195123456", []string{"+229 01 95 12 34 56", "+229 95 12 34 56", "22995123456", "01 95 12 34 56", "95 12 34 56"}},
		{"CI", "+2250708123456", []string{"+225 07 08 12 34 56", "+225 08 12 34 56", "22508123456", "07 08 12 34 56", "08 12 34 56"}},
		{"CI", "+2250545123456", []string{"+225 05 45 12 34 56", "+225 45 12 34 56"}},
		{"CI", "+2250102123456", []string{"+225 01 02 12 34 56", "+225 02 12 34 56"}},
		{"CI", "+2252720313456", []string{"+225 27 20 31 34 56", "+225 20 31 34 56", "20 31 34 56"}},
		{"CI", "+2252522001234", []string{"+225 25 22 00 12 34", "+225 22 00 12 34", "22 00 12 34"}},
		{"CI", "+2252120801234", []string{"+225 21 20 80 12 34", "+225 20 80 12 34"}},
		{"CI", "+2252530001234", []string{"+225 25 30 00 12 34", "+225 30 00 12 34"}},
		{"CI", "+2252731631234", []string{"+225 27 31 63 12 34", "+225 31 63 12 34"}},
		{"CL", "+56987654321", []string{"+56 9 8765 4321", "56987654321", "09 8765 4321", "9 8765 4321", "+56 09 8765 4321"}},
		{"CL", "+56223456789", []string{"+56 2 2345 6789", "02 2345 6789", "(2) 2345 6789"}},
		{"CO", "+576012281260", []string{"+57 601 2281260", "+57 1 2281260", "5712281260", "601 2281260"}},
		{"GA", "+24166111111", []string{"+241 66 11 11 11", "+241 066 11 11 11", "+241 06 11 11 11", "066 11 11 11", "06 11 11 11"}},
		{"GA", "+24177280150", []string{"+241 77 28 01 50", "+241 07 28 01 50", "077 28 01 50", "07 28 01 50"}},
		{"GA", "+24111720115", []string{"+241 11 72 01 15", "+241 01 72 01 15", "011 72 01 15", "01 72 01 15"}},
		{"NG", "+2342012270000", []string{"+234 201 227 0000", "+234 1 227 0000", "23412270000", "01 227 0000", "0201 227 0000"}},
		{"VN", "+84321234567", []string{"+84 32 123 4567", "+84 162 123 4567", "0162 123 4567", "032 123 4567"}},
		{"VN", "+84831234567", []string{"+84 83 123 4567", "+84 123 123 4567"}},
	} {
		for _, spelling := range test.spellings {
			if got := book(t, test.country).Canonical(spelling); got != test.want {
				t.Errorf("%s: %q is %q, want %q", test.country, spelling, got, test.want)
			}
			if got := book(t, "").Canonical(spelling); strings.HasPrefix(spelling, "+") && spelling[1] != '0' && got != test.want {
				t.Errorf("no country: %q is %q, want %q", spelling, got, test.want)
			}
		}
	}
}

func TestShow(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ country, text, want string }{
		{"", "14155558765", "+1 415-555-8765"},
		{"US", "(415) 555-0120 x12", "+1 415-555-0120"},
		{"GB", "020 7946 0148", "+44 20 7946 0148"},
		{"", "+5491123456789", "+54 9 11 2345-6789"},
		{"", "+541123456789", "+54 11 2345-6789"},
		{"AR", "0341 15-234-5678", "+54 9 341 234-5678"},
		{"", "+525512345678", "+52 55 1234 5678"},
		{"", "+12732015550", "+1 273-201-5550"},
		{"", "+816012345678", "+81 60-1234-5678"},
		{"", "+390612345678", "+39 06 1234 5678"},
		{"", "+999123456789", "+999123456789"},
		{"US", "+5550120", "+5550120"}, // no number of Brazil
		{"", "+5215512345678", "+52 55 1234 5678"},
		{"MX", "044 55 1234 5678", "+52 55 1234 5678"},
		{"", "+5511 8765 4321", "+55 11 98765-4321"},
		{"", "+22508123456", "+225 07 08 12 3456"},
		{"CO", "(1) 228 1260", "+57 601 2281260"},
		{"US", "12345", "12345"},
		{"US", "911", "911"},
		{"", "JustCall", "JustCall"},
		{"", "", ""},
	} {
		if got := book(t, test.country).Show(test.text); got != test.want {
			t.Errorf("%s: %q is shown as %q, want %q", test.country, test.text, got, test.want)
		}
	}
}

// examples calls visit with the example numbers of every region; with -short, of one in six.
func examples(visit func(region string, n *phonenumbers.PhoneNumber)) {
	for i, region := range slices.Sorted(maps.Keys(phonenumbers.GetSupportedRegions())) {
		if testing.Short() && i%6 != 0 {
			continue
		}
		for _, kind := range []phonenumbers.PhoneNumberType{phonenumbers.FIXED_LINE, phonenumbers.MOBILE} {
			if n := phonenumbers.GetExampleNumberForType(region, kind); n != nil {
				visit(region, n)
			}
		}
	}
}

// Of every country, a number is the same in all of its spellings.
func TestEverySpellingOfEveryCountry(t *testing.T) {
	t.Parallel()
	codes := make(map[string]bool)
	for code := range phonenumbers.GetSupportedCallingCodes() {
		codes[strconv.Itoa(code)] = true
	}
	examples(func(region string, n *phonenumbers.PhoneNumber) {
		e164 := phonenumbers.Format(n, phonenumbers.E164)
		international := phonenumbers.Format(n, phonenumbers.INTERNATIONAL)
		national := phonenumbers.Format(n, phonenumbers.NATIONAL)
		if region == "AR" {
			// The port drops the area code, see findings/argentine-area-code.sh.
			national = e164
		}
		home, away := book(t, region), book(t, "")
		want := away.Canonical(e164)
		for _, spelling := range []string{
			e164, e164[1:], "00" + e164[1:], "011" + e164[1:], international, "tel:" + e164, "sip:" + e164 + "@pbx.example.com",
			strings.ReplaceAll(international, " ", "\u00a0"), strings.ReplaceAll(international, " ", "-"),
			international + " ext. 12", "\u202a" + international + "\u202c",
		} {
			if strings.HasPrefix(spelling, "011") && (len(e164)-1 < 9 || len(e164)-1 == 9 && e164[1] == '9') {
				continue // too few digits to tell from an area code, or a mobile number of São Paulo
			}
			if got := home.Canonical(spelling); got != want {
				t.Errorf("%s: %q is %q, want %q", region, spelling, got, want)
			}
		}
		spellings := []string{national, national + " x12", strings.ReplaceAll(national, "-", "–")}
		if key, err := phonenumbers.Parse(events.PhoneNumber(national), ""); err != nil || !phonenumbers.IsValidNumber(key) {
			spellings = append(spellings, events.PhoneNumber(national)) // no number of another country
		}
		for _, spelling := range spellings {
			if got := home.Canonical(spelling); got != want {
				t.Errorf("%s, at home: %q is %q, want %q", region, spelling, got, want)
			}
		}
		// Many leave out the 0 or 8 in front, but group the digits all the same.
		byHand := strings.TrimPrefix(international, fmt.Sprintf("+%d ", n.GetCountryCode()))
		if group, rest, ok := strings.Cut(byHand, " "); ok && (!codes[group] || !possible("+"+group+rest)) {
			if got := home.Canonical(byHand); got != want {
				t.Errorf("%s, by hand: %q is %q, want %q", region, byHand, got, want)
			}
		}
		// Of Gabon, the port's examples are from before 2019.
		if shown := home.Show(e164); events.PhoneNumber(shown) != e164 && region != "GA" || home.Canonical(shown) != want {
			t.Errorf("%s: %s is shown as %q", region, e164, shown)
		}
	})
}

func possible(text string) bool {
	n, err := phonenumbers.Parse(text, "")
	return err == nil && phonenumbers.IsPossibleNumber(n)
}

// A number with its country code means the same whatever the default country.
func TestAFullNumberMeansTheSameEverywhere(t *testing.T) {
	t.Parallel()
	var books []phone.Book
	for _, country := range []string{"US", "DE", "IT", "RU", "CI"} {
		books = append(books, book(t, country))
	}
	examples(func(region string, n *phonenumbers.PhoneNumber) {
		e164 := phonenumbers.Format(n, phonenumbers.E164)
		want := book(t, "").Canonical(e164)
		for _, b := range books {
			if got := b.Canonical(e164); got != want {
				t.Errorf("%s: %s is %s for %v", region, e164, got, b)
			}
		}
	})
}

// check fails if the canonical number of a text is no fixed point.
func check(t interface{ Errorf(string, ...any) }, b phone.Book, text string) {
	canonical := b.Canonical(text)
	if (canonical == "") != (events.PhoneNumber(text) == "") {
		t.Errorf("%v: %q is %q, but the webhook's %q", b, text, canonical, events.PhoneNumber(text))
	}
	if again := b.Canonical(canonical); again != canonical {
		t.Errorf("%v: %q is %q, and that is %q", b, text, canonical, again)
	}
	shown := b.Show(text)
	if again := b.Canonical(shown); again != canonical {
		t.Errorf("%v: %q is %q, but shown as %q, which is %q", b, text, canonical, shown, again)
	}
	if canonical == "" && shown != text {
		t.Errorf("%v: %q is shown as %q", b, text, shown)
	}
}

var countries = []string{"", "US", "GB", "DE", "IT", "AR", "MX", "BR", "CI", "BJ", "CO", "NG", "GA", "VN", "RU", "JP", "FO", "SG", "AU", "FR", "ES", "HU", "IN", "CN", "ZA", "CL", "TR", "LT", "RE"}

func TestCanonicalIsAFixedPoint(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b, err := phone.New(rapid.SampledFrom(countries).Draw(t, "country"))
		if err != nil {
			t.Fatal(err)
		}
		check(t, b, rapid.OneOf(
			rapid.StringMatching(`\+?[0-9]{3,15}`),
			rapid.StringMatching(`\+?(1|44|49|39|52|52 1|54|54 9|55|57|225|229|234|241|84|65|47)[-0-9 ().]{5,12}`),
			rapid.StringMatching(`\(?0?[0-9]{2,4}\)?[- /][0-9]{3,8}`),
			rapid.String(),
		).Draw(t, "text"))
	})
}

func FuzzCanonical(f *testing.F) {
	for _, text := range []string{
		"+14155558765", "(415) 555-0120", "+4155550120", "020 7946 0148", "+5491123456789", "011 15-2345-6789", "044 55 1234 5678",
		"+22508123456", "12345", "+12732015550", "+816012345678", "8 (495) 123-45-67", "sip:+14155558765;ext=12@example.com", "+0",
	} {
		for i := range countries {
			f.Add(text, i)
		}
	}
	f.Fuzz(func(t *testing.T, text string, country int) {
		check(t, book(t, countries[uint(country)%uint(len(countries))]), text)
	})
}

func ExampleBook() {
	b, err := phone.New("GB")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, text := range []string{"020 7946 0148", "442079460148", "12345"} {
		fmt.Println(b.Canonical(text), b.Show(text))
	}
	// Output:
	// +442079460148 +44 20 7946 0148
	// +442079460148 +44 20 7946 0148
	// +12345 12345
}
