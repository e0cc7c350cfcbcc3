package lookup

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/ringback/ringback/internal/alert"
	"github.com/ringback/ringback/internal/table"
)

// Named are people who were found by their name.
type Named struct {
	People []Person `json:"people"`
	// More is set if there may be others: the list is full, or the address book is longer
	// than what is read of it.
	More bool `json:"more,omitzero"`
}

// Person is somebody with a name, and how things stand.
type Person struct {
	Party

	FollowUp FollowUp `json:"follow_up"`
}

const (
	// maxNamed is how many people are listed.
	maxNamed = 50
	// maxCalledLately is how many who wait or called today are looked at: the names of those
	// who are no contacts come with their calls.
	maxCalledLately = 200
)

// maxNames is how much of the address book is read. Tests set it.
var maxNames = 5000

// Named looks for people by a part of their name or company, whatever the letter case and
// accents: contacts, those who wait, and those whom nobody served at first today. The error
// wraps [ErrNotFound].
//
// It reads at most 5000 contacts of the address book, and beyond that those whose name begins
// so: one query for each megabyte, and one or two. Those of [Lookup.Waiting] and
// [Lookup.Unserved] are added, and one for each person who is found.
func (l *Lookup) Named(ctx context.Context, text string) (n Named, err error) {
	wanted := strings.Fields(plain(text))
	if len(wanted) == 0 {
		return n, ErrNotFound
	}
	add := func(p Party) {
		name := plain(p.Name + " " + p.Company)
		if !slices.ContainsFunc(wanted, func(w string) bool { return !strings.Contains(name, w) }) &&
			!slices.ContainsFunc(n.People, func(o Person) bool { return o.Key == p.Key }) {
			n.People = append(n.People, Person{Party: p})
		}
	}
	if n.More, err = l.contactsNamed(ctx, text, add); err != nil {
		return n, err
	}
	waiting, err := l.Waiting(ctx, Page{Limit: maxCalledLately})
	if err != nil {
		return n, err
	}
	for _, c := range waiting.Callers {
		add(c.Party)
	}
	from, to := l.Day(l.Now())
	today, err := l.Unserved(ctx, from, to, Page{Limit: maxCalledLately})
	if err != nil {
		return n, err
	}
	for _, c := range today.Calls {
		add(c.Caller)
	}
	switch {
	case len(n.People) == 0:
		return n, ErrNotFound
	case len(n.People) > maxNamed:
		n.People, n.More = n.People[:maxNamed], true
	}
	callers := make(map[string]*standing)
	for _, p := range n.People {
		callers[p.Key] = &standing{caller: p.Key}
	}
	if err := l.loadAll(ctx, callers); err != nil {
		return n, err
	}
	for i := range n.People {
		p := &n.People[i]
		stored := callers[p.Key].stored
		p.Party, p.FollowUp = p.person(stored.Person), l.followUp(stored)
	}
	return n, nil
}

// contactsNamed adds contacts of the address book.
func (l *Lookup) contactsNamed(ctx context.Context, text string, add func(Party)) (more bool, err error) {
	names := table.Query{Index: table.GSI3, Partition: table.NamesPartition}
	items, next, err := l.readPage(ctx, names, maxNames)
	if err == nil && next != "" {
		more = true
		names.SortPrefix = table.NameSort(text, "")
		var beginning []table.Item
		beginning, _, err = l.readPage(ctx, names, maxNamed)
		items = append(items, beginning...)
	}
	if err != nil {
		return false, fmt.Errorf("look up a name: %w", err)
	}
	for _, item := range items {
		p := l.party(table.CallerOf(table.KeyOf(item)))
		p.Known = true
		p.Name, p.Company = alert.OneLine(table.Text(item, table.Name), maxName), alert.OneLine(table.Text(item, table.Company), maxName)
		add(p)
	}
	return more, nil
}

// plain returns a text in small letters, without accents.
func plain(text string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(text)))
}
