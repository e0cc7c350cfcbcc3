// Package bolt keeps the events table in one file on one machine, in
// go.etcd.io/bbolt. It answers as DynamoDB does, down to the limits: both pass
// the suite in package tabletest.
//
// The file has one bucket with the items, one for each index, and one that says
// how the indexes are keyed. An index holds no copies: each of its entries names
// an item. Index entries are written in the same transaction as their items,
// and an index whose keys changed in the template is built anew when the file
// is opened; one that the template no longer has is deleted.
//
// Two more buckets are what the table's stream is on AWS: the feed names every
// item in the order in which it was put, and is written in the same transaction
// too, so that no crash can come between an item and what follows from it; the
// consumers are those who follow the feed, each with how far it has come.
package bolt
