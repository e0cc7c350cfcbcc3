package storm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringback/ringback/internal/table"
	"github.com/ringback/ringback/internal/timing"
)

// Target is a stack to play against.
type Target struct {
	// URL is where webhooks are posted, token included.
	URL string
	// Table is where the stack keeps what it was sent.
	Table table.Store
	// Settled returns when everything that the stack has answered 200 so far
	// has been alerted.
	Settled func(ctx context.Context) error
}

// Player posts plans as JustCall does.
type Player struct {
	// Concurrency is how many deliveries are on their way at a time.
	Concurrency int
	// Retries are the pauses before what was not answered 200 is posted again.
	// After the last it is given up.
	Retries []time.Duration
	// Wait is how long the stack may take to alert after the last answer.
	Wait time.Duration
	// Now tells the time; NewPlayer sets it, tests replace it.
	Now func() time.Time
	// Done is called whenever a delivery was answered 200 or given up, by
	// several goroutines at a time; nil is for nobody who wants to know.
	Done func()
}

// NewPlayer returns a player that retries on the schedule of JustCall's
// overview, after 1, 5, 15, 30 and 60 minutes, a minute taking 20 ms.
func NewPlayer(concurrency int, wait time.Duration) *Player {
	const minute = 20 * time.Millisecond
	return &Player{
		Concurrency: concurrency,
		Retries:     []time.Duration{minute, 5 * minute, 15 * minute, 30 * minute, 60 * minute},
		Wait:        wait,
		Now:         time.Now,
	}
}

// Result is what was seen while a plan was played, and afterwards.
type Result struct {
	// Answers has one for each delivery of the plan, in the plan's order.
	Answers []Answer
	// Took is the time from the first delivery to the last answer.
	Took time.Duration
	// NoAnswer is the first error of a delivery that got no answer at all.
	NoAnswer error
	// Unsettled says why the stack did not settle; nil if it did.
	Unsettled error
	// Stored are the keys of all events in the table's partitions that the
	// plan's events belong to.
	Stored []table.Key
	// Published is what the receiver of the alerts has seen.
	Published Published
}

// Answer is how one delivery went.
type Answer struct {
	// Tries are all attempts; the last decides.
	Tries []Try
	// At is when it was answered 200; zero if it never was.
	At time.Time
}

// Try is one attempt to deliver. Status is 0 where no answer came.
type Try struct {
	Status int
	Took   time.Duration
}

// ErrPlayed says that the table has events already where those of the plan
// belong: what was there before and what came of the plan could not be told
// apart.
var ErrPlayed = errors.New("storm: the table is not empty")

// Play posts everything, waits until the stack has settled and reads back what
// became of it. It returns an error only where that could not be found out, such
// as [ErrPlayed]; what the stack did wrong is for [Check] to say.
func (p *Player) Play(ctx context.Context, plan *Plan, target Target, receiver *Receiver) (*Result, error) {
	before, err := p.readBack(ctx, plan, target.Table)
	switch {
	case err != nil:
		return nil, fmt.Errorf("storm: read the table: %w", err)
	case len(before) > 0:
		return nil, ErrPlayed
	}

	r := &Result{Answers: make([]Answer, len(plan.Deliveries))}
	poster := poster{player: p, url: target.URL, transport: &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		MaxIdleConns:        p.Concurrency,
		MaxIdleConnsPerHost: p.Concurrency,
	}}
	defer poster.transport.CloseIdleConnections()

	started := p.Now()
	var failed atomic.Pointer[error]
	p.each(ctx, len(plan.Deliveries), func(i int) {
		answer, err := poster.deliver(ctx, plan.Deliveries[i].Body)
		if err != nil {
			failed.CompareAndSwap(nil, &err)
		}
		r.Answers[i] = answer
		if p.Done != nil {
			p.Done()
		}
	})
	r.Took = p.Now().Sub(started)
	if err := failed.Load(); err != nil {
		r.NoAnswer = *err
	}

	waiting, cancel := context.WithTimeout(ctx, p.Wait)
	defer cancel()
	r.Unsettled = target.Settled(waiting)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("storm: %w", context.Cause(ctx))
	}
	if r.Stored, err = p.readBack(ctx, plan, target.Table); err != nil {
		return nil, fmt.Errorf("storm: read the table back: %w", err)
	}
	r.Published = receiver.Published()
	return r, nil
}

// each calls do for 0 to n-1, several at a time, and ends early with ctx.
func (p *Player) each(ctx context.Context, n int, do func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range max(1, p.Concurrency) {
		workers.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(i)
			}
		})
	}
	workers.Wait()
}

// readBack returns the keys of the events in every partition of the plan.
func (p *Player) readBack(ctx context.Context, plan *Plan, from table.Store) ([]table.Key, error) {
	distinct := make(map[string]struct{})
	for i := range plan.Events {
		distinct[plan.Events[i].Key.PK] = struct{}{}
	}
	partitions := slices.Collect(maps.Keys(distinct))
	found := make([][]table.Key, len(partitions))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p.each(ctx, len(partitions), func(i int) {
		for item, err := range table.All(ctx, from, table.Query{Partition: partitions[i]}) {
			if err != nil {
				cancel(err) // one is enough
				return
			}
			// The others are marks, beside the events.
			if table.Text(item, table.Event) != "" {
				found[i] = append(found[i], table.KeyOf(item))
			}
		}
	})
	return slices.Concat(found...), context.Cause(ctx)
}

// poster posts to one URL.
type poster struct {
	player    *Player
	url       string
	transport *http.Transport
}

// deliver posts a body until it is answered 200 or given up. The error is that
// of the last try, where no answer came.
func (p *poster) deliver(ctx context.Context, body []byte) (Answer, error) {
	var answer Answer
	for try := 0; ; try++ {
		started := p.player.Now()
		status, err := p.post(ctx, body)
		ended := p.player.Now()
		answer.Tries = append(answer.Tries, Try{Status: status, Took: ended.Sub(started)})
		if status == http.StatusOK {
			answer.At = ended
			return answer, nil
		}
		if try == len(p.player.Retries) || !timing.Sleep(ctx, p.player.Retries[try]) {
			return answer, err
		}
	}
}

// postTime bounds one try.
const postTime = 30 * time.Second

// post makes one try and returns the answer's status, 0 where none came.
func (p *poster) post(ctx context.Context, body []byte) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, postTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(body))
	if err != nil {
		return 0, errors.New("the webhook's URL is not one") // its own error would quote the token
	}
	req.Header.Set("Content-Type", "application/json")
	// Without a client around it, which would follow redirects: they are no
	// 200, and the token would go wherever they lead.
	resp, err := p.transport.RoundTrip(req)
	if err != nil {
		return 0, fmt.Errorf("post: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	// Read to its end, the connection can be used again.
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0, fmt.Errorf("read answer: %w", err)
	}
	return resp.StatusCode, nil
}
