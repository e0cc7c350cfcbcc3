package main

import (
	"io"
	"os"
)

// narrow is the width, in columns, below which the block of an alert is hard to read.
const narrow = 80

// isNarrow reports whether w is a terminal with few columns.
func isNarrow(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	columns := columnsOf(file)
	return columns > 0 && columns < narrow
}
