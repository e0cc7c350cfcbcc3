package table

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ringback/ringback/internal/table/attr"
)

// Item is one row: its attributes, by name.
type Item = attr.Item

// Attributes that the table itself uses, as in template.yaml.
const (
	PK     = "PK"
	SK     = "SK"
	GSI1PK = "GSI1PK"
	GSI2PK = "GSI2PK"
	GSI3PK = "GSI3PK"
	GSI3SK = "GSI3SK"

	// ExpiresAt holds the second, in Unix time, after which the table may
	// delete the item.
	ExpiresAt = "expires_at"

	// Version counts the writes of an item that [Store.Update] writes, from 1. Other
	// items have none.
	Version = "version"
)

// Unversioned is the version of a stored item that has none.
const Unversioned = -1

// Index is what a [Query] reads: the table or one of its indexes.
type Index string

// The table and its indexes. An index holds only the items that have both of its
// keys; for GSI2 and GSI3 those are few. GSI1 and GSI2 sort by [OccurredAt].
const (
	Base Index = ""
	GSI1 Index = "GSI1"
	GSI2 Index = "GSI2"
	GSI3 Index = "GSI3"
)

// Indexes lists every index beside the table itself.
func Indexes() []Index { return []Index{GSI1, GSI2, GSI3} }

// Attributes returns the names of the partition and sort key attributes of an
// index, or two empty strings for an index that does not exist.
func (i Index) Attributes() (partition, sort string) {
	switch i {
	case Base:
		return PK, SK
	case GSI1:
		return GSI1PK, OccurredAt
	case GSI2:
		return GSI2PK, OccurredAt
	case GSI3:
		return GSI3PK, GSI3SK
	}
	return "", ""
}

// Limits of DynamoDB, in bytes.
const (
	MaxItemSize     = 400 << 10
	MaxPartitionKey = 2048
	MaxSortKey      = 1024
	MaxPageSize     = 1 << 20
)

// Errors of a [Store]. They are wrapped with what was being done; ask with
// errors.Is. No error text contains item content. Any other error is a bug of
// ours, a fault of the setup, or the caller's own context, cancelled.
var (
	// ErrTooLarge: the item is over [MaxItemSize].
	ErrTooLarge = errors.New("item over 400 KB")

	// ErrKey: a key attribute of the item is missing, empty, too long, not a
	// string or not UTF-8.
	ErrKey = errors.New("unusable key")

	// ErrValue: the item has a value that the table cannot hold, such as a number
	// of more than 38 digits or nesting of more than 32 levels.
	ErrValue = attr.ErrValue

	// ErrQuery: the [Query] contradicts itself, or its cursor is not from a page
	// of the same query.
	ErrQuery = errors.New("unusable query")

	// ErrVersion: an update was given an item whose [Version] does not follow the one
	// that it replaces.
	ErrVersion = errors.New("unusable version")

	// ErrUnavailable: the table throttled, timed out, could not be reached or
	// failed internally. The same call is worth another attempt. A Put that
	// fails this way may still have written the item.
	ErrUnavailable = errors.New("table unavailable")

	// ErrDenied: whoever asks has no right to, or credentials that are wrong or have
	// expired.
	ErrDenied = errors.New("no access")

	// ErrNoTable: there is no such table.
	ErrNoTable = errors.New("no such table")
)

// Store keeps items. Its methods may be called concurrently. An item that has [Expired]
// is as good as gone, whether it was deleted or not: nothing returns it, and another may
// be written in its place.
type Store interface {
	// Put writes item if the table has no item with its PK and SK. If there is
	// one, it stays as it is and created is false: the item is a redelivery, or
	// our own write whose response was lost. When Put returns without an error,
	// an item with this key is on durable storage.
	//
	// Errors: ErrKey, ErrValue, ErrTooLarge, ErrUnavailable.
	Put(ctx context.Context, item Item) (created bool, err error)

	// Update writes item in place of the stored one if that one's [Version] is was, or
	// [Unversioned]; with was 0, if there is none. Otherwise the table stays as it is and
	// updated is false: read the item again, and decide anew. The item's own Version must
	// be was + 1, or 1 in place of an unversioned one. Of many that update one version,
	// exactly one succeeds.
	//
	// A call whose response was lost is repeated, and so may report false although
	// it wrote the item.
	//
	// Update is for items that are derived from events, and for events that are stored
	// anew: what it writes is no news for consumers. The embedded store keeps it out of its feed. On AWS, the filter
	// of the stream drops it.
	//
	// Errors: ErrVersion, ErrKey, ErrValue, ErrTooLarge, ErrUnavailable.
	Update(ctx context.Context, item Item, was int64) (updated bool, err error)

	// Query returns one page of the items of one partition in the order of
	// their sort keys. A query of Base sees every Put that has returned; an
	// index may lag behind for a moment, and holds only the attributes that
	// template.yaml projects into it.
	//
	// Errors: ErrQuery, ErrUnavailable.
	Query(ctx context.Context, q Query) (Page, error)

	// Scan returns one page of the items whose PK begins with prefix, "" for all, in
	// an order that stays the same. It has every item written before the scan
	// began, and may have those written meanwhile. after is the Next of a page, or
	// the [Position] of any item, which the scan then continues; "" for the first
	// page. On AWS a scan reads, and is billed for, the whole table.
	//
	// Errors: ErrQuery, ErrUnavailable.
	Scan(ctx context.Context, prefix string, after Cursor) (Page, error)
}

// Eraser is a [Store] whose items a person can have deleted.
type Eraser interface {
	Store

	// Delete deletes the item with a key, if there is one. What it deletes is no news for
	// consumers.
	//
	// Errors: ErrUnavailable.
	Delete(ctx context.Context, key Key) error
}

// Query asks for the items of one partition.
type Query struct {
	Index     Index
	Partition string // required

	// SortPrefix, or else the inclusive bounds From and To, narrow the sort
	// key; empty means unbounded.
	SortPrefix string
	From, To   string

	NewestFirst bool // descending instead of ascending sort keys
	Limit       int  // items per page; 0 for as many as fit into 1 MB

	// After is the Next of a page of the same query, which it continues.
	After Cursor
}

// Page is a part of the answer to a [Query]. It may have fewer items than the
// limit, even none, although more follow: only an empty Next is the end.
type Page struct {
	Items []Item
	Next  Cursor
	// Damaged is how many further items are there that cannot be read. [All] and [ScanAll]
	// do not say it: whoever must know looks at each page.
	Damaged int
	// At is when the store answered, by its own clock; zero if that is this machine's.
	At time.Time
}

// Get returns the item with a key, nil if there is none.
func Get(ctx context.Context, s Store, key Key) (Item, error) {
	page, err := s.Query(ctx, Query{Partition: key.PK, From: key.SK, To: key.SK})
	if err != nil || len(page.Items) == 0 {
		return nil, err //nolint:wrapcheck // a store's error
	}
	return page.Items[0], nil
}

// All yields every item that q matches, page by page. It stops at the first error,
// which it yields with a nil item.
func All(ctx context.Context, s Store, q Query) iter.Seq2[Item, error] {
	return all(func(next Cursor) (Page, error) {
		q.After = cmp.Or(next, q.After)
		return s.Query(ctx, q)
	})
}

// ScanAll yields every item of a scan, page by page. It stops at the first error,
// which it yields with a nil item.
func ScanAll(ctx context.Context, s Store, prefix string, after Cursor) iter.Seq2[Item, error] {
	return all(func(next Cursor) (Page, error) { return s.Scan(ctx, prefix, cmp.Or(next, after)) })
}

// all yields the items of all pages. The cursor of the first page is "".
func all(read func(after Cursor) (Page, error)) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		var after Cursor
		for {
			page, err := read(after)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			if after = page.Next; after == "" {
				return
			}
		}
	}
}

// Cursor is the end of a page, in a form that is safe in URLs and command lines.
// It contains keys, and so phone numbers: do not log it.
type Cursor string

// Position is a [Cursor], decoded: the keys of the last item of a page. For Base,
// Partition and Sort equal PK and SK.
type Position struct {
	Index           Index
	Partition, Sort string
	PK, SK          string
}

// PositionOf returns the position of an item that a query of index returned.
func PositionOf(index Index, item Item) Position {
	partition, sort := index.Attributes()
	return Position{
		Index:     index,
		Partition: Text(item, partition),
		Sort:      Text(item, sort),
		PK:        Text(item, PK),
		SK:        Text(item, SK),
	}
}

// Cursor encodes p.
func (p Position) Cursor() Cursor {
	var b []byte
	for _, s := range []string{string(p.Index), p.Partition, p.Sort, p.PK, p.SK} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return Cursor(base64.RawURLEncoding.EncodeToString(b))
}

// position decodes c; ok is false if it is not a cursor.
func (c Cursor) position() (p Position, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(string(c))
	if err != nil {
		return Position{}, false
	}
	var index string
	for _, s := range []*string{&index, &p.Partition, &p.Sort, &p.PK, &p.SK} {
		n, width := binary.Uvarint(b)
		if width <= 0 || n > MaxPartitionKey || int(n) > len(b)-width {
			return Position{}, false
		}
		b = b[width:]
		*s, b = string(b[:n]), b[n:]
	}
	p.Index = Index(index)
	return p, len(b) == 0
}

// Start is for implementations of [Store]. It checks q and returns the position
// after which it starts, the zero Position for the first page. The error wraps
// ErrQuery.
func (q Query) Start() (Position, error) {
	switch partition, _ := q.Index.Attributes(); {
	case partition == "":
		return Position{}, fmt.Errorf("%w: no index %q", ErrQuery, q.Index)
	case q.Partition == "":
		return Position{}, fmt.Errorf("%w: no partition", ErrQuery)
	case len(q.Partition) > MaxPartitionKey || max(len(q.SortPrefix), len(q.From), len(q.To)) > MaxSortKey:
		return Position{}, fmt.Errorf("%w: key too long", ErrQuery)
	case !utf8.ValidString(q.Partition + q.SortPrefix + q.From + q.To):
		return Position{}, fmt.Errorf("%w: key is not UTF-8", ErrQuery)
	case q.SortPrefix != "" && q.From+q.To != "":
		return Position{}, fmt.Errorf("%w: both a prefix and bounds", ErrQuery)
	case q.To != "" && q.From > q.To:
		return Position{}, fmt.Errorf("%w: upper bound below lower bound", ErrQuery)
	case q.Limit < 0:
		return Position{}, fmt.Errorf("%w: negative limit", ErrQuery)
	case q.After == "":
		return Position{}, nil
	}

	p, ok := q.After.position()
	if !ok || p.Index != q.Index || p.Partition != q.Partition || !q.matches(p.Sort) ||
		p.PK == "" || p.SK == "" || q.Index == Base && (p.PK != p.Partition || p.SK != p.Sort) {
		return Position{}, fmt.Errorf("%w: cursor of another query", ErrQuery)
	}
	return p, nil
}

// ScanStart is for implementations of [Store]. It checks the arguments of a scan and
// returns the key after which it starts, the zero Key for the first page. The error
// wraps ErrQuery.
func ScanStart(prefix string, after Cursor) (Key, error) {
	switch {
	case len(prefix) > MaxPartitionKey || !utf8.ValidString(prefix):
		return Key{}, fmt.Errorf("%w: no prefix of a key", ErrQuery)
	case after == "":
		return Key{}, nil
	}
	p, ok := after.position()
	if !ok || p.Index != Base || p.PK == "" || p.SK == "" || p.PK != p.Partition || p.SK != p.Sort {
		return Key{}, fmt.Errorf("%w: cursor of no scan", ErrQuery)
	}
	return Key{PK: p.PK, SK: p.SK}, nil
}

// matches reports whether a sort key lies within the bounds of q.
func (q Query) matches(sort string) bool {
	return strings.HasPrefix(sort, q.SortPrefix) && sort >= q.From && (q.To == "" || sort <= q.To)
}

// KeyOf returns the primary key of an item.
func KeyOf(item Item) Key { return Key{PK: Text(item, PK), SK: Text(item, SK)} }

// Text returns a string attribute, or "" if item has no string of that name.
func Text(item Item, name string) string {
	if s, ok := item[name].(attr.String); ok {
		return string(s)
	}
	return ""
}
