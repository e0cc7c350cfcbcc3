package alert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/timing"
)

// MaxBatch is the largest number of messages that are published at once.
const MaxBatch = 10

const (
	// historyTime is how long an alert waits for the caller's history.
	historyTime = 500 * time.Millisecond
	// markTime is reserved before the deadline, to mark what was published. A
	// failing table takes about this long to return an error.
	markTime = 8 * time.Second
	// batchTime is enough to look for marks, publish and mark. No batch begins
	// with less time left.
	batchTime = 20 * time.Second
)

// ErrPostponed means that an alert was not tried: one before it failed, there was
// too little time left, or the [Publisher] was stopped. It is not logged as a
// failure.
var ErrPostponed = errors.New("not tried yet")

// Publisher sends messages to the subscribers.
type Publisher interface {
	// Publish sends at most [MaxBatch] messages in order and returns one error for
	// each, nil if it was sent. A message with an error may have been sent too.
	// An error that wraps [ErrPostponed] is no failure.
	Publish(ctx context.Context, messages []Message) []error
}

// Dispatcher publishes the alerts of items.
type Dispatcher struct {
	// Now is the clock. New sets it, tests replace it.
	Now func() time.Time
	// Style is how the alerts are written; callers may set it.
	Style Style

	store table.Store
	to    Publisher
	log   *slog.Logger
}

// New returns a dispatcher that keeps its marks in store. Its log lines hold no
// personal data.
func New(store table.Store, to Publisher, log *slog.Logger) *Dispatcher {
	return &Dispatcher{Now: time.Now, store: store, to: to, log: log}
}

// Consumer returns the dispatcher as a consumer of the table's new items. The
// alerts of one call stay in order.
func (d *Dispatcher) Consumer() consumer.Consumer {
	return consumer.Consumer{Name: "alerts", Wants: asksForAlert, Process: d.Process}
}

// asksForAlert reports whether an item is an event that people are alerted of.
func asksForAlert(item table.Item) bool {
	_, ok := item[table.Alert]
	return ok
}

// Process publishes the alerts of items that ask for one, in order. It implements
// [consumer.Process]: nil means that the alert was published, now or before, or
// that none is due. The error wraps [consumer.ErrPermanent] and [ErrItem] if no
// alert can ever be made of the item. The marks in the store make it idempotent.
//
// One item's failure does not affect the others. If nothing of a batch can be
// published, the rest is postponed.
func (d *Dispatcher) Process(ctx context.Context, items []table.Item) []error {
	errs := make([]error, len(items))
	var due []*pending
	for i, item := range items {
		a, err := Read(item)
		p := &pending{Alert: a, item: item, err: &errs[i]}
		if err != nil {
			d.fail(ctx, p, fmt.Errorf("%w: %w", consumer.ErrPermanent, err))
			// guard 5: return errs
			continue
		}
		if a.IsStaleUpdate() {
			d.skip(ctx, p)
			continue
		}
		due = append(due, p)
	}

	done := make(map[string]bool, len(due)) // by alert ID: published here, marked or not
	for len(due) > 0 {
		if deadline, ok := ctx.Deadline(); ok && deadline.Sub(d.Now()) < batchTime {
			break
		}
		batch := due[:min(len(due), MaxBatch)]
		due = due[len(batch):]
		if !d.processBatch(ctx, batch, done) {
			break
		}
	}
	for _, p := range due {
		*p.err = ErrPostponed
	}
	if len(due) > 0 {
		d.log.LogAttrs(ctx, slog.LevelWarn, "alerts postponed", slog.Int("count", len(due)))
	}
	return errs
}

// pending is an item whose alert may be due.
type pending struct {
	Alert

	item table.Item
	err  *error // the item's result of Process

	marked     bool // published before
	sameCall   bool // published for another event of the call
	markErr    error
	historyErr error
}

// processBatch publishes one batch. It returns false if all of it failed.
//
// done has the alerts of earlier batches, and is the truth where marking failed.
// sameCall has the events that share an alert of this batch, whose result is theirs.
func (d *Dispatcher) processBatch(ctx context.Context, batch []*pending, done map[string]bool) (ok bool) {
	d.prepare(ctx, batch)

	// Several events may ask for the same alert: the first one is published.
	var first, sameCall []*pending
	for _, p := range batch {
		switch {
		// guard 2 alert alerts (Marks|WithoutTheMarks): case false:
		case p.markErr != nil:
			d.fail(ctx, p, p.markErr)
		case p.marked || done[p.ID]:
			d.skip(ctx, p)
		// guard 2 alert alerts (EventsOf): case slices.ContainsFunc(first, func(f *pending) bool { return false }):
		case slices.ContainsFunc(first, func(f *pending) bool { return f.ID == p.ID }):
			p.sameCall = true
			sameCall = append(sameCall, p)
		default:
			first = append(first, p)
		}
	}
	if len(first) == 0 {
		return slices.ContainsFunc(batch, func(p *pending) bool { return p.markErr == nil })
	}

	messages := make([]Message, len(first))
	for i, p := range first {
		messages[i] = d.Style.Message(p.Alert)
	}
	errs := d.publish(ctx, messages)
	var marking sync.WaitGroup
	for i, p := range first {
		if errs[i] != nil {
			d.fail(ctx, p, errs[i])
			// guard 2 alerts e2e (AnAlertOutlivesAPublish|StoredOnceAlerted):
			continue
		}
		ok, done[p.ID] = true, true
		d.logPublished(ctx, p)
		// guard 2 alert alerts e2e (Alerts|ARecord|EventsOf|AnAlertOutlives|StoredOnceAlerted):
		marking.Go(func() { d.mark(ctx, p) })
	}
	marking.Wait()
	for _, p := range sameCall {
		if done[p.ID] {
			d.skip(ctx, p)
		} else {
			*p.err = ErrPostponed
		}
	}
	return ok
}

// publish leaves time to mark what was published.
func (d *Dispatcher) publish(ctx context.Context, messages []Message) []error {
	ctx, cancel := timing.WithMargin(ctx, markTime)
	defer cancel()
	return d.to.Publish(ctx, messages)
}

// prepare reads, all at once, the marks and the callers' histories of a batch. The
// history of an alert that turns out to be marked is read in vain, but few are, and
// the others must not wait for their marks first.
func (d *Dispatcher) prepare(ctx context.Context, batch []*pending) {
	brief, cancel := context.WithTimeout(ctx, historyTime)
	defer cancel()
	var all sync.WaitGroup
	for _, p := range batch {
		all.Go(func() { p.markErr = d.readMarks(ctx, p) })
		all.Go(func() { p.historyErr = readHistory(brief, d.store, &p.Alert) })
	}
	all.Wait()

	for _, p := range batch {
		if p.historyErr != nil {
			d.log.LogAttrs(ctx, slog.LevelWarn, "alert enrichment failed",
				append(p.attributes(), slog.String("error", p.historyErr.Error()))...)
		}
		if p.Kind == events.KindVoicemail && p.CallID != "" && p.MissedAt.IsZero() {
			p.MissedAt = missedIn(batch, p.Key.PK)
		}
	}
}

// missedIn returns when a call was missed, if its missed call is in the batch too.
func missedIn(batch []*pending, call string) time.Time {
	for _, p := range batch {
		if p.Kind == events.KindMissedCall && p.Key.PK == call {
			return p.OccurredAt
		}
	}
	return time.Time{}
}

// readMarks finds out whether an alert was published before and, for a voicemail,
// when its call was missed.
func (d *Dispatcher) readMarks(ctx context.Context, p *pending) error {
	own := table.AlertKey(p.Key, p.Kind)
	missed := table.AlertKey(p.Key, events.KindMissedCall)
	for mark, err := range table.All(ctx, d.store, table.AlertMarks(p.Key, p.Kind)) {
		if err != nil {
			return fmt.Errorf("look for the alert's mark: %w", err)
		}
		switch table.KeyOf(mark) {
		case own:
			// guard 2 alert alerts e2e (Alerts|ARecord|EventsOf|AnAlertOutlives|StoredOnceAlerted): p.marked = false
			p.marked = true
			p.sameCall = table.Text(mark, table.EventSort) != p.Key.SK
		case missed:
			p.MissedAt = timeOf(mark, table.OccurredAt)
		}
	}
	return nil
}

// mark records that an alert was published. Without the mark, the alert repeats
// if the record comes again. The error is only logged: returned, it would bring
// the record again for certain.
func (d *Dispatcher) mark(ctx context.Context, p *pending) {
	if _, err := d.store.Put(ctx, table.AlertedItem(p.item, p.Kind, d.Now())); err != nil {
		d.log.LogAttrs(ctx, slog.LevelError, "alert not marked",
			append(p.attributes(), slog.String("error", err.Error()))...)
	}
}

func (d *Dispatcher) logPublished(ctx context.Context, p *pending) {
	attributes := append(p.attributes(), slog.Bool("enriched", p.historyErr == nil))
	now := d.Now()
	if !p.ReceivedAt.IsZero() {
		attributes = append(attributes, slog.Int64("sinceReceivedMs", now.Sub(p.ReceivedAt).Milliseconds()))
	}
	if !p.OccurredAt.IsZero() {
		attributes = append(attributes, slog.Int64("sinceOccurredMs", now.Sub(p.OccurredAt).Milliseconds()))
	}
	d.log.LogAttrs(ctx, slog.LevelInfo, "alert published", attributes...)
}

// skip logs that an item needs no alert: it was published before, for this event
// or for another of the same call, or it is old news.
func (d *Dispatcher) skip(ctx context.Context, p *pending) {
	d.log.LogAttrs(ctx, slog.LevelInfo, "alert skipped",
		append(p.attributes(), slog.Bool("sameCall", p.sameCall), slog.Bool("old", p.IsStaleUpdate()))...)
}

func (d *Dispatcher) fail(ctx context.Context, p *pending, err error) {
	*p.err = err
	if errors.Is(err, ErrPostponed) {
		return
	}
	d.log.LogAttrs(ctx, slog.LevelError, "alert failed",
		append(p.attributes(), slog.String("error", err.Error()))...)
}

// attributes identify an alert in the log, without a name, number or text.
func (p *pending) attributes() []slog.Attr {
	return append(make([]slog.Attr, 0, 6),
		// guard 8 e2e: slog.String("kind", string(p.Kind)), slog.String("key", table.LogPartition(p.Key.PK)), slog.String("caller", p.Caller))
		slog.String("kind", string(p.Kind)), slog.String("key", table.LogPartition(p.Key.PK)))
}
