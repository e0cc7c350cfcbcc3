package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/clipperhouse/displaywidth"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/words"
)

// printer prints what was looked up, for people or for programs.
type printer struct {
	out   io.Writer
	form  string
	zone  *time.Location
	now   time.Time
	say   words.Words
	width int // of a table, in columns of a terminal
}

const (
	minWidth = 40
	between  = 2 // blanks between two columns
)

// column is one of a list. What is for people depends on the time and the zone; what is for
// programs does not.
type column[T any] struct {
	// head is above the column in a table; "" leaves it out there.
	head string
	// name is the column's in a CSV file; "" leaves it out there.
	name  string
	text  func(T) string
	value func(T) string
	// atLeast is how narrow the column may be made; 0 if it may not.
	atLeast int
	// spare is set if the column is left out where all rows say the same and there is no room
	// for it.
	spare bool
}

// printJSON prints a value with two blanks for each level. What a terminal might take for
// more than text is escaped.
func (p printer) printJSON(value any) error {
	var b bytes.Buffer
	if err := json.MarshalWrite(&b, value, jsontext.WithIndent("  ")); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	b.WriteByte('\n')
	_, err := io.WriteString(p.out, escapeInvisible(b.String()))
	return printed(err)
}

func printed(err error) error {
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// escapeInvisible writes the characters of a JSON text that nobody sees, all of which are in
// strings, as escapes.
func escapeInvisible(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || r == unicode.ReplacementChar || r < unicode.MaxASCII && r >= ' ':
			b.WriteRune(r)
		case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp):
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// printRows prints a list: as a table, as CSV, or what it comes from as JSON.
func printRows[T any](p printer, columns []column[T], rows []T, whole any) error {
	switch p.form {
	case outputJSON:
		return p.printJSON(whole)
	case outputCSV:
		return printCSV(p, columns, rows)
	}
	return printTable(p, columns, rows)
}

func printCSV[T any](p printer, columns []column[T], rows []T) error {
	w := csv.NewWriter(p.out)
	line := func(of func(column[T]) string) {
		var cells []string
		for _, c := range columns {
			if c.name != "" {
				cells = append(cells, of(c))
			}
		}
		_ = w.Write(cells) // w.Error tells
	}
	line(func(c column[T]) string { return c.name })
	for _, row := range rows {
		line(func(c column[T]) string { return inSheet(alert.Visible(c.value(row))) })
	}
	w.Flush()
	return printed(w.Error())
}

// inSheet returns a text so that no spreadsheet takes it for a formula. A number with "+" in
// front is none.
func inSheet(text string) string {
	if text == "" || !strings.ContainsRune("=+-@", rune(text[0])) || strings.Trim(text[1:], "0123456789 -()") == "" && text[0] == '+' {
		return text
	}
	return "'" + text
}

func printTable[T any](p printer, columns []column[T], rows []T) error {
	var shown []column[T]
	for _, c := range columns {
		if c.head != "" && slices.ContainsFunc(rows, func(row T) bool { return c.text(row) != "" }) {
			shown = append(shown, c)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	cells := make([][]string, len(rows)+1)
	widths := make([]int, len(shown))
	for i, c := range shown {
		cells[0] = append(cells[0], c.head)
		for n, row := range rows {
			cells[n+1] = append(cells[n+1], alert.Visible(c.text(row)))
		}
		for _, line := range cells {
			widths[i] = max(widths[i], displaywidth.String(line[i]))
		}
	}
	for i, c := range shown {
		first := cells[1][i]
		if c.spare && len(rows) > 1 && widthOf(widths) > p.width && !slices.ContainsFunc(cells[1:], func(line []string) bool { return line[i] != first }) {
			widths, shown = slices.Delete(widths, i, i+1), slices.Delete(shown, i, i+1)
			for n := range cells {
				cells[n] = slices.Delete(cells[n], i, i+1)
			}
			break
		}
	}
	shrink(widths, shown, p.width)
	var b strings.Builder
	for _, line := range cells {
		for i, cell := range line {
			cell = cut(cell, widths[i])
			b.WriteString(cell)
			if i < len(line)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-displaywidth.String(cell)+between))
			}
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(p.out, trimLines(b.String()))
	return printed(err)
}

// cut shortens a cell to a width. A number keeps its end: an account's numbers begin alike.
func cut(cell string, width int) string {
	if len(cell) > width && strings.HasPrefix(cell, "+") && strings.Trim(cell, "+0123456789 -()") == "" {
		return "…" + cell[len(cell)-width+1:]
	}
	return displaywidth.TruncateString(cell, width, "…")
}

// trimLines removes blanks at the ends of lines.
func trimLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// widthOf returns how wide a line of columns is.
func widthOf(widths []int) int {
	total := between * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	return total
}

// shrink makes columns narrower until a line fits: always the one with the most to spare.
func shrink[T any](widths []int, columns []column[T], limit int) {
	for {
		widest := -1
		for i, w := range widths {
			if least := columns[i].atLeast; least > 0 && w > least && (widest < 0 || w-least > widths[widest]-columns[widest].atLeast) {
				widest = i
			}
		}
		if widthOf(widths) <= limit || widest < 0 {
			return
		}
		widths[widest]--
	}
}

// printf prints a line for people, and nothing for programs.
func (p printer) printf(format string, values ...any) {
	if p.form == outputTable {
		fmt.Fprintf(p.out, format, values...)
	}
}

// folded returns a text in lines that are no wider than a terminal.
func folded(text string, width int) string {
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		switch w := displaywidth.String(word); {
		case column == 0:
			column = w
		case column+1+w > width:
			b.WriteByte('\n')
			column = w
		default:
			b.WriteByte(' ')
			column += 1 + w
		}
		b.WriteString(word)
	}
	return b.String() + "\n"
}

// rest says how to go on behind a page.
func (p printer) rest(next lookup.Cursor) {
	if next != "" {
		p.printf("There are more: --after %s\n", next)
	}
}

// moment returns a time with its day, seconds and zone.
func (p printer) moment(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.In(p.zone).Format("2006-01-02 15:04:05 MST")
}

// stamp returns a time for programs.
func stamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02T15:04:05.000Z")
}

// numberOf returns a count, "" for none.
func numberOf[N int | int64](n N) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// write prints bytes as they were received. A terminal gets no character that it might take for
// more than text.
func (p printer) write(body []byte) error {
	if file, ok := p.out.(*os.File); ok && isTerminal(file) {
		body = []byte(strings.Map(func(r rune) rune {
			if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
				return unicode.ReplacementChar
			}
			return r
		}, string(body)))
	}
	_, err := p.out.Write(append(body, '\n'))
	return printed(err)
}

// row prints a line of what is known of one thing, if it is known.
func (p printer) row(name, text string) {
	if text != "" {
		p.printf("%-11s%s\n", name, displaywidth.TruncateString(alert.Visible(text), max(minWidth, 4*p.width), "…"))
	}
}
