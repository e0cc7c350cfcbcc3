// Package alert tells people of missed calls and voicemails.
//
// [Dispatcher.Deliver] takes items of the events table in the order in which
// they were written, from the table's stream or from the embedded store's feed.
// For each that alerts it looks whether that was done before, adds what the
// table knows of the caller, publishes, and leaves a mark beside the event. The
// mark is per call and kind: the provider tells of one missed call in several
// events, and people are to hear of it once.
//
// Publishing comes before marking, so that nothing that happens in between can
// lose an alert; it can repeat one, and for this every alert has an id that is
// the same each time. Nothing that only makes an alert better, such as the
// caller's name, can hold it up for more than a moment or make it fail.
//
// [SNS] publishes to an Amazon SNS topic: a JSON document (see
// docs/alerts.md), an e-mail and a text message for the subscribers of each
// kind, with attributes for filter policies.
package alert
