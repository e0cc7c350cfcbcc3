package phone

import (
	"fmt"
	"regexp"

	"github.com/nyaruka/phonenumbers"
)

// spelling is a way to write the numbers of a country that reaches the same phones as
// another.
type spelling struct {
	country  int
	national *regexp.Regexp
	// canonical is the national number, in the form of [regexp.Regexp.Expand].
	canonical string
}

// argentina is the country whose canonical form is not the one to dial.
const argentina = 54

// spellings are the changes of numbering plans since 2018 that can be computed from the
// old number, a few older ones that are still in use, and numbers that may be written in
// two ways. The port knows the new numbers only.
//
// The change of Manila in 2019 is not here: the new digit depends on the operator, which
// the old number does not show.
var spellings = []spelling{
	// Argentina: from abroad, mobile numbers are dialled with a 9 in front; at home, with
	// a 15 after the area code. No landline has the same digits otherwise. See
	// https://www.itu.int/oth/T020200000A.
	{argentina, regexp.MustCompile(`^9(\d{10})$`), "$1"},
	// Benin, 30 November 2024: 01 before all numbers. See
	// https://fr.allafrica.com/stories/202411300249.html.
	{229, regexp.MustCompile(`^([2-9]\d{7})$`), "01$1"},
	// Brazil, until 6 November 2016: 9 before mobile numbers. Networks still send
	// numbers without it. See https://github.com/google/libphonenumber/issues/1618.
	{55, regexp.MustCompile(`^([1-9]{2})([6-9]\d{7})$`), "${1}9$2"},
	// Chile, until 6 August 2016: 0 before area codes and mobile numbers at home. The port
	// has forgotten it; people's address books have not. See
	// https://www.itu.int/oth/T020200002B.
	{56, regexp.MustCompile(`^0([2-9]\d{8})$`), "$1"},
	// Colombia, 1 September 2021: 60 before landlines. See
	// https://www.crcom.gov.co (resolution 5826 of 2019).
	{57, regexp.MustCompile(`^([1-8]\d{7})$`), "60$1"},
	// Côte d'Ivoire, 31 January 2021: two digits before all numbers, by operator, which
	// the second digit of a mobile number and the third of a landline show. See
	// https://www.artci.ci.
	{225, regexp.MustCompile(`^([04-9][0-3]\d{6})$`), "01$1"},
	{225, regexp.MustCompile(`^([04-9][4-6]\d{6})$`), "05$1"},
	{225, regexp.MustCompile(`^([04-9][7-9]\d{6})$`), "07$1"},
	{225, regexp.MustCompile(`^(2[0-4]8\d{5})$`), "21$1"},
	{225, regexp.MustCompile(`^((?:2[0-4]|3[0-6])0\d{5})$`), "25$1"},
	{225, regexp.MustCompile(`^((?:2[0-4]|3[0-6])\d{6})$`), "27$1"},
	// Gabon, 15 November 2019: the 0 in front became a digit of the operator. See
	// http://news.alibreville.com/h/114469.html.
	{241, regexp.MustCompile(`^0?(1\d{6})$`), "1$1"},
	{241, regexp.MustCompile(`^0?([256]\d{6})$`), "6$1"},
	{241, regexp.MustCompile(`^0?([47]\d{6})$`), "7$1"},
	// Mexico, 3 August 2019: no 1 from abroad, and no 01, 044 or 045 at home. See
	// https://ituob.org/issues/1151-en.
	{52, regexp.MustCompile(`^(?:1|01|044|045)([2-9]\d{9})$`), "$1"},
	// Nigeria, 1 January 2024: 20 before landlines. See
	// https://github.com/daddyz/phonelib/issues/294.
	{234, regexp.MustCompile(`^0?([1-9]\d{7})$`), "20$1"},
	// Vietnam, 14 September 2018: mobile numbers of eleven digits at home have ten. See
	// https://www.itu.int/oth/T02020000E7.
	{84, regexp.MustCompile(`^120(\d{7})$`), "70$1"},
	{84, regexp.MustCompile(`^121(\d{7})$`), "79$1"},
	{84, regexp.MustCompile(`^122(\d{7})$`), "77$1"},
	{84, regexp.MustCompile(`^126(\d{7})$`), "76$1"},
	{84, regexp.MustCompile(`^128(\d{7})$`), "78$1"},
	{84, regexp.MustCompile(`^12([345])(\d{7})$`), "8$1$2"},
	{84, regexp.MustCompile(`^127(\d{7})$`), "81$1"},
	{84, regexp.MustCompile(`^129(\d{7})$`), "82$1"},
	{84, regexp.MustCompile(`^16([2-9])(\d{7})$`), "3$1$2"},
	{84, regexp.MustCompile(`^18([68])(\d{7})$`), "5$1$2"},
	{84, regexp.MustCompile(`^199(\d{7})$`), "59$1"},
}

// canonicalOf returns the canonical form of a number as "+" and its digits. respelled
// is set if the number was written in another way.
func canonicalOf(n *phonenumbers.PhoneNumber) (digits string, respelled bool) {
	national := phonenumbers.GetNationalSignificantNumber(n)
	for _, s := range spellings {
		if int(n.GetCountryCode()) != s.country {
			continue
		}
		if parts := s.national.FindStringSubmatchIndex(national); parts != nil {
			national, respelled = string(s.national.ExpandString(nil, s.canonical, national, parts)), true
			break
		}
	}
	return fmt.Sprintf("+%d%s", n.GetCountryCode(), national), respelled
}
