package alert

import (
	"fmt"
	"html"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// The longest texts in an alert, in characters. The table has the whole text. With
// these limits the largest message stays under 64 KB, which SNS bills as one.
const (
	MaxName          = 80 // of what people are called, wherever it is shown
	maxReason        = 120
	maxTranscription = 2000
	maxExtension     = 12
	maxAgents        = 10
	maxURL           = 8 << 10 // bytes; a longer link is left out
	maxID            = 400     // bytes; no part of a key is longer
)

// clean turns what JustCall sent into one line for people. It undoes escapes,
// replaces control characters and line ends by a blank, removes characters that
// nobody sees, some of which reverse a line's direction, and shortens the text to
// limit characters. whole reports that it was not shortened.
func clean(text string, limit int) (line string, whole bool) {
	text = Visible(decode(text))
	letters := 0
	for i := range text {
		if letters++; letters > limit {
			_, size := utf8.DecodeRuneInString(text[i:])
			return cut(text[:i+size], "…", func(shorter string) bool { return utf8.RuneCountInString(shorter) <= limit }), false
		}
	}
	return text, true
}

// OneLine returns a text that somebody else chose as one line for people, of at most limit
// characters: without escapes, control characters, and what nobody sees or what reverses
// a line's direction.
func OneLine(text string, limit int) string {
	text, _ = clean(text, limit)
	return text
}

// cut returns the longest beginning of a text that fits with dots behind it, or ""
// if none does. It does not separate what people see as one character, such as a
// letter and its accent, unless that alone is too long.
func cut(text, dots string, fits func(string) bool) string {
	if fits(text) {
		return text
	}
	var seen, single []int // where a beginning may end
	for each := graphemes.FromString(text); each.Next(); {
		seen = append(seen, each.End())
	}
	for at, r := range text {
		single = append(single, at+utf8.RuneLen(r))
	}
	for _, ends := range [][]int{seen, single} {
		beginning := func(i int) string { return strings.TrimRight(text[:ends[i]], " .…") + dots }
		if n := sort.Search(len(ends), func(i int) bool { return !fits(beginning(i)) }); n > 0 {
			return beginning(n - 1)
		}
	}
	return ""
}

// decode undoes the escapes that JustCall leaves in texts, each once: backslashes,
// tags, and HTML entities.
func decode(text string) string {
	text = replace(text, '\\', backslash)
	text = replace(text, '<', tag)
	return replace(text, '&', entity)
}

// replace replaces what begins with a mark. read gets the text from a mark on, and
// returns what it means and the length of what means that; 0 if the mark is only a
// character.
func replace(text string, mark byte, read func(string) (meant string, length int)) string {
	i := strings.IndexByte(text, mark)
	if i < 0 {
		return text
	}
	var b strings.Builder
	for ; i >= 0; i = strings.IndexByte(text, mark) {
		b.WriteString(text[:i])
		text = text[i:]
		meant, length := read(text)
		if length == 0 {
			meant, length = text[:1], 1
		}
		b.WriteString(meant)
		text = text[length:]
	}
	return b.String() + text
}

// escaped has what a backslash before a character means, in JSON and in PHP. Before
// any other character it is only a backslash.
var escaped = map[byte]string{'\'': "'", '"': `"`, '/': "/", '\\': `\`, 'n': "\n", 'r': "\n", 't': "\t"}

func backslash(text string) (meant string, length int) {
	if len(text) < 2 {
		return "", 0
	}
	if meant, ok := escaped[text[1]]; ok {
		return meant, 2
	}
	switch text[1] {
	case 'u':
		return paired(text, codeUnit)
	case '&':
		// A quote was escaped, and has become an entity since.
		if quote, n := entity(text[1:]); quote == "'" || quote == `"` {
			return text[1 : 1+n], 1 + n
		}
	}
	return "", 0
}

// paired reads one character that is written as one number or, as in UTF-16, as
// two. Half a pair becomes U+FFFD.
func paired(text string, read func(string) (unit rune, length int)) (meant string, length int) {
	first, n := read(text)
	if n == 0 {
		return "", 0
	}
	if second, more := read(text[n:]); more > 0 {
		if r := utf16.DecodeRune(first, second); r != unicode.ReplacementChar {
			return string(r), n + more
		}
	}
	return string(first), n
}

// codeUnit reads an escape such as \u00e9.
func codeUnit(text string) (unit rune, length int) {
	const size = len(`\u00e9`)
	if len(text) < size || text[:2] != `\u` {
		return 0, 0
	}
	n, err := strconv.ParseUint(text[2:size], 16, 16)
	if err != nil {
		return 0, 0
	}
	return rune(n), size
}

// maxEntity is longer than any entity, in bytes.
const maxEntity = 40

// entity reads an HTML entity. It must end in a semicolon, although browsers do
// without: nothing is encoded in "AT&TNT" and "?a=1&copy=2".
func entity(text string) (meant string, length int) {
	if meant, length = paired(text, characterReference); length > 0 {
		return meant, length
	}
	name, _, ok := strings.Cut(text[:min(len(text), maxEntity)], ";")
	if !ok || strings.HasPrefix(name, "&#") {
		return "", 0
	}
	name += ";"
	// What has no meaning comes back as it is, and of "&notit;" only "&not" has one.
	meant = html.UnescapeString(name)
	if strings.HasSuffix(meant, ";") && name != "&semi;" {
		return "", 0
	}
	return meant, len(name)
}

// characterReference reads an entity that is a number, such as &#39; or &#x27;.
func characterReference(text string) (r rune, length int) {
	digits, ok := strings.CutPrefix(text[:min(len(text), maxEntity)], "&#")
	if !ok {
		return 0, 0
	}
	if digits, _, ok = strings.Cut(digits, ";"); !ok {
		return 0, 0
	}
	length = len("&#") + len(digits) + len(";")
	base := 10
	if strings.HasPrefix(digits, "x") || strings.HasPrefix(digits, "X") {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 31)
	if err != nil {
		return 0, 0
	}
	if 0x80 <= n && n < 0xa0 {
		// Numbers of Windows' alphabet, which HTML allows.
		r, _ = utf8.DecodeRuneInString(html.UnescapeString(fmt.Sprintf("&#%d;", n)))
		return r, length
	}
	return rune(n), length
}

// tags are the tags that a text may hold, and what stands for them. Anything else
// in angle brackets stays: it may be an address.
var tags = map[string]string{
	"br": " ", "p": " ", "div": " ", "hr": " ", "li": " ", "ul": " ", "ol": " ", "table": " ", "tr": " ", "td": " ", "th": " ",
	"h1": " ", "h2": " ", "h3": " ", "h4": " ", "h5": " ", "h6": " ", "blockquote": " ", "pre": " ",
	"a": "", "b": "", "i": "", "u": "", "s": "", "em": "", "strong": "", "small": "", "span": "", "font": "", "mark": "",
	"sub": "", "sup": "", "code": "",
}

// maxTag limits a tag with its attributes, in bytes.
const maxTag = 500

func tag(text string) (meant string, length int) {
	inside, _, ok := strings.Cut(text[1:min(len(text), maxTag)], ">")
	if !ok {
		return "", 0
	}
	name := strings.TrimPrefix(inside, "/")
	if end := strings.IndexFunc(name, func(r rune) bool { return r == '/' || unicode.IsSpace(r) }); end >= 0 {
		name = name[:end]
	}
	if meant, ok = tags[strings.ToLower(name)]; !ok {
		return "", 0
	}
	return meant, len("<") + len(inside) + len(">")
}

// Visible returns a text as one line: it replaces line ends and controls by a blank and
// removes what nobody sees, or what reverses a line's direction. Joiners stay where they
// change what people see: between letters, as in Persian, and between emoji. It undoes no
// escapes: a text that [OneLine] returned stays as it is.
func Visible(text string) string {
	var b strings.Builder
	var last, joiner rune
	gap := false
	for _, r := range text {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r):
			gap = b.Len() > 0
			continue
		case r == zwnj, r == zwj:
			if joiner == 0 && !gap && joins(last) {
				joiner = r
			}
			continue
		case isHidden(r):
			continue
		}
		// Between words, a joiner gives the last letter its form in some scripts of
		// India.
		if joiner != 0 && (!gap && joins(r) || joiner == zwj && unicode.IsMark(last)) {
			b.WriteRune(joiner)
		}
		if gap {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
		last, joiner, gap = r, 0, false
	}
	if joiner == zwj && unicode.IsMark(last) && !unicode.Is(unicode.Variation_Selector, last) {
		b.WriteRune(joiner)
	}
	return b.String()
}

// The zero-width non-joiner and joiner.
const zwnj, zwj = '\u200c', '\u200d'

// joins reports whether a joiner can stand beside a character.
func joins(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.So, unicode.Sk) && r != unicode.ReplacementChar
}

// isHidden reports whether nobody sees a character, or each reader something else:
// marks of direction, soft hyphens, fillers, private characters and noncharacters.
// A character that is newer than Go's tables is not hidden.
func isHidden(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs, unicode.Other_Default_Ignorable_Code_Point) &&
		!unicode.Is(unicode.Prepended_Concatenation_Mark, r) ||
		unicode.Is(unicode.Noncharacter_Code_Point, r)
}

// Link returns an address if it is one of the web that a mail program or a page may show
// as a link, or else "".
func Link(address string) string {
	address = replace(replace(strings.TrimSpace(address), '\\', backslash), '&', entity)
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	// What a browser encodes too. Each would take four bytes in a JSON text inside
	// another.
	address = strings.NewReplacer(`"`, "%22", `\`, "%5C").Replace(u.String())
	if len(address) > maxURL {
		return ""
	}
	return address
}

// fold breaks a text into lines of at most width characters, at blanks. A longer
// word has a line of its own, or several if it is too long for a line of an e-mail.
func fold(text string, width int) []string {
	var lines []string
	current, length := "", 0
	for word := range strings.FieldsSeq(text) {
		for _, piece := range pieces(word, width) {
			n := utf8.RuneCountInString(piece)
			switch {
			case current == "":
			case length+1+n > width:
				lines = append(lines, current)
				current, length = "", 0
			default:
				current, length = current+" ", length+1
			}
			current, length = current+piece, length+n
		}
	}
	return append(lines, current)
}

// pieces breaks a word that is too long for a line of an e-mail, such as a text in a
// language without blanks, into pieces of width characters.
func pieces(word string, width int) []string {
	if len(word) <= maxMailLine-rowIndent {
		return []string{word}
	}
	var all []string
	start, length := 0, 0
	for i := range word {
		if length == width {
			all = append(all, word[start:i])
			start, length = i, 0
		}
		length++
	}
	return append(all, word[start:])
}

// zoneName returns the abbreviation of a time's zone. Zones without one are named
// by their offset, such as UTC-3.
func zoneName(at time.Time) string {
	name, offset := at.Zone()
	if strings.Trim(name, "+-0123456789") != "" {
		return name
	}
	sign := '+'
	if offset < 0 {
		sign, offset = '-', -offset
	}
	hours, minutes := offset/3600, offset/60%60
	if minutes == 0 {
		return fmt.Sprintf("UTC%c%d", sign, hours)
	}
	return fmt.Sprintf("UTC%c%d:%02d", sign, hours, minutes)
}

// lasted says how long something took, such as "1 min 5 s"; "" if that is not
// known.
func lasted(seconds int64) string {
	switch minutes := seconds / 60; {
	case seconds <= 0:
		return ""
	case minutes == 0:
		return fmt.Sprintf("%d s", seconds)
	case seconds%60 == 0:
		return fmt.Sprintf("%d min", minutes)
	default:
		return fmt.Sprintf("%d min %d s", minutes, seconds%60)
	}
}
