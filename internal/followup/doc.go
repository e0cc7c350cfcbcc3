// Package followup knows who still waits for a call back: it asks whether the two
// people have talked since the caller was not served. It is pure.
//
// [Facts] are what is known of one outside number. A call of theirs, folded from its
// events, is the atom: it opens, is a contact, is an attempt, or does nothing, see
// [Policy.Call]. [Facts.State] says what the facts come to: the caller waits if a call
// that nobody served began after the last contact ended.
//
// # Merging
//
// [Merge] is commutative, associative and idempotent, so no order and no repetition of
// calls, texts and hand acts matters. Each part of the facts is a join of its own:
//
//   - of two records of one call or text, the one made of more events counts;
//   - the 20 newest calls by start and id stay, and the contact that ended last;
//   - of unserved calls that are older, the first and the last remain, and the first of
//     each of the 20 newest minutes and hours with any; of older contacts, the latest end;
//   - of hand acts, the latest of each kind by time and id; of what the address book
//     says, the latest.
//
// What remains of an older call does not change any more. That matters only for a call
// of which an event arrives after 20 newer calls of the same number: it may be listed
// although it was answered for a moment, or begin the list a little late. It cannot
// hide somebody who waits: the contact that decides is always among the calls.
package followup
