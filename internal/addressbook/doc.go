// Package addressbook keeps who has which number.
//
// JustCall sends an event for each change of a contact. The [Book] is a consumer of
// these events. It folds all events of a contact to what holds now, and keeps that
// under each of the contact's numbers, where [Read] finds it with one query.
//
// The events decide, not the order in which they arrive: whoever processes any of
// them reads them all. So events may be processed in any order, twice, or at once,
// and the book can be made anew at any time.
package addressbook
