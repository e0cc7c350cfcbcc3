// Package eventsource plays Lambda's event source mappings, so that tests can
// feed a real function binary as Lambda would: [Stream] a table's stream,
// [Queue] an SQS queue. It is no part of what is deployed.
//
// What it copies is documented:
//
//   - A stream's batch has at most BatchSize records and 6 MB. Records that no
//     filter pattern matches are never handed over and count as done.
//     https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
//   - The records from the lowest sequence number among the batch item failures
//     on come again, and those before it do not. An empty or absent list, or an
//     empty answer, is a success; an identifier that is empty or not of the
//     batch, or an answer of another form, is a failure of the whole batch.
//     https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
//   - An invocation that fails, crashes or runs out of time fails its whole
//     batch. With BisectBatchOnFunctionError a batch that failed is split, which
//     does not count as a retry; after MaximumRetryAttempts retries its records
//     are discarded, to the failure destination, and the next are taken.
//     https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
//   - Of an SQS batch, the messages that are not among the batch item failures
//     are deleted. The others come back after the visibility timeout, and move
//     to the dead-letter queue once they were received maxReceiveCount times.
//     https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
//
// Where the documents leave it open: a batch that made progress is split where
// it failed, one that failed at its first record in halves, left half first. A
// mapping waits between retries; this one does not, and it takes failed SQS
// messages up again at once, after all others.
//
// The settings are read from template.yaml, so that what is tested is what is
// deployed.
package eventsource
