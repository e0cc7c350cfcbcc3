package logscan

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// value is what no log may hold.
type value struct {
	kind Kind
	text string
}

// find returns the first value of each kind that a text holds.
func find(text string, wanted []value) (found []value) {
	texts := spellings(text)
	words, digits := make([]string, len(texts)), make([]string, len(texts))
	for i, t := range texts {
		words[i], digits[i] = " "+wordsOf(t)+" ", digitsOf(t)
	}
	reported := make(map[Kind]bool)
	for _, v := range wanted {
		in, looked := words, " "+wordsOf(v.text)+" "
		switch v.kind {
		case Secret:
			in, looked = texts, v.text
		case Number:
			in, looked = digits, subscriber(v.text)
		default:
		}
		if !reported[v.kind] && slices.ContainsFunc(in, func(text string) bool { return strings.Contains(text, looked) }) {
			reported[v.kind] = true
			found = append(found, v)
		}
	}
	return found
}

// subscriber is a number without its country code: people write it with the code,
// without it, or with a zero in its place.
func subscriber(number string) string {
	const national = 10
	digits := digitsOf(number)
	return digits[max(0, len(digits)-national):]
}

// digitsOf leaves out what people put between the digits of a number.
func digitsOf(text string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" +-./()\u00a0", r) {
			return -1
		}
		return r
	}, text)
}

// wordsOf returns the words of a text in lower case, with one space between
// them, so that neither punctuation nor line breaks matter.
func wordsOf(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	gap := false
	for _, r := range text {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

var (
	whitespaceEscape = regexp.MustCompile(`\\+[nrtbf]`)
	unicodeEscape    = regexp.MustCompile(`\\+u[0-9a-fA-F]{4}|\\+x[0-9a-fA-F]{2}`)
	percentEscape    = regexp.MustCompile(`(%[0-9a-fA-F]{2})+`)
	base64Run        = regexp.MustCompile(`[A-Za-z0-9+/_-]{16,}={0,2}`)
	hexRun           = regexp.MustCompile(`([0-9a-fA-F]{2}){8,}`)
	byteList         = regexp.MustCompile(`\[\d{1,3}([ ,]+\d{1,3}){7,}\]`)
)

// spellings returns a text as it is, the text without the escapes of JSON, Go, HTML
// and URLs, and what is encoded in it.
func spellings(text string) []string {
	plain := text
	if strings.Contains(plain, `\`) {
		plain = whitespaceEscape.ReplaceAllString(plain, " ")
		plain = unicodeEscape.ReplaceAllStringFunc(plain, func(escape string) string {
			code, err := strconv.ParseUint(strings.TrimLeft(escape, `\`)[1:], 16, 16)
			if err != nil {
				return escape
			}
			return string(rune(code))
		})
		plain = strings.NewReplacer(`\`, "").Replace(plain)
	}
	plain = html.UnescapeString(plain)
	plain = percentEscape.ReplaceAllStringFunc(plain, func(escape string) string {
		if decoded, err := url.PathUnescape(escape); err == nil {
			return decoded
		}
		return escape
	})
	texts := []string{text}
	if plain != text {
		texts = append(texts, plain)
	}
	if decoded := encoded(plain); decoded != "" {
		texts = append(texts, decoded)
	}
	return texts
}

// encoded returns what stands in a text in base64 or hexadecimal, or as Go prints a
// []byte.
func encoded(text string) string {
	var b strings.Builder
	keep := func(decoded []byte, err error) {
		if err == nil && readable(decoded) {
			b.Write(decoded)
			b.WriteByte('\n')
		}
	}
	for _, run := range base64Run.FindAllString(text, -1) {
		run = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(run, "="))
		keep(base64.RawStdEncoding.DecodeString(run[:len(run)-len(run)%4]))
	}
	for _, run := range hexRun.FindAllString(text, -1) {
		keep(hex.DecodeString(run))
	}
	for _, list := range byteList.FindAllString(text, -1) {
		var decoded []byte
		for _, field := range strings.FieldsFunc(list, func(r rune) bool { return !unicode.IsDigit(r) }) {
			if n, err := strconv.ParseUint(field, 10, 8); err == nil {
				decoded = append(decoded, byte(n))
			}
		}
		keep(decoded, nil)
	}
	return b.String()
}

// readable reports whether bytes are a text, which may be cut within a character.
// Ids and digests, which are in every log, are not: now and then one would hold
// three letters that are somebody's name.
func readable(decoded []byte) bool {
	return !strings.ContainsFunc(strings.TrimRight(string(decoded), "\uFFFD"), func(r rune) bool {
		return r == utf8.RuneError || !unicode.IsPrint(r) && !unicode.IsSpace(r)
	})
}
