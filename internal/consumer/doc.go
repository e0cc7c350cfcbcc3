// Package consumer delivers new items of the events table to named consumers: the
// alerts and the address book today, others later.
//
// A [Consumer] has a name and processes items in batches, with one error for
// each item. The same consumers run in two places:
//
//   - On Lambda, the event source mapping reads the table's stream, keeps the
//     order within a partition key and retries. [All] gives each batch to every
//     consumer. Lambda knows one result per record: a batch item failure resends
//     that record and all behind it to every consumer.
//   - Over a [Feed], such as that of the embedded store, [Start] does this work.
//     Each consumer has its own position, workers, retries and checkpoint, so
//     one that fails neither stops another nor repeats anything for it.
//
// Either way an item can come again, after a crash at the least: a consumer must
// be idempotent.
//
// Both orders come from [Workers]: [Start] uses it, and so does the event source
// mapping that the tests play. What happens to a failed record differs on
// purpose. Lambda retries it in place, with everything behind it, and gives up
// after some time. [Start] puts it aside, goes on, and never gives up, because
// the feed is on disk and there is no failure destination.
package consumer
