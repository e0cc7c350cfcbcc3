package addressbook

import (
	"strings"

	"github.com/ringback/ringback/internal/followup"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/table/attr"
)

// Entry is what the book says of a number.
type Entry struct {
	// Known is set if a contact has the number.
	Known bool
	// Name and Company are those of the contact that changed last, of those that have
	// a name; both are as sent.
	Name, Company string
	// Blocked and DoNotDisturb are set if they are for one of the contacts.
	Blocked, DoNotDisturb bool
	// Others are the other numbers of the contacts, in the form that all spellings share,
	// sorted.
	Others []string
}

// Person returns what a follow-up keeps of the entry.
func (e Entry) Person() followup.Person {
	if !e.Known {
		return followup.Person{}
	}
	return followup.Person{Known: true, Name: e.Name, Company: e.Company, Blocked: e.Blocked, DoNotDisturb: e.DoNotDisturb}
}

// Read returns what the items in a caller's partition say. It passes over those that
// are no contacts. The order of the items does not matter.
func Read(items []table.Item) Entry {
	var entry Entry
	var best table.Item
	var others []string
	for _, item := range items {
		if !strings.HasPrefix(table.Text(item, table.SK), table.ContactSort) || isTrue(item, table.Removed) {
			continue
		}
		entry.Known = true
		entry.Blocked = entry.Blocked || isTrue(item, table.Blocked)
		entry.DoNotDisturb = entry.DoNotDisturb || isTrue(item, table.DoNotDisturb)
		others = append(others, strings.Fields(table.Text(item, table.OtherNumbers))...)
		if best == nil || isBetter(item, best) {
			best = item
		}
	}
	entry.Others = distinct(others)
	entry.Name, entry.Company = table.Text(best, table.Name), table.Text(best, table.Company)
	return entry
}

// isBetter reports whether the name of a contact is to be taken rather than that of
// another.
func isBetter(item, than table.Item) bool {
	if named, other := table.Text(item, table.Name) != "", table.Text(than, table.Name) != ""; named != other {
		return named
	}
	if at, other := table.Text(item, table.UpdatedAt), table.Text(than, table.UpdatedAt); at != other {
		return at > other
	}
	return table.Text(item, table.SK) > table.Text(than, table.SK)
}

func isTrue(item table.Item, name string) bool { return item[name] == attr.Value(attr.Bool(true)) }
