// Package bolt keeps the events table in one file on one machine, in
// go.etcd.io/bbolt. It behaves like DynamoDB, limits included: one conformance
// suite runs on both.
//
// The file has the items in the order in which they came, or after a takeover in that
// of their keys, each as a record with a sum (record.go). Another bucket has for each key
// the item's number or, if the item is small and for no index and no consumer, the record
// itself (beside.go). There is one bucket for each index, with the numbers of its items
// behind its keys. All are written in the same transaction. When the file is opened, an index whose keys changed
// in the template is rebuilt, and one that the template no longer has is deleted. The
// file of an earlier version is copied, and kept under another name (takeover.go).
//
// An item whose sum is wrong is left out of pages, which say so, and counts as gone for
// whoever writes it: so it stops no other, and what comes again replaces it.
//
// Two more buckets stand for the table's stream on AWS. The feed refers to the
// items in the order in which they were put, but not to those that Update writes,
// which the filter of the stream drops; it too is written in the same
// transaction, so no crash can lose what follows from an item. The consumers
// bucket holds the checkpoint of each registered consumer of the feed.
package bolt
