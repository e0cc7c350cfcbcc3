package escalate

import (
	"errors"
	"fmt"
	"time"

	"github.com/ringback/ringback/internal/hours"
)

// ErrLevels means that the times of a plan contradict each other.
var ErrLevels = errors.New("levels of escalation")

const (
	// DefaultAfter is the first level, unless people ask for another.
	DefaultAfter = 15 * time.Minute
	// DefaultAgainAfter is the second.
	DefaultAgainAfter = time.Hour
	// CallsWithin is the time in which so many calls as raiseCalls raise a caller by
	// one level at once.
	CallsWithin = time.Hour
	raiseCalls  = 3
	// late is after what time a reminder waits until somebody is there again.
	late = 5 * time.Minute
)

// Plan says when people are reminded of a caller.
type Plan struct {
	// Levels are the business times since the caller's first call, in order.
	Levels []time.Duration
	// ExpireAfter is the time since then after which nobody is reminded any more; 0 for
	// none.
	ExpireAfter time.Duration
	// BlindAfter is the business time without any event after which reminders say as of
	// when they hold; 0 for never.
	BlindAfter time.Duration
}

// NewPlan returns a plan of two levels. The second may be 0 for none; if the first is,
// there is none at all. The error wraps [ErrLevels].
func NewPlan(after, againAfter, expireAfter time.Duration) (Plan, error) {
	p := Plan{ExpireAfter: expireAfter}
	switch {
	case after < 0 || againAfter < 0 || expireAfter < 0:
		return Plan{}, fmt.Errorf("%w: negative time; write 0 for none", ErrLevels)
	case after == 0:
		return p, nil
	case againAfter > 0 && againAfter <= after:
		return Plan{}, fmt.Errorf("%w: the second time, %v, is not after the first, %v; both count from the first call",
			ErrLevels, againAfter, after)
	}
	for _, level := range []time.Duration{after, againAfter} {
		if level > 0 {
			p.Levels = append(p.Levels, level)
		}
	}
	return p, nil
}

// Episode is what matters of a caller's wait.
type Episode struct {
	// ID stays the same until the caller was served. "" means that nobody waits.
	ID string
	// Since is when the first call began that nobody served, Last when the last did.
	Since, Last time.Time
	// Calls is how many of them began within [CallsWithin] up to the last.
	Calls int
	// Quiet is set if people are not to be reminded, as long as nothing changes.
	Quiet bool
	// PausedUntil returns until when people are not to be reminded because somebody
	// takes care, seen from a time; zero if they may be. Nil is never.
	PausedUntil func(time.Time) time.Time
	// Hours are those of the line that was called first.
	Hours hours.Calendar
}

// Told is a step that was taken.
type Told struct {
	// Level is that of a reminder, from 1; 0 if the episode expired.
	Level int
	// Due is when it was due, which may be before it was told.
	Due time.Time
	// Raised is set if it was due at once, because the caller called so often.
	Raised bool
}

// Next returns the step that follows those that were taken, with the time at which it is
// due. The time changes with the episode, and with now only when that is late: what
// could not be told in business hours waits for the next. ok is false if there is none.
func (p Plan) Next(e Episode, told []Told, now time.Time) (next Told, ok bool) {
	// guard 10 escalate (WhoWasServed): if false {
	if e.ID == "" {
		return Told{}, false
	}
	last, raised := Told{}, false
	for _, t := range told {
		if t.Level == 0 {
			return Told{}, false
		}
		if t.Level > last.Level {
			last = t
		}
		raised = raised || t.Raised
	}
	expiry := Told{Due: e.Since.Add(p.ExpireAfter)}
	expires := p.ExpireAfter > 0
	if e.Quiet || last.Level >= len(p.Levels) || p.expired(e, now) {
		return expiry, expires
	}

	next = Told{Level: last.Level + 1, Due: e.Hours.Add(e.Since, p.Levels[last.Level])}
	if last.Level > 0 {
		// After a pause, those whom the first level reached have their time, too, before
		// the next one is told.
		next.Due = latest(next.Due, e.Hours.Add(last.Due, p.Levels[last.Level]-p.Levels[last.Level-1]))
	}
	if at := e.Hours.NextOpening(e.Last); !raised && e.Calls >= raiseCalls && at.Before(next.Due) {
		next.Due, next.Raised = at, true
	}
	if e.PausedUntil != nil {
		for until := e.PausedUntil(next.Due); until.After(next.Due); until = e.PausedUntil(next.Due) {
			next.Due = e.Hours.NextOpening(until)
		}
	}
	if now.Sub(next.Due) > late && !e.Hours.Open(now) {
		next.Due = e.Hours.NextOpening(now)
	}
	if expires && !next.Due.Before(expiry.Due) {
		return expiry, true
	}
	return next, true
}

// expired reports whether nobody is reminded any more.
func (p Plan) expired(e Episode, now time.Time) bool {
	return p.ExpireAfter > 0 && !now.Before(e.Since.Add(p.ExpireAfter))
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
