package bolt_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/proof/tabletest"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/bolt"
	"github.com/ringback/ringback/internal/table/schema"
)

// Buckets of the file.
const (
	rowsBucket      = "rows"
	feedBucket      = "feed"
	consumersBucket = "consumers"
)

// alerts is the name of a consumer.
const alerts = "alerts"

func TestTheFeedHasEveryNewItemInTheOrderOfThePuts(t *testing.T) {
	t.Parallel()
	s := tabletest.OpenBolt(t, storePath(t))
	for _, sk := range []string{"b", "a", "b", "c", "a"} { // repeated keys are no new items
		putItems(t, s, sk)
	}
	records := read(t, s, 0, 10)
	if diff := cmp.Diff([]string{"b", "a", "c"}, keysOf(records)); diff != "" {
		t.Errorf("feed (-want +got):\n%s", diff)
	}
	for i, r := range records {
		if r.Err != nil || i > 0 && r.Sequence <= records[i-1].Sequence {
			t.Errorf("record %d: sequence %d, %v", i, r.Sequence, r.Err)
		}
		if got := len(table.Text(r.Item, "payload")); got != 500 {
			t.Errorf("record %d: a payload of %d bytes, want the whole item", i, got)
		}
	}
	if diff := cmp.Diff([]string{"a", "c"}, keysOf(read(t, s, records[0].Sequence, 10))); diff != "" {
		t.Errorf("after the first (-want +got):\n%s", diff)
	}
	end, err := s.End()
	if want := records[2].Sequence; end != want || err != nil {
		t.Errorf("End = %d, %v, want %d", end, err, want)
	}
}

func TestFeedReturnsNoMoreThanAsked(t *testing.T) {
	t.Parallel()
	s := tabletest.OpenBolt(t, storePath(t))
	putItems(t, s, "1", "2", "3")
	for limit, want := range map[int]int{0: 3, 1: 1, 2: 2, 3: 3, 4: 3} {
		if got := len(read(t, s, 0, limit)); got != want {
			t.Errorf("limit %d: %d records, want %d", limit, got, want)
		}
	}

	large := tabletest.OpenBolt(t, storePath(t))
	for i := range 12 {
		item := indexed(fmt.Sprint(i))
		item["payload"] = str(strings.Repeat("x", 300<<10))
		if _, err := large.Put(t.Context(), item); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(read(t, large, 0, 0)); got != 4 {
		t.Errorf("%d records of 300 KB, want the 4 of a page", got)
	}
}

func TestRecordsAreReadBySequence(t *testing.T) {
	t.Parallel()
	s := tabletest.OpenBolt(t, storePath(t))
	register(t, s, alerts)
	putItems(t, s, "1", "2", "3", "4")
	if err := s.SetCheckpoint(t.Context(), alerts, 1); err != nil {
		t.Fatal(err)
	}
	records, err := s.Records(t.Context(), []uint64{4, 1, 2, 99, 2})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"4", "", "2", "", "2"}, keysOf(records)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	for i, want := range []uint64{4, 1, 2, 99, 2} {
		r := records[i]
		if broken := r.Item == nil; r.Sequence != want || broken != errors.Is(r.Err, bolt.ErrRecord) {
			t.Errorf("record %d: sequence %d, %v", i, r.Sequence, r.Err)
		}
	}
	if got, err := s.Records(t.Context(), nil); len(got) != 0 || err != nil {
		t.Errorf("no sequences: %v, %v, want none", got, err)
	}
}

func TestFeedWaitsForTheNextPut(t *testing.T) {
	t.Parallel()
	s := tabletest.OpenBolt(t, storePath(t))
	for i := range 20 {
		after, err := s.End()
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan []consumer.Record)
		go func() { got <- read(t, s, after, 0) }()
		putItems(t, s, fmt.Sprint(i))
		if diff := cmp.Diff([]string{fmt.Sprint(i)}, keysOf(<-got)); diff != "" {
			t.Errorf("feed (-want +got):\n%s", diff)
		}
	}
}

func TestFeedStopsWaiting(t *testing.T) {
	t.Parallel()
	canceled, cancel := context.WithCancel(t.Context())
	late, done := context.WithTimeout(t.Context(), time.Millisecond)
	t.Cleanup(done)
	for _, tc := range []struct {
		name string
		ctx  context.Context
		stop func(*bolt.Store) error
		want error
	}{
		{"when the context is cancelled", canceled, func(*bolt.Store) error { cancel(); return nil }, context.Canceled},
		{"at the deadline", late, func(*bolt.Store) error { return nil }, context.DeadlineExceeded},
		{"when the store is closed", t.Context(), (*bolt.Store).Close, table.ErrUnavailable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := tabletest.OpenBolt(t, storePath(t))
			stopped := make(chan error)
			go func() {
				_, err := s.Feed(tc.ctx, 0, 0)
				stopped <- err
			}()
			if err := tc.stop(s); err != nil {
				t.Fatal(err)
			}
			if err := <-stopped; !errors.Is(err, tc.want) {
				t.Errorf("Feed: %v, want %v", err, tc.want)
			}
		})
	}
}

func TestAClosedStoreHasNoFeed(t *testing.T) {
	t.Parallel()
	s := tabletest.OpenBolt(t, storePath(t))
	putItems(t, s, "1")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"Feed":          func() error { _, err := s.Feed(t.Context(), 0, 0); return err },
		"Records":       func() error { _, err := s.Records(t.Context(), []uint64{1}); return err },
		"End":           func() error { _, err := s.End(); return err },
		"Register":      func() error { return s.Register(t.Context(), alerts) },
		"Checkpoint":    func() error { _, err := s.Checkpoint(alerts); return err },
		"SetCheckpoint": func() error { return s.SetCheckpoint(t.Context(), alerts, 1) },
	} {
		if err := call(); !errors.Is(err, table.ErrUnavailable) {
			t.Errorf("%s: %v, want %v", name, err, table.ErrUnavailable)
		}
	}
}

func TestACheckpointIsKeptAndNeverGoesBack(t *testing.T) {
	t.Parallel()
	path := storePath(t)
	s := tabletest.OpenBolt(t, path)
	register(t, s, alerts)
	putItems(t, s, "1", "2", "3")
	for _, step := range []struct{ set, want uint64 }{{0, 0}, {2, 2}, {1, 2}, {2, 2}, {3, 3}} {
		if err := s.SetCheckpoint(t.Context(), alerts, step.set); err != nil {
			t.Fatal(err)
		}
		wantCheckpoint(t, s, alerts, step.want)
	}
	wantCheckpoint(t, s, "another", 0)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantCheckpoint(t, tabletest.OpenBolt(t, path), alerts, 3)
}

// A refused checkpoint must not undo the writes that share its commit.
func TestAnUnusableCheckpointChangesNothing(t *testing.T) {
	t.Parallel()
	s := tabletest.OpenBolt(t, storePath(t))
	register(t, s, alerts)
	putItems(t, s, "1")
	var wg sync.WaitGroup
	for writer := range 8 {
		wg.Go(func() {
			for i := range 20 {
				if created, err := s.Put(t.Context(), indexed(fmt.Sprintf("%d-%d", writer, i))); !created || err != nil {
					t.Errorf("Put = %t, %v, want true, nil", created, err)
				}
			}
		})
		wg.Go(func() {
			for range 20 {
				if err := s.SetCheckpoint(t.Context(), alerts, 1<<40); !errors.Is(err, bolt.ErrConsumer) {
					t.Errorf("past the end: %v, want %v", err, bolt.ErrConsumer)
				}
			}
		})
	}
	wg.Wait()
	for _, name := range []string{"", "unregistered"} {
		if err := s.SetCheckpoint(t.Context(), name, 1); !errors.Is(err, bolt.ErrConsumer) {
			t.Errorf("of %q: %v, want %v", name, err, bolt.ErrConsumer)
		}
	}
	wantCheckpoint(t, s, alerts, 0)
	if got := len(read(t, s, 0, 0)); got != 161 {
		t.Errorf("%d records, want 161", got)
	}
}

func TestWhatEveryConsumerHasPassedLeavesTheFeed(t *testing.T) {
	t.Parallel()
	path := storePath(t)
	s := tabletest.OpenBolt(t, path)
	register(t, s, "slow", "fast")
	putItems(t, s, "1", "2", "3", "4")
	for _, step := range []struct {
		consumer string
		set      uint64
		want     []string
	}{
		{"fast", 3, []string{"1", "2", "3", "4"}},
		{"slow", 1, []string{"2", "3", "4"}},
		{"slow", 4, []string{"4"}},
		{"fast", 4, nil},
	} {
		if err := s.SetCheckpoint(t.Context(), step.consumer, step.set); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, inFeed(t, s)); diff != "" {
			t.Errorf("%s at %d (-want +got):\n%s", step.consumer, step.set, diff)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	// Sequences go on although the feed is empty.
	s = tabletest.OpenBolt(t, path)
	putItems(t, s, "5")
	if got := read(t, s, 0, 0); len(got) != 1 || got[0].Sequence != 5 {
		t.Errorf("the next record: %+v, want sequence 5", got)
	}
	// The items stay.
	if diff := cmp.Diff([]string{"1", "2", "3", "4", "5"}, sortKeys(t, s, table.Query{Partition: "CALL#1"})); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

// Versions of ringback may have different consumers, and share a file.
func TestAConsumerThatIsNoLongerRegisteredDoesNotHoldTheFeed(t *testing.T) {
	t.Parallel()
	path := storePath(t)
	s := tabletest.OpenBolt(t, path)
	register(t, s, alerts, "stuck")
	putItems(t, s, "1", "2", "3")
	if err := s.SetCheckpoint(t.Context(), alerts, 2); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1", "2", "3"}, inFeed(t, s)); diff != "" {
		t.Errorf("while it is registered (-want +got):\n%s", diff)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = tabletest.OpenBolt(t, path)
	register(t, s, "new", alerts)
	if diff := cmp.Diff([]string{"1", "2", "3"}, inFeed(t, s)); diff != "" {
		t.Errorf("a new consumer begins with what is left (-want +got):\n%s", diff)
	}
	register(t, s, alerts)
	if diff := cmp.Diff([]string{"3"}, inFeed(t, s)); diff != "" {
		t.Errorf("without the others (-want +got):\n%s", diff)
	}
	wantCheckpoint(t, s, alerts, 2)
	wantCheckpoint(t, s, "stuck", 0)
	for _, names := range [][]string{nil, {""}, {alerts, ""}, {alerts, "stuck", alerts}} {
		if err := s.Register(t.Context(), names...); !errors.Is(err, bolt.ErrConsumer) {
			t.Errorf("Register(%q): %v, want %v", names, err, bolt.ErrConsumer)
		}
	}
}

// A consumer that comes back after a long time must not hold up the writers, and
// the feed must shrink again.
func TestALongFeedIsTrimmedBitByBit(t *testing.T) {
	t.Parallel()
	const items = 5000
	s := tabletest.OpenBolt(t, storePath(t))
	register(t, s, alerts)
	var wg sync.WaitGroup
	for writer := range 50 {
		wg.Go(func() {
			for i := range items / 50 {
				if _, err := s.Put(t.Context(), indexed(fmt.Sprintf("%d-%d", writer, i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var left []int
	for range 3 {
		if err := s.SetCheckpoint(t.Context(), alerts, items); err != nil {
			t.Fatal(err)
		}
		left = append(left, len(inFeed(t, s)))
	}
	if diff := cmp.Diff([]int{items - 4096, 0, 0}, left); diff != "" {
		t.Errorf("entries left after each checkpoint (-want +got):\n%s", diff)
	}
}

// An upgrade must not send the alerts of months.
func TestItemsFromBeforeTheFeedAreNotInIt(t *testing.T) {
	t.Parallel()
	path := storePath(t)
	s := tabletest.OpenBolt(t, path)
	putItems(t, s, "1", "2")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	tamper(t, path, func(tx *bbolt.Tx) error {
		return errors.Join(tx.DeleteBucket([]byte(feedBucket)), tx.DeleteBucket([]byte(consumersBucket)))
	})

	s = tabletest.OpenBolt(t, path)
	putItems(t, s, "2", "3")
	if diff := cmp.Diff([]string{"3"}, keysOf(read(t, s, 0, 0))); diff != "" {
		t.Errorf("feed (-want +got):\n%s", diff)
	}
}

func TestADamagedRecordDoesNotStopTheFeed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		damage func(*bbolt.Tx) error
		broken bool // the second record is returned with an error
	}{
		{"no such item", func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte(feedBucket)).Put(second(), []byte("nothing"))
		}, true},
		{"an entry without a number", func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte(feedBucket)).Put(second(), nil)
		}, true},
		{"an item that is not there", func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte(rowsBucket)).Delete(second())
		}, true},
		{"an item that is no record", func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte(rowsBucket)).Put(second(), []byte(`{"PK":{"S":"PRIVATE`))
		}, true},
		{"half an item", func(tx *bbolt.Tx) error {
			rows := tx.Bucket([]byte(rowsBucket))
			record := bytes.Clone(rows.Get(second()))
			return rows.Put(second(), record[:len(record)/2])
		}, true},
		{"an entry that is no number", func(tx *bbolt.Tx) error {
			feed := tx.Bucket([]byte(feedBucket))
			return errors.Join(feed.Delete(second()), feed.Put(append(second(), 'x'), second()))
		}, false},
		{"an entry that is gone", func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte(feedBucket)).Delete(second())
		}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			path := storePath(t)
			s := tabletest.OpenBolt(t, path)
			putItems(t, s, "1", "2", "3")
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			tamper(t, path, tc.damage)

			s = tabletest.OpenBolt(t, path)
			register(t, s, alerts)
			want := []string{"1", "3"}
			if tc.broken {
				want = []string{"1", "", "3"}
			}
			records := read(t, s, 0, 0)
			if diff := cmp.Diff(want, keysOf(records)); diff != "" {
				t.Fatalf("feed (-want +got):\n%s", diff)
			}
			if r := records[1]; tc.broken && (!errors.Is(r.Err, bolt.ErrRecord) || r.Sequence != 2 || strings.Contains(r.Err.Error(), "PRIVATE")) {
				t.Errorf("record %d: %v, want sequence 2 and %v", r.Sequence, r.Err, bolt.ErrRecord)
			}
			// It is trimmed like any other.
			if err := s.SetCheckpoint(t.Context(), alerts, 3); err != nil {
				t.Fatal(err)
			}
			if got := inFeed(t, s); len(got) > 0 {
				t.Errorf("%q is left", got)
			}
		})
	}
}

func TestADamagedCheckpointIsWhereTheFeedBegins(t *testing.T) {
	t.Parallel()
	path := storePath(t)
	s := tabletest.OpenBolt(t, path)
	register(t, s, alerts)
	putItems(t, s, "1", "2")
	if err := s.SetCheckpoint(t.Context(), alerts, 1); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	tamper(t, path, func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(consumersBucket)).Put([]byte(alerts), []byte("x"))
	})

	s = tabletest.OpenBolt(t, path)
	wantCheckpoint(t, s, alerts, 0)
	if err := s.SetCheckpoint(t.Context(), alerts, 2); err != nil {
		t.Fatal(err)
	}
	wantCheckpoint(t, s, alerts, 2)
}

func TestConsumersGetEveryItemOnceWhileItIsWritten(t *testing.T) {
	t.Parallel()
	const writers, each = 16, 100
	s := tabletest.OpenBolt(t, storePath(t))
	var wg sync.WaitGroup
	for writer := range writers {
		wg.Go(func() {
			for i := range each {
				if _, err := s.Put(t.Context(), indexed(fmt.Sprintf("%d-%d", writer, i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	names := []string{"alerts", "followups"}
	register(t, s, names...)
	for _, name := range names {
		wg.Go(func() {
			got := make(map[string]int)
			for after := uint64(0); len(got) < writers*each; {
				records := read(t, s, after, 50)
				if len(records) == 0 {
					return
				}
				for _, key := range keysOf(records) {
					got[key]++
				}
				after = records[len(records)-1].Sequence
				if err := s.SetCheckpoint(t.Context(), name, after); err != nil {
					t.Error(err)
				}
			}
			for key, times := range got {
				if times != 1 {
					t.Errorf("%s came %d times", key, times)
				}
			}
		})
	}
	wg.Wait()
	if got := inFeed(t, s); len(got) > 0 {
		t.Errorf("%d entries are left", len(got))
	}
}

// Checkpoints must not need commits of their own.
func TestCheckpointsShareCommits(t *testing.T) {
	t.Parallel()
	const writers, each = 32, 16
	path := storePath(t)
	s := tabletest.OpenBolt(t, path)
	register(t, s, alerts)
	putItems(t, s, "0")
	var wg sync.WaitGroup
	for writer := range writers {
		wg.Go(func() {
			for i := range each {
				putItems(t, s, fmt.Sprintf("%d-%d", writer, i))
				if err := s.SetCheckpoint(t.Context(), alerts, 1); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if commits := commitsOf(t, path); commits > writers*each {
		t.Errorf("%d commits for %d writes and as many checkpoints", commits, writers*each)
	}
}

// While events arrive, nothing else has a commit of its own, for which they would wait.
func TestWhatIsNotUrgentGivesWay(t *testing.T) {
	t.Parallel()
	path := storePath(t)
	s := tabletest.OpenBolt(t, path)
	register(t, s, alerts)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before, puts := commitsOf(t, path), 1
	s = tabletest.OpenBolt(t, path) // another commit
	s.GiveWay(time.Hour)
	putItems(t, s, "0")
	set := make(chan error)
	go func() { set <- s.SetCheckpoint(t.Context(), alerts, 1) }()
	for err := error(nil); ; puts++ {
		select {
		case err = <-set:
		default:
			putItems(t, s, fmt.Sprint(puts))
			continue
		}
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		if commits := commitsOf(t, path) - before - 1; commits != puts {
			t.Errorf("%d commits for %d items and a checkpoint", commits, puts)
		}
		return
	}
}

// Those who were answered together come again together, and share the next commit.
func TestACommitWaitsForAsManyAsTheLastOneHad(t *testing.T) {
	t.Parallel()
	path := storePath(t)
	s := tabletest.OpenBolt(t, path)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before := commitsOf(t, path)
	s = tabletest.OpenBolt(t, path) // another commit
	const writers = 8
	s.Expect(writers, time.Hour)
	for range 3 {
		var wg sync.WaitGroup
		for writer := range writers {
			wg.Go(func() { putItems(t, s, fmt.Sprint(writer)) })
		}
		wg.Wait()
	}
	s.Expect(writers, time.Nanosecond)
	putItems(t, s, "alone") // waits in vain, but not for long
	putItems(t, s, "alone again")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if commits := commitsOf(t, path) - before - 1; commits != 3+2 {
		t.Errorf("%d commits, want 3 of %d writers and 2 of one", commits, writers)
	}
}

func TestTheFeedHasOnlyWhatIsForIt(t *testing.T) {
	t.Parallel()
	s := tabletest.OpenBolt(t, storePath(t))
	s.Feeds = func(key table.Key) bool { return key.SK != "mark" }
	changed := s.Changed()
	putItems(t, s, "mark", "event")
	if diff := cmp.Diff([]string{"event"}, keysOf(read(t, s, 0, 10))); diff != "" {
		t.Errorf("feed (-want +got):\n%s", diff)
	}
	<-changed
}

// consumerVariable makes the test binary write to the store in the file that it
// names, and read its feed, until it is killed.
const consumerVariable = "RINGBACK_TEST_CONSUMER"

// consumeForever prints "put" and the sort key of each item that Put has taken,
// "took" and the sort key of each item that the feed has returned, then "passed"
// and the checkpoint that was set.
func consumeForever(path string) error {
	s, err := bolt.Open(path, schema.Events())
	if err != nil {
		return err
	}
	if err := s.Register(context.Background(), alerts); err != nil {
		return err
	}
	after, err := s.Checkpoint(alerts)
	if err != nil {
		return err
	}
	failed := make(chan error)
	for range 4 {
		go func() {
			for {
				sk := fmt.Sprint(time.Now().UnixNano()) // any new key will do
				if _, err := s.Put(context.Background(), indexed(sk)); err != nil {
					failed <- err
					return
				}
				_, _ = fmt.Fprintln(os.Stdout, "put", sk)
			}
		}()
	}
	go func() {
		for {
			records, err := s.Feed(context.Background(), after, 5)
			if err != nil {
				failed <- err
				return
			}
			for _, key := range keysOf(records) {
				_, _ = fmt.Fprintln(os.Stdout, "took", key)
			}
			after = records[len(records)-1].Sequence
			if err := s.SetCheckpoint(context.Background(), alerts, after); err != nil {
				failed <- err
				return
			}
			_, _ = fmt.Fprintln(os.Stdout, "passed", after)
		}
	}()
	return <-failed
}

func TestAKillLosesNoRecordAndRepeatsNoneThatWasPassed(t *testing.T) {
	t.Parallel()
	path := storePath(t)
	put, took := make(map[string]bool), make(map[string]int)
	const rounds = 4
	for round := range rounds {
		passed := uint64(0)
		var since []string // taken after the last known checkpoint
		for _, line := range runAndKill(t, consumerVariable, path, 200+77*round) {
			switch what, of, _ := strings.Cut(line, " "); what {
			case "put":
				put[of] = true
			case "took":
				took[of]++
				since = append(since, of)
			case "passed":
				if _, err := fmt.Sscan(of, &passed); err != nil {
					t.Fatal(err)
				}
				since = nil
			}
		}
		s := tabletest.OpenBolt(t, path)
		at, err := s.Checkpoint(alerts)
		if err != nil || at < passed {
			t.Errorf("checkpoint %d, %v, want %d or more: it was acknowledged", at, err, passed)
		}
		// What the checkpoint has not passed comes again.
		left := inFeed(t, s)
		for _, key := range since {
			if slices.Contains(left, key) {
				took[key]--
			}
		}
		if round == rounds-1 {
			for _, key := range left {
				took[key]++
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for key := range put {
		if took[key] < 1 {
			t.Errorf("%s was acknowledged and never came", key)
		}
	}
	for key, times := range took {
		if times > 1 {
			t.Errorf("%s came %d times, though it was passed", key, times)
		}
	}
}

func storePath(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "events.db")
}

func register(t *testing.T, s *bolt.Store, consumers ...string) {
	t.Helper()
	if err := s.Register(t.Context(), consumers...); err != nil {
		t.Fatal(err)
	}
}

func putItems(t *testing.T, s *bolt.Store, sortKeys ...string) {
	t.Helper()
	for _, sk := range sortKeys {
		if _, err := s.Put(t.Context(), indexed(sk)); err != nil {
			t.Error(err)
		}
	}
}

// read reads the feed, and waits if it is empty.
func read(t *testing.T, s *bolt.Store, after uint64, limit int) []consumer.Record {
	t.Helper()
	records, err := s.Feed(t.Context(), after, limit)
	if err != nil {
		t.Error(err)
	}
	return records
}

// inFeed returns the sort keys of the whole feed.
func inFeed(t *testing.T, s *bolt.Store) []string {
	t.Helper()
	sequences, err := s.FeedSequences()
	if err != nil {
		t.Fatal(err)
	}
	records, err := s.Records(t.Context(), sequences)
	if err != nil {
		t.Fatal(err)
	}
	return keysOf(records)
}

func keysOf(records []consumer.Record) (keys []string) {
	for _, r := range records {
		keys = append(keys, table.Text(r.Item, table.SK))
	}
	return keys
}

func wantCheckpoint(t *testing.T, s *bolt.Store, name string, want uint64) {
	t.Helper()
	if got, err := s.Checkpoint(name); got != want || err != nil {
		t.Errorf("checkpoint of %s: %d, %v, want %d", name, got, err, want)
	}
}

// second is the feed's key of sequence 2.
func second() []byte { return binary.BigEndian.AppendUint64(nil, 2) }

// tamper changes the file of a closed store.
func tamper(t *testing.T, path string, change func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(change), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// commitsOf returns the number of commits to the file of a closed store.
func commitsOf(t *testing.T, path string) (commits int) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	err = db.View(func(tx *bbolt.Tx) error {
		commits = tx.ID() // each commit takes the next
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return commits
}

// On AWS, too, what is updated is not news: the stream's filter drops it.
func TestTheFeedHasNothingThatWasUpdated(t *testing.T) {
	t.Parallel()
	s := tabletest.OpenBolt(t, storePath(t))
	register(t, s, alerts)
	putItems(t, s, "a")
	update := func(sk string, was int64) {
		t.Helper()
		item := indexed(sk)
		item[table.Version] = attr.Number(fmt.Sprint(was + 1))
		if updated, err := s.Update(t.Context(), item, was); !updated || err != nil {
			t.Fatalf("Update(%s, was %d) = %t, %v", sk, was, updated, err)
		}
	}
	for was := range int64(3) {
		update("derived", was)
	}
	putItems(t, s, "b")
	update("derived", 3)
	if diff := cmp.Diff([]string{"a", "b"}, keysOf(read(t, s, 0, 10))); diff != "" {
		t.Errorf("feed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a", "b", "derived"}, sortKeys(t, s, table.Query{Index: table.GSI1, Partition: "PHONE#+1"})); diff != "" {
		t.Errorf("index (-want +got):\n%s", diff)
	}
}

// A page that is open is told of what is new to the feed, and of what is derived from it.
func TestWhatIsWrittenIsTold(t *testing.T) {
	t.Parallel()
	store := tabletest.NewBolt(t)
	if err := store.Register(t.Context(), "alerts"); err != nil {
		t.Fatal(err)
	}
	item := func(version string) table.Item {
		return table.Item{table.PK: attr.String("CALLER#+14155550144"), table.SK: attr.String("FOLLOWUP#default"), table.Version: attr.Number(version)}
	}
	wasTold := func(changed <-chan struct{}) bool {
		select {
		case <-changed:
			return true
		default:
			return false
		}
	}
	for _, step := range []struct {
		name  string
		write func() (bool, error)
		told  bool
	}{
		{"put", func() (bool, error) { return store.Put(t.Context(), item("1")) }, true},
		{"put again", func() (bool, error) { return store.Put(t.Context(), item("1")) }, false},
		{"updated", func() (bool, error) { return store.Update(t.Context(), item("2"), 1) }, true},
		{"updated by the loser of a race", func() (bool, error) { return store.Update(t.Context(), item("2"), 1) }, false},
		{"a checkpoint", func() (bool, error) { return true, store.SetCheckpoint(t.Context(), "alerts", 1) }, false},
	} {
		changed := store.Changed()
		if _, err := step.write(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		// A later write comes after the word of this one has gone round.
		if _, err := store.Put(t.Context(), item("1")); err != nil {
			t.Fatal(err)
		}
		if got := wasTold(changed); got != step.told {
			t.Errorf("%s: told %t, want %t", step.name, got, step.told)
		}
	}
}
