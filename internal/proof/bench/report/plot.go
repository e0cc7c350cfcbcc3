package report

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The colours can be read on white and on black.
var (
	ink      = color.NRGBA{0x78, 0x82, 0x8d, 0xff}
	barOurs  = color.NRGBA{0x2f, 0x81, 0xf7, 0xff}
	barOther = color.NRGBA{0x9a, 0xa4, 0xaf, 0xff}
)

const pixel = vg.Length(0.75) // in points

// WritePlot draws the medians as bars, ours in another colour, as SVG without a
// background.
func (all Results) WritePlot(w io.Writer) error {
	plots := make([][]*plot.Plot, 3)
	for i, panel := range []struct {
		title  string
		figure Figure
	}{
		{"Cold start to the first answer, ms", Cold},
		{"The same with AWS behind TLS, ms", ColdTLS},
		{"Warm delivery, p50, µs", P50},
		{"Processor time of a delivery, µs", CPU},
		{"Peak memory, MB", RSS},
		{"Size of what is deployed, MB", Size},
	} {
		drawn, err := all.draw(panel.title, panel.figure)
		if err != nil {
			return fmt.Errorf("plot %s: %w", panel.figure.Name, err)
		}
		plots[i/2] = append(plots[i/2], drawn)
	}
	canvas := vgsvg.NewWith(vgsvg.UseWH(820*pixel, 700*pixel))
	tiles := draw.Tiles{Rows: 3, Cols: 2, PadX: 18, PadY: 18, PadTop: 4, PadBottom: 4, PadLeft: 4, PadRight: 4}
	for i, row := range plot.Align(plots, tiles, draw.New(canvas)) {
		for j := range row {
			plots[i][j].Draw(row[j])
		}
	}
	var svg bytes.Buffer
	if _, err := canvas.WriteTo(&svg); err != nil {
		return err
	}
	// The library names one font, which few systems have.
	const font = "font-family:Liberation Sans"
	_, err := w.Write(bytes.ReplaceAll(svg.Bytes(), []byte(font), []byte(font+",Helvetica,Arial,sans-serif")))
	return err
}

func sans(style *text.Style, size vg.Length) {
	style.Color, style.Font = ink, font.Font{Typeface: plot.DefaultFont.Typeface, Variant: "Sans", Size: size}
}

// draw draws one figure of all contenders.
func (all Results) draw(title string, figure Figure) (*plot.Plot, error) {
	drawn := plot.New()
	drawn.BackgroundColor = nil
	drawn.Title.Text, drawn.Title.Padding = title, 4
	sans(&drawn.Title.TextStyle, 10)
	sans(&drawn.Y.Tick.Label, 9)
	drawn.HideX()
	drawn.Y.Width, drawn.Y.Tick.Width = 0, 0
	names := make([]string, len(all))
	var marks plotter.XYLabels
	longest := 0.0
	for i, r := range all {
		at := len(all) - 1 - i // the first contender's bar is on top
		names[at] = r.Name
		value := r.Spread(figure).Median
		if math.IsNaN(value) {
			continue
		}
		longest = max(longest, value)
		bar, err := plotter.NewBarChart(plotter.Values{value}, 11*pixel)
		if err != nil {
			return nil, err
		}
		bar.Horizontal, bar.XMin, bar.LineStyle.Width, bar.Color = true, float64(at), 0, barOther
		if r.Name == ours {
			bar.Color = barOurs
		}
		drawn.Add(bar)
		marks.XYs = append(marks.XYs, plotter.XY{X: value, Y: float64(at)})
		marks.Labels = append(marks.Labels, number(value, figure.Digits))
	}
	labels, err := plotter.NewLabels(marks)
	if err != nil {
		return nil, err
	}
	for i := range labels.TextStyle {
		sans(&labels.TextStyle[i], 9)
		labels.TextStyle[i].YAlign = draw.YCenter
	}
	labels.Offset = vg.Point{X: 4, Y: 1.5}
	drawn.Add(labels)
	drawn.NominalY(names...)
	drawn.X.Min, drawn.X.Max = 0, longest*1.18 // with room for the label of the longest bar
	drawn.Y.Min, drawn.Y.Max = -0.6, float64(len(all))-0.4
	return drawn, nil
}
