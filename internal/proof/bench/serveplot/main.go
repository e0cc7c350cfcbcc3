// Command serveplot draws the table of "make bench-serve" as bars. It reads a page that has the table, and writes SVG.
package main

import (
	"bufio"
	"fmt"
	"image/color"
	"io"
	"os"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// ink is readable on white and on black.
var ink = color.NRGBA{0x78, 0x82, 0x8d, 0xff}

// bar is a row of the table.
type bar struct {
	name          string
	accepted, cpu float64
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "serveplot:", err)
		os.Exit(1)
	}
}

func run(page io.Reader, to io.Writer) error {
	bars, err := read(page)
	if err != nil {
		return err
	}
	plots := [][]*plot.Plot{{
		drawn("accepted/s", "%.0f", bars, func(b bar) float64 { return b.accepted }),
		drawn("CPU, ms a delivery", "%.2f", bars, func(b bar) float64 { return b.cpu }),
	}}
	canvas := vgsvg.NewWith(vgsvg.UseWH(615, vg.Length(30+14*len(bars))))
	tiles := draw.Tiles{Rows: 1, Cols: 2, PadX: 18, PadTop: 4, PadLeft: 4, PadRight: 30}
	for i, c := range plot.Align(plots, tiles, draw.New(canvas))[0] {
		plots[0][i].Draw(c)
	}
	var svg strings.Builder
	_, _ = canvas.WriteTo(&svg) // A builder does not fail.
	_, err = io.WriteString(to, strings.ReplaceAll(svg.String(), "Liberation Sans", "Liberation Sans,Helvetica,Arial,sans-serif"))
	return err
}

// read returns the rows of 10 000 callers.
func read(page io.Reader) (bars []bar, err error) {
	lines := bufio.NewScanner(page)
	for lines.Scan() {
		cells := strings.Split(lines.Text(), "|")
		if len(cells) < 8 || strings.TrimSpace(cells[1]) != "10000" {
			continue
		}
		cell := func(i int) string { return strings.TrimSpace(cells[i]) }
		b := bar{name: cell(3) + ", " + cell(2)}
		if b.accepted, err = strconv.ParseFloat(cell(4), 64); err != nil {
			return nil, err
		}
		if b.cpu, err = strconv.ParseFloat(cell(6), 64); err != nil {
			return nil, err
		}
		bars = append(bars, b)
	}
	return bars, lines.Err()
}

// drawn draws one figure, the first row on top.
func drawn(title, format string, bars []bar, of func(bar) float64) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.Title.Text, p.Title.Padding = title, 4
	p.Title.TextStyle.Color, p.Title.TextStyle.Font.Variant, p.Title.TextStyle.Font.Size = ink, "Sans", 10
	p.Y.Tick.Label.Color, p.Y.Tick.Label.Font.Variant, p.Y.Tick.Label.Font.Size = ink, "Sans", 9
	style := p.Y.Tick.Label
	style.XAlign = draw.XLeft
	names := make([]string, len(bars))
	for i, b := range bars {
		at, colour := float64(len(bars)-1-i), color.NRGBA{0x9a, 0xa4, 0xaf, 0xff}
		names[len(bars)-1-i] = b.name
		if strings.HasPrefix(b.name, "this") {
			colour = color.NRGBA{0x2f, 0x81, 0xf7, 0xff}
		}
		p.Add(&plotter.BarChart{Values: plotter.Values{of(b)}, Width: 8, Color: colour, XMin: at, Horizontal: true},
			&plotter.Labels{
				XYs: plotter.XYs{{X: of(b), Y: at}}, Labels: []string{fmt.Sprintf(format, of(b))},
				TextStyle: []draw.TextStyle{style}, Offset: vg.Point{X: 4, Y: 1.5},
			})
	}
	p.HideX()
	p.NominalY(names...)
	p.X.Min, p.Y.Min, p.Y.Max = 0, -0.6, float64(len(bars))-0.4
	return p
}
