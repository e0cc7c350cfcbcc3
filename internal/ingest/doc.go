// Package ingest takes one delivery from the outside to the table: who may
// post, what is a delivery, where it is kept, and what is answered.
//
// [Handler.Handle] is the whole of it. It asks in this order: is this our path
// and method, is the token right, can the body be read, is it a probe, is the
// signature right; then it makes one conditional write and answers. 200 is
// answered only for what is stored, or says nothing. What is refused although
// its token was right is kept as well, as a rejection.
//
// What is kept is a [Receipt]. Where the table does not take it within a few
// seconds it goes to the [Spill], a queue, and is answered as if it were
// stored; [Keep] makes the same item of it later. That holds for faults of ours
// as well, such as an access that is denied or a key that cannot be used, which
// are answered 500 only where there is no spill: what waits in a queue is not
// lost when the sender gives up.
//
// The package knows nothing of API Gateway, of net/http and of what follows
// from an event.
package ingest
