// Package alert publishes missed calls and voicemails to people and programs.
//
// [Dispatcher.Process] gets the table's new items in the order in which they were
// written; see package consumer. It reads all events of an item's call and folds them:
// see [events.Fold]. If the call owes an alert that was not published before, no rule is
// against it and no other call of the same ring speaks for this one, it adds what the
// table knows of the caller, publishes, and puts a mark beside the events. A call has
// one mark for each kind of alert, because JustCall reports one missed call in several
// events. What was published and is not owed any more is taken back.
//
// Publishing comes before marking, so no crash can lose an alert. It can repeat
// one; therefore an alert always carries the same ID. Another mark, written before,
// says that an alert may have gone out: if the call turns out to be answered, it is
// taken back. Whatever only improves an
// alert, such as the caller's name, can neither delay it for long nor fail it.
//
// [SNS] publishes to an Amazon SNS topic: a JSON document (see docs/alerts.md),
// an e-mail and a text message, with attributes for filter policies.
package alert
