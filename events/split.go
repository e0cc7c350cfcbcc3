package events

import (
	"bytes"
	"slices"
	"strings"
)

// Split returns the bodies of the events in a body: itself, unless it is a list, or
// has one in a wrapper or as its data, or is several objects one behind the other, as
// logs are sent. It does not open them; some may be no events.
//
// A body that is nothing but a list splits into its elements, byte for byte. Where
// something stands beside the list, each part is the whole body with one element in
// place of the list, so that nothing is lost. The parts share the body's memory or
// have their own.
func Split(body []byte) [][]byte {
	if !tooDeep(body) {
		if all := split(body, 0); len(all) > 0 {
			return all
		}
	}
	return [][]byte{body}
}

// split returns nil for what is no list. It looks at brackets, commas and strings
// only, so that damage inside the elements is theirs alone.
func split(body []byte, depth int) [][]byte {
	if depth == maxWraps {
		return nil
	}
	if plain, odd := decodeUTF16(body); odd != 0 {
		return several(split(plain, depth+1))
	}
	var parts [][]byte
	switch text := trimStart(body); {
	case len(text) == 0:
		return nil
	case text[0] == '[':
		parts = splitList(text, depth)
	case text[0] == '{':
		if parts = objectsIn(text); len(parts) < 2 {
			parts = splitObject(text, depth)
		}
	case text[0] == '"':
		parts = several(split(rawInside(text), depth+1))
	}
	if len(parts) == 0 {
		plain, _ := undo(body)
		parts = several(split(plain, depth+1))
	}
	return parts
}

// objectsIn returns the objects that text consists of, with commas between them or
// without; nil if there is anything else.
func objectsIn(text []byte) (all [][]byte) {
	s := rawScan{text: text}
	for !s.ends() {
		start, end := s.value()
		if start == end || text[start] != '{' {
			return nil
		}
		all = append(all, text[start:end:end])
		s.skip(',')
	}
	return all
}

// several returns parts if there are at least two. What is written in another way
// than its parts is kept as it is where it holds a single event.
func several(parts [][]byte) [][]byte {
	if len(parts) < 2 {
		return nil
	}
	return parts
}

// rawInside returns what a JSON string holds, nil if that is no JSON.
func rawInside(quoted []byte) []byte {
	text, _ := repair(quoted)
	inner := trimStart([]byte(unquote(text)))
	if !startsJSON(inner) {
		inner, _ = undo(inner)
	}
	return inner
}

// splitList returns the elements of a list, and of lists in it.
func splitList(list []byte, depth int) (parts [][]byte) {
	elements, ok := rawElements(list)
	if !ok || !slices.ContainsFunc(elements, func(element []byte) bool {
		return element[0] == '{' || element[0] == '[' || rawInside(element) != nil
	}) {
		return nil
	}
	for _, element := range elements {
		if inner := split(element, depth+1); len(inner) > 0 {
			parts = append(parts, inner...)
		} else {
			parts = append(parts, element)
		}
	}
	return parts
}

// splitObject returns the events of a list that is an object's data, or in a wrapper.
func splitObject(object []byte, depth int) [][]byte {
	members, ok := rawMembers(object)
	if !ok {
		return nil
	}
	typed, hasData, filled := false, false, 0
	for _, m := range members {
		if value := object[m.start:m.end]; !isEmpty(value) {
			filled++
			typed = typed || (m.name == "event" || m.name == "type") && value[0] == '"'
			hasData = hasData || m.name == "data" && !isTest(value)
		}
	}
	for _, m := range members {
		if !wrappers[m.name] || hasData && typed && m.name != "data" {
			continue
		}
		value := object[m.start:m.end]
		var parts [][]byte
		switch inner := value; {
		case !startsJSON(value), typed && value[0] == '{':
			continue
		case value[0] == '"':
			if inner = rawInside(value); inner == nil || typed && inner[0] != '[' {
				continue
			}
			parts = several(split(inner, depth+1))
		default:
			parts = split(inner, depth+1)
		}
		if !slices.ContainsFunc(parts, rawTells) {
			continue
		}
		switch beside := len(object) - len(value); {
		case filled == 1:
			return parts
		case len(parts) > 1 && len(parts)*beside <= maxBeside:
			for i, part := range parts {
				parts[i] = slices.Concat(object[:m.start], part, object[m.end:])
			}
			return parts
		}
	}
	return nil
}

// maxBeside is how many bytes are repeated at most, in all parts together. A body that takes
// more is not split.
const maxBeside = 16 << 20

// rawTells reports whether a part looks as if an event were in it.
func rawTells(part []byte) bool {
	members, _ := rawMembers(trimStart(part))
	return slices.ContainsFunc(members, func(m rawMember) bool {
		return telling[bareName(m.name)] != "" || wrappers[m.name] || m.name == "type"
	})
}

// rawMember is a member of an object that has not been checked: its name in lower
// case, and where its value stands.
type rawMember struct {
	name       string
	start, end int
}

// rawElements returns the elements of the list that text begins with. ok is false if
// it does not end, or if more than a NUL follows.
func rawElements(list []byte) (elements [][]byte, ok bool) {
	s := rawScan{text: list, at: 1}
	for {
		start, end := s.value()
		if start == end {
			return elements, len(elements) == 0 && s.closes(']')
		}
		elements = append(elements, list[start:end:end])
		if !s.skip(',') {
			return elements, s.closes(']')
		}
	}
}

// rawMembers returns the members of the object that text begins with, as rawElements.
func rawMembers(object []byte) (members []rawMember, ok bool) {
	if len(object) == 0 || object[0] != '{' {
		return nil, false
	}
	s := rawScan{text: object, at: 1}
	for {
		start, end := s.value()
		if start == end {
			return members, len(members) == 0 && s.closes('}')
		}
		name := object[start:end]
		if name[0] != '"' || !s.skip(':') {
			return nil, false
		}
		m := rawMember{name: strings.ToLower(unquote(name))}
		if m.start, m.end = s.value(); m.start == m.end {
			return nil, false
		}
		members = append(members, m)
		if !s.skip(',') {
			return members, s.closes('}')
		}
	}
}

// rawScan reads text that may be damaged.
type rawScan struct {
	text []byte
	at   int
}

func (s *rawScan) space() {
	s.at = len(s.text) - len(trimStart(s.text[s.at:]))
}

func (s *rawScan) skip(c byte) bool {
	s.space()
	if s.at == len(s.text) || s.text[s.at] != c {
		return false
	}
	s.at++
	return true
}

// closes reports whether a bracket closes the text.
func (s *rawScan) closes(bracket byte) bool {
	return s.skip(bracket) && s.ends()
}

// ends reports whether nothing follows but space, or a NUL and whatever is behind it.
func (s *rawScan) ends() bool {
	s.space()
	return s.at == len(s.text) || s.text[s.at] == 0
}

// value returns where the next value stands; start is end if there is none, or if it
// does not end.
func (s *rawScan) value() (start, end int) {
	s.space()
	start = s.at
	depth, inString := 0, false
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case inString && c == '\\':
			s.at++
		case c == '"':
			inString = !inString
			if depth == 0 && !inString {
				s.at++
				return start, s.at
			}
		case inString:
		case c == '{', c == '[':
			depth++
		case c == '}', c == ']':
			if depth == 0 {
				return start, s.at
			}
			if depth--; depth == 0 {
				s.at++
				return start, s.at
			}
		case depth == 0 && bytes.IndexByte([]byte(",: \t\r\n"), c) >= 0:
			return start, s.at
		}
	}
	s.at = start
	return start, start
}
