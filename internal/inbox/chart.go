package inbox

import (
	"fmt"
	"strings"
	"time"

	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/words"
)

// chart is the bar chart of a day: for each hour, who was answered and who was not. A
// template of our own draws it: its colours follow the page, light or dark, by classes,
// and its bars the page's width. The chart libraries for Go write colours and sizes into
// style attributes, which the page's policy forbids.
type chart struct {
	Width, Height int
	Bars          []bar
	// Lines are the heights of the lines behind the bars, and Scale what they mean, from
	// the top down.
	Lines []int
	Scale []int
	Hours []string
	// Told is the chart in words.
	Told string
}

type bar struct {
	X, Width int
	Told     string
	Parts    []part
}

type part struct {
	Class     string
	Y, Height int
}

// Sizes of the drawing, which is stretched to the room that it has. Each hour has two bars.
const (
	chartHeight = 1000
	hourWidth   = 20
	barWidth    = 7
	barGap      = 1
)

func newChart(hours []lookup.Hour, zone *time.Location) chart {
	c := chart{Width: 24 * hourWidth, Height: chartHeight}
	var counts [24]lookup.Counts
	for _, h := range hours { // of two hours with one name, both count
		at := &counts[h.Start.In(zone).Hour()]
		*at = at.Plus(h.Counts)
	}
	top := 0
	for _, h := range counts {
		top = max(top, h.Answered, h.Unserved()+h.Unknown)
	}
	step := gridStep(top)
	top = max(step, (top+step-1)/step*step)
	for n := top; n >= 0; n -= step {
		c.Lines, c.Scale = append(c.Lines, chartHeight-n*chartHeight/top), append(c.Scale, n)
	}
	var told []string
	for hour, h := range counts {
		if hour%3 == 0 {
			c.Hours = append(c.Hours, fmt.Sprintf("%d:00", hour))
		}
		if h == (lookup.Counts{}) {
			continue
		}
		text := fmt.Sprintf("%d:00 to %d:00: %s", hour, hour+1, words.Counts(h))
		told = append(told, text)
		left := hour*hourWidth + (hourWidth-2*barWidth-barGap)/2
		c.Bars = append(c.Bars,
			newBar(left, top, text, of{"answered", h.Answered}),
			newBar(left+barWidth+barGap, top, text, of{"missed", h.Missed}, of{"gaveup", h.Abandoned}, of{"voicemail", h.Voicemail}, of{"unknown", h.Unknown}))
	}
	c.Told = "Calls by hour. " + strings.Join(told, "; ") + "."
	return c
}

// of is how many calls of a class there are.
type of struct {
	class string
	n     int
}

// newBar returns a bar of calls of several classes, one on top of the other.
func newBar(x, top int, told string, all ...of) bar {
	b := bar{X: x, Width: barWidth, Told: told}
	n := 0
	for _, o := range all {
		if o.n > 0 {
			from, to := n*chartHeight/top, (n+o.n)*chartHeight/top
			n += o.n
			b.Parts = append(b.Parts, part{o.class, chartHeight - to, to - from})
		}
	}
	return b
}

// gridStep returns the distance of lines so that there are at most five.
func gridStep(top int) int {
	for step := 1; ; step *= 10 {
		for _, s := range []int{step, 2 * step, 5 * step} {
			if top <= 4*s {
				return s
			}
		}
	}
}
