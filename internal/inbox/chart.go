package inbox

import (
	"fmt"
	"strings"
	"time"

	"github.com/ringback/ringback/internal/lookup"
)

// chart is the bar chart of a day, one bar for each hour. A template of our own draws it:
// its colours follow the page, light or dark, by classes, and its bars the page's width.
// The chart libraries for Go write colours and sizes into style attributes, which the
// page's policy forbids.
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

// Sizes of the drawing, which is stretched to the room that it has.
const (
	chartHeight = 1000
	hourWidth   = 10
	barWidth    = 6
)

func newChart(u lookup.Unserved, zone *time.Location) chart {
	c := chart{Width: 24 * hourWidth, Height: chartHeight}
	hours := make([]lookup.Counts, 24)
	for _, h := range u.Hours { // of two hours with one name, both count
		at := &hours[h.Start.In(zone).Hour()]
		at.Missed += h.Missed
		at.Abandoned += h.Abandoned
		at.Voicemail += h.Voicemail
		at.Unknown += h.Unknown
		at.Answered += h.Answered
	}
	top := 0
	for _, h := range hours {
		top = max(top, h.Unserved()+h.Unknown+h.Answered)
	}
	step := gridStep(top)
	top = max(step, (top+step-1)/step*step)
	for n := top; n >= 0; n -= step {
		c.Lines, c.Scale = append(c.Lines, chartHeight-n*chartHeight/top), append(c.Scale, n)
	}
	var told []string
	for hour, h := range hours {
		b := bar{X: hour*hourWidth + (hourWidth-barWidth)/2, Width: barWidth}
		if hour%3 == 0 {
			c.Hours = append(c.Hours, fmt.Sprintf("%d:00", hour))
		}
		n := 0
		var texts []string
		for _, p := range []struct {
			class, text string
			n           int
		}{
			{"missed", "missed", h.Missed},
			{"gaveup", "gave up", h.Abandoned},
			{"voicemail", "voicemail", h.Voicemail},
			{"unknown", "nobody knows how it ended", h.Unknown},
			{"answered", "answered after all", h.Answered},
		} {
			if p.n == 0 {
				continue
			}
			from := n * chartHeight / top
			n += p.n
			to := n * chartHeight / top
			b.Parts = append(b.Parts, part{p.class, chartHeight - to, to - from})
			texts = append(texts, fmt.Sprintf("%d %s", p.n, p.text))
		}
		if n > 0 {
			b.Told = fmt.Sprintf("%d:00 to %d:00: %s", hour, hour+1, strings.Join(texts, ", "))
			told = append(told, b.Told)
		}
		c.Bars = append(c.Bars, b)
	}
	c.Told = "Calls by hour. " + strings.Join(told, "; ") + "."
	return c
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
