// Package figures measures how callers are called back: who waits, how waits ended, and
// how long they took, on the clock on the wall and in business hours.
//
// The atom is a [Wait]: from the first call that nobody served until the two people talk.
// [Last] finds that of a follow-up, and [Of] puts many together; both are pure. [Log] writes
// a log line for each wait that begins or ends, and [Counter] one every quarter of an hour
// for those that go on. The metrics of a deployed stack are made of these lines.
package figures
