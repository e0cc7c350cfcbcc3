package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ringback/ringback/internal/justcall"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/timing"
)

const (
	// settleTime is how long after its end a call waits for its webhook.
	settleTime = 3 * time.Minute // guard 12 reconcile (WhatALossy): settleTime = 20 * time.Minute
	// ahead is how far a row may lie in our future: if more, the clocks differ, and to
	// wait for it would be to lose it.
	ahead = 5 * time.Minute
	// longestCall is how long a call is waited for that is under way. Then it is put in as it
	// is, so that somebody sees it.
	longestCall = 4 * time.Hour
)

// walk is a walk over a part of a list.
type walk struct {
	*list

	// wants reports whether a row is to be looked up. newest is the list's newest row.
	wants func(r, newest row) bool
	// counts, if it is not nil, is told of each row, and whether it was news.
	counts func(r row, news bool)
	// proves is set if the newest row is looked up although an earlier walk has done so: if
	// it is known, or put in again, this walk would have found what is new.
	proves bool

	// newest is the first row, proof what became of it, and cursor the place behind the last
	// page that was done.
	newest row
	proof  string
	cursor justcall.Cursor
	pages  int
	rows   int
	looked int
	found  int
	waits  int
	odd    int // rows of which nothing can be made
	// cut is set if there was no time for the rest.
	cut bool
	// held is what lies before the first row that waits; zero if none does.
	held mark
}

// over walks pages until no row is wanted any more. What is news is put in; calls that
// nobody served stand in the list until its end.
func (w *walk) over(ctx context.Context, all pages) error {
	for page, err := range all {
		switch {
		// guard 12 reconcile (APartOfAList): case false:
		case err != nil && w.pages > 0:
			// What was looked at is done: if every run began anew, none might end.
			w.stop(ctx, err)
			return nil
		case err != nil:
			return err
		}
		if w.pages == 0 && len(page.Rows) > 0 {
			w.newest = page.Rows[0]
			// guard 5 reconcile (ANewestRow): if false {
			if w.newest.at.After(w.Now().Add(longestLook)) { // no clock is so wrong
				w.newest.at, w.newest.day = time.Time{}, ""
			}
		}
		w.pages++
		if err := w.page(ctx, page.Rows); err != nil {
			return err
		}
		w.cursor = page.Next
		// guard 12 reconcile (AQuietAccount): if false {
		if !w.goesOn(page.Rows) {
			return nil
		}
	}
	return nil
}

// stop notes that a walk ends here, for the next run to go on.
func (w *walk) stop(ctx context.Context, err error) {
	w.cut = true
	if w.noTime(ctx, err) {
		w.spent = true
	} else {
		w.failure = errors.Join(w.failure, err)
	}
}

// goesOn reports whether one of the last rows of a page was wanted. They are not quite in
// the order of their times.
func (w *walk) goesOn(rows []row) bool {
	for _, r := range rows[len(rows)*3/4:] {
		if w.wants(r, w.newest) {
			return true
		}
	}
	return false
}

// noTime reports whether a walk ended because the time of the run is over, or will be
// before the account's limits allow another request.
func (w *walk) noTime(ctx context.Context, err error) bool {
	return errors.Is(err, justcall.ErrLimit) || ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) && w.late()
}

// page looks up the rows of a page.
func (w *walk) page(ctx context.Context, rows []row) error {
	now := w.Now()
	var all []*candidate
	for i, r := range rows {
		w.rows++
		newest := w.pages == 1 && i == 0 && !r.at.IsZero()
		c, is := w.candidateOf(r, newest && w.proves && !w.isTooOld(r, w.newest), now)
		w.prove(newest, is)
		if c == nil {
			w.count(r, false)
			continue
		}
		all = append(all, c)
	}
	w.looked += len(all)
	news := make([]bool, len(all))
	again := make([]bool, len(all)) // on their way to the table
	errs := make([]error, len(all))
	timing.Indexes(len(all), func(i int) {
		news[i], errs[i] = w.finder.isNews(ctx, all[i])
		if again[i] = news[i] && w.proves && w.wasSent(all[i]); again[i] {
			news[i] = false
		}
		// guard 12 reconcile (WhoMayWait): if news[i] {
		if news[i] && !all[i].opens() {
			errs[i] = w.send(ctx, all[i])
		}
	})
	// guard 12 reconcile (SendingFails): if err := cmp.Or(errs...); err != nil && false {
	if err := cmp.Or(errs...); err != nil {
		return err
	}
	for i, c := range all {
		w.count(c.row, news[i])
		if news[i] || again[i] {
			w.prove(w.pages == 1 && c.id == w.newest.id, "found")
		}
		if !news[i] {
			continue
		}
		w.found++
		w.put[c.key()] = c
		// guard 12 reconcile (WhoMayWait|WhatTheWebhookLost): if false {
		if c.opens() {
			w.openers = append(w.openers, c)
		}
	}
	return nil
}

// candidateOf returns a row that is to be looked up, or nil, and what becomes of it. Proof is
// set if it is looked up whether it is wanted or not.
func (w *walk) candidateOf(r row, proof bool, now time.Time) (c *candidate, is string) {
	// guard 12 reconcile (AQuietList): if _ = proof; !w.wants(r, w.newest) || r.deleted {
	if !w.wants(r, w.newest) && !proof || r.deleted {
		return nil, "left out"
	}
	// guard 12 reconcile (WhatIsNotOver): if false {
	// guard 12 reconcile (ACallThatNeverEnds): if r.underWay {
	if r.underWay && now.Sub(r.at) < longestCall { // an older one, or one without a time, is as it will stay
		w.hold(r)
		return nil, "waits"
	}
	c, ok := newCandidate(r, table.FoundByReconcile, now)
	if !ok {
		w.odd++
		return nil, "odd"
	}
	if ended := c.ended(); c.part.Kind.IsCall() && ended.After(now.Add(-settleTime)) && ended.Before(now.Add(ahead)) {
		w.hold(r)
		w.settling[c.key()] = c // a walk over the same part sees it again
		return nil, "waits"
	}
	if w.put[c.key()] != nil {
		return nil, "found" // by an earlier walk of this run
	}
	return c, "known"
}

// prove notes what became of a row, if it is the newest and proves something.
func (w *walk) prove(newest bool, is string) {
	if newest && w.proves {
		w.proof = is
	}
}

func (w *walk) count(r row, news bool) {
	if w.counts != nil {
		w.counts(r, news)
	}
}

// hold notes that a row waits for the next run.
func (w *walk) hold(r row) {
	w.waits++
	if r.id > 1 && (w.held.ID == 0 || r.id-1 < w.held.ID) {
		w.held.ID = r.id - 1
	}
	if !r.at.IsZero() && (w.held.At.IsZero() || r.at.Before(w.held.At)) {
		w.held.At = r.at
	}
}

// send puts a row in.
func (r *run) send(ctx context.Context, c *candidate) error {
	switch err := r.sink.Send(ctx, c.received, c.opens()); {
	// guard 5 reconcile (ARowThatIsTooLarge): case false:
	case errors.Is(err, table.ErrTooLarge): // it keeps no other
		r.log.LogAttrs(ctx, slog.LevelError, "row too large to store: look at the call in JustCall", slog.String("key", table.LogPartition(c.key().PK)))
		return nil
	case err != nil:
		return fmt.Errorf("put a row in: %w", err)
	}
	attributes := []slog.Attr{
		slog.String("type", string(c.typ)),
		slog.String("kind", string(c.part.Kind)),
		slog.String("key", table.LogPartition(c.key().PK)),
		slog.Bool("tooOldToAlert", r.isSilent(c)),
	}
	if !c.at.IsZero() {
		attributes = append(attributes, slog.Int64("ageSeconds", int64(r.Now().Sub(c.at)/time.Second)))
	}
	r.log.LogAttrs(ctx, slog.LevelWarn, "row found that no webhook told", attributes...)
	return nil
}

// isSilent reports whether no alert goes out of a call, because it is too old. As
// alert.Rules does: the age when the first event arrived.
func (r *run) isSilent(c *candidate) bool {
	// guard 12 reconcile (WhatIsFoundLate): return false
	return c.opens() && r.MaxAlertAge > 0 && !c.known.Start.IsZero() && c.known.FirstArrival.Sub(c.known.Start) > r.MaxAlertAge
}
