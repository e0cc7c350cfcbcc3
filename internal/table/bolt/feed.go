package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/table"
)

// ErrRecord says that the item of a feed entry cannot be read: the file is
// damaged there. The error text carries no item content.
var ErrRecord = errors.New("unreadable record")

// ErrConsumer means that a consumer has no name of its own or is not registered, or
// that its checkpoint is past the end of the feed.
var ErrConsumer = errors.New("unusable consumer")

var (
	// feedBucket maps sequences to the numbers of rows that were put. An update keeps
	// the number, so an entry needs no copy. The bucket knows the last sequence even
	// when it is empty.
	feedBucket = []byte("feed")
	// consumersBucket maps the names of registered consumers to their
	// checkpoints.
	consumersBucket = []byte("consumers")
)

// maxTrim limits how many entries one checkpoint deletes, so that writers never
// wait long for it. The next checkpoint goes on.
const maxTrim = 4096

var _ consumer.Feed = (*Store)(nil)

// Feed implements [consumer.Feed]. It stops at limit records or at about the
// size of a query's page; limit 0 means no limit but the size. Records whose
// items cannot be read are included; their errors wrap [ErrRecord].
//
// Items from before the file had a feed are not in it: an upgrade must not send
// the alerts of the past.
func (s *Store) Feed(ctx context.Context, after uint64, limit int) ([]consumer.Record, error) {
	for {
		// Ask for the signal first, so that no commit is missed while reading.
		fed := s.fed.next()
		if err := s.ready(ctx); err != nil {
			return nil, fmt.Errorf("read feed: %w", err)
		}
		var records []consumer.Record
		err := s.db.View(func(tx *bbolt.Tx) error {
			records = readFeed(tx, after, limit)
			return nil
		})
		switch {
		case err != nil:
			return nil, fmt.Errorf("read feed: %w", closed(err))
		case len(records) > 0:
			return records, nil
		}
		select {
		case <-fed:
		case <-s.closing:
		case <-ctx.Done():
		}
	}
}

// ready returns an error if the store is closed or ctx has ended.
func (s *Store) ready(ctx context.Context) error {
	select {
	case <-s.closing:
		return errClosed
	default:
		return timeout(ctx.Err())
	}
}

// closed turns bbolt's error of a closed database into the one that [table.Store]
// promises.
func closed(err error) error {
	if errors.Is(err, bbolterrors.ErrDatabaseNotOpen) {
		return errClosed
	}
	return err
}

func readFeed(tx *bbolt.Tx, after uint64, limit int) (records []consumer.Record) {
	if after == math.MaxUint64 {
		return nil
	}
	cursor := tx.Bucket(feedBucket).Cursor()
	size := 0
	for entry, number := cursor.Seek(sequenceKey(after + 1)); entry != nil; entry, number = cursor.Next() {
		if limit > 0 && len(records) == limit || size >= table.MaxPageSize {
			break
		}
		sequence, ok := sequenceOf(entry)
		if !ok {
			continue // damage: no Put wrote this
		}
		r, length := readRecord(tx, sequence, number)
		size += length
		records = append(records, r)
	}
	return records
}

// readRecord reads the row with a number. size is in bytes.
func readRecord(tx *bbolt.Tx, sequence uint64, number []byte) (r consumer.Record, size int) {
	r.Sequence = sequence
	record := tx.Bucket(rowsBucket).Get(number)
	if record == nil {
		r.Err = fmt.Errorf("%w: its item is not there", ErrRecord)
		return r, 0
	}
	item, err := decodeRecord(record)
	if err != nil {
		r.Err = fmt.Errorf("%w: %w", ErrRecord, err)
		return r, 0
	}
	r.Item = item
	return r, len(record)
}

// Records implements [consumer.Feed]. A sequence that is not in the feed gives a
// record whose error wraps [ErrRecord].
func (s *Store) Records(ctx context.Context, sequences []uint64) ([]consumer.Record, error) {
	if err := s.ready(ctx); err != nil {
		return nil, fmt.Errorf("read feed: %w", err)
	}
	records := make([]consumer.Record, len(sequences))
	err := s.db.View(func(tx *bbolt.Tx) error {
		feed := tx.Bucket(feedBucket)
		for i, sequence := range sequences {
			records[i], _ = readRecord(tx, sequence, feed.Get(sequenceKey(sequence)))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read feed: %w", closed(err))
	}
	return records, nil
}

// End implements [consumer.Feed].
func (s *Store) End() (sequence uint64, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		sequence = tx.Bucket(feedBucket).Sequence()
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("read feed: %w", closed(err))
	}
	return sequence, nil
}

// Checkpoint implements [consumer.Feed]. It returns 0 for a consumer that has
// set none.
func (s *Store) Checkpoint(name string) (sequence uint64, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		sequence = checkpointOf(tx, name)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("read checkpoint: %w", closed(err))
	}
	return sequence, nil
}

// checkpointOf reads a checkpoint. A damaged one reads as 0: the consumer gets
// the records that are left again, and recognises what it has done.
func checkpointOf(tx *bbolt.Tx, name string) uint64 {
	sequence, _ := sequenceOf(tx.Bucket(consumersBucket).Get([]byte(name)))
	return sequence
}

// Register implements [consumer.Feed].
//
// It deletes the checkpoints of all other consumers. Otherwise the checkpoint of a
// removed consumer would stop trimming. If an older version runs in between,
// a newer consumer misses the records of that time. What it derives can be
// derived again: the items stay in the table.
//
// The error wraps [ErrConsumer] if there is no consumer, or one without a name or
// with that of another, and [table.ErrUnavailable] if the store is closed.
func (s *Store) Register(ctx context.Context, consumers ...string) error {
	if len(consumers) == 0 || slices.Contains(consumers, "") {
		return fmt.Errorf("register: %w: no name", ErrConsumer)
	}
	if names := slices.Sorted(slices.Values(consumers)); len(slices.Compact(names)) < len(consumers) {
		return fmt.Errorf("register: %w: two have one name", ErrConsumer)
	}
	if err := s.write(ctx, &registration{consumers}, 0); err != nil {
		return fmt.Errorf("register: %w", err)
	}
	return nil
}

type registration struct{ consumers []string }

func (r *registration) apply(tx *bbolt.Tx) error {
	checkpoints := make(map[string]uint64, len(r.consumers))
	for _, name := range r.consumers {
		checkpoints[name] = checkpointOf(tx, name)
		if tx.Bucket(consumersBucket).Get([]byte(name)) == nil {
			checkpoints[name] = oldestLeft(tx)
		}
	}
	if err := tx.DeleteBucket(consumersBucket); err != nil {
		return err
	}
	bucket, err := tx.CreateBucket(consumersBucket)
	if err != nil {
		return err
	}
	for name, sequence := range checkpoints {
		if err := bucket.Put([]byte(name), sequenceKey(sequence)); err != nil {
			return err
		}
	}
	return trim(tx)
}

// SetCheckpoint implements [consumer.Feed]. It is durable when it returns, and
// deletes the records that every registered consumer has passed. A checkpoint
// never goes back: setting a lower one changes nothing.
//
// Checkpoints share the commits of Put; under load they cost none of their own.
//
// The error wraps [ErrConsumer] if the consumer is not registered or the sequence
// is past the end of the feed, and [table.ErrUnavailable] if the store is closed
// or the deadline has passed.
func (s *Store) SetCheckpoint(ctx context.Context, name string, sequence uint64) error {
	c := &checkpoint{name: name, sequence: sequence}
	err := s.write(ctx, c, len(name))
	if err == nil {
		err = c.err
	}
	if err != nil {
		return fmt.Errorf("set checkpoint: %w", err)
	}
	return nil
}

// oldestLeft returns the sequence before the oldest record that is left. A consumer
// that is new is done with all before that, or it would wait for them for ever.
func oldestLeft(tx *bbolt.Tx) uint64 {
	feed := tx.Bucket(feedBucket)
	entry, _ := feed.Cursor().First()
	if first, ok := sequenceOf(entry); ok {
		return first - 1
	}
	return feed.Sequence()
}

type checkpoint struct {
	name     string
	sequence uint64

	err error // kept here, so that it does not undo the commit of others
}

func (c *checkpoint) apply(tx *bbolt.Tx) error {
	consumers := tx.Bucket(consumersBucket)
	switch {
	case consumers.Get([]byte(c.name)) == nil:
		c.err = fmt.Errorf("%w: not registered", ErrConsumer)
		return nil
	case c.sequence > tx.Bucket(feedBucket).Sequence():
		c.err = fmt.Errorf("%w: checkpoint past the end of the feed", ErrConsumer)
		return nil
	}
	sequence := max(c.sequence, checkpointOf(tx, c.name))
	if err := consumers.Put([]byte(c.name), sequenceKey(sequence)); err != nil {
		return err
	}
	return trim(tx)
}

// trim deletes the entries that every registered consumer has passed.
func trim(tx *bbolt.Tx) error {
	passed := uint64(math.MaxUint64)
	err := tx.Bucket(consumersBucket).ForEach(func(_, value []byte) error {
		sequence, _ := sequenceOf(value)
		passed = min(passed, sequence)
		return nil
	})
	if err != nil {
		return err
	}
	cursor := tx.Bucket(feedBucket).Cursor()
	for range maxTrim {
		// Start from the first each time: after a delete, Next may skip an entry.
		entry, _ := cursor.First()
		if entry == nil || bytes.Compare(entry, sequenceKey(passed)) > 0 {
			return nil
		}
		if err := cursor.Delete(); err != nil {
			return err
		}
	}
	return nil
}

// feedItem appends the row with a number to the feed.
func feedItem(tx *bbolt.Tx, number []byte) error {
	feed := tx.Bucket(feedBucket)
	sequence, err := feed.NextSequence()
	if err != nil {
		return err
	}
	return feed.Put(sequenceKey(sequence), number)
}

const sequenceSize = 8

// sequenceKey encodes a sequence, or a row's number, so that keys sort like numbers.
func sequenceKey(sequence uint64) []byte { return binary.BigEndian.AppendUint64(nil, sequence) }

// sequenceOf decodes what sequenceKey encoded.
func sequenceOf(key []byte) (sequence uint64, ok bool) {
	if len(key) != sequenceSize {
		return 0, false
	}
	return binary.BigEndian.Uint64(key), true
}

// signal wakes the goroutines that wait for it.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

func newSignal() *signal { return &signal{ch: make(chan struct{})} }

// next returns a channel that the next broadcast closes.
func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ch
}

func (s *signal) broadcast() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.ch)
	s.ch = make(chan struct{})
}
