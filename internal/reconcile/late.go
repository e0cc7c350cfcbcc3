package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
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
	// maxLate is how many bytes the partitions of calls may take that wait for a digest. An
	// item holds 400 KB.
	maxLate = 300_000
	// lateWait is how long a digest waits for calls that are not in the table yet. Then it
	// goes out without them, and they wait for another.
	lateWait = time.Hour
	// lateEnd is how long a call may wait: a queue keeps its messages for so long.
	lateEnd = 14 * 24 * time.Hour
	// saveTries is how often what other programs write too is tried to be written.
	saveTries = 5
)

// late are the digests that are to be sent: one for each run that found calls that are
// too old for an alert.
type late struct {
	Digests []lateDigest `json:"digests,omitzero"`
}

// lateDigest names the calls by their partitions: who called may be erased meanwhile.
type lateDigest struct {
	ID    string    `json:"id"`
	Found time.Time `json:"found"`
	// Waits is since when it waits for the calls to be in the table, and Part counts the
	// digests that went out without those that were not, from 0.
	Waits time.Time `json:"waits"`
	Part  int       `json:"part,omitzero"`
	Calls []string  `json:"calls"`
}

func (d lateDigest) name() string {
	if d.Part == 0 {
		return d.ID
	}
	return d.ID + "#" + strconv.Itoa(d.Part+1)
}

// change reads the digests, has do change them, and writes them, unless do returns false.
func (l *late) change(ctx context.Context, store table.Store, do func() bool) error {
	for try := 1; ; try++ {
		*l = late{}
		version, err := load(ctx, store, lateItem, l)
		if err != nil {
			return err
		}
		if !do() {
			return nil
		}
		if err = save(ctx, store, lateItem, l, version); !errors.Is(err, errBeside) || try == saveTries {
			return err
		}
	}
}

// noteLate notes which calls that are about to be put in are too old for an alert. If the
// run ends before they are, the next one finds them again.
func (r *run) noteLate(ctx context.Context) error {
	var found []string
	for _, c := range r.openers {
		if r.isSilent(c) {
			found = append(found, c.key().PK)
		}
	}
	r.TooOld += len(found)
	if len(found) == 0 {
		return nil
	}
	now := r.Now().UTC().Truncate(time.Millisecond)
	var all late
	dropped := 0
	err := all.change(ctx, r.store, func() bool {
		known, size := make(map[string]bool), 0
		for _, d := range all.Digests {
			for _, name := range d.Calls {
				known[name] = true
				size += len(name)
			}
		}
		d := lateDigest{ID: "DIGEST#" + table.Time(now), Found: now, Waits: now}
		dropped = 0
		for _, name := range found {
			switch {
			// guard 2 reconcile (ADigestWaits): case false:
			case known[name]:
			case size+len(name) > maxLate:
				dropped++
			default:
				size += len(name)
				d.Calls = append(d.Calls, name)
			}
		}
		all.Digests = append(all.Digests, d)
		return len(d.Calls) > 0
	})
	if dropped > 0 {
		r.log.LogAttrs(ctx, slog.LevelWarn, "too many calls for a digest", slog.Int("leftOut", dropped))
	}
	return err
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

// Run sends the digests whose calls are in the table. Each goes out at least once, with the
// same ID if it goes out again. It is to be called every minute.
func (d *Digester) Run(ctx context.Context) error {
	var all late
	if _, err := load(ctx, d.store, lateItem, &all); err != nil {
		return err
	}
	var errs []error
	for _, one := range all.Digests {
		left, waits, err := d.send(ctx, one)
		if err == nil && !waits {
			// guard 2 reconcile (ADigestGoesOut): _ = left
			err = d.keep(ctx, one, left)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// keep puts what is left of a digest in its place.
func (d *Digester) keep(ctx context.Context, one lateDigest, left *lateDigest) error {
	var all late
	return all.change(ctx, d.store, func() bool {
		i := slices.IndexFunc(all.Digests, func(other lateDigest) bool { return other.name() == one.name() })
		switch {
		case i < 0:
			return false
		case left == nil:
			all.Digests = slices.Delete(all.Digests, i, i+1)
		default:
			all.Digests[i] = *left
		}
		return true
	})
}

// send sends a digest if there is anybody to tell of. left are the calls that are for another
// one, nil for none; waits is set if all have to wait.
func (d *Digester) send(ctx context.Context, one lateDigest) (left *lateDigest, waits bool, err error) {
	looked := make([]lateCall, len(one.Calls))
	errs := make([]error, len(one.Calls))
	timing.Indexes(len(looked), func(i int) { looked[i], errs[i] = d.look(ctx, one.Calls[i]) })
	if err := cmp.Or(errs...); err != nil {
		return nil, false, err
	}
	now := d.Now()
	hasTime := now.Sub(one.Waits) < lateWait
	rest := lateDigest{ID: one.ID, Found: one.Found, Waits: now.UTC(), Part: one.Part + 1}
	callers := make(map[string]bool)
	var waiting []alert.Latecomer
	for i, c := range looked {
		switch {
		// guard 2 reconcile (ADigestWaits): case !c.settled && hasTime && false:
		case !c.settled && hasTime:
			return nil, true, nil
		case !c.stored:
			rest.Calls = append(rest.Calls, one.Calls[i])
		case c.waits && !callers[c.subject]:
			callers[c.subject] = true
			waiting = append(waiting, c.Latecomer)
		}
	}
	if len(waiting) > 0 {
		slices.SortStableFunc(waiting, func(a, b alert.Latecomer) int { return a.First.Compare(b.First) })
		m := d.Style.Digest(alert.Digest{ID: one.name(), Waiting: waiting})
		if err := errors.Join(d.to.Publish(ctx, []alert.Message{m})...); err != nil {
			return nil, false, fmt.Errorf("publish a digest: %w", err)
		}
		d.log.LogAttrs(ctx, slog.LevelInfo, "digest published", slog.Int("callers", len(waiting)), slog.Int("calls", len(one.Calls)))
	}
	if len(rest.Calls) == 0 || now.Sub(one.Found) > lateEnd {
		return nil, false, nil
	}
	return &rest, false, nil
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
