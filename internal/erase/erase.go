// Package erase removes what a table has of a caller: for whoever asks to be forgotten.
//
// What was derived is deleted. Events are emptied and not deleted: their keys, which hold
// JustCall's ids and no number, stay, so that neither a late retry nor a walk through
// JustCall's lists brings them back.
package erase

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ringback/ringback/internal/addressbook"
	"github.com/ringback/ringback/internal/ledger"
	"github.com/ringback/ringback/internal/lookup"
	"github.com/ringback/ringback/internal/phone"
	"github.com/ringback/ringback/internal/spelling"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// ErrBusy means that what is to be erased kept coming back: the caller is calling.
var ErrBusy = errors.New("new events of the caller keep coming: repeat it")

// Options say how far an erasure goes.
type Options struct {
	// Scan reads the whole table for what no index leads to: events of others in which the
	// number stands, and timers of an earlier version.
	Scan bool
	// Write erases. Otherwise it is only counted.
	Write bool
}

// Found is how many items there are, and are gone if they were to be.
type Found struct {
	Calls, Texts, Contacts int // that the events are of
	Events                 int // emptied
	Marks                  int // in no list any more
	Caller                 int // items about the caller, deleted
	Timers                 int // deleted
	Rejected               int // deliveries that were refused, deleted
	// Others are further numbers of the contacts, by blanks. What there is of these stays, and
	// their calls may name the caller.
	Others string
}

func (f Found) total() int { return f.Events + f.Marks + f.Caller + f.Timers + f.Rejected }

// Erase erases what the table has of a number. The error wraps [lookup.ErrNumber],
// [lookup.ErrNotFound] or [ErrBusy].
func Erase(ctx context.Context, store table.Eraser, numbers phone.Book, number string, o Options, now time.Time) (Found, error) {
	key := numbers.Canonical(number)
	if key == "" {
		return Found{}, lookup.ErrNumber
	}
	const most = 5
	var all Found
	for range most {
		e := &erasure{
			store: store, numbers: numbers, caller: key, typed: number, options: o, now: now,
			empty: make(map[table.Key]table.Item), unlist: make(map[table.Key]table.Item), others: make(map[string]bool), further: make(map[string]bool), timers: make(map[table.Key]bool),
		}
		if err := e.collect(ctx); err != nil {
			return all, fmt.Errorf("erase a caller: %w", err)
		}
		found := e.found()
		switch {
		case found.total() == 0 && all.total() == 0:
			return all, lookup.ErrNotFound
		case found.total() == 0:
			return all, nil
		}
		all = all.with(found)
		if !o.Write {
			return all, nil
		}
		if err := e.write(ctx); err != nil {
			return all, fmt.Errorf("erase a caller: %w", err)
		}
	}
	return all, ErrBusy
}

func (f Found) with(g Found) Found {
	return Found{
		max(f.Calls, g.Calls), max(f.Texts, g.Texts), max(f.Contacts, g.Contacts), f.Events + g.Events, f.Marks + g.Marks,
		f.Caller + g.Caller, f.Timers + g.Timers, f.Rejected + g.Rejected, cmp.Or(f.Others, g.Others),
	}
}

// erasure is what is to be erased of one caller.
type erasure struct {
	store         table.Eraser
	numbers       phone.Book
	caller, typed string
	options       Options
	now           time.Time

	empty, unlist              map[table.Key]table.Item
	derived, contacts, refused []table.Key
	timers                     map[table.Key]bool
	// others are further numbers of the same contacts, which lose their names. kept are
	// contacts that stay, without some of their events.
	others  map[string]bool
	kept    []string
	further map[string]bool // of others, those that a contact has now
}

// collect finds what is to be erased.
func (e *erasure) collect(ctx context.Context) error {
	partitions := make(map[string]bool)
	var items []table.Item
	for item, err := range table.All(ctx, e.store, table.Query{Partition: table.CallerPartition(e.caller)}) {
		if err != nil {
			return err
		}
		items = append(items, item)
		key := table.KeyOf(item)
		e.derived = append(e.derived, key)
		if strings.HasPrefix(key.SK, table.ContactSort) {
			partitions[key.SK] = true
		}
		if call := table.Text(item, table.Call); call != "" {
			partitions[call] = true
		}
		if timer, ok := table.NamedTimer(key); ok {
			if err := e.addTimer(ctx, timer); err != nil {
				return err
			}
		}
	}
	stored, err := ledger.Read(items)
	if err != nil {
		return err
	}
	for _, c := range stored.Calls {
		partitions[c.ID] = true
	}
	for _, t := range stored.Texts {
		partitions[t.ID] = true
	}
	for _, number := range spelling.Of(e.caller, e.typed, items, e.numbers.Canonical) {
		for item, err := range table.All(ctx, e.store, table.Query{Index: table.GSI1, Partition: table.PhonePartition(number)}) {
			if err != nil {
				return err
			}
			e.lead(item, partitions)
		}
	}
	if err := errors.Join(e.collectRefused(ctx), e.scan(ctx, partitions)); err != nil {
		return err
	}
	for partition := range partitions {
		if err := e.collectPartition(ctx, partition); err != nil {
			return err
		}
	}
	return nil
}

// addTimer adds a timer that is named, if it is still there.
func (e *erasure) addTimer(ctx context.Context, timer table.Key) error {
	there, err := table.Get(ctx, e.store, timer)
	if there != nil {
		e.timers[timer] = true
	}
	return err //nolint:wrapcheck // Erase does
}

// refusedDays is for how many days deliveries that were refused are kept, and one more, as
// clocks differ.
const refusedDays = 32

// collectRefused adds the refused deliveries in which the number stands.
func (e *erasure) collectRefused(ctx context.Context) error {
	for n := range refusedDays {
		day := e.now.Add(time.Duration(1-n) * 24 * time.Hour)
		for item, err := range table.All(ctx, e.store, table.Query{Partition: table.RejectedPartition(day)}) {
			if err != nil {
				return err
			}
			if e.stands(item) {
				e.refused = append(e.refused, table.KeyOf(item))
			}
		}
	}
	return nil
}

// lead notes where an event leads to.
func (e *erasure) lead(event table.Item, partitions map[string]bool) {
	if key := table.KeyOf(event); table.OfNoCall(key) {
		e.add(event)
	} else {
		partitions[key.PK] = true
	}
}

// collectPartition adds the events and marks of a call, a text or a contact. Of a contact who
// has the number no longer, it adds just the events in which it stands.
func (e *erasure) collectPartition(ctx context.Context, partition string) error {
	var items []table.Item
	source := table.SourceKey(partition)
	for item, err := range table.All(ctx, e.store, table.Query{Partition: source.PK, SortPrefix: source.SK}) {
		if err != nil {
			return err
		}
		items = append(items, item)
	}
	isContact := strings.HasPrefix(partition, table.ContactSort)
	c := addressbook.ReadContact(items)
	whole := !isContact || c.Removed || slices.ContainsFunc(c.Numbers, func(n string) bool { return e.numbers.Canonical(n) == e.caller })
	for _, item := range items {
		if whole || e.stands(item) {
			e.add(item)
		}
	}
	switch {
	case !isContact:
		return nil
	case !whole:
		e.kept = append(e.kept, partition)
		return nil
	}
	for i, number := range append(c.Numbers, c.Former...) {
		other := e.numbers.Canonical(number)
		if other != "" && other != e.caller && (c.Removed || i < len(c.Numbers)) {
			e.further[other] = true
		}
		if other == "" || other == e.caller || e.others[other+partition] {
			continue
		}
		e.others[other+partition] = true
		key := table.ContactKey(other, partition)
		there, err := table.Get(ctx, e.store, key)
		if err != nil {
			return err
		}
		if there != nil {
			e.contacts = append(e.contacts, key)
		}
	}
	return nil
}

// add adds an item of a call's, a text's or a contact's partition.
func (e *erasure) add(item table.Item) {
	switch key := table.KeyOf(item); {
	case table.IsEvent(key) && table.Text(item, table.EmptiedAt) == "":
		e.empty[key] = item
	case !table.IsEvent(key) && table.Text(item, table.GSI2PK) != "":
		e.unlist[key] = item
	}
}

// scan reads the whole table.
func (e *erasure) scan(ctx context.Context, partitions map[string]bool) error {
	if !e.options.Scan {
		return nil
	}
	for item, err := range table.ScanAll(ctx, e.store, "", "") {
		if err != nil {
			return err
		}
		key := table.KeyOf(item)
		switch timer := table.TimerCaller(key); {
		case table.IsTimer(key) && timer == e.caller:
			e.timers[key] = true
		case table.IsEvent(key) && e.stands(item):
			e.lead(item, partitions)
		}
	}
	return nil
}

// written is what may be a number in a text.
var written = regexp.MustCompile(`\+?\(?[0-9][-0-9 ().]{5,24}[0-9]`)

// stands reports whether the number stands in the body of an item.
func (e *erasure) stands(item table.Item) bool {
	body, err := table.PayloadOf(item)
	if err != nil {
		return false
	}
	for _, text := range written.FindAll(body, -1) {
		if e.numbers.Canonical(string(text)) == e.caller {
			return true
		}
	}
	return false
}

func (e *erasure) found() Found {
	f := Found{
		Events: len(e.empty), Marks: len(e.unlist), Caller: len(e.derived) + len(e.contacts), Timers: len(e.timers), Rejected: len(e.refused),
		Others: strings.Join(slices.Sorted(maps.Keys(e.further)), " "),
	}
	seen := make(map[string]bool)
	for key := range e.empty {
		if seen[key.PK] {
			continue
		}
		seen[key.PK] = true
		switch {
		case strings.HasPrefix(key.PK, table.CallPartition("")):
			f.Calls++
		case strings.HasPrefix(key.PK, table.MessagePartition("")):
			f.Texts++
		case strings.HasPrefix(key.PK, table.ContactSort):
			f.Contacts++
		}
	}
	return f
}

// write erases what was found: first what the rest is derived from.
func (e *erasure) write(ctx context.Context) error {
	for _, item := range e.empty {
		emptied, was := table.EmptiedItem(item, e.now)
		// guard 2: if _, err := was, e.store.Delete(ctx, table.KeyOf(emptied)); err != nil {
		if _, err := e.store.Update(ctx, emptied, was); err != nil { // what changed meanwhile is found again
			return err
		}
	}
	for _, mark := range e.unlist {
		unlisted, was := table.UnlistedItem(mark)
		if _, err := e.store.Update(ctx, unlisted, was); err != nil {
			return err
		}
	}
	for _, key := range slices.Concat(slices.Collect(maps.Keys(e.timers)), e.contacts, e.derived, e.refused) {
		if err := e.store.Delete(ctx, key); err != nil {
			return err
		}
	}
	// A follow-up has the names of the contacts in it.
	log := slog.New(slog.DiscardHandler)
	followUps := ledger.New(e.store, e.numbers.Canonical, log)
	for _, contact := range e.kept {
		if err := errors.Join(addressbook.New(e.store, e.numbers.Canonical, log).Process(ctx, []table.Item{{table.PK: attr.String(contact)}})...); err != nil {
			return err
		}
	}
	refreshed := make(map[string]bool)
	for _, key := range e.contacts {
		refreshed[table.CallerOf(key)] = true
	}
	for _, other := range slices.Sorted(maps.Keys(refreshed)) {
		stored, err := ledger.Load(ctx, e.store, other)
		if err != nil {
			return err
		}
		// An erasure does not decide anew whose number it is.
		followUps.Policy.Own = map[string]bool{other: stored.Person.Own}
		if err := followUps.Refresh(ctx, other); err != nil {
			return err
		}
	}
	return nil
}
