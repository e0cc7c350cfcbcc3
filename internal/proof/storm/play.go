package storm

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringback/ringback/events"
	"github.com/ringback/ringback/internal/table"
)

// Target is a stack to play against.
type Target struct {
	// URL is where webhooks are posted, token included.
	URL string
	// SigningSecret signs every delivery of format B, as JustCall does; where it
	// is "" they are posted without signature.
	SigningSecret string
	// SignedURL is the URL that the signatures are over, where that is another
	// than URL; "" for URL.
	SignedURL string
	// Table is where the stack keeps what it was sent.
	Table table.Store
	// Scan yields every item of the table, with its keys, its [table.Event] and
	// its payload at the least, in any order; after the first error it stops. It
	// is called once, when the stack has settled. nil is for a table that cannot
	// be read as a whole: then events that were stored under another call,
	// message or contact than their own are not found.
	Scan func(ctx context.Context) iter.Seq2[table.Item, error]
	// Fresh is set where the table was made for this storm: whether something is
	// in it is not looked up before, and every event that is in it afterwards is
	// the storm's.
	Fresh bool
	// Spills is set where the stack may store what it has answered 200 a while
	// later: what is missing in the table is looked up again until it is there or
	// the player's Wait is over.
	Spills bool
	// Settled returns when everything that the stack has answered 200 so far
	// has been alerted. An alert that comes later is not seen: where nobody can
	// know that none will, as with a queue, that is one that comes again after the
	// time for which this waits for more.
	Settled func(ctx context.Context) error
}

// Alerts is where the alerts of a stack arrive. [Receiver] is one.
type Alerts interface {
	// Published returns what has arrived so far.
	Published() Published
}

// Player posts plans as JustCall does.
type Player struct {
	// Concurrency is how many requests are on their way at a time.
	Concurrency int
	// Rate is how many deliveries a second are posted for the first time,
	// whatever becomes of those before, from MinRate to MaxRate; 0 posts the next
	// whenever one was answered. No more than Concurrency are made up for at once after the stack
	// kept all of them waiting.
	Rate float64
	// Minute is how long a minute of JustCall's schedules takes.
	Minute time.Duration
	// Loss is how many of a hundred first and second tries are lost on the way:
	// half of them before they are posted, half with their answer. Later tries
	// never are, so that what is given up is the stack's doing.
	Loss int
	// Wait is how long the stack may take to alert after the last answer.
	Wait time.Duration
	// Now tells the time; NewPlayer sets it, tests replace it.
	Now func() time.Time
	// Done is called whenever a delivery was answered 200 or given up, by
	// several goroutines at a time; nil is for nobody who wants to know.
	Done func()
	// Answered is called with 1, 2, 3 … whenever a delivery was answered, 200 or
	// not, by several goroutines at a time; nil is for nobody who wants to know.
	// The answer that is lost on its way back counts.
	Answered func(n int)
}

// NewPlayer returns a player that posts as fast as it is answered, loses nothing,
// and whose minutes take 500 ms.
func NewPlayer(concurrency int, wait time.Duration) *Player {
	return &Player{
		Concurrency: concurrency,
		Minute:      500 * time.Millisecond,
		Wait:        wait,
		Now:         time.Now,
	}
}

// Limits of [Player.Rate]: one an hour, and more than anything answers.
const (
	MinRate = 1.0 / 3600
	MaxRate = 1e6
)

// Errors of [Player.Play], beside those of reading the table.
var (
	// ErrPlayed says that the table has events already where those of the plan
	// belong: what was there before and what came of the plan could not be told
	// apart. Events of no call, message or contact share the partition of their
	// type with those of others; of these only the plan's own count.
	ErrPlayed = errors.New("storm: the plan's place in the table is not empty")
	// ErrRate says that the player's rate is none that can be played.
	ErrRate = fmt.Errorf("storm: a rate is from %.4f to %.0f deliveries a second, or 0", MinRate, MaxRate)
)

// Play posts everything, waits until the stack has settled and reads back what
// became of it. It returns an error only where that could not be found out, such
// as [ErrPlayed]; what the stack did wrong is for [Check] to say.
func (p *Player) Play(ctx context.Context, plan *Plan, target Target, alerts Alerts) (*Result, error) {
	if p.Rate != 0 && !(p.Rate >= MinRate && p.Rate <= MaxRate) { // NaN is neither
		return nil, fmt.Errorf("%w: not %v", ErrRate, p.Rate)
	}
	width := max(1, p.Concurrency)
	reader := newReader(plan, target, width)
	if err := reader.lookBefore(ctx); err != nil {
		return nil, err
	}

	round := &round{
		Player: p, plan: plan, poster: newPoster(target, width),
		seen: &Result{
			Answers: make([]Answer, len(plan.Deliveries)),
			Strays:  make([]Answer, len(plan.Strays)),
			Rate:    p.Rate,
			Waited:  p.Wait,
		},
		started: p.Now(),
	}
	round.play(ctx, width)
	seen := round.seen
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

// round is a plan being played.
type round struct {
	*Player

	plan    *Plan
	poster  *poster
	seen    *Result
	started time.Time

	answered atomic.Int64 // deliveries' tries
	through  atomic.Int64 // deliveries that were tried once
	failed   sync.Once    // sets NoAnswer
}

// play posts everything until it is answered or given up, or ctx ends.
func (r *round) play(ctx context.Context, width int) {
	defer r.poster.transport.CloseIdleConnections()
	q := queue{now: r.Now, pace: newPace(r.Rate, width), fresh: order{plan: r.plan}}
	q.work(ctx, width, func(j job) (again *job) {
		if j.stray {
			return r.stray(ctx, j)
		}
		return r.delivery(ctx, j)
	})
}

// delivery makes one try of a delivery.
func (r *round) delivery(ctx context.Context, j job) (again *job) {
	d, answer := &r.plan.Deliveries[j.index], &r.seen.Answers[j.index]
	if j.try == 0 {
		if d.Format == events.FormatB {
			j.signed = r.poster.sign(d.Type, SignatureRight, r.Now())
		}
		if cap(answer.Tries) == 0 {
			answer.Tries = make([]Try, 0, 1) // most need no more
		}
	}
	try, at := r.try(ctx, j, d)
	answer.Tries = append(answer.Tries, try)
	if try.Status == http.StatusOK {
		answer.At = at
	}
	if j.try == 0 && int(r.through.Add(1)) == len(r.plan.Deliveries) {
		r.seen.Took = r.Now().Sub(r.started)
	}
	if d.Schedule.Again(try.Status) {
		if again = r.later(j, d.Schedule); again != nil {
			return again
		}
	}
	if r.Done != nil {
		r.Done()
	}
	return nil
}

// try posts a delivery, unless that is lost, and returns when it was answered.
func (r *round) try(ctx context.Context, j job, d *Delivery) (try Try, at time.Time) {
	loss := r.loss(j)
	if loss == LostThere {
		return Try{Loss: loss}, time.Time{}
	}
	started := r.Now()
	status, err := r.poster.delivery(ctx, d, j.signed)
	at = r.Now()
	if status == 0 {
		r.failed.Do(func() { r.seen.NoAnswer = err })
		return Try{Took: at.Sub(started)}, at
	}
	if n := r.answered.Add(1); r.Answered != nil {
		r.Answered(int(n))
	}
	if loss == LostBack {
		status = 0
	}
	return Try{Status: status, Took: at.Sub(started), Loss: loss}, at
}

// loss returns whether a try is lost on the way. It depends on nothing but the
// seed, the delivery and the try, so that it is the same in whatever order they
// come.
func (r *round) loss(j job) Loss {
	const lossy = 2 // tries
	lot := r.lot(losing, j)
	if j.try >= lossy || int(lot%100) >= r.Loss {
		return LostNot
	}
	return []Loss{LostThere, LostBack}[lot/100%2]
}

// later returns a job to be posted again when a schedule says so; nil if it is
// given up.
func (r *round) later(j job, schedule Schedule) *job {
	pause, ok := schedule.Pause(j.try, r.lot(pausing, j))
	if !ok {
		return nil
	}
	j.try++
	j.due = r.Now().Add(time.Duration(float64(pause) / float64(time.Minute) * float64(r.Minute)))
	return &j
}

// lot returns a random number that only the seed, a purpose and the job's try
// decide.
func (r *round) lot(purpose uint64, j job) uint64 {
	return random(r.plan.Mix.Seed, purpose<<56|uint64(j.index)<<8|uint64(j.try)).Uint64() //nolint:gosec // G115: counts
}

// stray makes one try of a stray. What is answered as it must be is posted once
// more, since it must be answered so each time; where the stack was kept from its
// work, it is tried again as the overview's schedule has it.
func (r *round) stray(ctx context.Context, j job) (again *job) {
	s, answer := &r.plan.Strays[j.index], &r.seen.Strays[j.index]
	if s.Signature != SignatureRight && r.poster.secret == "" {
		return nil // nobody looks at its signature
	}
	if j.try == 0 && s.Type != "" {
		j.signed = r.poster.sign(s.Type, s.Signature, r.Now())
	}
	started := r.Now()
	status, err := r.poster.stray(ctx, s, j.signed)
	ended := r.Now()
	answer.Tries = append(answer.Tries, Try{Status: status, Took: ended.Sub(started)})
	if err != nil {
		r.failed.Do(func() { r.seen.NoAnswer = err })
	}
	switch {
	case status == s.Want && j.repeated:
		answer.At = ended
	case status == s.Want:
		j.try, j.repeated = 0, true
		if again = r.later(j, Overview); again != nil {
			again.try = 0
		}
	case hindered(status):
		again = r.later(j, Overview)
	}
	return again
}
