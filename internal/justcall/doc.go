// Package justcall is a client of JustCall's REST API, version 2.1, with the
// operations that find what a webhook lost.
//
// Three things about that API decide the shape of this package:
//   - A time filter is read in the account's time zone. A bound in another zone
//     answers 200 with no rows. So a list is walked without one: by id, newest first,
//     until the caller stops.
//   - Pages are numbered from 0, and rows move between them while a walk is under way.
//     See [Page].
//   - Everybody who uses the account's key shares its limits. A [Client] leaves a third
//     of them to the others.
//
// An error says which operation failed and what to do. Neither an error nor a log
// line has a key, or anything of a row.
package justcall
