package addressbook

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

// change is what one event says of a contact.
type change struct {
	at  string // when it happened; sorts as text
	key string // distinguishes changes at the same time

	*events.Contact
}

// contact is what all changes of a contact come to.
type contact struct {
	name, company string
	// numbers are those that the contact has, and former those that it had, as sent.
	numbers, former []string
	blocked, dnd    bool
	removed         bool
	at              string // of the last change
}

// maxText bounds a name, in bytes, so that no contact is too large for the table.
const maxText = 512

// fold returns what changes come to. Their order does not matter, and neither does
// one that comes twice.
//
// The latest change counts. What it leaves out, or sends as null or as an empty text,
// stays as the change before it said; except that a number or company is gone if the
// change names it as changed.
func fold(changes []change) contact {
	// guard 4: changes = slices.Clone(changes)
	changes = slices.SortedFunc(slices.Values(changes), change.compare)
	var (
		c                 contact
		first, last, full string
		phones, others    []string
		named             []string // every number in any change
	)
	for _, said := range changes {
		// A whole name replaces both of its parts, and a part the whole one.
		switch {
		case said.FirstName != "" || said.LastName != "":
			first, last, full = cmp.Or(said.FirstName, first), cmp.Or(said.LastName, last), ""
		case said.Name != "":
			first, last, full = "", "", said.Name
		}
		set(&c.company, said.Company, said.changed("company"))
		if said.Phone != "" || said.changed("phone", "contact_number") {
			phones = append([]string{said.Phone}, said.MorePhones...)
		}
		if numbers, ok := said.OtherNumbers.Get(); ok || said.changed("other_numbers") {
			others = numbers
		}
		setFlag(&c.blocked, said.Blacklisted)
		setFlag(&c.dnd, said.DoNotDisturb)
		c.removed = said.Removed
		c.at = said.at
		named = slices.Concat(named, []string{said.Phone}, said.MorePhones, said.OtherNumbers.Value)
	}
	c.name, c.company = bounded(events.PersonName(cmp.Or(full, first+" "+last))), bounded(c.company)
	if !c.removed {
		c.numbers = distinct(slices.Concat(phones, others))
	}
	c.former = slices.DeleteFunc(distinct(named), func(n string) bool { return slices.Contains(c.numbers, n) })
	return c
}

// compare orders changes by time.
func (c change) compare(other change) int {
	return cmp.Or(strings.Compare(c.at, other.at), strings.Compare(c.key, other.key))
}

// changed reports whether an update names one of these members as changed.
func (c change) changed(members ...string) bool {
	return slices.ContainsFunc(members, func(m string) bool { return slices.Contains(c.ChangedFields, m) })
}

func set(text *string, said string, changed bool) {
	if said != "" || changed {
		*text = said
	}
}

func setFlag(flag *bool, said events.Optional[bool]) {
	if value, ok := said.Get(); ok {
		*flag = value
	}
}

// distinct returns the numbers that are not empty, each once.
func distinct(numbers []string) []string {
	numbers = slices.DeleteFunc(slices.Sorted(slices.Values(numbers)), func(n string) bool { return n == "" })
	return slices.Compact(numbers)
}

func bounded(text string) string {
	text = strings.TrimSpace(text)
	return strings.ToValidUTF8(text[:min(len(text), maxText)], "")
}

// Contact is what the events of a contact come to.
type Contact struct {
	// Name and Company are as sent.
	Name, Company string
	// Numbers are those that the contact has, and Former those that it had, as sent.
	Numbers, Former       []string
	Blocked, DoNotDisturb bool
	// Removed is set if the contact is in the address book no longer.
	Removed bool
}

// ReadContact returns what the items of a contact's events come to. Their order does not matter. It
// passes over what cannot be read.
func ReadContact(items []table.Item) Contact {
	var changes []change
	for _, item := range items {
		if said, ok := contactOf(item); ok && isChange(item) {
			changes = append(changes, changeOf(item, said))
		}
	}
	c := fold(changes)
	return Contact{
		Name: c.name, Company: c.company, Numbers: c.numbers, Former: c.former,
		Blocked: c.blocked, DoNotDisturb: c.dnd, Removed: c.removed,
	}
}

func changeOf(item table.Item, said *events.Contact) change {
	return change{table.Text(item, table.OccurredAt), table.Text(item, table.SK), said}
}
