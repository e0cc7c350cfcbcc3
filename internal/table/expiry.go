package table

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/ringback/ringback/internal/table/attr"
)

// Expired reports whether an item's time, [ExpiresAt], has come. A table deletes it some
// time later, on AWS within days. Until then every [Store] does as if it were gone.
func Expired(item Item, now time.Time) bool {
	at, ok := expiresAt(item)
	return ok && at <= now.Unix()
}

func expiresAt(item Item) (at int64, ok bool) {
	n, ok := item[ExpiresAt].(attr.Number)
	if !ok {
		return 0, false
	}
	at, err := strconv.ParseInt(string(n), 10, 64)
	return at, err == nil
}

// Live is for implementations of [Store]. It returns those of items that have not
// expired.
func Live(items []Item, now time.Time) []Item {
	return slices.DeleteFunc(items, func(item Item) bool { return Expired(item, now) })
}

// Putter is the part of a [Store] that writes new items.
type Putter interface {
	Put(ctx context.Context, item Item) (created bool, err error)
}

// Retention is how many days an item is kept after it was written last; 0 for ever.
type Retention int

// maxRetention is the longest one, a hundred years.
const maxRetention = 36_500

var errRetention = fmt.Errorf("no number of days from 0 to %d", maxRetention)

// ParseRetention reads a number of days; "" is 0.
func ParseRetention(text string) (Retention, error) {
	if text == "" {
		return 0, nil
	}
	days, err := strconv.Atoi(text)
	if err != nil || days < 0 || days > maxRetention {
		return 0, errRetention
	}
	return Retention(days), nil
}

// Putter returns a putter whose items expire.
func (r Retention) Putter(p Putter) Putter {
	if r == 0 {
		return p
	}
	return expiringPutter{p, r.clock()}
}

// Store returns a store whose items expire.
func (r Retention) Store(s Store) Store {
	if r == 0 {
		return s
	}
	return expiringStore{s, r.clock()}
}

// expiry is a retention with a clock.
type expiry struct {
	retention Retention
	now       func() time.Time
}

func (r Retention) clock() expiry {
	return expiry{
		retention: r,
		now:       time.Now,
	}
}

// expiring returns the item with the time at which it expires. An item that is not kept
// that long anyway stays as it is.
func (e expiry) expiring(item Item) Item {
	const day = 24 * time.Hour
	at := e.now().Add(time.Duration(e.retention) * day).Unix()
	if earlier, ok := expiresAt(item); ok && earlier <= at {
		return item
	}
	item = maps.Clone(item)
	item[ExpiresAt] = attr.Number(strconv.FormatInt(at, 10))
	return item
}

type expiringPutter struct {
	Putter

	expiry expiry
}

func (p expiringPutter) Put(ctx context.Context, item Item) (created bool, err error) {
	return p.Putter.Put(ctx, p.expiry.expiring(item))
}

type expiringStore struct {
	Store

	expiry expiry
}

func (s expiringStore) Put(ctx context.Context, item Item) (created bool, err error) {
	return s.Store.Put(ctx, s.expiry.expiring(item))
}

// Update sets the time anew: an item lives that long after its last change.
func (s expiringStore) Update(ctx context.Context, item Item, was int64) (updated bool, err error) {
	item = maps.Clone(item)
	delete(item, ExpiresAt)
	return s.Store.Update(ctx, s.expiry.expiring(item), was)
}
