package addressbook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/consumer"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
	"github.com/ringback/ringback/internal/timing"
)

const (
	// maxAttempts is how often a contact is folded anew because somebody else wrote
	// it meanwhile.
	maxAttempts = 10
	// maxNumbers is how many numbers of one contact are kept.
	maxNumbers = 100
	// answerTime is left before the deadline, so that what is done counts.
	answerTime = time.Second
)

// ErrContended means that others kept writing the same contact.
var ErrContended = errors.New("contact is being changed by others")

// Book keeps the contacts of each number.
type Book struct {
	// Changed is told of each number under which a contact was brought up to date, even
	// if nothing had to be written. If it fails, so does the record. Nil tells nobody.
	Changed func(ctx context.Context, number string) error
	// AtOnce is how many contacts are brought up to date side by side. New sets
	// [timing.AtOnce].
	AtOnce int

	store     table.Store
	canonical func(number string) string
	log       *slog.Logger
}

// New returns a book in a store. canonical returns the one form of all spellings of a
// number, and "" for what is no number. The log lines hold no personal data.
func New(store table.Store, canonical func(number string) string, log *slog.Logger) *Book {
	return &Book{AtOnce: timing.AtOnce, store: store, canonical: canonical, log: log}
}

// Consumer returns the book as a consumer of the table's new items.
func (b *Book) Consumer() consumer.Consumer {
	return consumer.Consumer{Name: "contacts", Wants: isChange, Process: b.Process}
}

// isChange reports whether an item is the event of a contact whose id is known.
func isChange(item table.Item) bool {
	return table.Text(item, table.Kind) == string(events.KindContact) &&
		strings.HasPrefix(table.Text(item, table.PK), table.ContactSort)
}

// Process brings the contacts of items up to date, each once. It implements
// [consumer.Process].
func (b *Book) Process(ctx context.Context, items []table.Item) []error {
	ctx, cancel := timing.WithMargin(ctx, answerTime)
	defer cancel()
	contacts := make(map[string]error, len(items))
	for _, item := range items {
		contacts[table.Text(item, table.PK)] = nil
	}
	var mu sync.Mutex
	all := slices.Collect(maps.Keys(contacts))
	timing.AtMost(b.AtOnce, len(all), func(i int) {
		contact := all[i]
		_, err := b.keep(ctx, contact)
		mu.Lock()
		defer mu.Unlock()
		contacts[contact] = err
	})

	errs := make([]error, len(items))
	for i, item := range items {
		errs[i] = contacts[table.Text(item, table.PK)]
	}
	return errs
}

// keep brings a contact up to date under its numbers, and under others where it may
// still be. contact is the PK of its events. keep logs its errors itself; they wrap
// [ErrContended] or an error of the store.
func (b *Book) keep(ctx context.Context, contact string, others ...string) (*keeping, error) {
	k := &keeping{Book: b, contact: contact, stored: make(map[string]table.Item)}
	err := k.keep(ctx, others)
	attributes := []slog.Attr{
		slog.String("key", table.LogPartition(contact)), slog.Int("numbers", k.current), slog.Int("written", k.written),
		slog.Int("unusable", k.unusable), slog.Int("unreadable", k.unreadable),
	}
	if err != nil {
		b.log.LogAttrs(ctx, slog.LevelError, "contact not kept", append(attributes, slog.String("error", err.Error()))...)
		return k, err
	}
	b.log.LogAttrs(ctx, slog.LevelInfo, "contact kept", attributes...)
	return k, nil
}

// keeping is one contact being brought up to date.
type keeping struct {
	*Book

	contact string
	// stored are the items under the numbers that were looked up; nil for none.
	stored map[string]table.Item

	// For the log: numbers of the contact, items written, texts that are no number, and
	// events that cannot be read.
	current, written, unusable, unreadable int
}

func (k *keeping) keep(ctx context.Context, others []string) error {
	for _, number := range others {
		if err := k.lookUp(ctx, number); err != nil {
			return err
		}
	}
	for range maxAttempts {
		done, err := k.attempt(ctx)
		if err != nil {
			return err
		}
		if done {
			return k.tell(ctx)
		}
	}
	return ErrContended
}

// tell tells of every number where the contact is or was.
func (k *keeping) tell(ctx context.Context) (err error) {
	if k.Changed == nil {
		return nil
	}
	for number := range k.stored {
		err = errors.Join(err, k.Changed(ctx, number))
	}
	return err
}

// attempt writes what the events come to. It reports false if that may not be the
// last word.
//
// What is written must have been looked up before the events were read. Then nobody
// can overwrite what follows from an event with what follows from fewer: whoever
// wrote before the look-up knew no event that is not read here, and whoever writes
// after it changes the version.
func (k *keeping) attempt(ctx context.Context) (done bool, err error) {
	changes, err := k.read(ctx)
	if err != nil {
		return false, err
	}
	if len(changes) == 0 {
		return true, nil // nothing says that the contact changed
	}
	wanted := k.items(fold(changes))
	// guard 4: if _, err := k.lookUpRest(ctx, wanted); err != nil {
	if looked, err := k.lookUpRest(ctx, wanted); looked || err != nil {
		return false, err
	}
	done = true
	for number, item := range wanted {
		updated, err := k.write(ctx, number, item)
		if err != nil {
			return false, err
		}
		done = done && updated
	}
	return done, nil
}

// read returns what the contact's events say.
func (k *keeping) read(ctx context.Context) (changes []change, err error) {
	k.unreadable = 0
	for item, err := range table.All(ctx, k.store, table.Query{Partition: k.contact}) {
		if err != nil {
			return nil, fmt.Errorf("read the contact's events: %w", err)
		}
		if !isChange(item) {
			continue
		}
		said, ok := contactOf(item)
		if !ok {
			k.unreadable++
			continue
		}
		changes = append(changes, changeOf(item, said))
	}
	return changes, nil
}

// contactOf reads an event's payload.
func contactOf(item table.Item) (*events.Contact, bool) {
	envelope, err := table.EnvelopeOf(item)
	if err != nil {
		return nil, false
	}
	said, ok := envelope.Details().Event.(*events.Contact)
	return said, ok
}

// items returns what is to be kept under each number that the contact has, that it had,
// or under which it is stored.
func (k *keeping) items(now contact) map[string]table.Item {
	items := make(map[string]table.Item)
	removed := table.Item{table.Removed: attr.Bool(true), table.UpdatedAt: attr.String(now.at)}
	for number, item := range k.stored {
		if item != nil {
			items[number] = removed
		}
	}
	k.unusable = 0
	for _, number := range now.former {
		if number = k.canonical(number); number != "" {
			items[number] = removed
		}
	}
	item := table.Item{
		table.Blocked:      attr.Bool(now.blocked),
		table.DoNotDisturb: attr.Bool(now.dnd),
		table.Removed:      attr.Bool(false),
		table.UpdatedAt:    attr.String(now.at),
	}
	for name, text := range map[string]string{table.Name: now.name, table.Company: now.company} {
		if text != "" {
			item[name] = attr.String(text)
		}
	}
	if sort := table.NameSort(now.name, now.company); sort != "" {
		item[table.GSI3PK], item[table.GSI3SK] = attr.String(table.NamesPartition), attr.String(sort)
	}
	kept := make(map[string]bool)
	for _, number := range now.numbers {
		switch number = k.canonical(number); {
		case number == "":
			k.unusable++
		case len(kept) < maxNumbers:
			kept[number] = true
			items[number] = item
		}
	}
	k.current = len(kept)
	if len(kept) < 2 {
		return items
	}
	all := slices.Sorted(maps.Keys(kept))
	for i, number := range all {
		others := slices.Concat(all[:i], all[i+1:])
		items[number] = maps.Clone(item)
		items[number][table.OtherNumbers] = attr.String(strings.Join(others, " "))
	}
	return items
}

func (k *keeping) key(number string) table.Key { return table.ContactKey(number, k.contact) }

// lookUpRest looks up the numbers that were not looked up yet. It reports whether there
// were any.
func (k *keeping) lookUpRest(ctx context.Context, wanted map[string]table.Item) (looked bool, err error) {
	for number := range wanted {
		if _, ok := k.stored[number]; ok {
			continue
		}
		looked = true
		if err := k.lookUp(ctx, number); err != nil {
			return true, err
		}
	}
	return looked, nil
}

// lookUp reads the contact's item under a number.
func (k *keeping) lookUp(ctx context.Context, number string) error {
	item, err := table.Get(ctx, k.store, k.key(number))
	if err != nil {
		return fmt.Errorf("look up the contact: %w", err)
	}
	stored := maps.Clone(item)
	delete(stored, table.ExpiresAt) // the store sets it anew whenever the rest has changed
	k.stored[number] = stored
	return nil
}

// write puts an item in place of the one that was looked up, unless they are the same.
// It reports false if another one is there by now, and looks that up.
func (k *keeping) write(ctx context.Context, number string, content table.Item) (updated bool, err error) {
	stored := k.stored[number]
	was := table.VersionOf(stored)
	item := maps.Clone(content)
	key := k.key(number)
	item[table.PK], item[table.SK] = attr.String(key.PK), attr.String(key.SK)
	item[table.Version] = attr.Number(strconv.FormatInt(was, 10))
	if maps.Equal(item, stored) {
		return true, nil
	}
	item[table.Version] = attr.Number(strconv.FormatInt(was+1, 10))
	// guard 4 addressbook (ManyProcesses|WhoeverIsLate): for updated = false; !updated && err == nil; was++ { item[table.Version] = attr.Number(strconv.FormatInt(was+1, 10)); updated, err = k.store.Update(ctx, item, was) }
	updated, err = k.store.Update(ctx, item, was)
	if err != nil {
		return false, fmt.Errorf("keep the contact: %w", err)
	}
	if !updated {
		return false, k.lookUp(ctx, number)
	}
	k.written++
	k.stored[number] = item
	return true, nil
}
