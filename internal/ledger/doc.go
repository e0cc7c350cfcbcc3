// Package ledger keeps the follow-up of each caller in the table: who waits to be
// called back, and what became of it. What that means is package followup's.
//
// The [Ledger] is a consumer of new events and hand acts. For each it reads the whole
// call or text, reads the caller's follow-up and contacts, and writes the follow-up
// with its version. Whoever loses a race reads again. So one event costs two reads and
// one write that succeeds; of a number that is called all the time, those who write at
// the same moment try again, and if that does not help, the record comes again.
package ledger
