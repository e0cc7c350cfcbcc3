package scale

import (
	"errors"
	"fmt"
	"strings"
)

// ErrDocument says that a document has no place for a table, or a place for
// none.
var ErrDocument = errors.New("scale: not a document of these tables")

// Each table stands between two such lines.
const (
	begins = "<!-- make scale: "
	ends   = "<!-- end -->\n"
	closes = " -->\n"
)

// Fill returns a document with the tables in their places, whatever stood
// there. The error wraps [ErrDocument].
func Fill(document string, tables []Table) (string, error) {
	left := make(map[string]string, len(tables))
	for _, table := range tables {
		left[table.Name] = table.Text
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(document, begins)
		b.WriteString(before)
		if !found {
			break
		}
		name, rest, closed := strings.Cut(rest, closes)
		text, known := left[name]
		_, after, ended := strings.Cut(rest, ends)
		if !closed || !known || !ended {
			return "", fmt.Errorf("%w: at the table %q", ErrDocument, name)
		}
		delete(left, name)
		b.WriteString(begins + name + closes + text + ends)
		document = after
	}
	for name := range left {
		return "", fmt.Errorf("%w: no place for the table %q", ErrDocument, name)
	}
	return b.String(), nil
}
