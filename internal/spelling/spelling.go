// Package spelling keeps, for each caller, under which spellings of the number there
// are events. The webhook keys events by the number as it can read it, without numbering
// plans; two of its keys can be one phone.
package spelling

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/table"
)

// maxSeen is how many spellings a process remembers to have written.
const maxSeen = 10_000

// Book writes an item for each spelling that is not the number's canonical form.
type Book struct {
	// Parts remembers what events say; callers may set it.
	Parts *alert.Parts

	store     table.Store
	canonical func(number string) string
	log       *slog.Logger

	mu   sync.Mutex
	seen map[table.Key]bool
}

// New returns a book in a store. canonical returns the one form of all spellings of a
// number, and "" for what is no number. The log lines hold no personal data.
func New(store table.Store, canonical func(number string) string, log *slog.Logger) *Book {
	return &Book{store: store, canonical: canonical, log: log, seen: make(map[table.Key]bool)}
}

// Consumer returns the book as a consumer of the table's new items.
func (b *Book) Consumer() consumer.Consumer {
	return consumer.Consumer{
		Name:    "spellings",
		Wants:   func(item table.Item) bool { return phoneOf(item) != "" },
		Process: b.Process,
	}
}

// phoneOf returns the number by which an item is found, "" if there is none.
func phoneOf(item table.Item) string {
	number, ok := strings.CutPrefix(table.Text(item, table.GSI1PK), table.PhonePartition(""))
	if !ok {
		return ""
	}
	return number
}

// spelling returns the key under which an item's number is to be kept, or the zero Key
// if there is nothing to keep.
func (b *Book) spelling(item table.Item) table.Key {
	number, part := phoneOf(item), b.Parts.Of(item)
	text := part.Number()
	if events.PhoneNumber(text) != number {
		text = number // how it was written is not known any more
	}
	caller := b.canonical(text)
	if number == "" || caller == "" || caller == number {
		return table.Key{}
	}
	return table.SpellingKey(caller, number)
}

// Of returns how the number of a caller is keyed: as it is, as the items of the caller's
// partition say, and as somebody typed it, in case that nothing was written down about it yet.
func Of(caller, typed string, items []table.Item, canonical func(number string) string) []string {
	all := []string{caller}
	add := func(number string) {
		if number != "" && !slices.Contains(all, number) {
			all = append(all, number)
		}
	}
	prefix := table.SpellingKey(caller, "").SK
	for _, item := range items {
		if number, ok := strings.CutPrefix(table.KeyOf(item).SK, prefix); ok {
			add(number)
		}
	}
	if keyed := events.PhoneNumber(typed); canonical(keyed) == caller {
		add(keyed)
	}
	return all
}

// Process keeps the spellings of items. It implements [consumer.Process].
func (b *Book) Process(ctx context.Context, items []table.Item) []error {
	errs := make([]error, len(items))
	for i, item := range items {
		key := b.spelling(item)
		if key == (table.Key{}) || b.isSeen(key) {
			continue
		}
		if _, err := b.store.Put(ctx, table.SpellingItem(key)); err != nil {
			errs[i] = fmt.Errorf("keep the spelling of a number: %w", err)
			b.log.LogAttrs(ctx, slog.LevelError, "spelling not kept",
				slog.String("key", table.LogPartition(table.KeyOf(item).PK)), slog.String("error", err.Error()))
			continue
		}
		b.remember(key)
	}
	return errs
}

func (b *Book) isSeen(key table.Key) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen[key]
}

func (b *Book) remember(key table.Key) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.seen) >= maxSeen {
		clear(b.seen)
	}
	b.seen[key] = true
}
