package events_test

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ringback/ringback/events"
)

func TestPhoneNumber(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		text string
		want string
	}{
		{"E.164", "+14155558765", "+14155558765"},
		{"digits only", "14155558765", "+14155558765"},
		{"brackets, spaces and hyphens", "+1 (415) 555-8765", "+14155558765"},
		{"dots", "1.415.555.8765", "+14155558765"},
		{"slashes and tabs", "+49 30/123\t456", "+4930123456"},
		{"space around it", " +14155558765 ", "+14155558765"},
		{"another country", "+91 98765 43210", "+919876543210"},
		{"a short code", "911", "+911"},
		{"fifteen digits", "+123456789012345", "+123456789012345"},
		{"one more digit than a withheld word", "+12666966870", "+12666966870"},

		{"a TEL URI", "tel:+14155558765", "+14155558765"},
		{"a TEL URI with visual separators", "TEL:+1-415-555-8765", "+14155558765"},
		{"a local TEL URI with a context", "tel:415-555-8765;phone-context=+1", "+14155558765"},
		{"a TEL URI with a context that it does not need", "tel:+14155558765;phone-context=+44", "+14155558765"},
		{"a TEL URI with a domain for context", "tel:14155558765;phone-context=example.com", "+14155558765"},
		{"a TEL URI with a flag", "tel:+14155558765;npdi;rn=+14155550100", "+14155558765"},
		{"a TEL URI with an escaped plus", "tel:%2B14155558765", "+14155558765"},
		{"a SIP URI", "sip:+14155558765@pbx.example.com", "+14155558765"},
		{"a SIP URI without plus", "sip:14155558765@example.com", "+14155558765"},
		{"a SIPS URI with port and parameters", "sips:+14155558765@pbx.example.com:5061;user=phone?subject=x", "+14155558765"},
		{"a SIP URI with a password", "sip:+14155558765:secret@pbx.example.com", "+14155558765"},
		{"a SIP URI with parameters of the user", "sip:+14155558765;cpc=ordinary@pbx.example.com", "+14155558765"},
		{"a SIP URI without a user", "sip:+14155558765;user=phone", "+14155558765"},
		{"a SIP address with a name", `"Jane Roe" <sip:+14155558765@pbx.example.com;transport=udp>;tag=1`, "+14155558765"},
		{"a number in angle brackets", "Jane Roe <+14155558765>", "+14155558765"},
		{"a number at a host", "+14155558765@pbx.example.com", "+14155558765"},
		{"a WhatsApp address", "whatsapp:+14155558765", "+14155558765"},
		{"00", "0049 30 5550115", "+49305550115"},
		{"00 without blanks", "0049305550115", "+49305550115"},
		{"00 behind a plus", "+0049305550115", "+49305550115"},
		{"00 in brackets", "(0049) 30 5550115", "+49305550115"},
		{"011", "011 49 30 5550115", "+49305550115"},
		{"011 before North America", "011 1 415 555 8765", "+14155558765"},
		{"011 of São Paulo, before a mobile number", "(011) 98765-4321", "+011987654321"},
		{"011 before a number abroad that begins with 9 too", "011 971 50 123 4567", "+971501234567"},
		{"0011, from Australia", "0011 49 30 5550115", "+49305550115"},
		{"(0) after a country code", "+44 (0)20 7946 0117", "+442079460117"},
		{"(0) close by", "+44(0)2079460117", "+442079460117"},
		{"(0) after 00", "0044 (0)20 7946 0117", "+442079460117"},
		{"(0) after digits only", "44 (0) 20 7946 0117", "+442079460117"},
		{"(0) in wide brackets", "+81（0）3 1234 5678", "+81312345678"},
		{"(0) in Italy, where the 0 counts", "+39 (0)6 1234 5678", "+390612345678"},
		{"no-break spaces", "+1\u00a0415\u202f555\u20078765", "+14155558765"},
		{"an ideographic space", "+81\u30003\u30001234\u30005678", "+81312345678"},
		{"bidi marks", "\u202a+14155558765\u202c", "+14155558765"},
		{"bidi isolates", "\u2066+1 415 555 8765\u2069", "+14155558765"},
		{"a right-to-left mark behind the plus", "+\u200f14155558765", "+14155558765"},
		{"an Arabic letter mark", "\u061c+14155558765", "+14155558765"},
		{"zero width space and BOM", "\ufeff+1\u200b4155558765", "+14155558765"},
		{"non-breaking hyphens", "+1‑415‑555‑8765", "+14155558765"},
		{"en dashes", "+1–415–555–8765", "+14155558765"},
		{"em dash, figure dash, horizontal bar", "+1—415‒555―8765", "+14155558765"},
		{"minus signs", "+1−415−555−8765", "+14155558765"},
		{"wide forms", "＋１４１５－５５５－８７６５", "+14155558765"},
		{"small forms", "﹢1﹣415﹘5558765", "+14155558765"},
		{"Arabic-Indic digits", "+١٤١٥٥٥٥٨٧٦٥", "+14155558765"},
		{"Persian digits", "+۱۴۱۵۵۵۵۸۷۶۵", "+14155558765"},
		{"Devanagari digits", "+१४१५५५५८७६५", "+14155558765"},
		{"a newline at the end", "+14155558765\n", "+14155558765"},
		{"CR LF at the end", "+14155558765\r\n", "+14155558765"},
		{"middle dots", "+1·415·555·8765", "+14155558765"},
		{"quotes around it", `"+14155558765"`, "+14155558765"},
		{"a label before it", "Mobile: +1 415 555 8765", "+14155558765"},
		{"a name before it", "Jane Roe +14155558765", "+14155558765"},
		{"a label behind it", "+1 415 555 8765 (mobile)", "+14155558765"},
		{"a label behind it without brackets", "415 555 8765 Work", "+4155558765"},
		{"an apostrophe before it", "'+14155558765", "+14155558765"},
		{"an entity for the plus", "&#43;1&nbsp;415 555 8765", "+14155558765"},
		{"a backslash before the plus", `\+14155558765`, "+14155558765"},

		{"a spreadsheet's zeros", "14155558765.00", "+14155558765"},
		{"a spreadsheet's zeros behind a plus", "+14155558765.000", "+14155558765"},
		{"a spreadsheet's zeros of a national number", "4155558765.0", "+4155558765"},
		{"zeros behind a comma", "14155558765,00", "+14155558765"},
		{"thousands", "14,155,558,765", "+14155558765"},
		{"thousands and zeros", "14,155,558,765.00", "+14155558765"},
		{"a power of ten", "1.4155558765E10", "+14155558765"},
		{"a power of ten with a plus", "1.4155558765e+10", "+14155558765"},
		{"a power of ten with a comma", "1,4155558765E+10", "+14155558765"},
		{"a power of ten with zeros", "1.41555587650E10", "+14155558765"},
		{"a power of ten without the zero at the end", "1.415555876E10", "+14155558760"},
		{"a rounded number", "1.41556E+10", ""},
		{"a rounded number with fewer digits", "1.4E10", ""},
		{"a fraction", "1.4155558765E9", ""},
		{"a huge power", "1E999999999", ""},
		{"a bold number", "*+14155558765*", "+14155558765"},
		{"a bold number with double marks", "**14155558765**", "+14155558765"},
		{"tags", "<b>+14155558765</b>", "+14155558765"},
		{"a tag with a digit", "<h1>+14155558765</h1>", "+14155558765"},
		{"a link of HTML", `<a href="tel:+14155558765">+1 415-555-8765</a>`, "+14155558765"},
		{"a link of Markdown", "[+14155558765](tel:+14155558765)", "+14155558765"},
		{"a formula", `="+14155558765"`, "+14155558765"},
		{"a formula without quotes", "=14155558765", "+14155558765"},
		{"an apostrophe in quotes", `"'+14155558765"`, "+14155558765"},
		{"a name in brackets", "+14155558765 (John)", "+14155558765"},
		{"a name behind it", "+14155558765 Jane", "+14155558765"},
		{"a name behind a colon", "+14155558765: Jane", "+14155558765"},
		{"a name behind a national number", "(415) 555-8765 Jane", "+4155558765"},
		{"a name before a bracket", "John (415) 555-8765", "+4155558765"},
		{"a name before an American number", "John 415-555-8765", "+4155558765"},
		{"a name before eleven digits", "John 14155558765", "+14155558765"},
		{"a name before a British number", "Jane 020 7946 0148", "+02079460148"},
		{"a name before 00", "Jane 0044 20 7946 0148", "+442079460148"},
		{"a name before 011", "Jane 011 44 20 7946 0148", "+442079460148"},
		{"a name before (0)", "Jane +44 (0)20 7946 0148", "+442079460148"},
		{"a name and a number in brackets", "John Smith (+1 415 555 8765)", "+14155558765"},
		{"a name with a comma", "Smith, John; +14155558765", "+14155558765"},
		{"a name with two letters x", "Maxx +14155558765", "+14155558765"},
		{"a name in angle brackets", "+14155558765 <John>", "+14155558765"},
		{"a label before a national number", "Tel.: 0171 2345678", "+01712345678"},
		{"a telephone company's label before plain digits", "WIRELESS CALLER 4155558765", "+4155558765"},
		{"a name before plain American digits", "John 4155558765", ""},
		{"a label before plain digits", "Phone: 4155558765", "+4155558765"},
		{"another number in a word before it", "agent42 +14155558765", "+14155558765"},
		{"an extension that is no number", "+14155558765 ext. twelve", "+14155558765"},
		{"an extension that is too long", "+14155558765 x123456789", "+14155558765"},
		{"two numbers", "+14155558765, +14155551234", "+14155558765"},
		{"two numbers with a semicolon", "+14155558765;+14155551234", "+14155558765"},
		{"two numbers with a slash", "+14155558765 / +14155551234", "+14155558765"},
		{"two numbers with a slash close by", "+14155558765/+14155551234", "+14155558765"},
		{"two numbers with or", "+14155558765 or +14155551234", "+14155558765"},
		{"two numbers on two lines", "+14155558765\n+14155551234", "+14155558765"},
		{"two national numbers on two lines", "415-555-8765\n415-555-1234", "+4155558765"},
		{"two national numbers with a slash", "0171 2345678 / 030 5550115", "+01712345678"},
		{"two national numbers with a comma", "4155558765,4155551234", "+4155558765"},
		{"two SIP addresses", "sip:+14155558765@example.com, sip:+14155551234@example.com", "+14155558765"},
		{"a short one before a whole one", "12, +14155558765", "+14155558765"},
		{"a slash behind a long area code", "0049 33701/123456", "+4933701123456"},
		{"a slash behind seven digits", "0049 351/1234567", "+493511234567"},
		{"two numbers in brackets' letters", "(H) 415-555-8765 (W) 415-555-1234", "+4155558765"},
		{"a country's name behind its code", "+1 (US) 415 555 8765", "+14155558765"},
		{"a country's name before a 0 that stays", "+39 (IT) 06 1234 5678", "+390612345678"},
		{"a country's letters behind its code", "+44 UK 20 7946 0117", "+442079460117"},
		{"a country's name in brackets behind its code", "+1 (United States) 415 555 8765", "+14155558765"},
		{"a country and an area code in brackets", "+1 (US) (415) 555-8765", "+14155558765"},
		{"a sum before a number", "Smith family +3, 0161 496 0000", "+01614960000"},
		{"a sum and a word before a number", "Smith +3 guests 0161 496 0000", "+01614960000"},
		{"a sum before an American number", "Smith +44, 415 555 8765", "+4155558765"},
		{"a 0 behind a country's name", "+44 (UK) 020 7946 0117", "+02079460117"},
		{"(0) behind a country's name", "+44 (UK) (0)20 7946 0117", "+442079460117"},
		{"a 0 in brackets behind a country's name", "+44 (UK) (020) 7946 0117", "+02079460117"},
		{"a number in braces", "{+14155558765}", "+14155558765"},
		{"other digits at the end", "+1 415 555 8765 / 66", "+14155558765"},
		{"four other digits at the end", "+1 415 555 8765/8766", "+14155558765"},
		{"other digits at the end, of a German number", "+49 30 5550115 / 16", "+49305550115"},
		{"a slash inside of a German number", "+49 33701 123/456", "+4933701123456"},
		{"a bare number behind it", "+1 415 555 8765 (2)", "+14155558765"},
		{"a bare number behind it, of Germany", "+49 30 5550115-12", "+4930555011512"},
		{"digits without anything between them", "+1415555876512", "+1415555876512"},
		{"two codes", "*67 *82 4155558765", "+4155558765"},
		{"a 9 for an outside line", "9-1-415-555-8765", "+14155558765"},
		{"a 9 with blanks and brackets", "9 1 (415) 555-8765", "+14155558765"},
		{"a 9 with a no-break space", "9\u00a01 415 555 8765", "+14155558765"},
		{"a 9 before a comma", "9,14155558765", "+14155558765"},
		{"a 9 before 011", "9-011-44-20-7946-0117", "+442079460117"},
		{"a 9 and a code", "9-1-415-555-8765 x12", "+14155558765"},
		{"India, not a 9", "91-415-555-8765", "+914155558765"},
		{"India in brackets, not a 9", "91 (415) 555 8765", "+914155558765"},
		{"India in groups, not a 9", "9 1 98765 43210", "+919876543210"},
		{"a 9 before what is no area code", "9-1-115-555-8765", "+911155558765"},
		{"a 9 before too few digits", "9 1 234 5678", "+912345678"},
		{"a 9 behind a plus", "+9 1 415 555 8765", "+914155558765"},
		{"a code before a comma", "*67,4155558765", "+4155558765"},
		{"a code that we do not know", "*72 4155558765", ""},
		{"a bracket that is no area code", "Ann (2) 415-555-8765", ""},
		{"a fraction of a number", "14155558765.5", ""},
		{"a negative number", "-14155558765.0", "+14155558765"},
		{"an amount", "1,234,567.00", ""},
		{"two local numbers", "555-8765 / 555-8766", ""},
		{"letters", "1-800-FLOWERS", "+18003569377"},
		{"small letters", "1-800-flowers", "+18003569377"},
		{"letters too many", "1 800 CONTACTS", "+18002668228"},
		{"letters at the end", "+1415555CALL", "+14155552255"},
		{"letters behind brackets", "+1 (800) GO-FEDEX", "+18004633339"},
		{"letters that could be Australian", "1800 FLOWERS", ""},
		{"letters behind 0800", "0800 FLOWERS", ""},
		{"letters without a country", "800-FLOWERS", ""},
		{"a name in place of digits", "+1 415 555 John", ""},
		{"masked letters", "1-800-XXX-XXXX", ""},
		{"a code that hides one's own number", "#31#+14155558765", "+14155558765"},
		{"another one", "*67 4155558765", "+4155558765"},
		{"a code that shows one's own number", "*82 (415) 555-8765", "+4155558765"},
		{"a code inside of SIP", "sip:*6714155558765@pbx.example.com", "+14155558765"},
		{"a code alone", "*67", ""},
		{"masked with dots", "+1 415 555 ••••", ""},
		{"masked in the middle", "+1 ••• ••• 8765", ""},
		{"masked with stars", "+44 20 7946 0**", ""},
		{"masked with lines", "+1 415 555 ____", ""},
		{"cut off", "+44 20 7946...", ""},
		{"cut off with one character", "+44 20 7946 …", ""},
		{"hidden at the end", "+44 7700 900 hidden", ""},
		{"redacted at the end", "+61 2 9374 40 [redacted]", ""},
		{"withheld at the end, without a plus", "020 7946 01 (withheld)", ""},
		{"hidden in the middle", "+44 <hidden> 900 12345", ""},
		{"hidden, not letters on keys", "+1 800 REMOVED", ""},
		{"a question mark for a digit", "+44 20 7946 01?", ""},
		{"a question mark for a digit in the middle", "+44 20 7946 01?1", ""},
		{"a question mark for a digit, wide", "+44 20 7946 01？ Jane", ""},
		{"a query behind a number", "sms:+14155558765?body=x", "+14155558765"},
		{"a name that begins as a hidden number", "Hidden Valley 12: +14155558765", "+14155558765"},
		{"an account before a number with a plus", "Account 04-2345-6789, +44 7700 900123", "+447700900123"},
		{"an account before a number with 00", "Account 04-2345-6789, 0044 7700 900123", "+447700900123"},
		{"a national number and one with a plus", "020 7946 0117 / +1 415 555 8765", "+14155558765"},
		{"a date before a number", "Müller 05.11.2026 10 Uhr 030 5550115", "+0305550115"},
		{"a date before a number with a plus", "Müller 05.11.2026 10 Uhr +49 30 5550115", "+49305550115"},
		{"a date alone", "05.11.2026", ""},
		{"a date and an hour alone", "05.11.2026 10", ""},
		{"a date with its year first alone", "2026-11-05", ""},
		{"a date that begins with 00", "0047 22.11.2012", "+4722112012"},
		{"a date behind 011", "011 49 30 22-11-2012", "+493022112012"},
		{"a date behind an area code in brackets", "(030) 22.11.2012", "+03022112012"},
		{"a date behind an area code", "030 22-11-2012", "+03022112012"},
		{"a date behind a scheme", "tel:22-11-2012", "+22112012"},
		{"a date in no month", "20-30-2012", "+20302012"},
		{"a date and a time of day", "11/5/2026 1030", ""},
		{"a date and a full stop", "05.11.2026.", ""},
		{"a number as a date behind a plus", "+47 22.11.2012", "+4722112012"},
		{"a number that has no such month", "47.22.2012", "+47222012"},
		{"a date and an hour", "Müller 05.11.2026 10 Uhr", ""},
		{"a date with slashes", "Smith 05/11/2026 10 am", ""},
		{"a date with dashes", "Smith 05-11-2026 10", ""},
		{"a date with its year first", "Smith 01 2026-11-05", ""},
		{"a number that is like a date", "Smith 05 11 20 26 40", "+0511202640"},
		{"an order", "Order 1234567890", ""},
		{"an id", "ID 41234567890", ""},
		{"a name with an id before the number", "Unit 12 415 555 8765", ""},
		{"a name before plain national digits", "Jane 02079460148", ""},
		{"a day and time", "2026-11-28 13:00", ""},
		{"a channel", "SIP/101-0000", ""},
		{"a channel with a number", "PJSIP/+14155558765-00000a1", ""},
		{"an address of the internet", "sip:192.168.1.5", ""},
		{"an address of the internet alone", "192.168.100.200", ""},
		{"pairs of digits with dots", "12.34.56.78", "+12345678"},

		{"Johannesburg, not 011", "011 555 0115", "+0115550115"},
		{"Delhi, not 011", "011 2345 6789", "+01123456789"},
		{"Turin, not 011", "011 5550115", "+0115550115"},
		{"Buenos Aires, not 011", "011 15-2345-6789", "+0111523456789"},
		{"Leeds, not 011", "0113 496 0115", "+01134960115"},
		{"a national number", "0171 2345678", "+01712345678"},
		{"00 before too little", "00123456", "+00123456"},
		{"00 and a short code", "00911", "+00911"},
		{"an ISDN subaddress", "tel:+14155558765;isub=12345", "+14155558765"},
		{"a number cut off by #", "+1415555#8765", "+1415555"},

		{"empty", "", ""},
		{"white space", " \t", ""},
		{"a plus", "+", ""},
		{"two digits", "12", ""},
		{"zero", "0", ""},
		{"minus one", "-1", ""},
		{"all zeros", "+0000000000", ""},
		{"sixteen digits", "+1234567890123456", ""},
		{"three thousand digits", strings.Repeat("1", 3000), ""},
		{"the word anonymous", "anonymous", ""},
		{"the word Unknown", "Unknown", ""},
		{"anonymous on the keys", "+266696687", ""},
		{"anonymous on the keys, digits only", "266696687", ""},
		{"restricted on the keys", "+7378742833", ""},
		{"unavailable on the keys", "+86282452253", ""},
		{"unknown on the keys", "+8656696", ""},
		{"blocked on the keys", "+2562533", ""},
		{"blocked on the keys, with spaces", "+256 25 33", ""},
		{"a client", "client:agent_42", ""},
		{"a plus inside", "1415+5558765", ""},
		{"a NUL", "+1415555\x008765", ""},
		{"a plus behind the number", "14155558765+", ""},
		{"a plus behind 00", "00+14155558765", ""},
		{"a masked number", "+1415555xxxx", ""},
		{"a masked number with its end", "+1415555xx65", ""},
		{"a SIP address of no number", "sip:reception@pbx.example.com", ""},
		{"a SIP address of a name with digits", "sip:agent42@pbx.example.com", ""},
		{"an extension alone", "ext. 12", ""},
		{"an extension of too few digits", "415 x12", ""},
		{"withheld behind 00", "00266696687", ""},
		{"withheld as SIP", "sip:+266696687@pbx.example.com", ""},
		{"an e-mail address", "jane+14155558765@example.com", ""},
		{"a masked number with blanks", "+1 415 555 xxxx", ""},
		{"half an emoji", "+14155558765\ufffd", ""},
		{"invalid UTF-8", "+1415555\xff8765", ""},
		{"many blanks around", strings.Repeat(" ", 2000) + "+14155558765" + strings.Repeat("\t", 2000), "+14155558765"},
		{"many blanks inside", "+1415555" + strings.Repeat(" ", 2000) + "8765", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := events.PhoneNumber(test.text); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestSplitNumber(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"+1 415 555 8765":                     "",
		"+1 415 555 8765 ext. 12":             "12",
		"+1 415 555 8765 Ext 12":              "12",
		"+1 415 555 8765 EXT:12":              "12",
		"+1 415 555 8765 ext.: 12":            "12",
		"+1 415 555 8765 extn 12":             "12",
		"+1 415 555 8765 extension 0012":      "0012",
		"+1 415 555 8765 (ext. 12)":           "12",
		"+1 415 555 8765 [x12]":               "12",
		"+14155558765x12":                     "12",
		"+14155558765 X 12":                   "12",
		"+14155558765#12":                     "12",
		"+14155558765 #12#":                   "12",
		"+14155558765,12":                     "12",
		"+14155558765,,12#":                   "12",
		"+14155558765;12":                     "12",
		"+14155558765; ext 12":                "12",
		"+14155558765;ext=12":                 "12",
		"+14155558765 x12 (John)":             "12",
		"John, +1 415 555 8765 ext. 12, Acme": "12",
		"+14155558765 (John) 12":              "",
		"+14155558765 poste 12":               "12",
		"+14155558765 anexo 12":               "12",
		"+14155558765 ramal 12":               "12",
		"+14155558765 Durchwahl 12":           "12",
		"+14155558765 доб. 12":                "12",
		"+14155558765 内線 12":                  "12",
		"+14155558765 ｅｘｔ. 12":                "12",
		"+14155558765 ext. ١٢":                "12",
		"14155558765 x12":                     "12",
		"001 415 555 8765 x12":                "12",
		"tel:+1-415-555-8765;ext=12":          "12",
		"TEL:+14155558765;EXT=12;isub=3":      "12",
		"sip:+14155558765;ext=12@example.com": "12",
		"+14155558765-12":                     "12",
		"+1 415 555 8765 12":                  "12",
		"+14155558765 [12]":                   "12",
		"+14155558765,":                       "",
		"+14155558765;":                       "",
		"+14155558765 #":                      "",
	} {
		number, extension := events.SplitNumber(text)
		if number != "+14155558765" || extension != want {
			t.Errorf("%q: %q, %q, want extension %q", text, number, extension, want)
		}
	}
	for _, text := range []string{"", "anonymous", "+266696687 x12", "12 x12"} {
		if number, extension := events.SplitNumber(text); number != "" || extension != "" {
			t.Errorf("%q: %q, %q", text, number, extension)
		}
	}
}

func TestWithheld(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " ", "\t", "\u00a0", "-", "+", `""`, "0", "00", "+0", "0000000000", "-1", " -1 ", "null", "NULL", "none", "undefined", "N/A",
		"false", "anonymous", "Anonymous", "ANONYMOUS", " Anonymous ", "Anonymous.", "<Anonymous>", "Restricted", "Private", "unknown",
		"Unavailable", "Blocked", "withheld", "hidden", "No Caller ID", "no caller-id", "NoCallerID", "NO_CALLER_ID", "No number",
		"Caller ID blocked", "caller id withheld", "Caller ID Unavailable", "Number withheld", "Withheld number",
		"Private Number", "PRIVATE NUMBER", "private_number", "Unknown Caller", "unknown number", "Unknown Name", "Restricted Call",
		"Hidden Number", "Blocked Caller", "Anonymous Caller", "Anonymous User", "Out of area", "Not available",
		"Unbekannt", "Unbekannte Nummer", "Anonieme oproep", "Okänt nummer", "未知号码", "匿名", "Número privado", "Numéro masqué", "Inconnu", "Rufnummer unterdrückt",
		"Llamada privada", "Chamada privada", "Número restrito", "Identité supprimée", "Sin identificar", "Skyddat nummer",
		"Privát szám", "Skriveni broj", "Skrita številka", "Скривени број", "Απόκρυψη αριθμού", "ไม่ทราบหมายเลข", "เบอร์ส่วนตัว", "अज्ञात नंबर",
		"निजी नंबर", "Nomor pribadi", "Nomor tidak dikenal", "Nombor peribadi", "شماره ناشناس", "شماره خصوصی", "نامعلوم", "Número ocult", "Zenbaki ezkutua", "Varjatud number", "Slēpts numurs", "Paslėptas numeris", "Not disclosed",
		"sip:anonymous@anonymous.invalid", "anonymous@anonymous.invalid", `"Anonymous" <sip:anonymous@anonymous.invalid>`,
		"no CID", "Presentation restricted", "presentation-restricted", "+10000000000", "+1 (000) 000-0000",
		"+266696687", "266696687", "+7378742833", "+86282452253", "+8656696", "+2562533", "00266696687", "tel:+266696687",
		"Restricted, Private", "anonymous / unknown", "Unknown (restricted)", "unknown unknown", "Unknown - Unknown", "nan",
		"Restricted (+266696687)", "+266696687 Anonymous",
		"sip:+266696687@pbx.example.com", "+256 25 33", "\u202a+266696687\u202c",
	} {
		if !events.Withheld(text) {
			t.Errorf("%q is not withheld", text)
		}
		if number := events.PhoneNumber(text); number != "" {
			t.Errorf("%q is %q", text, number)
		}
	}
	for _, text := range []string{
		"presentation", "Presentation Skills", "1000", "+1000000", "1", "12", "-2", "1234567890123456", "12345678901234567", "JustCall", "sip:reception@pbx.example.com", "reception",
		"client:agent_42", "+1415555xxxx", "Private Dining Rooms", "Anonymous Coffee", "Unknown 12", "Unknown Pleasures", "Pribadi", "Private, Anne", "Private & Confidential", "Anonymous (+266696688)", "Unknown 266696687 x", "Unknown (Anne)", "call",
		"caller", "number", "id", "Caller ID", "no", "?", "***", "true", "{}", `{"n":1}`, "911", "+14155558765", "+12666966870",
		"800-FLOWERS", "\ufffd", strings.Repeat("id", 100000), strings.Repeat("unknown", 100000),
	} {
		if events.Withheld(text) {
			t.Errorf("%q is withheld", text[:min(len(text), 40)])
		}
	}
}

var e164 = regexp.MustCompile(`^(\+[0-9]{3,15})?$`)

func TestPhoneNumberIsIdempotent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(
			rapid.String(),
			rapid.StringMatching(`\+?[-0-9 ().+/]{0,20}`),
		).Draw(t, "text")
		once := events.PhoneNumber(text)
		if !e164.MatchString(once) {
			t.Fatalf("%q is no number", once)
		}
		if twice := events.PhoneNumber(once); twice != once {
			t.Fatalf("%q becomes %q", once, twice)
		}
	})
}

// other matches a "(0)" behind the country's code, a spreadsheet's number, two numbers,
// an address of the internet, a 9 for an outside line, and a date.
var other = regexp.MustCompile(`\(0\)|^[ +]*[0-9]+\.0+$|([0-9][^0-9/]*){7}/(.*/)?([^0-9/]*[0-9]){7}|^/*[^/]*([0-9][^0-9/]*){9}/+[^/]*/*$|^[ +]*[0-9]{1,3}(\.[0-9]{1,3}){3}$|^ *9[^0-9]+(1|011)[^0-9]|(^|[^0-9./-])([0-9]{1,2}[./-][0-9]{1,2}[./-](19|20)[0-9]{2}|(19|20)[0-9]{2}[./-][0-9]{1,2}[./-][0-9]{1,2})([^0-9./-]|$)`)

func TestPhoneNumberIgnoresHowItIsWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`[1-9][0-9]{10,14}`).Draw(t, "digits")
		if digits == "86282452253" || digits[0] == '1' && len(digits) > len("14155558765") {
			t.Skip("spells unavailable, or is too long for its country")
		}
		var text strings.Builder
		text.WriteString(rapid.SampledFrom([]string{"", "+", " +"}).Draw(t, "prefix"))
		for _, digit := range digits {
			text.WriteRune(digit)
			text.WriteString(rapid.SampledFrom([]string{"", "", " ", "-", ".", "(", ")", "/"}).Draw(t, "separator"))
		}
		if other.MatchString(text.String()) {
			t.Skip("means something else")
		}
		if got := events.PhoneNumber(text.String()); got != "+"+digits {
			t.Fatalf("%q becomes %q, not +%s", text.String(), got, digits)
		}
	})
}
