package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ringback/ringback/internal/proof/eventsource"
	"github.com/ringback/ringback/internal/proof/lambdaruntime"
)

// crew is the processes of a function, some of which are killed at their work.
type crew struct {
	fleet *eventsource.Fleet
	kills kills

	mu       sync.Mutex
	rng      *rand.Rand
	next     int // the invocation whose process is killed
	begun    int
	killed   int
	atWork   int // invocations that failed since their process was killed
	refused  int // those that a process was started for, and ended before it polled
	failed   int // those that failed for another reason
	fault    error
	executed sync.WaitGroup
}

// kills says how often processes are killed.
type kills struct {
	// every is how many invocations there are for each kill, on average; 0 is for
	// none.
	every int
	// within is the longest time from the beginning of an invocation to the kill.
	within time.Duration
	// most is how many invocations may fail of them before there are no more; 0 is
	// for as many as do.
	most int
}

var _ eventsource.Invoker = (*crew)(nil)

func newCrew(start func() (*lambdaruntime.Process, error), timeout time.Duration, seed uint64, k kills) *crew {
	c := &crew{
		fleet: eventsource.NewFleet(start, timeout),
		kills: k,
		rng:   rand.New(rand.NewPCG(seed, 1)), //nolint:gosec // G404: to be repeated
	}
	c.plan()
	c.fleet.Began = c.began
	return c
}

// plan draws the next invocation whose process is killed, which is one of the
// next 2*every-1. The caller holds the lock, but for newCrew.
func (c *crew) plan() {
	if c.kills.every > 0 && (c.kills.most == 0 || c.atWork < c.kills.most) {
		c.next = c.begun + 1 + c.rng.IntN(2*c.kills.every-1)
	}
}

func (c *crew) began(p *lambdaruntime.Process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.begun++; c.begun != c.next {
		return
	}
	c.killed++
	wait := time.Duration(c.rng.Int64N(int64(c.kills.within)))
	c.plan()
	c.executed.Go(func() {
		time.Sleep(wait)
		p.Kill()
	})
}

// Invoke implements [eventsource.Invoker].
func (c *crew) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	answer, err := c.fleet.Invoke(ctx, event)
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch {
		case exited(err):
			c.atWork++
		case errors.As(err, new(*lambdaruntime.InitError)):
			c.refused++
		default:
			c.failed++
			c.fault = err
		}
	}
	return answer, err
}

// exited reports whether an invocation failed since the process that was at work
// on it has ended.
func exited(err error) bool {
	return errors.Is(err, lambdaruntime.ErrExited) && !errors.As(err, new(*lambdaruntime.InitError))
}

// rest returns once nobody is about to be killed.
func (c *crew) rest() { c.executed.Wait() }

// String tells how it went.
func (c *crew) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("%d invocations, up to %d at once; %d kills, %d at work; %d starts refused; %d failed otherwise",
		c.begun, c.fleet.Size(), c.killed, c.atWork, c.refused, c.failed)
}
