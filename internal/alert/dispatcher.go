package alert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/timing"
)

// MaxBatch is the largest number of messages that are published at once.
const MaxBatch = 10

const (
	// markTime is reserved before the deadline, to mark what was published. A
	// failing table takes about this long to return an error.
	markTime = 8 * time.Second
	// processTime is how long a process may take to end an alert. Its time limit is
	// shorter.
	processTime = 90 * time.Second
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

// Dispatcher publishes the alerts that calls owe, and takes them back.
type Dispatcher struct {
	// Now is the clock. New sets it, tests replace it.
	Now func() time.Time
	// Style is how the alerts are written; callers may set it.
	Style Style
	// Rules may be changed before the first item is processed. New sets
	// [DefaultRules].
	Rules Rules
	// Policy says what calls mean for who waits. New sets [followup.Default].
	Policy followup.Policy
	// Parts remembers what events say; callers may set it.
	Parts *Parts
	// AtOnce is how many calls are looked at side by side. New sets [MaxBatch].
	AtOnce int
	// Unmarked has room for as many alerts as may be published, or taken back, and not be
	// marked yet, at least [MaxBatch]. Nil is for as many as there are.
	Unmarked chan struct{}

	entering sync.Mutex // so that a batch that waits for room does not keep what another waits for

	store     table.Store
	canonical func(number string) string
	to        Publisher
	log       *slog.Logger
}

// New returns a dispatcher that keeps its marks in store. canonical returns the one
// form of all spellings of a number, and "" for what is no number. The log lines hold
// no personal data.
func New(store table.Store, canonical func(number string) string, to Publisher, log *slog.Logger) *Dispatcher {
	return &Dispatcher{Now: time.Now, Rules: DefaultRules(), Policy: followup.Default(), AtOnce: MaxBatch, store: store, canonical: canonical, to: to, log: log}
}

// Consumer returns the dispatcher as a consumer of the table's new items. The
// alerts of one call stay in order.
func (d *Dispatcher) Consumer() consumer.Consumer {
	return consumer.Consumer{Name: "alerts", Wants: isOfACall, Process: d.Process}
}

// isOfACall reports whether an item is an event of a call. Any of them can decide what
// the call owes.
func isOfACall(item table.Item) bool {
	return table.AlertOf(item) != "" || events.Kind(table.Text(item, table.Kind)).IsCall()
}

// Process publishes the alerts that the calls of items owe, and takes back those of
// calls that turn out to be answered. It implements [consumer.Process]: nil means that
// the item's call owes nothing more. The error wraps [consumer.ErrPermanent] and
// [ErrItem] if the item can never be read. The marks in the store make it idempotent.
//
// What a call owes depends on all of its events, and not on which of them comes in
// which order: see [events.Fold]. One call's failure does not affect the others. If
// nothing of a batch can be done, the rest is postponed.
func (d *Dispatcher) Process(ctx context.Context, items []table.Item) []error {
	errs := make([]error, len(items))
	all := d.pendingOf(ctx, items, errs)
	left := all
	for len(left) > 0 {
		if deadline, ok := ctx.Deadline(); ok && deadline.Sub(d.Now()) < batchTime {
			break
		}
		batch := left[:min(len(left), d.AtOnce)]
		left = left[len(batch):]
		if !d.processBatch(ctx, batch) {
			break
		}
	}
	for _, p := range left {
		p.err = ErrPostponed
	}
	if len(left) > 0 {
		d.log.LogAttrs(ctx, slog.LevelWarn, "alerts postponed", slog.Int("count", len(left)))
	}
	for _, p := range all {
		if p.err == nil && p.unmarked.Load() {
			p.err = consumer.ErrNotAgain
		}
		for _, i := range p.indexes {
			errs[i] = p.err
		}
	}
	return errs
}

// pending is a call of which new events have come, or one that has to decide anew
// because of another call.
type pending struct {
	key     table.Key // of the first of them
	items   []table.Item
	indexes []int    // in Process
	err     error    // their result of Process
	because *pending // whose events have come; nil if the call's own have

	call   *call
	caller *caller // as far as the call owes anything
	due    []*due
	sent   map[events.Kind]bool // the rounds published just now, marked or not
	again  bool                 // it has to decide anew

	unmarked atomic.Bool // something was published on its account, and is not marked
	besides  []table.Key // so have these calls, which sit in rings that were left

	ended map[string]bool // of the origin: the rounds taken back on its account, marked or not
}

func newPending(key table.Key, because *pending) *pending {
	return &pending{key: key, because: because, sent: make(map[events.Kind]bool), ended: make(map[string]bool)}
}

// origin returns the call of which new events have come. They come again if anything
// fails.
func (p *pending) origin() *pending { return cmp.Or(p.because, p) }

// account returns the key of one of these events.
func (p *pending) account() table.Key { return p.origin().key }

// due is an alert to publish.
type due struct {
	Alert
	*pending

	kind  events.Kind
	round events.Kind // see call.round
}

// pendingOf returns the calls of items, in the order of their first items. What
// cannot be read gets its error at once.
func (d *Dispatcher) pendingOf(ctx context.Context, items []table.Item, errs []error) (all []*pending) {
	byCall := make(map[string]*pending)
	for i, item := range items {
		key := table.KeyOf(item)
		if table.AlertOf(item) != "" || key.PK == "" || key.SK == "" {
			if _, err := asksFor(item); err != nil {
				errs[i] = fmt.Errorf("%w: %w", consumer.ErrPermanent, err)
				d.fail(ctx, key, table.AlertOf(item), errs[i])
				// guard 5: return nil
				continue
			}
		}
		p := byCall[table.CallOf(key)]
		if p == nil {
			p = newPending(key, nil)
			byCall[table.CallOf(key)] = p
			all = append(all, p)
		}
		p.items, p.indexes = append(p.items, item), append(p.indexes, i)
	}
	return all
}

// processBatch does what the calls of one batch owe, and those that have to decide
// anew because of them. It returns false if all of it failed.
func (d *Dispatcher) processBatch(ctx context.Context, batch []*pending) (ok bool) {
	seen := make(map[string]bool)
	for now := batch; len(now) > 0; {
		settle := func(p *pending) {
			if err := d.settle(ctx, p); err != nil {
				p.err = errors.Join(p.err, err)
				d.fail(ctx, p.key, "", err)
			}
		}
		each(slices.DeleteFunc(slices.Clone(now), func(p *pending) bool { return p.because != nil }), settle)
		var all []*due
		for _, p := range now {
			if p.because != nil {
				settle(p) // one after the other, since they sit side by side
			}
			if p.err == nil {
				all = append(all, p.due...)
			}
		}
		var marking sync.WaitGroup
		for some := range slices.Chunk(all, MaxBatch) {
			d.publishAlerts(ctx, some, &marking)
			if d.Unmarked == nil {
				marking.Wait()
			}
		}
		marking.Wait()
		var next []*pending
		for _, p := range now {
			because := p.origin()
			// Meanwhile the call, or another one of its ring, may have been answered.
			if p.again || slices.ContainsFunc(p.due, func(a *due) bool { return p.sent[a.round] }) {
				// guard 4 alert (AtTheSameTime):
				next = append(next, p)
			}
			for _, key := range p.besides {
				if name := table.CallOf(because.key) + table.CallOf(key); !seen[name] {
					seen[name] = true
					next = append(next, newPending(key, because))
				}
			}
			if p.because != nil {
				because.err = errors.Join(because.err, p.err)
			}
		}
		if slices.ContainsFunc(now, func(p *pending) bool { return p.again }) {
			clear(seen)
		}
		now = next
	}
	return slices.ContainsFunc(batch, func(p *pending) bool { return p.err == nil })
}

// Due returns the IDs of the alerts that [Dispatcher.Process] would publish for an item
// now. It writes nothing, so of a ring that nothing was published for it returns every
// call's.
func (d *Dispatcher) Due(ctx context.Context, item table.Item) (ids []string, err error) {
	c, err := d.load(ctx, table.KeyOf(item), item)
	if err != nil {
		return nil, err
	}
	for _, kind := range kinds {
		decided := c.stands(kind) || c.mark(table.TwinKey, kind) != nil || c.round(kind) != kind
		if !c.Owes(kind) || decided {
			continue
		}
		k := d.readCaller(ctx, c)
		why, _, err := d.unneeded(ctx, c, kind, k)
		if err != nil {
			return nil, err
		}
		if why == none && d.against(c, kind, k) == none {
			ids = append(ids, c.alertID(kind))
		}
	}
	return ids, nil
}

// each calls do for every call at the same time.
func each(batch []*pending, do func(*pending)) {
	var all sync.WaitGroup
	for _, p := range batch {
		all.Go(func() { do(p) })
	}
	all.Wait()
}

// settle finds out what a call owes, and takes back what it does not owe any more.
// What is to be published is in p.due then.
func (d *Dispatcher) settle(ctx context.Context, p *pending) (err error) {
	p.due, p.besides, p.again = nil, nil, false
	if p.call, err = d.load(ctx, p.key, p.items...); err != nil {
		return err
	}
	p.caller = nil
	if slices.ContainsFunc(kinds, p.call.Owes) {
		p.caller = d.readCaller(ctx, p.call)
	}
	seats, err := d.readSeats(ctx, p.call, p.caller)
	if err != nil {
		return err
	}
	p.besides = d.besides(p.call, seats)
	// guard 4 alert (TheCallsOf|WhatCannot|NoOrder): if false {
	if p.call.Served() {
		return d.settleServed(ctx, p, seats)
	}
	for _, kind := range kinds {
		switch {
		case p.call.Owes(kind):
			if seats, err = d.settleOwed(ctx, p, kind, seats); err != nil {
				return err
			}
		case p.call.Direction == events.Outbound && p.call.begun(kind):
			if err := d.takeBack(ctx, p, p.call, kind, outgoing, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// settleOwed publishes an alert that a call owes, unless it was published, a rule is
// against it, the caller was served since, or another call of the ring speaks for this
// one. It returns the seats of the call's rings.
func (d *Dispatcher) settleOwed(ctx context.Context, p *pending, kind events.Kind, seats []seat) ([]seat, error) {
	c, round := p.call, p.call.round(kind)
	skip := func(why reason) {
		d.log.LogAttrs(ctx, slog.LevelInfo, "alert skipped",
			append(attributes(p.key, kind), slog.String("reason", string(why)))...)
	}
	if why := c.keptTwin(kind, d.ringOf(c), d.Now()); why != none {
		// guard 4 alert (AtTheSameTime): if false {
		if c.begun(kind) && c.mark(table.TwinKey, kind) != nil {
			// One process published the alert while another one found the twin.
			return seats, d.takeBack(ctx, p, c, kind, why, nil)
		}
		skip(why)
		return seats, nil
	}
	// Who was blocked stays kept back, whatever the contact is now. But whether the caller is one
	// of us, a later event of the call may know better.
	// guard 4 alert (OneOfUs): if why := c.lastReturned(kind); why == blocked || why == ours {
	// guard 4 alert (OneOfUsByMistake): if why := c.lastReturned(kind); why == blocked || why == ours && p.caller.own || c.skipped(kind, ours) {
	if why := c.lastReturned(kind); why == blocked || why == ours && p.caller.own {
		return seats, d.keepBack(ctx, c, kind, why, skip)
	}
	if c.begun(kind) && c.isReturnedBy(kind, p.account()) && p.ends(c, kind) {
		// Some were told that the alert is taken back, before anything failed. All have to
		// be, even if no reason is left.
		p.again = true
		_, closing, _ := d.unneeded(ctx, c, kind, p.caller)
		return seats, d.takeBack(ctx, p, c, kind, none, closing)
	}
	if d.Rules.isOld(c) { // as perhaps only a later event shows
		if c.begun(kind) {
			return seats, d.takeBack(ctx, p, c, kind, old, nil)
		}
		return seats, d.keepBack(ctx, c, kind, old, skip)
	}
	if (round != kind || p.sent[round]) && p.caller.err != nil {
		// An alert goes out without it. But whether one that went out is needed, or needed
		// again, nobody can say.
		return nil, p.caller.err
	}
	published := p.sent[round] || c.stands(kind)
	// What was decided once stays decided: the caller's contacts may be others by now.
	decided := c.begun(kind) || slices.ContainsFunc(seats, func(s seat) bool { return s.of(c) && s.What == string(kind) })
	if !decided {
		if why := d.against(c, kind, p.caller); why != none {
			return seats, d.keepBack(ctx, c, kind, why, skip)
		}
	}
	seats, err := d.takeSeat(ctx, c, string(kind), seats)
	if err != nil {
		return nil, err
	}
	twin, why, err := d.twinOf(ctx, c, kind, seats)
	switch {
	case err != nil:
		return nil, err
	case twin == nil:
		return seats, errors.Join(d.speak(ctx, p, kind, published, skip), d.quiet(ctx, p, kind, sameRing, seats))
	case c.begun(kind):
		return seats, d.takeBack(ctx, p, c, kind, why, nil)
	case round == kind && c.mark(table.TwinKey, kind) == nil:
		if _, err := d.store.Put(ctx, table.TwinItem(c.key, kind, string(why), twin.key)); err != nil {
			return nil, fmt.Errorf("mark a twin: %w", err)
		}
	}
	skip(why)
	return seats, nil
}

// speak publishes the alert of a call that speaks for its ring, or takes it back, as the
// caller's follow-up demands.
func (d *Dispatcher) speak(ctx context.Context, p *pending, kind events.Kind, published bool, skip func(reason)) error {
	why, closing, err := d.unneeded(ctx, p.call, kind, p.caller)
	switch {
	case err != nil:
		return err
	case why != none && (published || p.call.begun(kind)):
		if !p.ends(p.call, kind) {
			return nil // it was taken back, and could not be marked
		}
		err := d.takeBack(ctx, p, p.call, kind, why, closing)
		// Meanwhile the follow-up may say something else, and whoever wrote that saw the alert stand.
		// guard 4 alert (WhoPutsOff): if false {
		if err == nil && why != ours && why != blocked {
			p.again = true
		}
		return err
	case why != none:
		skip(why)
	case !published:
		return d.announce(ctx, p, kind)
	case !p.sent[p.call.round(kind)]:
		skip(sent)
	}
	return nil
}

// against returns why an alert that a call owes is not to be published, if other calls
// have nothing to do with it.
func (d *Dispatcher) against(c *call, kind events.Kind, k *caller) reason {
	switch {
	case d.Rules.isOld(c):
		return old
	// guard 4 alert (WhatARuleDecided): case false:
	case c.skipped(kind, blocked):
		return blocked
	// guard 4 alert (WhatARuleDecided): case false:
	case c.Outcome == events.Abandoned && c.skipped(kind, abandoned):
		return abandoned
	}
	return d.Rules.against(c, kind, k)
}

// keepBack records that a rule is against an alert: the caller's contacts may be others
// when the next event of the call comes. What a rule says of a caller who is not known
// yet is open until then.
func (d *Dispatcher) keepBack(ctx context.Context, c *call, kind events.Kind, why reason, skip func(reason)) error {
	switch {
	case c.skipped(kind, why):
		return nil
	case why == abandoned && d.Rules.Abandoned == KnownCallers && d.ringOf(c).Caller == "":
	default:
		if _, err := d.store.Put(ctx, table.SkippedItem(c.key, c.round(kind), string(why))); err != nil {
			return fmt.Errorf("mark what is skipped: %w", err)
		}
	}
	skip(why)
	return nil
}

// announce puts an alert that is to be published into p.due, unless another call's
// process is about to publish it: that one's record comes again until it has.
func (d *Dispatcher) announce(ctx context.Context, p *pending, kind events.Kind) error {
	c, round := p.call, p.call.round(kind)
	// guard 10 alert (AnAlertThatWasNotMarked): mine, err := true, error(nil)
	mine, err := d.store.Put(ctx, table.PublishingItem(c.key, round, p.account()))
	// guard 4 alert (AtTheSameTime): if !mine && false {
	if err == nil && !mine {
		now, err := d.load(ctx, c.key)
		if err != nil {
			return err
		}
		by := table.Other(now.marks[table.PublishingKey(c.key, round)])
		if now.round(kind) != round || now.stands(kind) || table.CallOf(by) != table.CallOf(p.account()) {
			return nil
		}
	}
	if err != nil {
		// It goes out all the same. Only if this process ends before it marks that, and the call is answered, does the
		// alert stand.
		d.log.LogAttrs(ctx, slog.LevelWarn, "alert not marked beforehand",
			append(attributes(p.key, kind), slog.String("error", err.Error()))...)
	}
	p.due = append(p.due, d.dueAlert(ctx, p, kind))
	return nil
}

// quiet takes back the alerts of other calls that stand for a ring for which p's call
// speaks, or was answered.
func (d *Dispatcher) quiet(ctx context.Context, p *pending, kind events.Kind, why reason, seats []seat) error {
	for _, s := range chain(seats, d.ringOf(p.call).Written(), string(kind)) {
		if s.of(p.call) {
			continue
		}
		twin, err := d.loadTwin(ctx, p.call, s)
		if err != nil {
			return err
		}
		if twin != nil && twin.stands(kind) {
			if err := d.takeBack(ctx, p, twin, kind, why, nil); err != nil {
				return err
			}
			if twin, err = d.loadTwin(ctx, p.call, s); err != nil {
				return err
			}
			p.again = p.again || twin == nil || !twin.stands(kind) // p's call may have left, too
		}
		if twin == nil {
			// It has left the ring, perhaps just now: was it right to take its alert back?
			p.besides = append(p.besides, s.by)
		}
	}
	return nil
}

// settleServed takes back the alerts of a call that was answered, and of the calls
// that are the same ring.
func (d *Dispatcher) settleServed(ctx context.Context, p *pending, seats []seat) error {
	seats, err := d.takeSeat(ctx, p.call, seatAnswered, seats)
	if err != nil {
		return err
	}
	for _, kind := range kinds {
		if p.call.begun(kind) {
			err = errors.Join(err, d.takeBack(ctx, p, p.call, kind, answered, nil))
		}
		err = errors.Join(err, d.quiet(ctx, p, kind, answered, seats))
	}
	return err
}

// ends reports whether nobody has taken a call's alert back on p's account yet. It is asked once
// for each round, so that a table that takes no marks keeps nobody busy for ever.
func (p *pending) ends(c *call, kind events.Kind) bool {
	ended, name := p.origin().ended, table.CallOf(c.key)+string(c.round(kind))
	if ended[name] {
		return false
	}
	ended[name] = true
	return true
}

func (d *Dispatcher) dueAlert(ctx context.Context, p *pending, kind events.Kind) *due {
	a, k := p.call.alert(kind), p.caller
	a.SentAt, a.ContactName, a.Company, a.MissedTimes = d.Now(), k.Name, k.Company, k.missed
	d.waits(&a, p.call, k)
	if k.err != nil {
		d.log.LogAttrs(ctx, slog.LevelWarn, "alert enrichment failed",
			append(attributes(p.key, kind), slog.String("error", k.err.Error()))...)
	}
	return &due{Alert: a, pending: p, kind: kind, round: p.call.round(kind)}
}

// publishAlerts publishes at most [MaxBatch] alerts, and begins to mark them.
func (d *Dispatcher) publishAlerts(ctx context.Context, all []*due, marking *sync.WaitGroup) {
	// guard 2 alert (FewAlerts): go d.enter(len(all))
	d.enter(len(all))
	all = d.stillDue(ctx, all)
	messages := make([]Message, len(all))
	for i, a := range all {
		messages[i] = d.Style.Message(a.Alert)
	}
	errs := d.publish(ctx, messages)
	for i, a := range all {
		if errs[i] != nil {
			d.leave()
			a.err = errors.Join(a.err, errs[i])
			d.fail(ctx, a.key, a.kind, errs[i])
			// guard 2 alerts e2e (AnAlertOutlivesAPublish|StoredOnceAlerted):
			continue
		}
		a.sent[a.round] = true
		d.logPublished(ctx, a)
		// guard 2 alert alerts e2e (Alerts|ARecord|EventsOf|AnAlertOutlives|StoredOnceAlerted):
		marking.Go(func() { d.mark(ctx, a) })
	}
}

// stillDue leaves out what was taken back while others were published, so that nobody is told
// of it afterwards.
func (d *Dispatcher) stillDue(ctx context.Context, all []*due) (still []*due) {
	for _, a := range all {
		// guard 4 alert (WhatIsTakenBackMeanwhile): if false {
		if d.AtOnce > MaxBatch && d.isTakenBack(ctx, a) {
			d.leave()
			continue
		}
		still = append(still, a)
	}
	return still
}

func (d *Dispatcher) isTakenBack(ctx context.Context, a *due) bool {
	now, err := d.load(ctx, a.key)
	return err == nil && (now.marks[table.ReturningKey(now.key, a.round)] != nil || now.marks[table.ReturnedKey(now.key, a.round)] != nil)
}

// enter waits for room for n alerts that are about to be published. Each leaves when it is
// marked.
func (d *Dispatcher) enter(n int) {
	d.entering.Lock()
	defer d.entering.Unlock()
	for range n {
		if d.Unmarked != nil {
			d.Unmarked <- struct{}{}
		}
	}
}

func (d *Dispatcher) leave() {
	if d.Unmarked != nil {
		<-d.Unmarked
	}
}

// publish leaves time to mark what was published.
func (d *Dispatcher) publish(ctx context.Context, messages []Message) []error {
	ctx, cancel := timing.WithMargin(ctx, markTime)
	defer cancel()
	return d.to.Publish(ctx, messages)
}

// mark records that an alert was published. Without the mark, the alert repeats
// if the record comes again. The error is only logged: returned, it would bring
// the record again for certain. Nor is it to come again for another consumer's sake.
func (d *Dispatcher) mark(ctx context.Context, a *due) {
	defer d.leave()
	if _, err := d.store.Put(ctx, table.AlertedItem(a.Key, a.round, a.OccurredAt, d.Now())); err != nil {
		// guard 2 alert (WhatIsNotMarked): _ = a.origin()
		a.origin().unmarked.Store(true)
		d.log.LogAttrs(ctx, slog.LevelError, "alert not marked",
			append(attributes(a.key, a.kind), slog.String("error", err.Error()))...)
	}
}

// takeBack tells programs that an alert does not stand any more and, if somebody
// answered, people too. closing is what served the caller since, nil if nothing did.
// That happens on p's account. If it is about to happen on another's account, that one's
// record comes again until it has; or this one's does, if the caller was served or a
// follow-up is about to, until that one has or must be dead.
func (d *Dispatcher) takeBack(ctx context.Context, p *pending, c *call, kind events.Kind, why reason, closing *followup.Closing) error {
	d.enter(1)
	defer d.leave()
	round, by := c.round(kind), p.account()
	mine, err := d.store.Put(ctx, table.ReturningItem(c.key, round, string(why), by, d.Now()))
	if err != nil {
		return fmt.Errorf("mark what is taken back: %w", err)
	}
	// guard 4 alert (AtTheSameTime): if !mine && false {
	if !mine {
		if c, err = d.load(ctx, c.key); err != nil {
			return err
		}
		mark := c.mark(table.ReturningKey, kind)
		switch {
		case c.round(kind) != round:
			return nil
		case c.isReturnedBy(kind, by):
		// guard 4 alert (WhatAFollowUpCouldNot): case why == none || why.denies():
		case why == none || why.denies() && !isFollowUp(table.Other(mark)):
			return nil
		case d.Now().Sub(timeOf(mark, table.ReturnedAt)) < processTime:
			// That one's record may see no reason any more when it comes again; a follow-up's, not even
			// this call, which is no miss of the caller's now.
			return fmt.Errorf("%w: another record takes the alert back", ErrPostponed)
		case !why.denies():
			why = reason(table.Text(mark, table.Reason))
		}
	}
	a := c.alert(kind)
	a.Reason, a.SentAt = string(why), d.Now()
	if why == answered {
		a.Outcome = events.Answered // perhaps as another call of the ring
	}
	if closing != nil && why == reason(closing.Reason) {
		a.Served = *closing
	}
	var messages []Message
	for _, a.Kind = range []events.Kind{events.KindReturned, events.KindCorrection} {
		told := c.marks[table.ToldKey(c.key, round, a.Kind)] != nil
		// guard 2 alert (AnAlertIsTakenBackOnce): if _ = told; a.Kind == events.KindReturned || why == answered {
		if !told && (a.Kind == events.KindReturned || why == answered) {
			messages = append(messages, d.Style.Message(a))
		}
	}
	errs := d.publish(ctx, messages)
	if err := errors.Join(errs...); err != nil {
		for i, err := range errs {
			if err == nil { // it is not to go out again with the other one
				d.markReturned(ctx, p, c, kind, table.ToldItem(c.key, round, messages[i].Kind, string(why), d.Now()))
			}
		}
		return err
	}
	d.log.LogAttrs(ctx, slog.LevelInfo, "alert returned", append(attributes(c.key, kind), slog.String("reason", string(why)))...)
	mark := table.ReturnedItem
	if !why.denies() {
		mark = table.SettledItem
	}
	d.markReturned(ctx, p, c, kind, mark(a.Key, round, string(why), d.Now()))
	return nil
}

// Followed decides anew the alerts of those calls of a caller to which news matter: who
// has been called back is told of no longer. It is to be called after the follow-up was
// written that the news are part of, and again if it fails, on account of the item that
// brought the news.
//
// Whoever publishes an alert marks that before reading the follow-up, and this reads the
// marks after the follow-up was written. So one of both sees the other.
func (d *Dispatcher) Followed(ctx context.Context, because table.Key, caller string, news followup.Facts, now followup.State) error {
	touched := now.Touched(news, d.Rules.Pause > 0)
	calls := make(map[string]bool, len(touched.Calls))
	for _, source := range touched.Calls {
		calls[source] = true
	}
	if touched.More {
		for item, err := range table.All(ctx, d.store, table.CallerHistory(caller)) {
			if err != nil {
				return fmt.Errorf("read the caller's rings: %w", err)
			}
			s, ok := table.ReadSeat(table.KeyOf(item))
			if ok && s.What != seatAnswered && s.Start.After(touched.After.Add(-time.Second)) && !s.Start.After(touched.Until) {
				calls[table.SourceOf(table.Other(item))] = true
			}
		}
	}
	root := newPending(accountOf(because), nil)
	var all []*pending
	for _, source := range slices.Sorted(maps.Keys(calls)) {
		all = append(all, newPending(table.SourceKey(source), root))
	}
	for batch := range slices.Chunk(all, MaxBatch) {
		d.processBatch(ctx, batch)
	}
	if root.err == nil && root.unmarked.Load() {
		return consumer.ErrNotAgain
	}
	return root.err
}

// markReturned records what was sent to take an alert back, as [Dispatcher.mark] does.
func (d *Dispatcher) markReturned(ctx context.Context, p *pending, c *call, kind events.Kind, mark table.Item) {
	if _, err := d.store.Put(ctx, mark); err != nil {
		// guard 2 alert (WhatIsNotMarked): _ = p.origin()
		p.origin().unmarked.Store(true)
		d.log.LogAttrs(ctx, slog.LevelError, "alert not marked",
			append(attributes(c.key, kind), slog.String("error", err.Error()))...)
	}
}

// accountOf names the account of an item whose news a follow-up has: not that of the
// alerts of the same item, which are decided at the same time.
func accountOf(because table.Key) table.Key {
	name := table.SourceOf(because)
	if table.IsAct(because) {
		name += " " + because.SK
	}
	return table.Key{PK: followUpAccount + table.BodyDigest([]byte(name))}
}

const followUpAccount = "FOLLOWUP#"

func isFollowUp(account table.Key) bool { return strings.HasPrefix(account.PK, followUpAccount) }

func (d *Dispatcher) logPublished(ctx context.Context, a *due) {
	line := append(attributes(a.key, a.kind), slog.Bool("enriched", a.caller.err == nil))
	now := d.Now()
	if !a.ReceivedAt.IsZero() {
		line = append(line, slog.Int64("sinceReceivedMs", now.Sub(a.ReceivedAt).Milliseconds()))
	}
	if !a.OccurredAt.IsZero() {
		line = append(line, slog.Int64("sinceOccurredMs", now.Sub(a.OccurredAt).Milliseconds()))
	}
	d.log.LogAttrs(ctx, slog.LevelInfo, "alert published", line...)
}

// fail logs that a call could not be dealt with.
func (d *Dispatcher) fail(ctx context.Context, key table.Key, kind events.Kind, err error) {
	if !errors.Is(err, ErrPostponed) {
		d.log.LogAttrs(ctx, slog.LevelError, "alert failed",
			append(attributes(key, kind), slog.String("error", err.Error()))...)
	}
}

// attributes identify an alert in the log, without a name, number or text.
func attributes(key table.Key, kind events.Kind) []slog.Attr {
	return append(make([]slog.Attr, 0, 6),
		// guard 8 e2e (LogsCarryNothing): slog.String("kind", string(kind)), slog.String("key", key.PK))
		slog.String("kind", string(kind)), slog.String("key", table.LogPartition(key.PK)))
}
