package lookup

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/timing"
)

// Waiting is a page of the callers whom nobody has served yet.
type Waiting struct {
	// Callers are those who have waited longest, first.
	Callers []Waiter `json:"callers"`
	// AsOf is up to when the list is known to be complete: see [Health]. If nobody wrote
	// that down, it is when the newest call on this page began.
	AsOf time.Time `json:"as_of,omitzero"`
	Next Cursor    `json:"next,omitzero"`
}

// Waiter is a caller who waits.
type Waiter struct {
	Party
	FollowUp

	// BusinessSeconds is how long, in business hours of the line that was called first.
	BusinessSeconds int64 `json:"business_seconds"`
	// Voicemail is the latest one. It is looked for only if the outcome is voicemail.
	Voicemail Voicemail `json:"voicemail,omitzero"`
}

// Waited is how long, in business hours.
func (w Waiter) Waited() time.Duration { return time.Duration(w.BusinessSeconds) * time.Second }

// Waiting returns who waits, oldest first.
//
// It makes one query, one for [Health], one for each caller of the page without a number, and
// one for each who has left a voicemail, or two, if it was not with the latest call.
func (l *Lookup) Waiting(ctx context.Context, p Page) (w Waiting, err error) {
	const name = "waiting"
	var after table.Cursor
	if err := p.After.read(name, &after); err != nil {
		return Waiting{}, err
	}
	items, next, err := l.readPage(ctx, table.Query{Index: table.GSI3, Partition: table.WaitingPartition, After: after}, p.limit())
	if err != nil {
		return Waiting{}, fmt.Errorf("look up who waits: %w", cursorError(err, p.After))
	}
	if next != "" {
		w.Next = cursorOf(name, next)
	}
	w.Callers = make([]Waiter, len(items))
	errs := make([]error, len(items))
	for i, item := range items {
		w.Callers[i] = l.waiter(item)
		if w.Callers[i].Latest.After(w.AsOf) {
			w.AsOf = w.Callers[i].Latest
		}
	}
	timing.Indexes(len(items), func(i int) {
		v := &w.Callers[i]
		if followup.IsCallSubject(v.Key) {
			var stored ledger.Stored
			stored, errs[i] = l.load(ctx, v.Key)
			v.Party = v.sent(stored)
		}
		if errs[i] == nil && v.Outcome == events.Voicemailed && v.Voicemail == (Voicemail{}) {
			v.Voicemail, errs[i] = l.latestVoicemail(ctx, *v, table.Text(items[i], table.Call))
		}
	})
	if err := cmp.Or(errs...); err != nil {
		return Waiting{}, err
	}
	health, err := l.Health(ctx)
	if err != nil {
		return Waiting{}, err
	}
	if !health.AsOf.IsZero() {
		w.AsOf = health.AsOf
	}
	return w, nil
}

// waiter reads an entry of the index.
func (l *Lookup) waiter(item table.Item) Waiter {
	now := l.Now()
	text := func(name string) string { return table.Text(item, name) }
	w := Waiter{Party: l.party(table.CallerOf(table.KeyOf(item)))}
	w.State = State(text(table.State))
	w.Since, w.Latest = timeOf(item, table.Since), timeOf(item, table.Latest)
	w.Unserved, w.More = countOf(text(table.Count))
	w.Outcome = events.Outcome(text(table.Outcome))
	w.Line = l.line(text(table.Line), text(table.LineName))
	w.CallID = callID(text(table.Call))
	w.Attempts, _ = countOf(text(table.Attempts))
	w.Level, _ = countOf(text(table.Level))
	if until := timeOf(item, table.ClaimedUntil); until.After(now) {
		w.ClaimedBy, w.ClaimedUntil = alert.OneLine(text(table.Claim), maxName), until
	}
	if until := timeOf(item, table.SnoozedUntil); until.After(now) {
		w.SnoozedUntil = until
	}
	w.Name, w.Company = alert.OneLine(text(table.Name), maxName), alert.OneLine(text(table.Company), maxName)
	w.Known = w.Name != "" || w.Company != ""
	w.Party = w.named(text(table.CallerName))
	w.Voicemail = voicemail(0, text(table.Words), text(table.RecordingURL))
	w.OtherNumber = text(table.OtherNumber)
	w.BusinessSeconds = int64(l.Lines.Of(w.Line.Number, w.Line.Name).Between(w.Since, now).Seconds())
	return w
}

// latestVoicemail looks for the latest voicemail of a caller who waits: with the latest
// call, and then among everything with the number.
func (l *Lookup) latestVoicemail(ctx context.Context, w Waiter, call string) (Voicemail, error) {
	if call == "" {
		return Voicemail{}, nil
	}
	source := table.SourceKey(call)
	queries := []table.Query{{Partition: source.PK, SortPrefix: cmp.Or(source.SK, table.EventMark), NewestFirst: true}}
	if w.Number != "" {
		queries = append(queries, table.Query{
			Index: table.GSI1, Partition: table.PhonePartition(w.Number), From: table.Time(w.Since), NewestFirst: true, Limit: maxLookedAt,
		})
	}
	for _, q := range queries {
		page, err := l.store.Query(ctx, q)
		if err != nil {
			return Voicemail{}, fmt.Errorf("look up a voicemail: %w", err)
		}
		for _, item := range page.Items {
			if outcome := events.Outcome(table.Text(item, table.Outcome)); outcome == events.Voicemailed {
				return l.entry(item).Voicemail, nil
			}
		}
	}
	return Voicemail{}, nil
}

// maxLookedAt is how many events of a number are looked at for a voicemail.
const maxLookedAt = 50

// readPage reads up to limit items, and from where to go on; "" at the end. A page of the
// store may have fewer, even if more follow.
func (l *Lookup) readPage(ctx context.Context, q table.Query, limit int) (items []table.Item, next table.Cursor, err error) {
	for {
		q.Limit = limit - len(items)
		page, err := l.store.Query(ctx, q)
		if err != nil {
			return nil, "", err
		}
		items = append(items, page.Items...)
		if q.After = page.Next; q.After == "" || len(items) >= limit {
			return items, q.After, nil
		}
	}
}
