package events

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// maxWithin is the longest text, in bytes, in which a number is looked for that stands
// beside other things.
const maxWithin = 300

// readWritten is [SplitNumber] for a number that is more than its digits. It also returns
// the part of the text that is the number.
func readWritten(text string) (number, extension, written string) {
	text = writtenOut(text)
	if isMasked(text) {
		return "", "", ""
	}
	if !isList(text) {
		if number, extension, written = readAlone(text); number != "" {
			return number, extension, written
		}
	}
	if all := numbersWithin(text); len(all) > 0 {
		// One with its country's code is surely a number.
		return readAlone(all[max(0, slices.IndexFunc(all, hasCode))])
	}
	number = vanityNumber(text)
	return number, "", number
}

// hasCode reports whether a number has its country's code for sure: behind "+" or 00.
func hasCode(written string) bool {
	number, _, _ := readAlone(written)
	return strings.ContainsFunc(written, isPlus) || written[0] == '0' && number != "" && number[1] != '0'
}

// writtenOut returns a telephone number that a spreadsheet or a program took for a
// quantity as its digits: of 14155558765.00, 14,155,558,765 and 1.4155558765E10. What was
// rounded, such as 1.41556E+10, stays as it is. So does any other text.
func writtenOut(text string) string {
	const none, shortest = "", len("4155558765")
	rest, plus := strings.CutPrefix(strings.TrimPrefix(text, "-"), "+")
	if rest == none || len(rest) > maxWithin || strings.Trim(rest, "0123456789.,eE+") != none || !strings.ContainsAny(rest, ".,eE") {
		return text
	}
	mantissa, exponent, power := strings.Cut(strings.ToUpper(rest), "E")
	whole, fraction := mantissa, none
	if i := strings.LastIndexAny(mantissa, ".,"); i >= 0 && (mantissa[i] == '.' || power || mantissa[i+1:] == "00" && !plus) {
		whole, fraction = mantissa[:i], mantissa[i+1:]
	}
	if groups := strings.Split(whole, ","); len(groups) > 2 && len(groups[0]) <= 3 && countDigits(whole) >= shortest {
		whole = groups[0]
		for _, group := range groups[1:] {
			if len(group) != len("000") {
				return text
			}
			whole += group
		}
	}
	if digitsOnly := strings.Trim(whole+fraction, "0123456789") == none; !digitsOnly || whole == none || whole+fraction == rest {
		return text
	}
	if power {
		// What is rounded for people has six digits or fewer behind which zeros stand for
		// anything; a program writes all digits, but no zeros at the end.
		const surelyExact, mostZeros = 8, 3
		n, err := strconv.Atoi(exponent)
		zeros := n - len(fraction)
		if err != nil || n < 0 || zeros > mostZeros || zeros > 0 && len(whole+fraction) < surelyExact {
			return text
		}
		fraction += strings.Repeat("0", max(zeros, 0))
		whole, fraction = whole+fraction[:n], fraction[n:]
	}
	if strings.Trim(fraction, "0") != none {
		return text
	}
	if plus {
		return "+" + whole
	}
	return whole
}

// isMasked reports whether a text has marks or a word in place of some of a number's digits. What is
// left of them would be the number of somebody else.
func isMasked(text string) bool {
	text = strings.TrimSpace(text)
	var last, before rune
	run := 0
	for i, size := 0, 0; i < len(text); i += size {
		var r rune
		r, size = utf8.DecodeRuneInString(text[i:])
		if r = unicode.ToLower(r); r == last {
			run++
		} else {
			before, last, run = last, r, 1
		}
		switch r {
		case '…':
			return true
		case 'x':
			if run > 1 && !unicode.IsLetter(before) {
				return true
			}
		case '•', '∙', '·', '●', '*', '#', '?', '_':
			// Marks on both sides make a text bold.
			pair := text[max(0, i-size) : i+size]
			if run > 1 && (!strings.HasPrefix(text, pair) || !strings.HasSuffix(text, pair)) {
				return true
			}
		case '-', '.':
			if run > 2 || run > 1 && i+size == len(text) {
				return true
			}
		}
	}
	return isHidden(text)
}

// hides are words in place of digits.
var hides = sync.OnceValue(func() map[string]bool {
	return wordSet("censored hidden masked masqué obscured oculto omitted redacted removed suppressed truncated verborgen withheld")
})

// isHidden reports whether a word or a single question mark stands in place of digits behind
// those of a number: "+44 7700 900 hidden", "+44 20 7946 01?".
func isHidden(text string) bool {
	text = entities.Replace(strings.Map(narrow, text))
	digits, plus := 0, false
	for i, r := range text {
		switch _, digit := digitOf(r); {
		case digit:
			digits++
		case isPlus(r):
			digits, plus = 0, true
		case isFiller(r), strings.ContainsRune("{<*'\"", r):
		default:
			if digits > 2 || plus && digits > 0 {
				next, _ := utf8.DecodeRuneInString(text[i+1:])
				if r == '?' && !unicode.IsLetter(next) || hides()[strings.ToLower(firstWord(text[i:]))] {
					return true
				}
			}
			digits, plus = 0, false
		}
	}
	return false
}

// leastListed is how many digits a number in a list has at least, and leastFull one with
// its country's code: 0049 33701 and +49 351 are less.
const leastListed, leastFull = 7, 10

// isList reports whether a text is several numbers, with slashes or on lines of their own:
// fewer digits between slashes are groups of one number.
func isList(text string) bool {
	if !strings.ContainsAny(text, "/\r\n") {
		return false
	}
	parts := strings.FieldsFunc(text, separatesNumbers)
	if len(parts) == 2 && isWhole(parts[0], false) {
		// What stands behind the slash may be other digits at the end.
		american := strings.HasPrefix(PhoneNumber(parts[0]), "+1")
		if last := countDigits(parts[1]); last > 0 && (american || last <= 2 && strings.ContainsAny(parts[0][:1], "+0")) {
			return true
		}
	}
	numbers := 0
	for _, part := range parts {
		least := leastListed
		if part = strings.TrimSpace(part); strings.HasPrefix(part, "+") || strings.HasPrefix(part, "00") {
			least = leastFull
		}
		if countDigits(part) >= least {
			numbers++
		}
	}
	return numbers > 1
}

func separatesNumbers(r rune) bool { return strings.ContainsRune("/\r\n", r) }

func countDigits(text string) (n int) {
	for _, r := range text {
		if _, ok := digitOf(r); ok {
			n++
		}
	}
	return n
}

// numbersWithin returns the numbers in a text, each as it is written, if the text is more
// than one number: a name, marks, tags or other numbers stand beside it. It returns only
// what surely is the whole of a number.
func numbersWithin(text string) (all []string) {
	isJSON := strings.HasPrefix(text, `{"`) || strings.HasPrefix(text, "[{") || strings.HasPrefix(text, `["`)
	if len(text) > maxWithin || isJSON {
		return nil // numberIn has read that
	}
	text = strings.Map(narrow, text)
	if countDigits(text) < leastListed {
		return nil
	}
	text = entities.Replace(text)
	words := hasWords(text)
	// A country's, with its name between it and the number: "+1 (US) 415 …".
	code, behind := "", 0
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if _, digit := digitOf(r); !digit && !isPlus(r) {
			i += size
			continue
		}
		start, end, next := runAt(text, i)
		if code != "" && !belongsToCode(code, text[behind:start], text[start:end]) {
			code = "" // it was another number: "+3, 0161 496 0000"
		}
		i = next
		if !standsAlone(text, start, end, words) {
			continue
		}
		if run := text[start:end]; !isList(run) {
			plus := strings.ContainsFunc(run, isPlus)
			if isWhole(run, words) && (code == "" || plus) || code != "" && !plus && isWhole(code+run, words) {
				end += extensionAt(text[end:])
				if plus {
					code = ""
				}
				all, i = append(all, code+text[start:end]), max(i, end)
			}
			if code = ""; plus && countDigits(run) <= 3 {
				code, behind = run+" ", end
			}
			continue
		}
		for _, part := range strings.FieldsFunc(text[start:end], separatesNumbers) {
			if part = strings.TrimSpace(part); isWhole(part, words) {
				all = append(all, part)
			}
		}
	}
	return all
}

// countryBetween matches a country in brackets, or its letters.
var countryBetween = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\s*(\([\pL .]+\)|\[[\pL .]+\]|[A-Z]{2,3})\s*$`)
})

// belongsToCode reports whether digits are the rest of a number whose country's code stands
// before: only the country may be between them, and a 0 only where numbers keep theirs.
func belongsToCode(code, between, run string) bool {
	if leadingZero[strings.Trim(code, "+ ")] {
		return countryBetween().MatchString(between)
	}
	isNational := strings.HasPrefix(strings.TrimPrefix(run, "("), "0") && !strings.HasPrefix(run, "(0)")
	return countryBetween().MatchString(between) && !isNational
}

// runAt returns where the digits of a number begin and end, from the first of them or a "+"
// on, with the bracket before them, and where to look for the next.
func runAt(text string, first int) (start, end, next int) {
	start, end, next = first, first, first
	for next < len(text) {
		r, size := utf8.DecodeRuneInString(text[next:])
		_, digit := digitOf(r)
		if !digit && !isFiller(r) && (!isPlus(r) || next > first) {
			break
		}
		if next += size; digit {
			end = next
		}
	}
	if start > 0 && text[start-1] == '(' && strings.IndexByte(text[start:end], ')') > 0 {
		start--
	}
	return start, end, next
}

// standsAlone reports whether nothing touches a number that may belong to it, or makes it
// part of a word, an address, a time or a sum.
func standsAlone(text string, start, end int, words bool) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:start])
	after, _ := utf8.DecodeRuneInString(text[end:])
	plus := strings.ContainsFunc(text[start:end], isPlus)
	if start > 0 {
		switch {
		case unicode.In(before, unicode.L, unicode.M, unicode.N), strings.ContainsRune("@#%$€£+\ufffd", before):
			return false
		case !plus && (before == '=' && words || before != '(' && before != ' ' && isFiller(before) && !unicode.IsSpace(before)):
			return false
		}
	}
	switch {
	case start > 0 && before == '*' && after != '*' && !plus:
		return false // a code
	case end == len(text), extensionAt(text[end:]) > 0:
		return true
	case after == '@':
		scheme := strings.ToLower(text[:start])
		return strings.HasSuffix(scheme, "sip:") || strings.HasSuffix(scheme, "sips:")
	case after == '*':
		return before == '*'
	case after == ':':
		return strings.HasPrefix(text[end:], ": ")
	default:
		return !unicode.In(after, unicode.L, unicode.M, unicode.N) && !strings.ContainsRune("#%$€£+=\ufffd", after)
	}
}

// extensionAt returns how long an extension with a word before it is, at the beginning of
// what follows a number; 0 if there is none.
func extensionAt(text string) int {
	isDigit := func(r rune) bool { _, ok := digitOf(r); return ok }
	first := strings.IndexFunc(text, isDigit)
	if first < 0 {
		return 0
	}
	end := len(text)
	if length := strings.IndexFunc(text[first:], func(r rune) bool { return !isDigit(r) }); length >= 0 {
		end = first + length
	}
	if next, _ := utf8.DecodeRuneInString(strings.TrimLeft(text[end:], " -.")); isDigit(next) {
		return 0 // a number, not an extension
	}
	s := scanner{digits: make([]byte, minBeforeExtension), rest: strings.TrimLeft(text[:end], " ,;(-")}
	if next, _ := utf8.DecodeRuneInString(text[end:]); firstWord(s.rest) == "" || end < len(text) && unicode.IsLetter(next) || !s.scanExtension() {
		return 0
	}
	return end
}

// besideNumbers are words beside a number that say nothing of it, besides labels.
var besideNumbers = sync.OnceValue(func() map[string]bool {
	return wordSet("and call callback caller contact cellular e et from incoming no nr number o oder or ou ph tel telephone u und wireless y")
})

// hasWords reports whether a text has words of its own beside its numbers, such as a name.
// Then digits may be anything.
func hasWords(text string) bool {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if word = strings.ToLower(word); !labels[word] && !besideNumbers()[word] && !extensionWords[word] {
			return true
		}
	}
	return false
}

// datesWithin matches a date with its year in four digits.
var datesWithin = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\b([0-3]?\d[./-][0-3]?\d[./-](19|20)\d\d|(19|20)\d\d[./-][01]?\d[./-][0-3]?\d)\b`)
})

// isWhole reports whether what is written beside other things is surely the whole of a
// number, and nothing else.
func isWhole(written string, words bool) bool {
	number, _, _ := readAlone(written)
	if number == "" {
		return false
	}
	const shortest, longestNational = 9, 11
	digits, sent := number[1:], countDigits(written)
	grouped := len(strings.TrimPrefix(written, "+")) > sent
	// A "+", or what stands for it and was cut off.
	full := strings.ContainsFunc(written, isPlus) || sent > len(digits)
	switch {
	case digits[0] == '1' && len(digits) == northAmerican:
		return digits[1] >= '2' && digits[4] >= '2'
	case full && digits[0] == '7':
		return len(digits) == len("74951234567")
	case full:
		return digits[0] > '1' && len(digits) >= shortest
	case words && (!grouped || datesWithin().MatchString(written)):
		return false
	case digits[0] == '0', written[0] == '(' && strings.IndexByte(written, ')') > len("(1"):
		return shortest <= len(digits) && len(digits) <= longestNational
	case words:
		groups := strings.FieldsFunc(written, isFiller)
		return len(groups) == 3 && len(groups[0]) == 3 && len(groups[1]) == 3 && len(groups[2]) == 4
	default:
		return len(digits) >= shortest
	}
}

// keypad has the digits on whose keys the letters from A on stand.
const keypad = "22233344455566677778889999"

// vanityNumber returns the North American number that letters spell, such as 1-800-FLOWERS;
// "" if the text is anything else. Of a toll-free number the telephone ignores letters too
// many. In Australia 1800 is another prefix, so the 1 must stand apart.
func vanityNumber(text string) string {
	subscriber, _ := subscriberOf(text)
	rest, plus := strings.CutPrefix(subscriber, "+")
	rest, one := strings.CutPrefix(rest, "1")
	if !one || rest == "" || len(rest) > maxWithin || !plus && strings.IndexByte(" -.(", rest[0]) < 0 {
		return ""
	}
	var digits, letters []byte
	first := 0 // where the letters begin
	capitals, apart := true, false
	for _, r := range rest {
		switch digit, ok := digitOf(r); {
		case ok:
			digits = append(digits, digit)
		case 'a' <= r|0x20 && r|0x20 <= 'z' && r < utf8.RuneSelf:
			if letters == nil {
				first = len(digits)
			}
			letters = append(letters, byte(r|0x20)) //nolint:gosec // G115: a letter of ASCII
			digits = append(digits, keypad[r|0x20-'a'])
			capitals = capitals && r < 'a'
		case !isFiller(r):
			return ""
		default:
			apart = apart || letters != nil && r == ' '
		}
	}
	const ten = len("8003569377")
	word := string(letters)
	if len(digits) < ten || len(word) < 3 || strings.Trim(word, word[:1]) == "" {
		return ""
	}
	switch tollFree := digits[0] == '8' && digits[1] == digits[2] && digits[1] != '1' && digits[1] != '9'; {
	case tollFree && first >= 3 && (capitals || !apart):
	case first == 6 && len(word) == 4 && len(digits) == ten && capitals && digits[0] >= '2':
	default:
		return ""
	}
	return numberOf("1" + string(digits[:ten]))
}
