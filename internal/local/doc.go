// Package local is ringback on one machine: the webhook's own handler over
// HTTP, on the embedded store, with a token that it makes for itself, and the
// alerts of what was stored.
//
// From [ingest.Handler] inwards it is the code that runs on AWS. A folder holds
// everything: the table (events.db) and the secret (secret.json). What was
// answered 200 is on disk, and survives a restart and a kill.
//
// The store's feed stands in for the table's stream, and a terminal and an HTTP
// URL for the topic. What was stored is alerted, however often the process is
// killed on the way: once, unless the kill came between an alert's being
// published and its mark's being stored. Then it comes twice, under one id.
package local
