package play

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/ringback/ringback/internal/deployed"
	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/timing"
)

// Target is a stack to play against.
type Target struct {
	URL           string      // where webhooks are posted, token included
	SigningSecret string      // signs every delivery of format B, as JustCall does; "" for no signatures
	Table         table.Store // where the stack keeps what it was sent
	// Scan yields every item of the table. nil is for a table that cannot be read as a whole: then events stored
	// under another call, message or contact than their own are not found.
	Scan func(ctx context.Context) iter.Seq2[table.Item, error]
	// Fresh is set where the table was made for this storm. Then nothing is looked up beforehand, every event that
	// is in it afterwards is the storm's, and Settled may set Table and Scan.
	Fresh bool
	// Spills is set where the stack may store a while later what it has answered 200: what is missing is looked up
	// again until it is there or the player's Wait is over.
	Spills bool
	// Settled returns when everything that the stack has answered 200 so far has been alerted. An alert that comes
	// later is not seen.
	Settled func(ctx context.Context) error
	// Act stores a hand act in the running stack. nil is for a stack of which the storm does not see how each caller
	// stands at the end: then none is done.
	Act func(ctx context.Context, item table.Item) error
}

// Alerts is where the alerts of a stack arrive. [Receiver] is one.
type Alerts interface {
	Published() Published // what has arrived so far
}

// Player posts plans as JustCall does.
type Player struct {
	Concurrency int           // how many requests are under way at a time
	Minute      time.Duration // how long a minute of JustCall's schedules takes
	Wait        time.Duration // how long the stack may take to store and alert after the last answer
	// Rate is how many deliveries a second are posted for the first time, at the most; 0 posts as fast as they are
	// answered.
	Rate float64
	// Loss is the percentage of the first and second tries that are lost on the way: half of them before they are
	// posted, half with their answer. Later tries never are, so what is given up is the stack's doing.
	Loss int
	// Done is called, unless it is nil, with 1, 2, 3 … when a delivery was answered 200 or given up. Several
	// goroutines call it at a time.
	Done func(n int)

	// NewPlayer sets these, tests replace them.
	Now   func() time.Time
	Sleep func(ctx context.Context, pause time.Duration) bool // false if ctx has ended
	Tick  func(interval time.Duration) <-chan time.Time
}

// NewPlayer returns a player that posts as fast as it is answered, loses nothing, and whose minutes take 500 ms.
func NewPlayer(concurrency int, wait time.Duration) *Player {
	return &Player{
		Now: time.Now, Sleep: timing.Sleep, Tick: time.Tick,
		Concurrency: concurrency, Minute: 500 * time.Millisecond, Wait: wait,
	}
}

// ErrPlayed says that the table has events already where those of the plan belong. Events of no call, message or
// contact share the partition of their type with those of others; of these only the plan's own count.
var ErrPlayed = errors.New("storm: the plan's place in the table is not empty")

// Result is what was seen while a plan was played, and afterwards.
type Result struct {
	Answers   []Answer      // one for each delivery of the plan, in the plan's order
	Strays    []Answer      // and for each stray, without tries where it could not be posted
	Acts      []bool        // and for each act, whether it was stored
	Took      time.Duration // from the first delivery until each was tried once
	NoAnswer  error         // the first one of a request that got no answer, or nil
	Unsettled error         // why the stack did not settle, or nil
	Stored    []table.Key   // of all events that came of the plan
	Scanned   bool          // they were looked for in the whole table, not only in the plan's partitions
	Rejected  []table.Key   // of what was kept as rejected meanwhile
	// FollowUps say how each caller stands, by number; nil where nobody has looked.
	FollowUps map[string]table.Item
	Published Published

	// Kills is how often the stack was killed while it was played, and Unmarked how many alerts may be published
	// and not yet marked as such at a kill, so that they come twice; 0 is for one batch of [alert.MaxBatch].
	// Whoever kills sets them before [Check].
	Kills, Unmarked int
}

// Answer is how one request went, and whether it was answered 200 in the end, or a stray as it must be.
type Answer struct {
	Tries []Try
	OK    bool
}

// Try is one attempt. Status is what the stack answered, though that may be lost on its way back, and 0 where it
// did not answer.
type Try struct {
	Status int
	Loss   Loss
}

// Loss is what becomes of a try on the way, on purpose.
type Loss uint8

// The losses.
const (
	LostNot   Loss = iota // it is not lost
	LostThere             // it was not posted
	LostBack              // its answer did not arrive
)

// seen returns the status as the sender sees it.
func (t Try) seen() int {
	if t.Loss != LostNot {
		return 0
	}
	return t.Status
}

func (t Try) String() string {
	switch {
	case t.Loss != LostNot:
		return "lost on the way"
	case t.Status == 0:
		return "no answer"
	default:
		return strconv.Itoa(t.Status)
	}
}

// Play posts everything, waits until the stack has settled and reads back what became of it. It returns an error
// only where that cannot be found out, such as [ErrPlayed]; [Check] says what the stack did wrong.
func (p *Player) Play(ctx context.Context, plan *Plan, target *Target, alerts Alerts) (*Result, error) {
	width := max(1, p.Concurrency)
	reader := newReader(plan, target, width)
	if err := reader.lookBefore(ctx); err != nil {
		return nil, err
	}
	seen := &Result{Answers: make([]Answer, len(plan.Deliveries)), Strays: make([]Answer, len(plan.Strays)), Acts: make([]bool, len(plan.Acts))}
	round := &round{
		Player: p, plan: plan, target: target, seen: seen, started: p.Now(),
		slots:     make(chan struct{}, width),
		transport: deployed.NewTransport(),
	}
	round.transport.MaxIdleConns, round.transport.MaxIdleConnsPerHost = width, width
	round.play(ctx)
	ended := p.Now()

	waiting, cancel := context.WithTimeout(ctx, p.Wait)
	defer cancel()
	seen.Unsettled = target.Settled(waiting)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("storm: %w", context.Cause(ctx))
	}
	if err := reader.read(ctx, waiting, seen, round.started, ended); err != nil {
		if seen.Unsettled != nil { // which may be why
			return nil, fmt.Errorf("storm: the stack has not settled: %w; read the table back: %w", seen.Unsettled, err)
		}
		return nil, fmt.Errorf("storm: read the table back: %w", err)
	}
	seen.Published = alerts.Published()
	return seen, nil
}
