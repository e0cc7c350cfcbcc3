// Package reconcile finds what the webhook lost: it compares JustCall's lists of calls
// and texts with the table, and puts in each row that would change what is known.
//
// A list is walked newest first, by id and without a time filter: see package justcall.
// A [Reconciler] goes back to where its last run was, less an overlap, because rows
// change for a while after they appear. What is under way, or ended just now, waits for
// the next run: its webhook may still be on its way. An [Importer] goes back as far as
// it is told, and alerts nobody.
//
// A row is put in as a delivery of its own, marked with what found it, by the one way in.
// Its key differs from those of the webhook's events of the same call, so what is known is
// found by the call's ids or, where the events have ids of another kind, by caller, line
// and time: see [finder].
//
// A call that is too old for an alert is told of all the same: a [Digester] lists all that
// a run found.
//
// Order matters once: if a missed call were stored before the call that returned it,
// people would be reminded of a caller who does not wait. So a run puts in everything
// else first. Newest first helps: whatever is newer than a row was looked at before it,
// also in a run that was cut off.
package reconcile
