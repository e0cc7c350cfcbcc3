// Package table keeps every delivery in one table and reads it back.
//
// [Store] is the small interface that the rest of the program uses. Package dynamo
// has the webhook's writer, package dynamostore everything else that deployed
// functions do with the table, and package bolt keeps the same table in one file on
// one machine. All three pass one conformance suite. template.yaml defines keys,
// indexes and projections; package schema is generated from it.
//
// Where the answers are:
//
//	question                            index  partition            sort
//	all events of one call              Base   CALL#<call_id>       EVENT#…
//	alerts of one call that went out    Base   CALL#<call_id>       ALERT#…
//	all events of one text              Base   MESSAGE#<message_id> EVENT#…
//	all events of one contact           Base   CONTACT#<contact_id> EVENT#…
//	contacts with a number              Base   CALLER#<number>      CONTACT#…
//	deliveries refused on one day       Base   REJECTED#<day>       by arrival
//	everything with one outside number  GSI1   PHONE#<+digits>      by time
//	missed calls, voicemails of a day   GSI2   ALERT#<day>#<shard>  by time
//	answered incoming calls of a day    GSI2   ANSWERED#<day>#<shard> by time
//	callers who wait                    GSI3   WAITING              by time
//	contacts by name                    GSI3   NAMES                by name
//
// What a list shows is in the index, so no item has to be read for it: package lookup makes
// the queries, and tells how many.
//
// An entry has the sender's members, whose names and shapes differ between the formats,
// and outcome, direction and kind, which do not.
//
// The primary key of an item is its dedupe key: [Store.Put] never overwrites, so
// that a redelivery, or a second attempt after a lost response, changes nothing.
//
// The webhook's function links this package, and what it links makes its cold start
// longer. So the package uses no reflection, no package of the SDK, no YAML and no
// bbolt, and attribute values have types of our own, in package attr.
package table
