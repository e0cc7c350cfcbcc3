// Package bolt keeps the events table in one file on one machine, in
// go.etcd.io/bbolt. It behaves like DynamoDB, limits included: one conformance
// suite runs on both.
//
// The file has a bucket for the items, one for each index, and one that holds the
// key attributes of each index. An index entry refers to its item and is written
// in the same transaction. When the file is opened, an index whose keys changed
// in the template is rebuilt, and one that the template no longer has is deleted.
//
// Two more buckets stand for the table's stream on AWS. The feed refers to the
// items in the order in which they were put, but not to those that Update writes,
// which the filter of the stream drops; it too is written in the same
// transaction, so no crash can lose what follows from an item. The consumers
// bucket holds the checkpoint of each registered consumer of the feed.
package bolt
