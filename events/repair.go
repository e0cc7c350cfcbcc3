package events

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// repair returns JSON without what real senders get wrong in it. What is sound stays
// as it is, so that a repaired text is not repaired again; what is not JSON at all
// stays that. It takes linear time.
func repair(body []byte) (text []byte, found damage) {
	body, found = decodeUTF16(body)
	text, more := repairCharacters(body)
	text, repeated := dropRepeated(text)
	return text, found | more | repeated
}

const bom = "\ufeff"

// invisible are what programs put in front and nobody sees, besides white space: the last
// is a byte order mark that was encoded once more.
var invisible = [...]string{bom, "\u00a0", "\u200b", "\u200e", "\u200f", "\u2060", "\u00ef\u00bb\u00bf"}

// trimStart returns the text without white space and byte order marks in front.
func trimStart(text []byte) []byte {
	for {
		text = bytes.TrimLeft(text, " \t\r\n")
		before := len(text)
		for _, mark := range invisible {
			text = bytes.TrimPrefix(text, []byte(mark))
		}
		if len(text) == before {
			return text
		}
	}
}

// decodeUTF16 returns UTF-16 as UTF-8. It is known by its byte order mark, or by the
// NUL beside the first bracket.
func decodeUTF16(body []byte) ([]byte, damage) {
	if len(body) < 4 || len(body)%2 != 0 {
		return body, 0
	}
	high, low, from := 0, 1, 0
	switch {
	case body[0] == 0xFE && body[1] == 0xFF:
		from = 2
	case body[0] == 0xFF && body[1] == 0xFE:
		high, low, from = 1, 0, 2
	case body[0] == 0 && (body[1] == '{' || body[1] == '['):
	case body[1] == 0 && (body[0] == '{' || body[0] == '['):
		high, low = 1, 0
	default:
		return body, 0
	}
	text := make([]byte, 0, len(body))
	for i := from; i < len(body); i += 2 {
		r := rune(body[i+high])<<8 | rune(body[i+low])
		if utf16.IsSurrogate(r) && i+3 < len(body) {
			if pair := utf16.DecodeRune(r, rune(body[i+2+high])<<8|rune(body[i+2+low])); pair != utf8.RuneError {
				r, i = pair, i+2
			}
		}
		text = utf8.AppendRune(text, r) // half a pair becomes U+FFFD
	}
	return text, damageUTF16
}

// bareWords are words that programs write without quotes, in lower case, and what JSON
// has for them.
var bareWords = map[string]string{
	"nan": "null", "inf": "null", "infinity": "null", "undefined": "null", "none": "null", "null": "null", "nil": "null",
	"true": "true", "false": "false",
}

// repairCharacters repairs what is wrong within and between the tokens.
func repairCharacters(body []byte) (text []byte, found damage) {
	trimmed := trimStart(body)
	if len(bytes.TrimLeft(body[:len(body)-len(trimmed)], " \t\r\n")) > 0 {
		found |= damageBOM
	}
	body = trimmed
	text = make([]byte, 0, len(body)+len(body)/16)
	depth := 0
	last, at := byte(0), 0 // the last byte in text that is no space, and where it stands
	for i := 0; i < len(body); {
		c := body[i]
		from, next := len(text), i+1
		switch {
		case c == '"':
			var odd damage
			text, next, odd = repairString(text, body, i)
			found |= odd
		case c == 0 && depth == 0 && len(text) > 0:
			// A buffer that was not cleared: the text ended at the NUL.
			return text, found | damageNUL
		case bytes.HasPrefix(body[i:], []byte(bom)):
			found |= damageBOM
			i += len(bom)
			continue
		case isSpace(c):
			text = append(text, c)
			i++
			continue
		case c == ',' && (last == ',' || last == '[' || last == '{'):
			found |= damageComma
			i++
			continue
		case c == ',', c == '}', c == ']':
			switch last {
			case ':':
				text = append(text, "null"...)
				found |= damageComma
			case ',': // and c is a bracket
				text = slices.Delete(text, at, at+1)
				found |= damageComma
			}
			if c != ',' {
				depth--
			}
			from = len(text)
			text = append(text, c)
		case c == '{', c == '[':
			depth++
			text = append(text, c)
		case isLetter(c) || (c == '+' || c == '-') && i+1 < len(body) && isLetter(body[i+1]):
			var odd damage
			text, next, odd = repairWord(text, body, i)
			found |= odd
		case (c == '+' || c == '0') && (last == ':' || last == ',' || last == '['):
			var odd damage
			text, next, odd = repairNumber(text, body, i)
			found |= odd
		default:
			text = append(text, c)
		}
		last, at, i = c, from, next
	}
	if last == ',' && depth == 0 {
		return slices.Delete(text, at, at+1), found | damageComma
	}
	return text, found
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// repairWord appends the word that begins at i, and returns where it ends.
func repairWord(text, body []byte, i int) ([]byte, int, damage) {
	end := i + 1
	for end < len(body) && isLetter(body[end]) {
		end++
	}
	const longest = len("+undefined")
	word := string(body[i:min(end, i+longest)])
	if right := bareWords[strings.ToLower(strings.TrimLeft(word, "+-"))]; right != "" && right != word && end-i <= longest {
		return append(text, right...), end, damageWord
	}
	return append(text, body[i:end]...), end, 0
}

// repairNumber appends the number that begins at i, as a text if it is one of those
// that JSON has only as such: "+14155558765", "0049".
func repairNumber(text, body []byte, i int) ([]byte, int, damage) {
	end := i + 1
	for end < len(body) && isDigit(body[end]) {
		end++
	}
	if end == i+1 || end < len(body) && bytes.IndexByte([]byte(",}] \t\r\n"), body[end]) < 0 {
		return append(text, body[i]), i + 1, 0
	}
	text = append(append(append(text, '"'), body[i:end]...), '"')
	return text, end, damageNumber
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// repairString appends the string that begins at i, and returns where it ends.
func repairString(text, body []byte, i int) ([]byte, int, damage) {
	const hexDigits = "0123456789abcdef"
	var found damage
	text = append(text, '"')
	for i++; i < len(body); {
		switch c := body[i]; {
		case c == '"':
			return append(text, '"'), i + 1, found
		case c == '\\':
			n, odd := escapeAt(body[i:])
			switch {
			case n == 0: // an escape that JSON does not have: the backslash is one
				text = append(text, `\\`...)
				n, odd = 1, damageEscape
			case odd != 0:
				text = append(text, `\ufffd`...)
			default:
				text = append(text, body[i:i+n]...)
			}
			found |= odd
			i += n
		case c < ' ':
			text = append(text, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			found |= damageControl
			i++
		case c < utf8.RuneSelf:
			text = append(text, c)
			i++
		default:
			r, n := utf8.DecodeRune(body[i:])
			if r == utf8.RuneError && n == 1 {
				found |= damageUTF8
			}
			text = utf8.AppendRune(text, r)
			i += n
		}
	}
	return text, i, found // it never ends, and stays no JSON
}

// escapeAt returns the length of the escape that text begins with, a surrogate pair
// being one; 0 if JSON does not have it. Half a pair is damaged.
func escapeAt(text []byte) (n int, odd damage) {
	if len(text) < 2 {
		return 0, 0
	}
	if text[1] != 'u' {
		if bytes.IndexByte([]byte(`"\/bfnrt`), text[1]) < 0 {
			return 0, 0
		}
		return 2, 0
	}
	const length = len(`\u0000`)
	first, ok := unitAt(text)
	switch {
	case !ok:
		return 0, 0
	case !utf16.IsSurrogate(first):
		return length, 0
	}
	if second, ok := unitAt(text[length:]); ok && utf16.DecodeRune(first, second) != utf8.RuneError {
		return 2 * length, 0
	}
	return length, damageSurrogate
}

// unitAt returns the UTF-16 unit of the \uXXXX that text begins with.
func unitAt(text []byte) (unit rune, ok bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	for _, c := range text[2:6] {
		switch {
		case '0' <= c && c <= '9':
			unit = unit<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			unit = unit<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return unit, true
}

// dropRepeated takes out all members of a name but one, at every level: the last that
// says something, or else the last. It returns a text that is not JSON as it is.
func dropRepeated(text []byte) ([]byte, damage) {
	if tooDeep(text) {
		return text, 0
	}
	s := memberScan{text: text, dec: jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true))}
	if s.value() != nil || atEnd(s.dec) != nil || len(s.cuts) == 0 {
		return text, 0
	}
	slices.SortFunc(s.cuts, func(a, b span) int { return a.start - b.start })
	kept, at := make([]byte, 0, len(text)), 0
	for _, cut := range s.cuts {
		if cut.start >= at { // else it is inside one that is taken out
			kept, at = append(kept, text[at:cut.start]...), cut.end
		}
	}
	return append(kept, text[at:]...), damageDuplicate
}

type span struct{ start, end int }

// memberScan finds repeated members.
type memberScan struct {
	text []byte
	dec  *jsontext.Decoder
	cuts []span
}

// repeatable is a member of an object, and what becomes of it.
type repeatable struct {
	span

	hollow, dropped bool
}

func (s *memberScan) value() error {
	token, err := s.dec.ReadToken()
	if err != nil {
		return err
	}
	switch token.Kind() {
	case '[':
		for s.dec.PeekKind() != ']' {
			if err := s.value(); err != nil {
				return err
			}
		}
	case '{':
		if err := s.members(); err != nil {
			return err
		}
	default:
		return nil
	}
	_, err = s.dec.ReadToken()
	return err
}

// members reads the members of one object.
func (s *memberScan) members() error {
	var all []repeatable
	kept := map[string]int{}
	repeated := false
	for s.dec.PeekKind() != '}' {
		raw, err := s.dec.ReadValue()
		if err != nil {
			return err
		}
		name, nameEnd := unquote(raw), int(s.dec.InputOffset())
		if err := s.value(); err != nil {
			return err
		}
		m := repeatable{span: span{nameEnd - len(raw), int(s.dec.InputOffset())}}
		m.hollow = saysNothingAtAll(bytes.TrimLeft(s.text[nameEnd:m.end], ": \t\r\n"))
		before, ok := kept[name]
		switch {
		case !ok:
			kept[name] = len(all)
		// guard 3 events (NothingIsLostForAnEmptyBehind): case false:
		case m.hollow && !all[before].hollow:
			m.dropped, repeated = true, true
		default:
			all[before].dropped, repeated = true, true
			kept[name] = len(all)
		}
		all = append(all, m)
	}
	if repeated {
		s.cut(all)
	}
	return nil
}

// cut notes what is to be taken out of one object. A member goes with all up to the
// next one; those behind the last that stays go with all since its end.
func (s *memberScan) cut(all []repeatable) {
	last := len(all) - 1
	for all[last].dropped {
		last--
	}
	for i, m := range all[:last] {
		if m.dropped {
			s.cuts = append(s.cuts, span{m.start, all[i+1].start})
		}
	}
	if last < len(all)-1 {
		s.cuts = append(s.cuts, span{all[last].end, all[len(all)-1].end})
	}
}

// saysNothingAtAll reports whether a member's value stands for nothing, or only for a
// test.
func saysNothingAtAll(value jsontext.Value) bool {
	return isHollow(value) || (value.Kind() == '"' || value.Kind() == '0') && isPlaceholder(numberText(value))
}
