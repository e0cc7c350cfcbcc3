// Package play plays JustCall against a stack and finds out whether the stack keeps its promises.
//
// [NewPlan] makes up deliveries from a seed, and strays between them: probes, unreadable bodies and forged signatures.
// The plan knows what must be true afterwards from how it made the events, not from how the stack reads them.
// [Player.Play] posts everything, signed, and again on the schedules that JustCall documents. Then it reads back the
// table and the alerts, and [Check] compares. A seed decides what is posted, what is lost on the way, and the pauses;
// the order of the answers is up to the stack.
//
// Every name, number and text is made up, the telephone numbers from the range reserved for fiction, 555-0100 to 0199.
package play
