package events

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Optional is a scalar that may be null or absent. The zero value is absent. An
// empty string in place of a number counts as null: format B writes "nobody" that
// way.
type Optional[T any] struct {
	Value T
	State State
}

// State is what an [Optional] was on the wire.
type State uint8

// The states of an [Optional].
const (
	Absent State = iota
	Null
	Set
)

// Get returns the value and whether there is one.
func (o Optional[T]) Get() (T, bool) { return o.Value, o.State == Set }

// values are the members of an event as received, by slot; nil is absent.
//
// Several members can have the same meaning. The methods take their slots, best
// first, and return the first non-empty value, so the order in which they were sent
// cannot matter. They skip a value of another type.
type values [slots]jsontext.Value

// add adds what says more than what is there.
func (v *values) add(said *values) {
	for s, value := range said {
		if value != nil && (v[s] == nil || saysMore(slot(s), value, v[s])) {
			v[s] = value
		}
	}
}

// isParty reports whether a slot is for a number.
func (s slot) isParty() bool {
	switch s {
	case slotCallee, slotCaller, slotContactNumber, slotCustomerNumber, slotFrom, slotJustCallNumber, slotOtherNumber,
		slotPhone, slotSalesDialerNumber, slotTo:
		return true
	default:
		return false
	}
}

// saysMore reports whether a value in a slot says more than another: anything more than
// a placeholder; of a party, a number more than a text; yes more than no; of how a call
// ended, what counts more.
func saysMore(s slot, value, than jsontext.Value) bool {
	switch {
	case saysNothingAtAll(than):
		return !saysNothingAtAll(value)
	case s.isParty():
		return hasNumber(partyText(value)) && !hasNumber(partyText(than))
	case s.isFlag():
		return flag(s, value).Value && !flag(s, than).Value
	case s == slotOutcome:
		return outcomes[phrase(wordsIn(value))].rank() > outcomes[phrase(wordsIn(than))].rank()
	}
	return false
}

// text returns a string.
func (v *values) text(from ...slot) string {
	for _, s := range from {
		if t := text(v[s]); t != "" {
			return t
		}
	}
	return ""
}

// name returns a whole name, by [PersonName].
func (v *values) name(from slot) string { return PersonName(nameIn(v[from])) }

// part returns a text that is no word for nothing: part of a name, or of a company's,
// which may be "0".
func (v *values) part(from slot) string {
	t := withoutTemplates(nameIn(v[from]))
	if isPlaceholder(t) && strings.ContainsFunc(t, unicode.IsLetter) || isBlank(t) {
		return ""
	}
	return t
}

// isBlank reports whether a text has nothing that people see.
func isBlank(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) })
}

// party returns what the members say of one party, as sent: the first that has a
// telephone number, else the first that says anything, else the first that was sent.
// said is set if there is one.
func (v *values) party(from ...slot) (text string, said bool) {
	for _, s := range from {
		if v[s] == nil {
			continue
		}
		t := partyText(v[s])
		if hasNumber(t) {
			return t, true
		}
		if text == "" {
			text = t
		}
		said = true
	}
	return text, said
}

// id returns an identifier, which may be a string or a JSON number: 98765,
// "98765" and 98765.0 give the same text. A placeholder is no id.
func (v *values) id(from slot) string {
	id := strings.TrimSpace(numberText(v[from]))
	if isPlaceholder(id) {
		return ""
	}
	return id
}

// placeholders are what programs write where they have nothing to say, by their letters
// in lower case.
var placeholders = map[string]bool{
	"absent": true, "blank": true, "empty": true, "false": true, "missing": true, "na": true, "nan": true, "nil": true,
	"none": true, "notapplicable": true, "notavailable": true, "notset": true, "null": true, "objectobject": true, "undefined": true,
	"unknown": true, "unset": true,
}

// isPlaceholder reports whether a text stands for nothing: a word for it, nothing but
// zeros and signs, or a negative number.
func isPlaceholder(text string) bool {
	var letters [maxWord]byte
	n, digits, zeros := 0, 0, 0
	for i := range len(text) {
		c := text[i] | ' ' // in lower case
		switch {
		case text[i] >= utf8.RuneSelf, n == maxWord:
			return false
		case 'a' <= c && c <= 'z':
			letters[n] = c
			n++
		case text[i] == '0':
			zeros++
		case '1' <= text[i] && text[i] <= '9':
			digits++
		}
	}
	switch {
	case n > 0:
		return digits+zeros == 0 && placeholders[string(letters[:n])]
	case digits > 0:
		return text[0] == '-' && strings.Trim(text[1:], "0123456789.") == ""
	default:
		return true
	}
}

// integer returns the first whole number. If there is none, it returns null if a
// member is null.
func (v *values) integer(from ...slot) Optional[int64] { return v.first(parseInteger, from) }

// duration returns the first length of time, in whole seconds, as integer does.
func (v *values) duration(from ...slot) Optional[int64] { return v.first(parseDuration, from) }

func (v *values) first(parse func(jsontext.Value) (n int64, given, ok bool), from []slot) (number Optional[int64]) {
	for _, s := range from {
		switch n, given, ok := parse(v[s]); {
		case !ok:
		case given:
			return Optional[int64]{n, Set}
		default:
			number.State = Null
		}
	}
	return number
}

// wordNames are the members with a word, in an object in place of it, by [bareName]; best
// first.
var wordNames = []string{"name", "value", "type", "status", "outcome", "reason", "label", "title", "text", "description"}

// words returns the words in a text, or, where it should be one, in a list of some or
// in an object.
func (v *values) words(from slot) []byte { return wordsIn(v[from]) }

func wordsIn(v jsontext.Value) []byte {
	if v.Kind() == '[' || v.Kind() == '{' {
		return []byte(textIn(v, wordNames))
	}
	return letters(v)
}

// saysAny reports whether a member says anything: a text or a number that is no
// placeholder, or true.
func (v *values) saysAny(from slot) bool {
	switch v[from].Kind() {
	case 't':
		return true
	case '0':
		return !isPlaceholder(numberText(v[from]))
	default:
		return v[from] != nil && !isPlaceholder(string(v.words(from)))
	}
}

// textIn returns a text, or those in a list, or in an object that under the first of
// names that it has.
func textIn(v jsontext.Value, names []string) (found string) {
	switch v.Kind() {
	case '"':
		return text(v)
	case '[':
		var all []string
		eachElement(v, func(element jsontext.Value) {
			if element.Kind() != '[' { // lists do not nest
				all = append(all, textIn(element, names))
			}
		})
		return strings.Join(all, ", ")
	case '{':
		best := len(names)
		eachMember(v, func(name string, value jsontext.Value) {
			rank := slices.Index(names, bareName(name))
			if t := text(value); t != "" && 0 <= rank && rank < best {
				found, best = t, rank
			}
		})
	default:
	}
	return found
}

// direction returns the first direction that a member tells.
func (v *values) direction(from ...slot) Direction {
	for _, s := range from {
		if v[s] == nil {
			continue
		}
		if d := directionOf(v.words(s)); d != "" {
			return d
		}
	}
	return ""
}

// yes and no report what a member says to a question.
func (v *values) yes(from slot) bool { return v[from] != nil && flag(from, v[from]).Value }

func (v *values) no(from slot) bool {
	said := flag(from, v[from])
	return said.State == Set && !said.Value
}

// flag reads yes or no, or a word that says as much: answered: "nobody", missed: "missed".
// Of a direction, "none" says nothing.
func flag(of slot, v jsontext.Value) Optional[bool] {
	said := boolean(v)
	if said.State == Set || v.Kind() != '"' || of == slotIsInbound || of == slotIsOutbound {
		return said
	}
	unserved := outcomes[phrase(letters(v))].unserved() != ""
	switch {
	case words[strings.ToLower(text(v))] == saysNot, of == slotIsAnswered && unserved:
		return Optional[bool]{false, Set}
	case unserved:
		return Optional[bool]{true, Set}
	}
	return said
}

// flaggedDirection returns the direction that flags tell, "" if they contradict each
// other.
func (v *values) flaggedDirection() Direction {
	in := v.yes(slotIsInbound) || v.no(slotIsOutbound)
	out := v.yes(slotIsOutbound) || v.no(slotIsInbound)
	switch {
	case in == out:
		return ""
	case in:
		return Inbound
	default:
		return Outbound
	}
}

// texts returns the strings of an array that are not empty.
func (v *values) texts(from slot) (all []string) {
	if v[from].Kind() == '[' {
		eachElement(v[from], func(element jsontext.Value) {
			if t := text(element); t != "" {
				all = append(all, t)
			}
		})
	}
	return all
}

// The functions that follow report whether a value has a documented type. Null
// fits all of them.

func isAnything(jsontext.Value) bool { return true }

func isText(v jsontext.Value) bool { return v.Kind() == '"' || v.Kind() == 'n' }

func isNumberText(v jsontext.Value) bool { return isText(v) || v.Kind() == '0' }

func isInteger(v jsontext.Value) bool {
	_, _, ok := parseInteger(v)
	return ok
}

func isDuration(v jsontext.Value) bool {
	_, _, ok := parseDuration(v)
	return ok
}

// isDirection parses the word, which is parsed again when it is read. That is cheap:
// the word is short.
func isDirection(v jsontext.Value) bool { return directionOf(letters(v)) != "" || isEmpty(v) }

func isTexts(v jsontext.Value) bool {
	if v.Kind() != '[' {
		return v.Kind() == 'n'
	}
	fits := true
	eachElement(v, func(element jsontext.Value) { fits = isText(element) && fits })
	return fits
}

// isMMS expects an array of objects with a media_url.
func isMMS(v jsontext.Value) bool {
	if v.Kind() != '[' {
		return isEmpty(v)
	}
	fits := true
	eachElement(v, func(element jsontext.Value) {
		fits = (element.Kind() == '{' || isEmpty(element)) && isText(mediaURL(element)) && fits
	})
	return fits
}

// mediaURL returns an attachment's URL, or null if it has none.
func mediaURL(attachment jsontext.Value) jsontext.Value {
	url := jsontext.Value("null")
	if attachment.Kind() == '{' {
		eachMember(attachment, func(name string, value jsontext.Value) {
			if name == "media_url" {
				url = value
			}
		})
	}
	return url
}

// parseInteger reads a whole number, or a string with one. For null and a blank
// string, given is false and ok is true.
func parseInteger(v jsontext.Value) (n int64, given, ok bool) {
	number := string(v)
	switch v.Kind() {
	case 'n':
		return 0, false, true
	case '"':
		if number = strings.TrimSpace(unquote(v)); number == "" {
			return 0, false, true
		}
	case '0':
	default:
		return 0, false, false
	}
	n, err := strconv.ParseInt(integerText(number), 10, 64)
	return n, true, err == nil
}

// parseDuration reads a length of time in whole seconds: a number, perhaps with a
// fraction; "0:22", "1:02:03"; "22s", "1 min 22 sec", "PT1M22S". A negative one is none. The rest is
// as with parseInteger.
func parseDuration(v jsontext.Value) (seconds int64, given, ok bool) {
	if seconds, given, ok = parseInteger(v); ok {
		return max(seconds, 0), given && seconds >= 0, true
	}
	said := string(v)
	switch v.Kind() {
	case '"':
		said = unquote(v)
	case '0':
	default:
		return 0, false, false
	}
	if number, err := strconv.ParseFloat(said, 64); err == nil {
		return int64(number), true, number >= 0 && number < maxExact
	}
	if strings.Contains(said, ":") {
		return clockSeconds(said)
	}
	return unitSeconds(strings.TrimPrefix(strings.ToLower(strings.TrimSpace(said)), "pt")) // as in ISO 8601
}

// clockSeconds reads "0:22" and "1:02:03".
func clockSeconds(said string) (seconds int64, given, ok bool) {
	parts := strings.Split(strings.TrimSpace(said), ":")
	last := len(parts) - 1
	parts[last], _, _ = strings.Cut(parts[last], ".")
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil || i > 2 || i > 0 && n > 59 {
			return 0, false, false
		}
		seconds = 60*seconds + int64(n)
	}
	return seconds, true, true
}

// units are the names of units of time, with their seconds.
var units = map[string]int64{
	"s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1,
	"m": 60, "min": 60, "mins": 60, "minute": 60, "minutes": 60,
	"h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "hours": 3600,
}

// unitSeconds reads "22s", "22 sec" and "1 hour 2 minutes".
func unitSeconds(said string) (seconds int64, given, ok bool) {
	c := cutter{rest: said, ok: said != ""}
	for c.ok && c.rest != "" {
		const mostDigits = 7
		n := c.number(1, mostDigits)
		fraction := c.oneOf(".") != 0
		if fraction {
			c.fraction()
		}
		c.rest = strings.TrimLeft(c.rest, " ")
		unit := c.rest[:len(c.rest)-len(strings.TrimLeft(c.rest, "abcdefghijklmnopqrstuvwxyz"))]
		c.rest = strings.TrimLeft(c.rest[len(unit):], " ,")
		c.ok = c.ok && units[unit] > 0 && (!fraction || units[unit] == 1)
		seconds += int64(n) * units[unit]
	}
	return seconds, c.ok, c.ok
}

// maxExact is the limit up to which float64 is exact for integers.
const maxExact = 1 << 53

// integerText rewrites a whole number that is written as a float, such as 1e3 or
// 5.0, as plain digits. It returns anything else unchanged.
func integerText(number string) string {
	if !strings.ContainsAny(number, ".eE") {
		return number
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || f <= -maxExact || f >= maxExact || f != float64(int64(f)) {
		return number
	}
	return strconv.FormatInt(int64(f), 10)
}

// numberText returns the text of a JSON string or number, and "" for any other
// value.
func numberText(v jsontext.Value) string {
	if v.Kind() == '0' {
		return integerText(string(v))
	}
	return text(v)
}

// text returns the text of a JSON string, and "" for any other value.
func text(v jsontext.Value) string {
	if v.Kind() != '"' {
		return ""
	}
	return unquote(v)
}

// letters returns what text returns, without copying it if nothing in it is escaped.
func letters(v jsontext.Value) []byte {
	switch {
	case v.Kind() != '"':
		return nil
	case bytes.IndexByte(v, '\\') < 0:
		return v[1 : len(v)-1]
	default:
		return []byte(unquote(v))
	}
}

// unquote returns the text of a JSON string that is known to be valid.
func unquote(v jsontext.Value) string {
	if len(v) >= 2 && bytes.IndexByte(v, '\\') < 0 {
		return string(v[1 : len(v)-1])
	}
	unquoted, _ := jsontext.AppendUnquote(nil, v)
	return string(unquoted)
}

// isEmpty reports whether a value means the same as an absent member. An empty
// object may arrive as an empty array.
func isEmpty(v jsontext.Value) bool {
	switch v.Kind() {
	case 0, 'n':
		return true
	case '{', '[':
		return len(bytes.TrimSpace(v[1:max(1, len(v)-1)])) == 0
	case '"':
		return len(v) == len(`""`)
	default:
		return false
	}
}
