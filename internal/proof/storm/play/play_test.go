package play_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/local"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/storm/play"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// patience is how long a test waits for what should come at once.
const patience = time.Minute

// small is a mix that is played in a moment.
var small = play.Mix{Seed: 1, Deliveries: 200, Duplicates: 30, Strays: 25}

func TestALocalStackKeepsItsPromisesThoughMuchIsLost(t *testing.T) {
	t.Parallel()
	p := plan(t, small)
	r := receiver(t, play.Faults(1, 20))
	var done, highest atomic.Int64
	player := impatient()
	player.Loss = 20
	player.Done = func(n int) {
		done.Add(1)
		for last := highest.Load(); int64(n) > last && !highest.CompareAndSwap(last, int64(n)); last = highest.Load() {
		}
	}
	got := played(t, player, p, localStack(t, r), r)
	if err := got.Err(); err != nil {
		t.Errorf("%v\n%v", err, got.Found)
	}
	lostThere, lostBack := got.Counts["lost on the way there"], got.Counts["lost on the way back"]
	if got.Seen.Published.Failed == 0 || lostThere == 0 || lostBack == 0 {
		t.Errorf("%d tries to publish failed, %d and %d posts were lost", got.Seen.Published.Failed, lostThere, lostBack)
	}
	c := got.Counts
	// An alert whose publishing failed is taken back too, for it may have arrived: more may be taken back than were alerted.
	if c["stored"] != 140 || c["alerts expected"] != len(perfect(p).Published.Taken) || c["alerts taken back"] == 0 || c["strays"] != 50 || c["rejections kept"] < 25 {
		t.Errorf("counts: %v", c)
	}
	if diff := cmp.Diff(map[string]int{"answered 200": 200}, answers(got)); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	if got.PerSecond() <= 0 {
		t.Errorf("%v per second", got.PerSecond())
	}
	if n, last := done.Load(), highest.Load(); n != 200 || last != 200 {
		t.Errorf("Done was called %d times, with %d in the end", n, last)
	}
}

func TestEachScheduleTriesAgainAsItsDocumentsSay(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		status int
		tries  [3]int // of each schedule, until it gives up
	}{
		{http.StatusServiceUnavailable, [3]int{6, 4, 5}},
		{cut, [3]int{6, 4, 5}},
		{http.StatusNoContent, [3]int{6, 1, 1}},
		{http.StatusFound, [3]int{6, 4, 1}},
		{http.StatusNotFound, [3]int{6, 4, 1}},
	} {
		t.Run(fmt.Sprint(tc.status), func(t *testing.T) {
			t.Parallel()
			s := newStack(t)
			s.before = func(request) int { return tc.status }
			p := plan(t, play.Mix{Seed: 3, Deliveries: 40})
			got := played(t, impatient(), p, s.target(), s)
			arrived := map[string]int{}
			for _, r := range s.requests() {
				arrived[r.body]++
			}
			seen := map[play.Schedule]bool{}
			for _, d := range p.Deliveries {
				seen[d.Schedule] = true
				if got := arrived[string(d.Body)]; got != tc.tries[d.Schedule] {
					t.Errorf("%s: %d tries, want %d", d.Schedule, got, tc.tries[d.Schedule])
				}
			}
			if len(seen) != 3 {
				t.Errorf("only %v were played", seen)
			}
			if !errors.Is(got.Err(), play.ErrBroken) || len(got.Found[play.Unanswered]) != 40 || len(got.Found[play.GivenUp]) != 40 {
				t.Errorf("%v, want 40 of each given up", got.Err())
			}
			if posts := got.Counts["posted, retries included"]; len(s.requests()) != posts {
				t.Errorf("%d requests arrived, %d were posted", len(s.requests()), posts)
			}
		})
	}
}

func TestWhatIsAnswered200InTheEndIsNotGivenUp(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.before = func(r request) int { return []int{503, cut, 429, 0}[min(r.try, 4)-1] }
	got := played(t, impatient(), plan(t, play.Mix{Seed: 2, Deliveries: 60}), s.target(), s)
	if err := got.Err(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]int{"answered 0": 60, "answered 200": 60, "answered 429": 60, "answered 503": 60}, answers(got)); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

func TestTheSchedulesPausesAreKept(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.before = func(request) int { return http.StatusInternalServerError }
	all := plan(t, play.Mix{Seed: 1, Deliveries: 60})
	seen := map[play.Schedule]bool{}
	for i, d := range all.Deliveries {
		if seen[d.Schedule] {
			continue
		}
		seen[d.Schedule] = true
		p := *all
		p.Deliveries = all.Deliveries[i : i+1]
		player := play.NewPlayer(1, patience)
		player.Minute = 2 * time.Millisecond
		var pauses []time.Duration // of the one delivery, so one after the other
		player.Sleep = func(_ context.Context, pause time.Duration) bool {
			pauses = append(pauses, pause)
			return true
		}
		played(t, player, &p, s.target(), s)
		schedule := d.Schedule
		if len(pauses) != schedule.Tries()-1 {
			t.Fatalf("%s: %d pauses between %d tries", schedule, len(pauses), schedule.Tries())
		}
		for try, got := range pauses {
			pause, _ := schedule.Pause(try, 0) // the shortest
			if want := pause * player.Minute / time.Minute; got < want {
				t.Errorf("%s: try %d comes %v after the one before, want %v", schedule, try+1, got, want)
			}
		}
	}
	if len(seen) != 3 {
		t.Errorf("only %v were played", seen)
	}
}

func TestNoWorkerWaitsForARetry(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	p := plan(t, play.Mix{Seed: 2, Deliveries: 40})
	s.before = func(r request) int {
		if r.body == string(p.Deliveries[0].Body) && r.try == 1 {
			return http.StatusServiceUnavailable
		}
		return 0
	}
	player := play.NewPlayer(1, patience)
	player.Minute = time.Second
	if err := played(t, player, p, s.target(), s).Err(); err != nil {
		t.Error(err)
	}
	between := 0
	for _, r := range s.requests()[1:] {
		if r.try == 2 {
			break
		}
		between++
	}
	if between == 0 {
		t.Error("no delivery between a try and the next, of one worker")
	}
}

// Each delivery but the first waits for a tick of its own.
func TestARateIsNotExceeded(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	player := play.NewPlayer(8, patience)
	player.Rate = 200
	p := plan(t, play.Mix{Seed: 2, Deliveries: 40, Strays: 20})
	ticks := make(chan time.Time)
	var interval time.Duration
	player.Tick = func(d time.Duration) <-chan time.Time {
		interval = d
		return ticks
	}
	deliveries := map[string]bool{}
	for _, d := range p.Deliveries {
		deliveries[string(d.Body)] = true
	}
	ctx, cancel := context.WithCancel(t.Context())
	taken := 0
	var ticking sync.WaitGroup
	ticking.Go(func() {
		for {
			posted := map[string]bool{}
			for _, r := range s.requests() {
				if deliveries[r.body] {
					posted[r.body] = true
				}
			}
			if len(posted) > taken+1 {
				t.Errorf("%d deliveries were posted after %d ticks", len(posted), taken)
			}
			select {
			case ticks <- time.Time{}:
				taken++
			case <-ctx.Done():
				return
			}
		}
	})
	got := played(t, player, p, s.target(), s)
	cancel()
	ticking.Wait()
	if err := got.Err(); err != nil {
		t.Error(err)
	}
	if interval != 5*time.Millisecond || taken != len(deliveries)-1 {
		t.Errorf("%d ticks were taken, one each %v, want 39, one each 5ms", taken, interval)
	}
}

func TestTriesAreLostOnTheWayThereAndBack(t *testing.T) {
	t.Parallel()
	p := plan(t, play.Mix{Seed: 2, Deliveries: 60})
	var reports []*play.Report
	for _, concurrency := range []int{1, 8} {
		s := newStack(t)
		player := impatient()
		player.Concurrency = concurrency
		player.Loss = 100
		got := played(t, player, p, s.target(), s)
		if err := got.Err(); err != nil {
			t.Error(err) // third tries are not lost
		}
		there, back := got.Counts["lost on the way there"], got.Counts["lost on the way back"]
		if there+back != 120 || min(there, back) < 40 {
			t.Errorf("%d are lost on the way there and %d on the way back, want half of 120 each", there, back)
		}
		if want := 60 + back; len(s.requests()) != want || got.Counts["posted, retries included"] != want {
			t.Errorf("%d arrived and %d were posted, want %d", len(s.requests()), got.Counts["posted, retries included"], want)
		}
		if diff := cmp.Diff(map[string]int{"answered 200": 60}, answers(got)); diff != "" {
			t.Errorf("answers (-want +got):\n%s", diff)
		}
		reports = append(reports, got)
	}
	if diff := cmp.Diff(reports[0].Seen.Answers, reports[1].Seen.Answers); diff != "" {
		t.Errorf("what is lost depends on the order (-one by one +eight at a time):\n%s", diff)
	}
}

func TestEveryDeliveryButThoseOfFormatAIsSignedAndARetryRepeatsTheSignature(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.before = func(r request) int { return []int{503, 200}[r.try-1] }
	target := s.target()
	p := plan(t, play.Mix{Seed: 2, Deliveries: 60})
	player := impatient()
	clock := start.Add(time.Hour)
	var mu sync.Mutex
	player.Now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		clock = clock.Add(time.Second)
		return clock
	}
	played(t, player, p, target, s)
	first := map[string]events.Signature{}
	formats := map[events.Format]int{}
	for _, r := range s.requests() {
		d := decode(t, []byte(r.body))
		formats[d.Format]++
		signature := events.Signature{
			Hex:       r.header.Get(events.HeaderSignature),
			Version:   r.header.Get(events.HeaderSignatureVersion),
			Timestamp: r.header.Get(events.HeaderRequestTimestamp),
		}
		if d.Format == events.FormatA {
			if signature != (events.Signature{}) {
				t.Errorf("format %s is signed: %v", d.Format, signature)
			}
			continue
		}
		if err := events.Verify(signature, target.URL, d.Type, events.Tolerance{Past: time.Hour}, clock, signingSecret); err != nil {
			t.Errorf("try %d: %v", r.try, err)
		}
		if r.try == 1 {
			first[r.body] = signature
		} else if diff := cmp.Diff(first[r.body], signature); diff != "" {
			t.Errorf("signature of a retry (-first +retry):\n%s", diff)
		}
	}
	if formats[events.FormatA] == 0 || formats[events.FormatB] == 0 {
		t.Errorf("formats: %v", formats)
	}

	open := newStack(t)
	target = open.target()
	target.SigningSecret = ""
	got := played(t, impatient(), plan(t, play.Mix{Seed: 2, Deliveries: 60, Strays: 100}), target, open)
	for _, r := range open.requests() {
		if r.header.Get(events.HeaderSignature) != "" {
			t.Error("signed without a secret")
		}
	}
	if posted, out := got.Counts["strays"], got.Counts["strays left out, unsigned"]; out < 10 || posted+out != 60 {
		t.Errorf("%d strays are posted and %d left out, though nothing is signed", posted, out)
	}
}

func TestAStrayIsPostedTwiceAndAgainWhereTheStackIsHindered(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	p := plan(t, play.Mix{Seed: 2, Deliveries: 60, Strays: 100})
	stray := map[string]bool{}
	for _, d := range p.Strays {
		stray[string(d.Body)] = true
	}
	s.before = func(r request) int {
		if stray[r.body] && r.try%3 > 0 { // the third and the sixth go through
			return []int{cut, 503, 500, 429}[r.try%4]
		}
		return 0
	}
	got := played(t, impatient(), p, s.target(), s)
	// A probe is like another one, and has tries of its own only as long as there
	// are not too many of them.
	if len(got.Found[play.Otherwise]) > 3 || len(got.Found[play.Unkept]) != 0 || got.Counts["strays"] != 60 {
		t.Errorf("%v\n%v", got.Counts, got.Found)
	}
	for _, r := range s.requests() {
		if stray[r.body] && r.try == 6 {
			return
		}
	}
	t.Error("no stray was posted six times")
}

func TestAnAlertThatIsNeverTakenIsFoundWithinTheWait(t *testing.T) {
	t.Parallel()
	p := plan(t, play.Mix{Seed: 1, Deliveries: 60})
	var dropped string
	for id := range p.Alerts() {
		dropped = max(dropped, id)
	}
	r := receiver(t, func(id string, _ int) bool { return id == dropped })
	player := impatient()
	player.Wait = 8 * time.Second // for the other alerts, on a busy machine
	got := played(t, player, p, localStack(t, r), r)
	if !errors.Is(got.Err(), play.ErrBroken) || len(got.Found[play.Lost]) != 0 {
		t.Errorf("%v, %d lost", got.Err(), len(got.Found[play.Lost]))
	}
	if diff := cmp.Diff([]string{dropped}, got.Found[play.Missing]); diff != "" {
		t.Errorf("examples (-want +got):\n%s", diff)
	}
	if !errors.Is(got.Seen.Unsettled, context.DeadlineExceeded) {
		t.Errorf("unsettled: %v", got.Seen.Unsettled)
	}
}

func TestWhatIsSpilledIsLookedUpAgain(t *testing.T) {
	t.Parallel()
	p := plan(t, play.Mix{Seed: 2, Deliveries: 25, Strays: 100})
	for _, tc := range []struct {
		name   string
		late   func(table.Item) bool // what is spilled
		spills bool
		wait   time.Duration
		ok     bool
	}{
		{"until the events are there", isEvent, true, patience, true},
		{"until the rejections are there", isRejection, true, patience, true},
		{"for no longer than the player waits", isEvent, true, time.Millisecond, false},
		{"not at all where nothing is spilled", isEvent, false, patience, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t)
			var mu sync.Mutex
			var queue []table.Item
			s.put = func(item table.Item) []table.Item {
				mu.Lock()
				defer mu.Unlock()
				if !tc.late(item) {
					return []table.Item{item}
				}
				queue = append(queue, item)
				return nil
			}
			drain := sync.OnceFunc(func() {
				s.put = nil
				for _, item := range queue {
					_, _ = s.Put(t.Context(), item)
				}
			})
			target := s.target()
			target.Fresh, target.Spills = true, tc.spills
			target.Table = tableOf{s, func(q table.Query, _ *table.Page) {
				if strings.HasPrefix(q.Partition, "REJECTED#") {
					drain() // when the events have been looked up once, and these
				}
			}}
			player := impatient()
			player.Wait = tc.wait
			got := played(t, player, p, target, s)
			if ok := len(got.Found[play.Lost]) == 0 && len(got.Found[play.Unkept]) == 0; ok != tc.ok {
				t.Errorf("found: %v", got.Found)
			}
		})
	}
}

func isEvent(item table.Item) bool { return table.IsEvent(table.KeyOf(item)) }

func isRejection(item table.Item) bool {
	return strings.HasPrefix(table.Text(item, table.PK), "REJECTED#")
}

func TestRejectionsOfTwoDaysAreFound(t *testing.T) {
	t.Parallel()
	p := plan(t, play.Mix{Seed: 1, Deliveries: 60, Strays: 100})
	s := newStack(t)
	midnight := time.Date(2026, time.March, 21, 0, 0, 0, 0, time.UTC)
	var asked atomic.Int64
	clock := func() time.Time {
		return midnight.Add(-time.Second + time.Duration(asked.Add(1))*10*time.Millisecond)
	}
	player := impatient()
	player.Now, s.webhook.Now = clock, clock
	got := played(t, player, p, s.target(), s)
	if err := got.Err(); err != nil {
		t.Errorf("%v\n%v", err, got.Found)
	}
	for _, day := range []time.Time{midnight.Add(-time.Hour), midnight} {
		if page, _ := s.Query(t.Context(), table.Query{Partition: table.RejectedPartition(day)}); len(page.Items) == 0 {
			t.Errorf("nothing was rejected on %s", day.Format(time.DateOnly))
		}
	}
}

// tableOf is a table whose pages are changed.
type tableOf struct {
	table.Store

	change func(table.Query, *table.Page)
}

func (s tableOf) Query(ctx context.Context, q table.Query) (table.Page, error) {
	page, err := s.Store.Query(ctx, q)
	s.change(q, &page)
	return page, err
}

func TestAnotherSeedIsPlayedAgainstTheSameTableTheSameIsNot(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for _, seed := range []uint64{1, 2} {
		p := plan(t, play.Mix{Seed: seed, Deliveries: 100, Duplicates: 30, Strays: 2})
		got := played(t, impatient(), p, s.target(), s.fromNow())
		if err := got.Err(); err != nil {
			t.Errorf("seed %d: %v\n%v", seed, err, got.Found)
		}
		if _, err := impatient().Play(t.Context(), p, s.target(), s); !errors.Is(err, play.ErrPlayed) {
			t.Errorf("seed %d again: error %v, want %v", seed, err, play.ErrPlayed)
		}
	}
}

func TestWhatIsInThePlansPlaceIsNotPlayedAgainst(t *testing.T) {
	t.Parallel()
	p := plan(t, play.Mix{Seed: 1, Deliveries: 300, Strays: 20})
	find := func(partition string, whole bool) table.Key {
		i := slices.IndexFunc(p.Events, func(e play.Event) bool { return strings.HasPrefix(e.Key.PK, partition) })
		key := p.Events[i].Key
		if !whole {
			key.SK += "x"
		}
		return key
	}
	stray := p.Strays[slices.IndexFunc(p.Strays, func(s play.Stray) bool { return s.Key != table.Key{} })].Key
	for _, tc := range []struct {
		name string
		key  table.Key
		want error
	}{
		{"an event of the plan's", find("MESSAGE#", true), play.ErrPlayed},
		{"another one of the same message", find("MESSAGE#", false), play.ErrPlayed},
		{"an event of the plan's, of no call", find("EVENT#", true), play.ErrPlayed},
		{"another one of the same type, of no call", find("EVENT#", false), nil},
		{"a stray", stray, play.ErrPlayed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t)
			s.items[tc.key.PK] = []table.Item{{
				table.PK:    attr.String(tc.key.PK),
				table.SK:    attr.String(tc.key.SK),
				table.Event: attr.String("call.missed"),
			}}
			seen, err := impatient().Play(t.Context(), p, s.target(), s)
			if !errors.Is(err, tc.want) {
				t.Fatalf("error %v, want %v", err, tc.want)
			}
			if err != nil {
				if len(s.requests()) > 0 {
					t.Errorf("%d were posted", len(s.requests()))
				}
				return
			}
			if err := play.Check(p, seen).Err(); err != nil {
				t.Errorf("what was there before is blamed on the stack: %v", err)
			}
		})
	}
}

func TestAFreshTableIsNotLookedAt(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	p := plan(t, play.Mix{Seed: 2, Deliveries: 20})
	played(t, impatient(), p, s.target(), s)
	fresh := s.target()
	fresh.Fresh = true
	if _, err := impatient().Play(t.Context(), p, fresh, s); err != nil {
		t.Errorf("a table that is said to be fresh is looked at: %v", err)
	}
}

func TestATableThatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	for _, fresh := range []bool{false, true} {
		s := newStack(t)
		target := s.target()
		target.Table, target.Fresh = unreadable{s}, fresh
		_, err := impatient().Play(t.Context(), plan(t, play.Mix{Seed: 2, Deliveries: 20}), target, s)
		if !errors.Is(err, table.ErrUnavailable) {
			t.Errorf("error %v, want %v", err, table.ErrUnavailable)
		}
	}
}

func TestATableThatCannotBeScannedIsAnError(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	target := s.target()
	target.Scan = func(context.Context) iter.Seq2[table.Item, error] {
		return func(yield func(table.Item, error) bool) { yield(nil, table.ErrUnavailable) }
	}
	_, err := impatient().Play(t.Context(), plan(t, play.Mix{Seed: 2, Deliveries: 20}), target, s)
	if !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("error %v, want %v", err, table.ErrUnavailable)
	}
}

// Why the stack has not settled may be why its table cannot be read.
func TestATableThatCannotBeReadInTheEndHidesNoCause(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	target := s.target()
	target.Table, target.Fresh = unreadable{s}, true
	target.Settled = func(context.Context) error { return errBusy }
	_, err := impatient().Play(t.Context(), plan(t, play.Mix{Seed: 2, Deliveries: 20}), target, s)
	if !errors.Is(err, errBusy) || !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("error %v, want %v and %v", err, errBusy, table.ErrUnavailable)
	}
}

type unreadable struct{ table.Store }

func (unreadable) Query(context.Context, table.Query) (table.Page, error) {
	return table.Page{}, table.ErrUnavailable
}

func TestPlayingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	player := play.NewPlayer(4, patience)
	s.before = func(r request) int {
		if r.try == 1 {
			return http.StatusServiceUnavailable // to be posted again, much later
		}
		cancel(stopped)
		return 0
	}
	player.Minute = 20 * time.Millisecond
	_, err := player.Play(ctx, plan(t, play.Mix{Seed: 2, Deliveries: 400}), s.target(), s)
	if !errors.Is(err, stopped) {
		t.Errorf("error %v, want %v", err, stopped)
	}
}

func TestTheTokenIsInNoError(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, base := range []string{gone.URL, "http://127.0.0.1:0", "no-url\x7f"} {
		s := newStack(t)
		target := s.target()
		target.URL = base + "/justcall/the-token"
		got := played(t, impatient(), plan(t, play.Mix{Deliveries: 2, Strays: 100}), target, s)
		if got.Seen.NoAnswer == nil || len(got.Found[play.Unanswered]) != 2 || len(got.Found[play.Otherwise]) != 2 {
			t.Errorf("%q: %v, %v", base, got.Found, got.Seen.NoAnswer)
		}
		var printed strings.Builder
		if err := got.Print(&printed); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(printed.String(), "no answer: ") || strings.Contains(printed.String(), "the-token") {
			t.Errorf("printed:\n%s", &printed)
		}
	}
}

// answers returns how many tries had which answer.
func answers(r *play.Report) map[string]int {
	of := maps.Clone(r.Counts)
	maps.DeleteFunc(of, func(name string, _ int) bool { return !strings.HasPrefix(name, "answered ") })
	return of
}

// impatient returns a player that hardly pauses.
func impatient() *play.Player {
	p := play.NewPlayer(8, patience)
	p.Minute = 50 * time.Microsecond
	return p
}

func played(t *testing.T, player *play.Player, p *play.Plan, to *play.Target, alerts play.Alerts) *play.Report {
	t.Helper()
	seen, err := player.Play(t.Context(), p, to, alerts)
	if err != nil {
		t.Fatal(err)
	}
	return play.Check(p, seen)
}

// localStack returns a stack on this machine that checks signatures and forwards
// its alerts to r.
func localStack(t *testing.T, r *play.Receiver) *play.Target {
	t.Helper()
	folder := t.TempDir()
	secret := fmt.Sprintf(`{"token":%q,"signing_secret":%q}`, token, signingSecret)
	if err := os.WriteFile(filepath.Join(folder, "secret.json"), []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := local.Start(t.Context(), local.Config{
		Folder: folder,

		Address:      "127.0.0.1:0",
		ForwardURL:   r.URL,
		FirstPause:   time.Millisecond,
		LongestPause: 20 * time.Millisecond,
	}, logscan.Logger(t, token, signingSecret))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &play.Target{URL: s.URL, SigningSecret: signingSecret, Table: s.Store, Settled: s.Settled}
}
