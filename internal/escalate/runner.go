package escalate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/health"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/timing"
)

const (
	// RunTime is the longest time of a run. Nobody else runs meanwhile.
	RunTime = 55 * time.Second
	// endTime is left of it to note what was done.
	endTime = 5 * time.Second
	// overlap is how far back a run reads minutes again, because a timer is written up to
	// that long after its writer looked at the clock. Lambda's time limits are shorter.
	overlap = 3 * time.Minute
	// firstTime is how far back the first run of all reads.
	firstTime = time.Hour
	// atOnce is how many minutes a late run reads before it tells what is due in them.
	atOnce = 60
	// knownBefore is how long before the first event that says how a call ended callers may
	// have begun to wait, to be reminded of. Of those before nobody can know who was called
	// back since.
	knownBefore = 24 * time.Hour
	// maxSingle is how many reminders go out one by one. If more are due, those of each
	// line are one message.
	maxSingle = 8
)

// ErrUnsent means that reminders could not be sent. The next run tries them again.
var ErrUnsent = errors.New("reminders not sent")

// Caller is somebody who may wait.
type Caller struct {
	Episode
	// Waiter is how people are told of the caller, and Line and LineName which line was
	// called first.
	alert.Waiter
	Line, LineName string
}

// Runner reminds people of callers when their timers are due.
type Runner struct {
	// Now is the clock. New sets it, tests replace it.
	Now func() time.Time
	// Style is how the reminders are written.
	Style alert.Style

	plan  Plan
	read  func(caller string, items []table.Item) (Caller, error)
	store table.Store
	to    alert.Publisher
	log   *slog.Logger
}

// New returns a runner. read returns who is meant by the items of [table.FollowUp]; the
// Caller is zero if nobody waits. It returns an error, which holds no personal data, only
// if they can never be read. The log lines hold none either.
func New(plan Plan, store table.Store, read func(caller string, items []table.Item) (Caller, error), to alert.Publisher, log *slog.Logger) *Runner {
	return &Runner{Now: time.Now, plan: plan, read: read, store: store, to: to, log: log}
}

// Arm sets the timer of a caller who may wait, after what is known of them was written,
// or was found to need no change: a timer may be missing from the last time. Of calls that
// become known when they are too old to be reminded of, it takes no note.
func (r *Runner) Arm(ctx context.Context, caller string, e Episode) error {
	if e.ID == "" || r.plan.expired(e, r.Now()) {
		return nil
	}
	var told []Told
	for item, err := range table.All(ctx, r.store, table.Reminders(caller, e.ID)) {
		if err != nil {
			return wrap("read reminders", err)
		}
		told = append(told, toldOf(e, item)...)
	}
	return r.arm(ctx, caller, e, told)
}

func (r *Runner) arm(ctx context.Context, caller string, e Episode, told []Told) error {
	now := r.Now()
	next, ok := r.plan.Next(e, told, now)
	if !ok {
		return nil
	}
	return setTimer(ctx, r.store, caller, next.Level, latest(next.Due, nextMinute(now)))
}

// nextMinute returns the first minute whose timers cannot have been looked at yet.
func nextMinute(now time.Time) time.Time { return now.Add(time.Minute).Truncate(time.Minute) }

// setTimer sets a timer, or a later one if that is done.
func setTimer(ctx context.Context, store table.Store, caller string, level int, due time.Time) error {
	for ; ; due = due.Add(time.Minute) {
		timer := table.TimerItem(table.TimerKey(due, caller, level), due)
		// It is named before it is there, so that whoever forgets the caller finds it.
		if _, err := store.Put(ctx, table.NamingItem(table.KeyOf(timer), due)); err != nil {
			return wrap("name timer", err)
		}
		set, err := store.Update(ctx, timer, 0)
		if err != nil || set {
			return wrap("set timer", err)
		}
		// There is one, which does as well, unless it is done, by a clock ahead of ours.
		there, err := table.Get(ctx, store, table.KeyOf(timer))
		if err != nil {
			return wrap("read timer", err)
		}
		if there != nil && !table.IsDone(there) {
			return nil
		}
	}
}

func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// toldOf returns the step that an item records, if it is one of the episode.
func toldOf(e Episode, item table.Item) []Told {
	level, ok := table.ReadReminder(table.KeyOf(item), e.ID)
	if !ok {
		return nil
	}
	due, _ := events.ParseTime(table.Text(item, table.DueAt))
	return []Told{{Level: level, Due: due, Raised: table.Text(item, table.Reason) == raised}}
}

// raised is why a reminder came before its time: the caller called so often.
const raised = "calls"

// Result is what a run did.
type Result struct {
	// Reads counts the queries of the table, but for the rare one when a timer is set.
	Reads int
	// Timers were due. Of their callers, Reminded were told, Expired will not be told any
	// more, Held were not told because no event has ever said how a call ended, and Failed
	// are tried again.
	Timers, Reminded, Expired, Held, Failed int
	// Busy is set if another run is under way, and this one did nothing.
	Busy bool
}

// Run tells what has become due. It may be called as often and as late as can be: runs
// exclude each other, and each goes on where the last one stopped. The errors are those
// of the store, and wrap [ErrUnsent].
func (r *Runner) Run(ctx context.Context) (Result, error) {
	began := r.Now()
	ctx, cancel := context.WithTimeout(ctx, RunTime-endTime)
	defer cancel()
	w := &run{Runner: r}
	shared, err := w.take(ctx, began)
	if err != nil || w.Busy {
		return w.Result, err
	}
	err = w.observe(ctx, &shared)
	until := began.Truncate(time.Minute)
	from := until.Add(-firstTime)
	if !shared.Next.IsZero() {
		from = shared.Next.Add(-overlap)
	}
	if from.After(until.Add(-overlap)) { // the clock was set back
		from = until.Add(-overlap)
	}
	for !from.After(until) && err == nil {
		to := from.Add((atOnce - 1) * time.Minute)
		if to.After(until) {
			to = until
		}
		if err = w.minutes(ctx, from, to); err == nil {
			from = to.Add(time.Minute)
			shared.Next = from
		}
	}

	ending, cancelEnding := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancelEnding()
	shared.LockedUntil = time.Time{}
	_, endErr := r.store.Update(ending, shared.Item(), shared.Version)
	err = errors.Join(err, wrap("end run", endErr))
	if w.Failed > 0 {
		err = errors.Join(err, fmt.Errorf("%w: %d callers", ErrUnsent, w.Failed))
	}
	w.report(ctx)
	return w.Result, err
}

// run is a run under way.
type run struct {
	*Runner
	Result

	health table.Health
}

// report logs what the run did. A run that found nothing says so only to who asks for it.
func (w *run) report(ctx context.Context) {
	level := slog.LevelDebug
	if w.Timers > 0 {
		level = slog.LevelInfo
	}
	w.log.LogAttrs(ctx, level, "escalation run",
		slog.Int("timers", w.Timers), slog.Int("reminded", w.Reminded), slog.Int("expired", w.Expired),
		slog.Int("held", w.Held), slog.Int("failed", w.Failed), slog.Int("reads", w.Reads))
	if w.Held > 0 {
		w.log.LogAttrs(ctx, slog.LevelWarn, "reminders held back", slog.Int("callers", w.Held),
			slog.String("reason", "no call.completed or call.answered has come from JustCall yet, so nobody can know who was called back"))
	}
}

// observe reads what is known of the events that arrive. When the first one has come that
// says how a call ended, it sets the timers of those who wait since shortly before.
func (w *run) observe(ctx context.Context, shared *table.Escalation) (err error) {
	w.Reads++
	if w.health, err = table.LoadHealth(ctx, w.store); err != nil {
		return wrap("read the sign of life", err)
	}
	if w.health.EndedSince.IsZero() || w.health.EndedSince.Equal(shared.KnownSince) {
		return nil
	}
	var all []*owed
	for item, err := range table.All(ctx, w.store, table.WaitingSince(w.health.EndedSince.Add(-knownBefore))) {
		if err != nil {
			return wrap("read who waits", err)
		}
		all = append(all, &owed{caller: table.CallerOf(table.KeyOf(item))})
	}
	w.Reads += 1 + len(all)
	now := w.Now()
	timing.SideBySide(all, func(o *owed) {
		if o.err = w.look(ctx, o, now); o.err == nil {
			o.err = w.arm(ctx, o.caller, o.Episode, o.told)
		}
	})
	for _, o := range all {
		err = cmp.Or(err, o.err)
	}
	if err == nil {
		shared.KnownSince = w.health.EndedSince
	}
	return err
}

// knows reports whether one can know of a caller who waits since a time whether somebody
// has called back.
func (w *run) knows(since time.Time) bool {
	return !w.health.EndedSince.IsZero() && !since.Before(w.health.EndedSince.Add(-knownBefore))
}

// take takes the turn, unless another run has it. A turn whose end is too far ahead was
// taken by a clock that has been set back.
func (w *run) take(ctx context.Context, now time.Time) (shared table.Escalation, err error) {
	w.Reads++
	page, err := w.store.Query(ctx, table.EscalationQuery())
	if err != nil {
		return shared, wrap("begin run", err)
	}
	if len(page.Items) > 0 {
		shared = table.ReadEscalation(page.Items[0])
	}
	// guard 2 escalate (RunsExclude): if left := shared.LockedUntil.Sub(now); left > RunTime {
	if left := shared.LockedUntil.Sub(now); left > 0 && left <= RunTime {
		w.Busy = true
		return shared, nil
	}
	shared.LockedUntil = now.Add(RunTime)
	taken, err := w.store.Update(ctx, shared.Item(), shared.Version)
	shared.Version++
	w.Busy = err == nil && !taken
	return shared, wrap("begin run", err)
}

// owed is a caller with timers that are due.
type owed struct {
	caller string
	timers []table.Item

	Caller
	// item is the follow-up.
	item table.Item
	// told are the steps that were taken before, due those to take now, and taken how
	// many of them are.
	told, due []Told
	taken     int
	err       error

	expired, held, failed int
}

// minutes tells what is due in some minutes. The error wraps that of the store; all is
// done, or set to be tried again, if it is nil.
func (w *run) minutes(ctx context.Context, from, to time.Time) error {
	all, err := w.timers(ctx, from, to)
	if err != nil {
		return err
	}
	now, due := w.Now(), 0
	w.Reads += len(all)
	timing.SideBySide(all, func(o *owed) { o.err = w.look(ctx, o, now) })
	for _, o := range all {
		if o.err != nil {
			// guard 2 escalate (WhileTheTable): continue
			return o.err // the table fails: nothing is put away
		}
		for _, step := range o.due {
			due += min(step.Level, 1)
		}
	}
	for level := range w.plan.Levels {
		w.tell(ctx, w.reminders(all, level+1, due > maxSingle))
	}
	timing.SideBySide(all, func(o *owed) { o.err = w.finish(ctx, o) })
	for _, o := range all {
		err = cmp.Or(err, o.err)
		w.Failed += o.failed
		w.Expired += o.expired
		w.Held += o.held
	}
	return err
}

// timers returns the callers of the timers that are due in some minutes.
func (w *run) timers(ctx context.Context, from, to time.Time) (all []*owed, err error) {
	now, byCaller := w.Now(), make(map[string]*owed)
	for minute := from; !minute.After(to); minute = minute.Add(time.Minute) {
		query := table.Query{Partition: table.DuePartition(minute)}
		for {
			w.Reads++
			page, err := w.store.Query(ctx, query)
			if err != nil {
				return nil, wrap("read timers", err)
			}
			for _, timer := range page.Items {
				due, _ := events.ParseTime(table.Text(timer, table.DueAt))
				if table.IsDone(timer) || due.After(now) {
					continue
				}
				w.Timers++
				caller := table.TimerCaller(table.KeyOf(timer))
				o := byCaller[caller]
				if o == nil {
					o = &owed{caller: caller}
					byCaller[caller] = o
					all = append(all, o)
				}
				o.timers = append(o.timers, timer)
			}
			if query.After = page.Next; page.Next == "" {
				break
			}
		}
	}
	return all, nil
}

// look finds out what is due of a caller.
func (w *run) look(ctx context.Context, o *owed, now time.Time) error {
	var items []table.Item
	for item, err := range table.All(ctx, w.store, table.FollowUp(o.caller)) {
		if err != nil {
			return wrap("read follow-up", err)
		}
		items = append(items, item)
	}
	var err error
	if o.Caller, err = w.read(o.caller, items); err != nil {
		// It is never readable by itself. Whoever writes it anew sets a timer.
		w.log.LogAttrs(ctx, slog.LevelError, "follow-up unreadable", slog.String("error", err.Error()))
		return nil
	}
	for _, item := range items {
		o.told = append(o.told, toldOf(o.Episode, item)...)
		if table.IsFollowUp(table.KeyOf(item)) {
			o.item = item
		}
	}
	// guard 10 escalate (WithoutEvents): if false {
	if !w.knows(o.Since) {
		next, ok := w.plan.Next(o.Episode, o.told, now)
		if ok && next.Level > 0 && !next.Due.After(now) && w.health.EndedSince.IsZero() {
			o.held++
		}
		o.Quiet = true
	}
	told := slices.Clone(o.told)
	for {
		next, ok := w.plan.Next(o.Episode, told, now)
		if !ok || next.Due.After(now) {
			return nil
		}
		told, o.due = append(told, next), append(o.due, next)
	}
}

// reminder is a message about callers, and which step of each it is.
type reminder struct {
	alert.Overdue
	of []*owed
}

// reminders returns those of one level that are to be sent, those first who wait longest.
// Who called outside business hours comes due together with others when they begin:
// those of a line are one message, as all are if grouped is set.
func (w *run) reminders(all []*owed, level int, grouped bool) (list []*reminder) {
	type group struct{ line, name, alone string }
	groups := make(map[group]*reminder)
	all = slices.SortedStableFunc(slices.Values(all), func(a, b *owed) int { return a.Since.Compare(b.Since) })
	for _, o := range all {
		if o.err != nil || o.taken >= len(o.due) || o.due[o.taken].Level != level {
			continue
		}
		g := group{line: o.Line, name: o.LineName}
		if !grouped && o.Hours.Open(o.Since) {
			g.alone = o.caller
		}
		r := groups[g]
		if r == nil {
			r = &reminder{Overdue: alert.Overdue{Level: level, Line: o.Line, LineName: o.LineName}}
			// guard 11 escalate: if health.Blind(w.health, w.Now(), o.Hours, 0) {
			if health.Blind(w.health, w.Now(), o.Hours, w.plan.BlindAfter) {
				r.AsOf = w.health.Arrived
			}
			groups[g] = r
			list = append(list, r)
		}
		r.Waiting, r.of = append(r.Waiting, o.Waiter), append(r.of, o)
	}
	return list
}

// tell sends reminders, and marks what was sent before it sends more.
func (w *run) tell(ctx context.Context, all []*reminder) {
	for batch := range slices.Chunk(all, alert.MaxBatch) {
		if err := ctx.Err(); err != nil {
			for _, r := range batch {
				for _, o := range r.of {
					o.err = wrap("no time to publish", err)
				}
			}
			continue
		}
		var messages []alert.Message
		for _, r := range batch {
			messages = append(messages, w.Style.Overdue(r.Overdue))
		}
		for i, err := range w.to.Publish(ctx, messages) {
			for _, o := range batch[i].of {
				o.err = wrap("publish", err)
			}
		}
		sent := slices.DeleteFunc(slices.Clone(batch), func(r *reminder) bool { return r.of[0].err != nil })
		var told []*owed
		for _, r := range sent {
			told = append(told, r.of...)
		}
		// What was sent is to be noted, even if that was the last thing for which there was time. A digest may tell of thousands.
		deadline, _ := ctx.Deadline()
		// guard 2 escalate (AllOfALargeDigest): _ = deadline; marking, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
		marking, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(endTime, time.Until(deadline)))
		// guard 2 escalate (KilledRuns): timing.SideBySide(told, func(o *owed) { _, o.taken = marking, o.taken+1 })
		timing.SideBySide(told, func(o *owed) { o.err = w.mark(marking, o) })
		cancel()
		w.Reminded += len(told)
	}
}

// mark records the next step of a caller.
func (w *run) mark(ctx context.Context, o *owed) error {
	step, reason := o.due[o.taken], ""
	if step.Raised {
		reason = raised
	}
	mark := table.ReminderItem(table.ReminderKey(o.caller, o.ID, step.Level), step.Due, w.Now(), reason)
	if _, err := w.store.Update(ctx, mark, 0); err != nil {
		return wrap("mark reminder", err)
	}
	o.taken++
	return nil
}

// finish sets the next timer of a caller, and puts those away that were looked at. What
// failed is tried again in the next minute, so that it does not keep the others.
func (w *run) finish(ctx context.Context, o *owed) error {
	if o.err == nil && o.taken < len(o.due) && o.due[o.taken].Level == 0 {
		o.err = w.mark(ctx, o)
		o.expired++
	}
	if o.err != nil {
		o.failed++
		w.log.LogAttrs(ctx, slog.LevelError, "reminder not sent", slog.String("error", o.err.Error()))
	}
	told := append(slices.Clone(o.told), o.due[:o.taken]...)
	if err := w.show(ctx, o, told); err != nil {
		return err
	}
	if err := w.arm(ctx, o.caller, o.Episode, told); err != nil {
		return err
	}
	for _, timer := range o.timers {
		done, was := table.DoneItem(timer)
		if _, err := w.store.Update(ctx, done, was); err != nil {
			return wrap("put timer away", err)
		}
	}
	return nil
}

// maxShows is how often a follow-up is written because somebody else wrote it meanwhile.
const maxShows = 5

// show writes to a follow-up at which level people were reminded, so that lists have it.
// Whoever brings the follow-up up to date does so, too: what is written is what the marks say.
func (w *run) show(ctx context.Context, o *owed, told []Told) error {
	for range maxShows {
		level := 0
		for _, t := range told {
			level = max(level, t.Level)
		}
		text := attr.String(strconv.Itoa(level))
		if o.ID == "" || o.item == nil || level == 0 || o.item[table.Level] == attr.Value(text) {
			return nil
		}
		was := table.VersionOf(o.item)
		item := maps.Clone(o.item)
		item[table.Level], item[table.Version] = text, attr.Number(strconv.FormatInt(was+1, 10))
		if updated, err := w.store.Update(ctx, item, was); updated || err != nil {
			return wrap("show level", err)
		}
		o = &owed{caller: o.caller}
		if err := w.look(ctx, o, w.Now()); err != nil {
			return err
		}
		told = o.told
	}
	return nil // it is written all the time, with the level
}
