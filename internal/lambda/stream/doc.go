// Package stream hands the records of the table's stream to those who follow
// it, and tells Lambda which of them to bring again.
//
// A record that cannot be read does not keep the others of its batch from being
// handed on. Lambda is told the first record that failed: it comes back to it
// and to all behind it, which therefore have to be told apart by whoever
// handles them. What fails until the retries are used up ends whole in the
// failure bucket.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
package stream
