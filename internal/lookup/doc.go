// Package lookup answers what people ask of the table: who waits, what became of
// today's calls, what a caller wanted, what is known of a call.
//
// It reads through [table.Store] alone, so the answers are the same over the embedded
// store, over that of a stack that is running, and over DynamoDB. Each function says how
// many queries it makes; a test counts them. What it returns is made to be shown: times
// as times, numbers as they are stored and as people read them, and texts that a caller
// chose as one line without control characters. Whoever writes HTML has to escape them
// all the same.
//
// Lists come in pages. A page's Next continues it, in a call with the same arguments;
// with others, it is refused. Cursors hold keys, and so phone numbers: do not log them.
package lookup
