package report

import (
	_ "embed"
	"io"
	"math"
	"text/template"
)

//go:embed benchmarks.svg.tmpl
var plotText string

var plot = template.Must(template.New("benchmarks.svg").Parse(plotText))

// panel is one figure's part of the plot, in pixels.
type panel struct {
	Title string
	X, Y  int
	Bars  []bar
}

// bar is one contender's bar, without a label where nothing was measured.
type bar struct {
	Name, Label string
	Ours        bool
	Y           int
	Width       float64
}

// WritePlot draws the medians as bars, ours in another colour, as SVG without a
// background.
func (all Results) WritePlot(w io.Writer) error {
	const pitch, widest = 20, 250.0 // pixels
	height := 40 + pitch*len(all)
	var panels []panel
	for i, f := range []Figure{Cold, ColdTLS, P50, CPU, RSS, Size} {
		p := panel{Title: f.Name + ", " + f.Unit, X: i % 2 * 410, Y: i / 2 * height}
		longest := math.SmallestNonzeroFloat64 // no division by zero
		for _, r := range all {
			if median := r.Spread(f).Median; median > longest { // NaN is not.
				longest = median
			}
		}
		for j, r := range all {
			b := bar{Name: r.Name, Ours: r.Name == ours, Y: 22 + pitch*j}
			if median := r.Spread(f).Median; !math.IsNaN(median) {
				b.Label, b.Width = number(median, f.Digits), median/longest*widest
			}
			p.Bars = append(p.Bars, b)
		}
		panels = append(panels, p)
	}
	return plot.Execute(w, map[string]any{"Height": 3 * height, "Panels": panels})
}
