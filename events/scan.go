package events

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// What stands here walks through JSON that [Open] has checked, where no error is
// left to find. It takes a small part of the time and memory of the decoder that
// found none. Of other text it visits what it can tell, and stops.

// eachMember calls visit for every member of an object. The value shares memory
// with the object.
func eachMember(object jsontext.Value, visit func(name string, value jsontext.Value)) {
	text := string(object) // one copy for all names
	for i := skipSpace(object, 0) + len("{"); ; {
		i = skipSpace(object, i)
		end := valueEnd(object, i)
		if end <= i || object[i] != '"' {
			return
		}
		name := text[i+1 : end-1]
		if strings.IndexByte(name, '\\') >= 0 {
			name = unquote(object[i:end])
		}
		i = skipSpace(object, skipSpace(object, end)+len(":"))
		if end = valueEnd(object, i); end <= i {
			return
		}
		visit(name, object[i:end:end])
		if i = skipSpace(object, end); i < len(object) && object[i] == ',' {
			i++
		}
	}
}

// eachElement calls visit for every element of an array. The value shares memory
// with the array.
func eachElement(array jsontext.Value, visit func(value jsontext.Value)) {
	for i := skipSpace(array, 0) + len("["); ; {
		i = skipSpace(array, i)
		end := valueEnd(array, i)
		if end <= i {
			return
		}
		visit(array[i:end:end])
		if i = skipSpace(array, end); i < len(array) && array[i] == ',' {
			i++
		}
	}
}

func skipSpace(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\n' || text[i] == '\t' || text[i] == '\r') {
		i++
	}
	return i
}

// valueEnd returns where the value ends that begins at i; i or less if none does,
// or if the text ends before it.
func valueEnd(text []byte, i int) int {
	depth := 0
	for ; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			if depth == 0 && i < len(text) {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
			if depth < 0 {
				return i // of a number or a word, which nothing else ends
			}
		case ',', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return i
			}
		}
	}
	return -1
}
