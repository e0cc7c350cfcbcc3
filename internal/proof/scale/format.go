package scale

import (
	"math"
	"strconv"
	"strings"
)

// number writes a number with a space between thousands, and no more decimals
// than tell anything.
func number(x float64) string {
	decimals := 0
	switch {
	case x == math.Trunc(x):
	case x < 10:
		decimals = 2
	case x < 100:
		decimals = 1
	}
	text := strconv.FormatFloat(x, 'f', decimals, 64)
	whole, fraction, _ := strings.Cut(text, ".")
	var b strings.Builder
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(digit)
	}
	if fraction = strings.TrimRight(fraction, "0"); fraction != "" {
		b.WriteString("." + fraction)
	}
	return b.String()
}

// about writes a number of which two digits are known: what was measured on
// events that were made up is known no better.
func about(x float64) string { return number(round(x, 2)) }

// usd writes an amount with three digits.
func usd(x float64) string { return number(round(x, 3)) }

// round rounds to so many significant digits.
func round(x float64, digits int) float64 {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(x, 'e', digits-1, 64), 64)
	if err != nil {
		return x
	}
	return rounded
}

// up rounds up, from a thousand on to two digits: for what must not be less.
func up(x float64) string {
	unit := 1.0
	for x/unit >= 1000 || (unit > 1 && x/unit >= 100) {
		unit *= 10
	}
	return number(math.Ceil(x/unit) * unit)
}

func percent(x float64) string { return about(100*x) + " %" }

// span writes a time in seconds, minutes, hours or days, or "never".
func span(seconds float64) string {
	switch {
	case math.IsInf(seconds, 1):
		return "never"
	case seconds < 120:
		return about(seconds) + " s"
	case seconds < 2*secondsAnHour:
		return about(seconds/60) + " min"
	case seconds < 2*secondsADay:
		return about(seconds/secondsAnHour) + " h"
	}
	return about(seconds/secondsADay) + " days"
}

// grid is a table.
type grid struct{ rows [][]string }

func (g *grid) add(cells ...string) { g.rows = append(g.rows, cells) }

// markdown writes the table, its first row as the head.
func (g *grid) markdown() string {
	var b strings.Builder
	for i, row := range g.rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(row)) + "|\n")
		}
	}
	return b.String()
}
