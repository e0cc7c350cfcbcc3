package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/table/schema"
)

// ErrLocked means that another process has the file open.
var ErrLocked = errors.New("another ringback is using this folder")

// ErrBroken means that the file is no whole table: cut short, or overwritten.
var ErrBroken = errors.New("this file is damaged")

// errClosed wraps [table.ErrUnavailable] because a retry may reach the next
// process.
var errClosed = fmt.Errorf("%w: store is closed", table.ErrUnavailable)

const (
	// lockTimeout is how long Open waits for another process to exit.
	lockTimeout = time.Second

	// A commit takes at most this many writes, and no more once it has this many
	// bytes.
	maxCommit      = 256
	maxCommitBytes = 8 << 20

	// giveWay is how long after an urgent write the others wait for the next one, to share
	// its commit.
	giveWay = 5 * time.Millisecond
	// gatherTime is how long a commit waits for as many urgent writes as the one before had:
	// whoever was answered then is likely to come again at once.
	gatherTime = 5 * time.Millisecond

	// maxMapped is how many bytes of files, of which the store's is the only large one, may be
	// mapped into memory after a commit before they are forgotten.
	maxMapped = 96 << 20
)

var (
	// rowsBucket maps numbers, in the order in which items came, to their records. So the
	// pages of the file are full, and new items share them. Those that a takeover copied
	// are in the order of their keys.
	rowsBucket = []byte("rows")
	// keysBucket maps the keys of items to their numbers or, of small ones, to their records:
	// see beside.go.
	keysBucket = []byte("keys")
	// schemaBucket maps the names of indexes to their key attributes.
	schemaBucket = []byte("schema")
)

// rowsFill is how full, as a share, the pages of rows become. The rest is for rows that
// grow.
const rowsFill = 0.95

// keysFill is the same of keys. Those of new calls come behind the others, those of callers
// anywhere: so their pages take the least.
const keysFill = 0.6

// Store is the [table.Store] in a file.
type Store struct {
	// Now is the clock by which items expire. Open sets it, tests replace it.
	Now func() time.Time
	// Feeds reports whether a new item is for the feed. Nil, as Open leaves it, is for all.
	Feeds func(table.Key) bool
	// Log gets each damaged item once. Nil, as Open leaves it, is for none.
	Log *slog.Logger

	giveWay, gatherTime time.Duration
	expected            int // urgent writes of the last commit that one of them began
	maxMapped           int
	forgotten           int64 // the part of the file that is forgotten next

	db     *bbolt.DB
	schema schema.Table

	urgent    chan *write   // of new items for the feed: a sender waits for each
	behind    chan *write   // of all others, which give way
	closing   chan struct{} // closed when no more writes are taken
	committed chan struct{} // closed when the last commit is done
	closeOnce func() error

	fed     *signal // broadcast after a commit that added to the feed
	changed *signal // broadcast after a commit that wrote an item

	reported sync.Map // damaged items that Log has
}

var _ table.Eraser = (*Store)(nil)

// Open opens the store in a file. It creates the file and its folder if they do
// not exist, and takes over one of an earlier version: see [FormerFiles]. The error
// wraps [ErrLocked] if another process has the file open, and [ErrBroken] if the file is
// no whole table.
func Open(path string, t schema.Table) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	db, err := openFile(path)
	if err != nil {
		return nil, err
	}
	if isFormer(db) {
		if db, err = takeOver(db, path, t); err != nil {
			return nil, fmt.Errorf("open store %s: take over from an earlier version, whose file is kept: %w", path, err)
		}
	}
	err = db.Update(func(tx *bbolt.Tx) error { return prepare(tx, t) })
	if err == nil {
		err = syncFolder(path) // it may be new
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, err), db.Close())
	}

	s := &Store{
		Now:        time.Now,
		giveWay:    giveWay,
		gatherTime: gatherTime,
		maxMapped:  maxMapped,
		db:         db,
		schema:     t,
		urgent:     make(chan *write),
		behind:     make(chan *write),
		closing:    make(chan struct{}),
		committed:  make(chan struct{}),
		fed:        newSignal(),
		changed:    newSignal(),
	}
	s.closeOnce = sync.OnceValue(func() error {
		close(s.closing)
		<-s.committed
		return db.Close()
	})
	go s.commitLoop()
	return s, nil
}

func openFile(path string) (*bbolt.DB, error) {
	var file *os.File
	db, err := openWhole(path, &bbolt.Options{
		Timeout:      lockTimeout,
		FreelistType: bbolt.FreelistMapType,
		OpenFile: func(path string, flag int, mode os.FileMode) (_ *os.File, err error) {
			file, err = os.OpenFile(path, flag, mode) //nolint:gosec // G304: the store's own file
			return file, err
		},
	})
	switch {
	case errors.Is(err, bbolterrors.ErrTimeout):
		err = ErrLocked
	case errors.Is(err, bbolterrors.ErrInvalid), errors.Is(err, bbolterrors.ErrChecksum),
		err != nil && strings.HasPrefix(err.Error(), "file size too small"): // there is no type for it
		err = fmt.Errorf("%w: %w", ErrBroken, err)
	}
	switch {
	case err != nil:
	case !isAt(path, file):
		err = errors.Join(ErrLocked, db.Close()) // whoever had the lock has put another file there
	default:
		if err = checkSize(db, file); err != nil {
			err = errors.Join(err, db.Close())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	return db, nil
}

// openWhole opens a file, unless bbolt meets a page behind the file's end: it maps the file
// into memory and takes it at its word, and such a page would end the program.
func openWhole(path string, options *bbolt.Options) (db *bbolt.DB, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			db, err = nil, ErrBroken
		}
	}()
	return bbolt.Open(path, 0o600, options)
}

// checkSize returns an error if a file is shorter than its own count of pages says.
func checkSize(db *bbolt.DB, file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	return db.View(func(tx *bbolt.Tx) error {
		if info.Size() < tx.Size() {
			return fmt.Errorf("%w: it has %d bytes of %d", ErrBroken, info.Size(), tx.Size())
		}
		return nil
	})
}

// isAt reports whether an open file is the one at a path.
func isAt(path string, file *os.File) bool {
	opened, err := file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(opened, there)
}

// Close waits for writes under way, then closes the file.
func (s *Store) Close() error { return s.closeOnce() }

// prepare creates the buckets and adapts the indexes to the schema.
func prepare(tx *bbolt.Tx, t schema.Table) error {
	for _, name := range [][]byte{rowsBucket, keysBucket, feedBucket, consumersBucket} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	if err := refuseFormer(tx); err != nil {
		return err
	}
	keyed, err := tx.CreateBucketIfNotExists(schemaBucket)
	if err != nil {
		return err
	}
	if err := dropIndexes(tx, keyed, t.Indexes); err != nil {
		return err
	}
	for _, index := range t.Indexes {
		name, key := []byte(index.Name), tuple(index.Key.Partition, index.Key.Sort)
		if bytes.Equal(keyed.Get(name), key) {
			continue
		}
		if err := rebuild(tx, index); err != nil {
			return fmt.Errorf("build index %s: %w", index.Name, err)
		}
		if err := keyed.Put(name, key); err != nil {
			return err
		}
	}
	return nil
}

// dropIndexes deletes every index that is not in the schema. From now on it would miss
// entries, so it could not be used again.
func dropIndexes(tx *bbolt.Tx, keyed *bbolt.Bucket, indexes []schema.Index) error {
	var gone []string // a bucket must not change during ForEach
	err := keyed.ForEach(func(name, _ []byte) error {
		if string(name) != refusal && !slices.ContainsFunc(indexes, func(i schema.Index) bool { return i.Name == string(name) }) {
			gone = append(gone, string(name))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, name := range gone {
		if err := tx.DeleteBucket(indexBucket(name)); err != nil {
			return fmt.Errorf("delete index %s: %w", name, err)
		}
		if err := keyed.Delete([]byte(name)); err != nil {
			return err
		}
	}
	return nil
}

// rebuild makes an index anew. An item that is damaged is not in it.
func rebuild(tx *bbolt.Tx, index schema.Index) error {
	name := indexBucket(index.Name)
	if err := tx.DeleteBucket(name); err != nil && !errors.Is(err, bbolterrors.ErrBucketNotFound) {
		return err
	}
	b, err := tx.CreateBucket(name)
	if err != nil {
		return err
	}
	err = moveToRows(tx, func(item table.Item) bool { return indexKey(index, item) != nil })
	if err != nil {
		return err
	}
	return tx.Bucket(rowsBucket).ForEach(func(number, record []byte) error {
		item, err := decodeRecord(record)
		if err != nil {
			return nil //nolint:nilerr // whoever reads it by its key is told
		}
		if entry := indexKey(index, item); entry != nil {
			return b.Put(append(entry, number...), nil)
		}
		return nil
	})
}

func indexBucket(name string) []byte { return []byte("index " + name) }

// indexKey returns the key of an item in an index, but for the item's number, which ends
// it, or nil if the index does not hold the item.
func indexKey(index schema.Index, item table.Item) []byte {
	partition, sort := table.Text(item, index.Key.Partition), table.Text(item, index.Key.Sort)
	if partition == "" || sort == "" {
		return nil
	}
	return tuple(partition, sort)
}

// write is a change that waits for its commit.
type write struct {
	change
	size int // bytes
	done chan error
}

// isUrgent reports whether the write adds to the feed, unless its item is there.
func (w *write) isUrgent() bool {
	p, ok := w.change.(*put)
	return ok && p.feeds
}

// writes reports whether the write, once committed, wrote an item.
func (w *write) writes() bool {
	switch c := w.change.(type) {
	case *put:
		return c.created
	case *update:
		return c.updated
	}
	return false
}

// Changed returns a channel that is closed when items have been written since.
func (s *Store) Changed() <-chan struct{} { return s.changed.next() }

// change is one part of a commit. An error of apply rolls the whole commit back,
// so a change that is invalid by itself stores its error instead of returning it.
type change interface {
	apply(tx *bbolt.Tx) error
}

// row is an item as the file holds it: with a record of its own or, if it needs no row, one
// that stands beside its key.
type row struct {
	key, record, beside []byte
	entries             map[string][]byte // index to key in it, without the item's number
}

func (r row) size() int { return len(r.record) + len(r.beside) }

// encode returns the row of an item that the table takes. feeds is set if a new item is for
// the feed, which refers to rows.
func encode(item table.Item, t schema.Table, feeds bool) (r row, err error) {
	r = row{key: keyOf(item), entries: entriesOf(item, t)}
	if !feeds && len(r.entries) == 0 {
		r.beside, err = encodeBeside(r.key, item)
	}
	if r.beside == nil && err == nil {
		r.record, err = encodeRecord(item)
	}
	return r, err
}

// entriesOf returns the keys of an item in the indexes that hold it, without its number.
func entriesOf(item table.Item, t schema.Table) map[string][]byte {
	entries := make(map[string][]byte, len(t.Indexes))
	for _, index := range t.Indexes {
		if key := indexKey(index, item); key != nil {
			entries[index.Name] = key
		}
	}
	return entries
}

func (s *Store) entries(item table.Item) map[string][]byte { return entriesOf(item, s.schema) }

// add writes a new item.
func (r row) add(tx *bbolt.Tx) error {
	if r.beside != nil {
		return tx.Bucket(keysBucket).Put(r.key, r.beside)
	}
	_, err := r.addRow(tx)
	return err
}

// addRow writes a new row, and returns its number.
func (r row) addRow(tx *bbolt.Tx) (number []byte, err error) {
	next, err := tx.Bucket(rowsBucket).NextSequence()
	if err != nil {
		return nil, err
	}
	number = sequenceKey(next)
	if err := tx.Bucket(keysBucket).Put(r.key, number); err != nil {
		return nil, err
	}
	return number, r.replaceRow(tx, number, nil)
}

// replace writes an item in place of the one that its key's value leads to, which had some
// entries. An item that has a row keeps it, since the feed may refer to that.
func (r row) replace(tx *bbolt.Tx, value []byte, had map[string][]byte) error {
	if !isRow(value) {
		return r.add(tx)
	}
	if r.beside != nil {
		item, err := decodeBeside(r.key, r.beside)
		if err != nil {
			return err
		}
		if r.record, err = encodeRecord(item); err != nil {
			return err
		}
	}
	return r.replaceRow(tx, value, had)
}

// replaceRow writes a row in place of the one with a number, which had some entries.
func (r row) replaceRow(tx *bbolt.Tx, number []byte, had map[string][]byte) error {
	rows := tx.Bucket(rowsBucket)
	rows.FillPercent = rowsFill
	if err := rows.Put(number, r.record); err != nil {
		return err
	}
	for name, entry := range had {
		if !bytes.Equal(entry, r.entries[name]) {
			if err := tx.Bucket(indexBucket(name)).Delete(slices.Concat(entry, number)); err != nil {
				return err
			}
		}
	}
	for name, entry := range r.entries {
		if !bytes.Equal(entry, had[name]) {
			if err := putEntry(tx, name, slices.Concat(entry, number)); err != nil {
				return err
			}
		}
	}
	return nil
}

// putEntry writes an entry of an index. If it comes behind the others of a long partition, as
// those of a day do, the pages that this commit divides stay full. Those of an import come in
// front of the others, and would leave them nearly empty, as would those of the many numbers.
func putEntry(tx *bbolt.Tx, name string, entry []byte) error {
	index := tx.Bucket(indexBucket(name))
	if name == string(table.GSI1) {
		return index.Put(entry, nil)
	}
	partition := entry[:bytes.Index(entry, end)+len(end)]
	cursor := index.Cursor()
	next, _ := cursor.Seek(entry)
	before, _ := cursor.Prev()
	if next == nil {
		before, _ = cursor.Last()
	}
	if bytes.HasPrefix(before, partition) && !bytes.HasPrefix(next, partition) {
		index.FillPercent = rowsFill
	}
	return index.Put(entry, nil)
}

// removeRow deletes the row with a number, which has some entries, and its key, unless
// that is another row's.
func removeRow(tx *bbolt.Tx, number, key []byte, entries map[string][]byte) error {
	for name, entry := range entries {
		if err := tx.Bucket(indexBucket(name)).Delete(slices.Concat(entry, number)); err != nil {
			return err
		}
	}
	if err := tx.Bucket(rowsBucket).Delete(number); err != nil {
		return err
	}
	keys := tx.Bucket(keysBucket)
	if !bytes.Equal(keys.Get(key), number) {
		return nil
	}
	return keys.Delete(key)
}

// lookUp returns the value and the item of a key; nil if there is none. The error is
// [ErrDamaged] if the item cannot be read, or is that of another key.
func lookUp(tx *bbolt.Tx, key []byte) (value []byte, item table.Item, err error) {
	if value = tx.Bucket(keysBucket).Get(key); value == nil {
		return nil, nil, nil
	}
	item, _, err = itemAt(tx, key, value)
	return value, item, err
}

func keyOf(item table.Item) []byte {
	return tuple(table.Text(item, table.PK), table.Text(item, table.SK))
}

// clear returns what lookUp does. It deletes a damaged item, so that it is in no one's way.
func (s *Store) clear(tx *bbolt.Tx, key []byte) (value []byte, item table.Item, err error) {
	value, item, err = lookUp(tx, key)
	if err == nil {
		return value, item, nil
	}
	s.report(key, value)
	if isRow(value) {
		if _, err := decodeRecord(tx.Bucket(rowsBucket).Get(value)); err != nil { // no other item's
			if err := s.removeDamaged(tx, value); err != nil {
				return nil, nil, err
			}
		}
	}
	return nil, nil, tx.Bucket(keysBucket).Delete(key)
}

// removeDamaged deletes a row and its entries. As only the item says which those are, it
// reads the indexes.
func (s *Store) removeDamaged(tx *bbolt.Tx, number []byte) error {
	for _, index := range s.schema.Indexes {
		b := tx.Bucket(indexBucket(index.Name))
		var entries [][]byte // a bucket must not change during ForEach
		err := b.ForEach(func(entry, _ []byte) error {
			if bytes.HasSuffix(entry, number) {
				entries = append(entries, bytes.Clone(entry))
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, entry := range entries {
			if err := b.Delete(entry); err != nil {
				return err
			}
		}
	}
	return tx.Bucket(rowsBucket).Delete(number)
}

// report logs a damaged item, once: by the number of its row or, if it has none, by as much of
// its key as tells nothing of a person.
func (s *Store) report(key, value []byte) {
	name, which := string(key), slog.String("partition", "")
	if isRow(value) {
		name, which = string(value), slog.Uint64("row", binary.BigEndian.Uint64(value))
	} else if partition, _, ok := untuple(key); ok {
		which.Value = slog.StringValue(table.LogPartition(string(partition)))
	}
	if _, known := s.reported.LoadOrStore(name, true); !known && s.Log != nil {
		s.Log.LogAttrs(context.Background(), slog.LevelError,
			"an item of the table is damaged and left out; docs/operations.md#a-damaged-item says what to do", which)
	}
}

// put is one new item.
type put struct {
	row

	store   *Store
	now     time.Time
	feeds   bool
	created bool
}

func (p *put) apply(tx *bbolt.Tx) error {
	// guard 1 bolt (ADamagedItem): value, item, err := lookUp(tx, p.key); err = nil
	value, item, err := p.store.clear(tx, p.key)
	if err != nil {
		return err
	}
	if value == nil {
		p.created = true
		if !p.feeds {
			return p.add(tx)
		}
		number, err := p.addRow(tx)
		if err != nil {
			return err
		}
		return feedItem(tx, number)
	}
	if !table.Expired(item, p.now) {
		return nil
	}
	p.created = true // on AWS it is no new item
	return p.replace(tx, value, p.store.entries(item))
}

// Put implements [table.Store]. Writes that arrive during a commit share the next
// one. A damaged item is replaced, so that what comes again is whole again.
func (s *Store) Put(ctx context.Context, item table.Item) (created bool, err error) {
	p := &put{store: s, now: s.Now(), feeds: s.Feeds == nil || s.Feeds(table.KeyOf(item))}
	err = table.Check(item)
	if err == nil {
		p.row, err = encode(item, s.schema, p.feeds)
	}
	if err == nil {
		err = s.write(ctx, p, p.size())
	}
	if err != nil {
		return false, fmt.Errorf("put item: %w", err)
	}
	return p.created, nil
}

// update is one item that replaces a version of it.
type update struct {
	row

	store *Store
	now   time.Time
	isNew bool
	was   attr.Value // nil if the stored item has no version

	updated bool
}

func (u *update) apply(tx *bbolt.Tx) error {
	find := lookUp
	if u.isNew {
		find = u.store.clear
	}
	value, replaced, err := find(tx, u.key)
	switch {
	case errors.Is(err, ErrDamaged):
		return nil // what was to be replaced is gone
	case err != nil:
		return err
	}
	if value == nil {
		if !u.isNew {
			return nil
		}
		u.updated = true
		return u.add(tx)
	}
	if u.isNew && !table.Expired(replaced, u.now) || !u.isNew && replaced[table.Version] != u.was {
		return nil
	}
	u.updated = true
	return u.replace(tx, value, u.store.entries(replaced))
}

// Update implements [table.Store]. A damaged item is as good as gone.
func (s *Store) Update(ctx context.Context, item table.Item, was int64) (updated bool, err error) {
	u := &update{store: s, now: s.Now(), isNew: was == 0}
	if was > 0 {
		u.was = attr.Number(strconv.FormatInt(was, 10))
	}
	err = table.CheckUpdate(item, was)
	if err == nil {
		u.row, err = encode(item, s.schema, false)
	}
	if err == nil {
		err = s.write(ctx, u, u.size())
	}
	if err != nil {
		return false, fmt.Errorf("update item: %w", err)
	}
	return u.updated, nil
}

// deletion deletes one item.
type deletion struct {
	store *Store
	key   []byte
}

func (d *deletion) apply(tx *bbolt.Tx) error {
	value, item, err := d.store.clear(tx, d.key)
	switch {
	case err != nil || value == nil:
		return err
	case isRow(value):
		return removeRow(tx, value, d.key, d.store.entries(item))
	}
	return tx.Bucket(keysBucket).Delete(d.key)
}

// Delete implements [table.Eraser]. It deletes a damaged item, too.
func (s *Store) Delete(ctx context.Context, key table.Key) error {
	if err := s.write(ctx, &deletion{store: s, key: tuple(key.PK, key.SK)}, 0); err != nil {
		return fmt.Errorf("delete item: %w", err)
	}
	return nil
}

// write commits a change of size bytes. After an error the commit may still be
// under way, so the caller must not read the change.
func (s *Store) write(ctx context.Context, c change, size int) error {
	if err := ctx.Err(); err != nil {
		return timeout(err)
	}
	w := &write{change: c, size: size, done: make(chan error, 1)}
	to := s.behind
	if w.isUrgent() {
		to = s.urgent
	}
	select {
	case to <- w:
	case <-s.closing:
		return errClosed
	case <-ctx.Done():
		return timeout(ctx.Err())
	}
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		// The write may still be committed. As after a lost response, only a second
		// attempt can tell.
		return timeout(ctx.Err())
	}
}

// timeout wraps [table.ErrUnavailable] around a deadline's error, as [table.Store]
// promises.
func timeout(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", table.ErrUnavailable, err)
	}
	return err
}

// commitLoop commits whatever has arrived since the last commit. Many writes share the cost
// of one commit. While urgent ones keep coming, the others begin no commit, for which the
// next urgent one would have to wait.
func (s *Store) commitLoop() {
	defer close(s.committed)
	var behind <-chan *write = s.behind // nil while they give way
	quiet := time.NewTimer(0)
	for {
		var batch []*write
		urgent := 0 // of them
		select {
		case w := <-s.urgent:
			batch, urgent = s.gather(w)
			s.expected = urgent
		case w := <-behind:
			batch, urgent = s.gather(w)
		case <-quiet.C:
			behind = s.behind
			continue
		case <-s.closing:
			return
		}
		err := s.commit(batch)
		for _, w := range batch {
			w.done <- err
		}
		if urgent > 0 {
			behind = nil
			quiet.Reset(s.giveWay)
			s.fed.broadcast()
		}
		if err == nil && slices.ContainsFunc(batch, (*write).writes) {
			s.changed.broadcast()
		}
		s.forgetPages()
	}
}

// gather returns the first write and those that wait behind it, and how many are urgent. If
// the first one is, and they are fewer than expected, it waits a moment for the others.
func (s *Store) gather(first *write) (batch []*write, urgent int) {
	var late <-chan time.Time
	size := 0
	for w := first; ; {
		batch = append(batch, w)
		size += w.size
		if w.isUrgent() {
			urgent++
		}
		if len(batch) == maxCommit || size >= maxCommitBytes {
			return batch, urgent
		}
		select {
		case w = <-s.urgent:
			continue
		case w = <-s.behind:
			continue
		default:
		}
		if !first.isUrgent() || urgent >= s.expected {
			return batch, urgent
		}
		if late == nil {
			late = time.After(s.gatherTime)
		}
		select {
		case w = <-s.urgent:
		case w = <-s.behind:
		case <-late:
			return batch, urgent
		}
	}
}

// commit writes all of a batch durably or, with an error, none of it.
func (s *Store) commit(batch []*write) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		tx.Bucket(keysBucket).FillPercent = keysFill
		for _, w := range batch {
			if err := w.apply(tx); err != nil {
				return err
			}
		}
		return nil
	})
}

// Query implements [table.Store].
func (s *Store) Query(ctx context.Context, q table.Query) (table.Page, error) {
	start, err := q.Start()
	if err != nil {
		return table.Page{}, fmt.Errorf("query: %w", err)
	}
	r := reader{store: s, now: s.Now(), query: q, keys: sortRange(q.Partition, q.SortPrefix, q.From, q.To)}
	if q.Index != table.Base {
		i := slices.IndexFunc(s.schema.Indexes, func(i schema.Index) bool { return i.Name == string(q.Index) })
		if i < 0 {
			return table.Page{}, fmt.Errorf("query: %w: no index %s in the schema", table.ErrQuery, q.Index)
		}
		r.index = &s.schema.Indexes[i]
	}

	var page table.Page
	err = s.db.View(func(tx *bbolt.Tx) error {
		if start != (table.Position{}) {
			r.narrow(tx, start)
		}
		page, err = r.page(ctx, tx)
		return err
	})
	if err != nil {
		return table.Page{}, fmt.Errorf("query: %w", closed(timeout(err)))
	}
	return page, nil
}

// reader reads one page.
type reader struct {
	store *Store
	now   time.Time
	query table.Query
	keys  keyRange
	index *schema.Index // nil for the table itself
}

// narrow removes the keys up to start, in reading order, from the range. If the item at
// start has been deleted, those of an index with the same sort key are read once more. If it
// has been written anew since, it is behind them, and those in between are not read.
func (r *reader) narrow(tx *bbolt.Tx, start table.Position) {
	key := tuple(start.PK, start.SK)
	if r.index != nil {
		number := tx.Bucket(keysBucket).Get(key)
		if !isRow(number) {
			number = nil
		}
		key = append(tuple(start.Partition, start.Sort), number...)
		if number == nil && r.query.NewestFirst {
			key = after(key)
		}
	}
	if r.query.NewestFirst {
		r.keys.high = key
	} else {
		r.keys.low = append(key, zero)
	}
}

func (r *reader) page(ctx context.Context, tx *bbolt.Tx) (table.Page, error) {
	cursor := tx.Bucket(keysBucket).Cursor()
	if r.index != nil {
		cursor = tx.Bucket(indexBucket(r.index.Name)).Cursor()
	}

	var page table.Page
	size := 0
	key, value := r.first(cursor)
	for ; r.keys.contains(key); key, value = r.next(cursor) {
		if err := ctx.Err(); err != nil {
			return table.Page{}, err
		}
		if r.query.Limit > 0 && len(page.Items) == r.query.Limit || size >= table.MaxPageSize {
			last := page.Items[len(page.Items)-1]
			page.Next = table.PositionOf(r.query.Index, last).Cursor()
			break
		}
		item, length, err := r.item(tx, key, value)
		if err != nil {
			page.Damaged++
			continue
		}
		if table.Expired(item, r.now) {
			continue
		}
		if r.index != nil {
			project(item, *r.index)
		}
		page.Items = append(page.Items, item)
		size += length
	}
	return page, nil
}

// item returns the item that is found at a key of what is read, and the bytes that it takes.
// It reports a damaged one.
func (r *reader) item(tx *bbolt.Tx, key, value []byte) (item table.Item, size int, err error) {
	if r.index == nil {
		item, size, err = itemAt(tx, key, value)
	} else {
		value = key[len(key)-sequenceSize:]
		record := tx.Bucket(rowsBucket).Get(value)
		item, err = decodeRecord(record)
		if err == nil && !bytes.Equal(indexKey(*r.index, item), key[:len(key)-sequenceSize]) {
			err = ErrDamaged
		}
		size = len(record)
	}
	if err != nil {
		r.store.report(key, value)
	}
	return item, size, err
}

// first moves to the first key of the range in reading order. If the range is
// empty, it moves to a neighbouring key.
func (r *reader) first(c *bbolt.Cursor) (key, value []byte) {
	if !r.query.NewestFirst {
		return c.Seek(r.keys.low)
	}
	if key, _ := c.Seek(r.keys.high); key == nil {
		return c.Last()
	}
	return c.Prev()
}

func (r *reader) next(c *bbolt.Cursor) (key, value []byte) {
	if r.query.NewestFirst {
		return c.Prev()
	}
	return c.Next()
}

// project removes the attributes that an index does not hold.
func project(item table.Item, index schema.Index) {
	if index.All {
		return
	}
	for name := range item {
		switch name {
		case table.PK, table.SK, index.Key.Partition, index.Key.Sort:
		default:
			if !slices.Contains(index.Include, name) {
				delete(item, name)
			}
		}
	}
}
