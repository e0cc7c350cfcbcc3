package storm

import (
	"time"

	"github.com/ringback/ringback/internal/table"
)

// Result is what was seen while a plan was played, and afterwards.
type Result struct {
	// Answers has one for each delivery of the plan, in the plan's order.
	Answers []Answer
	// Strays has one for each stray of the plan, in the plan's order. It has no
	// tries where the stray could not be posted, which is where it is about a
	// signature and the target checks none.
	Strays []Answer
	// Rate is that of the player.
	Rate float64
	// Waited is how long the player let the stack settle at the most.
	Waited time.Duration
	// Took is the time from the first delivery until each of them was tried
	// once.
	Took time.Duration
	// NoAnswer is the first error of a request that got no answer at all.
	NoAnswer error
	// Unsettled says why the stack did not settle; nil if it did.
	Unsettled error
	// Stored are the keys of all events that came of the plan. In the partitions
	// of its calls, messages and contacts, and of those of its strays, that is
	// every event. Elsewhere, which is where others have theirs as well, it is an
	// event under a planned key, and one whose payload is a body of the plan; in a
	// fresh table everything.
	Stored []table.Key
	// Scanned is set where the whole table was looked through for that, and not
	// only the partitions that the plan's events belong to.
	Scanned bool
	// Rejected are the keys of what was kept as rejected while it was played.
	Rejected []table.Key
	// Published is what the receiver of the alerts has seen.
	Published Published

	// Kills is how often the stack was killed while it was played. Whoever did
	// it says so before [Check].
	Kills int
	// Unmarked is how many alerts may be published, and not yet marked as such,
	// when the stack is killed: so many may come twice for each kill. 0 is for
	// one batch of [alert.MaxBatch].
	Unmarked int
}

// Answer is how one request went.
type Answer struct {
	// Tries are all attempts; the last decides.
	Tries []Try
	// At is when it was answered 200, or a stray as it must be; zero if it never
	// was.
	At time.Time
}

func (a *Answer) tried() bool { return len(a.Tries) > 0 }

// Try is one attempt.
type Try struct {
	// Status is what was answered, 0 where no answer came.
	Status int
	Took   time.Duration
	// Loss says why none came, where that was on purpose.
	Loss Loss
}

// Loss is what becomes of a try on the way.
type Loss uint8

const (
	// LostNot is for one that is not lost.
	LostNot Loss = iota
	// LostThere is for one that was not posted.
	LostThere
	// LostBack is for one whose answer did not arrive.
	LostBack
)
