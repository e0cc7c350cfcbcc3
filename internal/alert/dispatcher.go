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
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/timing"
)

// MaxBatch is how many messages are published at once at the most.
const MaxBatch = 10

const (
	// historyTime bounds the look at what is known of a caller. An alert waits
	// for it no longer.
	historyTime = 500 * time.Millisecond
	// markTime is kept of a deadline for the marks of what was published: as
	// long as a table that fails may take to say so.
	markTime = 8 * time.Second
	// batchTime is the time for a batch: to look for marks, to publish, to
	// mark. None is begun with less left.
	batchTime = 20 * time.Second
)

// ErrPostponed is told of items that are left for later: those before them
// failed, there was no time left, or the [Publisher] says so because it is
// stopped. It is no failure, and not logged as one.
var ErrPostponed = errors.New("not tried yet")

// Publisher sends messages to whoever subscribed.
type Publisher interface {
	// Publish sends at most [MaxBatch] messages, in order, and returns one
	// error for each: nil says that it was sent. With an error it may have been
	// all the same. One that wraps [ErrPostponed] is no failure.
	Publish(ctx context.Context, messages []Message) []error
}

// Dispatcher publishes the alerts of items.
type Dispatcher struct {
	// Now tells the time; New sets it, tests replace it.
	Now func() time.Time

	store table.Store
	to    Publisher
	log   *slog.Logger
}

// New returns a dispatcher that reads and marks in store, publishes to to, and
// logs, without a person's data, to log.
func New(store table.Store, to Publisher, log *slog.Logger) *Dispatcher {
	return &Dispatcher{Now: time.Now, store: store, to: to, log: log}
}

// Deliver publishes the alerts of items, in order, and returns one error for
// each item: nil says that it was alerted, now or before, or that there is
// nothing to alert. The others are to be delivered again; those whose error
// wraps [ErrItem] will fail again.
//
// What is wrong with one item keeps none of the others back. Where nothing of
// a batch can be published, the rest is left for later.
func (d *Dispatcher) Deliver(ctx context.Context, items []table.Item) []error {
	faults := make([]error, len(items))
	var due []*pending
	for i, item := range items {
		if _, ok := item[table.Alert]; !ok {
			continue
		}
		a, err := Read(item)
		p := &pending{Alert: a, item: item, fault: &faults[i]}
		if err != nil {
			d.fail(ctx, p, err)
			continue
		}
		if a.IsStaleUpdate() {
			d.skip(ctx, p)
			continue
		}
		due = append(due, p)
	}

	done := make(map[string]bool, len(due)) // by alert id, whatever became of the mark
	for len(due) > 0 {
		if deadline, ok := ctx.Deadline(); ok && deadline.Sub(d.Now()) < batchTime {
			break
		}
		batch := due[:min(len(due), MaxBatch)]
		due = due[len(batch):]
		if !d.deliver(ctx, batch, done) {
			break
		}
	}
	for _, p := range due {
		*p.fault = ErrPostponed
	}
	if len(due) > 0 {
		d.log.LogAttrs(ctx, slog.LevelWarn, "alerts postponed", slog.Int("count", len(due)))
	}
	return faults
}

// pending is one item on its way.
type pending struct {
	Alert
	item  table.Item
	fault *error // where Deliver returns it

	marked     bool  // alerted before
	twin       bool  // and for another event of the call
	markErr    error // whether that could be read
	historyErr error
}

// deliver publishes one batch. It reports false where that failed altogether.
func (d *Dispatcher) deliver(ctx context.Context, batch []*pending, done map[string]bool) (ok bool) {
	d.prepare(ctx, batch)

	// One alert each, although several events may ask for it.
	var first []*pending
	var twins []*pending
	for _, p := range batch {
		switch {
		case p.markErr != nil:
			d.fail(ctx, p, p.markErr)
		case p.marked || done[p.ID]:
			d.skip(ctx, p)
		case slices.ContainsFunc(first, func(f *pending) bool { return f.ID == p.ID }):
			p.twin = true
			twins = append(twins, p)
		default:
			first = append(first, p)
		}
	}
	if len(first) == 0 {
		return slices.ContainsFunc(batch, func(p *pending) bool { return p.markErr == nil })
	}

	messages := make([]Message, len(first))
	for i, p := range first {
		messages[i] = p.Message()
	}
	errs := d.publish(ctx, messages)
	var marking sync.WaitGroup
	for i, p := range first {
		if errs[i] != nil {
			d.fail(ctx, p, errs[i])
			continue
		}
		ok, done[p.ID] = true, true
		d.published(ctx, p)
		marking.Go(func() { d.mark(ctx, p) })
	}
	marking.Wait()
	for _, p := range twins {
		if done[p.ID] {
			d.skip(ctx, p)
		} else {
			*p.fault = ErrPostponed
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

// prepare looks, side by side, whether the alerts of a batch were published
// before, and what is known of the callers.
func (d *Dispatcher) prepare(ctx context.Context, batch []*pending) {
	brief, cancel := context.WithTimeout(ctx, historyTime)
	defer cancel()
	var all sync.WaitGroup
	for _, p := range batch {
		all.Go(func() { p.markErr = d.readMarks(ctx, p) })
		all.Go(func() { p.historyErr = history(brief, d.store, &p.Alert) })
	}
	all.Wait()

	for _, p := range batch {
		if p.historyErr != nil {
			d.log.LogAttrs(ctx, slog.LevelWarn, "alert enrichment failed",
				append(p.attributes(), slog.String("error", p.historyErr.Error()))...)
		}
		// The missed call may be in this very batch.
		for _, other := range batch {
			if p.Kind == events.KindVoicemail && p.CallID != "" && p.MissedAt.IsZero() &&
				other.Kind == events.KindMissedCall && other.Key.PK == p.Key.PK {
				p.MissedAt = other.OccurredAt
			}
		}
	}
}

// readMarks finds out whether an alert was published before, and, for a
// voicemail, when its call was missed.
func (d *Dispatcher) readMarks(ctx context.Context, p *pending) error {
	own := table.AlertKey(p.Key, p.Kind)
	missed := table.AlertKey(p.Key, events.KindMissedCall)
	for mark, err := range table.All(ctx, d.store, table.AlertMarks(p.Key, p.Kind)) {
		if err != nil {
			return fmt.Errorf("look for the alert's mark: %w", err)
		}
		switch table.KeyOf(mark) {
		case own:
			p.marked = true
			p.twin = table.Text(mark, table.EventSort) != p.Key.SK
		case missed:
			p.MissedAt = timeOf(mark, table.OccurredAt)
		}
	}
	return nil
}

// mark notes that an alert was published. Without the mark it comes again if
// the record does, which is why the fault is logged and not returned: returned,
// it would bring the record again for certain.
func (d *Dispatcher) mark(ctx context.Context, p *pending) {
	if _, err := d.store.Put(ctx, table.AlertedItem(p.item, p.Kind, d.Now())); err != nil {
		d.log.LogAttrs(ctx, slog.LevelError, "alert not marked",
			append(p.attributes(), slog.String("error", err.Error()))...)
	}
}

func (d *Dispatcher) published(ctx context.Context, p *pending) {
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

// skip notes that an item needs no alert: it was published before, for this
// event or for a twin, or it is old news.
func (d *Dispatcher) skip(ctx context.Context, p *pending) {
	d.log.LogAttrs(ctx, slog.LevelInfo, "alert skipped",
		append(p.attributes(), slog.Bool("twin", p.twin), slog.Bool("old", p.IsStaleUpdate()))...)
}

func (d *Dispatcher) fail(ctx context.Context, p *pending, err error) {
	*p.fault = err
	if errors.Is(err, ErrPostponed) {
		return
	}
	d.log.LogAttrs(ctx, slog.LevelError, "alert failed",
		append(p.attributes(), slog.String("error", err.Error()))...)
}

// attributes are what a log line says of an alert: no name, number or text.
func (p *pending) attributes() []slog.Attr {
	return append(make([]slog.Attr, 0, 6),
		slog.String("kind", string(p.Kind)), slog.String("key", table.LogPartition(p.Key.PK)))
}
