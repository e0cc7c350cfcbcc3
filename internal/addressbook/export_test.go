package addressbook

import "github.com/ringback/ringback/events"

// Change is exported for tests of the fold.
type Change = change

// NewChange returns a change.
func NewChange(at, key string, c *events.Contact) Change { return change{at, key, c} }

// Key tells changes apart.
func (c change) Key() string { return c.at + c.key }

// Folded is what a fold comes to.
type Folded struct {
	Name, Company         string
	Numbers, Former       []string
	Blocked, DND, Removed bool
	At                    string
}

// Fold folds changes.
func Fold(changes []Change) Folded {
	c := fold(changes)
	return Folded{c.name, c.company, c.numbers, c.former, c.blocked, c.dnd, c.removed, c.at}
}
