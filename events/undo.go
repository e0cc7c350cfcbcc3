package events

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"errors"
	"html"
	"io"
	"mime/multipart"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// undo returns what a text stands for that is no JSON itself: JSON in base64, with its
// quotes escaped, or in a script's call; a form's members. Nil if it is none of these.
// What it returns may be no JSON either. Nothing is unpacked, so it is hardly longer.
func undo(text []byte) (plain []byte, odd damage) {
	text = bytes.TrimRight(trimStart(text), " \t\r\n\x00")
	switch first := bytes.TrimLeft(text, "[{ \t\r\n"); {
	case bytes.HasPrefix(first, []byte("&")):
		if plain := html.UnescapeString(string(text)); plain != string(text) {
			return []byte(plain), damageEscaped
		}
	case bytes.HasPrefix(first, []byte(`\`)):
		return withoutBackslashes(text), damageEscaped
	}
	if startsJSON(text) {
		return nil, 0
	}
	if plain := fromBase64(text); plain != nil {
		return plain, damageBase64
	}
	plain, repeated := formObject(text)
	if plain == nil {
		plain, repeated = multipartObject(text)
	}
	switch {
	case repeated:
		return plain, damageForm | damageDuplicate
	case plain != nil:
		return plain, damageForm
	}
	return betweenBrackets(text), damageWrapped
}

// withoutBackslashes returns the inside of a JSON string whose quotes got lost.
func withoutBackslashes(text []byte) []byte {
	quoted, _ := repair([]byte(`"` + string(text) + `"`))
	if !jsontext.Value(quoted).IsValid() {
		return nil
	}
	return []byte(unquote(quoted))
}

// fromBase64 returns the JSON or form in base64 of any alphabet, in lines or not; nil for
// any other text.
func fromBase64(text []byte) []byte {
	digits := bytes.TrimRight(bytes.Map(func(r rune) rune {
		switch r {
		case '-', ' ': // a blank is what a form makes of a plus
			return '+'
		case '_':
			return '/'
		}
		return r
	}, text), "=")
	plain, err := base64.RawStdEncoding.AppendDecode(nil, digits)
	if plain = trimStart(plain); err != nil || !startsJSON(plain) && !isForm(plain) {
		return nil
	}
	return plain
}

// betweenBrackets returns the object or list in "callback({…});" or "data: {…}", nil for
// any other text.
func betweenBrackets(text []byte) []byte {
	const longest = 64
	s := rawScan{text: text, at: max(0, bytes.IndexAny(text, "{["))}
	start, end := s.value()
	before := bytes.TrimRight(text[:start], " \t\r\n")
	if start == end || len(before) == 0 || len(before) > longest || bytes.IndexByte([]byte("(:="), before[len(before)-1]) < 0 ||
		len(bytes.Trim(text[end:], ");*/ \t\r\n")) > 0 {
		return nil
	}
	return text[start:end:end]
}

// multipartObject returns the parts of a multipart body as formObject does the fields of
// a form; nil if body is none, or is cut off.
func multipartObject(body []byte) (object []byte, repeated bool) {
	line, _, _ := bytes.Cut(body, []byte("\n"))
	boundary, dashes := bytes.CutPrefix(bytes.TrimRight(line, " \t\r"), []byte("--"))
	if !dashes {
		return nil, false
	}
	var form formNode
	parts := multipart.NewReader(bytes.NewReader(body), string(boundary))
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return form.append(nil), repeated
		}
		if err != nil {
			return nil, false
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil, false
		}
		repeated = form.add(cmp.Or(part.FormName(), "data"), strings.TrimSpace(string(value))) || repeated
	}
}
