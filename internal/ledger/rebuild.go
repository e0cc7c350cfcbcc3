package ledger

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

const (
	// rebuildBatch is how many calls, texts and acts are read between two reports.
	rebuildBatch = 100
	// historyAge is how old a call is that nobody has waited for until a rebuild.
	historyAge = 24 * time.Hour
)

// Progress is how far a rebuild has come.
type Progress struct {
	// Sources are the calls, texts and hand acts that were read so far, and Written are
	// the follow-ups that were written.
	Sources, Written int
}

// Rebuild brings all follow-ups up to date from what is in the table. It tells Changed, which
// must alert nobody, and not Followed. A call from more than a day ago that nobody waited for
// until now is history: it makes nobody wait. What cannot be read is made from nothing. Who
// waits under a number that is read otherwise now waits under that one. Rebuild reports its
// progress to done now and then, and returns it.
//
// It may run beside the consumer, and be repeated: what is right already is not
// written. It goes through the whole table. The error is that of the table, or wraps
// one of this package.
func (l *Ledger) Rebuild(ctx context.Context, done func(Progress)) (p Progress, err error) {
	quiet := New(l.store, l.canonical, l.log)
	quiet.Policy, quiet.Now, quiet.Changed = l.Policy, l.Now, l.Changed
	quiet.history = l.Now().Add(-historyAge)

	moved, err := quiet.moved(ctx)
	if err != nil {
		return p, err
	}

	var batch []table.Item
	var last string
	process := func() error {
		var first error // one is enough to tell: mostly they are all the same
		for _, err := range quiet.Process(ctx, batch) {
			first = cmp.Or(first, err)
		}
		p.Sources, p.Written = p.Sources+len(batch), int(quiet.written.Load())
		batch = nil
		done(p)
		return first
	}
	for item, err := range table.ScanAll(ctx, l.store, "", "") {
		if err != nil {
			return p, fmt.Errorf("look for calls: %w", err)
		}
		// One event of a call is enough: all of them are read for it.
		source := nameOf(table.KeyOf(item))
		if !wants(item) || source == last {
			continue
		}
		if last = source; len(batch) == rebuildBatch {
			if err := process(); err != nil {
				return p, err
			}
		}
		batch = append(batch, item)
	}
	if len(batch) > 0 {
		if err := process(); err != nil {
			return p, err
		}
	}
	for _, caller := range moved {
		if err := quiet.leave(ctx, caller); err != nil {
			return p, err
		}
	}
	return p, nil
}

// moved returns the callers who wait and whose number is another one as it is read now. It
// notes since when, for those others.
func (l *Ledger) moved(ctx context.Context) (callers []string, err error) {
	for item, err := range table.All(ctx, l.store, table.WaitingSince(time.Time{})) {
		if err != nil {
			return nil, fmt.Errorf("read who waits: %w", err)
		}
		caller := table.CallerOf(table.KeyOf(item))
		now := l.canonical(caller)
		if followup.IsCallSubject(caller) {
			if now, err = l.subject(ctx, table.SourceKey(table.Text(item, table.Call))); err != nil {
				return nil, err
			}
		}
		if now == "" || now == caller {
			continue
		}
		callers = append(callers, caller)
		if since, ok := events.ParseTime(table.Text(item, table.Since)); ok {
			l.note(now, since)
		}
	}
	return callers, nil
}

// subject returns what a call is about now, "" if nothing is known of it any more.
func (l *Ledger) subject(ctx context.Context, call table.Key) (string, error) {
	var parts []events.Part
	for item, err := range table.All(ctx, l.store, table.Query{Partition: call.PK, SortPrefix: cmp.Or(call.SK, table.EventMark)}) {
		if err != nil {
			return "", fmt.Errorf("read the events: %w", err)
		}
		parts = append(parts, alert.PartOf(item))
	}
	if len(parts) == 0 {
		return "", nil
	}
	return followup.Subject(events.Fold(parts...), table.SourceOf(call), l.canonical), nil
}

// leave ends the wait of a caller whose calls are another's by now.
func (l *Ledger) leave(ctx context.Context, caller string) error {
	for range maxAttempts {
		stored, err := Load(ctx, l.store, caller)
		if err != nil {
			return err
		}
		facts := stored.Facts
		facts.Calls, facts.Older = nil, followup.Older{}
		item := itemOf(caller, facts, facts.State(l.Policy), 0, "")
		item[table.Version] = attr.Number(strconv.FormatInt(stored.Version+1, 10))
		if updated, err := l.store.Update(ctx, item, stored.Version); err != nil || updated {
			return err //nolint:wrapcheck // it says what failed
		}
	}
	return ErrContended
}

// note notes since when a caller waits of whom the follow-up does not say it.
func (l *Ledger) note(caller string, since time.Time) {
	if was, ok := l.waited.Load(caller); ok {
		if was, _ := was.(time.Time); was.Before(since) {
			return
		}
	}
	l.waited.Store(caller, since)
}

// nameOf names the call, text or hand act that an item is about.
func nameOf(key table.Key) string {
	if table.IsAct(key) {
		return key.PK + " " + key.SK
	}
	return table.CallOf(key)
}

// makesAnew reports whether a follow-up that cannot be read is to be made from nothing, as a
// rebuild does. Its caller waits since when its item says, and not only since yesterday.
func (l *Ledger) makesAnew(caller string, stored Stored) bool {
	if l.history.IsZero() {
		return false
	}
	if since, ok := events.ParseTime(table.Text(stored.item, table.Since)); ok {
		l.note(caller, since)
	}
	return true
}

// withoutHistory returns the facts so that nobody waits since before the history ended
// who has not waited until now.
func (l *Ledger) withoutHistory(caller string, facts followup.Facts, was followup.State) followup.Facts {
	if l.history.IsZero() {
		return facts
	}
	until, since := l.history, was.Since()
	if noted, ok := l.waited.Load(caller); ok {
		if noted, _ := noted.(time.Time); since.IsZero() || noted.Before(since) {
			since = noted
		}
	}
	if !since.IsZero() && since.Before(until) {
		until = since.Add(-time.Millisecond)
	}
	if now := facts.State(l.Policy); now.Open() && now.Since().Before(until) {
		return followup.Merge(facts, followup.Facts{Baseline: until})
	}
	return facts
}
