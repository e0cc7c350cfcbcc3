// Package local is ringback on one machine: the webhook's own handler over
// HTTP, on the embedded store, with a token that it makes for itself.
//
// From [ingest.Handler] inwards it is the code that runs on AWS. A folder holds
// everything: the table (events.db) and the secret (secret.json). What was
// answered 200 is on disk, and survives a restart and a kill.
package local
