package table

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/internal/table/attr"
)

// pen writes JSON as a sender does.
type pen struct {
	flags byte
	text  []byte
	depth int // of the object that is being written
}

// separate writes what stands between a member and the one before it, or the "{".
func (p *pen) separate() {
	if p.text[len(p.text)-1] != '{' {
		p.text = append(p.text, ',')
		if p.flags&spaced != 0 {
			p.text = append(p.text, ' ')
		}
	}
	p.newLine(p.depth)
}

func (p *pen) newLine(depth int) {
	if p.flags&indented != 0 {
		p.text = append(p.text, '\n')
		for range depth {
			p.text = append(p.text, "  "...)
		}
	}
}

func (p *pen) name(name string) {
	p.text = append(append(append(p.text, '"'), name...), '"', ':')
	if p.flags&(spaced|indented) != 0 {
		p.text = append(p.text, ' ')
	}
}

func (p *pen) begin() {
	p.text = append(p.text, '{')
	p.depth++
}

func (p *pen) end() {
	p.depth--
	if p.text[len(p.text)-1] != '{' {
		p.newLine(p.depth)
	}
	p.text = append(p.text, '}')
}

// value writes the value of an attribute. ok is false for one that could be written in
// several ways: an object has its members in no order, and a number may have been another
// one before the table had it.
func (p *pen) value(v attr.Value) (ok bool) {
	switch v := v.(type) {
	case nil, attr.Null:
		p.text = append(p.text, "null"...)
	case attr.Bool:
		if v {
			p.text = append(p.text, "true"...)
		} else {
			p.text = append(p.text, "false"...)
		}
	case attr.Number:
		p.text = append(p.text, v...)
		// guard 3 table (AnyMembers): return true
		return isPlain(string(v))
	case attr.String:
		p.quote(string(v))
	case attr.List:
		return p.list(v)
	default:
		return false
	}
	return true
}

func (p *pen) list(all attr.List) bool {
	p.text = append(p.text, '[')
	for i, v := range all {
		if i > 0 {
			p.text = append(p.text, ',')
			if p.flags&spaced != 0 {
				p.text = append(p.text, ' ')
			}
		}
		p.newLine(p.depth + 1)
		p.depth++
		ok := p.value(v)
		p.depth--
		if !ok {
			return false
		}
	}
	if len(all) > 0 {
		p.newLine(p.depth)
	}
	p.text = append(p.text, ']')
	return true
}

// isPlain reports whether DynamoDB returns a number as it was written.
func isPlain(n string) bool {
	digits := strings.TrimPrefix(n, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	for _, part := range [...]string{whole, fraction} {
		for i := range len(part) {
			if part[i] < '0' || part[i] > '9' {
				return false
			}
		}
	}
	const longest = 30 // digits, of the 38 that it keeps
	switch {
	case whole == "" || len(digits) > longest || len(whole) > 1 && whole[0] == '0':
		return false
	case point:
		return fraction != "" && fraction[len(fraction)-1] != '0'
	}
	return n != "-0"
}

// quote writes a string.
func (p *pen) quote(s string) {
	plain := true
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c == 0x7f ||
			c == '/' && p.flags&escapedSlash != 0 || c >= utf8.RuneSelf && p.flags&escapedUnicode != 0 {
			plain = false
			break
		}
	}
	if plain {
		p.text = append(append(append(p.text, '"'), s...), '"')
		return
	}
	from := len(p.text)
	p.text, _ = jsontext.AppendQuote(p.text, s) // what is not UTF-8 differs from the body
	if p.flags&(escapedSlash|escapedUnicode) == 0 {
		return
	}
	quoted := string(p.text[from:])
	p.text = p.text[:from]
	for _, r := range quoted {
		switch {
		case r == '/' && p.flags&escapedSlash != 0:
			p.text = append(p.text, `\/`...)
		case r >= utf8.RuneSelf && p.flags&escapedUnicode != 0:
			p.escape(r)
		default:
			p.text = utf8.AppendRune(p.text, r)
		}
	}
}

// escape writes a letter as \u and four digits, or as two such.
func (p *pen) escape(r rune) {
	const surrogates = 0x10000
	units := []rune{r}
	if r >= surrogates {
		r -= surrogates
		units = []rune{0xd800 + r>>10, 0xdc00 + r&0x3ff}
	}
	for _, unit := range units {
		p.text = fmt.Appendf(p.text, `\u%04x`, unit)
	}
}
