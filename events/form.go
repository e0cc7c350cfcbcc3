package events

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// formObject returns a form as a JSON object whose values are strings; nil if body is
// no form. Brackets in a name nest, as PHP and jQuery write them: data[call_id]=1. A
// form of nothing but JSON, without a name, is that JSON. Of equal names, the last that
// says something counts; repeated is set if there are any.
func formObject(body []byte) (object []byte, repeated bool) {
	body = bytes.TrimRight(trimStart(body), " \t\r\n\x00")
	if startsJSON(body) {
		return nil, false
	}
	if bare, err := url.QueryUnescape(strings.TrimSuffix(string(body), "=")); err == nil && startsJSON([]byte(bare)) {
		return []byte(bare), false
	}
	first, rest, ok := strings.Cut(string(body), "=")
	if !ok || !isFormName(first) {
		return nil, false
	}
	if startsJSON([]byte(rest)) {
		// Not encoded: an ampersand is one.
		return append(appendText(append(appendText([]byte{'{'}, first), ':'), rest), '}'), false
	}
	var form formNode
	for pair := range strings.SplitSeq(string(body), "&") {
		name, value, _ := strings.Cut(pair, "=")
		repeated = form.add(unescape(name), unescape(value)) || repeated
	}
	return form.append(nil), repeated
}

func isForm(body []byte) bool {
	object, _ := formObject(body)
	return object != nil
}

func isFormName(name string) bool {
	const longest = 64
	if name == "" || len(name) > longest {
		return false
	}
	return strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789_-.[]%") == ""
}

// unescape returns what a form's text stands for, or the text if it is not escaped as
// in a form.
func unescape(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// formNode is a form's member: a text, or more members, in the order received.
type formNode struct {
	text  string
	isSet bool
	names []string
	inner map[string]*formNode
}

// maxFormNesting is how deep brackets in a form's names nest.
const maxFormNesting = 8

// add puts in a field, whose name may have brackets, and reports whether it was there.
func (n *formNode) add(name, value string) (again bool) {
	path := strings.Split(strings.ReplaceAll(name, "]", ""), "[")
	return n.set(path, value) && path[len(path)-1] != "" // a list has none
}

// set puts in a text, and reports whether there was one. A text that says nothing does
// not take the place of one that does.
func (n *formNode) set(path []string, value string) (again bool) {
	if len(path) == 0 || len(path) > maxFormNesting {
		again = n.isSet
		if !again || isPlaceholder(n.text) || !isPlaceholder(value) {
			n.text, n.isSet = value, true
		}
		return again
	}
	if n.inner == nil {
		n.inner = map[string]*formNode{}
	}
	next, ok := n.inner[path[0]]
	if !ok {
		next = &formNode{}
		n.inner[path[0]] = next
		n.names = append(n.names, path[0])
	}
	return next.set(path[1:], value)
}

func (n *formNode) append(to []byte) []byte {
	if n.inner == nil {
		return appendText(to, n.text)
	}
	to = append(to, '{')
	for i, name := range n.names {
		if i > 0 {
			to = append(to, ',')
		}
		to = append(appendText(to, name), ':')
		to = n.inner[name].append(to)
	}
	return append(to, '}')
}

// appendText appends a JSON string; what is not UTF-8 becomes U+FFFD.
func appendText(to []byte, text string) []byte {
	to, _ = jsontext.AppendQuote(to, strings.ToValidUTF8(text, "\uFFFD"))
	return to
}
