// Package local runs ringback on one machine: the webhook over HTTP, on the
// embedded store and with a token that it makes itself, and the consumers of what
// was stored.
//
// From [ingest.Handler] inwards this is the code that runs on AWS. One folder
// holds the table (events.db) and the secret (secret.json). What was answered
// with 200 is on disk and survives a kill.
//
// The store's feed takes the place of the table's stream; the consumers are the
// same (package consumer). A terminal and an HTTP URL take the place of the topic.
// Alerts that wait for a URL are kept for it, even while the stack runs without one.
// However often the process is killed, every stored alert goes out: once, or
// twice with one ID if the kill came between publishing and marking it.
package local
