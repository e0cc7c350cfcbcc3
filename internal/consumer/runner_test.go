package consumer_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/proof/logscan"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/bolt"
)

// recorder is a consumer that records the items it gets.
type recorder struct {
	// fail returns the result of an item, given how often it was tried before;
	// nil means success.
	fail func(name string, tries int) error

	mu      sync.Mutex
	tries   map[string]int
	order   []string // of first tries
	batches []int
	busy    map[string]bool // by key
	clashes int             // two batches with one key at once
}

func (r *recorder) process(_ context.Context, items []table.Item) []error {
	r.mu.Lock()
	keys := map[string]bool{}
	tries := make([]int, len(items))
	if r.tries == nil {
		r.tries, r.busy = map[string]int{}, map[string]bool{}
	}
	r.batches = append(r.batches, len(items))
	for i, it := range items {
		keys[table.KeyOf(it).PK] = true
		tries[i] = r.tries[nameOf(it)]
		if r.tries[nameOf(it)]++; tries[i] == 0 {
			r.order = append(r.order, nameOf(it))
		}
	}
	for key := range keys {
		if r.busy[key] {
			r.clashes++
		}
		r.busy[key] = true
	}
	r.mu.Unlock()

	for range 20 {
		runtime.Gosched() // so that a batch with the same key would meet this one
	}
	errs := make([]error, len(items))
	for i, it := range items {
		if r.fail != nil {
			errs[i] = r.fail(nameOf(it), tries[i])
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for key := range keys {
		delete(r.busy, key)
	}
	return errs
}

func (r *recorder) counts() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := make(map[string]int, len(r.tries))
	for name, n := range r.tries {
		counts[name] = n
	}
	return counts
}

func put(t *testing.T, s *bolt.Store, items ...table.Item) {
	t.Helper()
	for _, it := range items {
		if created, err := s.Put(t.Context(), it); err != nil || !created {
			t.Fatalf("put: %t, %v", created, err)
		}
	}
}

var quick = consumer.Options{Workers: 2, Batch: 10, FirstPause: time.Millisecond, LongestPause: 4 * time.Millisecond, MaxFailed: 1000}

// start starts consumers that stop at the end of the test.
func start(t *testing.T, feed consumer.Feed, o consumer.Options, consumers ...consumer.Consumer) *consumer.Runner {
	t.Helper()
	r, err := consumer.Start(t.Context(), feed, o, logscan.Logger(t), consumers...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(r) })
	return r
}

func stop(r *consumer.Runner) {
	r.Stop()
	<-r.Done()
}

// settle waits until the consumers are done; if they hang, so does the test.
func settle(t *testing.T, r *consumer.Runner) {
	t.Helper()
	if err := r.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// left returns what of the first n records is still in the feed.
func left(t *testing.T, s *bolt.Store, n uint64) (names []string) {
	t.Helper()
	var sequences []uint64
	for sequence := range n {
		sequences = append(sequences, sequence+1)
	}
	records, err := s.Records(t.Context(), sequences)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if r.Err == nil {
			names = append(names, nameOf(r.Item))
		}
	}
	return names
}

// One consumer that is stuck neither stops another nor repeats anything for it,
// and finds in the feed what it has not done.
func TestTheFeedIsTrimmedBehindTheSlowestConsumer(t *testing.T) {
	t.Parallel()
	s := tabletest.NewBolt(t)
	var alerts, followups recorder
	begun, free := make(chan struct{}), make(chan struct{})
	followups.fail = func(name string, tries int) error {
		if name == "a1" && tries == 0 {
			close(begun)
			<-free
		}
		return nil
	}
	r := start(t, s, quick,
		consumer.Consumer{Name: "alerts", Process: alerts.process},
		consumer.Consumer{Name: "followups", Process: followups.process},
	)
	put(t, s, item("a", "1"))
	<-begun
	put(t, s, item("b", "1"), item("c", "1"))
	awaitCheckpoint(t, s, "alerts", 3)
	all := []string{"a1", "b1", "c1"}
	if diff := cmp.Diff(all, left(t, s, 3)); diff != "" {
		t.Errorf("in the feed while one is stuck (-want +got):\n%s", diff)
	}
	if got, err := s.Checkpoint("followups"); got != 0 || err != nil {
		t.Errorf("checkpoint of the stuck consumer: %d, %v, want 0", got, err)
	}
	close(free)
	settle(t, r)
	if got := left(t, s, 3); len(got) > 0 {
		t.Errorf("in the feed after all is done: %v", got)
	}
	for name, c := range map[string]*recorder{"alerts": &alerts, "followups": &followups} {
		if diff := cmp.Diff(map[string]int{"a1": 1, "b1": 1, "c1": 1}, c.counts()); diff != "" {
			t.Errorf("tries of %s (-want +got):\n%s", name, diff)
		}
	}
}

func awaitCheckpoint(t *testing.T, s *bolt.Store, name string, want uint64) {
	t.Helper()
	for {
		got, err := s.Checkpoint(name)
		if err != nil {
			t.Fatal(err)
		}
		if got >= want {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// slowFeed sets no checkpoint until it may.
type slowFeed struct {
	*bolt.Store
	may chan struct{}
}

func (f slowFeed) SetCheckpoint(ctx context.Context, name string, sequence uint64) error {
	<-f.may
	return f.Store.SetCheckpoint(ctx, name, sequence)
}

func TestNobodyWaitsForACheckpoint(t *testing.T) {
	t.Parallel()
	s := tabletest.NewBolt(t)
	var r recorder
	feed, tried := slowFeed{s, make(chan struct{})}, make(chan struct{})
	r.fail = func(string, int) error {
		tried <- struct{}{}
		return nil
	}
	runner := start(t, feed, quick, consumer.Consumer{Name: "alerts", Process: r.process})
	for _, call := range []string{"a", "b", "c"} {
		put(t, s, item(call, "1"))
		<-tried
	}
	runner.Stop()
	close(feed.may)
	<-runner.Done()
	if got, err := s.Checkpoint("alerts"); got != 3 || err != nil {
		t.Errorf("checkpoint after the stop: %d, %v, want 3", got, err)
	}
}

// A failing consumer does not repeat anything for the other, not even after a
// restart, and is not repeated itself what it has done.
func TestAFailureIsTheConsumersOwn(t *testing.T) {
	t.Parallel()
	s := tabletest.NewBolt(t)
	put(t, s, item("a", "1"), item("b", "1"), item("c", "1"))
	tried := make(chan struct{}, 100)
	alerts := &recorder{}
	followups := &recorder{fail: func(name string, _ int) error {
		if name == "b1" {
			tried <- struct{}{}
			return errBusy
		}
		return nil
	}}
	r := start(t, s, quick,
		consumer.Consumer{Name: "alerts", Process: alerts.process},
		consumer.Consumer{Name: "followups", Process: followups.process},
	)
	<-tried
	<-tried
	awaitCheckpoint(t, s, "alerts", 3)
	stop(r)
	if err := r.Settled(t.Context()); !errors.Is(err, consumer.ErrStopped) {
		t.Errorf("Settled: %v, want %v", err, consumer.ErrStopped)
	}
	if diff := cmp.Diff(map[string]int{"a1": 1, "b1": 1, "c1": 1}, alerts.counts()); diff != "" {
		t.Errorf("tries of the alerts (-want +got):\n%s", diff)
	}
	if got := followups.counts(); got["a1"] != 1 || got["c1"] != 1 || got["b1"] < 2 {
		t.Errorf("tries of the follow-ups: %v, want b1 alone again", got)
	}

	// The checkpoint stands before what failed; what is behind it comes again.
	alerts, followups = &recorder{}, &recorder{}
	r = start(t, s, quick,
		consumer.Consumer{Name: "alerts", Process: alerts.process},
		consumer.Consumer{Name: "followups", Process: followups.process},
	)
	settle(t, r)
	if got := alerts.counts(); len(got) > 0 {
		t.Errorf("the alerts got %v again", got)
	}
	if diff := cmp.Diff(map[string]int{"b1": 1, "c1": 1}, followups.counts()); diff != "" {
		t.Errorf("the follow-ups got (-want +got):\n%s", diff)
	}
}

// Whatever fails, every item is done in the end, and no key is in two batches at
// once.
func TestEveryItemIsDoneAndNoKeyTwiceAtOnce(t *testing.T) {
	t.Parallel()
	const calls, events = 12, 25
	s := tabletest.NewBolt(t)
	c := &recorder{fail: func(name string, tries int) error {
		if tries < len(name)%3+int(name[0])%2 {
			return errBusy
		}
		return nil
	}}
	r := start(t, s, quick, consumer.Consumer{Name: "alerts", Process: c.process})
	var writers sync.WaitGroup
	for call := range calls {
		writers.Go(func() {
			for event := range events {
				put(t, s, item("abcdefghijkl"[call:call+1], fmt.Sprintf("%02d", event)))
			}
		})
	}
	writers.Wait()
	settle(t, r)
	if got := c.counts(); len(got) != calls*events {
		t.Errorf("%d items came, want %d", len(got), calls*events)
	}
	if c.clashes > 0 {
		t.Errorf("%d times one key was in two batches at once", c.clashes)
	}
	if most := slices.Max(c.batches); most > quick.Batch {
		t.Errorf("a batch of %d items, want %d at most", most, quick.Batch)
	}
	if got, err := s.Checkpoint("alerts"); got != calls*events || err != nil {
		t.Errorf("checkpoint %d, %v, want %d", got, err, calls*events)
	}
}

func TestWhatComesWhileAConsumerRestsIsOneBatch(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	var r recorder
	c := consumer.Consumer{Name: "all", Process: r.process, Every: time.Hour}
	runner := start(t, store, consumer.Options{
		Workers: 1, Batch: 100, FirstPause: time.Millisecond, LongestPause: time.Millisecond, MaxFailed: 1,
	}, c)
	put(t, store, item("first", "1"))
	for len(r.counts()) == 0 { // nobody asks for it, and it comes at once
		time.Sleep(time.Millisecond)
	}
	const more = 20
	for n := range more {
		put(t, store, item("more", fmt.Sprint(n)))
	}
	settle(t, runner) // who waits does not wait for an hour
	if want := []int{1, more}; !slices.Equal(r.batches, want) {
		t.Errorf("batches of %v items, want %v", r.batches, want)
	}
}

func TestFewItemsOfOneNumberAreInABatch(t *testing.T) {
	t.Parallel()
	s := tabletest.NewBolt(t)
	for n := range 30 {
		of := item(fmt.Sprintf("call%02d", n), "a")
		if n < 25 {
			of[table.GSI1PK] = attr.String("PHONE#+14155550100")
		}
		put(t, s, of)
	}
	c := new(recorder)
	o := quick
	o.Workers, o.Batch = 1, 100
	settle(t, start(t, s, o, consumer.Consumer{Name: "alerts", Process: c.process}))
	if diff := cmp.Diff([]int{10, 10, 10}, c.batches); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
}

func TestItemsOfOneKeyAreFirstTriedInOrder(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		key  func(table.Item) string
		want func(order []string) map[string][]string // by key
	}{
		"by call":        {nil, func(order []string) map[string][]string { return grouped(order, 0) }},
		"by another key": {func(i table.Item) string { return table.KeyOf(i).SK }, func(order []string) map[string][]string { return grouped(order, 1) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := tabletest.NewBolt(t)
			var names []string
			for event := range 10 {
				for call := range 8 {
					it := item(string(rune('a'+call)), fmt.Sprint(event))
					put(t, s, it)
					names = append(names, nameOf(it))
				}
			}
			c := &recorder{fail: func(name string, tries int) error {
				if tries == 0 && strings.HasSuffix(name, "3") {
					return errBusy
				}
				return nil
			}}
			o := quick
			o.FirstPause = time.Hour // no retries in between
			start(t, s, o, consumer.Consumer{Name: "alerts", Key: tc.key, Process: c.process})
			for len(c.counts()) < len(names) {
				time.Sleep(time.Millisecond)
			}
			if diff := cmp.Diff(tc.want(names), tc.want(c.order)); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
		})
	}
}

// grouped groups names by one of their letters.
func grouped(names []string, letter int) map[string][]string {
	groups := map[string][]string{}
	for _, name := range names {
		key := name[letter : letter+1]
		groups[key] = append(groups[key], name)
	}
	return groups
}

// A retry that hangs does not hold up new items, except those of its key.
func TestNewItemsDoNotWaitForRetries(t *testing.T) {
	t.Parallel()
	s := tabletest.NewBolt(t)
	hanging, free := make(chan struct{}), make(chan struct{})
	c := &recorder{}
	c.fail = func(name string, tries int) error {
		if name != "a1" {
			return nil
		}
		if tries == 0 {
			return errBusy
		}
		close(hanging)
		<-free
		return nil
	}
	r := start(t, s, quick, consumer.Consumer{Name: "alerts", Process: c.process})
	put(t, s, item("a", "1"))
	<-hanging
	put(t, s, item("a", "2"), item("b", "1"))
	for c.counts()["b1"] == 0 {
		time.Sleep(time.Millisecond)
	}
	if got := c.counts()["a2"]; got > 0 {
		t.Error("an item is processed while another with its key is")
	}
	close(free)
	settle(t, r)
	if diff := cmp.Diff(map[string]int{"a1": 2, "a2": 1, "b1": 1}, c.counts()); diff != "" {
		t.Errorf("tries (-want +got):\n%s", diff)
	}
}

func TestWhatCanNeverBeProcessedIsPassedOver(t *testing.T) {
	t.Parallel()
	s := tabletest.NewBolt(t)
	put(t, s, item("a", "1"), item("b", "1"), item("c", "1"))
	c := &recorder{fail: func(name string, _ int) error {
		if name == "b1" {
			return fmt.Errorf("%w: odd", consumer.ErrPermanent)
		}
		return nil
	}}
	r := start(t, s, quick, consumer.Consumer{
		Name: "alerts", Process: c.process,
		Wants: func(i table.Item) bool { return nameOf(i) != "c1" },
	})
	settle(t, r)
	if diff := cmp.Diff(map[string]int{"a1": 1, "b1": 1}, c.counts()); diff != "" {
		t.Errorf("tries (-want +got):\n%s", diff)
	}
	if got := left(t, s, 3); len(got) > 0 {
		t.Errorf("in the feed: %v", got)
	}
}

// faultyFeed fails the first calls of each kind.
type faultyFeed struct {
	*bolt.Store

	mu    sync.Mutex
	calls map[string]int
}

func (f *faultyFeed) fault(call string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls[call]++; f.calls[call] <= 3 {
		return table.ErrUnavailable
	}
	return nil
}

func (f *faultyFeed) Feed(ctx context.Context, after uint64, limit int) ([]consumer.Record, error) {
	if err := f.fault("Feed"); err != nil {
		return nil, err
	}
	return f.Store.Feed(ctx, after, limit)
}

func (f *faultyFeed) Records(ctx context.Context, sequences []uint64) ([]consumer.Record, error) {
	if err := f.fault("Records"); err != nil {
		return nil, err
	}
	return f.Store.Records(ctx, sequences)
}

func (f *faultyFeed) SetCheckpoint(ctx context.Context, name string, sequence uint64) error {
	if err := f.fault("SetCheckpoint"); err != nil {
		return err
	}
	return f.Store.SetCheckpoint(ctx, name, sequence)
}

func TestAFeedThatFailsForATimeLosesNothing(t *testing.T) {
	t.Parallel()
	s := tabletest.NewBolt(t)
	put(t, s, item("a", "1"), item("b", "1"))
	c := &recorder{fail: func(name string, tries int) error {
		if name == "a1" && tries == 0 {
			return errBusy
		}
		return nil
	}}
	r := start(t, &faultyFeed{Store: s, calls: map[string]int{}}, quick, consumer.Consumer{Name: "alerts", Process: c.process})
	settle(t, r)
	if diff := cmp.Diff(map[string]int{"a1": 2, "b1": 1}, c.counts()); diff != "" {
		t.Errorf("tries (-want +got):\n%s", diff)
	}
}

// A batch without one result for each item is not done.
func TestTheWrongNumberOfResultsIsRetried(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 3} {
		s := tabletest.NewBolt(t)
		put(t, s, item("a", "1"), item("a", "2"))
		c := &recorder{}
		calls := 0
		r := start(t, s, quick, consumer.Consumer{
			Name: "alerts",
			Process: func(ctx context.Context, items []table.Item) []error {
				errs := c.process(ctx, items)
				if calls++; calls == 1 {
					return make([]error, n)
				}
				return errs
			},
		})
		settle(t, r)
		if diff := cmp.Diff(map[string]int{"a1": 2, "a2": 2}, c.counts()); diff != "" {
			t.Errorf("tries after %d results (-want +got):\n%s", n, diff)
		}
	}
}

// A stop does not interrupt a batch: an alert that was published must be marked.
func TestAStopDoesNotEndTheContextOfABatch(t *testing.T) {
	t.Parallel()
	s := tabletest.NewBolt(t)
	put(t, s, item("a", "1"))
	begun, free := make(chan struct{}), make(chan struct{})
	var ended error
	r := start(t, s, quick, consumer.Consumer{
		Name: "alerts",
		Process: func(ctx context.Context, _ []table.Item) []error {
			close(begun)
			<-free
			ended = ctx.Err()
			return []error{nil}
		},
	})
	<-begun
	r.Stop()
	close(free)
	<-r.Done()
	if ended != nil {
		t.Errorf("the batch's context has ended: %v", ended)
	}
	if got, err := s.Checkpoint("alerts"); got != 1 || err != nil {
		t.Errorf("checkpoint %d, %v, want 1", got, err)
	}
}

// readFeed reports that the records up to a sequence are read: their checkpoint
// is set, and the next ones are asked for.
type readFeed struct {
	*bolt.Store

	upTo uint64
	read chan struct{}
}

func (f *readFeed) Feed(ctx context.Context, after uint64, limit int) ([]consumer.Record, error) {
	if after == f.upTo {
		close(f.read)
	}
	return f.Store.Feed(ctx, after, limit)
}

// A retry that fails goes to the end of the queue, so the oldest failed record is
// not the next one to retry.
func TestTheCheckpointStaysBeforeTheOldestFailure(t *testing.T) {
	t.Parallel()
	s := tabletest.NewBolt(t)
	put(t, s, item("a", "1"), item("b", "1"))
	hanging, free := make(chan struct{}), make(chan struct{})
	c := &recorder{fail: func(name string, tries int) error {
		switch {
		case name == "b1" && tries == 1: // a1 has failed again
			close(hanging)
			<-free
		case name == "c1":
			return nil
		}
		return errBusy
	}}
	o := quick
	o.Batch = 1
	feed := &readFeed{Store: s, upTo: 3, read: make(chan struct{})}
	start(t, feed, o, consumer.Consumer{Name: "alerts", Process: c.process})
	<-hanging
	put(t, s, item("c", "1"))
	<-feed.read
	if got, err := s.Checkpoint("alerts"); got != 0 || err != nil {
		t.Errorf("checkpoint %d, %v, want 0: a1 is not done", got, err)
	}
	close(free)
}

func TestStartChecksItsConfiguration(t *testing.T) {
	t.Parallel()
	s := tabletest.NewBolt(t)
	alerts := consumer.Consumer{Name: "alerts"}
	for name, tc := range map[string]struct {
		change    func(*consumer.Options)
		consumers []consumer.Consumer
	}{
		"no workers":       {func(o *consumer.Options) { o.Workers = 0 }, []consumer.Consumer{alerts}},
		"no batch":         {func(o *consumer.Options) { o.Batch = 0 }, []consumer.Consumer{alerts}},
		"no first pause":   {func(o *consumer.Options) { o.FirstPause = 0 }, []consumer.Consumer{alerts}},
		"no longest pause": {func(o *consumer.Options) { o.LongestPause = -1 }, []consumer.Consumer{alerts}},
		"no failures":      {func(o *consumer.Options) { o.MaxFailed = 0 }, []consumer.Consumer{alerts}},
		"no name":          {func(*consumer.Options) {}, []consumer.Consumer{alerts, {}}},
		"one name twice":   {func(*consumer.Options) {}, []consumer.Consumer{alerts, {Name: "followups"}, alerts}},
	} {
		o := quick
		tc.change(&o)
		if _, err := consumer.Start(t.Context(), s, o, logscan.Logger(t), tc.consumers...); !errors.Is(err, consumer.ErrConfig) {
			t.Errorf("%s: %v, want %v", name, err, consumer.ErrConfig)
		}
	}
}

func TestStartNeedsTheFeed(t *testing.T) {
	t.Parallel()
	s := tabletest.NewBolt(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := consumer.Start(t.Context(), s, quick, logscan.Logger(t), consumer.Consumer{Name: "alerts"}); !errors.Is(err, table.ErrUnavailable) {
		t.Errorf("Start: %v, want %v", err, table.ErrUnavailable)
	}
	if _, err := consumer.Start(t.Context(), tabletest.NewBolt(t), quick, logscan.Logger(t)); !errors.Is(err, bolt.ErrConsumer) {
		t.Errorf("Start: %v, want %v", err, bolt.ErrConsumer)
	}
}
