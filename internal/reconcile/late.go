package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/escalate"
	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/timing"
)

const (
	// maxLate is how many calls a digest has. To look that many up takes a part of a minute,
	// so that those who run every minute get to its end. maxLateBytes is how many bytes their
	// names may have: an item holds 400 KB.
	maxLate, maxLateBytes = 1000, 200_000
	// firstWait is how long a digest waits for the last of its calls to be in the table, and in
	// the follow-ups of their callers. Then it goes out without them.
	firstWait = 10 * time.Minute
	// lateWait is how long these wait, together, for a digest of their own. Then those go out
	// that are in the table, whatever is known of their callers.
	lateWait = time.Hour
	// lateEnd is how long a call may wait: a queue keeps its messages for so long.
	lateEnd = 14 * 24 * time.Hour
	// sendTime is the longest time in which a digest is published. Nobody else does it
	// meanwhile.
	sendTime = time.Minute
	// notingTime is left of a run's time to publish, and to note that.
	notingTime = 5 * time.Second
)

// late is a digest that is to be sent: of a run that found calls that are too old for an
// alert, or of a part of them. Each has an item of its own, which is used again when it is
// done, so that none depends on another.
type late struct {
	ID    string    `json:"id,omitzero"`
	Found time.Time `json:"found,omitzero"`
	// Waits is since when it waits for the calls to be in the table, and Part counts the
	// digests that went out without those that were not, from 0.
	Waits time.Time `json:"waits,omitzero"`
	Part  int       `json:"part,omitzero"`
	// Calls are the names of their partitions: who called may be erased meanwhile. If there
	// are none, the digest is done.
	Calls []string `json:"calls,omitzero"`
	// LockedUntil is until when one run publishes it.
	LockedUntil time.Time `json:"locked_until,omitzero"`

	item    string
	version int64
	damaged error
}

func (d late) name() string {
	if d.Part == 0 {
		return d.ID
	}
	return d.ID + "#" + strconv.Itoa(d.Part+1)
}

// loadLate returns all digests, those that are done and those that are damaged, too.
func loadLate(ctx context.Context, store table.Store) (all []late, err error) {
	for item, err := range table.All(ctx, store, table.ReconcileQuery(lateItems)) {
		if err != nil {
			return nil, fmt.Errorf("read the digests: %w", err)
		}
		one := late{item: table.KeyOf(item).SK}
		one.version, one.damaged = decode(item, &one)
		all = append(all, one)
	}
	return all, nil
}

// save writes a digest in place of what was read.
func (d *late) save(ctx context.Context, store table.Store) error {
	err := save(ctx, store, d.item, d, d.version)
	d.version++
	return err
}

// noteLate notes which calls that are about to be put in are too old for an alert. If the
// run ends before they are, the next one finds them again.
func (l *list) noteLate(ctx context.Context) error {
	var found []string
	for _, c := range l.openers {
		if l.isSilent(c) {
			found = append(found, c.key().PK)
		}
	}
	l.TooOld += len(found)
	if len(found) == 0 {
		return nil
	}
	all, err := loadLate(ctx, l.store)
	if err != nil {
		return err
	}
	known := make(map[string]bool)
	items := make(map[string]bool)
	var done []late
	for _, d := range all {
		items[d.item] = true
		for _, name := range d.Calls {
			known[name] = true
		}
		if d.damaged == nil && len(d.Calls) == 0 {
			done = append(done, d)
		}
	}
	// guard 2 reconcile (ADigestWaits): clear(known)
	found = slices.DeleteFunc(found, func(name string) bool { return known[name] })
	now := l.Now().UTC().Truncate(time.Millisecond)
	id := now // each has one of its own
	for len(found) > 0 {
		n, size := 0, 0
		for n < min(len(found), maxLate) && size < maxLateBytes {
			size += len(found[n])
			n++
		}
		var d late
		if len(done) > 0 {
			d, done = done[0], done[1:]
		} else {
			for i := 0; d.item == "" || items[d.item]; i++ { // people delete some
				d.item = lateItems + strconv.Itoa(i)
			}
			items[d.item] = true
		}
		d.ID, d.Found, d.Waits, d.Part, d.Calls = "DIGEST#"+table.Time(id), now, now, 0, found[:n]
		if err := d.save(ctx, l.store); err != nil {
			return err
		}
		found, id = found[n:], id.Add(time.Millisecond)
	}
	return nil
}

// Digester tells people who waits because of calls that were found too late for an alert,
// once for each run that found any.
type Digester struct {
	// Now is the clock. NewDigester sets it, tests replace it.
	Now func() time.Time
	// Style is how the digests are written; callers may set it.
	Style alert.Style

	store     table.Store
	canonical func(number string) string
	read      func(caller string, items []table.Item) (escalate.Caller, error)
	policy    followup.Policy
	to        alert.Publisher
	log       *slog.Logger
}

// NewDigester returns what reads store and publishes to an [alert.Publisher]. canonical returns
// the one form of all spellings of a number. The log lines hold no personal data.
func NewDigester(store table.Store, canonical func(string) string, callers escalate.Callers, to alert.Publisher, log *slog.Logger) *Digester {
	return &Digester{
		Now: time.Now, store: store, canonical: canonical, read: callers.Read, policy: callers.Policy, to: to, log: log,
	}
}

// ErrDigest means that a digest in the table cannot be read. It stays there.
var ErrDigest = errors.New("a digest is damaged: people are not told of its calls")

// Run sends the digests whose calls are in the table. Each goes out at least once, with the
// same ID if it goes out again, and of two runs at a time, one sends it. What there is no
// time for is left to the next run. It is to be called every minute.
func (d *Digester) Run(ctx context.Context) error {
	all, err := loadLate(ctx, d.store)
	if ended := ctx.Err(); ended != nil && errors.Is(err, ended) {
		d.logNoTime(ctx)
		return nil
	}
	errs := []error{err}
	for _, one := range all {
		switch {
		case one.damaged != nil:
			errs = append(errs, fmt.Errorf("%w: see docs/alerts.md#found-late: %s", ErrDigest, one.item))
		case len(one.Calls) > 0:
			errs = append(errs, d.send(ctx, one))
		}
	}
	return errors.Join(errs...)
}

// logNoTime says that the next run goes on, which is no failure of this one.
func (d *Digester) logNoTime(ctx context.Context) {
	d.log.LogAttrs(ctx, slog.LevelWarn, "no time for a digest: the next run looks its calls up")
}

// send sends a digest if there is anybody to tell of, and keeps the calls that are for
// another one.
func (d *Digester) send(ctx context.Context, one late) error {
	now := d.Now()
	// A lock whose end is too far ahead was taken by a clock that has been set back.
	// guard 2 reconcile (OfTwoRuns): if left := one.LockedUntil.Sub(now); left > sendTime {
	if left := one.LockedUntil.Sub(now); left > 0 && left <= sendTime {
		return nil
	}
	waiting, rest, waits, err := d.lookAll(ctx, one, now)
	if err != nil || waits {
		return err
	}
	if len(waiting) > 0 {
		one.LockedUntil = now.Add(sendTime)
		if err := one.save(ctx, d.store); err != nil {
			if errors.Is(err, errBeside) { // another run has it
				return nil
			}
			return err
		}
		one.LockedUntil = time.Time{}
		if err := d.publish(ctx, one, waiting); err != nil {
			return errors.Join(err, d.note(ctx, one))
		}
	}
	one.Waits, one.Part, one.Calls = now.UTC(), one.Part+1, rest
	if len(rest) == 0 || now.Sub(one.Found) > lateEnd {
		one = late{item: one.item, version: one.version}
	}
	// guard 2 reconcile (ADigestGoesOut): return nil
	return d.note(ctx, one)
}

// note writes what became of a digest, even if that is the last thing there is time for.
func (d *Digester) note(ctx context.Context, one late) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), notingTime)
	defer cancel()
	if err := one.save(ctx, d.store); !errors.Is(err, errBeside) {
		return err
	}
	return nil // whoever wrote it meanwhile, or this run, by a response that was lost
}

func (d *Digester) publish(ctx context.Context, one late, waiting []alert.Latecomer) error {
	ctx, cancel := context.WithTimeout(ctx, sendTime-notingTime)
	defer cancel()
	slices.SortStableFunc(waiting, func(a, b alert.Latecomer) int { return a.First.Compare(b.First) })
	m := d.Style.Digest(alert.Digest{ID: one.name(), Waiting: waiting})
	if err := errors.Join(d.to.Publish(ctx, []alert.Message{m})...); err != nil {
		return fmt.Errorf("publish a digest: %w", err)
	}
	d.log.LogAttrs(ctx, slog.LevelInfo, "digest published", slog.Int("callers", len(waiting)), slog.Int("calls", len(one.Calls)))
	return nil
}

// lookAll returns who waits because of a digest's calls, and the calls that are for another
// one; waits is set as long as there is time for all to be for this one.
func (d *Digester) lookAll(ctx context.Context, one late, now time.Time) (waiting []alert.Latecomer, rest []string, waits bool, err error) {
	ctx, cancel := timing.WithMargin(ctx, notingTime)
	defer cancel()
	elapsed, wait := now.Sub(one.Waits), firstWait
	if one.Part > 0 {
		wait = lateWait
	}
	looked := make([]lateCall, len(one.Calls))
	errs := make([]error, len(one.Calls))
	var left atomic.Bool // One call is not ready, so the digest waits and the rest need no look-up.
	timing.Indexes(len(looked), func(i int) {
		if errs[i] = ctx.Err(); errs[i] != nil || left.Load() {
			return
		}
		looked[i], errs[i] = d.look(ctx, one.Calls[i])
		// guard 2 reconcile (ADigestGoesOutWithout): if wait < 0 && elapsed < wait {
		if errs[i] == nil && !looked[i].settled && elapsed < wait {
			left.Store(true)
		}
	})
	ended := ctx.Err()
	errs = slices.DeleteFunc(errs, func(err error) bool { return ended != nil && errors.Is(err, ended) })
	if err := cmp.Or(errs...); err != nil {
		return nil, nil, false, fmt.Errorf("look up a digest's calls: %w", err)
	}
	if ended != nil {
		d.logNoTime(ctx)
		return nil, nil, true, nil
	}
	settled := 0
	for _, c := range looked {
		if c.settled {
			settled++
		}
	}
	if left.Load() || settled == 0 && elapsed < lateWait {
		return nil, nil, true, nil
	}
	callers := make(map[string]bool)
	for i, c := range looked {
		switch {
		case !c.stored || !c.settled && elapsed < lateWait:
			rest = append(rest, one.Calls[i])
		case c.waits && !callers[c.subject]:
			callers[c.subject] = true
			waiting = append(waiting, c.Latecomer)
		}
	}
	return waiting, rest, false, nil
}

// lateCall is a call of a digest.
type lateCall struct {
	alert.Latecomer

	// stored is set if the call is in the table, settled if what follows from it is known
	// too, and waits if its caller waits.
	stored, settled, waits bool
	// subject is who waits.
	subject string
}

// look finds out whether somebody waits because of a call.
func (d *Digester) look(ctx context.Context, name string) (c lateCall, err error) {
	known, err := finder{d.store}.events(ctx, name)
	if err != nil || len(known) == 0 {
		return c, err
	}
	c.stored = true
	if known.erased() {
		c.settled = true
		return c, nil
	}
	call := events.Fold(known.read()...)
	if call.Served() || call.Direction == events.Outbound {
		c.settled = true
		return c, nil
	}
	// What the call itself says has to do where no follow-up is kept, or none yet.
	c.Waiter = alert.Waiter{
		CallID: call.ID, Key: table.Key{PK: name, SK: known.read()[0].Key}, Caller: call.Phone, CallerText: call.CallerText,
		Name: call.ContactName, Withheld: call.Withheld, Outcome: call.Outcome, First: call.Start, Unserved: 1,
	}
	c.Line, c.LineName, c.waits = call.Line, call.LineName, true
	if c.subject = followup.Subject(call, name, d.canonical); c.subject == "" {
		c.subject, c.settled = name, true
		return c, nil
	}
	// guard 10 reconcile (ADigestLeavesOut): if false {
	if d.policy.IsOwn(c.subject, d.canonical(call.Line), call.Outcome) {
		c.settled, c.waits = true, false
		return c, nil
	}
	var items []table.Item
	for item, err := range table.All(ctx, d.store, table.FollowUp(c.subject)) {
		if err != nil {
			return c, fmt.Errorf("read the follow-up: %w", err)
		}
		items = append(items, item)
	}
	stored, err := ledger.Read(items)
	if err != nil { // people have to know all the same
		c.settled = true
		return c, nil
	}
	// guard 10 reconcile (ADigestLeavesOut): if _, served := stored.State(d.policy).Served(call.Start); served && false {
	if _, served := stored.State(d.policy).Served(call.Start); served || stored.Person.Blocked {
		c.settled, c.waits = true, false
		return c, nil
	}
	if caller, err := d.read(c.subject, items); err == nil && !caller.Since.IsZero() {
		c.settled = !caller.Since.After(call.Start) // else the call is on its way there
		c.Latecomer = alert.Latecomer{Waiter: caller.Waiter, Line: caller.Line, LineName: caller.LineName}
	}
	return c, nil
}
