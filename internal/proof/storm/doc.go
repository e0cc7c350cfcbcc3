// Package storm plays JustCall against a stack and finds out whether the stack
// keeps its promises.
//
// [NewPlan] makes up deliveries from a seed: calls, texts, contacts and the rest
// in both wire formats, some of them again in another spelling, shuffled; and
// between them strays: probes, bodies that nobody can read, forged signatures.
// Every run of one seed posts the same. The plan knows what must be true
// afterwards, from how it made the events and not from how the stack reads them.
// [Player.Play] posts them, signed, and again on the schedules of JustCall's
// documents; then it reads back the table and the alerts. [Check] compares.
//
// What a seed decides is what is posted, what is lost on the way, and the pauses;
// in which order answers come is the stack's doing.
//
// Every name, number and text is made up. The telephone numbers are of the
// range that is kept for fiction, 555-0100 to 555-0199.
package storm
