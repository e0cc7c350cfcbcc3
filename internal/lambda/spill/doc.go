// Package spill holds deliveries while the table takes none: it sends them to an
// SQS queue, and from there to the table.
//
// [Queue] sends a delivery as one message, in the form of [Encode]. [Drain] handles
// the queue's events with package ingest's own code, so that the item is the one
// that the webhook would have written. Its key is the dedupe key: a message that
// comes twice, or whose delivery was stored after all, changes nothing.
//
// A message that cannot be stored comes back, and after a number of attempts it ends
// whole in the dead-letter queue. See
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html.
package spill
