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

// trimStart returns the text without white space and byte order marks in front.
func trimStart(text []byte) []byte {
	for {
		text = bytes.TrimLeft(text, " \t\r\n")
		rest, ok := bytes.CutPrefix(text, []byte(bom))
		if !ok {
			return text
		}
		text = rest
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

// notNumbers are what writers put where they have no number, in lower case. JSON has
// no word for them.
var notNumbers = map[string]bool{"nan": true, "inf": true, "infinity": true, "undefined": true, "none": true}

// repairCharacters repairs what is wrong within and between the tokens.
func repairCharacters(body []byte) (text []byte, found damage) {
	trimmed := trimStart(body)
	if bytes.Contains(body[:len(body)-len(trimmed)], []byte(bom)) {
		found |= damageBOM
	}
	body = trimmed
	text = make([]byte, 0, len(body)+len(body)/16)
	depth := 0
	for i := 0; i < len(body); {
		switch c := body[i]; {
		case c == '"':
			var odd damage
			text, i, odd = repairString(text, body, i)
			found |= odd
			continue
		case c == 0 && depth == 0 && len(text) > 0:
			// A buffer that was not cleared: the text ended at the NUL.
			return text, found | damageNUL
		case c == '{', c == '[':
			depth++
		case c == '}', c == ']':
			depth--
		case isLetter(c) || (c == '+' || c == '-') && i+1 < len(body) && isLetter(body[i+1]):
			end := i + 1
			for end < len(body) && isLetter(body[end]) {
				end++
			}
			word := body[i:end]
			if notNumbers[strings.ToLower(strings.TrimLeft(string(word[:min(len(word), 10)]), "+-"))] {
				word = []byte("null")
				found |= damageNaN
			}
			text, i = append(text, word...), end
			continue
		}
		text = append(text, body[i])
		i++
	}
	return text, found
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

// dropRepeated takes out all members of a name but the last, at every level. It
// returns a text that is not JSON as it is.
func dropRepeated(text []byte) ([]byte, damage) {
	if tooDeep(text) {
		return text, 0
	}
	s := memberScan{dec: jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true))}
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

// memberScan finds repeated members. They end where the next one begins: the last of
// a name is never taken out.
type memberScan struct {
	dec  *jsontext.Decoder
	cuts []span
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
		var starts []int
		last := map[string]int{}
		for s.dec.PeekKind() != '}' {
			raw, err := s.dec.ReadValue()
			if err != nil {
				return err
			}
			name := unquote(raw)
			if before, ok := last[name]; ok {
				s.cuts = append(s.cuts, span{start: before}) // its end is the start of the next
			}
			starts = append(starts, int(s.dec.InputOffset())-len(raw))
			last[name] = starts[len(starts)-1]
			if err := s.value(); err != nil {
				return err
			}
		}
		s.close(starts)
	default:
		return nil
	}
	_, err = s.dec.ReadToken()
	return err
}

// close ends the cuts of one object, whose members have these starts.
func (s *memberScan) close(starts []int) {
	for i := len(s.cuts) - 1; i >= 0 && len(starts) > 0 && s.cuts[i].start >= starts[0]; i-- {
		if at, ok := slices.BinarySearch(starts, s.cuts[i].start); ok {
			s.cuts[i].end = starts[at+1]
		}
	}
}
