package main

import (
	"fmt"
	"strings"
	"time"
)

// columns are the form of the table's rows.
const columns = "%-7s  %-56s  %-88s  %7s\n"

var heading = fmt.Sprintf(columns, "promise", "guard taken out", "seen failing", "seconds")

// row is one guard of the table, with a line for each of its tests.
func row(g guard, tests []string, took string) string {
	lines := fmt.Sprintf(columns, fmt.Sprint(g.Promise), g.Name, tests[0], took)
	for _, test := range tests[1:] {
		lines += strings.TrimRight(fmt.Sprintf(columns, "", "", test, ""), " \n") + "\n"
	}
	return lines
}

// tail is the end of what was printed.
func tail(text string) string {
	const most = 4 << 10
	return text[max(0, len(text)-most):]
}

func indent(text string) string {
	if text == "" {
		return ""
	}
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ") + "\n"
}

// printf prints to who looks on, and may be gone.
func (s session) printf(format string, args ...any) { _, _ = fmt.Fprintf(s.out, format, args...) }

func (s session) since(began time.Time) string {
	return fmt.Sprintf("%.1f", s.now().Sub(began).Seconds())
}
