package alert

import (
	"errors"
	"time"

	"github.com/ringback/ringback/events"
)

// DefaultMaxAge is how old a call may be when its first event arrives.
const DefaultMaxAge = 24 * time.Hour

// Rules say which callers nobody is alerted of. Their calls are stored and listed as
// any other.
type Rules struct {
	// MaxAge is the longest time from a call's start to the arrival of its first
	// event; 0 for any.
	MaxAge time.Duration
	// Abandoned says whose abandoned calls alert: of a caller who hung up before or
	// while an agent's phone rang.
	Abandoned Callers
	// Blocked is set to be alerted of contacts who are blocked in JustCall.
	Blocked bool
	// Pause is how long the missed calls of a caller whom nobody has served yet make one
	// alert, counted from the first of them; 0 to be alerted of each.
	Pause time.Duration
}

// DefaultRules alert of everybody but blocked contacts and calls of long ago.
func DefaultRules() Rules { return Rules{MaxAge: DefaultMaxAge, Abandoned: AllCallers} }

// Callers is a group of callers.
type Callers string

// The groups of callers.
const (
	AllCallers   Callers = "all"
	KnownCallers Callers = "known" // those with a contact in the address book
	NoCallers    Callers = "none"
)

var errCallers = errors.New("not one of all, known, none")

// ParseCallers reads a setting; "" is [AllCallers].
func ParseCallers(text string) (Callers, error) {
	switch c := Callers(text); c {
	case "":
		return AllCallers, nil
	case AllCallers, KnownCallers, NoCallers:
		return c, nil
	}
	return "", errCallers
}

// reason says in one word why an alert is not sent, or is taken back. The log, the
// marks, the metrics and the documents of alerts that are taken back have it.
type reason string

const (
	none      reason = ""
	sent      reason = "sent"      // before
	answered  reason = "answered"  // by another call of the ring, or, taken back, by the same
	outgoing  reason = "outgoing"  // the call was ours, as a later event says
	sameRing  reason = "same_ring" // another call of the ring alerts
	old       reason = "old"       // MaxAge
	abandoned reason = "abandoned" // Abandoned
	blocked   reason = "blocked"   // Blocked
	ours      reason = "own"       // [followup.Policy.IsOwn]
	paused    reason = "paused"    // Pause
	// The others are those of [followup.Closing]: the caller was served since.
)

// denies reports whether an alert that is taken back should not have been sent: the call
// is to be listed as such.
func (r reason) denies() bool { return r == answered || r == outgoing || r == sameRing || r == old }

// isOld reports whether a call is older than an alert may be. A call without a time
// of its own is as old as its arrival.
func (r Rules) isOld(c *call) bool {
	return r.MaxAge > 0 && !c.Start.IsZero() && c.FirstArrival.Sub(c.Start) > r.MaxAge
}

// against returns why a caller's call alerts nobody. What could not be read about the
// caller keeps no alert back.
func (r Rules) against(c *call, kind events.Kind, k *caller) reason {
	gaveUp := kind == events.KindMissedCall && c.Outcome == events.Abandoned
	switch {
	// guard 10 alert (OurOwn): case false:
	case k.own:
		return ours
	case gaveUp && r.Abandoned == NoCallers:
		return abandoned
	case k.err != nil:
	case k.Blocked && !r.Blocked:
		return blocked
	case gaveUp && r.Abandoned == KnownCallers && !k.Known:
		return abandoned
	}
	return none
}
