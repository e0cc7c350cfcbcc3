package scale

import (
	_ "embed"
	"fmt"
	"math"
	"strconv"
	"strings"
	"text/template"
)

// Rates are the mean rates that the document describes, in events per second.
var Rates = []float64{10, 1_000, 100_000}

//go:embed tables.md.tmpl
var tablesText string

var tables = template.Must(template.New("").Funcs(template.FuncMap{
	"number":  number,
	"about":   about,
	"hot":     hot,
	"percent": func(x float64) string { return about(100*x) + " %" },
	"span":    span,
	"up":      up,
	"usd":     usd,
	"mul":     func(a, b float64) float64 { return a * b },
	"div":     func(a, b float64) float64 { return a / b },
	"title":   func(text string) string { return strings.ToUpper(text[:1]) + text[1:] },
	"cents":   func(usd float64) string { return fmt.Sprintf("%.2f", usd) },
	"mails":   func(alerts float64) float64 { return 1e6 * alerts * mailPrice },
}).Parse(tablesText))

// Table is a computed part of a document.
type Table struct{ Name, Text string }

// Tables computes the tables of docs/scale.md, in its order, and the bill in
// docs/operations.md.
func (m *Model) Tables() ([]Table, error) {
	all := []Table{{Name: "first"}, {Name: "limits"}, {Name: "settings"}, {Name: "events"}, {Name: "day"}, {Name: "alerts"}, {Name: "costs"}, {Name: "bill"}}
	for i := range all {
		var b strings.Builder
		if err := tables.ExecuteTemplate(&b, all[i].Name, m); err != nil {
			return nil, err
		}
		all[i].Text = b.String()
	}
	return all, nil
}

// Steps returns the step of each rate.
func (m *Model) Steps() (steps []Step) {
	for _, rate := range Rates {
		steps = append(steps, m.At(rate))
	}
	return steps
}

// Million returns the cost of a million events at a mean rate, in USD.
func (m *Model) Million(mean float64) float64 { return m.Total(mean) / (mean * month) * 1e6 }

// At says at which rate a limit is reached.
func (l Limit) At() string {
	if l.Events < 0.1 {
		return about(l.Mean*day) + " events a day"
	}
	return about(l.Events) + " events/s"
}

// number formats a number with a space between thousands and at most two decimals.
func number(x float64) string {
	text := strconv.FormatFloat(math.Round(100*x)/100, 'f', -1, 64)
	whole, _, _ := strings.Cut(text, ".")
	for at := len(whole) - 3; at > 0; at -= 3 {
		text = text[:at] + " " + text[at:]
	}
	return text
}

// about formats a number with two significant digits. The events are invented, so
// more digits would mean nothing.
func about(x float64) string { return number(round(x, 2)) }

// usd formats an amount with three significant digits.
func usd(x float64) string { return number(round(x, 3)) }

func round(x float64, digits int) (rounded float64) {
	_, _ = fmt.Sscan(strconv.FormatFloat(x, 'e', digits-1, 64), &rounded) // It is a number.
	return rounded
}

// up rounds up a number that must not be less: to an integer, and from a thousand
// on to two significant digits.
func up(x float64) string {
	unit := 1.0
	for x/unit >= 1000 || (unit > 1 && x/unit >= 100) {
		unit *= 10
	}
	return number(math.Ceil(x/unit) * unit)
}

// hot formats the units of one key or partition, in bold if they exceed its limit.
func hot(units float64) string {
	if units > partitionWrites {
		return "**" + about(units) + "**"
	}
	return about(units)
}

// span formats a time in seconds or minutes, or as "never".
func span(seconds float64) string {
	switch {
	case math.IsInf(seconds, 1):
		return "never"
	case seconds < 120:
		return about(seconds) + " s"
	}
	return about(seconds/60) + " min"
}
