package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/itemjson"
)

// ErrRecord says that an entry of the feed names no item that can be read: the
// file is damaged there. The error text carries no item content.
var ErrRecord = errors.New("unreadable record")

// ErrCheckpoint says that a checkpoint is past the end of the feed, or that its
// consumer has no name.
var ErrCheckpoint = errors.New("unusable checkpoint")

var (
	// feedBucket maps sequences to the keys of items, which never change, so
	// that an entry needs no copy. The bucket keeps the last sequence, also
	// when all of its entries are gone.
	feedBucket = []byte("feed")
	// consumersBucket maps the names of consumers to their checkpoints.
	consumersBucket = []byte("consumers")
)

// maxTrim is how many entries a checkpoint deletes at most, so that it holds no
// Put up for long. The next one goes on.
const maxTrim = 4096

// Record is an item that was put, as the feed has it.
type Record struct {
	// Sequence numbers the items in the order in which they were put. It grows,
	// and is never used again.
	Sequence uint64
	// Item is the item, whole; nil if it cannot be read.
	Item table.Item
	// Err wraps [ErrRecord] if the item cannot be read, and is nil otherwise.
	Err error
}

// Feed returns what was put after a sequence, oldest first, at most limit
// records and not many more bytes than a page of a query has; a limit of 0
// leaves it to the bytes. As long as there is nothing it waits, until a Put, the
// end of ctx or Close. A record that cannot be read is in its place, with its
// error: it stops nobody.
//
// Items that were put before the file had a feed are not in it: an upgrade must
// not send out every alert of the past. Nor are those that all consumers have
// passed.
//
// The error wraps [table.ErrUnavailable] once the store is closed.
func (s *Store) Feed(ctx context.Context, after uint64, limit int) ([]Record, error) {
	for {
		// Taken before reading: a commit in between is not missed.
		fed := s.fed.next()
		if err := s.ready(ctx); err != nil {
			return nil, fmt.Errorf("read feed: %w", err)
		}
		var records []Record
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

// ready returns why nothing more should be read, if so.
func (s *Store) ready(ctx context.Context) error {
	select {
	case <-s.closing:
		return errClosed
	default:
		return timeout(ctx.Err())
	}
}

// closed tells that the store is closed as the contract wants it told.
func closed(err error) error {
	if errors.Is(err, bbolterrors.ErrDatabaseNotOpen) {
		return errClosed
	}
	return err
}

func readFeed(tx *bbolt.Tx, after uint64, limit int) (records []Record) {
	if after == math.MaxUint64 {
		return nil
	}
	cursor := tx.Bucket(feedBucket).Cursor()
	size := 0
	for entry, key := cursor.Seek(sequenceKey(after + 1)); entry != nil; entry, key = cursor.Next() {
		if limit > 0 && len(records) == limit || size >= table.MaxPageSize {
			break
		}
		sequence, ok := sequenceOf(entry)
		if !ok {
			continue // nothing that was ever put
		}
		r, length := readRecord(tx, sequence, key)
		size += length
		records = append(records, r)
	}
	return records
}

// readRecord reads the record of a sequence, whose item has that key, and says
// how large it is.
func readRecord(tx *bbolt.Tx, sequence uint64, key []byte) (r Record, size int) {
	r.Sequence = sequence
	text := tx.Bucket(itemsBucket).Get(key)
	if text == nil {
		r.Err = fmt.Errorf("%w: its item is not there", ErrRecord)
		return r, 0
	}
	item, err := itemjson.Decode(text)
	if err != nil {
		r.Err = fmt.Errorf("%w: %w", ErrRecord, err)
		return r, 0
	}
	r.Item = item
	return r, len(text)
}

// Records returns what was put with these sequences, in their order. One that is
// not in the feed is in its place, with its error, as one is that cannot be read.
//
// The error wraps [table.ErrUnavailable] once the store is closed.
func (s *Store) Records(ctx context.Context, sequences []uint64) ([]Record, error) {
	if err := s.ready(ctx); err != nil {
		return nil, fmt.Errorf("read feed: %w", err)
	}
	records := make([]Record, len(sequences))
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

// End returns the sequence of the last item that was put, 0 if none was. The
// error wraps [table.ErrUnavailable] once the store is closed.
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

// Checkpoint returns how far a consumer has come: the sequence that it has set
// last, 0 if it has set none. The error wraps [table.ErrUnavailable] once the
// store is closed.
func (s *Store) Checkpoint(consumer string) (sequence uint64, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		sequence = checkpointOf(tx, consumer)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("read checkpoint: %w", closed(err))
	}
	return sequence, nil
}

// checkpointOf reads a checkpoint. One that is damaged is where it began: its
// consumer gets again what is left, and knows what it has done.
func checkpointOf(tx *bbolt.Tx, consumer string) uint64 {
	sequence, _ := sequenceOf(tx.Bucket(consumersBucket).Get([]byte(consumer)))
	return sequence
}

// SetCheckpoint says, durably, that a consumer is done with everything up to a
// sequence. What every consumer is done with leaves the feed, so a consumer
// that wants to begin where the feed does sets 0 before another goes ahead. A
// checkpoint never goes back: setting a lower one changes nothing.
//
// Checkpoints share the commits of Put: under load they cost none of their own.
//
// The error wraps [ErrCheckpoint] if the sequence is past the end of the feed or
// the consumer has no name, and [table.ErrUnavailable] if the store is closed or
// the deadline has passed.
func (s *Store) SetCheckpoint(ctx context.Context, consumer string, sequence uint64) error {
	if consumer == "" {
		return fmt.Errorf("set checkpoint: %w: no consumer", ErrCheckpoint)
	}
	c := &checkpoint{consumer: consumer, sequence: sequence}
	err := s.write(ctx, c, len(consumer))
	if err == nil {
		err = c.fault
	}
	if err != nil {
		return fmt.Errorf("set checkpoint: %w", err)
	}
	return nil
}

// checkpoint is how far a consumer has come.
type checkpoint struct {
	consumer string
	sequence uint64

	fault error // its own, which undoes nothing else
}

func (c *checkpoint) apply(tx *bbolt.Tx) error {
	if c.sequence > tx.Bucket(feedBucket).Sequence() {
		c.fault = fmt.Errorf("%w: past the end of the feed", ErrCheckpoint)
		return nil
	}
	consumers := tx.Bucket(consumersBucket)
	sequence := max(c.sequence, checkpointOf(tx, c.consumer))
	if err := consumers.Put([]byte(c.consumer), sequenceKey(sequence)); err != nil {
		return err
	}
	return trim(tx)
}

// trim deletes the entries that every consumer has passed.
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
		// From the first anew each time: a cursor that has deleted may skip the
		// next.
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

// prepareFeed makes the feed. In a file that had none it begins with the next
// item.
func prepareFeed(tx *bbolt.Tx) error {
	for _, name := range [][]byte{feedBucket, consumersBucket} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return nil
}

// feedItem adds the item with that key to the feed.
func feedItem(tx *bbolt.Tx, key []byte) error {
	feed := tx.Bucket(feedBucket)
	sequence, err := feed.NextSequence()
	if err != nil {
		return err
	}
	return feed.Put(sequenceKey(sequence), key)
}

// sequenceKey writes a sequence so that keys sort as the numbers do.
func sequenceKey(sequence uint64) []byte { return binary.BigEndian.AppendUint64(nil, sequence) }

// sequenceOf reads what sequenceKey wrote.
func sequenceOf(key []byte) (sequence uint64, ok bool) {
	if len(key) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(key), true
}

// signal wakes whoever waits for the next of something.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

func newSignal() *signal { return &signal{ch: make(chan struct{})} }

// next returns a channel that is closed when the signal is given next.
func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ch
}

func (s *signal) give() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.ch)
	s.ch = make(chan struct{})
}
