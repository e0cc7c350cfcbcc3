package bolt

import (
	"time"

	"go.etcd.io/bbolt"

	"github.com/ringback/ringback/internal/table"
)

// Exported for tests of the file format.
var (
	Tuple        = tuple
	EncodeRecord = encodeRecord
	DecodeRecord = decodeRecord
	OwnNames     = ownNames
	Names        = names
	NameOf       = nameOf
	SequenceKey  = sequenceKey
	Compare      = compare
	IsAt         = isAt
	CopyFile     = copyFile
	LockTimeout  = lockTimeout
)

// HeaderSize is how many bytes of a record are before its map.
const HeaderSize = headerSize

// ReadMap reads the map of a record.
func ReadMap(text string) table.Item {
	r := recordReader{rest: text}
	return r.readMap()
}

// InSortRange reports whether the tuple of parts is in a sort range.
func InSortRange(partition, prefix, from, to string, parts ...string) bool {
	return sortRange(partition, prefix, from, to).contains(tuple(parts...))
}

// GiveWay sets how long the writes that are not urgent give way.
func (s *Store) GiveWay(d time.Duration) { s.giveWay = d }

// Expect makes the next commit of an urgent write wait, for a time, until it has so many of them.
func (s *Store) Expect(urgent int, d time.Duration) { s.expected, s.gatherTime = urgent, d }

// MaxMapped sets how many bytes of files may be mapped into memory.
func (s *Store) MaxMapped(bytes int) { s.maxMapped = bytes }

// FeedSequences returns the sequences of everything in the feed.
func (s *Store) FeedSequences() (sequences []uint64, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(feedBucket).ForEach(func(key, _ []byte) error {
			sequence, _ := sequenceOf(key)
			sequences = append(sequences, sequence)
			return nil
		})
	})
	return sequences, err
}
