package storm

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// job is one request that is to be posted: a delivery or a stray, for the first
// time or again.
type job struct {
	// index is that of the delivery, or of the stray.
	index int
	stray bool
	// try is how often it was posted before, in vain; of a stray that was
	// answered as it must be, since then.
	try int
	// due is when it is to be posted again.
	due time.Time
	// signed is what was made for the first try.
	signed signature
	// repeated is set where a stray was answered as it must be, and is posted
	// once more.
	repeated bool
}

// queue hands out jobs: those that are due again, else those that are new, in the
// plan's order. What waits to be posted again waits here and keeps no worker.
type queue struct {
	now   func() time.Time
	pace  pace // of new deliveries
	fresh order
	again retries

	jobs chan job
	done chan *job // what a job came to: one to be posted again, or nil
}

// work runs do for every job, in as many goroutines as there are workers, and
// again for as long as it returns a job to be posted again. It ends early with
// ctx.
func (q *queue) work(ctx context.Context, workers int, do func(job) (again *job)) {
	q.jobs, q.done = make(chan job), make(chan *job)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for j := range q.jobs {
				select {
				case q.done <- do(j):
				case <-ctx.Done():
					return
				}
			}
		})
	}
	q.feed(ctx)
	close(q.jobs)
	all.Wait()
}

// feed hands out jobs until none is left.
func (q *queue) feed(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for underWay := 0; ; {
		next, wait, left := q.next()
		if !left && underWay == 0 {
			return
		}
		jobs := q.jobs
		if !left || wait > 0 {
			jobs = nil // there is nothing to hand out now
		}
		if left && wait > 0 {
			timer.Reset(wait)
		}
		select {
		case jobs <- next:
			q.take(next)
			underWay++
		case again := <-q.done:
			underWay--
			if again != nil {
				heap.Push(&q.again, *again)
			}
		case <-timer.C:
		case <-ctx.Done():
			return
		}
	}
}

// next returns what is to be handed out next, and how long from now; left is
// false if nothing is.
func (q *queue) next() (next job, wait time.Duration, left bool) {
	now := q.now()
	if len(q.again) > 0 {
		next, wait, left = q.again[0], q.again[0].due.Sub(now), true
		if wait <= 0 {
			return next, 0, true
		}
	}
	j, ok := q.fresh.next()
	if !ok {
		return next, wait, left
	}
	until := time.Duration(0)
	if !j.stray {
		until = q.pace.wait(now)
	}
	if !left || until < wait {
		return j, until, true
	}
	return next, wait, true
}

// take takes what was handed out.
func (q *queue) take(j job) {
	switch {
	case j.try > 0 || j.repeated:
		heap.Pop(&q.again)
	case j.stray:
		q.fresh.stray++
	default:
		q.fresh.delivery++
		q.pace.take(q.now())
	}
}

// order is that in which a plan's deliveries and strays are posted for the first
// time.
type order struct {
	plan            *Plan
	delivery, stray int // the next of each
}

// next returns the next one; ok is false behind the last.
func (o *order) next() (j job, ok bool) {
	if strays := o.plan.Strays; o.stray < len(strays) && strays[o.stray].Before <= o.delivery {
		return job{index: o.stray, stray: true}, true
	}
	return job{index: o.delivery}, o.delivery < len(o.plan.Deliveries)
}

// pace is a given number of deliveries a second.
type pace struct {
	interval time.Duration // 0: as fast as may be
	behind   time.Duration // how late one may be and still be made up for
	due      time.Time     // of the next one; zero before the first
}

// newPace returns the pace of a rate that is 0 or within its limits. No more than
// burst deliveries are made up for at once.
func newPace(rate float64, burst int) pace {
	if rate == 0 {
		return pace{}
	}
	interval := float64(time.Second) / rate
	const longest = float64(1 << 62) // more is no duration
	return pace{
		interval: time.Duration(interval),
		behind:   time.Duration(min(float64(burst-1)*interval, longest)),
	}
}

// wait returns how long it is until the next one.
func (p *pace) wait(now time.Time) time.Duration {
	if p.interval == 0 {
		return 0
	}
	return max(0, p.due.Sub(now))
}

// take counts one. What is late is made up for, but no more than the burst.
func (p *pace) take(now time.Time) {
	earliest := now.Add(-p.behind)
	if p.due.IsZero() {
		earliest = now
	}
	if p.due.Before(earliest) {
		p.due = earliest
	}
	p.due = p.due.Add(p.interval)
}

// retries is a heap of what is to be posted again, the next one first.
type retries []job

func (r retries) Len() int           { return len(r) }
func (r retries) Less(i, j int) bool { return r[i].due.Before(r[j].due) }
func (r retries) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }

// Push and Pop are for [heap].
func (r *retries) Push(j any) { *r = append(*r, j.(job)) }

func (r *retries) Pop() any {
	last := len(*r) - 1
	j := (*r)[last]
	*r = (*r)[:last]
	return j
}
