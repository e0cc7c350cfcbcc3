package escalate_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/escalate"
	"github.com/ringback/ringback/internal/hours"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// topic keeps what is published.
type topic struct {
	mu   sync.Mutex
	sent []alert.Message
	// fails returns why a message is not accepted; nil accepts all.
	fails func(alert.Message) error
	// after is called when a batch is published.
	after func()
}

func (t *topic) Publish(_ context.Context, messages []alert.Message) []error {
	t.mu.Lock()
	defer t.mu.Unlock()
	errs := make([]error, len(messages))
	for i, m := range messages {
		if t.fails != nil {
			errs[i] = t.fails(m)
		}
		if errs[i] == nil {
			t.sent = append(t.sent, m)
		}
	}
	if t.after != nil {
		t.after()
	}
	return errs
}

func (t *topic) subjects() (all []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range t.sent {
		all = append(all, m.Subject)
	}
	t.sent = nil
	return all
}

// counting counts what is read. It fails to read what begins with a partition.
type counting struct {
	table.Store
	mu    sync.Mutex
	reads int
	fails string
}

func (c *counting) Query(ctx context.Context, q table.Query) (table.Page, error) {
	c.mu.Lock()
	c.reads++
	c.mu.Unlock()
	if c.fails != "" && strings.HasPrefix(q.Partition, c.fails) {
		return table.Page{}, table.ErrUnavailable
	}
	return c.Store.Query(ctx, q)
}

// world is a table of callers, a runner and a clock.
type world struct {
	*testing.T
	store  *counting
	topic  *topic
	runner *escalate.Runner
	now    time.Time
	hours  hours.Calendar
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, store: &counting{Store: &tabletest.Memory{Now: func() time.Time { return day }}}, topic: &topic{}, hours: shop(t)}
	w.runner = w.newRunner()
	// Somebody has been called back before.
	seen := table.Health{Arrived: day, Ended: day, EndedSince: day.Add(-7 * 24 * time.Hour)}
	if updated, err := w.store.Update(t.Context(), seen.Item(), 0); !updated || err != nil {
		t.Fatal(updated, err)
	}
	return w
}

func (w *world) newRunner() *escalate.Runner {
	r := escalate.New(plan(w.T), w.store, w.read, w.topic, logscan.Logger(w.T))
	r.Now = func() time.Time { return w.now }
	return r
}

var followUp = table.FollowUpKey("").SK

// read reads an item of a test: the episode's id, when its calls began, and until when
// nobody is reminded.
func (w *world) read(_ string, items []table.Item) (escalate.Caller, error) {
	item := items[0]
	first, ok := events.ParseTime(table.Text(item, "since"))
	if !ok {
		return escalate.Caller{}, errors.New("no time")
	}
	paused, _ := events.ParseTime(table.Text(item, "paused"))
	key := table.KeyOf(item)
	return escalate.Caller{
		Episode: escalate.Episode{
			ID: table.Text(item, "episode"), Since: first, Last: first, Calls: 1, Hours: w.hours,
			PausedUntil: func(at time.Time) time.Time {
				if paused.After(at) {
					return paused
				}
				return time.Time{}
			},
		},
		Waiter: alert.Waiter{
			CallID: strings.TrimPrefix(key.PK, "CALLER#+"), Key: key, Caller: strings.TrimPrefix(key.PK, "CALLER#"),
			Outcome: events.Missed, First: first, Unserved: 1,
		},
		LineName: table.Text(item, "line"),
	}, nil
}

// keep writes what is known of a caller, and sets the timer, at some time.
func (w *world) keep(clock string, n int, attributes map[string]string) {
	w.Helper()
	w.now = at(clock)
	items := w.items(n)
	item := table.Item{"PK": attr.String("CALLER#" + number(n)), "SK": attr.String(followUp)}
	var was int64
	if len(items) > 0 {
		item, was = maps.Clone(items[0]), table.VersionOf(items[0])
	}
	for name, value := range attributes {
		item[name] = attr.String(value)
	}
	item[table.Version] = attr.Number(strconv.FormatInt(was+1, 10))
	if updated, err := w.store.Update(w.Context(), item, was); !updated || err != nil {
		w.Fatal(updated, err)
	}
	w.arm(n)
}

func (w *world) items(n int) []table.Item {
	w.Helper()
	page, err := w.store.Store.Query(w.Context(), table.FollowUp(number(n)))
	if err != nil {
		w.Fatal(err)
	}
	return page.Items
}

func (w *world) arm(n int) {
	w.Helper()
	caller, err := w.read(number(n), w.items(n))
	if err != nil {
		w.Fatal(err)
	}
	if err := w.runner.Arm(w.Context(), number(n), caller.Episode); err != nil {
		w.Fatal(err)
	}
}

func number(n int) string { return fmt.Sprintf("+1415555%04d", n) }

func (w *world) misses(clock string, n int) {
	w.Helper()
	w.keep(clock, n, map[string]string{"episode": "first", "since": table.Time(at(clock)), "line": "Support"})
}

// run runs at some time, and checks what is sent.
func (w *world) run(clock string, want ...string) escalate.Result {
	w.Helper()
	return w.runAt(at(clock), want...)
}

func (w *world) runAt(now time.Time, want ...string) escalate.Result {
	w.Helper()
	w.now = now
	result, err := w.runner.Run(w.Context())
	if err != nil != (result.Failed > 0) || err != nil && !errors.Is(err, escalate.ErrUnsent) {
		w.Errorf("%v: %+v, %v", now, result, err)
	}
	if diff := cmp.Diff(want, w.topic.subjects()); diff != "" {
		w.Errorf("%v (-want +got)\n%s", now, diff)
	}
	return result
}

func one(n int, since string) string {
	return fmt.Sprintf("Not called back: %s on Support, since 1 Jun %s UTC", number(n), since)
}

func again(n int, since string) string { return "Still n" + one(n, since)[1:] }

// slow is a store that takes a tenth of a second to write.
type slow struct{ table.Store }

func (s slow) Update(ctx context.Context, item table.Item, was int64) (bool, error) {
	select {
	case <-ctx.Done():
		return false, table.ErrUnavailable
	case <-time.After(100 * time.Millisecond):
		return s.Store.Update(ctx, item, was)
	}
}

// A digest can tell of more callers than can be marked at once: 600 take seven seconds here.
func TestPromise2_AllOfALargeDigestAreMarked(t *testing.T) {
	t.Parallel()
	const due = 600
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for n := range due {
			w.misses("10:00", n)
		}
		w.store.Store = slow{w.store.Store}
		w.run("10:15", strconv.Itoa(due)+" callers not called back on Support")
		w.run("10:16")
	})
}

func TestACallerIsRemindedOfOnceALevel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.misses("10:00", 1)
	w.run("10:14")
	w.run("10:15", one(1, "10:00"))
	w.arm(1) // an event that comes again
	w.run("10:15")
	w.run("10:16")
	w.run("10:59")
	w.run("11:00", again(1, "10:00"))
	w.run("11:01")
	week := at("10:00").Add(7 * 24 * time.Hour)
	w.runAt(week.Add(-time.Minute))
	if result := w.runAt(week); result.Expired != 1 {
		t.Errorf("%+v, want one expired", result)
	}
	w.runAt(week.Add(time.Minute))
	w.keep("12:00", 1, map[string]string{"episode": "second", "since": table.Time(at("12:00"))})
	w.run("12:15", one(1, "12:00"))
}

// Whoever forgets a caller finds the timers, which are in other partitions.
func TestEachTimerIsNamedAtItsCaller(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.misses("10:00", 1)
	w.run("10:15", one(1, "10:00"))
	w.run("11:00", again(1, "10:00"))
	named := make(map[table.Key]bool)
	for item, err := range table.All(t.Context(), w.store, table.Query{Partition: table.CallerPartition(number(1))}) {
		if err != nil {
			t.Fatal(err)
		}
		if timer, ok := table.NamedTimer(table.KeyOf(item)); ok {
			named[timer] = true
		}
	}
	timers := 0
	for item, err := range table.ScanAll(t.Context(), w.store, table.TimerMark, "") {
		if err != nil {
			t.Fatal(err)
		}
		if timers++; !named[table.KeyOf(item)] {
			t.Errorf("a timer has no name: %v", table.KeyOf(item))
		}
	}
	if timers < 2 {
		t.Errorf("%d timers", timers)
	}
}

func TestACallThatIsKnownTooLateSetsNoTimer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.keep("10:00", 1, map[string]string{"episode": "first", "since": table.Time(at("10:00").Add(-7 * 24 * time.Hour)), "line": "Support"})
	if result := w.run("10:05"); result.Timers != 0 {
		t.Errorf("%+v, want no timer", result)
	}
}

func TestPromise10_WhoWasServedIsNotRemindedOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.misses("10:00", 1)
	w.keep("10:14", 1, map[string]string{"episode": ""})
	w.run("10:15")
	w.run("11:00")
}

func TestAPauseHoldsBackAndEndsByItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.misses("10:00", 1)
	w.keep("10:05", 1, map[string]string{"paused": table.Time(at("10:40"))})
	w.run("10:15")
	w.run("10:39")
	w.run("10:40", one(1, "10:00"))
	w.run("11:24")
	w.run("11:25", again(1, "10:00")) // 45 minutes later, as if there had been no pause

	w.misses("12:00", 2)
	w.keep("12:05", 2, map[string]string{"paused": table.Time(at("13:00"))})
	w.run("12:15")
	w.keep("12:20", 2, map[string]string{"paused": ""}) // taken back
	w.run("12:21", one(2, "12:00"))
	w.run("13:00", again(2, "12:00"))
}

func TestWhatComesDueAtOpeningIsOneMessageForEachLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n, clock := range []string{"03:00", "05:00", "04:00"} {
		w.misses(clock, n)
	}
	w.keep("06:00", 9, map[string]string{"episode": "first", "since": table.Time(at("06:00")), "line": "Sales"})
	w.misses("09:00", 5)
	w.run("09:00")
	w.run("09:15", "3 callers not called back on Support",
		"Not called back: +14155550009 on Sales, since 1 Jun 06:00 UTC", one(5, "09:00"))
	w.run("09:16")
	w.run("10:00", "3 callers still not called back on Support",
		"Still not called back: +14155550009 on Sales, since 1 Jun 06:00 UTC", again(5, "09:00"))
}

func TestMoreThanEightOfARunAreOneMessageForEachLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 8 {
		w.misses("10:00", n)
	}
	w.run("10:15", one(0, "10:00"), one(1, "10:00"), one(2, "10:00"), one(3, "10:00"), one(4, "10:00"), one(5, "10:00"), one(6, "10:00"), one(7, "10:00"))
	// Eight of the second level, and one of the first.
	w.misses("10:45", 11)
	w.run("11:00", one(11, "10:45"), "8 callers still not called back on Support")
}

func TestALateRunTellsAllThatBecameDueAndARepeatedOneNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run("09:59")
	w.misses("10:00", 1)
	w.misses("10:30", 2)
	w.run("13:01", one(1, "10:00"), one(2, "10:30"), again(1, "10:00"), again(2, "10:30"))
	w.run("13:01")
	w.run("13:02")
}

func TestARunIsLateByADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run("09:59")
	w.misses("10:00", 1)
	w.misses("10:01", 2)
	// At night nobody would read it.
	w.run("20:00")
	w.runAt(at("09:00").Add(24*time.Hour), one(1, "10:00"), one(2, "10:01"), again(1, "10:00"), again(2, "10:01"))
}

func TestAClockThatIsSetBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run("12:00")
	w.misses("10:00", 1) // the clock was two hours ahead
	w.run("10:15", one(1, "10:00"))
}

func TestPromise2_RunsExcludeEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.misses("10:00", 1)
	other := escalate.New(plan(t), w.store, w.read, &topic{}, logscan.Logger(t))
	other.Now = w.runner.Now
	w.topic.after = func() {
		result, err := other.Run(t.Context())
		if err != nil || !result.Busy {
			t.Errorf("the other: %+v, %v", result, err)
		}
	}
	w.run("10:15", one(1, "10:00"))
}

func TestATimerThatIsLateCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run("10:15")
	// Its writer looked at the clock before that run.
	w.now = at("10:14").Add(50 * time.Second)
	w.keep("10:14", 1, map[string]string{"episode": "first", "since": table.Time(at("10:00")), "line": "Support"})
	w.run("10:16", one(1, "10:00"))
}

func TestATimerBesideOneThatIsDoneIsSetLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.misses("10:00", 1)
	w.keep("10:10", 1, map[string]string{"episode": ""})
	w.run("10:15") // puts the timer of 10:15 away
	// By its writer's clock, which is slow, that is still to come.
	w.keep("10:14", 1, map[string]string{"episode": "first"})
	w.run("10:16", one(1, "10:00"))
}

func TestWhatTheTopicRefusesIsTriedAgainAndKeepsNobodyBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.misses("10:00", 1)
	w.misses("10:00", 2)
	errRefused := errors.New("refused")
	w.topic.fails = func(m alert.Message) error {
		if m.Attributes["caller"] == number(1) {
			return errRefused
		}
		return nil
	}
	if result := w.run("10:15", one(2, "10:00")); result.Failed != 1 {
		t.Errorf("%+v, want one failed", result)
	}
	w.run("10:16")
	w.topic.fails = nil
	w.run("10:17", one(1, "10:00"))
	w.run("11:00", again(1, "10:00"), again(2, "10:00"))
}

func TestPromise2_WhileTheTableFailsNothingIsLost(t *testing.T) {
	t.Parallel()
	for _, partition := range []string{table.CallerPartition(""), table.TimerMark, "ESCALATE", "HEALTH"} {
		w := newWorld(t)
		w.misses("10:00", 1)
		w.run("10:14")
		for minute := 15; minute < 30; minute++ {
			w.store.fails, w.now = partition, at("10:00").Add(time.Duration(minute)*time.Minute)
			if _, err := w.runner.Run(t.Context()); !errors.Is(err, table.ErrUnavailable) {
				t.Errorf("%s: %v, want %v", partition, err, table.ErrUnavailable)
			}
		}
		w.store.fails = ""
		w.run("10:30", one(1, "10:00"))
	}
}

func TestWhatCannotBeReadKeepsNobodyBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.misses("10:00", 1)
	w.misses("10:00", 2)
	broken := table.Item{
		"PK": attr.String("CALLER#" + number(1)), "SK": attr.String(followUp), "since": attr.String("?"), table.Version: attr.Number("2"),
	}
	if updated, err := w.store.Update(t.Context(), broken, 1); !updated || err != nil {
		t.Fatal(updated, err)
	}
	w.run("10:15", one(2, "10:00"))
	w.run("10:16")
}

// dying is a store whose process ends after some writes.
type dying struct {
	*counting
	left int
	die  context.CancelFunc
}

var errDead = errors.New("the process has ended")

func (d *dying) Update(ctx context.Context, item table.Item, was int64) (bool, error) {
	d.mu.Lock()
	d.left--
	dead := d.left < 0
	d.mu.Unlock()
	if dead {
		d.die()
		return false, errDead
	}
	return d.counting.Update(ctx, item, was)
}

func (d *dying) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if ctx.Err() != nil {
		return table.Page{}, errDead
	}
	return d.counting.Query(ctx, q)
}

func TestPromise2_KilledRunsRepeatOnlyWhatWasInFlight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	callers, kills := 5000, 20
	if testing.Short() {
		callers = 1000
	}
	for n := range callers { // with a message each
		w.keep("10:00", n, map[string]string{"episode": "first", "since": table.Time(at("10:00")), "line": "line " + strconv.Itoa(n)})
	}
	times := make(map[string]int)
	now := at("10:15")
	for kill := range kills + 5 {
		ctx, cancel := context.WithCancel(t.Context())
		store := &dying{counting: w.store, left: 1 + 23*kill, die: cancel}
		if kill >= kills {
			store.left = 1 << 30
		}
		w.now = now
		r := escalate.New(plan(t), store, w.read, &topicUntil{w.topic, ctx}, logscan.Logger(t))
		r.Now = func() time.Time { return w.now }
		_, _ = r.Run(ctx)
		cancel()
		now = now.Add(time.Minute)
	}
	repeats := 0
	for _, m := range w.topic.sent {
		if m.Attributes["level"] == "1" {
			times[m.ID]++
		}
	}
	for _, n := range times {
		repeats += n - 1
	}
	if len(times) != callers || repeats > kills*alert.MaxBatch {
		t.Errorf("%d of %d callers told, %d repeats by %d kills", len(times), callers, repeats, kills)
	}
	if slices.Max(slices.Collect(maps.Values(times))) > kills {
		t.Error("one is repeated for ever")
	}
}

// topicUntil is a topic that a process that has ended cannot reach.
type topicUntil struct {
	*topic
	ctx context.Context
}

func (t *topicUntil) Publish(ctx context.Context, messages []alert.Message) []error {
	if t.ctx.Err() != nil {
		errs := make([]error, len(messages))
		for i := range errs {
			errs[i] = errDead
		}
		return errs
	}
	return t.topic.Publish(ctx, messages)
}
