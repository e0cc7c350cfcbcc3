// Package table keeps every delivery in one table and reads it back.
//
// [Store] is the small interface the rest of the program sees. Package dynamo in
// this folder is what deployed functions use, but for the webhook's writes, which
// [Writer] makes; package bolt keeps the same table in one file on one machine.
// Package tabletest holds the conformance suite that all three pass, and package
// schema reads keys, indexes and projections from template.yaml, where they are
// written once.
//
// What is asked, and where the answer is:
//
//	question                            index  partition            sort
//	all events of one call              Base   CALL#<call_id>       EVENT#…
//	alerts of one call that went out    Base   CALL#<call_id>       ALERT#…
//	all events of one text              Base   MESSAGE#<message_id> EVENT#…
//	all events of one contact           Base   CONTACT#<contact_id> EVENT#…
//	deliveries refused on one day       Base   REJECTED#<day>       by arrival
//	everything with one outside number  GSI1   PHONE#<+digits>      by time
//	missed calls, voicemails of a day   GSI2   ALERT#<day>          by time
//	callers still waiting               GSI2   FOLLOWUP#OPEN        longest first
//
// The primary key of an item is its dedupe key: [Store.Put] writes only where
// nothing is, so that a redelivery, or a second attempt after a lost response,
// changes nothing.
//
// The package is linked into the webhook's function, where weight is start time:
// it uses no reflection and no package of the SDK's for a service or for
// configuration; those, and the YAML and bbolt dependencies, stay in the packages
// around it. What an item holds has types of its own for the same reason, in
// package attr.
package table
