package play

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringback/ringback/events"
)

// round is a plan being played.
type round struct {
	*Player

	plan      *Plan
	target    *Target
	seen      *Result
	started   time.Time
	slots     chan struct{} // has one for each request under way
	transport *http.Transport

	tried   atomic.Int64 // deliveries that were tried once
	through atomic.Int64 // deliveries that were answered 200 or given up
	failed  sync.Once    // sets NoAnswer
}

// job is a delivery or a stray that is posted until it is through.
type job struct {
	index, try int // try is how often it was posted before in vain
	// signed is that of the first try. JustCall may make a new one for each, but the stack must take an old one.
	signed   events.Signature
	repeated bool // a stray that was answered as it must be, and is posted once more
}

// play posts everything until it is answered or given up, or ctx ends. What waits to be posted again takes no slot.
func (r *round) play(ctx context.Context) {
	defer r.transport.CloseIdleConnections()
	var all sync.WaitGroup
	defer all.Wait()
	start := func(index int, try func(context.Context, *job) (pause time.Duration, again bool)) {
		all.Go(func() {
			for j := (job{index: index}); ; {
				pause, again := try(ctx, &j)
				<-r.slots
				if !again || !r.Sleep(ctx, pause) || !r.enter(ctx) {
					return
				}
			}
		})
	}
	var pace <-chan time.Time
	if r.Rate > 0 {
		pace = r.Tick(time.Duration(float64(time.Second) / r.Rate))
	}
	stray, act := 0, 0
	for i := range r.plan.Deliveries {
		for ; r.target.Act != nil && act < len(r.plan.Acts) && r.plan.Acts[act].Before <= i; act++ {
			if !r.enter(ctx) {
				return
			}
			start(act, r.act)
		}
		for ; stray < len(r.plan.Strays) && r.plan.Strays[stray].Before <= i; stray++ {
			if !r.enter(ctx) {
				return
			}
			start(stray, r.stray)
		}
		if i > 0 && pace != nil {
			select {
			case <-pace:
			case <-ctx.Done():
			}
		}
		if !r.enter(ctx) {
			return
		}
		start(i, r.delivery)
	}
}

// enter takes a slot, and reports false if ctx has ended.
func (r *round) enter(ctx context.Context) bool {
	select {
	case r.slots <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// delivery makes one try of a delivery, and returns how long to wait before the next, if any.
func (r *round) delivery(ctx context.Context, j *job) (pause time.Duration, again bool) {
	d, answer := &r.plan.Deliveries[j.index], &r.seen.Answers[j.index]
	if e := &r.plan.Events[d.Event]; j.try == 0 && e.Format != events.FormatA {
		j.signed = r.sign(e.Type, Forgery{})
	}
	try := Try{Loss: r.loss(j)}
	if try.Loss != LostThere {
		try.Status = r.post(ctx, http.MethodPost, r.target.URL, d.Body, j.signed)
	}
	answer.Tries = append(answer.Tries, try)
	answer.OK = try.seen() == http.StatusOK
	if j.try == 0 && int(r.tried.Add(1)) == len(r.plan.Deliveries) {
		r.seen.Took = r.Now().Sub(r.started)
	}
	if d.Schedule.Again(try.seen()) {
		pause, again = r.pause(j, d.Schedule)
	}
	if !again && r.Done != nil {
		r.Done(int(r.through.Add(1)))
	}
	return pause, again
}

// stray makes one try of a stray. What is answered as it must be is posted once more, since it must be answered so
// each time. Where the stack was kept from its work, the overview's schedule holds.
func (r *round) stray(ctx context.Context, j *job) (pause time.Duration, again bool) {
	s, answer := &r.plan.Strays[j.index], &r.seen.Strays[j.index]
	if s.Forgery != (Forgery{}) && r.target.SigningSecret == "" {
		return 0, false // nobody looks at its signature
	}
	if j.try == 0 && s.Type != "" {
		j.signed = r.sign(s.Type, s.Forgery)
	}
	address := r.target.URL
	if s.WrongToken {
		address = withOtherToken(address)
	}
	try := Try{Status: r.post(ctx, s.Method, address, s.Body, j.signed)}
	answer.Tries = append(answer.Tries, try)
	switch {
	case try.Status == s.Want && j.repeated:
		answer.OK = true
	case try.Status == s.Want:
		j.try, j.repeated = 0, true
		pause, again = r.pause(j, Overview)
		j.try = 0
	case hindered(try.Status):
		pause, again = r.pause(j, Overview)
	}
	return pause, again
}

const (
	actPause = 50 * time.Millisecond
	actTries = 1200 // a minute
)

// act stores a hand act. A stack that has been killed takes it when it is back.
func (r *round) act(ctx context.Context, j *job) (pause time.Duration, again bool) {
	if err := r.target.Act(ctx, r.plan.Acts[j.index].Item()); err == nil {
		r.seen.Acts[j.index] = true
		return 0, false
	}
	j.try++
	return actPause, j.try < actTries
}

// loss returns whether a try is lost on the way. It depends only on the seed, the delivery and the try, so it is
// the same in whatever order they come.
func (r *round) loss(j *job) Loss {
	lot := r.lot(losing, j)
	if j.try >= 2 || int(lot%100) >= r.Loss {
		return LostNot
	}
	return []Loss{LostThere, LostBack}[lot/100%2]
}

// pause returns how long to wait before the next try, and reports false if there is none.
func (r *round) pause(j *job, schedule Schedule) (time.Duration, bool) {
	pause, ok := schedule.Pause(j.try, r.lot(pausing, j))
	j.try++
	return time.Duration(float64(pause) / float64(time.Minute) * float64(r.Minute)), ok
}

// lot returns a random number that depends only on the seed, a purpose and the try.
func (r *round) lot(purpose uint64, j *job) uint64 {
	return random(r.plan.Mix.Seed, purpose<<56|uint64(j.index)<<8|uint64(j.try)).Uint64() //nolint:gosec // G115: counts
}

func (r *round) sign(typ events.Type, f Forgery) events.Signature {
	if r.target.SigningSecret == "" || f.Missing {
		return events.Signature{}
	}
	timestamp := r.Now().Add(f.Shift).UTC().Format(time.DateTime)
	return events.Signature{
		Hex:       events.Sign(cmp.Or(f.Secret, r.target.SigningSecret), cmp.Or(f.URL, r.target.URL), typ, timestamp),
		Version:   events.SignatureVersion,
		Timestamp: timestamp,
	}
}

// withOtherToken returns a webhook's URL with another token at the end of its path.
func withOtherToken(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address // to which nothing can be posted
	}
	return u.JoinPath("..", "not-the-token").String()
}

const postTime = 30 * time.Second // for one try

// post makes a request and returns what was answered, 0 for nothing.
func (r *round) post(ctx context.Context, method, address string, body []byte, signed events.Signature) (status int) {
	fail := func(err error) int {
		r.failed.Do(func() { r.seen.NoAnswer = err })
		return 0
	}
	ctx, cancel := context.WithTimeout(ctx, postTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return fail(errors.New("the webhook's URL is not one")) // its own error would quote the token
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	if signed != (events.Signature{}) {
		req.Header.Set(events.HeaderSignature, signed.Hex)
		req.Header.Set(events.HeaderSignatureVersion, signed.Version)
		req.Header.Set(events.HeaderRequestTimestamp, signed.Timestamp)
	}
	// A client around it would follow redirects, and the token would go wherever they lead.
	resp, err := r.transport.RoundTrip(req)
	if err != nil {
		return fail(fmt.Errorf("post: %w", err))
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	// Only when the answer is read to its end can the connection be used again.
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return fail(fmt.Errorf("read answer: %w", err))
	}
	return resp.StatusCode
}
