package lookup

import (
	"context"
	"fmt"
	"time"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// Rejected is a delivery that came with the right token and was refused.
type Rejected struct {
	// ID names it: when it arrived, and a digest.
	ID string    `json:"id"`
	At time.Time `json:"at"`
	// Reason says why, in our own words.
	Reason string `json:"reason"`
	// Headers are those that may show why, as one line each.
	Headers map[string]string `json:"headers,omitzero"`
	// Size is that of the body, in bytes, and Beginning its first characters, as one line.
	Size      int    `json:"size"`
	Beginning string `json:"beginning,omitzero"`
	// Body is what arrived, whatever it is.
	Body []byte `json:"-"`
}

// Rejections is a page of them, newest first.
type Rejections struct {
	Rejected []Rejected `json:"rejected"`
	// Days is how many days were looked at.
	Days int    `json:"days"`
	Next Cursor `json:"next,omitzero"`
}

const (
	// keptDays is for how many days rejections are kept, and the day on which it is.
	keptDays = 31
	// beginning is how much of a body a list shows, in characters.
	beginning = 60
)

// rejectedPosition is where a page of rejections ends.
type rejectedPosition struct {
	Day   string       `json:"day"`
	After table.Cursor `json:"after,omitzero"`
}

// Rejections returns what was refused in the last 30 days, newest first. It makes one query
// for each day, of UTC, until the page is full.
func (l *Lookup) Rejections(ctx context.Context, p Page) (r Rejections, err error) {
	const name = "rejected"
	var from rejectedPosition
	if err := p.After.read(name, &from); err != nil {
		return Rejections{}, err
	}
	today := l.Now().UTC().Truncate(24 * time.Hour)
	day := today
	if from.Day != "" {
		if day, err = time.Parse(time.DateOnly, from.Day); err != nil || day.After(today) {
			return Rejections{}, ErrCursor
		}
	}
	r.Rejected = []Rejected{}
	for ; day.After(today.Add(-keptDays * 24 * time.Hour)); day = day.Add(-24 * time.Hour) {
		left := p.limit() - len(r.Rejected)
		if left == 0 {
			r.Next = cursorOf(name, rejectedPosition{Day: day.Format(time.DateOnly)})
			return r, nil
		}
		items, next, err := l.readPage(ctx, table.Query{Partition: table.RejectedPartition(day), NewestFirst: true, After: from.After}, left)
		if err != nil {
			return Rejections{}, fmt.Errorf("look up rejected deliveries: %w", cursorError(err, p.After))
		}
		r.Days++
		from.After = ""
		for _, item := range items {
			r.Rejected = append(r.Rejected, rejectedOf(item))
		}
		if next != "" {
			r.Next = cursorOf(name, rejectedPosition{day.Format(time.DateOnly), next})
			return r, nil
		}
	}
	return r, nil
}

// Rejection returns the rejected delivery with an id. It makes one query. The error wraps
// [ErrID] or [ErrNotFound].
func (l *Lookup) Rejection(ctx context.Context, id string) (Rejected, error) {
	day, err := time.Parse(time.DateOnly, id[:min(len(id), len(time.DateOnly))])
	if err != nil || checkID(id) != nil || len(id) > table.MaxSortKey {
		return Rejected{}, ErrID
	}
	items, err := l.read(ctx, "look up a rejected delivery", table.Query{Partition: table.RejectedPartition(day), From: id, To: id})
	switch {
	case err != nil:
		return Rejected{}, err
	case len(items) == 0:
		return Rejected{}, ErrNotFound
	}
	return rejectedOf(items[0]), nil
}

func rejectedOf(item table.Item) Rejected {
	r := Rejected{
		ID: table.KeyOf(item).SK, At: timeOf(item, table.ReceivedAt),
		Reason: alert.OneLine(table.Text(item, table.Reason), maxText),
	}
	if headers, ok := item["headers"].(attr.Map); ok {
		r.Headers = make(map[string]string, len(headers))
		for name, value := range headers {
			if text, ok := value.(attr.String); ok {
				r.Headers[alert.OneLine(name, maxName)] = alert.OneLine(string(text), maxText)
			}
		}
	}
	body, err := table.PayloadOf(item)
	if err != nil {
		r.Beginning = "(the body cannot be read)"
		return r
	}
	r.Body, r.Size = body, len(body)
	r.Beginning = alert.OneLine(string(body[:min(len(body), 4*beginning)]), beginning)
	return r
}
