// Package eventsource plays Lambda's event source mapping of a table's stream. With
// it, tests feed the real function binaries as Lambda would, with the settings of
// template.yaml.
//
// It follows the documentation:
//
//   - A stream's batch has at most BatchSize records and 6 MB. Records that no
//     filter pattern matches are never sent and count as done.
//     https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
//   - From the lowest sequence number among the batch item failures on, records
//     are sent again; those before it are done. An empty list or answer is a
//     success. An empty identifier, one of no record in the batch, or an answer of
//     another form fails the whole batch.
//     https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
//   - An invocation that fails, crashes or times out fails its whole batch. With
//     BisectBatchOnFunctionError a failed batch is split, which is no retry. After
//     MaximumRetryAttempts retries its records are discarded to the failure
//     destination, and the next are sent.
//     https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
//
// The documentation leaves some points open. Here a batch that made progress is
// split where it failed, and one that failed at its first record in halves. There
// are no pauses between retries.
//
// Concurrent batches and their order come from [consumer.Workers], which the local
// stack runs too. Retries are Lambda's own: it resends a failed record together
// with everything behind it, splits, and gives up, whereas package consumer puts
// the record aside and goes on. To share that code would test another service than
// the one that is deployed to.
package eventsource
