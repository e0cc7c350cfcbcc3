// Package ingest takes a delivery from the sender to the table. The walk, all of
// which starts in [Handler.Handle]:
//
//  1. authorize: our path, a method we take, a token that is valid;
//  2. parse: [events.Open], which finds out whether the body is a delivery at all,
//     or only a probe;
//  3. verify: format B's signature, if a signing secret is configured;
//  4. build the item, of the [Received] delivery and what [events.Envelope.Decode]
//     reads in it;
//  5. put it into the table with one conditional write ([Store]), or else into the
//     [Spill];
//  6. answer, and log one line, from the [Result].
//
// 200 means stored or spilled, or that there was nothing to store. A delivery with
// the right token that is refused is stored as well, as a rejection.
//
// If the table does not take a delivery within a second, it goes to the spill, a queue,
// and is answered as if it were stored; [Store] makes the same item of it later. That is also so for faults of our own, such as denied access or an unusable
// key, which are answered 500 only if there is no spill: what waits in a queue is
// not lost when the sender gives up.
//
// The package knows neither API Gateway nor net/http's server, nor what follows from
// an event.
package ingest
