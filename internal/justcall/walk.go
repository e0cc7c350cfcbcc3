package justcall

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Page is a part of a list. The pages of a walk together have every row of the list
// that existed when the walk began and still exists when it ends, each once, from the
// newest to the oldest.
//
// Rows move between JustCall's pages during a walk. New ones push the others back:
// these come again, and are left out here. Deleted ones let the others move forward,
// over the end of a page that was read before: so either the total shows that no row
// was deleted, or a page must begin within what is known, or the walk goes back.
type Page[T any] struct {
	Rows []T
	// Total is how many rows JustCall says that the list has, -1 if it does not say.
	Total int
	// Next is where the walk goes on. A walk may be taken up there by another process.
	Next Cursor
}

// Cursor is a place in a list. The zero Cursor is its beginning, the newest row. A walk
// from another place may repeat rows, and leaves out none behind the place.
type Cursor struct {
	// Rows is how many rows the walk has covered.
	Rows int `json:"rows"`
	// Lowest is the lowest id among them.
	Lowest int64 `json:"lowest"`
	// Total is how many rows the list had then, 0 if that is not known. If it has no fewer
	// when the walk goes on, none has moved forward.
	Total int `json:"total,omitzero"`
}

// list is one of the API's lists, of rows that are read into a T.
type list[T any] struct {
	operation

	fixed   url.Values // parameters of every page
	perPage int        // rows of a page, at most
	id      string     // member with the key
	total   string     // member of the envelope
	read    func(r row, raw jsontext.Value) T
}

// walk yields the pages of a list until there are no more, or one fails. It takes no
// step that the caller has not asked for.
func walk[T any](ctx context.Context, c *Client, l list[T], from Cursor) iter.Seq2[Page[T], error] {
	return func(yield func(Page[T], error) bool) {
		w := walker{
			covered: from.Rows, lowest: from.Lowest, perPage: l.perPage, total: cmp.Or(from.Total, -1),
			overlap: from.Rows > 0 && from.Total == 0, last: from.Total > 0 && from.Rows >= from.Total, seen: make(map[string]bool),
		}
		for {
			number, size := w.next()
			query := maps.Clone(l.fixed)
			// JustCall's links to the next page lose the other parameters.
			query.Set("page", strconv.Itoa(number))
			query.Set("per_page", strconv.Itoa(size))
			response, err := c.call(ctx, l.operation, query, nil)
			switch {
			case err != nil && w.last && isNoPage(err):
				return
			case err != nil:
				yield(Page[T]{}, err)
				return
			}
			envelope := newRow(response)
			if envelope["data"].Kind() != '[' {
				yield(Page[T]{}, fmt.Errorf("JustCall: %s: %w", l.name, ErrResponse))
				return
			}
			page := Page[T]{Total: -1}
			if _, given := envelope[l.total]; given {
				page.Total = int(envelope.number(l.total))
			}
			more := envelope.text("next_page_link") != ""
			raws := envelope.elements("data")
			keys := make([]key, len(raws))
			rows := make([]row, len(raws))
			for i, raw := range raws {
				rows[i] = newRow(raw)
				keys[i] = keyOf(rows[i], l.id, raw)
			}
			if number == 0 && l.fixed.Has("sort") && isOldestFirst(keys) {
				yield(Page[T]{}, fmt.Errorf("JustCall: %s: %w", l.name, errOrder))
				return
			}
			if w.arrived(number, size, int(envelope.number("per_page")), page.Total, more, keys) {
				for i, k := range keys {
					if w.isNew(k) {
						page.Rows = append(page.Rows, l.read(rows[i], raws[i]))
					}
				}
			}
			// guard 12 justcall: if w.idle = 0; page.Rows != nil {
			if w.idle++; page.Rows != nil {
				w.idle = 0
			}
			switch {
			case w.ended:
			case w.idle == maxIdle:
				yield(Page[T]{}, fmt.Errorf("JustCall: %s: %w", l.name, errIdle))
				return
			case page.Rows == nil:
				continue
			}
			page.Next = Cursor{w.covered, w.lowest, max(w.total, 0)}
			if !yield(page, nil) || w.ended {
				return
			}
		}
	}
}

// maxIdle is how many pages in a row may bring no new row. Many new rows, or many deleted
// ones, cause a few.
const maxIdle = 20

var errIdle = fmt.Errorf("%d pages in a row had no new rows: JustCall gives the same page for every number, or another list each time", maxIdle)

// isNoPage reports whether an error may mean that a list has no page of that number. What one
// behind the end is answered with is not documented.
func isNoPage(err error) bool {
	failure := (*Error)(nil)
	if !errors.As(err, &failure) {
		return false
	}
	switch failure.Status {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

var errOrder = errors.New("the oldest rows come first: JustCall no longer sorts as it is told")

// isOldestFirst reports whether ids grow along a page. Then what is new is on the last one,
// and to stop at a row that is known would be to find nothing for ever.
func isOldestFirst(keys []key) bool {
	const sure = 3
	return len(keys) >= sure && keys[0].id < keys[len(keys)-1].id && slices.IsSortedFunc(keys, func(a, b key) int { return cmp.Compare(a.id, b.id) })
}

// walker decides which page is next.
type walker struct {
	covered int   // rows from the newest on, without a gap
	lowest  int64 // id among them
	seen    map[string]bool
	perPage int
	total   int  // of the last page, -1 if it gave none
	untrue  bool // the totals cannot be right
	overlap bool
	back    int // rows that it went back last, 0 if the last page left no gap
	idle    int // pages since the last one with a new row
	ended   bool
	last    bool // by what JustCall says, there are no more rows
}

// next returns the number and the size of the page to read next. Its first row is the
// one behind those covered; if they must overlap, it is among them. Only multiples of
// the size can be reached, so to overlap costs up to a seventh more pages.
func (w *walker) next() (number, size int) {
	if w.covered == 0 {
		return 0, w.perPage
	}
	number, size = w.covered/w.perPage, w.perPage
	if !w.overlap {
		return number, size
	}
	reached := -1
	for n := w.perPage; n >= max(w.perPage/2, 1); n-- {
		// guard 12 justcall: if q := w.covered / n; n*(q+1) > reached {
		if q := (w.covered - 1) / n; n*(q+1) > reached {
			number, size, reached = q, n, n*(q+1)
		}
	}
	return number, size
}

// arrived takes in the keys of a page, and reports whether it leaves no gap to those
// before it. If it may leave one, the walk goes back.
func (w *walker) arrived(number, size, served, total int, more bool, keys []key) bool {
	misplaced := false
	if served > 0 && served < size {
		// JustCall gives smaller pages than we ask for.
		w.perPage = served
		misplaced, size = number > 0, served
	}
	if n := len(keys); 0 < n && n < size && (more || total > number*size+n) {
		w.perPage, size, misplaced = n, n, number > 0 // it does not say so
	}
	if total >= 0 && total < number*size+len(keys) {
		w.untrue = true // it is not the number of the list's rows
	}
	if w.untrue {
		total = -1
	}
	// If no row was deleted since the last page, none has moved forward.
	steady := !w.overlap && !misplaced && total >= 0 && w.total >= 0 && total >= w.total
	w.total = total
	// guard 12 justcall: if _ = steady; false {
	if number > 0 && !steady && !w.touches(keys) {
		w.back = max(2*w.back, w.perPage)
		w.covered = max(w.covered-w.back, 0)
		w.overlap = true
		return false
	}
	w.back = 0
	w.covered = number*size + len(keys)
	w.last = total >= 0 && w.covered >= total && !more
	w.overlap = total < 0
	w.ended = len(keys) < size
	return true
}

// touches reports whether a page has a row that is known, or one that is newer than
// the oldest that is known.
func (w *walker) touches(keys []key) bool {
	if slices.ContainsFunc(keys, func(k key) bool { return w.seen[k.text] }) {
		return true
	}
	// If the rows are not sorted by id, ids prove nothing.
	sorted := slices.IsSortedFunc(keys, func(a, b key) int { return cmp.Compare(b.id, a.id) })
	return sorted && len(keys) > 0 && w.lowest > 0 && keys[0].id >= w.lowest
}

// isNew reports whether a row has not come before in this walk.
func (w *walker) isNew(k key) bool {
	if w.seen[k.text] {
		return false
	}
	w.seen[k.text] = true
	if k.id > 0 && (w.lowest == 0 || k.id < w.lowest) {
		w.lowest = k.id
	}
	return true
}

// key tells a row from others. A row without an id is known by its call_sid or, without
// that, by all that stands in it.
type key struct {
	id   int64
	text string
}

func keyOf(r row, member string, raw jsontext.Value) key {
	if id := r.number(member); id > 0 {
		return key{id, strconv.FormatInt(id, 10)}
	}
	return key{0, cmp.Or(r.text("call_sid"), string(raw))}
}

// All returns the rows of all pages. On an error it returns those before it, too.
func All[T any](pages iter.Seq2[Page[T], error]) ([]T, error) {
	var all []T
	for page, err := range pages {
		if err != nil {
			return all, err
		}
		all = append(all, page.Rows...)
	}
	return all, nil
}

func get(name, path string) operation { return operation{name, http.MethodGet, path} }
