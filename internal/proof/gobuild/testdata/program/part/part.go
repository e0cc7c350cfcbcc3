// Package part is a part of a program.
package part

import _ "embed"

// Word is all that it has.
//
//go:embed words/word.txt
var Word string
