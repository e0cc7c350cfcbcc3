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

// panel is one small plot of the picture.
type panel struct {
	title  string
	figure Figure
}

var panels = [][]panel{
	{{"Cold start to the first answer, ms", Cold}, {"The same with AWS behind TLS, ms", ColdTLS}},
	{{"Warm delivery, p50, µs", P50}, {"Processor time of a delivery, µs", CPU}},
	{{"Peak memory, MB", RSS}, {"Size of what is deployed, MB", Size}},
}

const (
	plotWidth, plotHeight = 820 * vg.Length(0.75), 700 * vg.Length(0.75) // a pixel is ¾ of a point
	barWidth              = 11 * vg.Length(0.75)
)

// WritePlot draws the medians as bars, those of the contender ours in another
// colour, as SVG with nothing behind them.
func WritePlot(w io.Writer, ours string, results []*Result) error {
	canvas := vgsvg.NewWith(vgsvg.UseWH(plotWidth, plotHeight))
	plots := make([][]*plot.Plot, len(panels))
	for i, row := range panels {
		for _, p := range row {
			drawn, err := p.draw(ours, results)
			if err != nil {
				return fmt.Errorf("plot %s: %w", p.figure, err)
			}
			plots[i] = append(plots[i], drawn)
		}
	}
	const gap = 18
	tiles := draw.Tiles{Rows: len(panels), Cols: len(panels[0]), PadX: gap, PadY: gap, PadTop: 4, PadBottom: 4, PadLeft: 4, PadRight: 4}
	for i, row := range plot.Align(plots, tiles, draw.New(canvas)) {
		for j := range row {
			plots[i][j].Draw(row[j])
		}
	}
	var svg bytes.Buffer
	_, err := canvas.WriteTo(&svg)
	if err == nil {
		// The library names one font, which few systems have.
		_, err = w.Write(bytes.ReplaceAll(svg.Bytes(), []byte("font-family:Liberation Sans"),
			[]byte("font-family:Liberation Sans,Helvetica,Arial,sans-serif")))
	}
	if err != nil {
		return fmt.Errorf("write plot: %w", err)
	}
	return nil
}

func sans(size vg.Length) font.Font {
	return font.Font{Typeface: plot.DefaultFont.Typeface, Variant: "Sans", Size: size}
}

func (p panel) draw(ours string, results []*Result) (*plot.Plot, error) {
	drawn := plot.New()
	drawn.BackgroundColor = nil
	drawn.Title.Text = p.title
	drawn.Title.TextStyle.Color = ink
	drawn.Title.TextStyle.Font = sans(10)
	drawn.Title.Padding = 4
	drawn.HideX()
	drawn.Y.Width = 0
	drawn.Y.Tick.Width = 0
	drawn.Y.Tick.Label.Color = ink
	drawn.Y.Tick.Label.Font = sans(9)

	names := make([]string, len(results))
	var marks plotter.XYLabels
	longest := 0.0
	// The first contender is to be on top, where the last bar is.
	for i := range results {
		at := len(results) - 1 - i
		names[at] = results[i].Name
		value := results[i].Spread(p.figure).Median
		if math.IsNaN(value) {
			continue
		}
		longest = max(longest, value)
		bars, err := plotter.NewBarChart(plotter.Values{value}, barWidth)
		if err != nil {
			return nil, err //nolint:wrapcheck // WritePlot says of what.
		}
		bars.Horizontal, bars.XMin, bars.LineStyle.Width, bars.Color = true, float64(at), 0, barOther
		if results[i].Name == ours {
			bars.Color = barOurs
		}
		drawn.Add(bars)
		marks.XYs = append(marks.XYs, plotter.XY{X: value, Y: float64(at)})
		marks.Labels = append(marks.Labels, p.figure.show(value))
	}
	labels, err := plotter.NewLabels(marks)
	if err != nil {
		return nil, err //nolint:wrapcheck // WritePlot says of what.
	}
	for i := range labels.TextStyle {
		labels.TextStyle[i].Color = ink
		labels.TextStyle[i].Font = sans(9)
		labels.TextStyle[i].YAlign = draw.YCenter
	}
	labels.Offset = vg.Point{X: 4, Y: 1.5}
	drawn.Add(labels)
	drawn.NominalY(names...)
	// Room for the figure behind the longest bar.
	drawn.X.Min, drawn.X.Max = 0, longest*1.18
	drawn.Y.Min, drawn.Y.Max = -0.6, float64(len(results))-0.4
	return drawn, nil
}
