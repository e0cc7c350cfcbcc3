// Package spill carries deliveries over times when the table takes none: into
// an SQS queue, and from there into the table.
//
// [Queue] sends a receipt as one message, [Encode] says in which form. [Drain]
// serves the queue's events with package ingest's own code, so that the item is
// the one that the webhook would have written. The key is the dedupe key: a
// message that comes twice, or after all the delivery was stored, changes
// nothing.
//
// A message that cannot be kept comes back, and after a number of attempts ends
// in the dead-letter queue, whole. See
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html.
package spill
