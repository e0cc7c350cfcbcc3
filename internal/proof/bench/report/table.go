package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Table is text in rows and columns. The first column names the row; the others
// are figures.
type Table struct {
	Head []string
	Rows [][]string
}

// Text writes the table for a terminal.
func (t Table) Text(w io.Writer) error {
	tabs := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range append([][]string{t.Head}, t.Rows...) {
		// A tab writer fails only when it is flushed.
		_, _ = fmt.Fprintln(tabs, strings.Join(row, "\t")+"\t")
	}
	if err := tabs.Flush(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

// Markdown returns the table for a document.
func (t Table) Markdown() string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.Head)
	b.WriteString("|---|" + strings.Repeat("---:|", len(t.Head)-1) + "\n")
	for _, row := range t.Rows {
		line(row)
	}
	return b.String()
}

// Medians returns the medians of figures, contender by contender.
func Medians(results []*Result, figures ...Figure) Table {
	return tableOf(results, figures, func(f Figure, s Spread) string { return f.show(s.Median) })
}

// Ranges returns the medians of figures with what they were from and to.
func Ranges(results []*Result, figures ...Figure) Table {
	return tableOf(results, figures, func(f Figure, s Spread) string {
		if s.Min == s.Max {
			return f.show(s.Median)
		}
		return fmt.Sprintf("%s (%s–%s)", f.show(s.Median), f.show(s.Min), f.show(s.Max))
	})
}

func tableOf(results []*Result, figures []Figure, cell func(Figure, Spread) string) Table {
	t := Table{Head: []string{""}}
	for _, f := range figures {
		t.Head = append(t.Head, f.title())
	}
	for _, r := range results {
		row := []string{r.Name}
		for _, f := range figures {
			if s := r.Spread(f); s.Known() {
				row = append(row, cell(f, s))
			} else {
				row = append(row, "–")
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// Ratios returns the medians of one contender as ratios to those of the others.
func Ratios(of string, results []*Result, figures ...Figure) Table {
	t := Table{Head: []string{of + " ÷"}}
	for _, f := range figures {
		t.Head = append(t.Head, string(f))
	}
	for _, r := range results {
		if r.Name == of {
			continue
		}
		row := []string{r.Name}
		for _, f := range figures {
			ratio := median(results, of, f) / r.Spread(f).Median
			row = append(row, number("%.2f", ratio))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// Verdicts returns limits and what they are compared with.
func Verdicts(verdicts []Verdict) Table {
	t := Table{Head: []string{"", "got", "in each round", "at most", ""}}
	for _, v := range verdicts {
		state := "kept"
		if !v.Kept {
			state = "MISSED"
		}
		if v.Close() {
			state += ", within the noise"
		}
		rounds := number("%.2f", v.Rounds.Median)
		if v.Rounds.Known() {
			rounds += fmt.Sprintf(" (%.2f–%.2f)", v.Rounds.Min, v.Rounds.Max)
		}
		t.Rows = append(t.Rows, []string{v.title(), number("%.2f", v.Got), rounds, fmt.Sprintf("%.2f", v.AtMost), state})
	}
	return t
}
