package events

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// A number has at most 15 digits (E.164) and at least three. Shorter ones, such as
// "0" and "-1", mean "none".
const minPhoneDigits, maxPhoneDigits = 3, 15

// PhoneNumber returns the number as "+" and its digits, so that a number has the
// same spelling in both formats. It returns "" for anything else: an empty text, a
// withheld caller, words, an address, too few or too many digits.
//
// A number without its country code gets a "+" as well, because nothing shows that
// the code is missing.
func PhoneNumber(text string) string {
	number, _ := SplitNumber(text)
	return number
}

// SplitNumber returns the number as [PhoneNumber] does, and the extension behind it,
// if there is one. It undoes what people, telephones and programs put around and
// between the digits:
//
//   - blanks, dashes, dots, slashes and brackets of every script, and marks that
//     have no width;
//   - digits of other scripts;
//   - "tel:", "sip:" and the like, with a host and parameters;
//   - labels: "Mobile: +1 …", "+1 … (mobile)";
//   - extensions: "ext. 12", "x12", "#12", ",12", ";ext=12", in brackets too;
//   - "(0)" after a country code, but not where the 0 belongs to the number;
//   - 00 and 011 in place of "+";
//   - codes that are dialled before a number to hide one's own: "*67 …", "#31#…";
//   - what makes a quantity of it: "14155558765.00", "1.4155558765E10";
//   - letters of a North American number: "1-800-FLOWERS".
//
// Beside other text, such as a name, it finds the first that surely is a whole number.
//
// No country code begins with 0, so 00 means "+" if at least seven digits follow;
// 0011, which Australians dial, as well. But 011 is also the area code of Turin,
// Johannesburg, Delhi, Buenos Aires and São Paulo. It means "+" only if at least nine
// digits follow, which of those only São Paulo's mobile numbers have, with a 9 in
// front; and if the first of them is a 1, if they are a number of North America. No
// national number is known that begins with 00.
func SplitNumber(text string) (number, extension string) {
	// Most numbers are "+" and digits, and need none of this.
	if digits, plus := strings.CutPrefix(text, "+"); isPlain(digits) {
		if plus && isNumber(digits) {
			return text, ""
		}
		return numberOf(digits), ""
	}
	number, extension, _ = readWritten(text)
	return number, extension
}

// NumberText returns a number as it was sent, if how it is written can tell its country:
// in groups or brackets, without "+" or a 0 in front. Any other number it returns as
// [PhoneNumber] does.
func NumberText(text string) string {
	if isPlain(strings.TrimPrefix(text, "+")) {
		return PhoneNumber(text)
	}
	number, _, subscriber := readWritten(text)
	if number == "" {
		return ""
	}
	first := strings.IndexAny(subscriber, "0123456789")
	grouped := strings.HasPrefix(subscriber, "(") || !strings.Contains(subscriber, number[1:])
	if first < 0 || subscriber[first] == '0' || !grouped || strings.ContainsFunc(subscriber, isPlus) || PhoneNumber(subscriber) != number {
		return number
	}
	return subscriber
}

// hasNumber reports whether [PhoneNumber] finds a number.
func hasNumber(text string) bool {
	if digits := strings.TrimPrefix(text, "+"); isPlain(digits) {
		return isNumber(digits)
	}
	return PhoneNumber(text) != ""
}

// isPlain reports whether a text has only digits, and no prefix to undo.
func isPlain(text string) bool {
	if len(text) == 0 || text[0] == '0' {
		return false
	}
	for i := 0; i < len(text); i++ {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}

func isNumber(digits string) bool {
	return minPhoneDigits <= len(digits) && len(digits) <= maxPhoneDigits &&
		!withheldKeys[digits] && strings.Trim(digits, "0") != ""
}

// numberOf returns "+" and the digits if they are a number, else "".
func numberOf(digits string) string {
	if !isNumber(digits) {
		return ""
	}
	return "+" + digits
}

// maxWritten is the longest text, in bytes, that is read as a number or as a word for none.
const maxWritten = 1024

// readAlone reads a text that is a number, and returns the part that has its digits, too.
func readAlone(text string) (number, extension, written string) {
	if text = strings.TrimSpace(text); len(text) > maxWritten {
		return "", "", ""
	}
	subscriber, isURI := subscriberOf(text)
	if !isURI && startsWithDate(subscriber) {
		return "", "", ""
	}
	if subscriber = withoutLabel(withoutCode(subscriber)); isOther(subscriber) {
		return "", "", ""
	}
	s := scanner{rest: subscriber, isURI: isURI}
	if !s.scan() {
		return "", "", ""
	}
	if s.apart && s.plus && s.digits[0] == '1' && s.extension == "" {
		// No number of North America is longer.
		s.digits, s.extension = s.digits[:northAmerican], string(s.digits[northAmerican:])
	}
	digits := withoutPrefix(string(s.digits))
	if s.context != "" && !s.plus {
		digits = s.context + digits
	}
	if number = numberOf(digits); number == "" {
		return "", "", ""
	}
	return number, s.extension, subscriber
}

// isOther reports whether digits with dots are an address of the internet, such as
// 192.168.1.5, or have a fraction. Four groups of two digits each are a telephone number.
func isOther(text string) bool {
	if whole, fraction, _ := strings.Cut(text, "."); len(whole) >= len("4155558765") && len(fraction) <= 2 && isPlain(strings.TrimPrefix(whole, "+")) {
		return fraction != "" && digitsOf(fraction) != ""
	}
	if strings.Count(text, ".") != 3 {
		return false
	}
	pairs := 0
	for group := range strings.SplitSeq(text, ".") {
		if _, err := strconv.ParseUint(group, 10, 8); err != nil || len(group) > 1 && group[0] == '0' {
			return false
		}
		if len(group) == 2 {
			pairs++
		}
	}
	return pairs < 4
}

// startsWithDate reports whether a text starts with a date whose year has four digits.
func startsWithDate(text string) bool {
	const separators = "./-"
	end := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && !strings.ContainsRune(separators, r) })
	if end < 0 {
		end = len(text)
	}
	date := strings.TrimRight(text[:end], separators)
	at := strings.IndexAny(date, separators)
	return at > 0 && isDate(strings.Split(date, date[at:at+1]))
}

// isDate reports whether groups of digits are a day, a month and a year, or the year first.
func isDate(groups []string) bool {
	const year = len("2026")
	if len(groups) != 3 {
		return false
	}
	if len(groups[0]) == year {
		slices.Reverse(groups)
	}
	within := func(group string, digits, least, most int) bool {
		n, err := strconv.Atoi(group)
		return err == nil && len(group) <= digits && least <= n && n <= most
	}
	const day, month = 31, 12
	return (within(groups[0], 2, 1, day) && within(groups[1], 2, 1, month) || within(groups[0], 2, 1, month) && within(groups[1], 2, 1, day)) &&
		within(groups[2], year, 1900, 2099)
}

// hiding are the codes that are dialled before a number to hide one's own, or not to.
var hiding = []string{"*67", "*82", "#31#", "*31#", "*31*", "#30#", "*30#", "*30*"}

// withoutCode cuts off a code of hiding before a number, or a 9 for an outside line.
func withoutCode(text string) string {
	text = withoutNine(text)
	for _, code := range hiding {
		if rest, ok := strings.CutPrefix(text, code); ok && countDigits(rest) >= leastListed {
			return withoutCode(strings.TrimLeftFunc(rest, func(r rune) bool { return (isFiller(r) || r == ',') && r != '(' }))
		}
	}
	return text
}

// withoutNine cuts off the 9 that a firm's telephones dial for an outside line, where it
// stands apart, and so does the 1 or 011 behind it: "9-1-415-555-8765". India's 91 is one
// group.
func withoutNine(text string) string {
	rest, nine := strings.CutPrefix(text, "9")
	number := strings.TrimLeftFunc(rest, isFiller)
	if !nine || len(number) == len(rest) || countDigits(number) < northAmerican {
		return text
	}
	group := number[:max(0, strings.IndexFunc(number, isFiller))]
	area := strings.TrimLeftFunc(number[len(group):], isFiller)
	// India's groups have five digits.
	if group != "011" && (group != "1" || area[0] < '2' || strings.IndexFunc(area, isFiller) != len("415")) {
		return text
	}
	return number
}

// schemes are the URI schemes that stand before a number.
var schemes = []string{"tel:", "sip:", "sips:", "callto:", "sms:", "whatsapp:", "phone:"}

// entities are the character references that stand in texts of format B, as far as a
// number can have them.
var entities = strings.NewReplacer(
	"&#43;", "+", "&#x2b;", "+", "&#x2B;", "+", "&plus;", "+",
	"&nbsp;", " ", "&#160;", " ", "&#xa0;", " ", "&#xA0;", " ",
	"&lpar;", "(", "&#40;", "(", "&rpar;", ")", "&#41;", ")", "&#45;", "-", "&ndash;", "-", "&#8211;", "-",
)

// subscriberOf returns the part of a text that can be a number: what stands in angle
// brackets, without scheme, host and password. isURI is set if the text had a scheme.
func subscriberOf(text string) (subscriber string, isURI bool) {
	text = strings.Map(narrow, text)
	if start := strings.LastIndexByte(text, '<'); start >= 0 {
		if end := strings.IndexByte(text[start:], '>'); end > len("<") {
			text = text[start+1 : start+end] // "Jane" <sip:…>
		}
	}
	if strings.IndexByte(text, '&') >= 0 {
		text = entities.Replace(text)
	}
	text = strings.TrimFunc(text, func(r rune) bool { return isFiller(r) && r != '(' || strings.ContainsRune("'\"`", r) })
	for _, scheme := range schemes {
		if len(text) >= len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
			text, isURI = strings.TrimPrefix(text[len(scheme):], "//"), true
			break
		}
	}
	at := strings.IndexByte(text, '@')
	if at >= 0 {
		text = text[:at]
	}
	if isURI {
		text, _, _ = strings.Cut(text, "?")
	}
	if isURI || at >= 0 {
		text, _, _ = strings.Cut(text, ":") // a password, or the port of a bare host
	}
	if strings.IndexByte(text, '%') >= 0 {
		if plain, err := url.PathUnescape(text); err == nil {
			text = plain
		}
	}
	return text, isURI
}

// withoutLabel cuts off words before "+": "Mobile: +1 415 …".
func withoutLabel(text string) string {
	start := strings.IndexByte(text, '+')
	if start <= 0 || !strings.ContainsAny(text[start-1:start], " :\t") {
		return text
	}
	for _, r := range text[:start] {
		if _, digit := digitOf(r); digit {
			return text
		}
	}
	return text[start:]
}

// scanner reads a number, its parameters and its extension.
type scanner struct {
	rest  string
	isURI bool

	plus      bool
	digits    []byte
	extension string
	// apart is set if something stands between the digits of a North American number and
	// one digit more.
	apart bool
	// context is the beginning of a local number, from "phone-context".
	context string
}

const (
	// minBeforeExtension is how many digits a number has before an extension that
	// is not marked by a parameter.
	minBeforeExtension = 4
	// northAmerican is how many digits a North American number has.
	northAmerican = len("14155558765")
	// maxExtension is less than a second number has.
	maxExtension = 8
)

// scan reports whether the text is a number. Too many digits are left to the caller.
func (s *scanner) scan() bool {
	for filler := false; s.rest != ""; {
		if s.skipTrunkZero() {
			continue
		}
		r, size := utf8.DecodeRuneInString(s.rest)
		digit, ok := digitOf(r)
		switch {
		case ok:
			s.apart = s.apart || filler && len(s.digits) == northAmerican
			s.digits = append(s.digits, digit)
		case isPlus(r):
			if len(s.digits) > 0 {
				return false
			}
			s.plus = true
		case r == ';':
			return s.scanParameters()
		case isFiller(r):
		default:
			return s.scanExtension()
		}
		filler, s.rest = !ok, s.rest[size:]
	}
	return true
}

// leadingZero are the country codes whose numbers keep their 0: Italy and the
// Vatican, San Marino, Côte d'Ivoire, Benin, Congo.
var leadingZero = map[string]bool{"39": true, "378": true, "225": true, "229": true, "242": true}

// skipTrunkZero skips "(0)" after a country code.
func (s *scanner) skipTrunkZero() bool {
	const longest = len("0011") + len("378")
	if len(s.digits) == 0 || len(s.digits) > longest || strings.IndexByte("([", s.rest[0]) < 0 {
		return false
	}
	code := withoutPrefix(string(s.digits) + "000000000")
	code = code[:max(0, len(code)-len("000000000"))]
	if len(code) < 1 || len(code) > 3 || code[0] == '0' || leadingZero[code] {
		return false
	}
	for _, zero := range []string{"(0)", "[0]", "( 0 )"} {
		if rest, ok := strings.CutPrefix(s.rest, zero); ok {
			s.rest = rest
			return true
		}
	}
	return false
}

// scanParameters reads ";name=value" as in RFC 3966, or an extension behind a
// semicolon.
func (s *scanner) scanParameters() bool {
	for {
		s.rest = strings.TrimLeftFunc(strings.TrimPrefix(s.rest, ";"), isFiller)
		if s.rest == "" {
			return true
		}
		var parameter string
		parameter, s.rest, _ = strings.Cut(s.rest, ";")
		name, value, ok := strings.Cut(parameter, "=")
		switch name = strings.ToLower(strings.TrimSpace(name)); {
		case !ok && s.isURI:
		case !ok:
			s.rest = ";" + parameter
			return s.scanExtension()
		case name == "ext":
			s.extension = digitsOf(value)
		case name == "phone-context":
			if context := strings.TrimSpace(value); strings.HasPrefix(context, "+") {
				s.context = digitsOf(context)
			}
		}
	}
}

// extensionWords stand before an extension.
var extensionWords = map[string]bool{
	"anexo": true, "app": true, "apparat": true, "durchwahl": true, "dw": true, "ext": true,
	"extension": true, "extensión": true, "extensão": true, "extn": true, "int": true, "interno": true,
	"local": true, "p": true, "poste": true, "ramal": true, "toestel": true, "w": true, "wew": true,
	"klappe": true, "nebenstelle": true, "x": true, "xt": true, "доб": true, "добавочный": true, "内線": true,
}

// moreExtensionWords are as extensionWords, in other languages.
var moreExtensionWords = sync.OnceValue(func() map[string]bool {
	return wordSet(`
	ankn anknytning dahili klapka linka lok lokal lokalnr mellék εσωτ εσωτερικό вн внутр внутренний доп
	分机 分機 转 轉 转分机 轉分機 内线 內線 내선 구내`)
})

// extensionNumber are words between that and the digits.
var extensionNumber = []string{"number", "nummer", "num", "no", "nr", "№"}

// labels stand behind a number and say nothing of it.
var labels = map[string]bool{
	"business": true, "cell": true, "direct": true, "home": true, "landline": true, "main": true,
	"mobile": true, "office": true, "phone": true, "work": true,
}

// scanExtension reads what follows a number: a mark and digits, or a mark or label
// alone.
func (s *scanner) scanExtension() bool {
	if len(s.digits) < minBeforeExtension {
		return false
	}
	rest := strings.TrimLeft(s.rest, ",;#~ ")
	marked := len(rest) < len(s.rest)
	rest, labelled := withoutLabels(strings.TrimFunc(rest, isFiller))
	if name := firstWord(rest); name != "" {
		if word := strings.ToLower(name); !extensionWords[word] && !moreExtensionWords()[word] {
			return false
		}
		const between = ".:=# "
		rest, marked = strings.TrimLeft(rest[len(name):], between), true
		for _, word := range extensionNumber {
			if len(rest) > len(word) && strings.EqualFold(rest[:len(word)], word) {
				rest = strings.TrimLeft(rest[len(word):], between)
				break
			}
		}
	} else if rest == "" {
		return marked || labelled
	}
	digits := digitsOf(strings.TrimRight(rest, "#"))
	if !marked || digits == "" || len(digits) > maxExtension {
		return false
	}
	s.extension = digits
	return true
}

// withoutLabels cuts labels off both ends of what follows a number.
func withoutLabels(text string) (rest string, labelled bool) {
	for name := firstWord(text); labels[strings.ToLower(name)]; name = firstWord(text) {
		text, labelled = strings.TrimLeftFunc(text[len(name):], isFiller), true
	}
	if last := strings.LastIndexFunc(text, func(r rune) bool { return !unicode.IsLetter(r) }); last >= 0 {
		_, size := utf8.DecodeRuneInString(text[last:])
		if labels[strings.ToLower(text[last+size:])] {
			text, labelled = strings.TrimRightFunc(text[:last], isFiller), true
		}
	}
	return text, labelled
}

// firstWord returns the letters at the beginning of a text.
func firstWord(text string) string {
	if end := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }); end >= 0 {
		return text[:end]
	}
	return text
}

// digitsOf returns the digits of a text with only digits and what may stand between
// them, else "".
func digitsOf(text string) string {
	var digits []byte
	for _, r := range text {
		digit, ok := digitOf(r)
		switch {
		case ok:
			digits = append(digits, digit)
		case !isFiller(r) && !isPlus(r):
			return ""
		}
	}
	return string(digits)
}

// withoutPrefix cuts off 00, 0011 and 011 where they mean "+", see [SplitNumber].
func withoutPrefix(digits string) string {
	if rest, ok := strings.CutPrefix(digits, "00"); ok {
		if australian, ok := strings.CutPrefix(rest, "11"); ok {
			rest = australian // no number of North America begins with 1
		}
		if len(rest) >= 7 && rest[0] != '0' {
			return rest
		}
		return digits
	}
	if rest, ok := strings.CutPrefix(digits, "011"); ok && len(rest) >= 9 && rest[0] != '0' {
		switch rest[0] {
		case '1':
			ok = len(rest) == 11 && rest[1] >= '2'
		case '9':
			ok = len(rest) > 9
		}
		if ok {
			return rest
		}
	}
	return digits
}

// narrow returns the ASCII character of a wide one, as Japanese keyboards write it.
func narrow(r rune) rune {
	if '！' <= r && r <= '～' {
		return r - '！' + '!'
	}
	return r
}

// zeros are the digits 0 of the scripts that have their own; 1 to 9 follow each.
// Wide digits are narrowed before.
const zeros = "٠۰߀०০੦૦୦௦౦೦൦෦๐໐༠၀០᠐"

// digitOf returns a decimal digit of any script as ASCII.
func digitOf(r rune) (digit byte, ok bool) {
	const digits = "0123456789"
	if r < 0x80 {
		if r < '0' || r > '9' {
			return 0, false
		}
		return digits[r-'0'], true
	}
	for _, zero := range zeros {
		if zero <= r && r <= zero+9 {
			return digits[r-zero], true
		}
	}
	return 0, false
}

func isPlus(r rune) bool { return r == '+' || r == '﹢' }

// isFiller reports whether a character may stand between the digits of a number:
// blanks, dashes, brackets, dots and slashes, and marks that nobody sees.
func isFiller(r rune) bool {
	return strings.ContainsRune(" -.()[]/\\\t\r\n\v\f_ー〜･・·•∙⁄∕。⁃", r) ||
		r >= 0x80 && unicode.In(r, unicode.White_Space, unicode.Dash, unicode.Cf)
}
