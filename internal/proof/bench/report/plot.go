package report

import (
	"image/color"
	"io"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The colours are readable on white and on black.
var (
	ink      = color.NRGBA{0x78, 0x82, 0x8d, 0xff}
	barOurs  = color.NRGBA{0x2f, 0x81, 0xf7, 0xff}
	barOther = color.NRGBA{0x9a, 0xa4, 0xaf, 0xff}
)

// WritePlot draws the medians as bars, ours in another colour, as SVG without a
// background.
func (all Results) WritePlot(w io.Writer) error {
	var plots [][]*plot.Plot
	for _, row := range [][]Figure{{Cold, ColdTLS}, {P50, CPU}, {RSS, Size}} {
		plots = append(plots, []*plot.Plot{all.draw(row[0]), all.draw(row[1])})
	}
	canvas := vgsvg.NewWith(vgsvg.UseWH(615, 525)) // points
	tiles := draw.Tiles{Rows: 3, Cols: 2, PadX: 18, PadY: 18, PadTop: 4, PadLeft: 4, PadRight: 12}
	for i, row := range plot.Align(plots, tiles, draw.New(canvas)) {
		for j := range row {
			plots[i][j].Draw(row[j])
		}
	}
	var svg strings.Builder
	_, _ = canvas.WriteTo(&svg) // A builder does not fail.
	// The library names one font, which few systems have.
	_, err := io.WriteString(w, strings.ReplaceAll(svg.String(), "Liberation Sans", "Liberation Sans,Helvetica,Arial,sans-serif"))
	return err
}

// draw draws one figure, the first contender on top.
func (all Results) draw(f Figure) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.Title.Text, p.Title.Padding = f.String(), 4
	p.Title.TextStyle.Color, p.Title.TextStyle.Font.Variant, p.Title.TextStyle.Font.Size = ink, "Sans", 10
	p.Y.Tick.Label.Color, p.Y.Tick.Label.Font.Variant, p.Y.Tick.Label.Font.Size = ink, "Sans", 9
	style := p.Y.Tick.Label
	style.XAlign = draw.XLeft
	var names []string
	for _, r := range slices.Backward(all) {
		at, median, colour := float64(len(names)), r.Spread(f).Median, barOther
		names = append(names, r.Name)
		if r.Name == ours {
			colour = barOurs
		}
		if !math.IsNaN(median) {
			p.Add(&plotter.BarChart{Values: plotter.Values{median}, Width: 8, Color: colour, XMin: at, Horizontal: true},
				&plotter.Labels{
					XYs: plotter.XYs{{X: median, Y: at}}, Labels: []string{number(median, f.Digits)},
					TextStyle: []draw.TextStyle{style}, Offset: vg.Point{X: 4, Y: 1.5},
				})
		}
	}
	p.HideX()
	p.NominalY(names...)
	p.X.Min, p.Y.Min, p.Y.Max = 0, -0.6, float64(len(all))-0.4
	return p
}
