// Package stream adapts the consumers of the table's new items to Lambda; see
// package consumer.
//
// Lambda reads the stream, runs several batches at once in the order of their
// partition keys, and retries. This package decodes a batch once, passes its new
// items on, and reports the first record that failed; Lambda resends it and all
// records after it, so consumers must be idempotent. An unreadable record fails
// alone: the others of its batch are processed. A record that still fails after
// the last retry ends whole in the failure bucket.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
package stream
