package storm_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
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
	"github.com/ringback/ringback/internal/proof/storm"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// patience is how long a test waits for what should come at once.
const patience = 20 * time.Second

// small is a mix that is played in a moment.
var small = storm.Mix{Seed: 1, Deliveries: 200, Duplicates: 30, Strays: 25}

func TestALocalStackKeepsItsPromisesThoughMuchIsLost(t *testing.T) {
	t.Parallel()
	p := plan(t, small)
	r := receiver(t, storm.Faults(1, 20))
	var done, answered atomic.Int64
	player := impatient()
	player.Loss = 20
	player.Done = func() { done.Add(1) }
	player.Answered = func(n int) {
		for last := answered.Load(); int64(n) > last && !answered.CompareAndSwap(last, int64(n)); last = answered.Load() {
		}
	}
	got := play(t, player, p, localStack(t, r), r)
	if err := got.Err(); err != nil {
		t.Errorf("%v\n%s", err, strings.Join(got.Examples, "\n"))
	}
	if got.PublishFailed == 0 || got.LostThere == 0 || got.LostBack == 0 {
		t.Errorf("%d tries to publish failed, %d and %d posts were lost", got.PublishFailed, got.LostThere, got.LostBack)
	}
	if got.Stored != 140 || got.Alerted != len(p.Alerts()) || got.Alerted == 0 || got.Strays != 50 || got.Rejections < 25 {
		t.Errorf("%d stored, %d alerted, %d strays, %d rejections", got.Stored, got.Alerted, got.Strays, got.Rejections)
	}
	if diff := cmp.Diff(map[int]int{200: 200}, got.Statuses); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	if got.Latency.P50 <= 0 || got.PerSecond <= 0 || got.Delay.P99 <= 0 {
		t.Errorf("latency %v, %v per second, delay %v", got.Latency, got.PerSecond, got.Delay)
	}
	if n := done.Load(); n != 200 {
		t.Errorf("Done was called %d times", n)
	}
	if n := answered.Load(); n != int64(200+got.LostBack) {
		t.Errorf("Answered was called with %d in the end, of %d answers", n, 200+got.LostBack)
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
			p := plan(t, storm.Mix{Seed: 2, Deliveries: 40})
			got := play(t, impatient(), p, s.target(), s)
			var want [3]storm.Retried
			for _, d := range p.Deliveries {
				of := &want[d.Schedule]
				of.Deliveries++
				of.GivenUp++
				of.Posts += tc.tries[d.Schedule]
				if tc.tries[d.Schedule] > 1 {
					of.Retried++
				}
			}
			if diff := cmp.Diff(want, got.Schedules); diff != "" {
				t.Errorf("schedules (-want +got):\n%s", diff)
			}
			if !errors.Is(got.Err(), storm.ErrBroken) || got.GivenUp != 40 || got.Lost != 40 {
				t.Errorf("%v, %d given up, %d lost, want 40", got.Err(), got.GivenUp, got.Lost)
			}
			if len(s.requests()) != got.Posts {
				t.Errorf("%d requests arrived, %d were posted", len(s.requests()), got.Posts)
			}
		})
	}
}

func TestWhatIsAnswered200InTheEndIsNotGivenUp(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.before = func(r request) int { return []int{503, cut, 429, 0}[min(r.try, 4)-1] }
	got := play(t, impatient(), plan(t, storm.Mix{Seed: 2, Deliveries: 60}), s.target(), s)
	if err := got.Err(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[int]int{0: 60, 200: 60, 429: 60, 503: 60}, got.Statuses); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

func TestTheSchedulesPausesAreKept(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.before = func(request) int { return http.StatusInternalServerError }
	p := plan(t, storm.Mix{Seed: 1, Deliveries: 60})
	player := storm.NewPlayer(8, patience)
	player.Minute = 2 * time.Millisecond
	play(t, player, p, s.target(), s)
	arrived := map[string][]time.Time{}
	for _, r := range s.requests() {
		arrived[r.body] = append(arrived[r.body], r.at)
	}
	seen := map[storm.Schedule]bool{}
	for _, d := range p.Deliveries {
		seen[d.Schedule] = true
		times := arrived[string(d.Body)]
		if len(times) != d.Schedule.Tries() {
			t.Fatalf("%s: %d tries", d.Schedule, len(times))
		}
		for try := range times[1:] {
			pause, _ := d.Schedule.Pause(try, 0) // the shortest
			want := pause * player.Minute / time.Minute
			if got := times[try+1].Sub(times[try]); got < want {
				t.Errorf("%s: try %d comes %v after the one before, want %v", d.Schedule, try+1, got, want)
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
	p := plan(t, storm.Mix{Seed: 2, Deliveries: 40})
	s.before = func(r request) int {
		if r.body == string(p.Deliveries[0].Body) && r.try == 1 {
			return http.StatusServiceUnavailable
		}
		return 0
	}
	player := storm.NewPlayer(1, patience)
	player.Minute = time.Second
	if err := play(t, player, p, s.target(), s).Err(); err != nil {
		t.Error(err)
	}
	between := 0
	for _, r := range s.requests()[1:] {
		if r.try == 2 {
			break
		}
		between++
	}
	if between < 5 {
		t.Errorf("%d deliveries between a try and the next, of one worker", between)
	}
}

func TestARateIsNotExceeded(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	player := storm.NewPlayer(8, patience)
	player.Rate = 200
	got := play(t, player, plan(t, storm.Mix{Seed: 2, Deliveries: 40, Strays: 20}), s.target(), s)
	if err := got.Err(); err != nil {
		t.Error(err)
	}
	if got.Rate != player.Rate || got.PerSecond > 40.0/39*player.Rate {
		t.Errorf("%.1f a second, want no more than %.1f", got.PerSecond, player.Rate)
	}
}

func TestTriesAreLostOnTheWayThereAndBack(t *testing.T) {
	t.Parallel()
	p := plan(t, storm.Mix{Seed: 2, Deliveries: 60})
	var reports []*storm.Report
	for _, concurrency := range []int{1, 8} {
		s := newStack(t)
		player := impatient()
		player.Concurrency = concurrency
		player.Loss = 100
		got := play(t, player, p, s.target(), s)
		if err := got.Err(); err != nil {
			t.Error(err) // third tries are not lost
		}
		if got.LostThere+got.LostBack != 120 || min(got.LostThere, got.LostBack) < 40 {
			t.Errorf("%d are lost on the way there and %d on the way back, want half of 120 each", got.LostThere, got.LostBack)
		}
		if want := 60 + got.LostBack; len(s.requests()) != want || got.Posts != want {
			t.Errorf("%d arrived and %d were posted, want %d", len(s.requests()), got.Posts, want)
		}
		if diff := cmp.Diff(map[int]int{200: 60}, got.Statuses); diff != "" {
			t.Errorf("answers (-want +got):\n%s", diff)
		}
		reports = append(reports, got)
	}
	if diff := cmp.Diff(reports[0].Schedules, reports[1].Schedules); diff != "" {
		t.Errorf("what is lost depends on the order (-one by one +eight at a time):\n%s", diff)
	}
}

func TestEveryDeliveryOfFormatBIsSignedAndARetryRepeatsTheSignature(t *testing.T) {
	t.Parallel()
	const signed = "https://example.com/justcall/" + token
	s := newStack(t)
	s.before = func(r request) int { return []int{503, 200}[r.try-1] }
	target := s.target()
	target.SignedURL = signed
	p := plan(t, storm.Mix{Seed: 2, Deliveries: 60})
	player := impatient()
	clock := start.Add(time.Hour)
	var mu sync.Mutex
	player.Now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		clock = clock.Add(time.Second)
		return clock
	}
	play(t, player, p, target, s)
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
		if d.Format != events.FormatB {
			if signature != (events.Signature{}) {
				t.Errorf("format %s is signed: %v", d.Format, signature)
			}
			continue
		}
		if err := events.Verify(signature, signed, d.Type, events.Tolerance{Past: time.Hour}, clock, signingSecret); err != nil {
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
	got := play(t, impatient(), plan(t, storm.Mix{Seed: 2, Deliveries: 60, Strays: 100}), target, open)
	for _, r := range open.requests() {
		if r.header.Get(events.HeaderSignature) != "" {
			t.Error("signed without a secret")
		}
	}
	if got.Unposted < 10 || got.Strays+got.Unposted != 60 {
		t.Errorf("%d strays are posted and %d left out, though nothing is signed", got.Strays, got.Unposted)
	}
}

func TestAStrayIsPostedTwiceAndAgainWhereTheStackIsHindered(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	p := plan(t, storm.Mix{Seed: 2, Deliveries: 60, Strays: 100})
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
	got := play(t, impatient(), p, s.target(), s)
	// A probe is like another one, and has tries of its own only as long as there
	// are not too many of them.
	if got.Otherwise > 3 || got.Unkept != 0 || got.Strays != 60 {
		t.Errorf("%d strays, %d of them answered otherwise, %d rejections missing:\n%s",
			got.Strays, got.Otherwise, got.Unkept, strings.Join(got.Examples, "\n"))
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
	p := plan(t, storm.Mix{Seed: 1, Deliveries: 60})
	var dropped string
	for id := range p.Alerts() {
		dropped = max(dropped, id)
	}
	r := receiver(t, func(id string, _ int) bool { return id == dropped })
	player := impatient()
	player.Wait = 1500 * time.Millisecond
	got := play(t, player, p, localStack(t, r), r)
	if !errors.Is(got.Err(), storm.ErrBroken) || got.Missing != 1 || got.Lost != 0 {
		t.Errorf("%v, %d missing, want 1", got.Err(), got.Missing)
	}
	if diff := cmp.Diff([]string{"not alerted: " + dropped}, got.Examples); diff != "" {
		t.Errorf("examples (-want +got):\n%s", diff)
	}
	if !errors.Is(got.Unsettled, context.DeadlineExceeded) {
		t.Errorf("unsettled: %v", got.Unsettled)
	}
}

func TestWhatIsSpilledIsLookedUpAgain(t *testing.T) {
	t.Parallel()
	p := plan(t, storm.Mix{Seed: 2, Deliveries: 25, Strays: 100})
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
			got := play(t, player, p, target, s)
			if ok := got.Lost == 0 && got.Unkept == 0; ok != tc.ok {
				t.Errorf("%d lost, %d rejections missing", got.Lost, got.Unkept)
			}
		})
	}
}

func isEvent(item table.Item) bool { return table.Text(item, table.Event) != "" }

func isRejection(item table.Item) bool {
	return strings.HasPrefix(table.Text(item, table.PK), "REJECTED#")
}

func TestRejectionsOfTwoDaysAreFound(t *testing.T) {
	t.Parallel()
	p := plan(t, storm.Mix{Seed: 1, Deliveries: 60, Strays: 100})
	s := newStack(t)
	midnight := time.Date(2026, time.March, 21, 0, 0, 0, 0, time.UTC)
	var asked atomic.Int64
	clock := func() time.Time {
		return midnight.Add(-time.Second + time.Duration(asked.Add(1))*time.Millisecond)
	}
	player := impatient()
	player.Now, s.webhook.Now = clock, clock
	got := play(t, player, p, s.target(), s)
	if err := got.Err(); err != nil {
		t.Errorf("%v\n%s", err, strings.Join(got.Examples, "\n"))
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
		p := plan(t, storm.Mix{Seed: seed, Deliveries: 400, Duplicates: 30, Strays: 2})
		got := play(t, impatient(), p, s.target(), s.fromNow())
		if err := got.Err(); err != nil {
			t.Errorf("seed %d: %v\n%s", seed, err, strings.Join(got.Examples, "\n"))
		}
		if _, err := impatient().Play(t.Context(), p, s.target(), s); !errors.Is(err, storm.ErrPlayed) {
			t.Errorf("seed %d again: error %v, want %v", seed, err, storm.ErrPlayed)
		}
	}
}

func TestWhatIsInThePlansPlaceIsNotPlayedAgainst(t *testing.T) {
	t.Parallel()
	p := plan(t, storm.Mix{Seed: 1, Deliveries: 60, Strays: 100})
	find := func(partition string, whole bool) table.Key {
		i := slices.IndexFunc(p.Events, func(e storm.Event) bool { return strings.HasPrefix(e.Key.PK, partition) })
		key := p.Events[i].Key
		if !whole {
			key.SK += "x"
		}
		return key
	}
	stray := p.Strays[slices.IndexFunc(p.Strays, func(s storm.Stray) bool { return s.Key != table.Key{} })].Key
	for _, tc := range []struct {
		name string
		key  table.Key
		want error
	}{
		{"an event of the plan's", find("MESSAGE#", true), storm.ErrPlayed},
		{"another one of the same message", find("MESSAGE#", false), storm.ErrPlayed},
		{"an event of the plan's, of no call", find("EVENT#", true), storm.ErrPlayed},
		{"another one of the same type, of no call", find("EVENT#", false), nil},
		{"a stray", stray, storm.ErrPlayed},
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
			if err := storm.Check(p, seen).Err(); err != nil {
				t.Errorf("what was there before is blamed on the stack: %v", err)
			}
		})
	}
}

func TestAFreshTableIsNotLookedAt(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	p := plan(t, storm.Mix{Seed: 2, Deliveries: 20})
	play(t, impatient(), p, s.target(), s)
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
		_, err := impatient().Play(t.Context(), plan(t, storm.Mix{Seed: 2, Deliveries: 20}), target, s)
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
	_, err := impatient().Play(t.Context(), plan(t, storm.Mix{Seed: 2, Deliveries: 20}), target, s)
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
	_, err := impatient().Play(t.Context(), plan(t, storm.Mix{Seed: 2, Deliveries: 20}), target, s)
	if !errors.Is(err, errBusy) || !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("error %v, want %v and %v", err, errBusy, table.ErrUnavailable)
	}
}

func TestARateThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for _, rate := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 1e-300, storm.MaxRate * 2} {
		player := impatient()
		player.Rate = rate
		_, err := player.Play(t.Context(), plan(t, storm.Mix{Seed: 2, Deliveries: 20}), s.target(), s)
		if !errors.Is(err, storm.ErrRate) {
			t.Errorf("%v: error %v, want %v", rate, err, storm.ErrRate)
		}
	}
	if len(s.requests()) > 0 {
		t.Errorf("%d were posted", len(s.requests()))
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
	player := storm.NewPlayer(4, patience)
	s.before = func(r request) int {
		if r.try == 1 {
			return http.StatusServiceUnavailable // to be posted again, much later
		}
		cancel(stopped)
		return 0
	}
	player.Minute = 20 * time.Millisecond
	_, err := player.Play(ctx, plan(t, storm.Mix{Seed: 2, Deliveries: 400}), s.target(), s)
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
		got := play(t, impatient(), plan(t, storm.Mix{Deliveries: 2, Strays: 100}), target, s)
		if got.NoAnswer == nil || got.GivenUp != 2 || got.Otherwise != 2 {
			t.Errorf("%q: %d given up, %d strays, %v", base, got.GivenUp, got.Otherwise, got.NoAnswer)
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

// impatient returns a player that hardly pauses.
func impatient() *storm.Player {
	p := storm.NewPlayer(8, patience)
	p.Minute = 50 * time.Microsecond
	return p
}

func play(t *testing.T, player *storm.Player, p *storm.Plan, to storm.Target, alerts storm.Alerts) *storm.Report {
	t.Helper()
	seen, err := player.Play(t.Context(), p, to, alerts)
	if err != nil {
		t.Fatal(err)
	}
	return storm.Check(p, seen)
}

// localStack returns a stack on this machine that checks signatures and forwards
// its alerts to r.
func localStack(t *testing.T, r *storm.Receiver) storm.Target {
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
	return storm.Target{URL: s.URL, SigningSecret: signingSecret, Table: s.Store, Settled: s.Settled}
}
