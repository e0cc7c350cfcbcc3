package inbox

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/rerun"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/itemjson"
	"github.com/ringback/ringback/internal/words"
)

const (
	// perPage is how many rows a list has.
	perPage = 50
	// maxShown is how much of a body is shown, in bytes.
	maxShown = 256 << 10
	// maxQuery is how long a search is that is shown again, in characters.
	maxQuery = 80
)

func pageOf(r *http.Request) lookup.Page {
	return lookup.Page{Limit: perPage, After: lookup.Cursor(r.URL.Query().Get("after"))}
}

// waiting shows who waits.
func (in *Inbox) waiting(r *http.Request) (view, error) {
	w, err := in.look.Waiting(r.Context(), pageOf(r))
	if err != nil {
		return view{}, err
	}
	type body struct {
		lookup.Waiting

		Count   string // of those who wait
		Claimed int    // of those on this page
		First   bool   // page
	}
	b := body{Waiting: w, First: r.URL.Query().Get("after") == ""}
	for _, c := range w.Callers {
		if c.ClaimedBy != "" {
			b.Claimed++
		}
	}
	b.Count = fmt.Sprint(len(w.Callers))
	if w.Next != "" {
		b.Count += "+"
	}
	title := "Nobody waits"
	if len(w.Callers) > 0 {
		title = "(" + b.Count + ") Waiting"
	}
	return view{page: "waiting", Title: title, Section: "waiting", Body: b, AsOf: w.AsOf}, nil
}

var errDay = errors.New("a day is written like 2026-03-12")

// today shows what became of the calls of a day.
func (in *Inbox) today(r *http.Request) (view, error) {
	day, isToday := in.look.Today(), true
	if text := r.URL.Query().Get("day"); text != "" {
		at, err := time.ParseInLocation(time.DateOnly, text, in.look.Zone())
		if err != nil {
			return view{}, errDay
		}
		day, isToday = at, at.Equal(day)
	}
	find, all := in.look.Unserved, r.URL.Query().Get("show") == "all"
	if all {
		find = in.look.AllCalls
	}
	from, to := in.look.Day(day)
	list, err := find(r.Context(), from, to, pageOf(r))
	if err != nil {
		return view{}, err
	}
	tally, counted, countErr := in.tallies.of(r.Context(), day)
	health, err := in.look.Health(r.Context())
	if err != nil {
		return view{}, err
	}
	type body struct {
		lookup.Calls
		lookup.Tally

		IsToday, All               bool
		Counted, CountFailed       bool
		Show                       string
		Day, Before, After, Latest string
		Chart                      chart
	}
	date := func(at time.Time) string { return at.In(in.look.Zone()).Format(time.DateOnly) }
	b := body{
		Calls: list, Tally: tally, IsToday: isToday, All: all, Counted: counted, CountFailed: countErr != nil,
		Show: r.URL.Query().Get("show"), Day: date(day), Before: date(day.Add(-12 * time.Hour)), Latest: date(in.look.Today()),
	}
	if counted {
		b.Chart = newChart(tally.Hours, in.look.Zone())
	}
	if !isToday {
		b.After = date(to)
	}
	v := view{page: "today", Title: "Today", Section: "today", Body: b, AsOf: health.AsOf}
	if !isToday {
		v.Title = b.Day
	}
	return v, nil
}

// caller shows everything with one number.
func (in *Inbox) caller(r *http.Request) (view, error) {
	c, err := in.look.Caller(r.Context(), r.URL.Query().Get("number"), pageOf(r))
	if err != nil {
		return view{}, err
	}
	type day struct {
		At      time.Time
		Entries []lookup.Entry
	}
	type body struct {
		lookup.Caller

		Days  []day
		First bool
	}
	b := body{Caller: c, First: r.URL.Query().Get("after") == ""}
	for _, e := range c.Timeline {
		at := e.At.In(in.look.Zone()).Format(time.DateOnly)
		if n := len(b.Days); n == 0 || b.Days[n-1].At.In(in.look.Zone()).Format(time.DateOnly) != at {
			b.Days = append(b.Days, day{At: e.At})
		}
		last := &b.Days[len(b.Days)-1]
		last.Entries = append(last.Entries, e)
	}
	return view{page: "caller", Title: words.Who(c.Party), Body: b}, nil
}

func (in *Inbox) call(r *http.Request) (view, error) {
	c, err := in.look.Call(r.Context(), r.URL.Query().Get("id"))
	return view{page: "call", Title: "Call", Body: c}, err
}

func (in *Inbox) text(r *http.Request) (view, error) {
	m, err := in.look.Message(r.Context(), r.URL.Query().Get("id"))
	return view{page: "text", Title: "Text", Body: m}, err
}

func (in *Inbox) contact(r *http.Request) (view, error) {
	c, err := in.look.Contact(r.Context(), r.URL.Query().Get("id"))
	return view{page: "contact", Title: cmp.Or(c.Name, "Contact"), Body: c}, err
}

// event shows an event as the table has it.
func (in *Inbox) event(r *http.Request) (view, error) {
	query := r.URL.Query()
	e, err := in.look.Event(r.Context(), table.Key{PK: query.Get("pk"), SK: query.Get("sk")})
	if err != nil {
		return view{}, err
	}
	type attribute struct{ Name, Value string }
	type body struct {
		lookup.Event

		Attributes []attribute
		Payload    payload
	}
	b := body{Event: e}
	for _, name := range e.Attributes() {
		if name == table.Payload {
			continue
		}
		b.Attributes = append(b.Attributes, attribute{name, valueText(e.Item[name])})
	}
	if text, err := e.Payload(); err == nil {
		b.Payload = readable(text)
	} else {
		b.Payload = payload{Text: "It cannot be read: " + err.Error()}
	}
	return view{page: "event", Title: "Event", Body: b}, nil
}

// valueText returns a value of an item as text; what is made of parts, as DynamoDB writes it.
func valueText(v attr.Value) string {
	switch v := v.(type) {
	case attr.String:
		return string(v)
	case attr.Number:
		return string(v)
	}
	text, err := itemjson.Encode(table.Item{"v": v})
	if err != nil {
		return "" // the table took it, so it can be encoded
	}
	return strings.TrimSuffix(strings.TrimPrefix(string(text), `{"v":`), "}")
}

// payload is a body for people to read.
type payload struct {
	Text string
	Size int
	Cut  bool
	// Indented is set if it is JSON, which is indented here and was not when it came.
	Indented bool
}

func readable(body []byte) payload {
	p := payload{Size: len(body)}
	text := body
	var lines bytes.Buffer
	if json.Indent(&lines, body, "", "  ") == nil {
		text, p.Indented = lines.Bytes(), true
	}
	if len(text) > maxShown {
		text, p.Cut = text[:maxShown], true
		for len(text) > 0 && !utf8.RuneStart(text[len(text)-1]) {
			text = text[:len(text)-1]
		}
	}
	p.Text = strings.ToValidUTF8(string(text), "\uFFFD")
	return p
}

// rejected shows what was refused.
func (in *Inbox) rejected(r *http.Request) (view, error) {
	list, err := in.look.Rejections(r.Context(), pageOf(r))
	return view{page: "rejected", Title: "Rejected", Section: "rejected", Body: list}, err
}

// delivery shows one that was refused.
func (in *Inbox) delivery(r *http.Request) (view, error) {
	d, err := in.look.Rejection(r.Context(), r.URL.Query().Get("id"))
	if err != nil {
		return view{}, err
	}
	type body struct {
		lookup.Rejected

		Payload payload
		// Release says what became of each event if the delivery were taken in, and Useful
		// that it would change something.
		Release []string
		Useful  bool
		// Cannot says why nobody can take it in; "" if somebody can.
		Cannot string
	}
	b := body{Rejected: d, Payload: readable(d.Body)}
	all, err := rerun.Release(r.Context(), in.look.Store(), d, false, in.look.Now())
	if err != nil {
		return view{}, err
	}
	for _, r := range all {
		b.Release = append(b.Release, words.Released(r))
		b.Useful = b.Useful || r.Err == nil && !r.Stored
	}
	_, b.Cannot = in.cannot()
	return view{page: "delivery", Title: "Rejected delivery", Section: "rejected", Body: b}, nil
}

// health shows whether what the other pages show can be trusted.
func (in *Inbox) health(r *http.Request) (view, error) {
	h, err := in.look.Health(r.Context())
	if err != nil {
		return view{}, err
	}
	waiting, err := in.look.Waiting(r.Context(), lookup.Page{Limit: perPage})
	if err != nil {
		return view{}, err
	}
	refused, err := in.look.Rejections(r.Context(), lookup.Page{Limit: perPage})
	if err != nil {
		return view{}, err
	}
	type body struct {
		lookup.Health

		Waiting, Refused string
		AnyRefused       bool
		Facts            []Fact
		FactsError       string
	}
	b := body{
		Health: h, Waiting: counted(len(waiting.Callers), waiting.Next), Refused: counted(len(refused.Rejected), refused.Next),
		AnyRefused: len(refused.Rejected) > 0,
	}
	if in.config.Facts != nil {
		if b.Facts, err = in.config.Facts(r.Context()); err != nil {
			b.FactsError = err.Error()
		}
	}
	return view{page: "health", Title: "Health", Section: "health", Body: b, AsOf: h.AsOf}, nil
}

func counted(n int, next lookup.Cursor) string {
	if next != "" {
		return fmt.Sprintf("more than %d", n)
	}
	return fmt.Sprint(n)
}

// search finds a caller by number, what has an id, or people by their name.
func (in *Inbox) search(r *http.Request) (view, error) {
	typed := strings.TrimSpace(r.URL.Query().Get("q"))
	v := view{page: "search", Title: "Search"}
	type body struct {
		lookup.Named

		Typed string
	}
	b := body{Typed: alert.OneLine(typed, maxQuery)}
	if typed == "" {
		v.to = "/"
		return v, nil
	}
	for _, at := range []struct {
		path, parameter string
		find            func(context.Context, string) error
	}{
		{"/caller", "number", func(ctx context.Context, number string) error {
			_, err := in.look.Caller(ctx, number, lookup.Page{Limit: 1})
			return err
		}},
		{"/call", "id", func(ctx context.Context, id string) error { _, err := in.look.Call(ctx, id); return err }},
		{"/text", "id", func(ctx context.Context, id string) error { _, err := in.look.Message(ctx, id); return err }},
		{"/contact", "id", func(ctx context.Context, id string) error { _, err := in.look.Contact(ctx, id); return err }},
	} {
		err := at.find(r.Context(), typed)
		switch {
		case err == nil:
			v.to = address(at.path, at.parameter, typed)
			return v, nil
		case errors.Is(err, lookup.ErrNotFound), errors.Is(err, lookup.ErrNumber), errors.Is(err, lookup.ErrID), errors.Is(err, table.ErrQuery), errors.Is(err, table.ErrKey):
		default:
			return view{}, err
		}
	}
	found, err := in.look.Named(r.Context(), typed)
	if err != nil && !errors.Is(err, lookup.ErrNotFound) {
		return view{}, err
	}
	b.Named = found
	v.Body = b
	return v, nil
}
